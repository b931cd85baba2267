// Inside a kernel: gates and write strengths of one token.
#pragma once

#include "dsl/tilewright.h"

namespace tilewright::kernels {

// log(exp(a) + exp(b)), for b above -inf.
inline Tile log_add_exp(const Tile& a, const Tile& b) {
  const Tile larger = max(a, b);
  return larger + log(exp(a - larger) + exp(b - larger));
}

// Without gates given, they follow from the write strengths s so that a slot holds an average weighted by exp(s): with z_t = log sum_{u<=t} exp(s_u),
// g_t = z_{t-1} - z_t (0 at first) and s_t becomes exp(s_t - z_t). Steps z, which starts at -inf.
struct GatesOfStrengths {
  Tile g, s;
  GatesOfStrengths(Var& z, const Tile& strength) : GatesOfStrengths(z, strength, log_add_exp(z, strength)) {}

 private:
  GatesOfStrengths(Var& z, const Tile& strength, const Tile& next) : g(where(z == -inf, 0.0, z - next)), s(exp(strength - next)) { z = next; }
};

}  // namespace tilewright::kernels

// Random numbers for inputs of tests and of the command line: the same numbers on every machine, for any number of threads and in any order.
//
// The generator is Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011). It is counter based: block i of a
// stream is a function of (seed, stream, i) alone. The key is the seed (low word first); the counter is {low(i), high(i), low(stream), high(stream)}.
// Element e of a fill takes word e % 4 of block e / 4 (integers of more than 32 bits: words 2*(e % 2) and 2*(e % 2) + 1 of block e / 2).
//
// Transformations to floating point use addition, multiplication, division and square root only, with no fused multiply-add, so no library of elementary
// functions decides the last bit.
#pragma once

#include "runtime/tensor.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tilewright {

class Philox {
 public:
  explicit Philox(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}
  // The stream of a name, by its 64-bit FNV-1a hash: give each input of an operator its own.
  Philox(std::uint64_t seed, std::string_view stream_name);

  // Four independent uniform 32-bit words.
  std::array<std::uint32_t, 4> block(std::uint64_t index) const;

 private:
  std::uint64_t seed_, stream_;
};

// Each fill sets every element of `tensor`, rounded once to its dtype, and is thread-safe for distinct tensors.

// Uniform in [low, high): low + (high - low) * (word + 0.5) / 2^32. Rounding to a narrow dtype may give `high` itself.
void fill_uniform(HostTensor& tensor, const Philox& generator, double low = 0, double high = 1);

// Normal, by Box and Muller's method: words (0, 1) give elements 0 and 1 of a block, words (2, 3) elements 2 and 3.
void fill_normal(HostTensor& tensor, const Philox& generator, double mean = 0, double deviation = 1);

// Integers in [low, high], both included: low + floor(word * (high - low + 1) / 2^w), where w is 32, or 64 when the range needs it.
// Throws Error TW3002 if low > high.
void fill_integers(HostTensor& tensor, const Philox& generator, std::int64_t low, std::int64_t high);

// New tensors.
HostTensor random_uniform(DType dtype, std::vector<std::int64_t> shape, const Philox& generator, double low = 0, double high = 1);
HostTensor random_normal(DType dtype, std::vector<std::int64_t> shape, const Philox& generator, double mean = 0, double deviation = 1);

}  // namespace tilewright

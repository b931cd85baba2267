// The sequences of one call: a batch of equal lengths [B, T, ...], or several of different lengths packed behind each other in [1, total, ...] with their
// starts in cu_seqlens. Positions, windows and blocks are counted from the start of a sequence.
#pragma once

#include "runtime/tensor.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tilewright::kernels {

// One sequence. Its queries are the last q_length of its k_length tokens, so query t has the position t + k_length - q_length.
// Starts are rows of the flattened [B * T] axes: batch * T for a dense batch, the entry of cu_seqlens for a packed one.
struct Sequence {
  std::int64_t q_start = 0, q_length = 0;
  std::int64_t k_start = 0, k_length = 0;

  std::int64_t position(std::int64_t t) const { return t + k_length - q_length; }
};

struct Sequences {
  bool packed = false;
  std::vector<Sequence> list;

  std::int64_t count() const { return static_cast<std::int64_t>(list.size()); }
  std::int64_t longest_q() const;
  std::int64_t longest_k() const;
  std::int64_t total_q() const;
  std::int64_t total_k() const;

  // `batch` sequences of tq queries and tk keys.
  static Sequences dense(std::int64_t batch, std::int64_t tq, std::int64_t tk);

  // Packed sequences. Throws Error TW3120 unless both lists start at 0, do not fall, have one length, and end at total_q and total_k.
  static Sequences from_cu_seqlens(const std::vector<std::int64_t>& cu_q, const std::vector<std::int64_t>& cu_k, std::int64_t total_q, std::int64_t total_k);
};

// The starts of all sequences and the end of the last, as an i32 tensor [N + 1].
HostTensor cu_seqlens_of_queries(const Sequences& sequences);
HostTensor cu_seqlens_of_keys(const Sequences& sequences);
HostTensor cu_seqlens_tensor(const std::vector<std::int64_t>& starts);

// The values of an i32 or i64 tensor of rank 1. Throws Error TW3111 or TW3112 naming it.
std::vector<std::int64_t> integers_of(const std::string& name, const HostTensor& tensor);

}  // namespace tilewright::kernels

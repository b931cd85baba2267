#include "kernels_src/common/sequences.h"

#include "kernels_src/common/inputs.h"
#include "runtime/support/error.h"

#include <algorithm>

namespace tilewright::kernels {

namespace {

void check_starts(const char* name, const std::vector<std::int64_t>& starts, std::int64_t total) {
  if (starts.empty()) throw Error(3120, std::string(name) + " is empty").help("give the start of every sequence and the end of the last: 0, ..., total");
  if (starts.front() != 0) throw Error(3120, std::string(name) + " starts at " + std::to_string(starts.front()) + ", not at 0");
  for (std::size_t i = 1; i < starts.size(); ++i) {
    if (starts[i] < starts[i - 1]) {
      throw Error(3120, std::string(name) + " falls from " + std::to_string(starts[i - 1]) + " to " + std::to_string(starts[i]) + " at entry " + std::to_string(i));
    }
  }
  if (starts.back() != total) {
    throw Error(3120, std::string(name) + " ends at " + std::to_string(starts.back()) + ", but the packed tensor has " + std::to_string(total) + " tokens");
  }
}

}  // namespace

std::int64_t Sequences::longest_q() const {
  std::int64_t longest = 0;
  for (const Sequence& s : list) longest = std::max(longest, s.q_length);
  return longest;
}

std::int64_t Sequences::longest_k() const {
  std::int64_t longest = 0;
  for (const Sequence& s : list) longest = std::max(longest, s.k_length);
  return longest;
}

std::int64_t Sequences::total_q() const { return list.empty() ? 0 : list.back().q_start + list.back().q_length; }
std::int64_t Sequences::total_k() const { return list.empty() ? 0 : list.back().k_start + list.back().k_length; }

Sequences Sequences::dense(std::int64_t batch, std::int64_t tq, std::int64_t tk) {
  Sequences result;
  for (std::int64_t b = 0; b < batch; ++b) result.list.push_back({b * tq, tq, b * tk, tk});
  return result;
}

Sequences Sequences::from_cu_seqlens(const std::vector<std::int64_t>& cu_q, const std::vector<std::int64_t>& cu_k, std::int64_t total_q,
                                     std::int64_t total_k) {
  check_starts("cu_seqlens", cu_q, total_q);
  check_starts("cu_seqlens_k", cu_k, total_k);
  if (cu_q.size() != cu_k.size()) {
    throw Error(3120, "cu_seqlens has " + std::to_string(cu_q.size()) + " entries and cu_seqlens_k has " + std::to_string(cu_k.size()));
  }
  Sequences result;
  result.packed = true;
  for (std::size_t i = 1; i < cu_q.size(); ++i) {
    result.list.push_back({cu_q[i - 1], cu_q[i] - cu_q[i - 1], cu_k[i - 1], cu_k[i] - cu_k[i - 1]});
  }
  return result;
}

HostTensor cu_seqlens_tensor(const std::vector<std::int64_t>& starts) {
  HostTensor tensor(DType::I32, {static_cast<std::int64_t>(starts.size())});
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (starts[i] > INT32_MAX) throw Error(3120, "cu_seqlens reaches " + std::to_string(starts[i]) + ", more than 2^31 - 1 packed tokens");
    static_cast<std::int32_t*>(tensor.data())[i] = static_cast<std::int32_t>(starts[i]);
  }
  return tensor;
}

HostTensor cu_seqlens_of_queries(const Sequences& sequences) {
  std::vector<std::int64_t> starts;
  for (const Sequence& s : sequences.list) starts.push_back(s.q_start);
  starts.push_back(sequences.total_q());
  return cu_seqlens_tensor(starts);
}

HostTensor cu_seqlens_of_keys(const Sequences& sequences) {
  std::vector<std::int64_t> starts;
  for (const Sequence& s : sequences.list) starts.push_back(s.k_start);
  starts.push_back(sequences.total_k());
  return cu_seqlens_tensor(starts);
}

std::vector<std::int64_t> integers_of(const std::string& name, const HostTensor& tensor) {
  expect_rank(name, tensor, 1);
  expect_index_dtype(name, tensor);
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    values.push_back(tensor.dtype() == DType::I32 ? static_cast<const std::int32_t*>(tensor.data())[i] : static_cast<const std::int64_t*>(tensor.data())[i]);
  }
  return values;
}

}  // namespace tilewright::kernels

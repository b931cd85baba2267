// Tensors as the references read them: rows of doubles along the last axis, and the choice of rows that are checked where a problem is large.
#pragma once

#include "kernels_src/common/sequences.h"
#include "runtime/operator.h"
#include "runtime/tensor.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tilewright::kernels {

// All of a tensor in double precision; row i is the i-th run along its last axis in row-major order.
class DoubleRows {
 public:
  DoubleRows() = default;
  explicit DoubleRows(const HostTensor& tensor);
  DoubleRows(std::vector<double> data, std::int64_t width) : data_(std::move(data)), width_(width) {}

  std::int64_t width() const { return width_; }
  std::int64_t rows() const { return width_ == 0 ? 0 : static_cast<std::int64_t>(data_.size()) / width_; }
  std::span<const double> row(std::int64_t i) const { return {data_.data() + i * width_, static_cast<std::size_t>(width_)}; }
  std::span<double> row(std::int64_t i) { return {data_.data() + i * width_, static_cast<std::size_t>(width_)}; }

 private:
  std::vector<double> data_;
  std::int64_t width_ = 0;
};

// One row of a tensor.
std::vector<double> row_of(const HostTensor& tensor, std::int64_t row);

// A query of one head of one sequence.
struct RowId {
  std::int64_t sequence = 0, token = 0, head = 0;
};

// All queries of all heads when there are at most `most`, else that many: the first and last two tokens of some sequences, and a fixed pseudo-random choice.
std::vector<RowId> choose_rows(const Sequences& sequences, std::int64_t heads, std::int64_t most);

// `most` distinct numbers below `count`, ascending, both ends among them; all of them when there are no more. The same on every machine.
std::vector<std::int64_t> choose_numbers(std::int64_t count, std::int64_t most);

// The row of a [B, T, heads, ...] tensor where that query's data is.
std::int64_t query_row(const Sequences& sequences, const RowId& id, std::int64_t heads);

// Compares rows `rows` of `actual` (each its last axis long, or one element for `width` 1) with `reference`, which holds those rows only.
CheckReport compare_rows(const std::string& output, const HostTensor& actual, const std::vector<std::int64_t>& rows, std::int64_t width,
                         const std::vector<double>& reference, double tolerance);

// The tolerance of an output that depends on exponentials of logits of that size: an error of one part in 2^24 in a logit s is an error of |s| parts in its
// exponential, whatever the kernel does.
double tolerance_for_logits(DType dtype, double largest_logit);

}  // namespace tilewright::kernels

// Tensors at the boundary of the runtime: a view (address, element type, sizes, strides) and a host tensor that owns its memory.
#pragma once

#include "runtime/support/dtype.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tilewright {

inline constexpr int kMaxRank = 8;

// A strided tensor somewhere in memory; owns nothing. Sizes and strides count elements; strides may be zero or negative.
struct TensorView {
  void* data = nullptr;
  DType dtype = DType::F32;
  int rank = 0;
  std::array<std::int64_t, kMaxRank> sizes{};
  std::array<std::int64_t, kMaxRank> strides{};

  std::int64_t elements() const;
  bool is_contiguous() const;  // row-major, no gaps

  // A row-major view.
  static TensorView contiguous(void* data, DType dtype, std::span<const std::int64_t> sizes);
};

// A row-major tensor in host memory, 64-byte aligned. Cheap to copy: copies share memory.
class HostTensor {
 public:
  HostTensor() = default;
  HostTensor(DType dtype, std::vector<std::int64_t> shape);  // uninitialised

  DType dtype() const { return dtype_; }
  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::int64_t elements() const;
  std::size_t bytes() const;
  void* data() { return data_.get(); }
  const void* data() const { return data_.get(); }
  TensorView view() const;

  // Element i of the row-major order, converted exactly to or rounded to nearest even from double. For references and tests.
  double at(std::int64_t i) const;
  void set(std::int64_t i, double value);

  // All elements as doubles.
  std::vector<double> to_doubles() const;

 private:
  DType dtype_ = DType::F32;
  std::vector<std::int64_t> shape_;
  std::shared_ptr<std::byte[]> data_;
};

// Scalar conversions, round to nearest even; NaN stays NaN.
float f16_to_float(std::uint16_t bits);
std::uint16_t float_to_f16(float value);
float bf16_to_float(std::uint16_t bits);
std::uint16_t float_to_bf16(float value);

}  // namespace tilewright

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

  // A row-major view. Throws Error TW3010 for a shape that cannot be.
  static TensorView contiguous(void* data, DType dtype, std::span<const std::int64_t> sizes);
};

// A row-major tensor in host memory, 64-byte aligned. Cheap to copy: copies share memory. The default-constructed tensor has no elements and no memory.
class HostTensor {
 public:
  HostTensor() = default;
  // Uninitialised. Throws Error TW3010 for a shape that cannot be (negative size, rank above kMaxRank, too large), TW3302 without memory.
  HostTensor(DType dtype, std::vector<std::int64_t> shape);

  DType dtype() const { return dtype_; }
  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::int64_t elements() const;
  std::size_t bytes() const;
  void* data() { return data_.get(); }
  const void* data() const { return data_.get(); }
  TensorView view() const;

  // Element i of the row-major order, as a double (64-bit integers rounded), or rounded once to nearest even from a double. Integers saturate, NaN gives 0;
  // bool is value != 0. For references and tests.
  double at(std::int64_t i) const;
  void set(std::int64_t i, double value);

  // All elements as doubles.
  std::vector<double> to_doubles() const;

 private:
  DType dtype_ = DType::F32;
  std::vector<std::int64_t> shape_;
  std::shared_ptr<std::byte[]> data_;
};

// Scalar conversions, rounded once, to nearest even; NaN stays NaN.
float f16_to_float(std::uint16_t bits);
std::uint16_t float_to_f16(float value);
std::uint16_t double_to_f16(double value);
float bf16_to_float(std::uint16_t bits);
std::uint16_t float_to_bf16(float value);
std::uint16_t double_to_bf16(double value);
float f8e4m3_to_float(std::uint8_t bits);
float f8e5m2_to_float(std::uint8_t bits);
// These saturate: what lies beyond the largest number, infinity too, becomes that number.
std::uint8_t double_to_f8e4m3(double value);
std::uint8_t double_to_f8e5m2(double value);

}  // namespace tilewright

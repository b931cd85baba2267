#include "runtime/tensor.h"

#include "runtime/support/error.h"

#include <cmath>
#include <limits>
#include <new>

namespace tilewright {

namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::int64_t kMostBytes = std::int64_t{1} << 47;  // what a process can address

std::string text_of(std::span<const std::int64_t> sizes) {
  std::string text = "[";
  for (std::size_t i = 0; i < sizes.size(); ++i) text += (i ? ", " : "") + std::to_string(sizes[i]);
  return text + "]";
}

// Number of elements; throws for what cannot be a tensor.
std::int64_t checked_elements(DType dtype, std::span<const std::int64_t> sizes) {
  if (sizes.size() > static_cast<std::size_t>(kMaxRank)) {
    throw Error(3010, "a tensor of shape " + text_of(sizes) + " has rank " + std::to_string(sizes.size()))
        .help("tensors have at most " + std::to_string(kMaxRank) + " dimensions");
  }
  std::int64_t count = 1;
  bool empty = false, overflow = false;
  for (std::int64_t size : sizes) {
    if (size < 0) throw Error(3010, "a tensor of shape " + text_of(sizes) + " has a negative size");
    empty |= size == 0;
    if (size != 0) overflow |= __builtin_mul_overflow(count, size, &count);
  }
  std::int64_t bytes = 0;
  overflow |= __builtin_mul_overflow(count, static_cast<std::int64_t>(size_of(dtype)), &bytes);
  if (empty) return 0;
  if (overflow || bytes > kMostBytes) {
    throw Error(3010, "a tensor of shape " + text_of(sizes) + " and type " + std::string(name_of(dtype)) + " is larger than the address space");
  }
  return count;
}

template <class Int>
Int saturate(double value) {
  if (std::isnan(value)) return 0;
  const double rounded = std::nearbyint(value);
  // max() of a 64-bit type is not a double; the bound that is compared against is the power of two above it.
  if (rounded >= std::ldexp(1.0, std::numeric_limits<Int>::digits)) return std::numeric_limits<Int>::max();
  if (rounded <= static_cast<double>(std::numeric_limits<Int>::min())) return std::numeric_limits<Int>::min();
  return static_cast<Int>(rounded);
}

// Calls `visit(typed pointer, decode, encode)` with the element type's storage and its conversions from and to double.
template <class Visit>
auto with_codec(DType dtype, void* data, Visit visit) {
  const auto integer = [&]<class Int>(Int* p) {
    return visit(p, [](Int x) { return static_cast<double>(x); }, [](double x) { return saturate<Int>(x); });
  };
  switch (dtype) {
    case DType::Bool:
      return visit(static_cast<std::uint8_t*>(data), [](std::uint8_t x) { return x != 0 ? 1.0 : 0.0; },
                   [](double x) { return static_cast<std::uint8_t>(x != 0); });
    case DType::I8: return integer(static_cast<std::int8_t*>(data));
    case DType::I16: return integer(static_cast<std::int16_t*>(data));
    case DType::I32: return integer(static_cast<std::int32_t*>(data));
    case DType::I64: return integer(static_cast<std::int64_t*>(data));
    case DType::U8: return integer(static_cast<std::uint8_t*>(data));
    case DType::U16: return integer(static_cast<std::uint16_t*>(data));
    case DType::U32: return integer(static_cast<std::uint32_t*>(data));
    case DType::U64: return integer(static_cast<std::uint64_t*>(data));
    case DType::F16:
      return visit(static_cast<std::uint16_t*>(data), [](std::uint16_t x) { return static_cast<double>(f16_to_float(x)); }, double_to_f16);
    case DType::BF16:
      return visit(static_cast<std::uint16_t*>(data), [](std::uint16_t x) { return static_cast<double>(bf16_to_float(x)); }, double_to_bf16);
    case DType::F32:
      return visit(static_cast<float*>(data), [](float x) { return static_cast<double>(x); }, [](double x) { return static_cast<float>(x); });
    case DType::F8E4M3:
      return visit(static_cast<std::uint8_t*>(data), [](std::uint8_t x) { return static_cast<double>(f8e4m3_to_float(x)); }, double_to_f8e4m3);
    case DType::F8E5M2:
      return visit(static_cast<std::uint8_t*>(data), [](std::uint8_t x) { return static_cast<double>(f8e5m2_to_float(x)); }, double_to_f8e5m2);
    case DType::F64: break;
  }
  return visit(static_cast<double*>(data), [](double x) { return x; }, [](double x) { return x; });
}

}  // namespace

std::int64_t TensorView::elements() const {
  std::int64_t count = 1;
  for (int i = 0; i < rank; ++i) count *= sizes[i];
  return count;
}

bool TensorView::is_contiguous() const {
  std::int64_t expected = 1;
  for (int i = rank - 1; i >= 0; --i) {
    if (sizes[i] == 0) return true;
    if (sizes[i] != 1 && strides[i] != expected) return false;
    expected *= sizes[i];
  }
  return true;
}

TensorView TensorView::contiguous(void* data, DType dtype, std::span<const std::int64_t> sizes) {
  checked_elements(dtype, sizes);
  TensorView view;
  view.data = data;
  view.dtype = dtype;
  view.rank = static_cast<int>(sizes.size());
  std::int64_t stride = 1;
  for (int i = view.rank - 1; i >= 0; --i) {
    view.sizes[i] = sizes[i];
    view.strides[i] = stride;
    if (sizes[i] != 0) stride *= sizes[i];
  }
  return view;
}

HostTensor::HostTensor(DType dtype, std::vector<std::int64_t> shape) : dtype_(dtype), shape_(std::move(shape)) {
  const std::size_t bytes = static_cast<std::size_t>(checked_elements(dtype_, shape_)) * size_of(dtype_);
  void* memory = ::operator new[](bytes == 0 ? kAlignment : bytes, std::align_val_t{kAlignment}, std::nothrow);
  if (memory == nullptr) throw Error(3302, "no host memory for a tensor of " + std::to_string(bytes) + " bytes, shape " + text_of(shape_));
  data_ = std::shared_ptr<std::byte[]>(static_cast<std::byte*>(memory), [](std::byte* p) { ::operator delete[](p, std::align_val_t{kAlignment}); });
}

std::int64_t HostTensor::elements() const {
  if (!data_) return 0;
  std::int64_t count = 1;
  for (std::int64_t size : shape_) count *= size;
  return count;
}

std::size_t HostTensor::bytes() const { return static_cast<std::size_t>(elements()) * size_of(dtype_); }

TensorView HostTensor::view() const { return TensorView::contiguous(data_.get(), dtype_, shape_); }

double HostTensor::at(std::int64_t i) const {
  return with_codec(dtype_, data_.get(), [&](auto* p, auto decode, auto) { return decode(p[i]); });
}

void HostTensor::set(std::int64_t i, double value) {
  with_codec(dtype_, data_.get(), [&](auto* p, auto, auto encode) { p[i] = encode(value); });
}

std::vector<double> HostTensor::to_doubles() const {
  std::vector<double> values(static_cast<std::size_t>(elements()));
  with_codec(dtype_, data_.get(), [&](auto* p, auto decode, auto) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = decode(p[i]);
  });
  return values;
}

}  // namespace tilewright

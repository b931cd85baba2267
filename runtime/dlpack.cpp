#include "runtime/dlpack.h"

#include "runtime/support/error.h"

namespace tilewright {

namespace {

constexpr std::uint8_t kDLBoolCode = 6;  // kDLBool of DLPack 0.8 and later; older headers do not name it
constexpr std::uint8_t kDLFloat8E4M3FnCode = 10, kDLFloat8E5M2Code = 12;  // of DLPack 1.1 and later

DType from_dlpack(const DLDataType& type) {
  if (type.lanes == 1) {
    for (int i = 0; i < kNumDTypes; ++i) {
      const DLDataType known = to_dlpack(static_cast<DType>(i));
      if (known.code == type.code && known.bits == type.bits) return static_cast<DType>(i);
    }
  }
  throw Error(3011, "a DLPack tensor has an element type that is not supported: type code " + std::to_string(type.code) + ", " + std::to_string(type.bits) +
                        " bits, " + std::to_string(type.lanes) + " lanes");
}

}  // namespace

DLDataType to_dlpack(DType dtype) {
  const auto bits = static_cast<std::uint8_t>(8 * size_of(dtype));
  if (dtype == DType::Bool) return {kDLBoolCode, bits, 1};
  if (dtype == DType::BF16) return {kDLBfloat, bits, 1};
  if (dtype == DType::F8E4M3) return {kDLFloat8E4M3FnCode, bits, 1};
  if (dtype == DType::F8E5M2) return {kDLFloat8E5M2Code, bits, 1};
  if (is_float(dtype)) return {kDLFloat, bits, 1};
  return {static_cast<std::uint8_t>(is_signed_int(dtype) ? kDLInt : kDLUInt), bits, 1};
}

TensorView from_dlpack(const DLTensor& tensor) {
  const DType dtype = from_dlpack(tensor.dtype);
  if (tensor.ndim < 0 || tensor.ndim > kMaxRank) {
    throw Error(3010, "a DLPack tensor has rank " + std::to_string(tensor.ndim)).help("tensors have at most " + std::to_string(kMaxRank) + " dimensions");
  }
  void* data = static_cast<char*>(tensor.data) + tensor.byte_offset;
  TensorView view = TensorView::contiguous(data, dtype, {tensor.shape, static_cast<std::size_t>(tensor.ndim)});
  if (tensor.strides != nullptr) {
    for (int i = 0; i < view.rank; ++i) view.strides[i] = tensor.strides[i];
  }
  return view;
}

DLPackView::DLPackView(const TensorView& view, DLDevice device) : shape(view.sizes), strides(view.strides) {
  tensor.data = view.data;
  tensor.device = device;
  tensor.ndim = view.rank;
  tensor.dtype = to_dlpack(view.dtype);
  tensor.shape = shape.data();
  tensor.strides = strides.data();
}

}  // namespace tilewright

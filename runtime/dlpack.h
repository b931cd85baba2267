// Tensors of other frameworks: between a TensorView and the DLPack structure, without copying.
#pragma once

#include "runtime/tensor.h"

#include <dlpack/dlpack.h>

#include <array>

namespace tilewright {

// The view of a DLPack tensor. Absent strides mean row-major. Throws Error TW3011 for an element type that is not one of ours (several lanes, complex, sub-byte),
// TW3010 for a rank above kMaxRank or a size that is negative. Where the tensor lies is the caller's to check: `tensor.device`.
TensorView from_dlpack(const DLTensor& tensor);

// A DLPack tensor that points at `view`'s memory, with the arrays it refers to; must not be moved while `tensor` is in use.
struct DLPackView {
  DLTensor tensor{};
  std::array<std::int64_t, kMaxRank> shape{}, strides{};

  DLPackView(const TensorView& view, DLDevice device);
  DLPackView(const DLPackView&) = delete;
  DLPackView& operator=(const DLPackView&) = delete;
};

DLDataType to_dlpack(DType dtype);

}  // namespace tilewright

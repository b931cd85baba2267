// 8-bit floats by integer arithmetic, for targets without instructions that convert them: what tile.decode_f8 and tile.encode_f8 mean.
#pragma once

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tilewright {

// i8 to f32; scalars or vectors. `format` is f8E4M3FN or f8E5M2.
mlir::Value decode_float8(mlir::ImplicitLocOpBuilder& b, mlir::Value bits, mlir::Type format);

// f32 to i8: to nearest even, saturating; NaN stays NaN.
mlir::Value encode_float8(mlir::ImplicitLocOpBuilder& b, mlir::Value x, mlir::Type format);

}  // namespace tilewright

// PTX within the LLVM dialect.
#pragma once

#include "compiler/gpu/target.h"

#include <string>

namespace tilewright::nvidia {

// An integer constant.
mlir::Value constant(gpu::GpuTarget::Builder& b, mlir::Type type, std::int64_t value);

// The result of `text`, whose operands are numbered from the results on; null for a result of type void.
mlir::Value inline_assembly(gpu::GpuTarget::Builder& b, mlir::Type result, mlir::ValueRange operands, const std::string& text, const std::string& constraints, bool side_effects);

// Without a result, and not to be moved across other accesses to memory.
void inline_effect(gpu::GpuTarget::Builder& b, mlir::ValueRange operands, const std::string& text, const std::string& constraints);

// Two 16-bit floats in a word. Two roundings from f32 are one instruction.
mlir::Value packed_pair(gpu::GpuTarget::Builder& b, mlir::Value low, mlir::Value high);

// Four bytes in a word.
mlir::Value packed_bytes(gpu::GpuTarget::Builder& b, mlir::ValueRange bytes);

// Elements as words, in order: pairs of 16-bit floats or fours of bytes.
void append_words(gpu::GpuTarget::Builder& b, mlir::ValueRange elements, llvm::SmallVectorImpl<mlir::Value>& words);

}  // namespace tilewright::nvidia

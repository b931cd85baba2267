#include "runtime/drivers/cuda/launch_text.h"

#include "runtime/drivers/cuda/cuda_context.h"
#include "runtime/tensor.h"

#include <bit>
#include <cstdio>

namespace tilewright::cuda {

namespace {

std::string list_text(std::span<const std::uint64_t> values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(static_cast<std::int64_t>(values[i]));
  return text + "]";
}

std::string real_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::string scalar_text(DType dtype, std::uint64_t bits) {
  switch (dtype) {
    case DType::F64: return real_text(std::bit_cast<double>(bits));
    case DType::F32: return real_text(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    case DType::F16: return real_text(f16_to_float(static_cast<std::uint16_t>(bits)));
    case DType::BF16: return real_text(bf16_to_float(static_cast<std::uint16_t>(bits)));
    case DType::F8E4M3: return real_text(f8e4m3_to_float(static_cast<std::uint8_t>(bits)));
    case DType::F8E5M2: return real_text(f8e5m2_to_float(static_cast<std::uint8_t>(bits)));
    case DType::Bool: return bits != 0 ? "true" : "false";
    case DType::I8: return std::to_string(static_cast<std::int8_t>(bits));
    case DType::I16: return std::to_string(static_cast<std::int16_t>(bits));
    case DType::I32: return std::to_string(static_cast<std::int32_t>(bits));
    case DType::I64: return std::to_string(static_cast<std::int64_t>(bits));
    default: return std::to_string(bits);
  }
}

}  // namespace

std::string shape_text(const GridSize& grid, const LaunchShape& shape) {
  std::string text = "grid " + std::to_string(grid[0]) + " x " + std::to_string(grid[1]) + " x " + std::to_string(grid[2]) + ", ";
  if (shape.cluster > 1) text += "clusters of " + std::to_string(shape.cluster) + " ";
  return text + "blocks of " + std::to_string(shape.threads) + " threads, " + std::to_string(shape.shared_bytes) + " bytes of shared memory";
}

std::string arguments_text(const program::Program& program, std::span<const std::uint64_t> slots) {
  std::string text;
  std::size_t slot = 0;
  for (const program::Param& param : program.params) {
    const program::Type& type = program.type(param.value);
    const std::size_t count = type.is_view ? 1 + 2 * type.rank() : 1;
    if (slot + count > slots.size()) break;
    text += (slot == 0 ? "" : ", ") + param.name + " = ";
    if (type.is_view) {
      text += "view " + std::string(name_of(type.dtype)) + " at " + address_text(slots[slot]) + " " +
              list_text(slots.subspan(slot + 1, type.rank())) + " strides " + list_text(slots.subspan(slot + 1 + type.rank(), type.rank()));
    } else {
      text += scalar_text(type.dtype, slots[slot]);
    }
    slot += count;
  }
  return text;
}

}  // namespace tilewright::cuda

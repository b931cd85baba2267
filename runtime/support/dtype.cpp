#include "runtime/support/dtype.h"

#include <array>

namespace tilewright {

static constexpr std::array<std::string_view, kNumDTypes> kNames = {
    "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "bf16", "f32", "f64", "f8e4m3", "f8e5m2"};

std::string_view name_of(DType type) { return kNames[static_cast<std::size_t>(type)]; }

bool parse_dtype(std::string_view text, DType& type) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == text) {
      type = static_cast<DType>(i);
      return true;
    }
  }
  return false;
}

}  // namespace tilewright

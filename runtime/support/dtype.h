// The element types of tiles and tensors, and their names.
#pragma once

#include "runtime/support/dtype_id.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tilewright {

// The spelling used on the command line, in errors and in printed programs: "f32", "bf16", "i64", "bool", ...
std::string_view name_of(DType type);

// Inverse of name_of; false when the spelling is unknown.
bool parse_dtype(std::string_view text, DType& type);

}  // namespace tilewright

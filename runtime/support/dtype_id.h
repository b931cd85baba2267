// The element types by themselves, for headers that must stay light; dtype.h adds their names.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tilewright {

enum class DType : std::uint8_t {
  Bool,  // one byte in memory, 0 or 1
  I8, I16, I32, I64,
  U8, U16, U32, U64,
  F16, BF16, F32, F64,
  F8E4M3,  // 1 sign, 4 exponent, 3 fraction bits, bias 7; no infinities, NaN is 0x7f and 0xff, the largest number 448
  F8E5M2,  // 1 sign, 5 exponent, 2 fraction bits, bias 15; infinities and NaN as in IEEE 754, the largest number 57344
};

inline constexpr int kNumDTypes = 15;

// Size of one element in memory, in bytes.
constexpr std::size_t size_of(DType type) {
  switch (type) {
    case DType::Bool: case DType::I8: case DType::U8: case DType::F8E4M3: case DType::F8E5M2: return 1;
    case DType::I16: case DType::U16: case DType::F16: case DType::BF16: return 2;
    case DType::I32: case DType::U32: case DType::F32: return 4;
    case DType::I64: case DType::U64: case DType::F64: return 8;
  }
  return 0;
}

constexpr bool is_float(DType type) { return type >= DType::F16; }
constexpr bool is_float8(DType type) { return type == DType::F8E4M3 || type == DType::F8E5M2; }
constexpr bool is_signed_int(DType type) { return type >= DType::I8 && type <= DType::I64; }
constexpr bool is_unsigned_int(DType type) { return type >= DType::U8 && type <= DType::U64; }
constexpr bool is_int(DType type) { return is_signed_int(type) || is_unsigned_int(type); }

}  // namespace tilewright

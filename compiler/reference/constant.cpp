// Tiles from nothing: constants and counting sequences.
#include "compiler/reference/ops.h"

#include <algorithm>
#include <bit>

namespace tilewright::reference {

Tile constant(DType dtype, const Shape& shape, std::int64_t bits) {
  Tile result(dtype, shape);
  visit_any(dtype, [&]<class T>(std::type_identity<T>) {
    T value;
    if constexpr (std::is_integral_v<T>) {
      value = dtype == DType::Bool ? static_cast<T>(bits != 0) : static_cast<T>(bits);
    } else {
      value = narrow_to<T>(std::bit_cast<double>(bits));
    }
    std::fill_n(result.mutable_data<T>(), result.elements(), value);
  });
  return result;
}

Tile arange(DType dtype, std::int64_t extent, std::int64_t start) {
  Tile result(dtype, {extent});
  visit_int(dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < extent; ++i)
      result.mutable_data<T>()[i] = static_cast<T>(static_cast<std::uint64_t>(start) + static_cast<std::uint64_t>(i));
  });
  return result;
}

}  // namespace tilewright::reference

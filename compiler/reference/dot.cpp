// Matrix products.
#include "compiler/reference/ops.h"

#include <vector>

namespace tilewright::reference {

namespace {

template <class Sum>
std::vector<Sum> widened(const Tile& tile) {
  std::vector<Sum> values(static_cast<std::size_t>(tile.elements()));
  visit_any(tile.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<Sum>(widen(tile.data<T>()[i]));
  });
  return values;
}

// Sum is the type products are summed in: double, or uint32_t, which wraps.
template <class Sum, class Acc>
void multiply(const Tile& a, const Tile& b, const Tile& accumulator, Tile& result) {
  const bool batched = a.shape().size() == 3;
  const std::int64_t batches = batched ? a.shape()[0] : 1;
  const std::int64_t rows = a.shape()[batched], depth = a.shape()[batched + 1], columns = b.shape()[batched + 1];
  const std::vector<Sum> left = widened<Sum>(a), right = widened<Sum>(b);
  std::vector<Sum> sums(static_cast<std::size_t>(columns));
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    for (std::int64_t m = 0; m < rows; ++m) {
      const std::int64_t row = (batch * rows + m) * columns;
      for (std::int64_t n = 0; n < columns; ++n) sums[n] = static_cast<Sum>(accumulator.data<Acc>()[row + n]);
      for (std::int64_t k = 0; k < depth; ++k) {
        const Sum factor = left[(batch * rows + m) * depth + k];
        const Sum* line = &right[(batch * depth + k) * columns];
        for (std::int64_t n = 0; n < columns; ++n) sums[n] += factor * line[n];
      }
      for (std::int64_t n = 0; n < columns; ++n) result.mutable_data<Acc>()[row + n] = static_cast<Acc>(sums[n]);
    }
  }
}

}  // namespace

Tile dot(const Tile& a, const Tile& b, const Tile& accumulator) {
  const std::size_t rank = a.shape().size();
  const bool shapes_fit = (rank == 2 || rank == 3) && b.shape().size() == rank && accumulator.shape().size() == rank &&
                          a.shape()[rank - 1] == b.shape()[rank - 2] && accumulator.shape()[rank - 2] == a.shape()[rank - 2] &&
                          accumulator.shape()[rank - 1] == b.shape()[rank - 1] &&
                          (rank == 2 || (a.shape()[0] == b.shape()[0] && a.shape()[0] == accumulator.shape()[0]));
  const bool dtypes_fit = a.dtype() == b.dtype() || (tilewright::is_float8(a.dtype()) && tilewright::is_float8(b.dtype()));
  if (!shapes_fit || !dtypes_fit) malformed("the operands of dot do not fit");
  Tile result(accumulator.dtype(), accumulator.shape());
  switch (accumulator.dtype()) {
    case DType::F32: multiply<double, float>(a, b, accumulator, result); break;
    case DType::F64: multiply<double, double>(a, b, accumulator, result); break;
    case DType::I32: multiply<std::uint32_t, std::int32_t>(a, b, accumulator, result); break;
    default: malformed("dot accumulates in " + std::string(name_of(accumulator.dtype())));
  }
  return result;
}

}  // namespace tilewright::reference

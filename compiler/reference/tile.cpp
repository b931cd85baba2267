// Storage of tiles and access to single elements.
#include "compiler/reference/tile.h"

#include "runtime/support/error.h"

#include <utility>

namespace tilewright::reference {

void malformed(const std::string& what) { throw Error(9301, "malformed program in the reference interpreter: " + what); }

Tile::Tile(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)), elements_(1) {
  for (std::int64_t extent : shape_) {
    if (extent < 0) malformed("a tile of shape " + program::to_string(shape_));
    elements_ *= extent;
  }
  data_ = std::make_shared_for_overwrite<std::byte[]>(bytes());
}

Tile Tile::with_shape(Shape shape) const {
  Tile result = *this;
  result.shape_ = std::move(shape);
  std::int64_t elements = 1;
  for (std::int64_t extent : result.shape_) elements *= extent;
  if (elements != elements_) malformed("reshape of " + program::to_string(shape_) + " to " + program::to_string(result.shape_));
  return result;
}

Tile Tile::with_dtype(DType dtype) const {
  if (size_of(dtype) != size_of(dtype_)) malformed("bitcast of " + std::string(name_of(dtype_)) + " to " + std::string(name_of(dtype)));
  Tile result = *this;
  result.dtype_ = dtype;
  return result;
}

double Tile::number(std::int64_t i) const {
  return visit_any(dtype_, [&]<class T>(std::type_identity<T>) { return static_cast<double>(widen(data<T>()[i])); });
}

std::int64_t Tile::integer(std::int64_t i) const {
  return visit_int(dtype_, [&]<class T>(std::type_identity<T>) { return static_cast<std::int64_t>(data<T>()[i]); });
}

AxisSplit::AxisSplit(const Shape& shape, std::int64_t axis) {
  if (axis < 0 || axis >= static_cast<std::int64_t>(shape.size())) malformed("axis " + std::to_string(axis) + " of a tile of shape " + program::to_string(shape));
  for (std::int64_t i = 0; i < axis; ++i) outer *= shape[i];
  extent = shape[axis];
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
}

}  // namespace tilewright::reference

// Shapes, dtypes and the frame of every entry.
#include "tests/op_grid/grid.h"

#include <utility>

namespace tilewright::op_grid {

using program::kMapPoint;
using program::ParamKind;

const std::vector<Shape>& grid_shapes() {
  static const std::vector<Shape> shapes = {{}, {1}, {7}, {16}, {33}, {4, 5}, {16, 16}, {3, 60}, {17, 96}, {64, 64}, {2, 3, 8}};
  return shapes;
}

const std::vector<DType>& all_dtypes() {
  static const std::vector<DType> dtypes = {DType::Bool, DType::I8,  DType::I16, DType::I32,  DType::I64, DType::U8, DType::U16,
                                            DType::U32,  DType::U64, DType::F16, DType::BF16, DType::F32, DType::F64};
  return dtypes;
}

std::vector<DType> float_dtypes() { return {DType::F16, DType::BF16, DType::F32, DType::F64}; }
std::vector<DType> moved_dtypes() {
  std::vector<DType> dtypes = all_dtypes();
  dtypes.insert(dtypes.end(), {DType::F8E4M3, DType::F8E5M2});
  return dtypes;
}

std::vector<DType> int_dtypes() { return {DType::I8, DType::I16, DType::I32, DType::I64, DType::U8, DType::U16, DType::U32, DType::U64}; }

double function_tolerance(DType dtype) {
  switch (dtype) {
    case DType::F16: return 0x1p-10;
    case DType::BF16: return 0x1p-7;
    case DType::F32: return 0x1p-21;  // 4 units in the last place
    default: return 0x1p-50;
  }
}

double least_tolerance(DType dtype) {
  switch (dtype) {
    case DType::F16: return 0x1p-23;
    case DType::BF16: case DType::F32: return 0x1p-126;
    default: return 0x1p-1022;
  }
}

EntryBuilder::EntryBuilder(std::string name) : name_(std::move(name)), builder_("op_grid") {}

ValueId EntryBuilder::add(ParamKind kind, DType dtype, const Shape& sizes, std::vector<std::int64_t> strides, fuzz::TensorSpec spec) {
  if (strides.empty()) {
    strides.resize(sizes.size());
    std::int64_t stride = 1;
    for (std::size_t d = sizes.size(); d-- > 0; stride *= sizes[d]) strides[d] = stride;
  }
  spec.sizes = sizes;
  spec.strides = strides;
  fuzz::Argument argument;
  argument.is_view = true;
  argument.tensor = std::move(spec);
  program::ArgumentFacts facts;
  facts.unit_inner_stride = strides.back() == 1;
  facts.fits32 = true;
  facts.whole_rows16 = sizes.size() > 1 && sizes.back() * static_cast<std::int64_t>(size_of(dtype)) % 16 == 0;
  const std::string name = (kind == ParamKind::Input ? "in" : "out") + std::to_string(case_.arguments.size());
  case_.arguments.push_back(std::move(argument));
  return builder_.add_param(name, kind, Type{dtype, Shape(sizes.size(), -1), true}, facts);
}

ValueId EntryBuilder::view(DType dtype, const Shape& sizes, std::vector<std::uint64_t> patterns, std::vector<std::int64_t> strides) {
  fuzz::TensorSpec spec;
  spec.fill.patterns = std::move(patterns);
  return add(ParamKind::Input, dtype, sizes, std::move(strides), std::move(spec));
}

ValueId EntryBuilder::in_out_view(DType dtype, const Shape& sizes, std::vector<std::uint64_t> patterns, std::vector<std::int64_t> strides) {
  fuzz::TensorSpec spec;
  spec.fill.patterns = std::move(patterns);
  return add(ParamKind::InOut, dtype, sizes, std::move(strides), std::move(spec));
}

ValueId EntryBuilder::input(DType dtype, const Shape& shape, std::vector<std::uint64_t> patterns, std::int64_t repeat) {
  const ValueId from = view(dtype, shape.empty() ? Shape{1} : shape, std::move(patterns));
  case_.arguments.back().tensor.fill.repeat = repeat;
  const ValueId zero = builder_.integer(DType::I64, 0);
  if (shape.empty()) return builder_.load(from, {zero}, {kMapPoint}, {});
  std::vector<ValueId> indices(shape.size(), zero);
  std::vector<std::int64_t> maps;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) maps.push_back(static_cast<std::int64_t>(axis));
  return builder_.load(from, indices, maps, shape);
}

ValueId EntryBuilder::output_view(DType dtype, const Shape& sizes, std::vector<std::int64_t> strides) {
  return add(ParamKind::Output, dtype, sizes, std::move(strides), {});
}

void EntryBuilder::output(ValueId value, double relative, double absolute) {
  const Type type = builder_.type(value);
  const ValueId to = output_view(type.dtype, type.shape.empty() ? Shape{1} : type.shape);
  case_.arguments.back().tensor.relative_tolerance = relative;
  case_.arguments.back().tensor.tolerance = absolute;
  const ValueId zero = builder_.integer(DType::I64, 0);
  if (type.shape.empty()) return builder_.store(to, {zero}, {kMapPoint}, value);
  std::vector<ValueId> indices(type.rank(), zero);
  std::vector<std::int64_t> maps;
  for (std::size_t axis = 0; axis < type.rank(); ++axis) maps.push_back(static_cast<std::int64_t>(axis));
  builder_.store(to, indices, maps, value);
}

Entry EntryBuilder::finish(std::function<Arrays(const Arrays&)> expect) && {
  case_.program = std::move(builder_).finish();
  return {std::move(name_), std::move(case_), std::move(expect)};
}

const std::vector<Entry>& all_entries() {
  static const std::vector<Entry> all = [] {
    std::vector<Entry> list;
    add_elementwise(list);
    add_conversions(list);
    add_shape_operations(list);
    add_contractions(list);
    add_orderings(list);
    add_accesses(list);
    add_atomics(list);
    add_control(list);
    return list;
  }();
  return all;
}

}  // namespace tilewright::op_grid

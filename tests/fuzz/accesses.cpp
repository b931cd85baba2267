// Loads, stores, and the indices they use.
#include "tests/fuzz/generator.h"

#include <algorithm>

namespace tilewright::fuzz {

using program::kMapFull;
using program::kMapPoint;
using program::kNone;
using program::ParamKind;

// A coordinate for an access of `extent` elements along a dimension of about `size`; mostly inside, sometimes beyond either end.
ValueId Generator::index_scalar(std::int64_t size, std::int64_t extent) {
  const std::int64_t kind = rng_.below(100);
  if (kind < 35) return integer(0);
  if (kind < 60) {
    const std::int64_t most = std::max<std::int64_t>(size - extent, 0) + 2;
    return integer(rng_.between(-2, most));
  }
  if (kind < 75) {
    const ValueId id = b_.op(Opcode::ProgramId, {}, {rng_.below(3)});
    return b_.op(Opcode::Mul, {id, integer(extent)});
  }
  if (kind < 85 && !counters_.empty()) {
    const ValueId counter = rng_.pick(counters_);
    return b_.op(Opcode::Add, {counter, integer(rng_.between(-1, 3))});
  }
  if (kind < 97) {
    const auto scalar = find([&](const Item& i) { return type(i).is_scalar() && is_int(dtype(i)); });
    const Item wide = cast(scalar ? *scalar : want(DType::I32, {}), DType::I64);
    return b_.op(Opcode::Rem, {wide.id, integer(std::max<std::int64_t>(size, 1) + 1)});
  }
  return integer(rng_.pick({INT64_MAX - 2, INT64_MIN + 1, std::int64_t{1} << 40, -(std::int64_t{1} << 33)}));
}

// Coordinates for a gather: any integers, most of them inside.
ValueId Generator::index_tile(std::int64_t size, const Shape& shape) {
  const DType dtype = rng_.pick({DType::I32, DType::I32, DType::I64, DType::U8, DType::I16, DType::U32, DType::U64});
  const Item item = want(dtype, shape);
  if (item.numbers.bound <= 2 * static_cast<double>(size) && rng_.chance(60)) return item.id;
  const std::int64_t modulus = std::min<std::int64_t>(std::max<std::int64_t>(size, 1) + 1, dtype == DType::U8 ? 255 : 30000);
  return b_.op(Opcode::Rem, {item.id, b_.integer(dtype, modulus, shape)});
}

Generator::Item Generator::load(DType dtype, const Shape& shape) {
  const bool full = !shape.empty() && rng_.chance(8);
  const Tensor tensor = input(dtype, full ? 1 : std::max<std::size_t>(shape.size(), 1));
  const Shape sizes = case_.arguments[tensor.argument].tensor.sizes;
  const std::size_t rank = sizes.size();
  ValueId view = tensor.view;
  if (rng_.chance(12)) {
    const std::int64_t axis = rng_.below(static_cast<std::int64_t>(rank));
    const ValueId start = index_scalar(sizes[axis], 1);
    const ValueId size = rng_.chance(50) ? b_.op(Opcode::ViewSize, {view}, {axis}) : integer(rng_.between(0, sizes[axis] + 1));
    view = b_.op(Opcode::ViewNarrow, {view, start, size}, {axis});
  }

  // Which dimension each axis of the tile runs along.
  std::vector<std::int64_t> maps(rank, kMapPoint);
  if (full) {
    maps[static_cast<std::size_t>(rng_.below(static_cast<std::int64_t>(rank)))] = kMapFull;
    for (std::int64_t& map : maps) {
      if (map == kMapPoint && rng_.chance(30)) map = kMapFull;
    }
  } else {
    std::vector<std::size_t> dimensions(rank);
    for (std::size_t d = 0; d < rank; ++d) dimensions[d] = d;
    const bool shuffled = rng_.chance(30);
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      // In order, the axes left over must still find dimensions.
      const std::size_t slack = dimensions.size() - (shape.size() - axis);
      const std::size_t chosen = shuffled ? static_cast<std::size_t>(rng_.below(static_cast<std::int64_t>(dimensions.size())))
                                          : static_cast<std::size_t>(rng_.below(static_cast<std::int64_t>(slack) + 1));
      maps[dimensions[chosen]] = static_cast<std::int64_t>(axis);
      dimensions.erase(dimensions.begin(), dimensions.begin() + static_cast<std::ptrdiff_t>(shuffled ? 0 : chosen));
      dimensions.erase(dimensions.begin() + static_cast<std::ptrdiff_t>(shuffled ? chosen : 0));
    }
  }
  std::vector<ValueId> indices;
  for (std::size_t d = 0; d < rank; ++d) {
    if (maps[d] == kMapPoint) indices.push_back(index_scalar(sizes[d], 1));
    else if (maps[d] == kMapFull) indices.push_back(index_tile(sizes[d], shape));
    else if (rng_.chance(15)) indices.push_back(index_tile(sizes[d], {shape[maps[d]]}));
    else indices.push_back(index_scalar(sizes[d], shape[maps[d]]));
  }
  Item mask, other;
  if (rng_.chance(20)) mask = want(DType::Bool, shape);
  Numbers numbers = tensor.numbers;
  if (rng_.chance(25)) {
    const bool scalar = rng_.chance(60);
    other = want(dtype, scalar ? Shape{} : shape);
    numbers = join(numbers, other.numbers);
  } else {
    numbers = join(numbers, fuzz::constant(dtype, 0));
    numbers.quantum = tensor.numbers.quantum;
  }
  return {b_.load(view, indices, maps, shape, mask.id, other.id), numbers};
}

ValueId Generator::linear_program_id() {
  ValueId id = b_.op(Opcode::ProgramId, {}, {0});
  std::int64_t stride = 1;
  for (std::size_t axis = 1; axis < grid_.size(); ++axis) {
    stride *= grid_[axis - 1];
    const ValueId next = b_.op(Opcode::ProgramId, {}, {static_cast<std::int64_t>(axis)});
    id = b_.op(Opcode::Add, {id, b_.op(Opcode::Mul, {next, integer(stride)})});
  }
  return id;
}

// Different for every element, so that a scatter is determined; in no simple order.
ValueId Generator::unique_indices(std::int64_t extent) {
  const ValueId line = b_.op(Opcode::Arange, {}, {rng_.between(-2, 2)}, Type{DType::I32, {extent}});
  const std::int64_t kind = rng_.below(3);
  if (kind == 0) return line;
  if (kind == 1) return b_.op(Opcode::Sub, {b_.integer(DType::I32, extent, {extent}), line});
  const ValueId keys = b_.op(Opcode::Rem, {b_.op(Opcode::Mul, {line, b_.integer(DType::I32, 7, {extent})}), b_.integer(DType::I32, 5, {extent})});
  return b_.ops(Opcode::TopK, {keys}, {0, extent, rng_.below(2)})[1];
}

void Generator::store_output(const Item& item) {
  ++outputs_;
  const Type tile = type(item);
  std::int64_t programs = 1;
  for (std::int64_t extent : grid_) programs *= extent;
  const bool flat = !tile.shape.empty() && rng_.chance(8);  // element by element along one dimension

  Shape sizes{std::max<std::int64_t>(programs - (rng_.chance(10) ? 1 : 0), 1)};
  std::vector<std::int64_t> maps{kMapPoint};
  std::vector<ValueId> indices{linear_program_id()};
  if (flat) {
    sizes.push_back(tile.elements() + rng_.between(-3, 3) * (tile.elements() > 4));
    maps.push_back(kMapFull);
    indices.push_back(b_.reshape(unique_indices(tile.elements()), tile.shape));
  } else {
    std::vector<std::size_t> axes(tile.rank());
    for (std::size_t axis = 0; axis < axes.size(); ++axis) axes[axis] = axis;
    if (axes.size() > 1 && rng_.chance(20)) std::swap(axes[0], axes[1]);
    for (std::size_t axis : axes) {
      const std::int64_t extent = tile.shape[axis];
      const std::int64_t size = extent + rng_.pick({0, 0, 0, -1, -2, 1, 3, 5});
      sizes.push_back(std::max<std::int64_t>(size, 1));
      maps.push_back(static_cast<std::int64_t>(axis));
      const bool scatters = rng_.chance(15);
      const std::int64_t offset = rng_.pick({0, 0, 0, 0, 1, -1, 2});
      indices.push_back(scatters ? unique_indices(extent) : integer(offset));
    }
  }
  ValueId mask = kNone;
  if (rng_.chance(15)) mask = want(DType::Bool, tile.shape).id;
  const std::size_t place = add_tensor(ParamKind::Output, tile.dtype, sizes, {});
  case_.arguments[place].tensor.tolerance = 2 * item.numbers.error;
  b_.store(b_.program().params[place].value, indices, maps, item.id, mask);
}

// Operations whose order does not matter, several of them at one place; what was there depends on the order, so nobody asks.
void Generator::act_atomically(const Tensor& tensor, const std::vector<std::int64_t>& maps, std::vector<ValueId> indices, const Item& value) {
  using enum program::AtomicKind;
  const Shape extents = shape(value), sizes = case_.arguments[tensor.argument].tensor.sizes;
  for (std::size_t d = 0; d < indices.size(); ++d) {
    if (maps[d] != kMapPoint && rng_.chance(50)) indices[d] = index_tile(sizes[d], {extents[maps[d]]});
  }
  ValueId mask = kNone;
  if (rng_.chance(25)) mask = want(DType::Bool, extents).id;
  const auto fence = [&](program::MemoryOrder order) { b_.ops(Opcode::Fence, {}, {static_cast<std::int64_t>(order)}); };
  const program::AtomicKind kind = rng_.pick({Add, Add, Add, Min, Max, And, Or, Xor});
  if (rng_.chance(20)) fence(rng_.pick({program::MemoryOrder::Release, program::MemoryOrder::AcquireRelease}));
  b_.atomic(kind, tensor.view, indices, maps, value.id, mask);
  if (rng_.chance(20)) fence(rng_.pick({program::MemoryOrder::Acquire, program::MemoryOrder::AcquireRelease}));
  if (rng_.chance(60)) {
    const Item again = load(dtype(value), extents);
    push(again.id, again.numbers);
  }
}

// Stores to a tensor that loads read too. Its elements are exact, whatever was stored.
void Generator::update_in_place() {
  const auto item = find([&](const Item& i) { return i.numbers.exact() && type(i).rank() >= 1 && type(i).rank() <= 2; });
  if (!item) return;
  const Type tile = type(*item);
  Tensor* tensor = nullptr;
  for (Tensor& t : in_place_) {
    if (b_.type(t.view).dtype == tile.dtype) tensor = &t;
  }
  if (!tensor) {
    if (in_place_.size() == 2) return;
    const Shape sizes{rng_.between(1, 20), rng_.between(1, 70)};
    Numbers numbers;
    const Fill fill = any_fill(tile.dtype, numbers);
    const std::size_t place = add_tensor(ParamKind::InOut, tile.dtype, sizes, fill);
    in_place_.push_back({b_.program().params[place].value, place, any_of(tile.dtype)});
    tensor = &in_place_.back();
  }
  const Shape sizes = case_.arguments[tensor->argument].tensor.sizes;
  std::vector<std::int64_t> maps{0, 1};
  if (tile.rank() == 1) maps = rng_.chance(50) ? std::vector<std::int64_t>{kMapPoint, 0} : std::vector<std::int64_t>{0, kMapPoint};
  std::vector<ValueId> indices;
  for (std::size_t d = 0; d < 2; ++d) {
    const std::int64_t extent = maps[d] == kMapPoint ? 1 : tile.shape[maps[d]];
    indices.push_back(index_scalar(sizes[d], extent));
  }
  Item value = *item;
  if (is_int(tile.dtype) && size_of(tile.dtype) >= 4 && rng_.chance(40)) return act_atomically(*tensor, maps, std::move(indices), value);
  if (rng_.chance(50)) {
    // What was there goes into what is stored, from the same place or from one beside it, or gathered: a store must not be seen by its own load.
    std::vector<ValueId> from = indices;
    const std::size_t d = static_cast<std::size_t>(rng_.below(2));
    if (rng_.chance(40)) from[d] = b_.op(Opcode::Add, {from[d], integer(rng_.between(-2, 2))});
    if (maps[d] != kMapPoint && rng_.chance(30)) from[d] = index_tile(sizes[d], {tile.shape[maps[d]]});
    const Item old{b_.load(tensor->view, from, maps, tile.shape), tensor->numbers};
    value = elementwise(tile.dtype == DType::Bool ? Opcode::Xor : rng_.pick({Opcode::Add, Opcode::Max, Opcode::Sub}), {old, value});
  }
  ValueId mask = kNone;
  if (rng_.chance(25)) mask = want(DType::Bool, tile.shape).id;
  b_.store(tensor->view, indices, maps, value.id, mask);
  if (rng_.chance(60)) {
    const Item again = load(tile.dtype, tile.shape);
    push(again.id, again.numbers);
  }
}

}  // namespace tilewright::fuzz

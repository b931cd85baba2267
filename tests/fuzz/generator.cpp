// The generator's frame: the order of statements, the pool of values, and values of a wanted type.
#include "tests/fuzz/generator.h"

#include <cmath>
#include <utility>

namespace tilewright::fuzz {

using program::kNone;
using program::ParamKind;

namespace {

constexpr std::size_t kMaxArguments = 16;
const std::vector<std::int64_t> kExtents = {1, 2, 3, 4, 5, 7, 8, 16, 17, 32, 33, 60, 64, 96};

}  // namespace

Case generate(std::uint64_t seed, const Limits& limits) { return Generator(seed, limits).run(); }

Generator::Generator(std::uint64_t seed, const Limits& limits) : limits_(limits), rng_(seed), b_("fuzz") { case_.seed = seed; }

Case Generator::run() && {
  for (int i = 0; i < 4; ++i) extents_.push_back(rng_.pick(kExtents));
  const std::size_t axes = static_cast<std::size_t>(rng_.between(1, 3));
  for (std::size_t axis = 0; axis < axes; ++axis) grid_.push_back(rng_.between(1, axis == 0 ? 3 : 2));

  const int seeds = static_cast<int>(rng_.between(1, 3));
  for (int i = 0; i < seeds; ++i) {
    const DType dtype = any_dtype();
    const Item item = load(dtype, any_shape(1));
    push(item.id, item.numbers);
  }
  budget_ = limits_.statements;
  statements(static_cast<int>(rng_.between(limits_.statements / 2, limits_.statements)));
  const int stores = static_cast<int>(rng_.between(1, 4));
  for (int i = 0; i < stores || outputs_ == 0; ++i) {
    const auto item = find([](const Item&) { return true; });
    store_output(item ? *item : fresh(DType::F32, any_shape(1)));
  }

  std::vector<ValueId> extents;
  b_.begin_grid();
  for (std::int64_t extent : grid_) extents.push_back(integer(extent));
  b_.end_grid(extents);
  case_.program = std::move(b_).finish();
  return std::move(case_);
}

void Generator::statements(int count) {
  for (int i = 0; i < count && budget_ > 0; ++i) {
    --budget_;
    statement();
  }
}

void Generator::statement() {
  struct Choice {
    int weight;
    void (Generator::*make)();
  };
  static constexpr Choice kChoices[] = {
      {16, &Generator::unary}, {22, &Generator::binary}, {8, &Generator::ternary}, {9, &Generator::conversion}, {16, &Generator::move},
      {7, &Generator::contract}, {8, &Generator::reduction}, {5, &Generator::custom_reduction}, {6, &Generator::ordering},
      {6, &Generator::update_in_place}, {1, &Generator::assertion}, {5, &Generator::loop}, {5, &Generator::branch}, {2, &Generator::while_loop},
  };
  int total = 0;
  for (const Choice& choice : kChoices) total += choice.weight;
  if (rng_.chance(8)) {
    const DType dtype = any_dtype();
    const Item item = load(dtype, any_shape());
    return push(item.id, item.numbers);
  }
  if (rng_.chance(4)) {
    if (const auto item = find([](const Item&) { return true; })) return store_output(*item);
  }
  std::int64_t at = rng_.below(total);
  for (const Choice& choice : kChoices) {
    at -= choice.weight;
    if (at < 0) return (this->*choice.make)();
  }
}

void Generator::push(ValueId id, const Numbers& numbers) {
  // A value whose error is large beside it tells nothing about a target.
  if (!numbers.exact() && !(numbers.error < 0.05 * numbers.bound)) return;
  pool_.push_back({id, numbers});
}

std::optional<Generator::Item> Generator::find(const Accepts& accepts) {
  if (pool_.empty()) return std::nullopt;
  const std::int64_t size = static_cast<std::int64_t>(pool_.size());
  // Recent values first: long chains find more than many short ones.
  for (int attempt = 0; attempt < 4; ++attempt) {
    const Item& item = pool_[size - 1 - rng_.below(rng_.between(1, size))];
    if (accepts(item)) return item;
  }
  const std::int64_t start = rng_.below(size);
  for (std::int64_t i = 0; i < size; ++i) {
    const Item& item = pool_[(start + i) % size];
    if (accepts(item)) return item;
  }
  return std::nullopt;
}

// ---- types

DType Generator::any_dtype() {
  if (rng_.chance(50)) return float_dtype();
  return rng_.chance(85) ? int_dtype() : DType::Bool;
}

DType Generator::float_dtype() { return rng_.pick({DType::F32, DType::F32, DType::F32, DType::F16, DType::BF16, DType::F64}); }

DType Generator::int_dtype() {
  return rng_.pick({DType::I32, DType::I32, DType::I32, DType::I64, DType::I64, DType::I8, DType::I16, DType::U8, DType::U16, DType::U32, DType::U64});
}

Shape Generator::any_shape(std::size_t least_rank) {
  const std::size_t rank = static_cast<std::size_t>(rng_.pick({0, 1, 1, 2, 2, 2, 3}));
  Shape shape;
  std::int64_t elements = 1;
  for (std::size_t i = 0; i < std::max(rank, least_rank); ++i) {
    std::int64_t extent = any_extent();
    if (elements * extent > limits_.tile_elements) extent = rng_.between(1, 2);
    shape.push_back(extent);
    elements *= extent;
  }
  return shape;
}

Shape Generator::with_extent(Shape shape, std::size_t axis, std::int64_t extent) const {
  shape[axis] = extent;
  return shape;
}

// ---- values of a wanted type

Generator::Item Generator::want(DType dtype, const Shape& shape, Exactness exactness) {
  const auto good = [&](const Item& item) { return exactness == Exactness::Any || item.numbers.exact(); };
  if (rng_.chance(80)) {
    if (const auto item = find([&](const Item& i) { return this->dtype(i) == dtype && this->shape(i) == shape && good(i); })) return *item;
  }
  if (rng_.chance(50)) {
    const auto castable = [&](const Item& i) { return this->shape(i) == shape && good(i) && (is_float(dtype) || i.numbers.exact()); };
    if (const auto item = find(castable)) return cast(*item, dtype);
  }
  if (rng_.chance(40)) {
    const auto stretches = [&](const Item& i) {
      const Shape from = this->shape(i);
      if (this->dtype(i) != dtype || !good(i) || (!from.empty() && from.size() != shape.size())) return false;
      for (std::size_t axis = 0; axis < from.size(); ++axis) {
        if (from[axis] != 1 && from[axis] != shape[axis]) return false;
      }
      return from != shape;
    };
    if (const auto item = find(stretches)) return broadcast(*item, shape);
  }
  if (rng_.chance(30)) {
    const std::int64_t elements = Type{dtype, shape}.elements();
    if (const auto item = find([&](const Item& i) { return this->dtype(i) == dtype && type(i).elements() == elements && good(i); }))
      return reshape(*item, shape);
  }
  return fresh(dtype, shape);
}

Generator::Item Generator::fresh(DType dtype, const Shape& shape) {
  if (nesting_ < 3 && rng_.chance(60)) {
    ++nesting_;
    const Item item = load(dtype, shape);
    --nesting_;
    return item;
  }
  if (shape.empty() && case_.arguments.size() < kMaxArguments && rng_.chance(30)) return scalar_argument(dtype);
  return rng_.chance(50) ? constant(dtype, shape) : counting(dtype, shape);
}

Generator::Item Generator::any_fresh(std::size_t least_rank) {
  const DType dtype = any_dtype();
  return fresh(dtype, any_shape(least_rank));
}

Generator::Item Generator::constant(DType dtype, const Shape& shape) {
  if (dtype == DType::Bool) return number(dtype, static_cast<double>(rng_.below(2)), shape);
  const std::int64_t low = is_unsigned_int(dtype) ? 0 : -12;
  const std::int64_t value = rng_.between(low, 12);
  return number(dtype, is_float(dtype) ? static_cast<double>(value) / 4 : static_cast<double>(value), shape);
}

Generator::Item Generator::number(DType dtype, double value, const Shape& shape) {
  const ValueId id = is_float(dtype) ? b_.real(dtype, value, shape) : b_.integer(dtype, static_cast<std::int64_t>(value), shape);
  return {id, fuzz::constant(dtype, value)};
}

Generator::Item Generator::counting(DType dtype, const Shape& shape) {
  const std::int64_t elements = Type{dtype, shape}.elements();
  const std::int64_t start = rng_.between(-3, 3);
  const ValueId line = b_.op(Opcode::Arange, {}, {start}, Type{DType::I32, {elements}});
  Item item{line, {static_cast<double>(elements + 3), 1}};
  const std::int64_t period = rng_.between(2, 37);
  if (rng_.chance(50)) item = elementwise(Opcode::Rem, {item, number(DType::I32, static_cast<double>(period), {elements})});
  return cast(reshape(item, shape), dtype);
}

Generator::Item Generator::cast(const Item& item, DType to) {
  const DType from = dtype(item);
  if (from == to) return item;
  return {b_.cast(item.id, to), fuzz::cast(item.numbers, from, to)};
}

Generator::Item Generator::clamp(const Item& item, double low, double high) {
  const DType type = dtype(item);
  const Item least = number(type, low, shape(item)), most = number(type, high, shape(item));
  const ValueId raised = b_.op(Opcode::Max, {item.id, least.id});
  return {b_.op(Opcode::Min, {raised, most.id}), clamped(item.numbers, low, high)};
}

Generator::Item Generator::tamed(const Item& item, double bound) {
  if (!is_float(dtype(item)) || item.numbers.bound <= bound) return item;
  return clamp(item, -bound, bound);
}

Generator::Item Generator::at_least_half(const Item& item) {
  const Item magnitude = elementwise(Opcode::Abs, {item});
  return elementwise(Opcode::Max, {magnitude, number(dtype(item), 0.5, shape(item))});
}

Generator::Item Generator::elementwise(Opcode opcode, const std::vector<Item>& operands) {
  std::vector<ValueId> ids;
  std::vector<Numbers> numbers;
  for (const Item& operand : operands) {
    ids.push_back(operand.id);
    numbers.push_back(operand.numbers);
  }
  return {b_.op(opcode, ids), fuzz::elementwise(opcode, dtype(operands.back()), numbers)};
}

Generator::Item Generator::broadcast(const Item& item, const Shape& shape) { return {b_.broadcast(item.id, shape), item.numbers}; }
Generator::Item Generator::reshape(const Item& item, const Shape& shape) { return {b_.reshape(item.id, shape), item.numbers}; }

}  // namespace tilewright::fuzz

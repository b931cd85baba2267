// Nested control flow with carried values.
//
// A value carried by a loop is either exact and limited in magnitude at the end of each turn, or an accumulator that nothing else in the loop reads.
#include "tests/fuzz/generator.h"

#include <utility>

namespace tilewright::fuzz {

namespace {

constexpr double kCarriedBound = 8;
constexpr std::int64_t kMostTurns = 4;

}  // namespace

template <class F>
void Generator::scoped(F body) {
  const std::size_t values = pool_.size(), counters = counters_.size();
  ++depth_;
  body();
  --depth_;
  pool_.resize(values);
  counters_.resize(counters);
}

Numbers Generator::carried_numbers(DType dtype) const {
  if (!is_float(dtype)) return any_of(dtype);
  return {kCarriedBound, 0, 0, true, true};
}

Generator::Item Generator::initial(DType dtype, const Shape& shape) {
  const Item item = tamed(want(dtype, shape, Exactness::Exact), kCarriedBound);
  return {item.id, carried_numbers(dtype)};
}

// What the next turn gets for `argument`: any exact value of its type.
std::optional<Generator::Item> Generator::carry_exactly(ValueId argument) {
  const Type wanted = b_.type(argument);
  const auto item = find([&](const Item& i) { return type(i) == wanted && i.numbers.exact() && i.id != argument; });
  if (!item) return std::nullopt;
  return tamed(*item, kCarriedBound);
}

void Generator::loop() {
  if (depth_ >= limits_.depth) return;
  const ValueId lower = counters_.empty() || rng_.chance(60) ? integer(rng_.between(-1, 4)) : rng_.pick(counters_);
  const std::int64_t step = rng_.pick({1, 1, 1, 2, 3, 16});
  const std::int64_t turns = rng_.between(0, kMostTurns);
  ValueId span = integer(step * turns - rng_.below(step));
  if (rng_.chance(30)) {
    const Item data = cast(want(DType::I32, {}), DType::I64);
    span = b_.op(Opcode::Mul, {b_.op(Opcode::Rem, {data.id, integer(kMostTurns + 1)}), integer(step)});
  }
  const ValueId upper = b_.op(Opcode::Add, {lower, span});

  struct Carried {
    Item init;
    bool accumulates;
    Numbers numbers;
  };
  std::vector<Carried> carried;
  std::vector<ValueId> inits;
  const int count = static_cast<int>(rng_.between(0, 3));
  for (int i = 0; i < count; ++i) {
    if (rng_.chance(40)) {
      const DType type = float_dtype();
      const Shape shape = any_shape();
      const Item init = rng_.chance(60) ? number(type, 0, shape) : tamed(want(type, shape));
      carried.push_back({init, true, init.numbers});
    } else {
      const DType type = any_dtype();
      const Item init = initial(type, any_shape());
      carried.push_back({init, false, init.numbers});
    }
    inits.push_back(carried.back().init.id);
  }

  const std::int64_t stages = rng_.between(1, 3);
  const std::vector<ValueId> args = b_.begin_for(lower, upper, integer(step), inits, stages);
  std::vector<ValueId> yields;
  scoped([&] {
    counters_.push_back(args[0]);
    push(args[0], any_of(DType::I64));
    for (std::size_t i = 0; i < carried.size(); ++i) {
      if (!carried[i].accumulates) push(args[i + 1], carried[i].numbers);
    }
    statements(static_cast<int>(rng_.between(1, 5)));
    for (std::size_t i = 0; i < carried.size(); ++i) {
      const ValueId argument = args[i + 1];
      const Type type = b_.type(argument);
      if (!carried[i].accumulates) {
        const auto next = carry_exactly(argument);
        yields.push_back(next ? next->id : argument);
        continue;
      }
      const bool multiplies = type.rank() == 2 && (type.dtype == DType::F32 || type.dtype == DType::F64) && rng_.chance(60);
      if (multiplies) {
        const std::int64_t depth = rng_.pick({1, 3, 8, 16, 17});
        const DType operand = type.dtype == DType::F64 ? DType::F64 : rng_.pick({DType::F32, DType::F16, DType::BF16});
        const Item a = tamed(want(operand, {type.shape[0], depth})), b = tamed(want(operand, {depth, type.shape[1]}));
        yields.push_back(b_.dot(a.id, b.id, argument));
        carried[i].numbers = dot(a.numbers, b.numbers, carried[i].init.numbers, type.dtype, depth * kMostTurns);
      } else {
        const Item term = tamed(want(type.dtype, type.shape));
        yields.push_back(b_.op(rng_.chance(70) ? Opcode::Add : Opcode::Sub, {argument, term.id}));
        carried[i].numbers = accumulated(carried[i].init.numbers, term.numbers, type.dtype, kMostTurns);
      }
    }
  });
  const std::vector<ValueId> results = b_.end_for(yields);
  for (std::size_t i = 0; i < results.size(); ++i) push(results[i], join(carried[i].numbers, carried[i].init.numbers));
}

void Generator::branch() {
  if (depth_ >= limits_.depth) return;
  const Item condition = want(DType::Bool, {});
  std::vector<Type> types;
  const int count = static_cast<int>(rng_.between(0, 3));
  for (int i = 0; i < count; ++i) {
    const DType type = any_dtype();
    types.push_back({type, any_shape()});
  }
  std::vector<ValueId> yields[2];
  std::vector<Numbers> numbers[2];
  const auto side = [&](int which) {
    scoped([&] {
      statements(static_cast<int>(rng_.between(which == 0 ? 1 : 0, 4)));
      for (const Type& type : types) {
        const Item item = want(type.dtype, type.shape);
        yields[which].push_back(item.id);
        numbers[which].push_back(item.numbers);
      }
    });
  };
  b_.begin_if(condition.id);
  side(0);
  if (!types.empty() || rng_.chance(50)) {
    b_.begin_else();
    side(1);
  }
  const std::vector<ValueId> results = b_.end_if(yields[0], yields[1]);
  for (std::size_t i = 0; i < results.size(); ++i) push(results[i], join(numbers[0][i], numbers[1][i]));
}

void Generator::while_loop() {
  if (depth_ >= limits_.depth) return;
  std::vector<ValueId> inits{integer(rng_.between(0, 2))};
  std::vector<Numbers> numbers{{16, 1}};
  const int count = static_cast<int>(rng_.between(0, 2));
  for (int i = 0; i < count; ++i) {
    const DType type = any_dtype();
    const Item init = initial(type, any_shape());
    inits.push_back(init.id);
    numbers.push_back(init.numbers);
  }
  const std::vector<ValueId> before = b_.begin_while(inits);
  ValueId condition = program::kNone;
  scoped([&] {
    for (std::size_t i = 0; i < before.size(); ++i) push(before[i], numbers[i]);
    condition = b_.op(Opcode::Lt, {before[0], integer(rng_.between(1, kMostTurns))});
    if (rng_.chance(40)) condition = b_.op(Opcode::And, {condition, want(DType::Bool, {}).id});
  });
  const std::vector<ValueId> inside = b_.begin_while_body(condition);
  std::vector<ValueId> yields;
  scoped([&] {
    for (std::size_t i = 0; i < inside.size(); ++i) push(inside[i], numbers[i]);
    counters_.push_back(inside[0]);
    statements(static_cast<int>(rng_.between(1, 3)));
    yields.push_back(b_.op(Opcode::Add, {inside[0], integer(rng_.between(1, 2))}));
    for (std::size_t i = 1; i < inside.size(); ++i) {
      const auto next = carry_exactly(inside[i]);
      yields.push_back(next ? next->id : inside[i]);
    }
  });
  const std::vector<ValueId> results = b_.end_while(yields);
  for (std::size_t i = 0; i < results.size(); ++i) push(results[i], numbers[i]);
}

}  // namespace tilewright::fuzz

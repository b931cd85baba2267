// Reductions and scans with combiners: a small library of associative functions over one or two tiles.
#include "tests/fuzz/generator.h"

namespace tilewright::fuzz {

void Generator::custom_reduction() {
  const bool scans = rng_.chance(45);
  const Opcode opcode = scans ? Opcode::Scan : Opcode::Reduce;
  const bool reverse = scans && rng_.chance(40);
  const Shape extents = any_shape(1);
  const std::int64_t axis = rng_.below(static_cast<std::int64_t>(extents.size()));
  const double extent = static_cast<double>(extents[axis]);
  const auto begin = [&](std::initializer_list<Item> tiles) {
    std::vector<ValueId> ids;
    for (const Item& tile : tiles) ids.push_back(tile.id);
    return b_.begin_combiner(opcode, ids, axis, reverse);
  };
  const auto op = [&](Opcode code, std::initializer_list<ValueId> operands) { return b_.op(code, operands); };
  using enum Opcode;

  switch (rng_.below(6)) {
    case 0: {  // one tile of integers
      const DType type = int_dtype();
      const Item x = want(type, extents);
      const Opcode code = rng_.pick({Add, Xor, Max, Min, Mul, And});
      const auto args = begin({x});
      const ValueId result = op(code, {args[0], args[1]});
      return push(b_.end_combiner({result})[0], any_of(type));
    }
    case 1: {  // the extreme value and where it stands, the first of equals
      const DType type = rng_.chance(50) ? int_dtype() : DType::F32;
      const Item x = want(type, extents, Exactness::Exact);
      if (x.numbers.may_be_nan) return;
      const Item place = counting(DType::I32, extents);
      const Opcode better = rng_.pick({Gt, Lt});
      const auto args = begin({x, place});
      const ValueId first = op(Le, {args[1], args[3]});
      const ValueId left = op(Or, {op(better, {args[0], args[2]}), op(And, {op(Eq, {args[0], args[2]}), first})});
      const auto results = b_.end_combiner({op(Select, {left, args[0], args[2]}), op(Select, {left, args[1], args[3]})});
      push(results[0], x.numbers);
      return push(results[1], place.numbers);
    }
    case 2: {  // x -> a*x + b, composed: associative, not commutative
      if (!scans) return;
      const DType type = rng_.pick({DType::I32, DType::I64, DType::U8, DType::I16});
      const Item a = want(type, extents), b = want(type, extents);
      const auto args = begin({a, b});
      const ValueId factor = op(Mul, {args[0], args[2]});
      const auto results = b_.end_combiner({factor, op(Add, {op(Mul, {args[1], args[2]}), args[3]})});
      push(results[0], any_of(type));
      return push(results[1], any_of(type));
    }
    case 3: {  // the greatest, and the sum of the exponentials relative to it
      const DType type = rng_.pick({DType::F32, DType::F32, DType::F64});
      const Item x = tamed(want(type, extents, Exactness::Exact), 4);
      const Item one = number(type, 1, extents);
      const auto args = begin({x, one});
      const ValueId most = op(Max, {args[0], args[2]});
      const ValueId left = op(Mul, {args[1], op(Exp, {op(Sub, {args[0], most})})});
      const ValueId right = op(Mul, {args[3], op(Exp, {op(Sub, {args[2], most})})});
      const auto results = b_.end_combiner({most, op(Add, {left, right})});
      Numbers greatest = x.numbers;
      greatest.zero_sign = true;
      push(results[0], greatest);
      const double steps = extent * 64 * roundoff(type);
      return push(results[1], {extent, 0, extent * steps, x.numbers.may_be_nan, false});
    }
    case 4: {  // two tiles of different dtypes, each on its own
      const DType type = int_dtype();
      const Item x = want(type, extents), y = want(DType::F32, extents);
      const auto args = begin({x, y});
      const ValueId sum = op(Add, {args[0], args[2]});
      const auto results = b_.end_combiner({sum, op(Min, {args[1], args[3]})});
      push(results[0], any_of(type));
      Numbers least = y.numbers;
      least.zero_sign = true;
      return push(results[1], least);
    }
    default: {  // through a wider type, with a constant of the region
      const Item x = want(DType::I16, extents);
      const auto args = begin({x});
      const ValueId sum = op(Add, {b_.cast(args[0], DType::I32), b_.cast(args[1], DType::I32)});
      const ValueId kept = op(And, {sum, b_.integer(DType::I32, 0xffff)});
      return push(b_.end_combiner({b_.cast(kept, DType::I16)})[0], any_of(DType::I16));
    }
  }
}

}  // namespace tilewright::fuzz

// Statements that compute: one operation each, with what its operands need.
#include "tests/fuzz/generator.h"

#include <algorithm>
#include <cmath>

namespace tilewright::fuzz {

namespace {

constexpr double kTame = 8;

bool is_comparison(Opcode opcode) { return opcode >= Opcode::Eq && opcode <= Opcode::Ge; }

}  // namespace

void Generator::unary() {
  const auto found = find([](const Item&) { return true; });
  Item x = found ? *found : any_fresh(0);
  if (!is_float(dtype(x))) {
    const Opcode opcode = dtype(x) == DType::Bool ? Opcode::Not : rng_.pick({Opcode::Neg, Opcode::Abs, Opcode::Not});
    const Item result = elementwise(opcode, {x});
    return push(result.id, result.numbers);
  }
  using enum Opcode;
  const Opcode opcode = rng_.pick({Neg, Abs, Exp, Exp2, Log, Log2, Sqrt, Rsqrt, Sin, Cos, Tanh, Floor, Ceil, IsNan});
  if (has_domain(opcode)) {
    const Domain domain = domain_of(opcode);
    x = clamp(x, domain.low, domain.high);
  } else if (opcode == Sqrt && !x.numbers.exact()) {
    x = clamp(x, 0.25, 64);
  } else if ((opcode == Floor || opcode == Ceil || opcode == IsNan) && !x.numbers.exact()) {
    x = want(dtype(x), shape(x), Exactness::Exact);
  }
  const Item result = elementwise(opcode, {x});
  push(result.id, result.numbers);
}

void Generator::binary() {
  using enum Opcode;
  const auto found = find([](const Item&) { return true; });
  Item a = found ? *found : any_fresh(0);
  const DType type = dtype(a);
  const Opcode opcode = type == DType::Bool ? rng_.pick({And, Or, Xor, Eq, Ne})
                        : is_float(type)    ? rng_.pick({Add, Sub, Mul, Div, Min, Max, Add, Sub, Mul, Eq, Ne, Lt, Le, Gt, Ge})
                                            : rng_.pick({Add, Sub, Mul, Div, Rem, Min, Max, And, Or, Xor, Shl, Shr, Eq, Ne, Lt, Le, Gt, Ge});
  const Exactness exactness = is_comparison(opcode) ? Exactness::Exact : Exactness::Any;
  if (exactness == Exactness::Exact && !a.numbers.exact()) a = want(type, shape(a), Exactness::Exact);
  Item b = want(type, shape(a), exactness);
  if (rng_.chance(20)) std::swap(a, b);
  const bool exact = a.numbers.exact() && b.numbers.exact();
  if (is_float(type) && !exact && !is_comparison(opcode)) {
    a = tamed(a, opcode == Mul ? kTame : 64);
    b = opcode == Div ? at_least_half(tamed(b, 64)) : tamed(b, opcode == Mul ? kTame : 64);
  } else if (is_float(type) && opcode == Div && b.numbers.zero_sign) {
    b = at_least_half(b);
  } else if (is_float(type) && opcode == Mul && rng_.chance(50)) {
    a = tamed(a, kTame);
    b = tamed(b, kTame);
  }
  const Item result = elementwise(opcode, {a, b});
  push(result.id, result.numbers);
}

void Generator::ternary() {
  const auto found = find([](const Item&) { return true; });
  const Item a = found ? *found : any_fresh(0);
  const DType type = dtype(a);
  const Shape extents = shape(a);
  if (is_float(type) && rng_.chance(40)) {
    const Item b = tamed(want(type, extents), kTame), c = tamed(want(type, extents), 64);
    const Item result = elementwise(Opcode::Fma, {tamed(a, kTame), b, c});
    return push(result.id, result.numbers);
  }
  const Item condition = want(DType::Bool, extents), b = want(type, extents);
  const Item result = elementwise(Opcode::Select, {condition, a, b});
  push(result.id, result.numbers);
}

void Generator::conversion() {
  const auto found = find([](const Item&) { return true; });
  Item x = found ? *found : any_fresh(0);
  const DType from = dtype(x);
  if (from != DType::Bool && rng_.chance(30)) {
    static const std::vector<DType> kOfWidth[] = {
        {DType::I8, DType::U8}, {DType::I16, DType::U16, DType::F16, DType::BF16}, {DType::I32, DType::U32, DType::F32}, {DType::I64, DType::U64, DType::F64}};
    const DType to = rng_.pick(kOfWidth[size_of(from) == 8 ? 3 : size_of(from) / 2]);
    // The payload of a NaN and the sign of a zero must be known where bits become visible.
    const bool known = !is_float(from) || (x.numbers.exact() && !x.numbers.may_be_nan && !x.numbers.zero_sign);
    if (to != from && known) return push(b_.op(Opcode::Bitcast, {x.id}, {}, Type{to, shape(x)}), bitcast(to));
  }
  if (rng_.chance(15)) {  // through an 8-bit float, which no other operation takes
    const Item narrow = cast(x, rng_.pick({DType::F8E4M3, DType::F8E5M2}));
    const Item wide = cast(narrow, float_dtype());
    return push(wide.id, wide.numbers);
  }
  const DType to = any_dtype();
  if (!is_float(to) && !x.numbers.exact()) x = want(from, shape(x), Exactness::Exact);
  const Item result = cast(x, to);
  if (result.id != x.id) push(result.id, result.numbers);
}

void Generator::move() {
  const auto found = find([&](const Item& i) { return type(i).rank() >= 1; });
  const Item x = found ? *found : any_fresh(1);
  const Shape from = shape(x);
  const std::size_t rank = from.size();
  const std::size_t axis = static_cast<std::size_t>(rng_.below(static_cast<std::int64_t>(rank)));
  const std::int64_t elements = type(x).elements();
  switch (rng_.below(6)) {
    case 0: {  // a new axis, or one of extent 1, stretched
      Shape padded = from, wide;
      if (from[axis] != 1 && rank < 4) padded.insert(padded.begin() + static_cast<std::ptrdiff_t>(axis), 1);
      const std::int64_t extent = any_extent();
      if (padded[axis] != 1 || elements * extent > limits_.tile_elements) return;
      wide = with_extent(padded, axis, extent);
      return push(broadcast(reshape(x, padded), wide).id, x.numbers);
    }
    case 1: {
      Shape to{elements};
      if (rank == 1 || rng_.chance(40)) {
        for (std::int64_t factor : {2, 3, 4, 5, 16}) {
          if (elements % factor == 0 && rng_.chance(60)) to = rng_.chance(50) ? Shape{factor, elements / factor} : Shape{elements / factor, factor};
        }
        if (to.size() == 1) to = {1, elements};
      }
      return push(reshape(x, to).id, x.numbers);
    }
    case 2: {
      if (rank < 2) return;
      std::vector<std::int64_t> order(rank);
      for (std::size_t i = 0; i < rank; ++i) order[i] = static_cast<std::int64_t>(i);
      for (std::size_t i = rank; i > 1; --i) std::swap(order[i - 1], order[static_cast<std::size_t>(rng_.below(static_cast<std::int64_t>(i)))]);
      return push(b_.transpose(x.id, order), x.numbers);
    }
    case 3: {
      std::vector<ValueId> parts{x.id};
      Numbers numbers = x.numbers;
      std::int64_t total = elements;
      const int more = static_cast<int>(rng_.between(1, 2));
      for (int i = 0; i < more; ++i) {
        const Shape next = with_extent(from, axis, rng_.chance(50) ? from[axis] : any_extent());
        total += Type{DType::F32, next}.elements();
        if (total > limits_.tile_elements) break;
        const Item part = want(dtype(x), next);
        parts.push_back(part.id);
        numbers = join(numbers, part.numbers);
      }
      if (parts.size() > 1 && rng_.chance(50)) std::swap(parts[0], parts[1]);
      return push(b_.op(Opcode::Concat, parts, {static_cast<std::int64_t>(axis)}), numbers);
    }
    case 4: {
      const std::int64_t extent = rng_.between(1, from[axis]);
      const std::int64_t start = rng_.between(0, from[axis] - extent);
      return push(b_.slice(x.id, static_cast<std::int64_t>(axis), start, extent), x.numbers);
    }
    default: {
      const std::int64_t extent = any_extent();
      const Shape wanted = with_extent(from, axis, extent);
      if (Type{DType::F32, wanted}.elements() > limits_.tile_elements) return;
      const Item index = want(int_dtype(), wanted);
      return push(b_.op(Opcode::Take, {x.id, index.id}, {static_cast<std::int64_t>(axis)}), x.numbers);
    }
  }
}

void Generator::contract() {
  const DType type = rng_.pick({DType::F32, DType::F32, DType::F32, DType::F16, DType::BF16, DType::F64, DType::I8, DType::U8});
  std::int64_t m = any_extent(), n = any_extent(), k = any_extent();
  while (m * k > limits_.tile_elements) m = (m + 1) / 2;
  while (k * n > limits_.tile_elements || m * n > limits_.tile_elements || m * n * k > limits_.dot_products) n = (n + 1) / 2;
  Shape left{m, k}, right{k, n}, out{m, n};
  if (rng_.chance(20)) {
    const std::int64_t batch = rng_.between(1, 3);
    for (Shape* shape : {&left, &right, &out}) shape->insert(shape->begin(), batch);
    if (batch * std::max({m * k, k * n, m * n}) > limits_.tile_elements) return;
  }
  const auto operand = [&](const Shape& shape) {
    if (!rng_.chance(40)) return tamed(want(type, shape), kTame);
    Shape turned = shape;
    std::swap(turned[turned.size() - 1], turned[turned.size() - 2]);
    const Item item = tamed(want(type, turned), kTame);
    const std::vector<std::int64_t> order = shape.size() == 2 ? std::vector<std::int64_t>{1, 0} : std::vector<std::int64_t>{0, 2, 1};
    return Item{b_.transpose(item.id, order), item.numbers};
  };
  Item a = operand(left), b = operand(right);
  if (is_float(type) && type != DType::F64 && rng_.chance(20)) {
    a = cast(a, rng_.pick({DType::F8E4M3, DType::F8E5M2}));
    b = cast(b, rng_.pick({DType::F8E4M3, DType::F8E5M2}));
  }
  const DType sum = is_float(type) ? (type == DType::F64 ? DType::F64 : DType::F32) : DType::I32;
  const Item accumulator = rng_.chance(60) ? number(sum, 0, out) : tamed(want(sum, out), 64);
  push(b_.dot(a.id, b.id, accumulator.id), dot(a.numbers, b.numbers, accumulator.numbers, sum, k));
}

void Generator::reduction() {
  const auto found = find([&](const Item& i) { return type(i).rank() >= 1; });
  Item x = found ? *found : any_fresh(1);
  const DType type = dtype(x);
  const std::int64_t axis = rng_.below(static_cast<std::int64_t>(shape(x).size()));
  const std::int64_t extent = shape(x)[axis];
  using enum ReduceKind;
  const ReduceKind kind = type == DType::Bool ? rng_.pick({And, Or, Xor}) : is_float(type) ? rng_.pick({Sum, Sum, Prod, Min, Max})
                                                                                           : rng_.pick({Sum, Prod, Min, Max, And, Or, Xor});
  if (is_float(type) && kind == Prod) {
    if (extent > 8) return;
    x = tamed(x, 2);
  } else if (is_float(type) && kind == Sum) {
    x = tamed(x, kTame);
  }
  if (rng_.chance(65)) return push(b_.reduce(kind, x.id, axis), reduce(x.numbers, type, kind, extent));
  const bool reverse = rng_.chance(40);
  push(b_.scan(kind, x.id, axis, reverse), scan(x.numbers, type, kind, extent));
}

void Generator::ordering() {
  const auto found = find([&](const Item& i) { return type(i).rank() >= 1 && dtype(i) != DType::Bool && i.numbers.exact(); });
  const Item x = found ? *found : load(DType::F32, any_shape(1));
  if (!x.numbers.exact()) return;
  const std::int64_t axis = rng_.below(static_cast<std::int64_t>(shape(x).size()));
  const std::int64_t extent = shape(x)[axis];
  const Numbers places{static_cast<double>(extent), 1};
  if (rng_.chance(50)) return push(b_.op(rng_.chance(50) ? Opcode::ArgMax : Opcode::ArgMin, {x.id}, {axis}), places);
  const std::int64_t k = rng_.chance(40) ? extent : rng_.between(1, extent);
  const std::vector<ValueId> results = b_.ops(Opcode::TopK, {x.id}, {axis, k, rng_.below(2)});
  push(results[0], x.numbers);
  push(results[1], places);
}

void Generator::assertion() {
  const auto x = find([&](const Item& i) { return is_int(dtype(i)); });
  if (!x) return;
  const Item y = want(dtype(*x), shape(*x));
  const ValueId holds = b_.op(Opcode::Le, {x->id, b_.op(Opcode::Max, {x->id, y.id})});
  b_.ops(Opcode::Assert, {holds}, {}, nullptr, "no more than the greater");
}

}  // namespace tilewright::fuzz

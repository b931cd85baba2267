#include "dsl/program/fold.h"

#include "dsl/program/infer.h"

#include <bit>
#include <limits>
#include <optional>

namespace tilewright::program {

namespace {

// Brings `bits` to the range of an integer dtype, as arithmetic in that dtype wraps. u64 is kept as its bit pattern.
std::int64_t wrapped(std::uint64_t bits, DType dtype) {
  switch (dtype) {
    case DType::Bool: return static_cast<std::int64_t>(bits & 1);
    case DType::I8: return static_cast<std::int8_t>(bits);
    case DType::I16: return static_cast<std::int16_t>(bits);
    case DType::I32: return static_cast<std::int32_t>(bits);
    case DType::U8: return static_cast<std::uint8_t>(bits);
    case DType::U16: return static_cast<std::uint16_t>(bits);
    case DType::U32: return static_cast<std::uint32_t>(bits);
    default: return static_cast<std::int64_t>(bits);
  }
}

std::int64_t divided(std::int64_t x, std::int64_t y, DType dtype) {
  if (y == 0) return 0;
  if (dtype == DType::U64) return static_cast<std::int64_t>(static_cast<std::uint64_t>(x) / static_cast<std::uint64_t>(y));
  if (y == -1) return wrapped(-static_cast<std::uint64_t>(x), dtype);
  return x / y;
}

bool less(std::int64_t x, std::int64_t y, DType dtype) {
  return dtype == DType::U64 ? static_cast<std::uint64_t>(x) < static_cast<std::uint64_t>(y) : x < y;
}

std::optional<std::int64_t> computed(Opcode opcode, std::int64_t x, std::int64_t y, DType dtype) {
  const std::uint64_t a = static_cast<std::uint64_t>(x), b = static_cast<std::uint64_t>(y);
  const unsigned width = static_cast<unsigned>(8 * size_of(dtype)), shift = static_cast<unsigned>(b % width);
  switch (opcode) {
    case Opcode::Add: return wrapped(a + b, dtype);
    case Opcode::Sub: return wrapped(a - b, dtype);
    case Opcode::Mul: return wrapped(a * b, dtype);
    case Opcode::Div: return divided(x, y, dtype);
    case Opcode::Rem: return wrapped(a - static_cast<std::uint64_t>(divided(x, y, dtype)) * b, dtype);
    case Opcode::Min: return less(y, x, dtype) ? y : x;
    case Opcode::Max: return less(x, y, dtype) ? y : x;
    case Opcode::And: return x & y;
    case Opcode::Or: return x | y;
    case Opcode::Xor: return x ^ y;
    case Opcode::Shl: return wrapped(a << shift, dtype);
    case Opcode::Shr: return is_signed_int(dtype) ? x >> shift : static_cast<std::int64_t>(a >> shift);
    case Opcode::Eq: return x == y;
    case Opcode::Ne: return x != y;
    case Opcode::Lt: return less(x, y, dtype);
    case Opcode::Le: return !less(y, x, dtype);
    case Opcode::Gt: return less(y, x, dtype);
    case Opcode::Ge: return !less(x, y, dtype);
    default: return std::nullopt;
  }
}

class Folder {
 public:
  Folder(const Program& program, const Op& op, const Type& type) : program_(program), op_(op), type_(type) {}

  Folded run() {
    switch (op_.opcode) {
      case Opcode::Neg:
      case Opcode::Not:
      case Opcode::Abs: return unary();
      case Opcode::Select: return select();
      case Opcode::Cast: return cast();
      case Opcode::Broadcast:
      case Opcode::Reshape:
      case Opcode::Slice:
      case Opcode::Transpose: return shape();
      default: return op_.opcode >= Opcode::Add && op_.opcode <= Opcode::Ge ? binary() : Folded{};
    }
  }

 private:
  const Op* def(ValueId value) const {
    const OpId id = program_.values[value].def;
    return id == kNone ? nullptr : &program_.ops[id];
  }

  const Op* def_if(ValueId value, Opcode opcode) const {
    const Op* op = def(value);
    return op != nullptr && op->opcode == opcode ? op : nullptr;
  }

  // The integer every element of an operand is, where that is known.
  std::optional<std::int64_t> integer(std::size_t i) const {
    const ValueId value = op_.operands[i];
    const Op* constant = def_if(value, Opcode::Constant);
    if (constant == nullptr || is_float(program_.type(value).dtype)) return std::nullopt;
    return constant->ints[0];
  }

  Folded same_as(ValueId value) const { return {value, true, {}}; }

  Folded constant(std::int64_t bits) const { return {kNone, true, {Opcode::Constant, {}, {}, {bits}, {}, {}, op_.loc}}; }

  Folded unary() const {
    const auto x = integer(0);
    if (!x) return {};
    const std::uint64_t bits = static_cast<std::uint64_t>(*x);
    if (op_.opcode == Opcode::Not) return constant(wrapped(~bits, type_.dtype));
    if (op_.opcode == Opcode::Abs && (*x >= 0 || !is_signed_int(type_.dtype))) return constant(*x);
    return constant(wrapped(-bits, type_.dtype));
  }

  Folded binary() const {
    const DType dtype = program_.type(op_.operands[0]).dtype;
    if (is_float(dtype)) return {};
    const auto x = integer(0), y = integer(1);
    if (x && y) {
      const auto bits = computed(op_.opcode, *x, *y, dtype);
      return bits ? constant(*bits) : Folded{};
    }
    const ValueId a = op_.operands[0], b = op_.operands[1];
    switch (op_.opcode) {
      case Opcode::Add: return y == 0 ? same_as(a) : x == 0 ? same_as(b) : Folded{};
      case Opcode::Sub:
      case Opcode::Shl:
      case Opcode::Shr: return y == 0 ? same_as(a) : Folded{};
      case Opcode::Mul: return y == 1 ? same_as(a) : x == 1 ? same_as(b) : x == 0 || y == 0 ? constant(0) : Folded{};
      case Opcode::Div: return y == 1 ? same_as(a) : Folded{};
      case Opcode::Rem: return y == 1 ? constant(0) : Folded{};
      case Opcode::And: return dtype == DType::Bool ? logical(a, b, x, y, 1) : Folded{};
      case Opcode::Or: return dtype == DType::Bool ? logical(a, b, x, y, 0) : Folded{};
      case Opcode::Min:
      case Opcode::Max: return a == b ? same_as(a) : Folded{};
      default: return {};
    }
  }

  // `neutral` leaves the other operand, its opposite decides.
  Folded logical(ValueId a, ValueId b, std::optional<std::int64_t> x, std::optional<std::int64_t> y, std::int64_t neutral) const {
    if (a == b) return same_as(a);
    if (x) return *x == neutral ? same_as(b) : constant(*x);
    if (y) return *y == neutral ? same_as(a) : constant(*y);
    return {};
  }

  Folded select() const {
    if (op_.operands[1] == op_.operands[2]) return same_as(op_.operands[1]);
    if (const auto condition = integer(0)) return same_as(op_.operands[*condition != 0 ? 1 : 2]);
    return {};
  }

  Folded cast() const {
    const ValueId from = op_.operands[0];
    const DType source = program_.type(from).dtype;
    if (source == type_.dtype) return same_as(from);
    if (const auto x = integer(0)) {
      if (type_.dtype == DType::Bool) return constant(*x != 0);
      if (is_int(type_.dtype)) return constant(wrapped(static_cast<std::uint64_t>(*x), type_.dtype));
      constexpr std::int64_t kExact = std::int64_t{1} << 53;
      if (source != DType::U64 && *x >= -kExact && *x <= kExact) return constant(std::bit_cast<std::int64_t>(static_cast<double>(*x)));
      return {};
    }
    const Op* arange = def_if(from, Opcode::Arange);
    if (arange != nullptr && is_int(type_.dtype)) {
      const std::int64_t first = arange->ints[0], last = first + type_.shape[0] - 1;
      const auto kept = [&](std::int64_t x) { return wrapped(static_cast<std::uint64_t>(x), type_.dtype) == x; };
      const bool mixed = first < 0 && is_unsigned_int(type_.dtype);
      if (kept(first) && kept(last) && !mixed) return {kNone, true, {Opcode::Arange, {}, {}, arange->ints, {}, {}, op_.loc}};
    }
    return {};
  }

  Folded shape() const {
    const ValueId from = op_.operands[0];
    if (const Op* splat = def_if(from, Opcode::Constant)) return constant(splat->ints[0]);
    if (op_.opcode == Opcode::Transpose) {
      for (std::size_t i = 0; i < op_.ints.size(); ++i) {
        if (op_.ints[i] != static_cast<std::int64_t>(i)) return {};
      }
      return same_as(from);
    }
    if (program_.type(from).shape == type_.shape) return same_as(from);
    const Op* inner = def(from);
    if (inner == nullptr) return {};
    const bool scalar_spread = inner->opcode == Opcode::Broadcast && program_.type(inner->operands[0]).rank() == 0;
    if (scalar_spread) return from_inner(Opcode::Broadcast, *inner);
    if (op_.opcode == inner->opcode && (op_.opcode == Opcode::Reshape || op_.opcode == Opcode::Broadcast)) {
      if (program_.type(inner->operands[0]).shape == type_.shape) return same_as(inner->operands[0]);
      return from_inner(op_.opcode, *inner);
    }
    return {};
  }

  // The same result straight from the operand of the operand.
  Folded from_inner(Opcode opcode, const Op& inner) const {
    if (program_.type(inner.operands[0]).shape == type_.shape) return same_as(inner.operands[0]);
    return {kNone, true, {opcode, {inner.operands[0]}, {}, {}, {}, {}, op_.loc}};
  }

  const Program& program_;
  const Op& op_;
  const Type& type_;
};

}  // namespace

Folded fold(const Program& program, const Op& op, const Type& type) { return Folder(program, op, type).run(); }

}  // namespace tilewright::program

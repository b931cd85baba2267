// Elementwise operations on every dtype that has them; all pairs of corner values meet in the larger shapes.
#include "tests/op_grid/grid.h"

#include <cmath>

namespace tilewright::op_grid {

namespace {

constexpr long double kNan = std::numeric_limits<long double>::quiet_NaN();

bool is_function(Opcode opcode) {
  switch (opcode) {
    case Opcode::Exp: case Opcode::Exp2: case Opcode::Log: case Opcode::Log2: case Opcode::Rsqrt: case Opcode::Sin: case Opcode::Cos: case Opcode::Tanh:
      return true;
    default: return false;
  }
}

// Rounds as an operation on the dtype does: f16 and bf16 through f32.
Value rounded(DType dtype, long double value) {
  if (dtype == DType::F16 || dtype == DType::BF16) value = round_to(DType::F32, value);
  return real(round_to(dtype, value));
}

long double function(Opcode opcode, long double x) {
  switch (opcode) {
    case Opcode::Exp: return std::exp(x);
    case Opcode::Exp2: return std::exp2(x);
    case Opcode::Log: return std::log(x);
    case Opcode::Log2: return std::log2(x);
    case Opcode::Sqrt: return std::sqrt(x);
    case Opcode::Rsqrt: return 1 / std::sqrt(x);
    case Opcode::Sin: return std::sin(x);
    case Opcode::Cos: return std::cos(x);
    case Opcode::Tanh: return std::tanh(x);
    case Opcode::Floor: return std::floor(x);
    case Opcode::Ceil: return std::ceil(x);
    case Opcode::Neg: return -x;
    default: return std::fabs(x);
  }
}

// Arithmetic of f64 in f64; the narrower floats are exact in long double up to one rounding that does no harm.
Value real_binary(Opcode opcode, DType dtype, long double a, long double b) {
  if (opcode == Opcode::Min || opcode == Opcode::Max) {
    if (std::isnan(a) || std::isnan(b)) return real(kNan);
    return real((opcode == Opcode::Min) == (a < b) ? a : b);
  }
  const auto compute = [&](auto x, auto y) -> long double {
    switch (opcode) {
      case Opcode::Add: return x + y;
      case Opcode::Sub: return x - y;
      case Opcode::Mul: return x * y;
      default: return x / y;
    }
  };
  if (dtype == DType::F64) return real(compute(static_cast<double>(a), static_cast<double>(b)));
  return rounded(dtype, compute(a, b));
}

Value whole_binary(Opcode opcode, DType dtype, __int128 a, __int128 b) {
  const int width = static_cast<int>(8 * size_of(dtype));
  const int shift = static_cast<int>(((b % width) + width) % width);
  switch (opcode) {
    case Opcode::Add: return whole(wrap(dtype, a + b));
    case Opcode::Sub: return whole(wrap(dtype, a - b));
    case Opcode::Mul: return whole(wrap(dtype, static_cast<__int128>(static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b))));
    case Opcode::Div: return whole(b == 0 ? 0 : wrap(dtype, a / b));
    case Opcode::Rem: return whole(b == 0 ? a : a % b);
    case Opcode::Min: return whole(std::min(a, b));
    case Opcode::Max: return whole(std::max(a, b));
    case Opcode::And: return whole(wrap(dtype, a & b));
    case Opcode::Or: return whole(wrap(dtype, a | b));
    case Opcode::Xor: return whole(wrap(dtype, a ^ b));
    case Opcode::Shl: return whole(wrap(dtype, static_cast<__int128>(static_cast<unsigned __int128>(a) << shift)));
    default: return whole(a >> shift);  // arithmetic; an unsigned value is not negative here
  }
}

template <class T>
bool compare(Opcode opcode, T a, T b) {
  switch (opcode) {
    case Opcode::Eq: return a == b;
    case Opcode::Ne: return a != b;
    case Opcode::Lt: return a < b;
    case Opcode::Le: return a <= b;
    case Opcode::Gt: return a > b;
    default: return a >= b;
  }
}

Value apply(Opcode opcode, DType dtype, const std::vector<Value>& x) {
  if (opcode == Opcode::Select) return x[0].whole ? x[1] : x[2];
  if (opcode == Opcode::IsNan) return whole(std::isnan(x[0].real));
  if (opcode >= Opcode::Eq && opcode <= Opcode::Ge)
    return whole(is_float(dtype) ? compare(opcode, x[0].real, x[1].real) : compare(opcode, x[0].whole, x[1].whole));
  if (!is_float(dtype)) {
    if (x.size() == 2) return whole_binary(opcode, dtype, x[0].whole, x[1].whole);
    if (opcode == Opcode::Neg) return whole(wrap(dtype, -x[0].whole));
    if (opcode == Opcode::Abs) return whole(wrap(dtype, x[0].whole < 0 ? -x[0].whole : x[0].whole));
    return dtype == DType::Bool ? whole(!x[0].whole) : whole(wrap(dtype, ~x[0].whole));
  }
  if (opcode == Opcode::Fma) {
    if (dtype == DType::F64) return real(std::fma(static_cast<double>(x[0].real), static_cast<double>(x[1].real), static_cast<double>(x[2].real)));
    const float sum = std::fma(static_cast<float>(x[0].real), static_cast<float>(x[1].real), static_cast<float>(x[2].real));
    return real(round_to(dtype, sum));
  }
  if (x.size() == 2) return real_binary(opcode, dtype, x[0].real, x[1].real);
  if (opcode == Opcode::Sqrt && dtype == DType::F64) return real(std::sqrt(static_cast<double>(x[0].real)));
  return rounded(dtype, function(opcode, x[0].real));
}

bool is_periodic(Opcode opcode) { return opcode == Opcode::Sin || opcode == Opcode::Cos; }

// Functions of subnormal numbers depend on whether a target keeps them. Sines get multiples of pi/2, and arguments of every size.
std::vector<std::uint64_t> patterns_for(Opcode opcode, DType dtype) {
  if (!is_function(opcode)) return corner_patterns(dtype);
  if (!is_periodic(opcode)) {
    std::vector<std::uint64_t> patterns = corner_patterns(dtype);
    std::erase_if(patterns, [&](std::uint64_t bits) {
      const long double magnitude = std::fabs(decode(dtype, bits).real);
      return magnitude != 0 && magnitude < (dtype == DType::F64 ? 0x1p-1022L : 0x1p-126L);
    });
    return patterns;
  }
  const long double infinity = std::numeric_limits<long double>::infinity();
  return patterns_of(dtype, {0.0L, -0.0L, 1, -1, 0.5L, 1.5L, -2.25L, 3.14159L, -0.001L, 0.3333333333L, 100.7L, -134.5L, 17, 3, -6.28L, infinity, -infinity, kNan, 2.5L,
                             1.57079637L, 3.1415927L, 1e4L, -65504, 1048575.9375L, 0x1p20L, -1e7L, 0x1.8p40L, 1e20L, -1e30L, 0x1.fffffep127L, 0x1p-126L});
}

void add_entry(std::vector<Entry>& entries, Opcode opcode, DType dtype, int operands) {
  EntryBuilder entry(std::string(program::mnemonic_of(opcode)) + "_" + std::string(name_of(dtype)));
  const auto patterns = patterns_for(opcode, dtype);
  for (const Shape& shape : grid_shapes()) {
    std::vector<ValueId> tiles;
    std::int64_t repeat = 1;
    for (int i = 0; i < operands; ++i) {
      const bool condition = opcode == Opcode::Select && i == 0;
      tiles.push_back(entry.input(condition ? DType::Bool : dtype, shape, condition ? corner_patterns(DType::Bool) : patterns, repeat));
      if (!condition) repeat *= static_cast<std::int64_t>(patterns.size());
    }
    const ValueId result = entry.build().op(opcode, tiles);
    const bool inexact = is_function(opcode);
    // Near the zeros of a sine the error is relative to 1, not to the result.
    const double absolute = is_periodic(opcode) ? (dtype == DType::F64 ? 0x1p-50 : 0x1p-21) : least_tolerance(dtype);
    entry.output(result, inexact ? function_tolerance(dtype) : 0, inexact ? absolute : 0);
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& inputs) {
    Arrays outputs;
    for (std::size_t i = 0; i < inputs.size(); i += static_cast<std::size_t>(operands)) {
      const bool gives_bool = opcode == Opcode::IsNan || (opcode >= Opcode::Eq && opcode <= Opcode::Ge);
      Array out = make_array(gives_bool ? DType::Bool : dtype, inputs[i].shape);
      for (std::size_t e = 0; e < out.values.size(); ++e) {
        std::vector<Value> x;
        for (int operand = 0; operand < operands; ++operand) x.push_back(inputs[i + static_cast<std::size_t>(operand)].values[e]);
        out.values[e] = apply(opcode, dtype, x);
      }
      outputs.push_back(std::move(out));
    }
    return outputs;
  }));
}

}  // namespace

void add_elementwise(std::vector<Entry>& entries) {
  using enum Opcode;
  for (Opcode opcode : {Neg, Abs, Exp, Exp2, Log, Log2, Sqrt, Rsqrt, Sin, Cos, Tanh, Floor, Ceil, IsNan}) {
    for (DType dtype : float_dtypes()) add_entry(entries, opcode, dtype, 1);
  }
  for (Opcode opcode : {Add, Sub, Mul, Div, Min, Max, Eq, Ne, Lt, Le, Gt, Ge}) {
    for (DType dtype : float_dtypes()) add_entry(entries, opcode, dtype, 2);
  }
  for (Opcode opcode : {Neg, Abs, Not}) {
    for (DType dtype : int_dtypes()) add_entry(entries, opcode, dtype, 1);
  }
  for (Opcode opcode : {Add, Sub, Mul, Div, Rem, Min, Max, And, Or, Xor, Shl, Shr, Eq, Ne, Lt, Le, Gt, Ge}) {
    for (DType dtype : int_dtypes()) add_entry(entries, opcode, dtype, 2);
  }
  add_entry(entries, Not, DType::Bool, 1);
  for (Opcode opcode : {And, Or, Xor, Eq, Ne}) add_entry(entries, opcode, DType::Bool, 2);
  for (DType dtype : float_dtypes()) add_entry(entries, Fma, dtype, 3);
  for (DType dtype : moved_dtypes()) add_entry(entries, Select, dtype, 3);
}

}  // namespace tilewright::op_grid

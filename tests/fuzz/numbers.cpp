// Propagation of bounds and errors.
#include "tests/fuzz/numbers.h"

#include <algorithm>
#include <cmath>

namespace tilewright::fuzz {

using program::Opcode;
using program::ReduceKind;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kLeastQuantum = 0x1p-100;
// Units in the last place an approximated function may be off, target and reference together.
constexpr double kFunctionUlps = 16;

DType computed_in(DType dtype) { return dtype == DType::F64 ? DType::F64 : DType::F32; }

// What rounding to the dtype makes of an exact result: overflow, and one more unit where the operands differed.
Numbers rounded(DType dtype, Numbers value) {
  if (value.quantum < kLeastQuantum) value.quantum = 0;
  if (!is_float(dtype)) {
    value.error = 0;
    value.may_be_nan = value.zero_sign = false;
    value.quantum = 1;
    value.bound = std::min(value.bound, largest(dtype));
    return value;
  }
  const double unit = roundoff(dtype);
  const double least = dtype == DType::F16 ? 0x1p-24 : dtype == DType::F8E4M3 ? 0x1p-9 : dtype == DType::F8E5M2 ? 0x1p-16 : 0;  // spacing of subnormal numbers where it matters
  if (value.error > 0) value.error += 2 * unit * value.bound + least;
  value.bound *= 1 + unit;
  if (value.bound > largest(dtype)) value.bound = kInf;
  return value;
}

double smaller_quantum(double a, double b) { return a == 0 || b == 0 ? 0 : std::min(a, b); }

bool sums_exactly(double bound, double quantum, DType dtype) { return quantum > 0 && bound / quantum * roundoff(dtype) <= 0.5; }

// An approximated function with Lipschitz constant `slope` on its domain.
Numbers approximated(DType dtype, const Numbers& x, double slope, double bound) {
  Numbers result{bound, 0, 0, x.may_be_nan, true};
  result.error = slope * x.error + kFunctionUlps * roundoff(computed_in(dtype)) * bound;
  return rounded(dtype, result);
}

Numbers divided(DType dtype, const Numbers& a, const Numbers& b) {
  Numbers result{kInf, 0, 0, true, a.zero_sign || b.zero_sign};
  if (a.exact() && b.exact()) return result;
  // The generator divides inexact numbers by what is at least 1/2 only.
  result = {2 * a.bound, 0, 2 * a.error + 4 * a.bound * b.error, a.may_be_nan || b.may_be_nan, true};
  return rounded(dtype, result);
}

}  // namespace

double largest(DType dtype) {
  switch (dtype) {
    case DType::Bool: return 1;
    case DType::I8: return 128;
    case DType::U8: return 255;
    case DType::I16: return 32768;
    case DType::U16: return 65535;
    case DType::I32: return 0x1p31;
    case DType::U32: return 0x1p32;
    case DType::I64: return 0x1p63;
    case DType::U64: return 0x1p64;
    case DType::F16: return 65504;
    case DType::BF16: return 0x1.fep127;
    case DType::F32: return std::numeric_limits<float>::max();
    case DType::F64: return std::numeric_limits<double>::max();
    case DType::F8E4M3: return 448;
    case DType::F8E5M2: return 57344;
  }
  return 0;
}

double roundoff(DType dtype) {
  switch (dtype) {
    case DType::F16: return 0x1p-11;
    case DType::BF16: return 0x1p-8;
    case DType::F32: return 0x1p-24;
    case DType::F8E4M3: return 0x1p-4;
    case DType::F8E5M2: return 0x1p-3;
    default: return 0x1p-53;
  }
}

Numbers any_of(DType dtype) {
  if (is_float(dtype)) return {kInf, 0, 0, true, true};
  return {largest(dtype), 1, 0, false, false};
}

Numbers constant(DType dtype, double value) {
  Numbers result{std::fabs(value), 1, 0, std::isnan(value), false};
  if (is_float(dtype) && std::isfinite(value)) {
    while (result.quantum > kLeastQuantum && std::fmod(value, result.quantum) != 0) result.quantum /= 2;
  }
  return rounded(dtype, result);
}

Numbers join(const Numbers& a, const Numbers& b) {
  return {std::max(a.bound, b.bound), smaller_quantum(a.quantum, b.quantum), std::max(a.error, b.error), a.may_be_nan || b.may_be_nan,
          a.zero_sign || b.zero_sign};
}

Numbers clamped(const Numbers& value, double low, double high) {
  Numbers result = value;
  result.bound = std::min(value.bound, std::max(std::fabs(low), std::fabs(high)));
  result.quantum = smaller_quantum(value.quantum, smaller_quantum(constant(DType::F64, low).quantum, constant(DType::F64, high).quantum));
  result.zero_sign = true;
  return result;
}

bool has_domain(Opcode opcode) {
  switch (opcode) {
    case Opcode::Exp: case Opcode::Exp2: case Opcode::Log: case Opcode::Log2: case Opcode::Rsqrt: case Opcode::Sin: case Opcode::Cos:
    case Opcode::Tanh:
      return true;
    default: return false;
  }
}

Domain domain_of(Opcode opcode) {
  switch (opcode) {
    case Opcode::Exp: return {-6, 3};
    case Opcode::Exp2: return {-8, 4};
    case Opcode::Log: case Opcode::Log2: return {0.25, 64};
    case Opcode::Rsqrt: return {0.25, 64};
    case Opcode::Sin: case Opcode::Cos: return {-16, 16};
    default: return {-8, 8};
  }
}

Numbers elementwise(Opcode opcode, DType dtype, std::span<const Numbers> operands) {
  const Numbers& a = operands[0];
  const Numbers& b = operands[operands.size() > 1 ? 1 : 0];
  const bool nan = std::any_of(operands.begin(), operands.end(), [](const Numbers& n) { return n.may_be_nan; });
  const bool zero_sign = std::any_of(operands.begin(), operands.end(), [](const Numbers& n) { return n.zero_sign; });
  if (opcode >= Opcode::Eq && opcode <= Opcode::Ge) return {1, 1};
  if (opcode == Opcode::IsNan) return {1, 1};
  if (opcode == Opcode::Select) return join(b, operands[2]);
  if (!is_float(dtype)) {
    switch (opcode) {
      case Opcode::Abs: case Opcode::Min: case Opcode::Max: case Opcode::Rem: case Opcode::Div: return rounded(dtype, {std::max(a.bound, b.bound), 1});
      case Opcode::Add: case Opcode::Sub: return a.bound + b.bound < largest(dtype) && !is_unsigned_int(dtype) ? Numbers{a.bound + b.bound, 1} : any_of(dtype);
      case Opcode::Mul: return a.bound * b.bound < largest(dtype) ? Numbers{a.bound * b.bound, 1} : any_of(dtype);
      default: return any_of(dtype);
    }
  }
  switch (opcode) {
    case Opcode::Neg: return a;
    case Opcode::Abs: return {a.bound, a.quantum, a.error, nan, false};
    case Opcode::Min: case Opcode::Max: return {std::max(a.bound, b.bound), smaller_quantum(a.quantum, b.quantum), std::max(a.error, b.error), nan, true};
    case Opcode::Floor: case Opcode::Ceil: return rounded(dtype, {a.bound + 1, std::max(a.quantum, 1.0), 0, nan, zero_sign});
    case Opcode::Add: case Opcode::Sub:
      return rounded(dtype, {a.bound + b.bound, smaller_quantum(a.quantum, b.quantum), a.error + b.error, nan || a.bound + b.bound == kInf, zero_sign});
    case Opcode::Mul: {
      const double error = a.error == 0 && b.error == 0 ? 0 : a.bound * b.error + b.bound * a.error + a.error * b.error;
      const bool may_be_nan = nan || a.bound == kInf || b.bound == kInf;
      return rounded(dtype, {may_be_nan ? kInf : a.bound * b.bound, a.quantum * b.quantum, error, may_be_nan, zero_sign});
    }
    case Opcode::Fma: {
      const Numbers& c = operands[2];
      const bool may_be_nan = nan || a.bound == kInf || b.bound == kInf || c.bound == kInf;
      const double error = a.error == 0 && b.error == 0 ? c.error : a.bound * b.error + b.bound * a.error + a.error * b.error + c.error;
      return rounded(dtype, {may_be_nan ? kInf : a.bound * b.bound + c.bound, smaller_quantum(a.quantum * b.quantum, c.quantum), error, may_be_nan, zero_sign});
    }
    case Opcode::Div: return divided(dtype, a, b);
    case Opcode::Sqrt:
      // The generator takes roots of inexact numbers that are at least 1/4 only, where the slope is at most 1.
      return rounded(dtype, {std::max(1.0, a.bound), 0, a.error, true, zero_sign});
    case Opcode::Exp: return approximated(dtype, a, 20.1, 20.1);
    case Opcode::Exp2: return approximated(dtype, a, 11.1, 16);
    case Opcode::Log: return approximated(dtype, a, 4, 4.2);
    case Opcode::Log2: return approximated(dtype, a, 5.8, 6);
    case Opcode::Rsqrt: return approximated(dtype, a, 4, 2);
    case Opcode::Sin: case Opcode::Cos: case Opcode::Tanh: return approximated(dtype, a, 1, 1);
    default: return any_of(dtype);
  }
}

Numbers cast(const Numbers& value, DType from, DType to) {
  if (from == to) return value;
  if (!is_float(to)) {
    if (to == DType::Bool) return {1, 1};
    const bool fits = value.bound < largest(to) && !is_unsigned_int(to);
    return fits ? Numbers{std::floor(value.bound), 1} : any_of(to);
  }
  Numbers result = value;
  if (!is_float(from)) result.quantum = 1;
  const bool widens = is_float(from) && roundoff(to) < roundoff(from) && to != DType::F16;
  return widens ? result : rounded(to, result);
}

Numbers bitcast(DType to) {
  Numbers result = any_of(to);
  result.zero_sign = false;
  return result;
}

Numbers dot(const Numbers& a, const Numbers& b, const Numbers& accumulator, DType accumulates_in, std::int64_t depth) {
  if (!is_float(accumulates_in)) return any_of(accumulates_in);
  const double k = static_cast<double>(depth);
  Numbers result;
  result.bound = k * a.bound * b.bound + accumulator.bound;
  result.quantum = smaller_quantum(a.quantum * b.quantum, accumulator.quantum);
  result.error = k * (a.bound * b.error + b.bound * a.error + a.error * b.error) + accumulator.error;
  result.may_be_nan = a.may_be_nan || b.may_be_nan || accumulator.may_be_nan;
  result.zero_sign = true;
  if (result.error == 0 && sums_exactly(result.bound, result.quantum, accumulates_in)) return result;
  result.error += (k + 2) * 2 * roundoff(accumulates_in) * result.bound;
  return rounded(accumulates_in, result);
}

Numbers reduce(const Numbers& value, DType dtype, ReduceKind kind, std::int64_t extent) {
  if (!is_float(dtype)) return any_of(dtype);
  const double n = static_cast<double>(extent);
  Numbers result = value;
  result.zero_sign = true;
  if (kind == ReduceKind::Min || kind == ReduceKind::Max) return result;
  if (kind == ReduceKind::Sum) {
    const DType accumulator = computed_in(dtype);
    result.bound = n * value.bound;
    result.error = n * value.error;
    if (result.error > 0 || !sums_exactly(result.bound, result.quantum, accumulator)) result.error += n * 2 * roundoff(accumulator) * result.bound;
    return rounded(dtype, result);
  }
  result.bound = std::pow(std::max(value.bound, 1.0), n);
  result.quantum = 0;
  result.error = n * result.bound * (value.error + 2 * roundoff(dtype));
  return rounded(dtype, result);
}

Numbers scan(const Numbers& value, DType dtype, ReduceKind kind, std::int64_t extent) {
  Numbers result = reduce(value, dtype, kind, extent);
  if (!is_float(dtype) || kind != ReduceKind::Sum) return result;
  // Where partial sums are rounded to is not said for f16 and bf16.
  const double n = static_cast<double>(extent);
  result.error = n * value.error;
  if (result.error == 0 && sums_exactly(n * value.bound, result.quantum, dtype)) return result;
  result.error += n * 2 * roundoff(dtype) * n * value.bound;
  return rounded(dtype, result);
}

Numbers accumulated(const Numbers& start, const Numbers& term, DType dtype, std::int64_t turns) {
  const double n = static_cast<double>(turns);
  Numbers result;
  result.bound = start.bound + n * term.bound;
  result.quantum = smaller_quantum(start.quantum, term.quantum);
  result.error = start.error + n * term.error;
  result.may_be_nan = start.may_be_nan || term.may_be_nan;
  result.zero_sign = true;
  if (result.error > 0) result.error += n * 2 * roundoff(dtype) * result.bound;
  return rounded(dtype, result);
}

}  // namespace tilewright::fuzz

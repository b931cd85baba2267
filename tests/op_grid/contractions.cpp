// dot, reductions and scans, built-in and custom.
#include "tests/op_grid/grid.h"

#include <algorithm>
#include <cmath>

namespace tilewright::op_grid {

namespace {

// Multiples of 1/8 up to 4: their sums and products are exact, whatever the order. For u8 the magnitudes, as integers.
std::vector<std::uint64_t> exact_patterns(DType dtype) {
  std::vector<long double> values = {1, -2, 3, 0, -1, 4, 2, -3, -4, 1, 0, 2, -1};
  if (is_unsigned_int(dtype)) {
    for (long double& value : values) value = std::fabs(value);
  } else if (is_float(dtype)) {
    for (long double value : {0.5L, -0.125L, 1.25L, -2.375L, 3.875L, 0.25L}) values.push_back(value);
  }
  return patterns_of(dtype, values);
}

// Multiples of 1/7, which no float holds.
std::vector<std::uint64_t> inexact_patterns(DType dtype) {
  std::vector<long double> values;
  for (int i = -17; i < 20; i += 2) values.push_back(i / 7.0L);
  return patterns_of(dtype, values);
}

double roundoff(DType dtype) { return dtype == DType::F64 ? 0x1p-53 : dtype == DType::F32 ? 0x1p-24 : dtype == DType::F16 ? 0x1p-11 : 0x1p-8; }

// ---- dot

struct DotShape {
  std::int64_t batch, m, n, k;  // batch 0: none
};

const std::vector<DotShape> kDotShapes = {{0, 1, 1, 1}, {0, 4, 5, 3}, {0, 16, 16, 16}, {0, 7, 33, 17}, {0, 3, 60, 96}, {0, 64, 64, 64}, {0, 17, 1, 96},
                                          {0, 1, 33, 16}, {2, 3, 8, 5}, {3, 16, 17, 7}, {1, 33, 4, 32}};

void add_dot(std::vector<Entry>& entries, DType dtype, DType right_dtype, const char* suffix, const std::vector<std::uint64_t>& left, const std::vector<std::uint64_t>& right, bool exact) {
  EntryBuilder entry("dot_" + std::string(name_of(dtype)) + (right_dtype == dtype ? "" : "_" + std::string(name_of(right_dtype))) + suffix);
  const DType sum = is_float(dtype) ? (dtype == DType::F64 ? DType::F64 : DType::F32) : DType::I32;
  for (const DotShape& s : kDotShapes) {
    Shape a{s.m, s.k}, b{s.k, s.n}, c{s.m, s.n};
    if (s.batch) {
      for (Shape* shape : {&a, &b, &c}) shape->insert(shape->begin(), s.batch);
    }
    const ValueId x = entry.input(dtype, a, left), y = entry.input(right_dtype, b, right), accumulator = entry.input(sum, c, exact_patterns(sum));
    // Magnitudes of the inexact patterns are below 3.
    const double bound = static_cast<double>(s.k + 1) * 9;
    entry.output(entry.build().dot(x, y, accumulator), 0, exact ? 0 : 2 * static_cast<double>(s.k + 1) * roundoff(sum) * bound);
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    for (std::size_t i = 0; i < in.size(); i += 3) {
      const Array &a = in[i], &b = in[i + 1];
      Array out = in[i + 2];
      const std::size_t m = a.shape.size() - 2;
      for_each_index(out.shape, [&](const Shape& index) {
        Value& element = out.at(index);
        Shape at_a = index, at_b = index;
        for (std::int64_t k = 0; k < a.extent(m + 1); ++k) {
          at_a[m + 1] = k;
          at_b[m] = k;
          element.real += a.at(at_a).real * b.at(at_b).real;
          element.whole += a.at(at_a).whole * b.at(at_b).whole;
        }
        element.whole = wrap(DType::I32, element.whole);
        element.real = round_to(is_float(sum) ? sum : DType::F64, element.real);
      });
      outputs.push_back(std::move(out));
    }
    return outputs;
  }));
}

void add_dot(std::vector<Entry>& entries, DType dtype, const char* suffix, const std::vector<std::uint64_t>& left, const std::vector<std::uint64_t>& right, bool exact) {
  add_dot(entries, dtype, dtype, suffix, left, right, exact);
}

void add_float8_dots(std::vector<Entry>& entries) {
  for (DType left : {DType::F8E4M3, DType::F8E5M2}) {
    for (DType right : {DType::F8E4M3, DType::F8E5M2}) add_dot(entries, left, right, "", exact_patterns(left), exact_patterns(right), true);
    // NaN, and where there is one infinity, in a few rows.
    std::vector<std::uint64_t> rare = exact_patterns(left);
    while (rare.size() < 60) rare.insert(rare.end(), {rare[0], rare[3], rare[7]});
    rare.push_back(0x7f);
    while (rare.size() < 110) rare.push_back(rare[rare.size() % 13]);
    rare.push_back(left == DType::F8E5M2 ? 0x7c : 0xff);
    add_dot(entries, left, left, "_nonfinite", rare, exact_patterns(left), true);
  }
}

// ---- reductions

Value combine(ReduceKind kind, DType dtype, const Value& a, const Value& b) {
  if (is_float(dtype)) {
    const bool nan = std::isnan(a.real) || std::isnan(b.real);
    switch (kind) {
      case ReduceKind::Sum: return real(a.real + b.real);
      case ReduceKind::Prod: return real(a.real * b.real);
      case ReduceKind::Min: return real(nan ? std::numeric_limits<long double>::quiet_NaN() : std::min(a.real, b.real));
      default: return real(nan ? std::numeric_limits<long double>::quiet_NaN() : std::max(a.real, b.real));
    }
  }
  switch (kind) {
    case ReduceKind::Sum: return whole(wrap(dtype, a.whole + b.whole));
    case ReduceKind::Prod: return whole(wrap(dtype, static_cast<__int128>(static_cast<unsigned __int128>(a.whole) * static_cast<unsigned __int128>(b.whole))));
    case ReduceKind::Min: return whole(std::min(a.whole, b.whole));
    case ReduceKind::Max: return whole(std::max(a.whole, b.whole));
    case ReduceKind::And: return whole(wrap(dtype, a.whole & b.whole));
    case ReduceKind::Or: return whole(wrap(dtype, a.whole | b.whole));
    default: return whole(wrap(dtype, a.whole ^ b.whole));
  }
}

const char* word_for(ReduceKind kind) {
  static const char* const words[] = {"sum", "prod", "min", "max", "and", "or", "xor"};
  return words[static_cast<std::size_t>(kind)];
}

std::vector<std::uint64_t> reduction_patterns(ReduceKind kind, DType dtype) {
  if (!is_float(dtype) || kind == ReduceKind::Min || kind == ReduceKind::Max) return corner_patterns(dtype);
  if (kind == ReduceKind::Prod) return patterns_of(dtype, {1, -1, 0.5L, 2, 1, 4, -0.25L});  // partial products stay small
  return exact_patterns(dtype);
}

struct AxisOf {
  Shape shape;
  std::size_t axis;
};

std::vector<AxisOf> shape_axes() {
  std::vector<AxisOf> all;
  for (const Shape& shape : grid_shapes()) {
    for (std::size_t axis = 0; axis < shape.size(); ++axis) all.push_back({shape, axis});
  }
  return all;
}

void add_reduce(std::vector<Entry>& entries, ReduceKind kind, DType dtype) {
  EntryBuilder entry("reduce_" + std::string(word_for(kind)) + "_" + std::string(name_of(dtype)));
  const std::vector<AxisOf> cases = shape_axes();
  for (const auto& [shape, axis] : cases)
    entry.output(entry.build().reduce(kind, entry.input(dtype, shape, reduction_patterns(kind, dtype)), static_cast<std::int64_t>(axis)));
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const std::size_t axis = cases[i].axis;
      Shape shape = cases[i].shape;
      shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
      Array out = make_array(dtype, shape.empty() ? Shape{1} : shape);
      for_each_index(shape, [&](const Shape& index) {
        Shape at = index;
        at.insert(at.begin() + static_cast<std::ptrdiff_t>(axis), 0);
        Value result = in[i].at(at);
        while (++at[axis] < cases[i].shape[axis]) result = combine(kind, dtype, result, in[i].at(at));
        if (is_float(dtype)) result.real = round_to(dtype, result.real);
        out.at(index.empty() ? Shape{0} : index) = result;
      });
      outputs.push_back(std::move(out));
    }
    return outputs;
  }));
}

void add_scan(std::vector<Entry>& entries, ReduceKind kind, DType dtype, bool reverse) {
  EntryBuilder entry("scan_" + std::string(word_for(kind)) + (reverse ? "_reverse_" : "_") + std::string(name_of(dtype)));
  const std::vector<AxisOf> cases = shape_axes();
  for (const auto& [shape, axis] : cases) {
    const ValueId x = entry.input(dtype, shape, reduction_patterns(kind, dtype));
    // Where partial sums of f16 and bf16 are rounded is not said.
    const bool loose = kind == ReduceKind::Sum && (dtype == DType::F16 || dtype == DType::BF16);
    entry.output(entry.build().scan(kind, x, static_cast<std::int64_t>(axis), reverse), 0,
                 loose ? static_cast<double>(shape[axis]) * 4 * roundoff(dtype) * static_cast<double>(shape[axis]) : 0);
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const auto& [shape, axis] = cases[i];
      Array out = make_array(dtype, shape);
      for_each_index(shape, [&](const Shape& index) {
        Shape at = index;
        Value result = in[i].at(at);
        while (reverse ? ++at[axis] < shape[axis] : --at[axis] >= 0) result = combine(kind, dtype, result, in[i].at(at));
        if (is_float(dtype)) result.real = round_to(dtype, result.real);
        out.at(index) = result;
      });
      outputs.push_back(std::move(out));
    }
    return outputs;
  }));
}

void add_inexact_sum(std::vector<Entry>& entries, DType dtype) {
  EntryBuilder entry("reduce_sum_inexact_" + std::string(name_of(dtype)));
  const std::vector<AxisOf> cases = shape_axes();
  const DType sum = dtype == DType::F64 ? DType::F64 : DType::F32;
  for (const auto& [shape, axis] : cases) {
    const double extent = static_cast<double>(shape[axis]);
    entry.output(entry.build().reduce(ReduceKind::Sum, entry.input(dtype, shape, inexact_patterns(dtype)), static_cast<std::int64_t>(axis)), 2 * roundoff(dtype),
                 2 * extent * roundoff(sum) * 3 * extent);
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const auto& [shape, axis] = cases[i];
      Shape rest = shape;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(axis));
      Array out = make_array(dtype, rest.empty() ? Shape{1} : rest);
      for_each_index(shape, [&](Shape index) {
        const Value x = in[i].at(index);
        index.erase(index.begin() + static_cast<std::ptrdiff_t>(axis));
        out.at(index.empty() ? Shape{0} : index).real += x.real;
      });
      for (Value& value : out.values) value.real = round_to(dtype, value.real);
      outputs.push_back(std::move(out));
    }
    return outputs;
  }));
}

// Composition of x -> a*x + b, not commutative: the scan must keep the order. Over two tiles of one dtype.
void add_affine_scan(std::vector<Entry>& entries, DType dtype, bool reverse) {
  EntryBuilder entry("scan_affine" + std::string(reverse ? "_reverse_" : "_") + std::string(name_of(dtype)));
  const std::vector<AxisOf> cases = shape_axes();
  for (const auto& [shape, axis] : cases) {
    const ValueId a = entry.input(dtype, shape, corner_patterns(dtype)), b = entry.input(dtype, shape, corner_patterns(dtype), 3);
    Builder& build = entry.build();
    const auto args = build.begin_combiner(Opcode::Scan, {a, b}, static_cast<std::int64_t>(axis), reverse);
    const ValueId factor = build.op(Opcode::Mul, {args[0], args[2]});
    const ValueId offset = build.op(Opcode::Add, {build.op(Opcode::Mul, {args[1], args[2]}), args[3]});
    const auto results = build.end_combiner({factor, offset});
    entry.output(results[0]);
    entry.output(results[1]);
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const auto& [shape, axis] = cases[i];
      Array factors = in[2 * i], offsets = in[2 * i + 1];
      const std::int64_t extent = shape[axis];
      for_each_index(shape, [&](Shape index) {
        if (index[axis] == 0) return;
        // In the order of the walk: place `step` from where it starts.
        const std::int64_t step = index[axis];
        const auto at = [&](std::int64_t place) {
          index[axis] = reverse ? extent - 1 - place : place;
          return index;
        };
        const Shape here = at(step), before = at(step - 1);
        Value &factor = factors.at(here), &offset = offsets.at(here);
        offset.whole = wrap(dtype, wrap(dtype, offsets.at(before).whole * factor.whole) + offset.whole);
        factor.whole = wrap(dtype, factors.at(before).whole * factor.whole);
      });
      outputs.push_back(std::move(factors));
      outputs.push_back(std::move(offsets));
    }
    return outputs;
  }));
}

}  // namespace

void add_contractions(std::vector<Entry>& entries) {
  for (DType dtype : {DType::F16, DType::BF16, DType::F32, DType::F64, DType::I8, DType::U8}) {
    add_dot(entries, dtype, "", exact_patterns(dtype), exact_patterns(dtype), true);
    if (is_float(dtype)) {
      add_dot(entries, dtype, "_inexact", inexact_patterns(dtype), inexact_patterns(dtype), false);
      std::vector<std::uint64_t> rare = exact_patterns(dtype);
      while (rare.size() < 60) rare.insert(rare.end(), {rare[0], rare[3], rare[7]});
      rare.push_back(encode(dtype, real(std::numeric_limits<long double>::infinity())));
      while (rare.size() < 110) rare.push_back(rare[rare.size() % 13]);
      rare.push_back(encode(dtype, real(std::numeric_limits<long double>::quiet_NaN())));
      add_dot(entries, dtype, "_nonfinite", rare, exact_patterns(dtype), true);
    } else {
      add_dot(entries, dtype, "_corners", corner_patterns(dtype), corner_patterns(dtype), true);
    }
  }
  add_float8_dots(entries);
  using enum ReduceKind;
  for (DType dtype : all_dtypes()) {
    for (ReduceKind kind : {Sum, Prod, Min, Max, And, Or, Xor}) {
      const bool bitwise = kind == And || kind == Or || kind == Xor;
      if (bitwise ? is_float(dtype) : dtype == DType::Bool) continue;
      add_reduce(entries, kind, dtype);
      for (bool reverse : {false, true}) add_scan(entries, kind, dtype, reverse);
    }
    if (is_float(dtype)) add_inexact_sum(entries, dtype);
  }
  for (DType dtype : {DType::I32, DType::U8, DType::I64}) {
    for (bool reverse : {false, true}) add_affine_scan(entries, dtype, reverse);
  }
}

}  // namespace tilewright::op_grid

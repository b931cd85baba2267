// Casts between all dtypes, bitcasts, constants and counting tiles.
#include "tests/op_grid/grid.h"

#include <bit>
#include <cmath>

namespace tilewright::op_grid {

namespace {

Value convert(DType from, DType to, const Value& x) {
  if (to == DType::Bool) return whole(is_float(from) ? x.real != 0 : x.whole != 0);
  if (is_float(to)) return real(round_to(to, is_float(from) ? x.real : static_cast<long double>(x.whole)));
  if (!is_float(from)) return whole(wrap(to, x.whole));
  if (std::isnan(x.real)) return whole(0);
  const long double toward_zero = std::trunc(x.real);
  if (toward_zero <= static_cast<long double>(least(to))) return whole(least(to));
  if (toward_zero >= static_cast<long double>(most(to))) return whole(most(to));
  return whole(static_cast<__int128>(toward_zero));
}

std::vector<std::uint64_t> all_bytes() {
  std::vector<std::uint64_t> bytes(256);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = i;
  return bytes;
}

// Corner values of the source, and values about the limits and the rounding of the result.
std::vector<std::uint64_t> patterns_for(DType from, DType to) {
  if (is_float8(from)) return all_bytes();
  std::vector<std::uint64_t> patterns = corner_patterns(from);
  if (from == DType::Bool) return patterns;
  if (is_float8(to) && is_float(from)) {
    // The numbers of the result, half way between neighbours, and the source's numbers beside that.
    for (std::uint64_t bits : all_bytes()) {
      const long double value = decode(to, bits).real, next = decode(to, (bits + 1) & 0xff).real;
      if (!std::isfinite(value) || !std::isfinite(next)) continue;
      const std::uint64_t half = encode(from, real((value + next) / 2));
      patterns.insert(patterns.end(), {encode(from, real(value)), half - 1, half, half + 1});
    }
    for (long double value : {448.0L, 463.9L, 464.0L, 480.0L, 512.0L, 57344.0L, 61439.0L, 61440.0L, 65536.0L, 1e6L})
      patterns.insert(patterns.end(), {encode(from, real(value)), encode(from, real(-value))});
  }
  for (int shift : {7, 8, 11, 15, 16, 24, 31, 32, 53, 63}) {
    for (int delta : {-1, 0, 1}) {
      const __int128 value = (static_cast<__int128>(1) << shift) + delta;
      if (is_float(from)) {
        patterns.push_back(encode(from, real(static_cast<long double>(value))));
        patterns.push_back(encode(from, real(-static_cast<long double>(value) - 0.5L)));
      } else if (value <= most(from)) {
        patterns.push_back(encode(from, whole(value)));
      }
    }
    // Half way between neighbours of a narrower float, and one beside it.
    const __int128 half = (static_cast<__int128>(1) << shift) + (static_cast<__int128>(1) << (shift > 8 ? shift - 8 : 0));
    if (is_float(from)) {
      patterns.push_back(encode(from, real(static_cast<long double>(half) + 1)));
    } else if (half + 1 <= most(from)) {
      patterns.push_back(encode(from, whole(half)));
      patterns.push_back(encode(from, whole(half + 1)));
      if (is_signed_int(from)) patterns.push_back(encode(from, whole(-half - 1)));
    }
  }
  if (is_float(to) && from == DType::F64) {
    // Ties of f16 and bf16 that a detour over f32 would make.
    for (long double value : {2049 + 0x1p-30L, 2051 - 0x1p-30L, 257 + 0x1p-40L, 259 - 0x1p-40L, 0x1p-24L + 0x1p-60L, 0x1.8p-24L, 65519.999999999L, 65520.0L})
      patterns.push_back(encode(from, real(value)));
  }
  return patterns;
}

void add_cast(std::vector<Entry>& entries, DType from, DType to) {
  EntryBuilder entry("cast_" + std::string(name_of(from)) + "_" + std::string(name_of(to)));
  for (const Shape& shape : grid_shapes()) entry.output(entry.build().cast(entry.input(from, shape, patterns_for(from, to)), to));
  entries.push_back(std::move(entry).finish([=](const Arrays& inputs) {
    Arrays outputs;
    for (const Array& input : inputs) {
      outputs.push_back(make_array(to, input.shape));
      for (std::size_t e = 0; e < input.values.size(); ++e) outputs.back().values[e] = convert(from, to, input.values[e]);
    }
    return outputs;
  }));
}

void add_bitcast(std::vector<Entry>& entries, DType from, DType to) {
  EntryBuilder entry("bitcast_" + std::string(name_of(from)) + "_" + std::string(name_of(to)));
  for (const Shape& shape : grid_shapes()) {
    const ValueId x = entry.input(from, shape, corner_patterns(from));
    entry.output(entry.build().op(Opcode::Bitcast, {x}, {}, Type{to, entry.build().type(x).shape}));
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& inputs) {
    Arrays outputs;
    for (const Array& input : inputs) {
      outputs.push_back(make_array(to, input.shape));
      for (std::size_t e = 0; e < input.values.size(); ++e) outputs.back().values[e] = decode(to, encode(from, input.values[e]));
    }
    return outputs;
  }));
}

void add_constants(std::vector<Entry>& entries, DType dtype) {
  EntryBuilder entry("constant_" + std::string(name_of(dtype)));
  std::vector<std::pair<Shape, Value>> expected;
  const std::vector<std::uint64_t> patterns = corner_patterns(dtype);
  for (std::size_t i = 0; i < grid_shapes().size() + patterns.size(); ++i) {
    const Shape shape = i < grid_shapes().size() ? grid_shapes()[i] : Shape{3};
    const Value value = decode(dtype, patterns[i % patterns.size()]);
    const std::int64_t bits = is_float(dtype) ? std::bit_cast<std::int64_t>(static_cast<double>(value.real)) : static_cast<std::int64_t>(value.whole);
    entry.output(entry.build().op(Opcode::Constant, {}, {bits}, Type{dtype, shape}));
    expected.push_back({shape.empty() ? Shape{1} : shape, value});
  }
  entries.push_back(std::move(entry).finish([=](const Arrays&) {
    Arrays outputs;
    for (const auto& [shape, value] : expected) {
      outputs.push_back(make_array(dtype, shape));
      for (Value& element : outputs.back().values) element = value;
    }
    return outputs;
  }));
}

void add_arange(std::vector<Entry>& entries, DType dtype) {
  EntryBuilder entry("arange_" + std::string(name_of(dtype)));
  const std::vector<std::pair<std::int64_t, std::int64_t>> ranges = {{1, 0}, {7, 3}, {33, 0}, {96, 11}, {17, 100}};  // extent, start
  for (const auto& [extent, start] : ranges) entry.output(entry.build().op(Opcode::Arange, {}, {start}, Type{dtype, {extent}}));
  if (is_signed_int(dtype)) entry.output(entry.build().op(Opcode::Arange, {}, {-20}, Type{dtype, {60}}));
  entries.push_back(std::move(entry).finish([=](const Arrays&) {
    Arrays outputs;
    auto all = ranges;
    if (is_signed_int(dtype)) all.push_back({60, -20});
    for (const auto& [extent, start] : all) {
      outputs.push_back(make_array(dtype, {extent}));
      for (std::int64_t i = 0; i < extent; ++i) outputs.back().values[static_cast<std::size_t>(i)] = whole(start + i);
    }
    return outputs;
  }));
}

}  // namespace

void add_conversions(std::vector<Entry>& entries) {
  for (DType from : moved_dtypes()) {
    for (DType to : moved_dtypes()) {
      if (from == to) continue;
      add_cast(entries, from, to);
      if (size_of(from) == size_of(to) && from != DType::Bool && to != DType::Bool) add_bitcast(entries, from, to);
    }
    add_constants(entries, from);
    if (is_int(from)) add_arange(entries, from);
  }
}

}  // namespace tilewright::op_grid

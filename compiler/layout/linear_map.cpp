// Named dimensions on top of bit matrices.
#include "compiler/layout/linear_map.h"

#include <algorithm>

#include "runtime/support/error.h"

namespace tilewright::layout {
namespace {

constexpr int kMisuse = 9501;
constexpr int kMaxBits = 32;

int total_bits(const std::vector<Dimension>& dimensions) {
  int total = 0;
  for (const Dimension& d : dimensions) total += d.bits;
  return total;
}

int find(const std::vector<Dimension>& dimensions, std::string_view name) {
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    if (dimensions[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

int bits_of(const std::vector<Dimension>& dimensions, std::string_view name) {
  const int i = find(dimensions, name);
  return i < 0 ? 0 : dimensions[i].bits;
}

int offset_of(const std::vector<Dimension>& dimensions, std::string_view name) {
  int offset = 0;
  for (const Dimension& d : dimensions) {
    if (d.name == name) return offset;
    offset += d.bits;
  }
  throw Error(kMisuse, "linear map without the dimension '" + std::string(name) + "'");
}

Bits pack(const std::vector<Dimension>& dimensions, const Point& point) {
  if (point.size() != dimensions.size()) throw Error(kMisuse, "a point with another number of coordinates than the linear map's dimensions");
  Bits packed = 0;
  int offset = 0;
  for (std::size_t i = 0; i < point.size(); ++i) {
    if (point[i] & ~low_bits(dimensions[i].bits)) {
      throw Error(kMisuse,
                  std::to_string(point[i]) + " is outside dimension '" + dimensions[i].name + "' of " + std::to_string(dimensions[i].bits) + " bits");
    }
    packed |= Bits{point[i]} << offset;
    offset += dimensions[i].bits;
  }
  return packed;
}

Point unpack(const std::vector<Dimension>& dimensions, Bits packed) {
  Point point(dimensions.size());
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    point[i] = static_cast<std::uint32_t>(packed & low_bits(dimensions[i].bits));
    packed >>= dimensions[i].bits;
  }
  return point;
}

std::vector<Point> unpack_all(const std::vector<Dimension>& dimensions, const std::vector<Bits>& packed) {
  std::vector<Point> points;
  points.reserve(packed.size());
  for (Bits p : packed) points.push_back(unpack(dimensions, p));
  return points;
}

// The positions, in the packed word of `from`, of the bits of `to` in their order; -1 where `from` has no such dimension.
std::vector<int> gather(const std::vector<Dimension>& from, const std::vector<Dimension>& to) {
  std::vector<int> positions;
  for (const Dimension& d : to) {
    const int known = find(from, d.name);
    const int offset = known < 0 ? 0 : offset_of(from, d.name);
    for (int k = 0; k < d.bits; ++k) positions.push_back(known < 0 || k >= from[known].bits ? -1 : offset + k);
  }
  return positions;
}

BitMatrix rearranged(const BitMatrix& matrix, const std::vector<int>& rows, const std::vector<int>& columns) {
  std::vector<Bits> result;
  for (int j : columns) {
    Bits column = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (j >= 0 && rows[i] >= 0 && has_bit(matrix.column(j), rows[i])) column |= bit(static_cast<int>(i));
    }
    result.push_back(column);
  }
  return BitMatrix(static_cast<int>(rows.size()), std::move(result));
}

// The dimensions of both, those of `high` above.
std::vector<Dimension> stacked(const std::vector<Dimension>& low, const std::vector<Dimension>& high) {
  std::vector<Dimension> both = low;
  for (const Dimension& d : high) {
    const int i = find(both, d.name);
    if (i < 0) both.push_back(d);
    else both[i].bits += d.bits;
  }
  return both;
}

// For each bit of stacked(low, high): its position in the packed word of `low`, or ~position in that of `high`.
std::vector<int> origin(const std::vector<Dimension>& low, const std::vector<Dimension>& high) {
  std::vector<int> positions;
  for (const Dimension& d : stacked(low, high)) {
    const int from_low = bits_of(low, d.name);
    const int low_offset = from_low > 0 ? offset_of(low, d.name) : 0, high_offset = from_low < d.bits ? offset_of(high, d.name) : 0;
    for (int k = 0; k < d.bits; ++k) positions.push_back(k < from_low ? low_offset + k : ~(high_offset + k - from_low));
  }
  return positions;
}

// Moves the bits of a word of one of the two factors to their places in the stacked word.
Bits placed(Bits packed, const std::vector<int>& origin, bool high) {
  Bits result = 0;
  for (std::size_t i = 0; i < origin.size(); ++i) {
    if (high == (origin[i] < 0) && has_bit(packed, high ? ~origin[i] : origin[i])) result |= bit(static_cast<int>(i));
  }
  return result;
}

std::vector<Dimension> minus(const std::vector<Dimension>& whole, const std::vector<Dimension>& part) {
  std::vector<Dimension> rest = whole;
  for (Dimension& d : rest) d.bits -= bits_of(part, d.name);
  return rest;
}

bool includes(const std::vector<Dimension>& whole, const std::vector<Dimension>& part) {
  return std::all_of(part.begin(), part.end(), [&](const Dimension& d) { return find(whole, d.name) >= 0 && d.bits <= bits_of(whole, d.name); });
}

std::vector<Dimension> named(const std::vector<Dimension>& dimensions, const std::vector<std::string>& names) {
  std::vector<Dimension> result;
  for (const std::string& name : names) result.push_back({name, bits_of(dimensions, name)});
  return result;
}

std::vector<Dimension> renamed(std::vector<Dimension> dimensions, const std::string& from, const std::string& to) {
  const int i = find(dimensions, from);
  if (i < 0 || (from != to && find(dimensions, to) >= 0)) throw Error(kMisuse, "linear map: cannot rename '" + from + "' to '" + to + "'");
  dimensions[i].name = to;
  return dimensions;
}

}  // namespace

LinearMap::LinearMap(std::vector<Dimension> inputs, std::vector<Dimension> outputs, BitMatrix matrix)
    : inputs_(std::move(inputs)), outputs_(std::move(outputs)), matrix_(std::move(matrix)) {
  for (const auto* dimensions : {&inputs_, &outputs_}) {
    for (std::size_t i = 0; i < dimensions->size(); ++i) {
      if (find(*dimensions, (*dimensions)[i].name) != static_cast<int>(i))
        throw Error(kMisuse, "linear map: two dimensions '" + (*dimensions)[i].name + "'");
    }
  }
  if (total_bits(inputs_) != matrix_.columns() || total_bits(outputs_) != matrix_.rows())
    throw Error(kMisuse, "linear map: matrix and dimensions differ in size");
  if (matrix_.columns() > kMaxBits || matrix_.rows() > kMaxBits) throw Error(kMisuse, "linear map of more than 32 bits");
}

LinearMap::LinearMap(const Bases& bases, std::vector<Dimension> outputs) {
  std::vector<Dimension> inputs;
  std::vector<Bits> columns;
  for (const auto& [name, points] : bases) {
    inputs.push_back({name, static_cast<int>(points.size())});
    for (const Point& point : points) columns.push_back(pack(outputs, point));
  }
  const int rows = total_bits(outputs);
  *this = LinearMap(std::move(inputs), std::move(outputs), BitMatrix(rows, std::move(columns)));
}

LinearMap LinearMap::identity(const std::string& input, const std::string& output, int bits) {
  return LinearMap({{input, bits}}, {{output, bits}}, BitMatrix::identity(bits));
}

LinearMap LinearMap::zero(const std::string& input, int bits, const std::string& output) {
  return LinearMap({{input, bits}}, {{output, 0}}, BitMatrix::zero(0, bits));
}

int LinearMap::input_bits(std::string_view name) const { return bits_of(inputs_, name); }
int LinearMap::output_bits(std::string_view name) const { return bits_of(outputs_, name); }
int LinearMap::input_offset(std::string_view name) const { return offset_of(inputs_, name); }
int LinearMap::output_offset(std::string_view name) const { return offset_of(outputs_, name); }

Point LinearMap::apply(const Point& input) const { return unpack(outputs_, matrix_.apply(pack(inputs_, input))); }
Bits LinearMap::pack_input(const Point& input) const { return pack(inputs_, input); }
Point LinearMap::unpack_input(Bits packed) const { return unpack(inputs_, packed); }
Bits LinearMap::pack_output(const Point& output) const { return pack(outputs_, output); }
Point LinearMap::unpack_output(Bits packed) const { return unpack(outputs_, packed); }

Point LinearMap::basis(std::string_view input, int position) const {
  if (position < 0 || position >= input_bits(input))
    throw Error(kMisuse, "linear map: no bit " + std::to_string(position) + " in '" + std::string(input) + "'");
  return unpack(outputs_, matrix_.column(input_offset(input) + position));
}

LinearMap LinearMap::then(const LinearMap& next) const {
  if (outputs_.size() != next.inputs_.size() || !includes(outputs_, next.inputs_) || !includes(next.inputs_, outputs_)) {
    throw Error(kMisuse, "linear maps that do not compose").note(to_string()).note(next.to_string());
  }
  std::vector<int> columns(matrix_.columns());
  for (int j = 0; j < matrix_.columns(); ++j) columns[j] = j;
  return LinearMap(inputs_, next.outputs_, next.matrix_ * rearranged(matrix_, gather(outputs_, next.inputs_), columns));
}

LinearMap LinearMap::restricted(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) const {
  for (const std::string& name : inputs) offset_of(inputs_, name);
  for (const std::string& name : outputs) offset_of(outputs_, name);
  std::vector<Dimension> in = named(inputs_, inputs), out = named(outputs_, outputs);
  BitMatrix matrix = rearranged(matrix_, gather(outputs_, out), gather(inputs_, in));
  return LinearMap(std::move(in), std::move(out), std::move(matrix));
}

LinearMap LinearMap::ordered(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) const {
  std::vector<Dimension> in = named(inputs_, inputs), out = named(outputs_, outputs);
  if (total_bits(in) != matrix_.columns() || total_bits(out) != matrix_.rows())
    throw Error(kMisuse, "linear map: an order that leaves dimensions out").note(to_string());
  BitMatrix matrix = rearranged(matrix_, gather(outputs_, out), gather(inputs_, in));
  return LinearMap(std::move(in), std::move(out), std::move(matrix));
}

LinearMap LinearMap::renamed_input(const std::string& from, const std::string& to) const {
  return LinearMap(renamed(inputs_, from, to), outputs_, matrix_);
}
LinearMap LinearMap::renamed_output(const std::string& from, const std::string& to) const {
  return LinearMap(inputs_, renamed(outputs_, from, to), matrix_);
}

LinearMap LinearMap::without_inputs(const std::vector<std::uint32_t>& masks) const {
  std::vector<Dimension> inputs = inputs_;
  std::vector<Bits> columns;
  int j = 0;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    for (int k = 0; k < inputs_[i].bits; ++k, ++j) {
      if (has_bit(masks[i], k)) --inputs[i].bits;
      else columns.push_back(matrix_.column(j));
    }
  }
  return LinearMap(std::move(inputs), outputs_, BitMatrix(matrix_.rows(), std::move(columns)));
}

std::vector<Point> LinearMap::kernel() const { return unpack_all(inputs_, matrix_.kernel()); }

std::vector<Point> LinearMap::image() const {
  std::vector<Bits> basis;
  for (int j : matrix_.pivots()) basis.push_back(matrix_.column(j));
  return unpack_all(outputs_, basis);
}

std::vector<std::uint32_t> LinearMap::free_masks() const {
  Bits free = low_bits(matrix_.columns());
  for (int j : matrix_.pivots()) free &= ~bit(j);
  return unpack(inputs_, free);
}

LinearMap LinearMap::left_inverse() const {
  if (!injective()) throw Error(kMisuse, "left inverse of a linear map that is not injective").note(to_string());
  return pseudo_inverse();
}

LinearMap LinearMap::right_inverse() const {
  if (!surjective()) throw Error(kMisuse, "right inverse of a linear map that is not surjective").note(to_string());
  return pseudo_inverse();
}

LinearMap LinearMap::pseudo_inverse() const { return LinearMap(outputs_, inputs_, matrix_.pseudo_inverse()); }

std::optional<LinearMap> LinearMap::solved_by(const LinearMap& target) const {
  if (outputs_ != target.outputs_) throw Error(kMisuse, "linear maps to different spaces").note(to_string()).note(target.to_string());
  auto x = solve(target.matrix_, matrix_);
  if (!x) return std::nullopt;
  return LinearMap(inputs_, target.inputs_, std::move(*x));
}

std::string LinearMap::to_string() const {
  std::size_t width = std::string("sizes").size();
  for (const Dimension& d : inputs_) width = std::max(width, d.name.size());
  auto padded = [&](const std::string& name) { return name + std::string(width - name.size(), ' '); };
  std::string text;
  for (const Dimension& d : inputs_) {
    if (d.bits == 0) continue;
    int digits = static_cast<int>(std::to_string(bit(d.bits - 1)).size());
    for (int k = 0; k < d.bits; ++k) {
      const std::string index = std::to_string(bit(k));
      text += padded(k == 0 ? d.name : "") + "  " + std::string(digits - index.size(), ' ') + index + " -> (";
      const Point value = basis(d.name, k);
      for (std::size_t i = 0; i < value.size(); ++i) text += (i ? ", " : "") + outputs_[i].name + " " + std::to_string(value[i]);
      text += ")\n";
    }
  }
  text += padded("sizes") + "  ";
  auto sizes = [](const std::vector<Dimension>& dimensions) {
    std::string list;
    for (const Dimension& d : dimensions) list += (list.empty() ? "" : ", ") + d.name + " " + std::to_string(bit(d.bits));
    return list;
  };
  return text + sizes(inputs_) + " -> " + sizes(outputs_) + "\n";
}

LinearMap product(const LinearMap& low, const LinearMap& high) {
  const std::vector<int> rows = origin(low.outputs(), high.outputs());
  std::vector<Bits> columns;
  for (int from : origin(low.inputs(), high.inputs())) {
    columns.push_back(from >= 0 ? placed(low.matrix().column(from), rows, false) : placed(high.matrix().column(~from), rows, true));
  }
  return LinearMap(stacked(low.inputs(), high.inputs()), stacked(low.outputs(), high.outputs()),
                   BitMatrix(static_cast<int>(rows.size()), std::move(columns)));
}

LinearMap direct_sum(const LinearMap& a, const LinearMap& b) {
  for (const Dimension& d : b.inputs()) {
    if (find(a.inputs(), d.name) >= 0) throw Error(kMisuse, "direct sum of linear maps that share the input '" + d.name + "'");
  }
  for (const Dimension& d : b.outputs()) {
    if (find(a.outputs(), d.name) >= 0) throw Error(kMisuse, "direct sum of linear maps that share the output '" + d.name + "'");
  }
  return product(a, b);
}

LinearMap joined_inputs(const LinearMap& a, const LinearMap& b) {
  if (a.outputs() != b.outputs()) throw Error(kMisuse, "linear maps to different spaces").note(a.to_string()).note(b.to_string());
  std::vector<Bits> columns;
  for (int from : origin(a.inputs(), b.inputs())) columns.push_back(from >= 0 ? a.matrix().column(from) : b.matrix().column(~from));
  return LinearMap(stacked(a.inputs(), b.inputs()), a.outputs(), BitMatrix(a.matrix().rows(), std::move(columns)));
}

std::optional<LinearMap> quotient_by_low(const LinearMap& whole, const LinearMap& low) {
  if (!includes(whole.inputs(), low.inputs()) || !includes(whole.outputs(), low.outputs())) return std::nullopt;
  const std::vector<Dimension> in = minus(whole.inputs(), low.inputs()), out = minus(whole.outputs(), low.outputs());
  std::vector<Bits> columns;
  for (const Dimension& d : in) {
    const int first = whole.input_offset(d.name) + low.input_bits(d.name);
    for (int k = 0; k < d.bits; ++k) {
      const Point value = whole.unpack_output(whole.matrix().column(first + k));
      Bits packed = 0;
      for (std::size_t i = out.size(); i-- > 0;) packed = packed << out[i].bits | value[i] >> low.output_bits(out[i].name);
      columns.push_back(packed);
    }
  }
  LinearMap rest(in, out, BitMatrix(total_bits(out), std::move(columns)));
  std::vector<std::string> inputs, outputs;
  for (const Dimension& d : whole.inputs()) inputs.push_back(d.name);
  for (const Dimension& d : whole.outputs()) outputs.push_back(d.name);
  if (product(low, rest).ordered(inputs, outputs) != whole) return std::nullopt;
  return rest;
}

std::optional<LinearMap> quotient_by_high(const LinearMap& whole, const LinearMap& high) {
  if (!includes(whole.inputs(), high.inputs()) || !includes(whole.outputs(), high.outputs())) return std::nullopt;
  const std::vector<Dimension> in = minus(whole.inputs(), high.inputs()), out = minus(whole.outputs(), high.outputs());
  std::vector<Bits> columns;
  for (const Dimension& d : in) {
    for (int k = 0; k < d.bits; ++k) {
      const Point value = whole.basis(d.name, k);
      Bits packed = 0;
      for (std::size_t i = out.size(); i-- > 0;) packed = packed << out[i].bits | (value[i] & low_bits(out[i].bits));
      columns.push_back(packed);
    }
  }
  LinearMap rest(in, out, BitMatrix(total_bits(out), std::move(columns)));
  if (product(rest, high) != whole) return std::nullopt;
  return rest;
}

}  // namespace tilewright::layout

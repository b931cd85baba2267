// Cutting the axes of two layouts alike.
#include "compiler/layout/alignment.h"

#include <algorithm>

namespace tilewright::layout {
namespace {

// A digit along an axis, or what is left of one.
struct Digit {
  int count;
  DigitSource from;
  std::int64_t stride;
};

// Columns of one side as they are found.
struct Builder {
  explicit Builder(const Layout& layout) : layout(layout) {
    const LinearMap& atom = layout.atom();
    for (int axis = 0; axis < layout.rank(); ++axis) rows.push_back(atom.output_offset(axis_name(axis)));
    columns[0].resize(atom.inputs()[0].bits);
    columns[1].resize(atom.inputs()[1].bits);
    columns[2].resize(log2_ceil(layout.warps()));
    columns[3].resize(log2_ceil(layout.blocks()));
    for (std::size_t k = 0; k < columns[0].size(); ++k) increments.push_back(1 << k);
  }

  std::vector<Digit> digits(int axis) const {
    std::vector<Digit> list;
    int divisors[4];
    for (Place place : kPlaces) divisors[static_cast<int>(place)] = 1 << layout.atom().inputs()[static_cast<int>(place)].bits;
    for (const Repeat& r : layout.repeats()) {
      int& divisor = divisors[static_cast<int>(r.place)];
      if (r.axis == axis && r.count > 1) list.push_back({r.count, {r.place, divisor}, r.stride});
      divisor *= r.count;
    }
    std::sort(list.begin(), list.end(), [](const Digit& a, const Digit& b) { return a.stride < b.stride; });
    return list;
  }

  // The atom's bits below `bits` of an axis go to rows [row, row + bits). A base that moves further leads outside the tile, if no other base can move back; it then
  // counts as a base of copies.
  bool add_atom(int axis, int bits, int row) {
    const LinearMap& atom = layout.atom();
    const int kept = std::min(bits, atom.outputs()[axis].bits);
    for (int above = kept; above < atom.outputs()[axis].bits; ++above) {
      int movers = 0;
      for (Place place : kPlaces) {
        const int p = static_cast<int>(place), first = atom.input_offset(place_name(place));
        for (int k = 0; k < atom.inputs()[p].bits; ++k) {
          if (has_bit(atom.matrix().column(first + k), rows[axis] + above)) outside[p] |= bit(k), ++movers;
        }
      }
      if (movers > 1) return false;
    }
    for (Place place : kPlaces) {
      const int p = static_cast<int>(place), first = atom.input_offset(place_name(place));
      for (int k = 0; k < atom.inputs()[p].bits; ++k) columns[p][k] |= (atom.matrix().column(first + k) >> rows[axis] & low_bits(kept)) << row;
    }
    return true;
  }

  // `digit` as bits from row `row` on, those at or above `end` ignored. False if the bits are not at hand.
  bool add_bits(const Digit& digit, int row, int end) {
    const int bits = log2_ceil(digit.count), p = static_cast<int>(digit.from.place);
    auto value = [&](int k) { return row + k < end ? bit(row + k) : 0; };
    if (digit.from.place == Place::kRegister) {
      if (!is_power_of_two(digit.count)) paddings.push_back({static_cast<int>(columns[0].size()), bits, digit.count});
      for (int k = 0; k < bits; ++k) {
        columns[0].push_back(value(k));
        increments.push_back(digit.from.divisor << k);
      }
      return true;
    }
    // Bits of the number itself, if nothing below it or above it gets in the way.
    const bool topmost = digit.from.divisor * digit.count == layout.count(digit.from.place);
    if (!is_power_of_two(digit.from.divisor) || (!is_power_of_two(digit.count) && !topmost)) return false;
    for (int k = 0; k < bits; ++k) columns[p][log2_exact(digit.from.divisor) + k] |= value(k);
    return true;
  }

  AlignedSide side(int bits) const {
    AlignedSide result;
    BitMatrix* matrices[] = {&result.registers, &result.lanes, &result.warps, &result.blocks};
    for (int p = 0; p < 4; ++p) {
      std::vector<Bits> list = columns[p];
      for (std::size_t k = 0; k < list.size(); ++k) {
        if (has_bit(outside[p], static_cast<int>(k))) list[k] = 0;
      }
      *matrices[p] = BitMatrix(bits, std::move(list));
    }
    result.increments = increments;
    result.paddings = paddings;
    return result;
  }

  const Layout& layout;
  std::vector<int> rows;  // where each axis begins in the atom's output
  std::vector<Bits> columns[4];
  Bits outside[4] = {};  // columns to be dropped
  std::vector<int> increments;
  std::vector<AlignedSide::Padding> paddings;
};

// Takes digits from the low end until they and the atom make up `bits` bits; what the atom has beyond `kept` bits is dropped.
bool lower(Builder& builder, int axis, int bits, int kept, int row, std::vector<Digit>& digits) {
  if (!builder.add_atom(axis, kept, row)) return false;
  int have = builder.layout.atom().outputs()[axis].bits;
  while (have < bits && !digits.empty()) {
    Digit& digit = digits.front();
    const int wanted = 1 << (bits - have);
    if (digit.count % wanted == 0) {
      if (!builder.add_bits({wanted, digit.from, digit.stride}, row + have, row + bits)) return false;
      digit.count /= wanted, digit.from.divisor *= wanted;
      have = bits;
      if (digit.count == 1) digits.erase(digits.begin());
    } else if (is_power_of_two(digit.count) && wanted % digit.count == 0) {
      if (!builder.add_bits(digit, row + have, row + bits)) return false;
      have += log2_exact(digit.count);
      digits.erase(digits.begin());
    } else {
      return false;
    }
  }
  return true;
}

bool counted_by_threads(const Digit& digit) { return digit.from.place != Place::kRegister; }

// Cuts both lists of digits alike. What only one of them has at the end is outside the tile.
bool refine(std::vector<Digit> a, std::vector<Digit> b, Alignment& result) {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    const bool last = i + 1 == a.size() && j + 1 == b.size();
    int common = 0;
    if (a[i].count == b[j].count) common = a[i].count;
    else if (last) common = std::min(a[i].count, b[j].count);
    else if (a[i].count % b[j].count == 0) common = b[j].count;
    else if (b[j].count % a[i].count == 0) common = a[i].count;
    else return false;
    result.digits.push_back({common, a[i].from, b[j].from});
    if (last && a[i].count != b[j].count) {
      result.idle_threads = result.idle_threads || counted_by_threads(a[i]) || counted_by_threads(b[j]);
      return true;
    }
    for (auto [digit, index] : {std::pair(&a[i], &i), {&b[j], &j}}) {
      digit->count /= common, digit->from.divisor *= common;
      if (digit->count == 1) ++*index;
    }
  }
  result.idle_threads = result.idle_threads || std::any_of(a.begin() + static_cast<std::ptrdiff_t>(i), a.end(), counted_by_threads);
  return true;
}

int padded_bits(const Builder& builder, int axis) {
  int bits = builder.layout.atom().outputs()[axis].bits;
  for (const Digit& digit : builder.digits(axis)) bits += log2_ceil(digit.count);
  return bits;
}

// The whole axis as bits, those from `kept` on dropped.
bool pad(Builder& builder, int axis, int kept, int row) {
  if (!builder.add_atom(axis, kept, row)) return false;
  const std::vector<Digit> digits = builder.digits(axis);
  int have = builder.layout.atom().outputs()[axis].bits;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (!is_power_of_two(digits[i].count) && i + 1 < digits.size()) return false;
    if (!builder.add_bits(digits[i], row + have, row + kept)) return false;
    have += log2_ceil(digits[i].count);
  }
  return true;
}

}  // namespace

int AlignedSide::real_register(Bits virtual_register) const {
  for (const Padding& p : paddings) {
    if (static_cast<int>(virtual_register >> p.first & low_bits(p.bits)) >= p.limit) return -1;
  }
  int real = 0;
  for (std::size_t k = 0; k < increments.size(); ++k) {
    if (has_bit(virtual_register, static_cast<int>(k))) real += increments[k];
  }
  return real;
}

Bits AlignedSide::solid() const {
  Bits mask = low_bits(static_cast<int>(increments.size()));
  for (const Padding& p : paddings) mask &= ~(low_bits(p.bits) << p.first);
  return mask;
}

std::optional<Alignment> align(const Layout& source, const Layout& target, Outside outside) {
  const Layout a = source.canonical(), b = target.canonical();
  Builder from(a), to(b);
  Alignment result;
  for (int axis = 0; axis < a.rank(); ++axis) {
    // Coordinates of more bits than the extent needs are outside the tile, whatever the layouts cover.
    const int needed = log2_ceil(a.extents()[axis]), row = result.bits;
    const int in_source = a.atom().outputs()[axis].bits, cut = std::min(needed, std::max(in_source, b.atom().outputs()[axis].bits));
    const Alignment before = result;
    const Builder from_before = from, to_before = to;
    std::vector<Digit> from_digits = from.digits(axis), to_digits = to.digits(axis);
    const int kept = outside == Outside::kDrop ? cut : std::max(cut, in_source);
    if (lower(from, axis, cut, kept, row, from_digits) && lower(to, axis, cut, cut, row, to_digits) && refine(from_digits, to_digits, result)) {
      result.bits += kept;
      continue;
    }
    result = before;
    for (auto [builder, saved] : {std::pair(&from, &from_before), {&to, &to_before}}) {
      for (int p = 0; p < 4; ++p) builder->columns[p] = saved->columns[p], builder->outside[p] = saved->outside[p];
      builder->increments = saved->increments, builder->paddings = saved->paddings;
    }
    const int all = outside == Outside::kDrop ? needed : std::max(needed, padded_bits(from, axis));
    if (!pad(from, axis, all, row) || !pad(to, axis, needed, row)) return std::nullopt;
    result.bits += all;
  }
  result.source = from.side(result.bits);
  result.target = to.side(result.bits);
  return result;
}

}  // namespace tilewright::layout

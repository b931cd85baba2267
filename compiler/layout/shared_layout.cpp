// Offsets in shared memory, and their expression in terms of slots.
#include "compiler/layout/shared_layout.h"

#include <bit>

#include "runtime/support/error.h"

namespace tilewright::layout {
namespace {

constexpr int kMisuse = 9502;

// Makes one word of those that have power-of-two strides and no bits in common with the first.
void merge_words(IndexExpression& expression) {
  auto used = [](const IndexExpression::Word& word) {
    std::uint32_t mask = word.thread_mask();
    for (std::uint32_t constant : word.registers) mask |= constant;
    return mask;
  };
  IndexExpression::Word& first = expression.words.front();
  std::vector<IndexExpression::Word> rest;
  for (std::size_t i = 1; i < expression.words.size(); ++i) {
    IndexExpression::Word& word = expression.words[i];
    const std::uint32_t mask = used(word);
    if (mask == 0) continue;
    const int shift = log2_exact(power_of_two_factor(word.stride));
    if (!is_power_of_two(word.stride) || std::bit_width(mask) + shift > 31 || (used(first) & mask << shift) != 0) {
      rest.push_back(std::move(word));
      continue;
    }
    auto merge = [&](std::vector<std::uint32_t>& into, const std::vector<std::uint32_t>& from) {
      for (std::size_t k = 0; k < into.size(); ++k) into[k] |= from[k] << shift;
    };
    merge(first.lane, word.lane), merge(first.warp, word.warp), merge(first.block, word.block), merge(first.registers, word.registers);
  }
  expression.words.resize(1);
  expression.words.insert(expression.words.end(), rest.begin(), rest.end());
}

}  // namespace

XorSwizzle standard_swizzle(int row_bytes) {
  if (row_bytes != 16 && row_bytes != 32 && row_bytes != 64 && row_bytes != 128)
    throw Error(kMisuse, "no swizzle of rows of " + std::to_string(row_bytes) + " bytes");
  const int chunk_bits = log2_exact(row_bytes / 16);
  return {16, chunk_bits, 3 - chunk_bits};
}

SharedLayout::SharedLayout(std::vector<std::int64_t> extents, const LinearMap& atom, std::vector<std::int64_t> strides)
    : extents_(std::move(extents)), atom_(atom.ordered(axis_names(static_cast<int>(extents_.size())), {"offset"})), strides_(std::move(strides)) {
  if (!atom_.bijective()) throw Error(kMisuse, "shared layout: an atom that is not bijective").note(atom_.to_string());
  if (strides_.size() != extents_.size()) throw Error(kMisuse, "shared layout: one stride for each axis");
}

SharedLayout SharedLayout::strided(const std::vector<std::int64_t>& extents, const std::vector<int>& order, std::int64_t padding) {
  std::vector<std::int64_t> strides(extents.size());
  std::int64_t stride = 1;
  for (std::size_t i = 0; i < order.size(); ++i) {
    strides[order[i]] = stride;
    stride *= extents[order[i]];
    if (i == 0) stride += padding;
  }
  return SharedLayout(extents, LinearMap(), std::move(strides));
}

SharedLayout SharedLayout::swizzled(const std::vector<std::int64_t>& extents, const std::vector<int>& order, int element_bytes,
                                    const XorSwizzle& swizzle) {
  if (swizzle.chunk_bytes < element_bytes || extents.size() < 2) throw Error(kMisuse, "shared layout: a swizzle that does not fit the tile");
  const int in_chunk = log2_exact(swizzle.chunk_bytes / element_bytes), row_bits = swizzle.chunk_bits + swizzle.row_shift;
  const int column_bits = in_chunk + swizzle.chunk_bits;
  std::vector<Point> column_bases, row_bases;
  for (int k = 0; k < column_bits; ++k) column_bases.push_back({static_cast<std::uint32_t>(bit(k))});
  for (int k = 0; k < row_bits; ++k) {
    const Bits chunk = k >= swizzle.row_shift ? bit(in_chunk + k - swizzle.row_shift) : 0;
    row_bases.push_back({static_cast<std::uint32_t>(bit(column_bits + k) | chunk)});
  }
  const LinearMap atom({{axis_name(order[0]), column_bases}, {axis_name(order[1]), row_bases}}, {{"offset", column_bits + row_bits}});
  std::vector<std::int64_t> strides(extents.size());
  auto blocks = [&](int axis, int bits) { return (extents[axis] + (std::int64_t{1} << bits) - 1) >> bits; };
  std::int64_t stride = std::int64_t{1} << (column_bits + row_bits);
  strides[order[1]] = stride;
  stride *= blocks(order[1], row_bits);
  strides[order[0]] = stride;
  stride *= blocks(order[0], column_bits);
  for (std::size_t i = 2; i < order.size(); ++i) {
    strides[order[i]] = stride;
    stride *= extents[order[i]];
  }
  return SharedLayout(extents, atom, std::move(strides));
}

std::int64_t SharedLayout::offset(const std::vector<std::int64_t>& coordinates) const {
  Bits packed = 0;
  int position = 0;
  std::int64_t above = 0;
  for (std::size_t axis = 0; axis < extents_.size(); ++axis) {
    const int bits = atom_.inputs()[axis].bits;
    packed |= (coordinates[axis] & low_bits(bits)) << position;
    position += bits;
    above += (coordinates[axis] >> bits) * strides_[axis];
  }
  return static_cast<std::int64_t>(atom_.apply_packed(packed)) + above;
}

std::int64_t SharedLayout::size() const {
  std::int64_t last = (std::int64_t{1} << atom_.output_bits("offset")) - 1;
  for (std::size_t axis = 0; axis < extents_.size(); ++axis) last += ((extents_[axis] - 1) >> atom_.inputs()[axis].bits) * strides_[axis];
  return last + 1;
}

std::string SharedLayout::to_string() const {
  std::string text = "strides";
  for (std::size_t axis = 0; axis < extents_.size(); ++axis) {
    text +=
        " " + std::to_string(strides_[axis]) + " per " + std::to_string(bit(atom_.inputs()[axis].bits)) + " of " + axis_name(static_cast<int>(axis));
  }
  return text + "\n" + atom_.to_string();
}

std::optional<IndexExpression> offset_expression(const Layout& given, const SharedLayout& shared) {
  const Layout layout = given.canonical();
  const LinearMap& atom = shared.atom();
  IndexExpression result;
  result.registers.assign(layout.registers(), 0);
  IndexExpression::Word empty;
  empty.lane.assign(layout.atom().input_bits("lane"), 0);
  empty.warp.assign(log2_ceil(layout.warps()), 0);
  empty.block.assign(log2_ceil(layout.blocks()), 0);
  empty.registers.assign(layout.registers(), 0);
  result.words.push_back(empty);
  for (int axis = 0; axis < layout.rank(); ++axis) {
    IndexExpression e = coordinate_expression(layout, axis);
    IndexExpression::Word& word = e.words[0];
    word.warp.resize(empty.warp.size()), word.block.resize(empty.block.size());
    const int bits = atom.inputs()[axis].bits, first = atom.input_offset(axis_name(axis));
    const std::int64_t stride = shared.strides()[axis];
    // Digits of threads below the atom's size become bits.
    for (const IndexExpression::Digit& d : e.digits) {
      std::int64_t count = d.count, divisor = d.divisor;
      int position = log2_exact(power_of_two_factor(d.stride));
      if (position < bits && (!is_power_of_two(d.stride) || !is_power_of_two(d.count) || !is_power_of_two(d.divisor))) return std::nullopt;
      for (; position < bits && count > 1; count /= 2, divisor *= 2, ++position) {
        (d.place == Place::kWarp ? word.warp : word.block)[log2_exact(divisor)] |= static_cast<std::uint32_t>(bit(position));
      }
      if (count > 1) {
        const std::int64_t unit = d.stride * (d.count / count);
        result.digits.push_back({d.place, (unit >> bits) * stride, static_cast<int>(divisor), static_cast<int>(count)});
      }
    }
    for (std::size_t reg = 0; reg < e.registers.size(); ++reg) {
      const std::int64_t added = e.registers[reg];
      word.registers[reg] |= static_cast<std::uint32_t>(added & low_bits(bits));
      result.registers[reg] += (added >> bits) * stride;
    }
    IndexExpression::Word high = empty;
    high.stride = stride;
    auto place = [&](const std::vector<std::uint32_t>& from, std::vector<std::uint32_t> IndexExpression::Word::*part) {
      for (std::size_t k = 0; k < from.size(); ++k) {
        (result.words.front().*part)[k] ^= static_cast<std::uint32_t>(atom.matrix().apply((from[k] & low_bits(bits)) << first));
        (high.*part)[k] ^= static_cast<std::uint32_t>(from[k] >> bits);
      }
    };
    place(word.lane, &IndexExpression::Word::lane);
    place(word.warp, &IndexExpression::Word::warp);
    place(word.block, &IndexExpression::Word::block);
    place(word.registers, &IndexExpression::Word::registers);
    result.words.push_back(std::move(high));
  }
  merge_words(result);
  return result;
}

}  // namespace tilewright::layout

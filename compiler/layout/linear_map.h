// Linear maps over F2 between named dimensions: the power-of-two part of every layout (cf. arXiv 2505.23819).
//
// A dimension of k bits is the index range [0, 2^k). A map is fixed by its values at the powers of two of each input dimension, the *bases*; its value
// elsewhere is the xor of the bases at the set bits:
//
//   f(lane = 5) == f(lane = 4) ^ f(lane = 1)
//
// Written as a matrix, each basis is a column; the rows are the bits of the output dimensions, first dimension lowest. A map has at most 32 input and
// 32 output bits.
//
// Maps are values: every operation returns a new one, nothing is shared, reading from several threads is safe. Misuse (unknown dimension, sizes that do not
// fit) is our own bug and throws Error TW9501.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/layout/bits.h"

namespace tilewright::layout {

struct Dimension {
  std::string name;
  int bits = 0;
  friend bool operator==(const Dimension&, const Dimension&) = default;
};

// A value for each dimension, in the map's order.
using Point = std::vector<std::uint32_t>;
// For each input dimension: its name, and the output point of each of its bits.
using Bases = std::vector<std::pair<std::string, std::vector<Point>>>;

class LinearMap {
 public:
  LinearMap() = default;
  // Points list the output dimensions in the order of `outputs`.
  LinearMap(const Bases& bases, std::vector<Dimension> outputs);
  LinearMap(std::vector<Dimension> inputs, std::vector<Dimension> outputs, BitMatrix matrix);

  // output = input, on `bits` bits.
  static LinearMap identity(const std::string& input, const std::string& output, int bits);
  // output = 0 for every input: `bits` bits that make no difference (copies).
  static LinearMap zero(const std::string& input, int bits, const std::string& output);

  const std::vector<Dimension>& inputs() const { return inputs_; }
  const std::vector<Dimension>& outputs() const { return outputs_; }
  const BitMatrix& matrix() const { return matrix_; }
  // Bits of one dimension; 0 for a dimension the map does not have.
  int input_bits(std::string_view name) const;
  int output_bits(std::string_view name) const;
  // Where the bits of a dimension begin in the packed word.
  int input_offset(std::string_view name) const;
  int output_offset(std::string_view name) const;

  // The value at a point given in the order of inputs().
  Point apply(const Point& input) const;
  // The same on packed words: all dimensions' bits in order, the first dimension lowest.
  Bits apply_packed(Bits input) const { return matrix_.apply(input); }
  Bits pack_input(const Point& input) const;
  Point unpack_input(Bits packed) const;
  Bits pack_output(const Point& output) const;
  Point unpack_output(Bits packed) const;
  // The value at bit `position` of an input dimension.
  Point basis(std::string_view input, int position) const;

  // The map x -> next(this(x)). The outputs of this are the inputs of next, by name; sizes agree.
  LinearMap then(const LinearMap& next) const;
  // Keeps the named inputs (the others held at 0) and outputs (the others forgotten), in the given order.
  LinearMap restricted(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) const;
  // The same map with its dimensions in the given order; those not yet there are added with 0 bits.
  LinearMap ordered(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) const;
  LinearMap renamed_input(const std::string& from, const std::string& to) const;
  LinearMap renamed_output(const std::string& from, const std::string& to) const;
  // Drops the input bits whose mask bit is set; `masks` in the order of inputs().
  LinearMap without_inputs(const std::vector<std::uint32_t>& masks) const;

  int rank() const { return matrix_.rank(); }
  bool injective() const { return rank() == matrix_.columns(); }
  bool surjective() const { return rank() == matrix_.rows(); }
  bool bijective() const { return injective() && surjective(); }
  // A basis of the inputs that map to 0, as points. Two inputs hold the same element exactly if they differ by a sum of these.
  std::vector<Point> kernel() const;
  // A basis of the values, as points.
  std::vector<Point> image() const;
  // For each input dimension the bits that are redundant given the bits before them (earlier dimensions first, low bits first): with these bits 0, each value
  // of the image is taken exactly once. For a layout: the copies made by broadcasting.
  std::vector<std::uint32_t> free_masks() const;

  // g with g(this(x)) == x; only for injective maps. Outside the image g is some linear extension.
  LinearMap left_inverse() const;
  // g with this(g(y)) == y; only for surjective maps. g avoids the free bits.
  LinearMap right_inverse() const;
  // g with this(g(y)) == y on the image; for any map.
  LinearMap pseudo_inverse() const;
  // x with target(x(p)) == this(p), if the image of `target` holds all values of this. Where has `target` put what this one holds?
  std::optional<LinearMap> solved_by(const LinearMap& target) const;

  // One line a basis, in columns:
  //   register  1 -> (dim0 0, dim1 1)
  //             2 -> (dim0 8, dim1 0)
  //   lane      1 -> (dim0 0, dim1 2)
  std::string to_string() const;

  friend bool operator==(const LinearMap&, const LinearMap&) = default;

 private:
  std::vector<Dimension> inputs_, outputs_;
  BitMatrix matrix_;
};

// Block diagonal: the bits of `high` lie above those of `low` in every dimension that both have. With disjoint dimensions this is the direct sum.
LinearMap product(const LinearMap& low, const LinearMap& high);
// product() of maps that share no dimension; an error if they do.
LinearMap direct_sum(const LinearMap& a, const LinearMap& b);
// f(x, y) = a(x) ^ b(y): the inputs of b follow those of a (above them where both have a dimension), the outputs are the same space.
LinearMap joined_inputs(const LinearMap& a, const LinearMap& b);

// q with product(low, q) == whole, if there is one: `low` is a tile that `whole` is made of.
std::optional<LinearMap> quotient_by_low(const LinearMap& whole, const LinearMap& low);
// q with product(q, high) == whole, if there is one.
std::optional<LinearMap> quotient_by_high(const LinearMap& whole, const LinearMap& high);

}  // namespace tilewright::layout

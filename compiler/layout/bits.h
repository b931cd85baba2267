// Linear algebra over F2, the field of one bit: vectors are words, addition is xor, a matrix is its columns.
//
// A vector of n bits is the low n bits of a word. A matrix has at most 32 rows and 32 columns. All is exact, and no function throws.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace tilewright::layout {

using Bits = std::uint64_t;

inline Bits bit(int position) { return Bits{1} << position; }
inline Bits low_bits(int count) { return count >= 64 ? ~Bits{0} : bit(count) - 1; }
inline bool has_bit(Bits x, int position) { return (x >> position) & 1; }

// The logarithm of a power of two, and the smallest k with 2^k >= x (0 for x <= 1).
int log2_exact(std::int64_t x);
int log2_ceil(std::int64_t x);
bool is_power_of_two(std::int64_t x);
// The largest power of two that divides x; x > 0.
std::int64_t power_of_two_factor(std::int64_t x);

// A subspace, grown vector by vector. Keeps a reduced basis, and for each basis vector which of the inserted vectors add up to it.
class Subspace {
 public:
  Subspace() = default;
  explicit Subspace(const std::vector<Bits>& generators);

  // Adds a vector; false when it was already in the subspace.
  bool insert(Bits vector);
  bool contains(Bits vector) const { return reduce(vector) == 0; }
  // The vector less its component along the basis: zero exactly for members, equal for vectors of one coset.
  Bits reduce(Bits vector) const;
  // Which inserted vectors sum to `vector`: bit i stands for the i-th call of insert, up to 64 calls. Only for members.
  std::optional<Bits> combination(Bits vector) const;
  int dimension() const { return static_cast<int>(rows_.size()); }
  std::vector<Bits> basis() const;

 private:
  struct Row {
    Bits vector;
    Bits of;  // the inserted vectors whose sum it is
    int lead;
  };
  Row eliminate(Bits vector) const;

  std::vector<Row> rows_;  // each lead occurs in its own row only
  int inserted_ = 0;
};

Subspace sum(const Subspace& a, const Subspace& b);
Subspace intersection(const Subspace& a, const Subspace& b);
// Vectors that together with `a` span the span of `whole`, taken from `whole` in order.
std::vector<Bits> complement(const Subspace& a, const std::vector<Bits>& whole);
// The unit vectors of a space of n bits, low bit first.
std::vector<Bits> unit_vectors(int n);

// A matrix, column by column: apply(x) is the xor of the columns whose bit is set in x.
class BitMatrix {
 public:
  BitMatrix() = default;
  BitMatrix(int rows, std::vector<Bits> columns) : rows_(rows), columns_(std::move(columns)) {}
  static BitMatrix identity(int n) { return BitMatrix(n, unit_vectors(n)); }
  static BitMatrix zero(int rows, int columns) { return BitMatrix(rows, std::vector<Bits>(columns, 0)); }

  int rows() const { return rows_; }
  int columns() const { return static_cast<int>(columns_.size()); }
  Bits column(int j) const { return columns_[j]; }
  const std::vector<Bits>& as_columns() const { return columns_; }
  Bits apply(Bits x) const;

  int rank() const { return Subspace(columns_).dimension(); }
  // A basis of { x : apply(x) == 0 }; each vector has one non-pivot column as its highest bit.
  std::vector<Bits> kernel() const;
  // The columns that do not depend on earlier ones. They form a basis of the image.
  std::vector<int> pivots() const;
  // An x with apply(x) == y that is zero at non-pivot columns; nullopt when y is outside the image.
  std::optional<Bits> solve(Bits y) const;
  // G with apply(G.apply(y)) == y on the image. Outside the image, y is first projected along the unit vectors that complete it.
  BitMatrix pseudo_inverse() const;

  // Columns [first, first + count).
  BitMatrix slice(int first, int count) const;

  friend BitMatrix operator*(const BitMatrix& a, const BitMatrix& b);
  friend BitMatrix operator^(const BitMatrix& a, const BitMatrix& b);
  friend bool operator==(const BitMatrix& a, const BitMatrix& b) { return a.rows_ == b.rows_ && a.columns_ == b.columns_; }

 private:
  int rows_ = 0;
  std::vector<Bits> columns_;
};

// [a | b]: the columns of both, side by side.
BitMatrix beside(const BitMatrix& a, const BitMatrix& b);
// X with a * X == b, or nullopt when a column of b is outside the image of a.
std::optional<BitMatrix> solve(const BitMatrix& a, const BitMatrix& b);

}  // namespace tilewright::layout

// Gaussian elimination over F2, and what follows from it.
#include "compiler/layout/bits.h"

#include <bit>

namespace tilewright::layout {

int log2_exact(std::int64_t x) { return std::countr_zero(static_cast<std::uint64_t>(x)); }
int log2_ceil(std::int64_t x) { return x <= 1 ? 0 : std::bit_width(static_cast<std::uint64_t>(x - 1)); }
bool is_power_of_two(std::int64_t x) { return x > 0 && std::has_single_bit(static_cast<std::uint64_t>(x)); }
std::int64_t power_of_two_factor(std::int64_t x) { return x & -x; }

Subspace::Subspace(const std::vector<Bits>& generators) {
  for (Bits g : generators) insert(g);
}

Subspace::Row Subspace::eliminate(Bits vector) const {
  Bits of = 0;
  for (const Row& row : rows_) {
    if (has_bit(vector, row.lead)) vector ^= row.vector, of ^= row.of;
  }
  return {vector, of, vector == 0 ? -1 : static_cast<int>(std::bit_width(vector)) - 1};
}

bool Subspace::insert(Bits vector) {
  Row added = eliminate(vector);
  const int index = inserted_++;
  if (added.vector == 0) return false;
  if (index < 64) added.of ^= bit(index);
  for (Row& row : rows_) {
    if (has_bit(row.vector, added.lead)) row.vector ^= added.vector, row.of ^= added.of;
  }
  rows_.push_back(added);
  return true;
}

Bits Subspace::reduce(Bits vector) const { return eliminate(vector).vector; }

std::optional<Bits> Subspace::combination(Bits vector) const {
  const Row rest = eliminate(vector);
  if (rest.vector != 0) return std::nullopt;
  return rest.of;
}

std::vector<Bits> Subspace::basis() const {
  std::vector<Bits> vectors;
  vectors.reserve(rows_.size());
  for (const Row& row : rows_) vectors.push_back(row.vector);
  return vectors;
}

Subspace sum(const Subspace& a, const Subspace& b) {
  Subspace both = a;
  for (Bits v : b.basis()) both.insert(v);
  return both;
}

Subspace intersection(const Subspace& a, const Subspace& b) {
  // A dependency between the two bases is one vector written in both: a-part == b-part.
  const std::vector<Bits> left = a.basis(), right = b.basis();
  Subspace both, common;
  for (Bits v : left) both.insert(v);
  for (Bits v : right) {
    if (const auto of = both.combination(v)) {
      Bits shared = 0;
      for (std::size_t i = 0; i < left.size(); ++i) {
        if (has_bit(*of, static_cast<int>(i))) shared ^= left[i];
      }
      common.insert(shared);
    }
    both.insert(v);
  }
  return common;
}

std::vector<Bits> complement(const Subspace& a, const std::vector<Bits>& whole) {
  Subspace grown = a;
  std::vector<Bits> added;
  for (Bits v : whole) {
    if (grown.insert(v)) added.push_back(v);
  }
  return added;
}

std::vector<Bits> unit_vectors(int n) {
  std::vector<Bits> units(n);
  for (int i = 0; i < n; ++i) units[i] = bit(i);
  return units;
}

Bits BitMatrix::apply(Bits x) const {
  Bits y = 0;
  for (; x != 0; x &= x - 1) y ^= columns_[std::countr_zero(x)];
  return y;
}

std::vector<Bits> BitMatrix::kernel() const {
  Subspace image;
  std::vector<Bits> basis;
  for (int j = 0; j < columns(); ++j) {
    if (const auto of = image.combination(columns_[j])) basis.push_back(*of | bit(j));
    image.insert(columns_[j]);
  }
  return basis;
}

std::vector<int> BitMatrix::pivots() const {
  Subspace image;
  std::vector<int> independent;
  for (int j = 0; j < columns(); ++j) {
    if (image.insert(columns_[j])) independent.push_back(j);
  }
  return independent;
}

std::optional<Bits> BitMatrix::solve(Bits y) const { return Subspace(columns_).combination(y); }

BitMatrix BitMatrix::pseudo_inverse() const {
  Subspace whole(columns_);
  for (Bits unit : unit_vectors(rows_)) whole.insert(unit);
  std::vector<Bits> inverse(rows_);
  for (int i = 0; i < rows_; ++i) inverse[i] = *whole.combination(bit(i)) & low_bits(columns());
  return BitMatrix(columns(), std::move(inverse));
}

BitMatrix BitMatrix::slice(int first, int count) const {
  return BitMatrix(rows_, std::vector<Bits>(columns_.begin() + first, columns_.begin() + first + count));
}

BitMatrix operator*(const BitMatrix& a, const BitMatrix& b) {
  std::vector<Bits> columns(b.columns());
  for (int j = 0; j < b.columns(); ++j) columns[j] = a.apply(b.column(j));
  return BitMatrix(a.rows(), std::move(columns));
}

BitMatrix operator^(const BitMatrix& a, const BitMatrix& b) {
  std::vector<Bits> columns(a.columns());
  for (int j = 0; j < a.columns(); ++j) columns[j] = a.column(j) ^ b.column(j);
  return BitMatrix(a.rows(), std::move(columns));
}

BitMatrix beside(const BitMatrix& a, const BitMatrix& b) {
  std::vector<Bits> columns = a.as_columns();
  columns.insert(columns.end(), b.as_columns().begin(), b.as_columns().end());
  return BitMatrix(a.rows(), std::move(columns));
}

std::optional<BitMatrix> solve(const BitMatrix& a, const BitMatrix& b) {
  const Subspace image(a.as_columns());
  std::vector<Bits> columns(b.columns());
  for (int j = 0; j < b.columns(); ++j) {
    const auto x = image.combination(b.column(j));
    if (!x) return std::nullopt;
    columns[j] = *x;
  }
  return BitMatrix(a.columns(), std::move(columns));
}

}  // namespace tilewright::layout

// Integer values as linear forms: constant + sum of coefficient * scalar + sum of coefficient * position along an axis of a tile.
//
//   rows = tile.splat(row) + tile.arange 0        ->   row + i_0
//   tile.broadcast(tile.reshape rows to 64x1)     ->   row + i_0, for every column
//
// Forms of i64 hold modulo 2^64; forms of narrower integers are given only where nothing wraps.
#pragma once

#include "llvm/ADT/SmallVector.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

#include <cstdint>
#include <optional>
#include <utility>

namespace tilewright::analysis {

// Terms of a sum, in the order they were met: every key once, no coefficient 0.
template <class Key>
using Terms = llvm::SmallVector<std::pair<Key, std::int64_t>, 2>;

struct Linear {
  std::int64_t constant = 0;
  Terms<mlir::Value> scalars;
  Terms<std::int64_t> axes;

  bool is_constant() const { return scalars.empty() && axes.empty(); }
  bool is_uniform() const { return axes.empty(); }  // the same for every element

  static Linear of_constant(std::int64_t value) { return {value, {}, {}}; }
  static Linear of_scalar(mlir::Value value) { return {0, {{value, 1}}, {}}; }
  static Linear of_axis(std::int64_t axis) { return {0, {}, {{axis, 1}}}; }
};

Linear operator+(const Linear& a, const Linear& b);
Linear operator-(const Linear& a, const Linear& b);
Linear operator*(const Linear& a, std::int64_t factor);

// The form of a scalar or tile of integers, read as signed; empty where it has none.
std::optional<Linear> linear_of(mlir::Value value);

// The least and greatest value of a form without scalars, whose axes have these extents; empty when it has scalars or may not fit.
struct Range {
  std::int64_t least = 0, greatest = 0;
};
std::optional<Range> range_of(const Linear& form, llvm::ArrayRef<std::int64_t> extents);

// The axes of a reshaped tile that the axes of its operand become, if the reshape only adds or drops axes of extent 1; -1 for those dropped.
std::optional<llvm::SmallVector<std::int64_t>> axes_after_reshape(llvm::ArrayRef<std::int64_t> from, llvm::ArrayRef<std::int64_t> to);

// The form with its axes renamed; those that become -1 have extent 1 and vanish.
Linear rename_axes(const Linear& form, llvm::ArrayRef<std::int64_t> names);

// An i64 scalar of a uniform form, built where the builder stands.
mlir::Value materialize(const Linear& form, mlir::OpBuilder& builder, mlir::Location loc);

}  // namespace tilewright::analysis

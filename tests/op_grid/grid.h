// One entry of the grid: a program with one operation on one dtype over all shapes, its inputs, and what its outputs must be.
#pragma once

#include "dsl/program/builder.h"
#include "tests/fuzz/case.h"
#include "tests/op_grid/value.h"

#include <functional>
#include <string>
#include <vector>

namespace tilewright::op_grid {

using program::Builder;
using program::Opcode;
using program::ReduceKind;
using program::Type;
using program::ValueId;

using Arrays = std::vector<Array>;

struct Entry {
  std::string name;
  fuzz::Case test;
  std::function<Arrays(const Arrays&)> expect;  // outputs in order, from inputs in order
};

// {}, 1, 7, 16, 33, 4x5, 16x16, 3x60, 17x96, 64x64, 2x3x8
const std::vector<Shape>& grid_shapes();

const std::vector<DType>& all_dtypes();
std::vector<DType> float_dtypes();  // those that operations compute with: not the 8-bit floats
std::vector<DType> moved_dtypes();  // all, and the 8-bit floats

std::vector<DType> int_dtypes();

// Builds the program of an entry: whole tensors in, whole tensors out.
class EntryBuilder {
 public:
  explicit EntryBuilder(std::string name);

  Builder& build() { return builder_; }

  // A tile of this shape, loaded whole from an input of its own. Element i has the bits patterns[(i / repeat) % size].
  ValueId input(DType dtype, const Shape& shape, std::vector<std::uint64_t> patterns, std::int64_t repeat = 1);

  // A view with this content; loads are up to the caller.
  ValueId view(DType dtype, const Shape& sizes, std::vector<std::uint64_t> patterns, std::vector<std::int64_t> strides = {});

  // The same, to be changed in place.
  ValueId in_out_view(DType dtype, const Shape& sizes, std::vector<std::uint64_t> patterns, std::vector<std::int64_t> strides = {});

  // Stores a tile whole to an output of its own.
  void output(ValueId value, double relative = 0, double absolute = 0);

  // An output; stores are up to the caller.
  ValueId output_view(DType dtype, const Shape& sizes, std::vector<std::int64_t> strides = {});

  Entry finish(std::function<Arrays(const Arrays&)> expect) &&;

 private:
  ValueId add(program::ParamKind kind, DType dtype, const Shape& sizes, std::vector<std::int64_t> strides, fuzz::TensorSpec spec);

  std::string name_;
  Builder builder_;
  fuzz::Case case_;
};

// How far a target's result of an approximated function may be from the exact one.
double function_tolerance(DType dtype);
double least_tolerance(DType dtype);

// The entries, one file an area.
void add_elementwise(std::vector<Entry>& entries);
void add_conversions(std::vector<Entry>& entries);
void add_shape_operations(std::vector<Entry>& entries);
void add_contractions(std::vector<Entry>& entries);
void add_orderings(std::vector<Entry>& entries);
void add_accesses(std::vector<Entry>& entries);
void add_atomics(std::vector<Entry>& entries);
void add_control(std::vector<Entry>& entries);

// All of them.
const std::vector<Entry>& all_entries();

}  // namespace tilewright::op_grid

// What each pure operation computes, as functions of tiles. dsl/program/opcodes.def is the text they implement.
//
// All throw Error TW9301 where operands do not fit the operation: the language refuses such programs, so it is a defect of ours.
#pragma once

#include "compiler/reference/tile.h"

#include <span>
#include <utility>

namespace tilewright::reference {

using program::Opcode;
using program::ReduceKind;

// constant.cpp
Tile constant(DType dtype, const Shape& shape, std::int64_t bits);
Tile arange(DType dtype, std::int64_t extent, std::int64_t start);

// elementwise.cpp: operands of one shape; functions of one float operand are computed in f64 and rounded once to the type computed in
Tile elementwise(Opcode opcode, std::span<const Tile> operands);
bool is_elementwise(Opcode opcode);

// cast.cpp
Tile cast(const Tile& tile, DType to);

// shape_ops.cpp
Tile broadcast(const Tile& tile, const Shape& shape);
Tile transpose(const Tile& tile, std::span<const std::int64_t> permutation);
Tile concat(std::span<const Tile> tiles, std::int64_t axis);
Tile slice(const Tile& tile, std::int64_t axis, std::int64_t start, std::int64_t extent);
Tile take(const Tile& tile, const Tile& index, std::int64_t axis);

// dot.cpp: float products are summed in f64 and rounded once to the accumulator's type, so the result is at least as accurate as any target's
Tile dot(const Tile& a, const Tile& b, const Tile& accumulator);

// reduce.cpp: sums and products of floats are kept in f64 and rounded once an element of the result
Tile reduce(const Tile& tile, std::int64_t axis, ReduceKind kind);
Tile scan(const Tile& tile, std::int64_t axis, ReduceKind kind, bool reverse);

// order.cpp
Tile arg_extreme(const Tile& tile, std::int64_t axis, bool largest);
std::pair<Tile, Tile> topk(const Tile& tile, std::int64_t axis, std::int64_t k, bool descending);

}  // namespace tilewright::reference

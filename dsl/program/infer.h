// Types of operations: what each operation accepts and what it yields. The builder and the verifier share this, so that a rule is stated once.
//
// Every function throws tilewright::Error (TW12xx for types and shapes, TW13xx for memory) with the position it is given.
#pragma once

#include "dsl/program/program.h"
#include "runtime/support/error.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright::program {

inline constexpr std::size_t kMaxTileRank = 8;
inline constexpr std::int64_t kMaxTileElements = std::int64_t{1} << 30;

// An operation without regions before it exists.
struct OpSignature {
  Opcode opcode{};
  std::span<const Type> operands;
  std::span<const std::int64_t> ints;
  const Type* wanted = nullptr;  // the result type, for operations that choose it (chooses_result_type)
  std::string_view text = {};    // Op::text
};

// Constant, Arange, Load, Cast, Bitcast, Broadcast, Reshape, Slice, Extern, Channel, SharedTile: the result is not a function of the operands and integers alone.
bool chooses_result_type(Opcode opcode);

// The result types of an operation of a class other than Control and other than a Reduce or Scan of kind Custom.
std::vector<Type> infer_results(const OpSignature& op, const SourcePosition& where);

// The result types of a Reduce or Scan of kind Custom; the region's arguments and yields are checked by the caller.
std::vector<Type> infer_custom_reduction(const OpSignature& op, const SourcePosition& where);

// Numpy's rule: shapes are aligned at the last axis, missing leading axes and extents of 1 stretch. `what` is the author's word for the
// operation. Throws TW1204.
Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view what, const SourcePosition& where);

// The type a Dot of element type `operand` accumulates in; throws TW1215 where there is none.
DType accumulator_of(DType operand, const SourcePosition& where);

// Throws TW1206 unless every extent is positive and the tile is of a size a program can name.
void check_tile_shape(const Shape& shape, std::string_view what, const SourcePosition& where);

// How an author writes the operation: "+" for Add, "<=" for Le, the mnemonic elsewhere.
std::string_view spelling_of(Opcode opcode);

// Internal to the rules (infer_*.cpp): one file an area.
namespace rules {
[[noreturn]] void fail(int code, std::string message, const SourcePosition& where, std::string help = {});
void expect_operands(const OpSignature& op, std::size_t least, std::size_t most, const SourcePosition& where);
void expect_ints(const OpSignature& op, std::size_t count, const SourcePosition& where);
void expect_tile(const Type& type, std::string_view what, const SourcePosition& where);
void expect_no_float8(const Type& type, std::string_view what, const SourcePosition& where);  // 8-bit floats are moved, converted and multiplied by dot
std::size_t expect_axis(std::int64_t axis, const Type& type, std::string_view what, const SourcePosition& where);
std::vector<Type> infer_elementwise(const OpSignature& op, const SourcePosition& where);
std::vector<Type> infer_external(const OpSignature& op, const SourcePosition& where);
std::vector<Type> infer_memory(const OpSignature& op, const SourcePosition& where);
std::vector<Type> infer_shape(const OpSignature& op, const SourcePosition& where);
std::vector<Type> infer_contraction(const OpSignature& op, const SourcePosition& where);
std::vector<Type> infer_roles(const OpSignature& op, const SourcePosition& where);
// The accumulator of a product of two matrices, with one leading batch axis each where both have it; throws TW1202, TW1214, TW1215 where they do not fit.
Type product_type(const Type& a, const Type& b, std::string_view what, const SourcePosition& where);
}  // namespace rules

}  // namespace tilewright::program

// The program: what tracing a kernel yields, and what everything else reads.
//
// A program is a plain SSA structure, free of any compiler library. The importer to MLIR, the reference interpreter, the printer back to C++
// and the random generator all read it. opcodes.def says what each operation means; that text is the semantics every target is held to.
//
// Operations live in one arena and are named by index; a region lists its operations in order and says what it yields. Values are named by
// index too. Parameters are the first values. A program is immutable once traced and may be read by several threads.
#pragma once

#include "dsl/program/opcode.h"
#include "runtime/support/dtype.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tilewright::program {

using Shape = std::vector<std::int64_t>;
using OpId = std::uint32_t;
inline constexpr std::uint32_t kNone = ~0u;

// Values of the maps of Load and Store.
inline constexpr std::int64_t kMapPoint = -1;
inline constexpr std::int64_t kMapFull = -2;

enum class OpClass : std::uint8_t { Pure, Read, Write, Effect, Control };

OpClass class_of(Opcode opcode);
std::string_view mnemonic_of(Opcode opcode);
std::string_view function_of(AtomicKind kind);  // of the language: "atomic_add"
std::string_view name_of(MemoryOrder order);    // of the language: "AcquireRelease"

// What of shared memory a value names: one tile; a channel, which is a queue of tiles between roles; or the turns that groups of warps take.
enum class Shared : std::uint8_t { No, Tile, Channel, Turns };

// A tile of `shape` (rank 0: a scalar), or a view of memory, or a name of shared memory. A view's rank is shape.size(); its extents are dynamic and stand as -1. The shape of a channel is that of its tiles.
struct Type {
  DType dtype = DType::F32;
  Shape shape;
  bool is_view = false;
  Shared shared = Shared::No;
  std::int64_t slots = 0;  // of a channel: how many tiles it has room for

  std::size_t rank() const { return shape.size(); }
  bool is_tile() const { return !is_view && shared == Shared::No; }
  bool is_scalar() const { return is_tile() && shape.empty(); }
  std::int64_t elements() const;
  bool operator==(const Type&) const = default;
};

// "f32", "64x128xf32", "view<?x?xf32>", "shared<64x64xbf16>", "channel<4, 64x64xbf16>".
std::string to_string(const Type& type);
std::string to_string(const Shape& shape);  // "64x128"; "scalar" for rank 0

struct Location {
  std::uint32_t file = 0;  // index into Program::files
  std::uint32_t line = 0;  // 0: unknown
  std::uint32_t column = 0;
  bool operator==(const Location&) const = default;
};

struct Region {
  std::vector<ValueId> args;
  std::vector<OpId> ops;
  std::vector<ValueId> yields;
};

struct Op {
  Opcode opcode{};
  std::vector<ValueId> operands;
  std::vector<ValueId> results;
  std::vector<std::int64_t> ints;
  std::string text;
  std::vector<Region> regions;
  Location loc;
};

struct Value {
  Type type;
  OpId def = kNone;  // kNone for parameters and region arguments
};

// What is known of an argument at compile time, beside its type. Part of the call key.
struct ArgumentFacts {
  bool unit_inner_stride = false;  // the last dimension's stride is 1
  bool aligned16 = false;          // base address, and every stride but the inner one in bytes, are multiples of 16
  bool fits32 = false;             // every element's offset in elements fits in a signed 32-bit integer
  bool whole_rows16 = false;       // of rank 2 or more, and the last dimension's size in bytes is a multiple of 16
  bool operator==(const ArgumentFacts&) const = default;
};

struct Param {
  std::string name;
  ParamKind kind{};
  ValueId value = kNone;
  ArgumentFacts facts;  // views only
};

struct Program {
  std::string name;
  std::vector<std::string> files;
  std::vector<Param> params;
  std::vector<std::pair<std::string, std::int64_t>> bindings;  // constants and tunables it was traced with; for display
  std::vector<Value> values;
  std::vector<Op> ops;
  Region grid;  // scalar i64 operations over ViewSize and scalar parameters; yields the three grid extents
  Region body;

  const Type& type(ValueId value) const { return values[value].type; }
};

// A readable listing, one operation a line: `tilewright compile --emit program`.
std::string to_text(const Program& program);

}  // namespace tilewright::program

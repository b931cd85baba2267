// Builds a program operation by operation. Result types are inferred and every rule of opcodes.def is checked as an operation is added, so a
// program that was built is well formed. The language, the random generator and tests build through this.
//
//   Builder b("axpy");
//   ValueId x = b.add_param("x", ParamKind::Input, {DType::F32, {-1}, true});
//   ValueId y = b.add_param("y", ParamKind::InOut, {DType::F32, {-1}, true});
//   b.begin_grid();
//   ValueId blocks = b.op(Opcode::Div, {b.op(Opcode::ViewSize, {x}, {0}), b.integer(DType::I64, 64)});
//   b.end_grid({blocks});
//   ValueId row = b.op(Opcode::Mul, {b.op(Opcode::ProgramId, {}, {0}), b.integer(DType::I64, 64)});
//   ...
//   Program program = std::move(b).finish();
//
// Operations go to the innermost open region. Errors are tilewright::Error with the position set by at(): TW12xx and TW13xx for types and
// memory, TW14xx for control flow. After an error the builder may only be destroyed, or unwound with abandon().
#pragma once

#include "dsl/program/external.h"
#include "dsl/program/program.h"
#include "runtime/support/error.h"

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright::program {

// A list argument that accepts {a, b} as well as a vector.
template <class T>
class List {
 public:
  List() = default;
  List(std::initializer_list<T> items) : items_(items.begin(), items.size()) {}
  List(const std::vector<T>& items) : items_(items) {}
  List(std::span<const T> items) : items_(items) {}
  operator std::span<const T>() const { return items_; }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  std::size_t size() const { return items_.size(); }
  const T& operator[](std::size_t i) const { return items_[i]; }

 private:
  std::span<const T> items_;
};

using Values = List<ValueId>;
using Ints = List<std::int64_t>;

class Builder {
 public:
  explicit Builder(std::string kernel_name);

  // ---- positions: operations appended from now on are at this place. Line 0: unknown.
  void at(std::string_view file, std::uint32_t line, std::uint32_t column);
  SourcePosition position() const;                  // where the builder stands
  SourcePosition position_of(ValueId value) const;  // where a value was made; unknown for parameters

  // ---- interface
  ValueId add_param(std::string name, ParamKind kind, Type type, ArgumentFacts facts = {});
  void bind(std::string name, std::int64_t value);  // a constant or tunable, for display
  void begin_grid();
  void end_grid(Values extents);  // one to three i64 scalars; missing ones are 1

  // ---- operations
  // Any operation but the control operations and custom reductions. `wanted` is the result type where the operation chooses it. Operands are
  // taken as they are: no broadcast, no cast.
  std::vector<ValueId> ops(Opcode opcode, Values operands, Ints ints = {}, const Type* wanted = nullptr, std::string text = {});
  ValueId op(Opcode opcode, Values operands, Ints ints = {}, const Type* wanted = nullptr);
  ValueId op(Opcode opcode, Values operands, Ints ints, const Type& wanted) { return op(opcode, operands, ints, &wanted); }

  // An elementwise operation whose operands are first broadcast to a common shape by numpy's rule (infer.h).
  ValueId elementwise(Opcode opcode, Values operands);

  // Extern on operands broadcast likewise.
  ValueId external(const External& function, Values operands, DType result);

  ValueId integer(DType dtype, std::int64_t value, const Shape& shape = {});  // integers and bool; TW1207 when it does not fit
  ValueId real(DType dtype, double value, const Shape& shape = {});           // floats
  ValueId broadcast(ValueId value, const Shape& shape);  // numpy's rule; adds leading axes; the value itself where nothing changes
  ValueId cast(ValueId value, DType dtype);              // the value itself where nothing changes
  ValueId reshape(ValueId value, const Shape& shape);    // likewise
  ValueId transpose(ValueId value, Ints permutation);
  ValueId slice(ValueId value, std::int64_t axis, std::int64_t start, std::int64_t extent);
  ValueId reduce(ReduceKind kind, ValueId value, std::int64_t axis);
  ValueId scan(ReduceKind kind, ValueId value, std::int64_t axis, bool reverse = false);
  ValueId dot(ValueId a, ValueId b, ValueId accumulator);
  ValueId dot(ValueId a, ValueId b);  // accumulates onto zeros
  ValueId load(ValueId view, Values indices, Ints maps, const Shape& shape, ValueId mask = kNone, ValueId other = kNone);
  void store(ValueId view, Values indices, Ints maps, ValueId value, ValueId mask = kNone);
  // What the elements were; `expected` goes with CompareExchange only.
  ValueId atomic(AtomicKind kind, ValueId view, Values indices, Ints maps, ValueId value, ValueId mask = kNone, ValueId expected = kNone);

  // ---- control. begin_* open a region and return its arguments; end_* close it and return the results of the operation.
  std::vector<ValueId> begin_for(ValueId lower, ValueId upper, ValueId step, Values inits, std::int64_t stages = 1, bool warp_specialize = true);  // {iv, carried...}
  std::vector<ValueId> end_for(Values yields);
  void begin_if(ValueId condition);
  void begin_else();
  std::vector<ValueId> end_if(Values then_yields, Values else_yields);  // without begin_else: no yields, or values from outside
  std::vector<ValueId> begin_while(Values inits);                       // the condition's region
  std::vector<ValueId> begin_while_body(ValueId condition);
  std::vector<ValueId> end_while(Values yields);
  std::vector<ValueId> begin_combiner(Opcode reduce_or_scan, Values tiles, std::int64_t axis, bool reverse = false);  // {left..., right...}
  std::vector<ValueId> end_combiner(Values yields);
  void begin_roles(std::int64_t producer_registers = 0, std::int64_t consumer_registers = 0, std::int64_t teams = 0);  // the producer's region
  void begin_consumers();
  void end_roles();
  void abandon();  // drops the innermost open control operation, with what it holds

  // ---- questions
  const Type& type(ValueId value) const { return program_.values[value].type; }
  const Program& program() const { return program_; }
  bool is_visible(ValueId value) const;                  // may be used in the region that is open now
  std::size_t depth() const { return pending_.size(); }  // open control operations

  // The program as built, not canonical. Every region must be closed. A program without grid gets {1, 1, 1}.
  Program finish() &&;

 private:
  struct Frame {
    std::uint32_t parent = kNone;
    bool isolated = false;  // a combiner: sees only what is made inside
    Region region;
  };
  struct Pending {
    Op op;
    std::vector<std::uint32_t> frames;
    std::vector<Type> carried;  // types of results
  };

  [[noreturn]] void fail(int code, std::string message, std::string help = {}) const;
  ValueId new_value(Type type, OpId def);
  std::uint32_t open_frame(std::uint32_t parent, std::span<const Type> args);
  bool visible_from(ValueId value, std::uint32_t frame) const;
  void check_operand(ValueId value) const;
  void check_yields(std::span<const ValueId> yields, std::span<const Type> types, std::uint32_t frame, std::string_view what) const;
  void check_effect_allowed(Opcode opcode) const;
  Pending& innermost(Opcode opcode);
  std::vector<ValueId> close(std::span<const Type> results);
  std::vector<ValueId> append(Op op, std::span<const Type> results);
  std::vector<ValueId> broadcast_together(Values operands, std::string_view what);
  std::vector<Type> types_of(std::span<const ValueId> values) const;

  Program program_;
  std::vector<std::uint32_t> home_;  // frame of each value
  std::vector<Frame> frames_;
  std::vector<Pending> pending_;
  std::uint32_t frame_ = 0;  // where operations go
  Location location_;
  bool has_grid_ = false;
};

}  // namespace tilewright::program

// What of a program matters: which operations, carried values and results something needs, and which values are one and the same.
#pragma once

#include "dsl/program/program.h"

#include <vector>

namespace tilewright::program {

// What an operation does to memory, with what its regions hold.
enum class Memory : std::uint8_t { None, Reads, Writes };

class Liveness {
 public:
  // Keeps a reference to `program`.
  explicit Liveness(const Program& program);

  // The value that `value` always equals: a carried value that never changes is its initial value, a result of `when` that both branches agree
  // on is that value.
  ValueId resolve(ValueId value) const;

  bool op(OpId id) const { return live_op_[id]; }
  Memory memory(OpId id) const { return memory_[id]; }
  const Region* home(OpId id) const { return home_[id]; }

  // Whether an operand, result, argument or yield of a live operation stays.
  bool operand(OpId id, std::size_t i) const;
  bool result(OpId id, std::size_t i) const;
  bool arg(OpId id, std::size_t region, std::size_t i) const;
  bool yield(OpId id, std::size_t region, std::size_t i) const;

 private:
  struct ArgOf {
    OpId op = kNone;
    std::size_t index = 0;
  };

  Memory visit(const Region& region, OpId owner);
  bool merge_carried();
  bool merge(OpId id);
  void need(ValueId value);
  void need_op(OpId id);
  void need_carried(OpId id, std::size_t i);
  std::size_t carried_of_arg(OpId id, std::size_t region, std::size_t i) const;

  const Program& program_;
  std::vector<ValueId> same_as_;
  std::vector<const Region*> home_;
  std::vector<OpId> owner_;  // of an operation: the operation around it
  std::vector<Memory> memory_;
  std::vector<OpId> order_;    // inner operations before outer ones
  std::vector<ArgOf> arg_of_;  // of a value: where it is an argument
  std::vector<bool> live_op_, live_value_;
  std::vector<std::vector<bool>> live_carried_;  // of a control operation: which results
  std::vector<ValueId> work_;
};

}  // namespace tilewright::program

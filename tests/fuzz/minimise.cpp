// Greedy reduction of programs: each kind of step is tried at every operation, until none helps.
#include "tests/fuzz/minimise.h"

#include "dsl/program/canonical.h"
#include "dsl/program/verify.h"
#include "runtime/support/error.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

namespace tilewright::fuzz {

using program::Op;
using program::Opcode;
using program::OpId;
using program::Program;
using program::Region;
using program::ValueId;

namespace {

template <class F>
void for_each_region(Program& program, Region& region, F& f) {
  f(region);
  for (OpId id : region.ops) {
    for (Region& inner : program.ops[id].regions) for_each_region(program, inner, f);
  }
}

// The region of the body that holds an operation.
Region* home_of(Program& program, OpId wanted) {
  Region* home = nullptr;
  auto look = [&](Region& region) {
    if (std::find(region.ops.begin(), region.ops.end(), wanted) != region.ops.end()) home = &region;
  };
  for_each_region(program, program.body, look);
  return home;
}

void replace_uses(Program& program, ValueId from, ValueId to) {
  for (Op& op : program.ops) {
    std::replace(op.operands.begin(), op.operands.end(), from, to);
    for (Region& region : op.regions) std::replace(region.yields.begin(), region.yields.end(), from, to);
  }
}

bool drop(Program& program, OpId id) {
  Region* home = home_of(program, id);
  const Op& op = program.ops[id];
  if (!home || !op.results.empty()) return false;
  home->ops.erase(std::find(home->ops.begin(), home->ops.end(), id));
  return true;
}

// Puts the operations of one region where its operation stood; loops run once.
bool inline_region(Program& program, OpId id, std::size_t which) {
  const Op op = program.ops[id];
  Region* home = home_of(program, id);
  if (!home || program::class_of(op.opcode) != program::OpClass::Control || which >= op.regions.size()) return false;
  if (op.opcode == Opcode::While && which == 0) return false;
  const Region& inner = op.regions[which];
  std::vector<ValueId> arguments;
  if (op.opcode == Opcode::For) {
    arguments = {op.operands[0]};
    arguments.insert(arguments.end(), op.operands.begin() + 3, op.operands.end());
  } else if (op.opcode == Opcode::While) {
    arguments = op.operands;
  }
  const auto at = home->ops.erase(std::find(home->ops.begin(), home->ops.end(), id));
  home->ops.insert(at, inner.ops.begin(), inner.ops.end());
  for (std::size_t i = 0; i < arguments.size(); ++i) replace_uses(program, inner.args[i], arguments[i]);
  for (std::size_t i = 0; i < op.results.size(); ++i) {
    const auto argument = std::find(inner.args.begin(), inner.args.end(), inner.yields[i]);
    replace_uses(program, op.results[i], argument == inner.args.end() ? inner.yields[i] : arguments[argument - inner.args.begin()]);
  }
  program.ops[id].regions.clear();
  return true;
}

bool forward_operand(Program& program, OpId id, std::size_t which) {
  const Op& op = program.ops[id];
  if (op.results.size() != 1 || which >= op.operands.size()) return false;
  if (program.type(op.operands[which]) != program.type(op.results[0])) return false;
  replace_uses(program, op.results[0], op.operands[which]);
  return true;
}

bool make_constant(Program& program, OpId id) {
  Op& op = program.ops[id];
  if (op.results.size() != 1 || op.opcode == Opcode::Constant || program.type(op.results[0]).is_view) return false;
  const bool real = is_float(program.type(op.results[0]).dtype);
  op.ints = {real ? std::bit_cast<std::int64_t>(1.0) : 1};
  op.opcode = Opcode::Constant;
  op.operands.clear();
  op.regions.clear();
  return true;
}

bool drop_parameter(Case& test, std::size_t which) {
  if (test.program.params.size() == 1) return false;
  const ValueId value = test.program.params[which].value;
  for (const Op& op : test.program.ops) {
    if (std::find(op.operands.begin(), op.operands.end(), value) != op.operands.end()) return false;
  }
  test.program.params.erase(test.program.params.begin() + static_cast<std::ptrdiff_t>(which));
  test.arguments.erase(test.arguments.begin() + static_cast<std::ptrdiff_t>(which));
  return true;
}

class Minimiser {
 public:
  Minimiser(Case failing, const std::function<bool(const Case&)>& fails, int attempts) : best_(std::move(failing)), fails_(fails), attempts_(attempts) {}

  Case run() && {
    attempt([](Case&) { return true; });  // canonical form alone drops what is dead
    std::size_t before;
    do {
      before = best_.program.ops.size() + best_.program.params.size();
      each_operation([](Program& p, OpId id) { return drop(p, id); });
      for (std::size_t region = 0; region < 2; ++region) each_operation([=](Program& p, OpId id) { return inline_region(p, id, region); });
      for (std::size_t operand = 0; operand < 3; ++operand) each_operation([=](Program& p, OpId id) { return forward_operand(p, id, operand); });
      each_operation([](Program& p, OpId id) { return make_constant(p, id); });
      for (std::size_t i = best_.program.params.size(); i-- > 0;) attempt([=](Case& test) { return drop_parameter(test, i); });
    } while (best_.program.ops.size() + best_.program.params.size() < before && attempts_ > 0);
    return std::move(best_);
  }

 private:
  template <class Step>
  void each_operation(Step step) {
    for (std::size_t id = best_.program.ops.size(); id-- > 0;) {
      if (id < best_.program.ops.size()) attempt([&](Case& test) { return step(test.program, static_cast<OpId>(id)); });
    }
  }

  template <class Step>
  void attempt(Step step) {
    if (attempts_ <= 0) return;
    Case candidate = best_;
    try {
      if (!step(candidate)) return;
      program::verify(candidate.program);
      candidate.program = program::canonicalize(candidate.program);
    } catch (const Error&) {
      return;  // the step does not fit the program
    }
    --attempts_;
    if (fails_(candidate)) best_ = std::move(candidate);
  }

  Case best_;
  const std::function<bool(const Case&)>& fails_;
  int attempts_;
};

}  // namespace

Case minimise(Case failing, const std::function<bool(const Case&)>& fails, int attempts) {
  return Minimiser(std::move(failing), fails, attempts).run();
}

}  // namespace tilewright::fuzz

#include "dsl/program/liveness.h"

#include <algorithm>

namespace tilewright::program {

namespace {

// Operands of a control operation before its initial values.
std::size_t fixed_operands(Opcode opcode) { return opcode == Opcode::For ? 3 : opcode == Opcode::If ? 1 : 0; }

bool carries(Opcode opcode) { return opcode == Opcode::For || opcode == Opcode::While; }

}  // namespace

Liveness::Liveness(const Program& program)
    : program_(program),
      same_as_(program.values.size()),
      home_(program.ops.size()),
      owner_(program.ops.size(), kNone),
      memory_(program.ops.size(), Memory::None),
      arg_of_(program.values.size()),
      live_op_(program.ops.size()),
      live_value_(program.values.size()),
      live_carried_(program.ops.size()) {
  for (ValueId v = 0; v < same_as_.size(); ++v) same_as_[v] = v;
  visit(program.grid, kNone);
  visit(program.body, kNone);
  while (merge_carried()) {
  }
  for (OpId id : order_) {
    const OpClass cls = class_of(program.ops[id].opcode);
    if (cls == OpClass::Write || cls == OpClass::Effect) need_op(id);
  }
  for (ValueId value : program.grid.yields) need(value);
  while (!work_.empty()) {
    const ValueId value = work_.back();
    work_.pop_back();
    if (arg_of_[value].op != kNone) {
      need_carried(arg_of_[value].op, arg_of_[value].index);
      continue;
    }
    const OpId def = program.values[value].def;
    if (def == kNone) continue;
    need_op(def);
    if (class_of(program.ops[def].opcode) == OpClass::Control) {
      const auto& results = program.ops[def].results;
      need_carried(def, std::find(results.begin(), results.end(), value) - results.begin());
    }
  }
}

Memory Liveness::visit(const Region& region, OpId owner) {
  Memory all = Memory::None;
  for (OpId id : region.ops) {
    const Op& op = program_.ops[id];
    home_[id] = &region;
    owner_[id] = owner;
    live_carried_[id].resize(op.results.size());
    const OpClass cls = class_of(op.opcode);
    Memory memory = cls == OpClass::Read ? Memory::Reads : cls == OpClass::Write || cls == OpClass::Effect ? Memory::Writes : Memory::None;
    for (std::size_t r = 0; r < op.regions.size(); ++r) {
      const auto& args = op.regions[r].args;
      for (std::size_t i = 0; i < args.size(); ++i) {
        const std::size_t carried = carried_of_arg(id, r, i);
        if (carried != SIZE_MAX) arg_of_[args[i]] = {id, carried};
      }
      memory = std::max(memory, visit(op.regions[r], id));
    }
    memory_[id] = memory;
    all = std::max(all, memory);
    order_.push_back(id);
  }
  return all;
}

ValueId Liveness::resolve(ValueId value) const {
  while (same_as_[value] != value) value = same_as_[value];
  return value;
}

bool Liveness::merge_carried() {
  bool changed = false;
  for (OpId id : order_) changed |= merge(id);
  return changed;
}

bool Liveness::merge(OpId id) {
  const Op& op = program_.ops[id];
  bool changed = false;
  for (std::size_t i = 0; i < op.results.size() && class_of(op.opcode) == OpClass::Control; ++i) {
    if (same_as_[op.results[i]] != op.results[i]) continue;
    if (op.opcode == Opcode::If) {
      const ValueId yield = resolve(op.regions[0].yields[i]);
      if (yield != resolve(op.regions[1].yields[i])) continue;
      same_as_[op.results[i]] = yield;
    } else {
      const Region& body = op.regions.back();
      const ValueId init = resolve(op.operands[fixed_operands(op.opcode) + i]);
      const ValueId arg = body.args[op.opcode == Opcode::For ? i + 1 : i];
      const ValueId yield = resolve(body.yields[i]);
      if (yield != arg && yield != init) continue;
      same_as_[op.results[i]] = same_as_[arg] = init;
      if (op.opcode == Opcode::While) same_as_[op.regions[0].args[i]] = init;
    }
    changed = true;
  }
  return changed;
}

// The carried value an argument stands for; SIZE_MAX for an induction variable or an argument of a combiner.
std::size_t Liveness::carried_of_arg(OpId id, std::size_t region, std::size_t i) const {
  switch (program_.ops[id].opcode) {
    case Opcode::For: return i == 0 ? SIZE_MAX : i - 1;
    case Opcode::While: return i;
    default: return SIZE_MAX;
  }
}

void Liveness::need(ValueId value) {
  value = resolve(value);
  if (live_value_[value]) return;
  live_value_[value] = true;
  work_.push_back(value);
}

void Liveness::need_op(OpId id) {
  for (; id != kNone && !live_op_[id]; id = owner_[id]) {
    live_op_[id] = true;
    const Op& op = program_.ops[id];
    const std::size_t always = class_of(op.opcode) == OpClass::Control ? fixed_operands(op.opcode) : op.operands.size();
    for (std::size_t i = 0; i < always; ++i) need(op.operands[i]);
    if (op.opcode == Opcode::While) need(op.regions[0].yields[0]);
    if (class_of(op.opcode) != OpClass::Control) {
      for (const Region& combiner : op.regions) {
        for (ValueId value : combiner.yields) need(value);
      }
    }
  }
}

void Liveness::need_carried(OpId id, std::size_t i) {
  if (live_carried_[id][i]) return;
  live_carried_[id][i] = true;
  need_op(id);
  const Op& op = program_.ops[id];
  if (carries(op.opcode)) {
    need(op.operands[fixed_operands(op.opcode) + i]);
    need(op.regions.back().yields[i]);
  } else {
    for (const Region& branch : op.regions) need(branch.yields[i]);
  }
}

bool Liveness::operand(OpId id, std::size_t i) const {
  const Op& op = program_.ops[id];
  if (!carries(op.opcode) || i < fixed_operands(op.opcode)) return true;
  return live_carried_[id][i - fixed_operands(op.opcode)];
}

bool Liveness::result(OpId id, std::size_t i) const { return class_of(program_.ops[id].opcode) != OpClass::Control || live_carried_[id][i]; }

bool Liveness::arg(OpId id, std::size_t region, std::size_t i) const {
  const std::size_t carried = carried_of_arg(id, region, i);
  return carried == SIZE_MAX || live_carried_[id][carried];
}

bool Liveness::yield(OpId id, std::size_t region, std::size_t i) const {
  const Op& op = program_.ops[id];
  if (class_of(op.opcode) != OpClass::Control || (op.opcode == Opcode::While && region == 0)) return true;
  return live_carried_[id][i];
}

}  // namespace tilewright::program

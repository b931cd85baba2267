// The control operations of the builder: opening and closing their regions.
#include "dsl/program/builder.h"
#include "dsl/program/infer.h"

namespace tilewright::program {

namespace {

const Type kIndexType{DType::I64, {}};

}  // namespace

Builder::Pending& Builder::innermost(Opcode opcode) {
  if (pending_.empty() || pending_.back().op.opcode != opcode)
    fail(9101, "'" + std::string(spelling_of(opcode)) + "' is not the innermost open operation");
  return pending_.back();
}

void Builder::check_yields(std::span<const ValueId> yields, std::span<const Type> types, std::uint32_t frame, std::string_view what) const {
  if (yields.size() != types.size())
    fail(9101, "'" + std::string(what) + "' yields " + std::to_string(yields.size()) + " values for " + std::to_string(types.size()));
  for (std::size_t i = 0; i < yields.size(); ++i) {
    if (!visible_from(yields[i], frame)) fail(1401, "'" + std::string(what) + "' yields a value from outside the region");
    if (type(yields[i]) != types[i])
      fail(1403,
           "a carried value changes its type in '" + std::string(what) + "': " + to_string(types[i]) + " becomes " + to_string(type(yields[i])));
  }
}

// Ends the innermost control operation: its frames become regions, the parent frame gets the operation.
std::vector<ValueId> Builder::close(std::span<const Type> results) {
  Pending pending = std::move(pending_.back());
  pending_.pop_back();
  frame_ = frames_[pending.frames[0]].parent;
  for (std::uint32_t frame : pending.frames) pending.op.regions.push_back(std::move(frames_[frame].region));
  const Location here = location_;
  location_ = pending.op.loc;
  std::vector<ValueId> values = append(std::move(pending.op), results);
  location_ = here;
  return values;
}

void Builder::abandon() {
  if (pending_.empty()) fail(9101, "nothing to abandon");
  frame_ = frames_[pending_.back().frames[0]].parent;
  pending_.pop_back();
}

std::vector<ValueId> Builder::begin_for(ValueId lower, ValueId upper, ValueId step, Values inits, std::int64_t stages, bool warp_specialize) {
  Pending pending;
  pending.op.opcode = Opcode::For;
  pending.op.loc = location_;
  pending.op.ints = {stages, warp_specialize};
  for (ValueId bound : {lower, upper, step}) {
    check_operand(bound);
    if (type(bound) != kIndexType) fail(1221, "a bound of 'range' is " + to_string(type(bound)) + ", not an i64 scalar");
    pending.op.operands.push_back(bound);
  }
  const OpId def = program_.values[step].def;
  if (def != kNone && program_.ops[def].opcode == Opcode::Constant && program_.ops[def].ints[0] <= 0)
    fail(1410, "the step of 'range' is " + std::to_string(program_.ops[def].ints[0]), "a step is positive; count down with hi - 1 - i");
  if (stages < 1) fail(1411, "'range' has " + std::to_string(stages) + " pipeline stages", "Pipeline{n} takes n of at least 1");
  for (ValueId init : inits) check_operand(init);
  pending.op.operands.insert(pending.op.operands.end(), inits.begin(), inits.end());
  pending.carried = types_of(inits);
  std::vector<Type> args{kIndexType};
  args.insert(args.end(), pending.carried.begin(), pending.carried.end());
  pending.frames.push_back(open_frame(frame_, args));
  pending_.push_back(std::move(pending));
  return frames_[frame_].region.args;
}

std::vector<ValueId> Builder::end_for(Values yields) {
  Pending& pending = innermost(Opcode::For);
  check_yields(yields, pending.carried, frame_, "range");
  frames_[frame_].region.yields.assign(yields.begin(), yields.end());
  const std::vector<Type> results = pending.carried;
  return close(results);
}

void Builder::begin_if(ValueId condition) {
  check_operand(condition);
  if (type(condition) != Type{DType::Bool, {}})
    rules::fail(
        1402, "the condition of 'when' is " + to_string(type(condition)) + ", not one bool", position(),
        type(condition).dtype == DType::Bool ? "use any(x) or all(x), or where(x, a, b) element by element" : "compare it: when(x != 0, ...)");
  Pending pending;
  pending.op.opcode = Opcode::If;
  pending.op.loc = location_;
  pending.op.operands = {condition};
  pending.frames.push_back(open_frame(frame_, {}));
  pending_.push_back(std::move(pending));
}

void Builder::begin_else() {
  Pending& pending = innermost(Opcode::If);
  if (pending.frames.size() != 1) fail(9101, "'when' has two branches");
  pending.frames.push_back(open_frame(frames_[frame_].parent, {}));
}

std::vector<ValueId> Builder::end_if(Values then_yields, Values else_yields) {
  if (innermost(Opcode::If).frames.size() == 1) begin_else();
  const Pending& pending = pending_.back();
  for (ValueId value : then_yields) {
    if (value >= home_.size()) fail(9101, "'when' yields a value that does not exist");
  }
  const std::vector<Type> results = types_of(then_yields);
  check_yields(then_yields, results, pending.frames[0], "when");
  check_yields(else_yields, results, pending.frames[1], "when");
  frames_[pending.frames[0]].region.yields.assign(then_yields.begin(), then_yields.end());
  frames_[pending.frames[1]].region.yields.assign(else_yields.begin(), else_yields.end());
  return close(results);
}

std::vector<ValueId> Builder::begin_while(Values inits) {
  Pending pending;
  pending.op.opcode = Opcode::While;
  pending.op.loc = location_;
  for (ValueId init : inits) check_operand(init);
  pending.op.operands.assign(inits.begin(), inits.end());
  pending.carried = types_of(inits);
  pending.frames.push_back(open_frame(frame_, pending.carried));
  pending_.push_back(std::move(pending));
  return frames_[frame_].region.args;
}

std::vector<ValueId> Builder::begin_while_body(ValueId condition) {
  Pending& pending = innermost(Opcode::While);
  if (pending.frames.size() != 1) fail(9101, "'while_' has one body");
  check_operand(condition);
  if (type(condition) != Type{DType::Bool, {}})
    fail(1402, "the condition of 'while_' is " + to_string(type(condition)) + ", not one bool",
         type(condition).dtype == DType::Bool ? "use any(x) or all(x)" : "compare it: x != 0");
  frames_[frame_].region.yields = {condition};
  const std::vector<Type> args = pending.carried;
  pending.frames.push_back(open_frame(frames_[frame_].parent, args));
  return frames_[frame_].region.args;
}

std::vector<ValueId> Builder::end_while(Values yields) {
  Pending& pending = innermost(Opcode::While);
  if (pending.frames.size() != 2) fail(9101, "'while_' has no body yet");
  check_yields(yields, pending.carried, frame_, "while_");
  frames_[frame_].region.yields.assign(yields.begin(), yields.end());
  const std::vector<Type> results = pending.carried;
  return close(results);
}

void Builder::begin_roles(std::int64_t producer_registers, std::int64_t consumer_registers, std::int64_t teams) {
  Pending pending;
  pending.op.opcode = Opcode::Roles;
  pending.op.loc = location_;
  pending.op.ints = {producer_registers, consumer_registers, teams};
  pending.frames.push_back(open_frame(frame_, {}));
  pending_.push_back(std::move(pending));
}

void Builder::begin_consumers() {
  Pending& pending = innermost(Opcode::Roles);
  if (pending.frames.size() != 1) fail(9101, "'roles' has one role of consumers");
  pending.frames.push_back(open_frame(frames_[frame_].parent, {}));
}

void Builder::end_roles() {
  if (innermost(Opcode::Roles).frames.size() != 2) fail(9101, "'roles' has no consumers");
  close({});
}

std::vector<ValueId> Builder::begin_combiner(Opcode reduce_or_scan, Values tiles, std::int64_t axis, bool reverse) {
  const bool scans = reduce_or_scan == Opcode::Scan;
  if (!scans && reduce_or_scan != Opcode::Reduce) fail(9101, "a combiner belongs to reduce or scan");
  check_effect_allowed(reduce_or_scan);
  if (frames_[frame_].isolated) fail(1407, "a reduction is not possible in a combiner", "a combiner computes with scalars only");
  Pending pending;
  pending.op.opcode = reduce_or_scan;
  pending.op.loc = location_;
  pending.op.ints = {axis, static_cast<std::int64_t>(ReduceKind::Custom)};
  if (scans) pending.op.ints.push_back(reverse);
  for (ValueId tile : tiles) check_operand(tile);
  pending.op.operands.assign(tiles.begin(), tiles.end());
  const std::vector<Type> types = types_of(tiles);
  pending.carried = infer_custom_reduction({reduce_or_scan, types, pending.op.ints, nullptr}, position());
  std::vector<Type> args;
  for (int side = 0; side < 2; ++side) {
    for (const Type& type : types) args.push_back({type.dtype, {}});
  }
  pending.frames.push_back(open_frame(frame_, args));
  frames_[frame_].isolated = true;
  pending_.push_back(std::move(pending));
  return frames_[frame_].region.args;
}

std::vector<ValueId> Builder::end_combiner(Values yields) {
  if (pending_.empty() || !frames_[frame_].isolated) fail(9101, "no combiner is open");
  Pending& pending = pending_.back();
  if (yields.size() != pending.carried.size())
    fail(1408, "the combiner gives " + std::to_string(yields.size()) + " values for " + std::to_string(pending.carried.size()) + " tiles");
  for (std::size_t i = 0; i < yields.size(); ++i) {
    check_operand(yields[i]);
    const Type wanted{pending.carried[i].dtype, {}};
    if (type(yields[i]) != wanted)
      fail(1408, "the combiner gives " + to_string(type(yields[i])) + " where it takes " + to_string(wanted),
           "a combiner keeps the dtype of its arguments");
  }
  frames_[frame_].region.yields.assign(yields.begin(), yields.end());
  const std::vector<Type> results = pending.carried;
  return close(results);
}

}  // namespace tilewright::program

#include "dsl/program/builder.h"

#include "dsl/program/infer.h"

#include <algorithm>
#include <bit>

namespace tilewright::program {

namespace {

// The first frames: the parameters, and as its children the two regions of the program.
constexpr std::uint32_t kInterface = 0, kBody = 1, kGrid = 2;

}  // namespace

Builder::Builder(std::string kernel_name) {
  program_.name = std::move(kernel_name);
  frames_.resize(3);
  frames_[kBody].parent = frames_[kGrid].parent = kInterface;
  frame_ = kBody;
}

// ---- positions

void Builder::at(std::string_view file, std::uint32_t line, std::uint32_t column) {
  if (line == 0) {
    location_ = {};
    return;
  }
  auto& files = program_.files;
  if (location_.line == 0 || location_.file >= files.size() || files[location_.file] != file) {
    const auto found = std::find(files.begin(), files.end(), file);
    location_.file = static_cast<std::uint32_t>(found - files.begin());
    if (found == files.end()) files.emplace_back(file);
  }
  location_.line = line;
  location_.column = column;
}

SourcePosition Builder::position() const {
  if (location_.line == 0) return {};
  return {program_.files[location_.file], location_.line, location_.column};
}

SourcePosition Builder::position_of(ValueId value) const {
  const OpId def = program_.values[value].def;
  if (def == kNone || program_.ops[def].loc.line == 0) return {};
  const Location& loc = program_.ops[def].loc;
  return {program_.files[loc.file], loc.line, loc.column};
}

void Builder::fail(int code, std::string message, std::string help) const { rules::fail(code, std::move(message), position(), std::move(help)); }

// ---- values and regions

ValueId Builder::new_value(Type type, OpId def) {
  program_.values.push_back({std::move(type), def});
  home_.push_back(frame_);
  return static_cast<ValueId>(program_.values.size() - 1);
}

std::uint32_t Builder::open_frame(std::uint32_t parent, std::span<const Type> args) {
  frame_ = static_cast<std::uint32_t>(frames_.size());
  frames_.emplace_back().parent = parent;
  for (const Type& type : args) frames_[frame_].region.args.push_back(new_value(type, kNone));
  return frame_;
}

bool Builder::visible_from(ValueId value, std::uint32_t frame) const {
  if (value >= home_.size()) return false;
  for (std::uint32_t f = frame; f != kNone; f = frames_[f].parent) {
    if (home_[value] == f) return true;
  }
  return false;
}

bool Builder::is_visible(ValueId value) const { return visible_from(value, frame_); }

void Builder::check_operand(ValueId value) const {
  if (!is_visible(value)) {
    Error error(1401, "a value is used outside the region it was made in", position());
    if (value < home_.size()) {
      const SourcePosition made = position_of(value);
      if (made.line != 0) error.note("it was made at " + made.file + ":" + std::to_string(made.line) + ":" + std::to_string(made.column));
    }
    error.help("carry it out in a Var declared before the range, when or while_");
    throw error;
  }
  for (std::uint32_t f = frame_; f != kNone && f != home_[value]; f = frames_[f].parent) {
    if (frames_[f].isolated)
      fail(1409, "a combiner uses a value from outside", "a combiner may use its arguments and C++ numbers only; pass the value as a further tile");
  }
}

std::vector<Type> Builder::types_of(std::span<const ValueId> values) const {
  std::vector<Type> types;
  types.reserve(values.size());
  for (ValueId value : values) types.push_back(type(value));
  return types;
}

ValueId Builder::add_param(std::string name, ParamKind kind, Type type, ArgumentFacts facts) {
  const std::uint32_t saved = frame_;
  frame_ = kInterface;
  const ValueId value = new_value(std::move(type), kNone);
  frame_ = saved;
  program_.params.push_back({std::move(name), kind, value, facts});
  return value;
}

void Builder::bind(std::string name, std::int64_t value) { program_.bindings.emplace_back(std::move(name), value); }

void Builder::begin_grid() {
  if (has_grid_ || frame_ != kBody || !pending_.empty()) fail(9101, "a program has one grid, outside of control flow");
  has_grid_ = true;
  frame_ = kGrid;
}

void Builder::end_grid(Values extents) {
  if (frame_ != kGrid || !pending_.empty()) fail(9101, "end_grid without begin_grid, or inside control flow");
  if (extents.size() < 1 || extents.size() > 3) fail(1502, "a grid has one to three extents, not " + std::to_string(extents.size()));
  Region& grid = frames_[kGrid].region;
  for (ValueId extent : extents) {
    check_operand(extent);
    if (type(extent) != Type{DType::I64, {}}) fail(1502, "an extent of the grid is " + to_string(type(extent)) + ", not an i64 scalar");
    grid.yields.push_back(extent);
  }
  while (grid.yields.size() < 3) {
    const ValueId one = integer(DType::I64, 1);
    frames_[kGrid].region.yields.push_back(one);
  }
  frame_ = kBody;
}

// ---- operations

void Builder::check_effect_allowed(Opcode opcode) const {
  const OpClass cls = class_of(opcode);
  const std::string what = "'" + std::string(spelling_of(opcode)) + "'";
  if (frame_ == kGrid && cls != OpClass::Pure) fail(1503, what + " is not possible in a grid", "a grid is computed from sizes and scalar arguments");
  if (frame_ == kGrid && (opcode == Opcode::ProgramId || opcode == Opcode::NumPrograms || opcode == Opcode::Extern)) fail(1503, what + " is not possible in a grid");
  if (frames_[frame_].isolated && cls != OpClass::Pure) fail(1407, what + " is not possible in a combiner", "a combiner computes with scalars only");
  if (cls != OpClass::Write && cls != OpClass::Effect) return;
  for (const Pending& pending : pending_) {
    if (pending.op.opcode == Opcode::While && pending.frames.size() == 1)
      fail(1407, what + " is not possible in the condition of while_", "move it to the body");
  }
}

std::vector<ValueId> Builder::append(Op op, std::span<const Type> results) {
  op.loc = location_;
  const OpId id = static_cast<OpId>(program_.ops.size());
  for (const Type& type : results) op.results.push_back(new_value(type, id));
  std::vector<ValueId> values = op.results;
  program_.ops.push_back(std::move(op));
  frames_[frame_].region.ops.push_back(id);
  return values;
}

std::vector<ValueId> Builder::ops(Opcode opcode, Values operands, Ints ints, const Type* wanted, std::string text) {
  check_effect_allowed(opcode);
  for (ValueId operand : operands) check_operand(operand);
  const std::vector<Type> types = types_of(operands);
  const std::vector<Type> results = infer_results({opcode, types, ints, wanted, text}, position());
  Op op;
  op.opcode = opcode;
  op.operands.assign(operands.begin(), operands.end());
  op.ints.assign(ints.begin(), ints.end());
  op.text = std::move(text);
  return append(std::move(op), results);
}

ValueId Builder::op(Opcode opcode, Values operands, Ints ints, const Type* wanted) {
  const std::vector<ValueId> results = ops(opcode, operands, ints, wanted);
  if (results.size() != 1) fail(9101, "'" + std::string(spelling_of(opcode)) + "' does not have one result");
  return results[0];
}

std::vector<ValueId> Builder::broadcast_together(Values operands, std::string_view what) {
  Shape shape;
  for (ValueId operand : operands) {
    check_operand(operand);
    rules::expect_tile(type(operand), what, position());
    shape = broadcast_shapes(shape, type(operand).shape, what, position());
  }
  std::vector<ValueId> widened;
  for (ValueId operand : operands) widened.push_back(broadcast(operand, shape));
  return widened;
}

ValueId Builder::elementwise(Opcode opcode, Values operands) { return op(opcode, broadcast_together(operands, spelling_of(opcode))); }

ValueId Builder::external(const External& function, Values operands, DType result) {
  check_external(function, position());
  const std::vector<ValueId> widened = broadcast_together(operands, function.name);
  const Type wanted{result, widened.empty() ? Shape() : type(widened[0]).shape};
  return ops(Opcode::Extern, widened, {}, &wanted, to_text(function))[0];
}

ValueId Builder::integer(DType dtype, std::int64_t value, const Shape& shape) {
  if (is_float(dtype)) fail(9101, "an integer constant of dtype " + std::string(tilewright::name_of(dtype)));
  return op(Opcode::Constant, {}, {value}, Type{dtype, shape});
}

ValueId Builder::real(DType dtype, double value, const Shape& shape) {
  if (!is_float(dtype)) fail(9101, "a float constant of dtype " + std::string(tilewright::name_of(dtype)));
  return op(Opcode::Constant, {}, {std::bit_cast<std::int64_t>(value)}, Type{dtype, shape});
}

ValueId Builder::broadcast(ValueId value, const Shape& shape) {
  const Type from = type(value);
  if (from.shape == shape) return value;
  if (from.rank() != 0 && from.rank() < shape.size()) {
    Shape padded(shape.size() - from.rank(), 1);
    padded.insert(padded.end(), from.shape.begin(), from.shape.end());
    value = reshape(value, padded);
    if (padded == shape) return value;
  }
  return op(Opcode::Broadcast, {value}, {}, Type{from.dtype, shape});
}

ValueId Builder::cast(ValueId value, DType dtype) {
  if (type(value).dtype == dtype && !type(value).is_view) return value;
  return op(Opcode::Cast, {value}, {}, Type{dtype, type(value).shape});
}

ValueId Builder::reshape(ValueId value, const Shape& shape) {
  if (type(value).shape == shape && !type(value).is_view) return value;
  return op(Opcode::Reshape, {value}, {}, Type{type(value).dtype, shape});
}

ValueId Builder::transpose(ValueId value, Ints permutation) { return op(Opcode::Transpose, {value}, permutation); }

ValueId Builder::slice(ValueId value, std::int64_t axis, std::int64_t start, std::int64_t extent) {
  Type to = type(value);
  rules::expect_tile(to, "slice", position());
  to.shape[rules::expect_axis(axis, to, "slice", position())] = extent;
  return op(Opcode::Slice, {value}, {axis, start}, to);
}

ValueId Builder::reduce(ReduceKind kind, ValueId value, std::int64_t axis) {
  return op(Opcode::Reduce, {value}, {axis, static_cast<std::int64_t>(kind)});
}

ValueId Builder::scan(ReduceKind kind, ValueId value, std::int64_t axis, bool reverse) {
  return op(Opcode::Scan, {value}, {axis, static_cast<std::int64_t>(kind), reverse});
}

ValueId Builder::dot(ValueId a, ValueId b, ValueId accumulator) { return op(Opcode::Dot, {a, b, accumulator}); }

ValueId Builder::dot(ValueId a, ValueId b) {
  const Type &x = type(a), &y = type(b);
  Type acc{accumulator_of(x.dtype, position()), x.shape};
  if (acc.rank() >= 2 && y.rank() >= 1) acc.shape.back() = y.shape.back();
  const ValueId zero = is_float(acc.dtype) ? real(acc.dtype, 0, acc.shape) : integer(acc.dtype, 0, acc.shape);
  return dot(a, b, zero);
}

ValueId Builder::load(ValueId view, Values indices, Ints maps, const Shape& shape, ValueId mask, ValueId other) {
  std::vector<ValueId> operands{view};
  operands.insert(operands.end(), indices.begin(), indices.end());
  if (mask != kNone) operands.push_back(mask);
  if (other != kNone) operands.push_back(other);
  std::vector<std::int64_t> ints{mask != kNone, other != kNone};
  ints.insert(ints.end(), maps.begin(), maps.end());
  return op(Opcode::Load, operands, ints, Type{type(view).dtype, shape});
}

void Builder::store(ValueId view, Values indices, Ints maps, ValueId value, ValueId mask) {
  std::vector<ValueId> operands{view};
  operands.insert(operands.end(), indices.begin(), indices.end());
  operands.push_back(value);
  if (mask != kNone) operands.push_back(mask);
  std::vector<std::int64_t> ints{mask != kNone, 0};
  ints.insert(ints.end(), maps.begin(), maps.end());
  ops(Opcode::Store, operands, ints);
}

ValueId Builder::atomic(AtomicKind kind, ValueId view, Values indices, Ints maps, ValueId value, ValueId mask, ValueId expected) {
  std::vector<ValueId> operands{view};
  operands.insert(operands.end(), indices.begin(), indices.end());
  if (expected != kNone) operands.push_back(expected);
  operands.push_back(value);
  if (mask != kNone) operands.push_back(mask);
  std::vector<std::int64_t> ints{mask != kNone, static_cast<std::int64_t>(kind)};
  ints.insert(ints.end(), maps.begin(), maps.end());
  return op(Opcode::Atomic, operands, ints);
}

// ---- finish

Program Builder::finish() && {
  if (frame_ != kBody || !pending_.empty()) fail(9101, "a region of the program is still open");
  if (!has_grid_) {
    begin_grid();
    end_grid({integer(DType::I64, 1)});
  }
  program_.body = std::move(frames_[kBody].region);
  program_.grid = std::move(frames_[kGrid].region);
  return std::move(program_);
}

}  // namespace tilewright::program

// Vars and regions: what is carried into and out of range, when, while_ and combiners.
//
// On entering, every live Var is bound to an argument of the region; on leaving, a Var that did not change falls back to its value from before,
// a changed one becomes a result. Canonicalisation then drops what is carried and never changes.
#include "dsl/program/infer.h"
#include "dsl/tracer.h"

namespace tilewright::detail {

// ---- Vars

void Tracer::enter(Var& var) {
  id(var.ref_);
  var.serial_ = next_var_++;
  vars_.emplace(var.serial_, &var);
}

void Tracer::leave(Var& var) { vars_.erase(var.serial_); }

void Tracer::assign(Var& var, const Tile& value) {
  const ValueId from = id(value.ref()), to = id(var.ref_);
  const Type &old_type = builder_.type(to), &new_type = builder_.type(from);
  if (old_type != new_type) {
    SourcePosition where = builder_.position_of(from);
    if (where.line == 0) where = builder_.position();
    Error error(1403, "a Var changes its type: it is " + to_string(old_type) + " and is assigned " + to_string(new_type), where);
    error.help(old_type.dtype != new_type.dtype ? "cast the value: cast(x, " + std::string(name_of(old_type.dtype)) + ")"
                                                : "a Var keeps the shape of its first value; declare another one");
    throw error;
  }
  var.ref_ = value.ref();
}

// ---- scopes

Tracer::Scope& Tracer::push(const char* what, Loc at) {
  Scope scope{call_site_ ? *call_site_ : at, what, {}, false};
  for (const auto& [serial, var] : vars_) scope.saved.push_back({serial, value_of(*var), program::kNone});
  scopes_.push_back(std::move(scope));
  return scopes_.back();
}

std::vector<ValueId> Tracer::current_values() const {
  std::vector<ValueId> values;
  values.reserve(vars_.size());
  for (const auto& [serial, var] : vars_) values.push_back(value_of(*var));
  return values;
}

void Tracer::rebind(Scope& scope, std::span<const ValueId> args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    scope.saved[i].inside = args[i];
    set(alive(scope, scope.saved[i]), args[i]);
  }
}

Var& Tracer::alive(const Scope& scope, const Saved& saved) const {
  const auto found = vars_.find(saved.serial);
  if (found == vars_.end()) {
    Error error(1406, std::string("a Var from outside is gone when '") + scope.what + "' ends", position_of(scope.at));
    error.note("a container of Vars that grows moves them, and a moved Var is another variable");
    error.help("reserve or fill the container before the " + std::string(scope.what));
    throw error;
  }
  return *found->second;
}

std::vector<ValueId> Tracer::yields_of(const Scope& scope) const {
  std::vector<ValueId> yields;
  yields.reserve(scope.saved.size());
  for (const Saved& saved : scope.saved) yields.push_back(value_of(alive(scope, saved)));
  return yields;
}

void Tracer::expect_unchanged(const Scope& scope, const char* where) const {
  for (const Saved& saved : scope.saved) {
    const ValueId now = value_of(alive(scope, saved));
    if (now == saved.inside) continue;
    SourcePosition at = builder_.position_of(now);
    if (at.line == 0) at = position_of(scope.at);
    program::rules::fail(1412, std::string("a Var is assigned in ") + where, at, "assign it before or after");
  }
}

// Ends a loop whose region yielded `yields`: a Var that still is its argument never changed.
void Tracer::close_loop(std::span<const ValueId> yields, std::span<const ValueId> results) {
  const Scope& scope = scopes_.back();
  for (std::size_t i = 0; i < yields.size(); ++i) {
    const Saved& saved = scope.saved[i];
    set(alive(scope, saved), yields[i] == saved.inside ? saved.before : results[i]);
  }
  scopes_.pop_back();
}

void Tracer::abandon() {
  Scope scope = std::move(scopes_.back());
  scopes_.pop_back();
  builder_.abandon();
  for (const Saved& saved : scope.saved) {
    const auto found = vars_.find(saved.serial);
    if (found != vars_.end()) set(*found->second, saved.before);
  }
  if (!abandoned_) abandoned_ = scope.at;
}

// ---- range

ValueId Tracer::open_range(const Arg& lower, const Arg& upper, const Arg& step, int stages, bool warp_specialize, Loc at) {
  stand_at(at);
  const ValueId lb = index(lower, "the lower bound of 'range'"), ub = index(upper, "the upper bound of 'range'");
  const ValueId by = index(step, "the step of 'range'");
  const std::vector<ValueId> args = builder_.begin_for(lb, ub, by, current_values(), stages, warp_specialize);
  rebind(push("range", at), std::span(args).subspan(1));
  return args[0];
}

void Tracer::close_range() {
  stand_at(scopes_.back().at);
  const std::vector<ValueId> yields = yields_of(scopes_.back());
  close_loop(yields, builder_.end_for(yields));
}

// ---- when

void Tracer::open_when(const Arg& condition) {
  stand_at(condition.at);
  builder_.begin_if(id(condition.ref));
  push("when", condition.at);
}

void Tracer::otherwise() {
  Scope& scope = scopes_.back();
  scope.has_second = true;
  for (Saved& saved : scope.saved) {
    Var& var = alive(scope, saved);
    saved.inside = value_of(var);
    set(var, saved.before);
  }
  builder_.begin_else();
}

void Tracer::close_when() {
  if (!scopes_.back().has_second) otherwise();
  const Scope& scope = scopes_.back();
  stand_at(scope.at);
  std::vector<ValueId> first, second;
  std::vector<Var*> changed;
  for (const Saved& saved : scope.saved) {
    Var& var = alive(scope, saved);
    if (saved.inside == value_of(var)) continue;
    first.push_back(saved.inside);
    second.push_back(value_of(var));
    changed.push_back(&var);
  }
  const std::vector<ValueId> results = builder_.end_if(first, second);
  for (std::size_t i = 0; i < changed.size(); ++i) set(*changed[i], results[i]);
  scopes_.pop_back();
}

// ---- while_

void Tracer::open_while(Loc at) {
  stand_at(at);
  const std::vector<ValueId> args = builder_.begin_while(current_values());
  rebind(push("while_", at), args);
}

void Tracer::while_body(const Arg& condition) {
  Scope& scope = scopes_.back();
  expect_unchanged(scope, "the condition of while_");
  stand_at(condition.at);
  const std::vector<ValueId> args = builder_.begin_while_body(id(condition.ref));
  rebind(scope, args);
}

void Tracer::close_while() {
  stand_at(scopes_.back().at);
  const std::vector<ValueId> yields = yields_of(scopes_.back());
  close_loop(yields, builder_.end_while(yields));
}

// ---- roles

void Tracer::open_roles(int producer_registers, int consumer_registers, int teams, Loc at) {
  stand_at(at);
  builder_.begin_roles(producer_registers, consumer_registers, teams);
  Scope& scope = push("roles", at);
  for (Saved& saved : scope.saved) saved.inside = saved.before;
}

void Tracer::open_consumers() {
  expect_unchanged(scopes_.back(), "a role");
  builder_.begin_consumers();
}

void Tracer::close_roles() {
  expect_unchanged(scopes_.back(), "a role");
  stand_at(scopes_.back().at);
  builder_.end_roles();
  scopes_.pop_back();
}

// ---- combiners

std::pair<Tiles, Tiles> Tracer::open_combiner(Opcode opcode, const Tiles& tiles, int axis, bool reverse, Loc at) {
  stand_at(at);
  const std::vector<ValueId> operands = ids(tiles);
  const std::vector<ValueId> args = builder_.begin_combiner(opcode, operands, axis, reverse);
  Scope& scope = push(opcode == Opcode::Scan ? "scan" : "reduce", at);
  for (Saved& saved : scope.saved) saved.inside = saved.before;
  std::pair<Tiles, Tiles> sides;
  for (std::size_t i = 0; i < args.size(); ++i) (i < operands.size() ? sides.first : sides.second).add(tile(args[i]));
  return sides;
}

Tiles Tracer::close_combiner(const Tiles& results) {
  expect_unchanged(scopes_.back(), "a combiner");
  stand_at(scopes_.back().at);
  Tiles reduced;
  for (ValueId value : builder_.end_combiner(ids(results))) reduced.add(tile(value));
  scopes_.pop_back();
  return reduced;
}

}  // namespace tilewright::detail

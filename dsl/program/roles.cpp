#include "dsl/program/roles.h"

#include "dsl/program/infer.h"

#include <algorithm>
#include <map>

namespace tilewright::program {

namespace {

// Made beside the roles, which share it.
bool is_shared_by_roles(Opcode opcode) { return opcode == Opcode::Channel || opcode == Opcode::SharedTile || opcode == Opcode::Turns; }

bool sends(Opcode opcode) { return opcode == Opcode::Send || opcode == Opcode::SendTile; }

bool is_matrix(const Type& type) { return type.is_tile() && type.rank() > 0; }

class RoleRules {
 public:
  explicit RoleRules(const Program& program) : program_(program), inside_(program.values.size()) {}

  void run() {
    // What enters a role is told first: that it stands beside the roles is the lesser mistake.
    for (const bool are_roles : {true, false}) {
      for (OpId id : program_.body.ops) {
        const Op& op = program_.ops[id];
        if ((op.opcode == Opcode::Roles) != are_roles) continue;
        if (are_roles) roles(op);
        else beside(op);
      }
    }
    copies_out();
  }

 private:
  [[noreturn]] void broken(int code, std::string message, const Op& op, std::string help = {}) const {
    SourcePosition where;
    if (op.loc.line != 0) where = {program_.files[op.loc.file], op.loc.line, op.loc.column};
    rules::fail(code, std::move(message), where, std::move(help));
  }

  static std::string quoted(const Op& op) { return op.opcode == Opcode::CopyOut && op.ints.back() != 0 ? "'add_out'" : "'" + std::string(spelling_of(op.opcode)) + "'"; }

  // What is copied arrives late, so nothing else of the program may depend on when.
  void copies_out() const {
    std::map<ValueId, const Op*> copied;
    for (const Op& op : program_.ops) {
      if (op.opcode != Opcode::CopyOut) continue;
      const Op& first = *copied.try_emplace(op.operands[0], &op).first->second;
      if ((first.ints.back() != 0) != (op.ints.back() != 0)) broken(1611, quoted(op) + " to a parameter of " + quoted(first), op, "copies arrive in any order: one parameter is written or added to");
    }
    if (copied.empty()) return;
    for (const Op& op : program_.ops) {
      if (op.opcode == Opcode::Fence) broken(1611, "'fence' beside " + quoted(*copied.begin()->second), op, "copies arrive when the program ends, whatever a fence says: store what others wait for");
      if (op.opcode == Opcode::CopyOut || op.opcode == Opcode::ViewSize) continue;
      for (ValueId operand : op.operands) {
        const auto found = copied.find(operand);
        if (found != copied.end()) broken(1611, quoted(op) + " of a parameter of " + quoted(*found->second), op, "copies arrive when the program ends: nothing else reads or writes where they go");
      }
    }
  }

  // An operation of the body itself.
  void beside(const Op& op) const {
    if (is_shared_by_roles(op.opcode)) return;
    if (is_of_schedules(op.opcode)) broken(1602, quoted(op) + " is in no role", op, sends(op.opcode) ? "the producer sends" : "consumers do that");
    if (!op.regions.empty())
      for (const Region& region : op.regions) nested(region);
    const bool has_tile = std::any_of(op.results.begin(), op.results.end(), [&](ValueId v) { return is_matrix(program_.type(v)); });
    if (has_tile || class_of(op.opcode) == OpClass::Write || class_of(op.opcode) == OpClass::Effect || !op.regions.empty())
      broken(1604, quoted(op) + " stands beside roles", op, "beside roles there are scalars, channels and shared tiles; everything else belongs to the consumers");
  }

  // What is in a region that is no role.
  void nested(const Region& region) const {
    for (OpId id : region.ops) {
      const Op& op = program_.ops[id];
      if (is_of_schedules(op.opcode)) broken(1604, quoted(op) + " is in a region", op, "roles, channels and shared tiles are made in the schedule itself, not in range, when or while_");
      for (const Region& inner : op.regions) nested(inner);
    }
  }

  void roles(const Op& op) {
    if (has_roles_) broken(1604, "a second 'roles'", op, "a schedule has one");
    has_roles_ = true;
    has_teams_ = op.ints[2] != 0;
    if (has_teams_) no_turns();
    contents(op.regions[0], &RoleRules::produces);
    std::fill(inside_.begin(), inside_.end(), false);
    contents(op.regions[1], &RoleRules::consumes);
  }

  void no_turns() const {
    for (OpId id : program_.body.ops)
      if (program_.ops[id].opcode == Opcode::Turns) broken(1610, "'turns' with teams", program_.ops[id], "turns are taken by groups of warps that run alike; teams run each on its own");
  }

  // The operations of a region of a role in their order, those of inner regions too; and what became of the tiles and products of the region at its end.
  void contents(const Region& region, void (RoleRules::*check)(const Op&)) {
    for (ValueId arg : region.args) inside_[arg] = true;
    for (OpId id : region.ops) {
      const Op& op = program_.ops[id];
      enters(op, op.operands);
      (this->*check)(op);
      inner_regions(op, check);
      for (ValueId result : op.results) inside_[result] = true;
      if (op.opcode == Opcode::Receive) held_[op.results[0]] = &region;
      if (op.opcode == Opcode::SendTile) newest_[op.operands[1]] = op.results[0];
      if (op.opcode == Opcode::GroupProduct && op.ints[2] != 0) flying_[op.results[0]] = &region;
      if (op.opcode == Opcode::Release) gives_back(op, region);
      if (op.opcode == Opcode::GroupWait) waits(op, region);
      if (op.opcode == Opcode::TakeTurn || op.opcode == Opcode::PassTurn) turns(op, region);
    }
    if (turn_ == &region) broken(1609, "this turn is taken and not passed on in its region", *taken_by_, "pass_turn(turns)");
    for (auto [product, home] : flying_)
      if (home == &region) broken(1606, "this product is begun and not waited for in its region", origin(product), "wait(product) before the region ends");
    for (auto [tile, home] : held_)
      if (home == &region) broken(1605, "this tile is received and not given back in its region", origin(tile), "release(tile) behind what reads it");
  }

  // A tile that was sent is read until the next one is sent to the channel: by whichever branch of a `when`, in whichever turn of a loop.
  void inner_regions(const Op& op, void (RoleRules::*check)(const Op&)) {
    if (op.regions.empty()) return;
    const std::size_t first_read = reads_.size();
    const std::map<ValueId, ValueId> before = newest_;
    for (const Region& inner : op.regions) {
      const std::map<ValueId, ValueId> others = newest_;
      if (op.opcode == Opcode::If) newest_ = before;
      contents(inner, check);
      enters(op, inner.yields);
      for (auto [channel, tile] : others)
        if (op.opcode == Opcode::If && !holds(before, channel, tile)) newest_[channel] = tile;
    }
    if (op.opcode == Opcode::If) return;
    for (std::size_t i = first_read; i < reads_.size(); ++i) {
      const ValueId tile = reads_[i]->operands[0], channel = origin(tile).operands[1];
      if (holds(before, channel, tile) && !holds(newest_, channel, tile)) outdated(*reads_[i]);
    }
  }

  static bool holds(const std::map<ValueId, ValueId>& newest, ValueId channel, ValueId tile) {
    const auto found = newest.find(channel);
    return found != newest.end() && found->second == tile;
  }

  [[noreturn]] void outdated(const Op& op) const { broken(1605, quoted(op) + " of a tile that was sent, behind the next one to its channel", op, "read it before, or keep the tile itself"); }

  void enters(const Op& op, const std::vector<ValueId>& operands) const {
    for (ValueId operand : operands) {
      if (inside_[operand] || !is_matrix(program_.type(operand))) continue;
      Error error(1601, quoted(op) + " takes a tile from outside of its role", position(op));
      const OpId made = program_.values[operand].def;
      if (made != kNone && program_.ops[made].loc.line != 0) {
        const SourcePosition at = position(program_.ops[made]);
        error.note("it was made at " + at.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column));
      }
      error.help("a tile belongs to the threads that hold it: make it in the role, or send it");
      throw error;
    }
  }

  SourcePosition position(const Op& op) const {
    if (op.loc.line == 0) return {};
    return {program_.files[op.loc.file], op.loc.line, op.loc.column};
  }

  void produces(const Op& op) {
    if (op.opcode == Opcode::Send) return;
    if (op.opcode == Opcode::SendTile && has_teams_) return;
    if (op.opcode == Opcode::SharedLoad || op.opcode == Opcode::SharedElement) {
      if (!is_made_by(op.operands[0], Opcode::SendTile)) broken(1605, quoted(op) + " of a tile that the producer did not send", op, "what the producer sent itself it may read; all else is for consumers");
      if (!holds(newest_, origin(op.operands[0]).operands[1], op.operands[0])) outdated(op);
      reads_.push_back(&op);
      return;
    }
    if (op.opcode == Opcode::Release && is_made_by(op.operands[0], Opcode::SendTile)) broken(1605, "'release' of a tile by the producer that sent it", op, "the consumers give it back");
    if (is_of_schedules(op.opcode) && op.opcode != Opcode::SendTile) broken(op.opcode == Opcode::Roles || is_shared_by_roles(op.opcode) ? 1604 : 1602, quoted(op) + " is not for the producer", op);
    const bool has_tile = std::any_of(op.results.begin(), op.results.end(), [&](ValueId v) { return is_matrix(program_.type(v)); }) ||
                          std::any_of(op.operands.begin(), op.operands.end(), [&](ValueId v) { return is_matrix(program_.type(v)); });
    if (has_tile && !has_teams_) broken(1603, quoted(op) + " of a tile in the producer", op, "the producer is one thread, which has scalars and send; with teams it has tiles");
    if (op.opcode == Opcode::Atomic && has_teams_ && !has_tile) return;  // tasks from a queue
    if (class_of(op.opcode) == OpClass::Write || class_of(op.opcode) == OpClass::Effect) broken(1603, quoted(op) + " in the producer", op, "the producer loads, computes and sends; what it computed reaches memory by the consumers");
  }

  void consumes(const Op& op) {
    if (sends(op.opcode)) broken(1602, "'send' is not for consumers", op, "the producer sends");
    if (op.opcode == Opcode::Team && !has_teams_) broken(1610, "'team' without teams", op, "roles({.teams = 8}, ...) makes eight");
    if (op.opcode == Opcode::Fence && has_teams_) broken(1610, "'fence' with teams", op, "a fence is one of all consumers, and teams run each on their own");
    if (op.opcode == Opcode::Roles || is_shared_by_roles(op.opcode)) broken(1604, quoted(op) + " in a role", op, "make it beside the roles");
    if (op.opcode == Opcode::GroupProduct && op.ints[2] != 0 && program_.type(op.operands[0]).is_tile())
      broken(1606, "a product in flight has its left operand in registers", op, "write it to a shared tile, or use group_dot, which waits");
    if (op.opcode == Opcode::GroupProduct && !is_made_by(op.operands[1], Opcode::Receive)) broken(1607, "the right operand of 'group_dot' was not received", op);
    if (turn_ != nullptr && (op.opcode == Opcode::SharedStore || op.opcode == Opcode::CopyOut || op.opcode == Opcode::Store || op.opcode == Opcode::Atomic || op.opcode == Opcode::Fence)) broken(1609, quoted(op) + " in a turn", op, "pass the turn on first: the other groups would have to meet this one");
    if (op.opcode == Opcode::SharedStore) {
      if (is_made_by(op.operands[0], Opcode::Receive)) broken(1605, "'write' to a tile that was received", op, "write to one of shared_tile(...)");
      if (in_flight_reads(op.operands[0])) broken(1606, "'write' to a tile that a product in flight reads", op, "wait for the product first");
    }
    if (op.opcode == Opcode::CopyOut && is_made_by(op.operands.back(), Opcode::Receive))
      broken(1611, quoted(op) + " of a tile that was received", op, "write it to one of shared_tile(...): write(shared, read(tile))");
    if (op.opcode == Opcode::Release) return;
    for (ValueId operand : op.operands) {
      if (is_made_by(operand, Opcode::Receive) && !held_.contains(operand)) broken(1605, quoted(op) + " reads a tile that was given back", op);
      if (is_in_flight(operand) && op.opcode != Opcode::GroupWait) broken(1606, quoted(op) + " uses a product in flight", op, "wait(product) gives its value");
    }
  }

  const Op& origin(ValueId value) const { return program_.ops[program_.values[value].def]; }

  bool is_made_by(ValueId value, Opcode opcode) const { return program_.values[value].def != kNone && origin(value).opcode == opcode; }

  bool is_in_flight(ValueId value) const { return is_made_by(value, Opcode::GroupProduct) && origin(value).ints[2] != 0; }

  bool in_flight_reads(ValueId tile) const {
    return std::any_of(flying_.begin(), flying_.end(), [&](const auto& each) { return origin(each.first).operands[0] == tile || origin(each.first).operands[1] == tile; });
  }

  void waits(const Op& op, const Region& region) {
    const ValueId product = op.operands[0];
    if (!is_in_flight(product)) broken(1606, "'wait' is for a product in flight", op, "begin_group_dot gives one");
    const auto begun = flying_.find(product);
    if (begun == flying_.end() || begun->second != &region) broken(1606, "'wait' for a product of another region, or one that was waited for before", op, "wait once, in the region it was begun in");
    flying_.erase(begun);
  }

  void turns(const Op& op, const Region& region) {
    const bool takes = op.opcode == Opcode::TakeTurn;
    if (takes && turn_ != nullptr) broken(1609, "'take_turn' in a turn", op, "pass the turn on first");
    if (!takes && (turn_ != &region || taken_by_->operands[0] != op.operands[0])) broken(1609, "'pass_turn' of a turn that was not taken in this region", op);
    turn_ = takes ? &region : nullptr;
    taken_by_ = &op;
  }

  void gives_back(const Op& op, const Region& region) {
    const ValueId tile = op.operands[0];
    if (!is_made_by(tile, Opcode::Receive)) broken(1605, "'release' of a tile that was not received", op);
    if (in_flight_reads(tile)) broken(1606, "'release' of a tile that a product in flight reads", op, "wait for the product first");
    const auto received = held_.find(tile);
    if (received == held_.end() || received->second != &region)
      broken(1605, "'release' of a tile that was received in another region, or given back before", op, "release it once, in the region it was received in");
    held_.erase(received);
  }

  const Program& program_;
  std::vector<bool> inside_;  // values of the role that is walked
  std::map<ValueId, const Region*> held_, flying_;  // tiles received and products begun up to here, with their regions, until they are given back and waited for
  const Region* turn_ = nullptr;  // where the turn was taken that has not been passed on
  const Op* taken_by_ = nullptr;
  bool has_roles_ = false, has_teams_ = false;
  std::map<ValueId, ValueId> newest_;  // by channel, what SendTile sent there last
  std::vector<const Op*> reads_;       // of what was sent
};

}  // namespace

bool has_roles(const Program& program) {
  return std::any_of(program.ops.begin(), program.ops.end(), [](const Op& op) { return is_of_schedules(op.opcode); });
}

void check_roles(const Program& program) {
  if (has_roles(program)) RoleRules(program).run();
}

}  // namespace tilewright::program

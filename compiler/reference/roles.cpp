// Roles, one after the other. The producer runs first, and what it sends is noted in its order; then the consumers. A tile arrives when all sends before it, to whichever channel, have found room, for which the
// consumers must have given back tiles in time: where they have not, warps would wait for each other for ever, and that is an error here.
//
// Teams run one after the other, each as if it were the only one. That finds every schedule that gets stuck: what a team receives and releases, in which order, depends on no other team, and a send needs room from each
// team on its own. Were all stuck, the producer would wait for room that some team has not made, and that team for a tile that is sent later; alone it is at the same place, and waits there too. What teams tell
// each other through memory does not count: no team may wait for that.
#include "compiler/reference/interpreter.h"

#include <algorithm>

namespace tilewright::reference {

using program::Op;

void Interpreter::run_roles(const Op& op) {
  teams_ = op.ints[2];
  sent_.clear();
  run_region(op.regions[0]);
  for (std::int64_t team = 0; team < std::max<std::int64_t>(teams_, 1); ++team) {
    begin_team(team);
    run_region(op.regions[1]);
    expect_all_received();
  }
}

// Before the first tile of every channel, with nothing in the shared tiles.
void Interpreter::begin_team(std::int64_t team) {
  team_ = team;
  under_way_ = 0;
  for (auto& [id, channel] : channels_) channel.sent = channel.received = channel.released = 0;
  for (OpId id : program_.body.ops)
    if (program_.ops[id].opcode == Opcode::SharedTile) tiles_[program_.ops[id].results[0]] = {};
}

void Interpreter::expect_all_received() const {
  for (const auto& [id, channel] : channels_) {
    const auto left = static_cast<std::int64_t>(channel.tiles.size()) - channel.received;
    if (left == 0) continue;
    throw Error(3413, "the producer has sent " + std::to_string(left) + (left == 1 ? " tile" : " tiles") + (teams_ == 0 ? " that nobody receives" : " that team " + std::to_string(team_) + " does not receive"),
                position(*sent_[channel.tiles[channel.received]].by))
        .help(teams_ == 0 ? "both roles go through the same turns" : "the producer and every team go through the same turns");
  }
}

std::string Interpreter::of_team() const { return teams_ == 0 ? "" : " (team " + std::to_string(team_) + ")"; }

Indexing Interpreter::box(const Op& op, std::size_t rank) {
  Indexing indexing{std::span(op.ints).first(rank), {}};
  for (std::size_t d = 0; d < rank; ++d) indexing.indices.push_back(operand(op, 1 + d));
  return indexing;
}

void Interpreter::run_send(const Op& op) {
  const ValueId channel = op.operands.back();
  channels_[channel].tiles.push_back(sent_.size());
  sent_.push_back({channel, load(views_[op.operands[0]], box(op, op.ints.size()), program_.type(channel).shape, nullptr, nullptr), &op});
}

void Interpreter::run_send_tile(const Op& op) {
  channels_[op.operands[1]].tiles.push_back(sent_.size());
  sent_.push_back({op.operands[1], operand(op, 0), &op});
  write(op.results[0], operand(op, 0));
}

void Interpreter::run_receive(const Op& op) {
  Channel& channel = channels_[op.operands[0]];
  if (channel.received == static_cast<std::int64_t>(channel.tiles.size()))
    throw Error(3412, "this waits for ever: the producer has sent " + std::to_string(channel.received) + " tiles to the channel, and all of them were received before" + of_team(), position(op));
  const std::size_t number = channel.tiles[channel.received];
  for (; under_way_ <= number; ++under_way_) {
    Channel& next = channels_[sent_[under_way_].channel];
    if (next.sent - next.released < program_.type(sent_[under_way_].channel).slots) {
      ++next.sent;
      continue;
    }
    const SourcePosition sender = position(*sent_[under_way_].by);
    throw Error(3412, "the roles wait for each other: the producer has first to send to a channel that is full, at " + sender.file + ":" + std::to_string(sender.line) + of_team(), position(op))
        .help("release tiles before so many more are received, send in the order of receiving, or give the channel more tiles");
  }
  ++channel.received;
  write(op.results[0], sent_[number].tile);
}

// At once: nothing of the program sees when it takes place.
void Interpreter::run_copy_out(const Op& op) {
  const std::size_t rank = op.ints.size() - 1;
  const Tile& tile = shared(op, 1 + rank);
  const View& view = views_[op.operands[0]];
  if (op.ints[rank] != 0) atomic(program::AtomicKind::Add, view, box(op, rank), nullptr, tile, nullptr);
  else store(view, box(op, rank), tile, nullptr);
}

const Tile& Interpreter::shared(const Op& op, std::size_t i) const {
  const Tile& tile = tiles_[op.operands[i]];
  if (tile.elements() == 0) throw Error(3414, "a shared tile is read that holds nothing" + of_team(), position(op)).help("write(shared, tile) puts a tile there");
  return tile;
}

void Interpreter::run_shared_element(const Op& op) {
  const Tile& list = shared(op, 0);
  const std::int64_t index = scalar(op.operands[1]), extent = list.elements();
  if (index < 0 || index >= extent) throw Error(3414, "element " + std::to_string(index) + " of a list of " + std::to_string(extent) + of_team(), position(op));
  write(op.results[0], slice(list, 0, index, 1).with_shape({}));
}

void Interpreter::run_group_product(const Op& op) {
  const auto operand_of = [&](std::size_t i) {
    const std::int64_t exchanged[] = {1, 0};
    const Tile& tile = program_.type(op.operands[i]).shared == program::Shared::Tile ? shared(op, i) : operand(op, i);
    return op.ints[i] != 0 ? transpose(tile, exchanged) : tile;
  };
  write(op.results[0], dot(operand_of(0), operand_of(1), operand(op, 2)));
}

}  // namespace tilewright::reference

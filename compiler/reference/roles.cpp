// Roles, one after the other. The producer runs first, and what it sends is noted in its order; then the consumers. A tile arrives when all sends before it, to whichever channel, have found room, for which the
// consumers must have given back tiles in time: where they have not, warps would wait for each other for ever, and that is an error here.
#include "compiler/reference/interpreter.h"

namespace tilewright::reference {

using program::Op;

void Interpreter::run_roles(const Op& op) {
  sent_.clear();
  under_way_ = 0;
  run_region(op.regions[0]);
  run_region(op.regions[1]);
  for (const auto& [id, channel] : channels_) {
    const auto left = static_cast<std::int64_t>(channel.tiles.size()) - channel.received;
    if (left == 0) continue;
    throw Error(3413, "the producer has sent " + std::to_string(left) + (left == 1 ? " tile" : " tiles") + " that nobody receives", position(*sent_[channel.tiles[channel.received]].by))
        .help("both roles go through the same turns");
  }
}

void Interpreter::run_send(const Op& op) {
  const ValueId channel = op.operands.back();
  Indexing indexing{op.ints, {}};
  for (std::size_t d = 0; d < op.ints.size(); ++d) indexing.indices.push_back(operand(op, 1 + d));
  channels_[channel].tiles.push_back(sent_.size());
  sent_.push_back({channel, load(views_[op.operands[0]], indexing, program_.type(channel).shape, nullptr, nullptr), &op});
}

void Interpreter::run_receive(const Op& op) {
  Channel& channel = channels_[op.operands[0]];
  if (channel.received == static_cast<std::int64_t>(channel.tiles.size()))
    throw Error(3412, "this waits for ever: the producer has sent " + std::to_string(channel.received) + " tiles to the channel, and all of them were received before", position(op));
  const std::size_t number = channel.tiles[channel.received];
  for (; under_way_ <= number; ++under_way_) {
    Channel& next = channels_[sent_[under_way_].channel];
    if (next.sent - next.released < program_.type(sent_[under_way_].channel).slots) {
      ++next.sent;
      continue;
    }
    const SourcePosition sender = position(*sent_[under_way_].by);
    throw Error(3412, "the roles wait for each other: the producer has first to send to a channel that is full, at " + sender.file + ":" + std::to_string(sender.line), position(op))
        .help("release tiles before so many more are received, send in the order of receiving, or give the channel more tiles");
  }
  ++channel.received;
  write(op.results[0], sent_[number].tile);
}

void Interpreter::run_group_product(const Op& op) {
  const auto operand_of = [&](std::size_t i) {
    const std::int64_t exchanged[] = {1, 0};
    return op.ints[i] != 0 ? transpose(operand(op, i), exchanged) : operand(op, i);
  };
  write(op.results[0], dot(operand_of(0), operand_of(1), operand(op, 2)));
}

}  // namespace tilewright::reference

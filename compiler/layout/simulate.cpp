// A machine of registers, shuffles and shared memory, just large enough for conversion plans.
#include "compiler/layout/simulate.h"

#include <algorithm>

#include "runtime/support/error.h"

namespace tilewright::layout {
namespace {

template <class Body>
void for_threads(const Layout& layout, Body body) {
  Slot slot;
  for (slot.block = 0; slot.block < layout.blocks(); ++slot.block) {
    for (slot.warp = 0; slot.warp < layout.warps(); ++slot.warp) {
      for (slot.lane = 0; slot.lane < layout.lanes(); ++slot.lane) body(slot);
    }
  }
}

void expect(bool condition, const char* what) {
  if (!condition) throw Error(9505, std::string("conversion plan: ") + what);
}

void run_shuffles(const ShufflePlan& plan, const Layout& source, const RegisterFile& input, RegisterFile& output) {
  const int lanes = source.lanes(), warps = source.warps();
  auto number = [&](const Slot& s) { return s.lane + lanes * (s.warp + warps * s.block); };
  for (const ShuffleRound& round : plan.rounds) {
    for_threads(source, [&](Slot slot) {
      const int thread = number(slot) % plan.threads, lane = shuffle_lane(plan, round, lanes, warps, slot);
      Slot sender = slot;
      sender.lane = lane;
      for (int i = 0; i < plan.packet; ++i) {
        const int receive = round.receive[thread * plan.packet + i];
        if (receive < 0) continue;
        expect(lane >= 0 && lane < lanes, "a lane outside the warp");
        expect(!round.local || lane == slot.lane, "a local round that is not");
        sender.reg = round.send[number(sender) % plan.threads * plan.packet + i];
        expect(sender.reg >= 0 && sender.reg < source.registers(), "a lane that publishes nothing");
        slot.reg = receive;
        output.at(slot) = input.at(sender);
      }
    });
  }
}

void run_shared(const SharedPlan& plan, const Layout& source, const Layout& target, const ConversionOptions& options, const RegisterFile& input,
                std::uint64_t poison, Simulation& result) {
  auto cost = [&](const Layout& layout, const IndexExpression& offset, const RegisterGroup& group, int block, int warp, auto takes_part) {
    std::vector<std::int64_t> addresses;
    for (int lane = 0; lane < layout.lanes(); ++lane) {
      const Slot slot{group[0], lane, warp, block};
      addresses.push_back(takes_part(slot) ? offset.at(slot) * options.element_bytes : -1);
    }
    return access_cost(options.banks, addresses, static_cast<int>(group.size()) * options.element_bytes);
  };
  for (int block = 0; block < source.blocks(); ++block) {
    for (const SharedPass& pass : plan.passes) {
      std::vector<std::uint64_t> memory(plan.elements, poison);
      for (const RegisterGroup& group : pass.writes) {
        auto takes_part = [&](Slot slot) {
          if (!plan.guard_writes) return true;
          return std::any_of(group.begin(), group.end(), [&](int reg) { return slot.reg = reg, source.holds(slot); });
        };
        for (int warp = 0; warp < source.warps(); ++warp) {
          result.write_cost += cost(source, plan.write, group, block, warp, takes_part);
          for (int lane = 0; lane < source.lanes(); ++lane) {
            Slot slot{group[0], lane, warp, block};
            if (!takes_part(slot)) continue;
            const std::int64_t first = plan.write.at(slot), size = static_cast<std::int64_t>(group.size());
            expect(first >= 0 && first % size == 0 && first + size <= plan.elements, "a write outside the memory or not aligned");
            for (std::int64_t i = 0; i < size; ++i) {
              slot.reg = group[i];
              expect(plan.write.at(slot) == first + i, "a write of registers that are not neighbours");
              memory[first + i] = input.at(slot);
            }
          }
        }
      }
      for (const RegisterGroup& group : pass.reads) {
        for (int warp = 0; warp < target.warps(); ++warp) {
          result.read_cost += cost(target, plan.read, group, block, warp, [](const Slot&) { return true; });
          for (int lane = 0; lane < target.lanes(); ++lane) {
            Slot slot{group[0], lane, warp, block};
            const std::int64_t first = plan.read.at(slot), size = static_cast<std::int64_t>(group.size());
            expect(first >= 0 && first % size == 0 && first + size <= plan.elements, "a read outside the memory or not aligned");
            for (std::int64_t i = 0; i < size; ++i) {
              slot.reg = group[i];
              expect(plan.read.at(slot) == first + i, "a read of registers that are not neighbours");
              result.registers.at(slot) = memory[first + i];
            }
          }
        }
      }
    }
  }
}

}  // namespace

RegisterFile::RegisterFile(const Layout& layout, std::uint64_t fill)
    : registers_(layout.registers()),
      lanes_(layout.lanes()),
      warps_(layout.warps()),
      values_(static_cast<std::size_t>(registers_) * lanes_ * warps_ * layout.blocks(), fill) {}

Simulation simulate(const ConversionPlan& plan, const Layout& source, const Layout& target, const ConversionOptions& options,
                    const RegisterFile& input, std::uint64_t poison) {
  Simulation result{RegisterFile(target, poison), {}, {}};
  switch (plan.kind) {
    case ConversionPlan::Kind::kNone:
    case ConversionPlan::Kind::kRegisters:
      for_threads(target, [&](Slot slot) {
        for (int reg = 0; reg < target.registers(); ++reg) {
          if (plan.registers[reg] < 0) continue;
          Slot from = slot;
          from.reg = plan.registers[reg], slot.reg = reg;
          result.registers.at(slot) = input.at(from);
        }
      });
      break;
    case ConversionPlan::Kind::kShuffle: run_shuffles(*plan.shuffle, source, input, result.registers); break;
    case ConversionPlan::Kind::kShared: run_shared(*plan.shared, source, target, options, input, poison, result); break;
  }
  for (const auto& [copy, original] : plan.copies) {
    for_threads(target, [&](Slot slot) {
      slot.reg = original;
      const std::uint64_t value = result.registers.at(slot);
      slot.reg = copy;
      result.registers.at(slot) = value;
    });
  }
  return result;
}

}  // namespace tilewright::layout

// Choosing the cheapest way from one layout to another.
#include "compiler/layout/conversion.h"

#include <algorithm>
#include <map>

#include "compiler/layout/conversion_parts.h"
#include "compiler/layout/queries.h"
#include "compiler/layout/shape.h"
#include "runtime/support/error.h"

namespace tilewright::layout {
namespace {

constexpr int kMisuse = 9503;

// A register's share of a coordinate, without the part that is added to threads' bits only by notation: {xored into threads' bits, added}.
std::pair<std::uint32_t, std::int64_t> constant_of(const IndexExpression& e, int reg) {
  const IndexExpression::Word& word = e.words[0];
  const std::uint32_t mask = word.thread_mask(), constant = word.registers[reg];
  return {constant & mask, e.registers[reg] + static_cast<std::int64_t>(constant & ~mask)};
}

bool same_threads(const IndexExpression& a, const IndexExpression& b) {
  const IndexExpression::Word &x = a.words[0], &y = b.words[0];
  auto equal = [](const IndexExpression::Digit& p, const IndexExpression::Digit& q) {
    return p.place == q.place && p.stride == q.stride && p.divisor == q.divisor && p.count == q.count;
  };
  return x.lane == y.lane && x.warp == y.warp && x.block == y.block &&
         std::equal(a.digits.begin(), a.digits.end(), b.digits.begin(), b.digits.end(), equal);
}

void check(const Layout& source, const Layout& target, const ConversionOptions& options) {
  auto fail = [&](const std::string& what) {
    throw Error(kMisuse, "conversion of layouts: " + what).note(source.to_string()).note(target.to_string());
  };
  if (source.elements() != target.elements()) fail("they have different numbers of elements");
  if (source.lanes() != target.lanes() || source.warps() != target.warps() || source.blocks() != target.blocks())
    fail("they are for different threads");
  const int bytes = options.element_bytes, vector = options.max_vector_bytes;
  if (!is_power_of_two(bytes) || bytes > 8 || !is_power_of_two(vector) || vector < bytes) fail("bytes of elements and vectors that do not fit");
}

// A shuffle plan that in fact moves registers within each thread, the same ones everywhere.
std::optional<std::vector<int>> as_registers(const ShufflePlan& plan, const std::vector<std::pair<int, int>>& copies, const Layout& target) {
  std::vector<int> source(target.registers(), -1);
  for (const ShuffleRound& round : plan.rounds) {
    if (!round.local) return std::nullopt;
    for (std::size_t i = 0; i < round.receive.size(); ++i) {
      if (round.receive[i] < 0) continue;
      int& known = source[round.receive[i]];
      if (known >= 0 && known != round.send[i]) return std::nullopt;
      known = round.send[i];
    }
  }
  for (const auto& [copy, original] : copies) source[copy] = source[original];
  return source;
}

double shared_cost(const SharedPlan& plan, const Layout& layout, const ConversionOptions& options) {
  const double warps = layout.warps();
  const double wavefronts = static_cast<double>(plan.write_cost.wavefronts + plan.read_cost.wavefronts) / warps;
  return wavefronts * options.costs.wavefront + static_cast<double>(2 * plan.passes.size() - 1) * options.costs.barrier;
}

double shuffle_cost(const ShufflePlan& plan, const ConversionOptions& options) {
  const int words = std::max(1, plan.packet * options.element_bytes / 4);
  return plan.shuffles * words * options.costs.shuffle + plan.selects * options.costs.select;
}

}  // namespace

std::optional<std::vector<int>> plan_registers(const Layout& given_source, const Layout& given_target) {
  const Layout source = given_source.canonical(), target = given_target.canonical();
  const std::vector<IndexExpression> from = coordinate_expressions(source), to = coordinate_expressions(target);
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    if (!same_threads(from[axis], to[axis])) return std::nullopt;
  }
  using Key = std::vector<std::pair<std::uint32_t, std::int64_t>>;
  auto key = [](const std::vector<IndexExpression>& expressions, int reg) {
    Key k;
    for (const IndexExpression& e : expressions) k.push_back(constant_of(e, reg));
    return k;
  };
  std::map<Key, int> holders;
  for (int reg = source.registers() - 1; reg >= 0; --reg) holders[key(from, reg)] = reg;
  const std::vector<Bounds> checks = bounds(target);
  std::vector<int> result;
  for (int reg = 0; reg < target.registers(); ++reg) {
    const Key wanted = key(to, reg);
    const auto holder = holders.find(wanted);
    if (checks[reg].validity == Validity::kNever) result.push_back(-1);
    else if (reg < source.registers() && key(from, reg) == wanted) result.push_back(reg);
    else if (holder != holders.end()) result.push_back(holder->second);
    else return std::nullopt;
  }
  return result;
}

int shuffle_lane(const ShufflePlan& plan, const ShuffleRound& round, int lanes, int warps, const Slot& slot) {
  std::uint32_t lane = round.lane_constant;
  const std::uint32_t parts[] = {static_cast<std::uint32_t>(slot.lane), static_cast<std::uint32_t>(slot.warp),
                                 static_cast<std::uint32_t>(slot.block)};
  const int bits[] = {log2_exact(lanes), log2_ceil(warps), 32};
  int part = 0, position = 0;
  for (std::uint32_t column : plan.lane_columns) {
    while (position == bits[part]) ++part, position = 0;
    if (has_bit(parts[part], position++)) lane ^= column;
  }
  return static_cast<int>(lane);
}

ThreadChoice choose_by_bits(const std::vector<int>& table) {
  ThreadChoice choice;
  choice.values = table;
  const int all = log2_ceil(static_cast<std::int64_t>(table.size()));
  choice.values.resize(std::size_t{1} << all, -1);
  for (int k = 0; k < all; ++k) choice.bits.push_back(k);
  for (int k = all - 1; k >= 0; --k) {
    // Without bit k, if the two halves agree wherever both matter.
    std::vector<int> merged;
    bool agree = true;
    for (std::size_t i = 0; i < choice.values.size() && agree; ++i) {
      if (has_bit(i, k)) continue;
      const int low = choice.values[i], high = choice.values[i | bit(k)];
      agree = low < 0 || high < 0 || low == high;
      merged.push_back(low < 0 ? high : low);
    }
    if (!agree) continue;
    choice.values = std::move(merged);
    choice.bits.erase(choice.bits.begin() + k);
  }
  return choice;
}

std::string ConversionPlan::to_string() const {
  switch (kind) {
    case Kind::kNone: return "nothing to do";
    case Kind::kRegisters: return "registers renamed";
    case Kind::kShuffle:
      return std::to_string(shuffle->shuffles) + " shuffles of " + std::to_string(shuffle->packet) + " elements, " +
             std::to_string(shuffle->selects) + " selects";
    case Kind::kShared:
      return "shared memory, " + std::to_string(shared->elements) + " elements, vectors of " + std::to_string(shared->write_vector) + " and " +
             std::to_string(shared->read_vector) + " elements, " + std::to_string(shared->passes.size()) + " passes, " +
             std::to_string(shared->write_cost.conflicts()) + " and " + std::to_string(shared->read_cost.conflicts()) + " conflicts";
  }
  return {};
}

ConversionPlan plan_conversion(const Layout& given, const Layout& target, const ConversionOptions& options) {
  check(given, target, options);
  ConversionPlan plan;
  plan.copies = register_copies(target);
  const std::optional<Layout> reshape = given.extents() == target.extents() ? std::optional(given) : reshaped(given, target.extents());
  if (!reshape) {
    if (given.blocks() > 1)
      throw Error(2501, "a reshape over several blocks needs data of other blocks").note(given.to_string()).note(target.to_string());
    plan.kind = ConversionPlan::Kind::kShared;
    plan.shared = plan_row_major(given, target, options);
    plan.cost = shared_cost(*plan.shared, target, options);
    return plan;
  }
  const Layout& source = *reshape;
  auto by_registers = [&](std::vector<int> registers) {
    plan.copies.clear();
    bool same = true;
    for (std::size_t reg = 0; reg < registers.size(); ++reg) same = same && (registers[reg] < 0 || registers[reg] == static_cast<int>(reg));
    plan.kind = same ? ConversionPlan::Kind::kNone : ConversionPlan::Kind::kRegisters;
    plan.registers = std::move(registers);
    return plan;
  };
  if (auto registers = plan_registers(source, target)) return by_registers(std::move(*registers));

  std::optional<ShufflePlan> shuffle;
  if (const auto alignment = align(source, target, Outside::kKeep)) shuffle = plan_shuffle(source, target, *alignment, options);
  if (shuffle) {
    if (auto registers = as_registers(*shuffle, plan.copies, target)) return by_registers(std::move(*registers));
    plan.cost = shuffle_cost(*shuffle, options);
    // No way through memory is cheaper than moving each word once, with a barrier.
    const bool surely = plan.cost <= options.costs.barrier;
    if (!options.allow_shuffles && shuffle->shuffles > 0) shuffle.reset();
    if (shuffle && (surely || shuffle->shuffles == 0)) {
      plan.kind = ConversionPlan::Kind::kShuffle;
      plan.shuffle = std::move(shuffle);
      return plan;
    }
  }
  std::optional<SharedPlan> shared;
  if (const auto alignment = align(source, target, Outside::kDrop)) {
    shared = plan_swizzled(source, target, *alignment, options);
  } else {
    if (source.blocks() > 1)
      throw Error(2501, "a conversion between layouts over several blocks that have no grid in common")
          .note(source.to_string())
          .note(target.to_string());
    shared = plan_row_major(source, target, options);
    if (shared->elements * options.element_bytes > options.max_scratch_bytes) shared.reset();
  }
  if (shuffle && (!shared || plan.cost <= shared_cost(*shared, target, options))) {
    plan.kind = ConversionPlan::Kind::kShuffle;
    plan.shuffle = std::move(shuffle);
    return plan;
  }
  if (!shared) {
    throw Error(2502, "a conversion of layouts needs more shared memory than the " + std::to_string(options.max_scratch_bytes) + " bytes there are")
        .note(source.to_string())
        .note(target.to_string());
  }
  plan.kind = ConversionPlan::Kind::kShared;
  plan.shared = std::move(shared);
  plan.cost = shared_cost(*plan.shared, target, options);
  return plan;
}

}  // namespace tilewright::layout

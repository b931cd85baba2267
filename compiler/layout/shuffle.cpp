// Rounds of shuffles within a warp. The idea is in conversion.h; here is the algebra.
//
// X gives the source register and lane of a target register and a thread. With the target's registers written as e ^ F t (e the round, t the thread), thread t
// reads in round e from lane M t ^ A e register N t ^ P e, where A, P are X on registers and M = A F + B, N = P F + Q from X on threads. The sender of lane s must
// know its register: if M is not injective on lanes, N must not tell lanes apart that M does not. Where elements have copies in several lanes, the kernel of the
// source gives further freedom: the map Y adds kernel elements.
#include <algorithm>

#include "compiler/layout/conversion_parts.h"
#include "compiler/layout/queries.h"
#include "runtime/support/error.h"

namespace tilewright::layout {
namespace {

BitMatrix masked(const BitMatrix& matrix, Bits kept) {
  std::vector<Bits> columns = matrix.as_columns();
  for (std::size_t j = 0; j < columns.size(); ++j) {
    if (!has_bit(kept, static_cast<int>(j))) columns[j] = 0;
  }
  return BitMatrix(matrix.rows(), std::move(columns));
}

// Sums of the vectors picked by the bits of `by`.
Bits combine(const std::vector<Bits>& vectors, Bits by) {
  Bits sum = 0;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (has_bit(by, static_cast<int>(i))) sum ^= vectors[i];
  }
  return sum;
}

// What each bit of the thread's number adds to the target register (as a combination of the round's basis) and to the choice among copies.
struct Choice {
  std::vector<Bits> rounds, copies;
  // Lanes that differ along these directions would make one lane publish two things at once: they receive in rounds of their own.
  std::vector<Bits> apart;
};

class ShufflePlanner {
 public:
  ShufflePlanner(const Layout& source, const Layout& target, const Alignment& alignment, const ConversionOptions& options)
      : source_(source), target_(target), from_(alignment.source), to_(alignment.target), alignment_(alignment), options_(options) {}

  std::optional<ShufflePlan> plan() {
    if (!collect_cells()) return std::nullopt;
    registers_ = from_.registers.columns();
    lanes_ = from_.lanes.columns();
    choose_packet();
    if (!locate()) return std::nullopt;
    std::optional<ShufflePlan> best;
    for (const Choice& choice : choices()) {
      ShufflePlan candidate = build(choice);
      auto cost = [&](const ShufflePlan& p) { return p.shuffles * options_.costs.shuffle * words(p) + p.selects * options_.costs.select; };
      if (!best || cost(candidate) < cost(*best)) best = std::move(candidate);
    }
    return best;
  }

 private:
  int words(const ShufflePlan& plan) const { return std::max(1, plan.packet * options_.element_bytes / 4); }

  // The grid of repetitions that registers count in both layouts; one that threads count must be the same in both.
  bool collect_cells() {
    if (alignment_.idle_threads) return false;
    cells_ = {{0, 0}};
    for (const CellDigit& digit : alignment_.digits) {
      if (digit.source.place != Place::kRegister && digit.source == digit.target) continue;
      if (digit.source.place != Place::kRegister || digit.target.place != Place::kRegister) return false;
      std::vector<std::pair<int, int>> next;
      for (int value = 0; value < digit.count; ++value) {
        for (const auto& [a, b] : cells_) next.emplace_back(a + value * digit.source.divisor, b + value * digit.target.divisor);
      }
      cells_ = std::move(next);
    }
    return true;
  }

  // Directions along which both layouts have registers, up to 4 bytes of elements.
  void choose_packet() {
    const BitMatrix from = masked(from_.registers, from_.solid()), to = masked(to_.registers, to_.solid());
    const Subspace in_source(from.as_columns());
    std::vector<Bits> candidates;
    for (Bits v : to.as_columns()) {
      if (in_source.contains(v)) candidates.push_back(v);
    }
    for (Bits v : intersection(in_source, Subspace(to.as_columns())).basis()) candidates.push_back(v);
    Subspace chosen;
    for (Bits v : candidates) {
      if ((std::size_t{2} << send_offsets_.size()) * options_.element_bytes > 4 || !chosen.insert(v)) continue;
      send_offsets_.push_back(*from.solve(v));
      receive_offsets_.push_back(*to.solve(v));
    }
  }

  // Source register and lane, as register | lane << registers_, of the target's registers and threads.
  bool locate() {
    const BitMatrix map = beside(from_.registers, from_.lanes);
    for (Bits k : map.kernel()) {
      if (k >> registers_ != 0) copies_.push_back(k);
    }
    std::vector<Bits> units;
    for (int j : to_.registers.pivots()) units.push_back(bit(j));
    rounds_ = complement(Subspace(receive_offsets_), units);
    for (Bits r : rounds_) {
      const auto x = map.solve(to_.registers.apply(r));
      if (!x) return false;
      of_round_.push_back(*x);
    }
    const BitMatrix threads = beside(to_.lanes, beside(to_.warps ^ from_.warps, to_.blocks ^ from_.blocks));
    for (Bits column : threads.as_columns()) {
      const auto x = map.solve(column);
      if (!x) return false;
      of_thread_.push_back(*x);
    }
    return true;
  }

  Bits lane_part(Bits x) const { return x >> registers_; }

  // A map on lanes under which no lane has to publish two registers at once.
  bool consistent(const Choice& choice) const {
    std::vector<Bits> lane_columns, whole;
    for (int j = 0; j < lanes_; ++j) {
      whole.push_back(read_by(choice, j));
      lane_columns.push_back(lane_part(whole.back()));
    }
    for (Bits k : BitMatrix(lanes_, lane_columns).kernel()) {
      if (combine(whole, k) != 0) return false;
    }
    return true;
  }

  // Where bit j of the thread's number makes it read from.
  Bits read_by(const Choice& choice, int j) const {
    return of_thread_[j] ^ combine(of_round_, choice.rounds[j]) ^ combine(copies_, choice.copies[j]);
  }

  // Ways to choose F and Y, at least one.
  std::vector<Choice> choices() const {
    const int threads = static_cast<int>(of_thread_.size()), rounds = static_cast<int>(rounds_.size());
    std::vector<Bits> reach;  // lane parts of what rounds and copies can add
    for (Bits x : of_round_) reach.push_back(lane_part(x));
    for (Bits x : copies_) reach.push_back(lane_part(x));
    const BitMatrix reachable(lanes_, reach);
    auto set = [&](Choice& choice, int j, Bits combination) {
      choice.rounds[j] ^= combination & low_bits(rounds);
      choice.copies[j] ^= combination >> rounds;
    };
    const Choice none{std::vector<Bits>(threads, 0), std::vector<Bits>(threads, 0), {}};
    std::vector<Choice> list;
    if (consistent(none)) list.push_back(none);

    // Every lane reads from itself, up to the round's constant.
    Choice identity = none;
    bool possible = true;
    for (int j = 0; j < lanes_ && possible; ++j) {
      const auto combination = reachable.solve(bit(j) ^ lane_part(of_thread_[j]));
      possible = combination.has_value();
      if (possible) set(identity, j, *combination);
    }
    if (possible) list.push_back(identity);
    if (list.empty()) list.push_back(general(none, reachable, set));
    return list;
  }

  // Keeps what is injective, and turns the directions of lanes that read different registers of one lane to different lanes; those for which no lanes are left receive
  // one after the other.
  template <class Set>
  Choice general(const Choice& none, const BitMatrix& reachable, Set set) const {
    std::vector<Bits> lane_columns, register_columns;
    for (int j = 0; j < lanes_; ++j) {
      lane_columns.push_back(lane_part(of_thread_[j]));
      register_columns.push_back(of_thread_[j] & low_bits(registers_));
    }
    const BitMatrix lane_map(lanes_, lane_columns), register_map(registers_, register_columns);
    const std::vector<Bits> meeting = lane_map.kernel();
    // Directions of lanes that read the very same thing, which is as it should be.
    Subspace together;
    std::vector<Bits> wanted;
    for (Bits k : meeting) wanted.push_back(register_map.apply(k));
    for (Bits combination : BitMatrix(registers_, wanted).kernel()) together.insert(combine(meeting, combination));
    const std::vector<Bits> turned = complement(together, meeting);
    // A basis of lanes: the turned directions first, then others, which keep what they read.
    std::vector<Bits> basis = turned;
    for (Bits t : together.basis()) basis.push_back(t);
    for (Bits u : complement(Subspace(basis), unit_vectors(lanes_))) basis.push_back(u);
    Subspace taken(lane_columns);
    std::vector<Bits> combinations(basis.size(), 0);
    Choice choice = none;
    for (std::size_t i = 0; i < turned.size(); ++i) {
      std::optional<Bits> found;
      if (!taken.contains(turned[i])) found = reachable.solve(turned[i]);
      for (int j = 0; j < reachable.columns() && !found; ++j) {
        if (!taken.contains(reachable.column(j))) found = bit(j);
      }
      if (!found) {
        choice.apart.push_back(turned[i]);
        continue;
      }
      taken.insert(reachable.apply(*found));
      combinations[i] = *found;
    }
    const Subspace coordinates(basis);
    for (int j = 0; j < lanes_; ++j) set(choice, j, combine(combinations, *coordinates.combination(bit(j))));
    // The directions kept apart are told by their coordinates in this basis: as masks on lanes, one a direction.
    std::vector<Bits> masks;
    for (Bits direction : choice.apart) {
      const auto index = std::find(basis.begin(), basis.end(), direction) - basis.begin();
      Bits mask = 0;
      for (int j = 0; j < lanes_; ++j) {
        if (has_bit(*coordinates.combination(bit(j)), static_cast<int>(index))) mask |= bit(j);
      }
      masks.push_back(mask);
    }
    choice.apart = std::move(masks);
    return choice;
  }

  ShufflePlan build(const Choice& choice) const {
    ShufflePlan plan;
    plan.packet = 1 << send_offsets_.size();
    const int lanes = source_.lanes(), warp_bits = from_.warps.columns();
    bool by_warp = false, by_block = false;
    std::vector<Bits> reads;
    for (int j = 0; j < static_cast<int>(of_thread_.size()); ++j) {
      reads.push_back(read_by(choice, j));
      plan.lane_columns.push_back(static_cast<std::uint32_t>(lane_part(reads.back())));
      if (reads.back() != 0 && j >= lanes_) (j < lanes_ + warp_bits ? by_warp : by_block) = true;
    }
    const int warps = by_warp || by_block ? source_.warps() : 1, blocks = by_block ? source_.blocks() : 1;
    plan.threads = lanes * warps * blocks;
    const std::vector<Bounds> checks = bounds(target_);
    for (const auto& [source_offset, target_offset] : cells_) {
      for (Bits e = 0; e < bit(static_cast<int>(rounds_.size())); ++e) {
        for (Bits part = 0; part < bit(static_cast<int>(choice.apart.size())); ++part) {
          ShuffleRound round;
          round.lane_constant = static_cast<std::uint32_t>(lane_part(combine(of_round_, e)));
          round.local = true;
          round.send.assign(plan.threads * plan.packet, -1);
          round.receive.assign(plan.threads * plan.packet, -1);
          bool used = false;
          for (int thread = 0; thread < plan.threads; ++thread) {
            const int lane = thread % lanes, rest = thread - lane;
            if (part_of(choice, lane) != part) continue;
            const Bits t =
                lane | static_cast<Bits>(thread / lanes % warps) << lanes_ | static_cast<Bits>(thread / lanes / warps) << (lanes_ + warp_bits);
            const Bits x = combine(reads, t) ^ combine(of_round_, e);
            const Bits from_register = x & low_bits(registers_);
            Bits to_register = combine(rounds_, e);
            for (int j = 0; j < static_cast<int>(of_thread_.size()); ++j) {
              if (has_bit(t, j)) to_register ^= combine(rounds_, choice.rounds[j]);
            }
            const int sender = static_cast<int>(lane_part(x));
            for (int i = 0; i < plan.packet; ++i) {
              const int receive = to_.real_register(to_register ^ combine(receive_offsets_, i)),
                        send = from_.real_register(from_register ^ combine(send_offsets_, i));
              if (receive < 0 || send < 0 || checks[receive + target_offset].validity == Validity::kNever) continue;
              int& published = round.send[(sender + rest) * plan.packet + i];
              if (published >= 0 && published != send + source_offset)
                throw Error(9504, "conversion of layouts: a lane publishes two registers in one round");
              published = send + source_offset;
              round.receive[thread * plan.packet + i] = receive + target_offset;
              round.local = round.local && sender == lane;
              used = true;
            }
          }
          if (!used) continue;
          if (!round.local) ++plan.shuffles;
          plan.selects += plan.packet * (selects(round.send, plan.packet) + selects(round.receive, plan.packet));
          plan.rounds.push_back(std::move(round));
        }
      }
    }
    return plan;
  }

  static Bits part_of(const Choice& choice, int lane) {
    Bits part = 0;
    for (std::size_t i = 0; i < choice.apart.size(); ++i) {
      if (__builtin_parityll(choice.apart[i] & static_cast<Bits>(lane))) part |= bit(static_cast<int>(i));
    }
    return part;
  }

  // Levels of selects to pick one register of those in a table.
  static int selects(const std::vector<int>& table, int packet) {
    std::vector<int> values;
    for (std::size_t i = 0; i < table.size(); i += packet) {
      if (table[i] >= 0) values.push_back(table[i]);
    }
    std::sort(values.begin(), values.end());
    return log2_ceil(std::unique(values.begin(), values.end()) - values.begin());
  }

  const Layout &source_, &target_;
  const AlignedSide &from_, &to_;
  const Alignment& alignment_;
  const ConversionOptions& options_;

  int registers_ = 0, lanes_ = 0;           // bits of the source's virtual registers and of lanes
  std::vector<std::pair<int, int>> cells_;  // offsets of source and target registers
  std::vector<Bits> send_offsets_, receive_offsets_;
  std::vector<Bits> rounds_;                // target registers that number the rounds
  std::vector<Bits> of_round_, of_thread_;  // where their elements are in the source
  std::vector<Bits> copies_;                // the source's kernel, as far as it moves lanes
};

}  // namespace

std::optional<ShufflePlan> plan_shuffle(const Layout& source, const Layout& target, const Alignment& alignment, const ConversionOptions& options) {
  return ShufflePlanner(source, target, alignment, options).plan();
}

}  // namespace tilewright::layout

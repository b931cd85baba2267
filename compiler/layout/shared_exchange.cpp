// Conversions through shared memory, with an arrangement of the memory that has no bank conflicts. The idea is in conversion.h.
//
// All vectors below are coordinates of the tile's elements as bits, in the aligned form of both layouts, relative to the block. An arrangement is a basis of that
// space: the vectors of the offset's bits, low bits first. They are
//
//   common   registers of both layouts: the vector of both accesses begins with them
//   extra    registers of one layout, the wide side: its vectors go on with them
//   word     what is left to fill a bank's word, if the vectors are shorter
//   bank     the rest of a line
//   line     the common complement
//   pass     registers of both layouts that are held back for later passes; no bits of the offset
//
// For a vector to be one for every thread, threads must have no part along it: the span of bank, line and word includes all that threads of the wide side reach,
// and together with the extra vectors all that the other side's threads reach.
#include <algorithm>
#include <map>

#include "compiler/layout/conversion_parts.h"
#include "compiler/layout/queries.h"
#include "runtime/support/error.h"

namespace tilewright::layout {
namespace {

constexpr int kOtherBlock = 2501;

std::vector<Bits> append(std::vector<Bits> list, const std::vector<Bits>& more) {
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

BitMatrix from_basis(int rows, const std::vector<Bits>& basis) { return BitMatrix(rows, basis).pseudo_inverse(); }

Bits pivot_mask(const BitMatrix& matrix) {
  Bits mask = 0;
  for (int j : matrix.pivots()) mask |= bit(j);
  return mask;
}

// One of the two accesses: its columns, and what its grid digits add to the offset.
struct Side {
  BitMatrix registers, threads;  // threads: lanes, then warps, then blocks
  int lanes = 0, warps = 0;      // bits
  const AlignedSide* aligned = nullptr;
  const Layout* layout = nullptr;
};

struct Arrangement {
  std::vector<Bits> common, extra, word, bank, line, pass;
  bool source_is_wide = true;
  int source_vector = 0, target_vector = 0;  // bits
};

class SwizzlePlanner {
 public:
  SwizzlePlanner(const Layout& source, const Layout& target, const Alignment& alignment, const ConversionOptions& options)
      : source_layout_(source), target_layout_(target), alignment_(alignment), options_(options) {}

  std::optional<SharedPlan> plan() {
    read_maps();
    read_digits();
    element_bits_ = log2_exact(options_.element_bytes);
    line_bits_ = std::max(0, log2_exact(options_.banks.line_bytes()) - element_bits_);
    word_bits_ = std::max(0, log2_exact(options_.banks.bank_bytes) - element_bits_);
    choose_common();
    if (!choose_passes()) return std::nullopt;
    std::optional<SharedPlan> best;
    auto consider = [&](std::vector<Bits> extra, bool source_is_wide) {
      const auto candidate = build(arrange(std::move(extra), source_is_wide));
      auto cost = [](const SharedPlan& p) {
        return p.write_cost.wavefronts + p.read_cost.wavefronts + (p.write_cost.accesses + p.read_cost.accesses);
      };
      if (candidate && (!best || cost(*candidate) < cost(*best))) best = candidate;
    };
    consider({}, true);
    for (bool source_is_wide : {true, false}) {
      std::vector<Bits> extra = extend(source_is_wide);
      if (!extra.empty()) consider(std::move(extra), source_is_wide);
    }
    if (!best)
      throw Error(9504, "conversion of layouts: no arrangement of shared memory").note(source_layout_.to_string()).note(target_layout_.to_string());
    return best;
  }

 private:
  // The coordinates that a block holds, as a space of its own.
  void read_maps() {
    const AlignedSide &s = alignment_.source, &t = alignment_.target;
    const BitMatrix held = beside(s.registers, beside(s.lanes, s.warps)), blocks = t.blocks ^ s.blocks;
    std::vector<Bits> basis;
    for (int j : held.pivots()) basis.push_back(held.column(j));
    size_ = static_cast<int>(basis.size());
    const BitMatrix space(alignment_.bits, basis);
    auto inside = [&](const BitMatrix& m) {
      auto x = solve(space, m);
      if (!x)
        throw Error(kOtherBlock, "a conversion of layouts needs data of another block")
            .note(source_layout_.to_string())
            .note(target_layout_.to_string());
      return *x;
    };
    source_ = {inside(s.registers),
               beside(inside(beside(s.lanes, s.warps)), BitMatrix::zero(size_, blocks.columns())),
               s.lanes.columns(),
               s.warps.columns(),
               &s,
               &source_layout_};
    target_ = {inside(t.registers), inside(beside(beside(t.lanes, t.warps), blocks)), t.lanes.columns(), t.warps.columns(), &t, &target_layout_};
  }

  void read_digits() {
    for (const CellDigit& digit : alignment_.digits) {
      const bool block = digit.source.place == Place::kBlock || digit.target.place == Place::kBlock;
      if (block && !(digit.source == digit.target)) {
        throw Error(kOtherBlock, "a conversion of layouts needs data of another block")
            .note(source_layout_.to_string())
            .note(target_layout_.to_string());
      }
      if (!block) digits_.push_back(digit);
    }
  }

  std::vector<Bits> solid_registers(const Side& side) const {
    std::vector<Bits> list;
    for (int j = 0; j < side.registers.columns(); ++j) {
      if (has_bit(side.aligned->solid(), j)) list.push_back(side.registers.column(j));
    }
    return list;
  }

  std::vector<Bits> all_threads() const { return append(source_.threads.as_columns(), target_.threads.as_columns()); }

  void choose_common() {
    const std::vector<Bits> from = solid_registers(source_), to = solid_registers(target_);
    const Subspace in_source(from), in_target(to);
    std::vector<Bits> candidates;
    for (Bits v : from) {
      if (in_target.contains(v)) candidates.push_back(v);
    }
    shared_registers_ = append(candidates, intersection(in_source, in_target).basis());
    Subspace taken(all_threads());
    for (Bits v : shared_registers_) {
      if (static_cast<int>(common_.size()) < vector_bits() && taken.insert(v)) common_.push_back(v);
    }
  }

  int vector_bits() const { return std::max(0, log2_exact(options_.max_vector_bytes) - element_bits_); }

  // Registers of one side that lengthen its vectors.
  std::vector<Bits> extend(bool of_source) const {
    const Side& wide = of_source ? source_ : target_;
    std::vector<Bits> extra;
    for (Bits v : solid_registers(wide)) {
      if (static_cast<int>(common_.size() + extra.size()) == vector_bits()) break;
      const std::vector<Bits> longer = append(extra, {v});
      const int own = Subspace(append(append(wide.threads.as_columns(), common_), append(longer, pass_))).dimension();
      const int own_needed = Subspace(wide.threads.as_columns()).dimension() + static_cast<int>(common_.size() + longer.size() + pass_.size());
      const std::vector<Bits> others = append(all_threads(), longer);
      const int all = Subspace(append(append(others, common_), pass_)).dimension();
      if (own == own_needed && all == Subspace(others).dimension() + static_cast<int>(common_.size() + pass_.size())) extra = longer;
    }
    return extra;
  }

  // Holds back registers of both layouts until the rest fits.
  bool choose_passes() {
    std::int64_t elements = std::int64_t{1} << size_;
    for (const CellDigit& digit : digits_) elements *= digit.count;
    const std::int64_t room = options_.max_scratch_bytes / options_.element_bytes;
    Subspace taken(append(all_threads(), common_));
    for (auto v = shared_registers_.rbegin(); v != shared_registers_.rend() && elements > room; ++v) {
      if (taken.insert(*v)) pass_.push_back(*v), elements /= 2;
    }
    for (CellDigit& digit : digits_) {
      if (elements <= room || digit.source.place != Place::kRegister || digit.target.place != Place::kRegister) continue;
      elements /= digit.count;
      pass_digits_.push_back(digit);
      digit.count = 0;
    }
    std::erase_if(digits_, [](const CellDigit& digit) { return digit.count == 0; });
    return elements <= room;
  }

  // The arrangement for given vectors: lines as a common complement.
  Arrangement arrange(std::vector<Bits> extra, bool source_is_wide) const {
    const Side &wide = source_is_wide ? source_ : target_, &narrow = source_is_wide ? target_ : source_;
    Arrangement a;
    a.common = common_, a.extra = std::move(extra), a.pass = pass_, a.source_is_wide = source_is_wide;
    const int common = static_cast<int>(a.common.size()), vector = common + static_cast<int>(a.extra.size());
    (source_is_wide ? a.source_vector : a.target_vector) = vector;
    (source_is_wide ? a.target_vector : a.source_vector) = common;

    // Everything modulo the common vectors and the passes; `rest` are representatives.
    const std::vector<Bits> fixed = append(a.common, a.pass);
    const std::vector<Bits> rest = append(
        a.extra,
        complement(Subspace(append(fixed, a.extra)), append(append(wide.threads.as_columns(), narrow.threads.as_columns()), unit_vectors(size_))));
    const int count = static_cast<int>(rest.size());
    const BitMatrix to_rest = from_basis(size_, append(append(rest, a.common), a.pass));
    auto reduced = [&](const std::vector<Bits>& vectors) {
      std::vector<Bits> list;
      for (Bits v : vectors) list.push_back(to_rest.apply(v) & low_bits(count));
      return list;
    };
    auto phase = [&](const Side& side, int bits) {
      const int lanes = std::min(side.lanes, log2_exact(options_.banks.phase_lanes(options_.element_bytes << bits)));
      return reduced(side.threads.slice(0, lanes).as_columns());
    };
    const std::vector<Bits> wide_phase = phase(wide, vector), narrow_phase = phase(narrow, common),
                            extras = unit_vectors(static_cast<int>(a.extra.size())), units = unit_vectors(count);
    const int line = std::max(0, std::min(count, line_bits_ - common));

    // A word longer than the vectors takes in what both phases reach, or else the wide one.
    std::vector<Bits> word;
    if (vector < word_bits_) {
      const std::vector<Bits> both = intersection(Subspace(wide_phase), Subspace(narrow_phase)).basis();
      word = complement(Subspace(extras), append(append(both, wide_phase), append(reduced(wide.threads.as_columns()), units)));
      word.resize(std::min<std::size_t>(word.size(), word_bits_ - vector));
    }
    const std::size_t in_word = std::min<std::size_t>(extras.size(), std::max(0, word_bits_ - common));
    Subspace of_wide(append(append(wide_phase, word), extras));
    Subspace of_narrow(append(append(narrow_phase, word), std::vector<Bits>(extras.begin(), extras.begin() + static_cast<std::ptrdiff_t>(in_word))));
    auto grow = [&](Subspace& space, const std::vector<Bits>& candidates) {
      for (Bits v : candidates) {
        if (space.dimension() < line) space.insert(v);
      }
    };
    grow(of_wide, of_narrow.basis());
    grow(of_narrow, of_wide.basis());
    grow(of_wide, units);
    grow(of_narrow, of_wide.basis());

    const Subspace shared = intersection(of_wide, of_narrow);
    const std::vector<Bits> only_wide = complement(shared, append(append(wide_phase, word), append(extras, of_wide.basis())));
    const std::vector<Bits> only_narrow = complement(shared, append(append(narrow_phase, word), of_narrow.basis()));
    std::vector<Bits> lines;
    for (std::size_t i = 0; i < only_wide.size(); ++i) lines.push_back(only_wide[i] ^ only_narrow[i]);
    lines = append(lines, complement(sum(of_wide, of_narrow), units));
    const std::vector<Bits> banks =
        complement(Subspace(append(append(extras, word), lines)), append(append(wide_phase, reduced(wide.threads.as_columns())), units));

    auto represented = [&](const std::vector<Bits>& vectors) {
      std::vector<Bits> list;
      for (Bits v : vectors) list.push_back(BitMatrix(size_, rest).apply(v));
      return list;
    };
    a.word = represented(word), a.bank = represented(banks), a.line = represented(lines);
    return a;
  }

  // Offsets, groups and passes; nullopt if some thread reaches into a vector.
  std::optional<SharedPlan> build(const Arrangement& a) const {
    const std::vector<Bits> basis = append(append(append(a.common, a.extra), append(a.word, a.bank)), append(a.line, a.pass));
    const BitMatrix offsets = from_basis(size_, basis);
    const int bits = size_ - static_cast<int>(a.pass.size());
    SharedPlan plan;
    int passes = 1 << a.pass.size();
    for (const CellDigit& digit : pass_digits_) passes *= digit.count;
    plan.passes.resize(passes);
    plan.write_vector = 1 << a.source_vector, plan.read_vector = 1 << a.target_vector;
    if (!fill(source_, offsets, bits, a.source_vector, true, plan) || !fill(target_, offsets, bits, a.target_vector, false, plan))
      return std::nullopt;
    finish_shared(source_layout_, target_layout_, options_, plan);
    return plan;
  }

  bool fill(const Side& side, const BitMatrix& to_offset, int bits, int vector, bool write, SharedPlan& plan) const {
    IndexExpression& expression = write ? plan.write : plan.read;
    IndexExpression::Word& word = expression.words.emplace_back();
    auto offset = [&](Bits x) { return static_cast<std::uint32_t>(to_offset.apply(x) & low_bits(bits)); };
    for (int j = 0; j < side.threads.columns(); ++j) {
      const std::uint32_t column = offset(side.threads.column(j));
      if (column & low_bits(vector)) return false;
      (j < side.lanes ? word.lane : j < side.lanes + side.warps ? word.warp : word.block).push_back(column);
    }
    word.registers.assign(side.layout->registers(), 0);
    expression.registers.assign(side.layout->registers(), 0);

    // Cells of the grid: offset of registers, offset in memory, pass.
    struct Cell {
      int registers, pass;
      std::int64_t memory;
    };
    std::vector<Cell> cells = {{0, 0, 0}};
    auto repeat = [&](const DigitSource& from, int count, std::int64_t memory, int pass) {
      std::vector<Cell> next;
      for (int value = 0; value < count; ++value) {
        for (const Cell& c : cells) next.push_back({c.registers + value * from.divisor, c.pass + value * pass, c.memory + value * memory});
      }
      cells = std::move(next);
    };
    std::int64_t stride = std::int64_t{1} << bits;
    for (const CellDigit& digit : digits_) {
      const DigitSource& from = write ? digit.source : digit.target;
      if (from.place == Place::kRegister) repeat(from, digit.count, stride, 0);
      else expression.digits.push_back({from.place, stride, from.divisor, digit.count});
      stride *= digit.count;
    }
    int pass_stride = 1 << (size_ - bits);
    for (const CellDigit& digit : pass_digits_) {
      repeat(write ? digit.source : digit.target, digit.count, 0, pass_stride);
      pass_stride *= digit.count;
    }

    const std::vector<Bounds> checks = bounds(*side.layout);
    const Bits own = pivot_mask(side.registers);
    for (const Cell& cell : cells) {
      std::map<std::pair<int, std::int64_t>, RegisterGroup> groups;
      for (Bits r = 0; r < bit(side.registers.columns()); ++r) {
        if (r & ~own) continue;  // a copy
        const Bits x = side.registers.apply(r);
        const int real = side.aligned->real_register(r);
        if (real < 0) continue;
        const std::uint32_t at = offset(x);
        word.registers[real + cell.registers] = at;
        expression.registers[real + cell.registers] = cell.memory;
        const int pass = cell.pass + static_cast<int>(to_offset.apply(x) >> bits);
        RegisterGroup& group = groups[{pass, at >> vector}];
        group.resize(std::size_t{1} << vector, -1);
        group[at & low_bits(vector)] = real + cell.registers;
      }
      for (auto& [key, group] : groups) {
        const bool used = std::any_of(group.begin(), group.end(), [&](int reg) { return checks[reg].validity != Validity::kNever; });
        SharedPass& pass = plan.passes[key.first];
        if (used) (write ? pass.writes : pass.reads).push_back(std::move(group));
      }
    }
    return true;
  }

  const Layout &source_layout_, &target_layout_;
  const Alignment& alignment_;
  const ConversionOptions& options_;

  Side source_, target_;
  std::vector<CellDigit> digits_, pass_digits_;
  int size_ = 0;  // dimension of the space of coordinates
  int element_bits_ = 0, line_bits_ = 0, word_bits_ = 0;
  std::vector<Bits> shared_registers_, common_, pass_;
};

}  // namespace

std::optional<SharedPlan> plan_swizzled(const Layout& source, const Layout& target, const Alignment& alignment, const ConversionOptions& options) {
  return SwizzlePlanner(source, target, alignment, options).plan();
}

}  // namespace tilewright::layout

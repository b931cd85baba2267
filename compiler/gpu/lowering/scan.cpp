// Scans along an axis, digit by digit of the position: after each digit every register holds the scan of its block of positions, and knows the combination of the whole block.
//
// A digit is what takes part in counting positions: registers of a thread, one bit of the lane, or warps. Registers combine with what is before them in their thread, lanes
// exchange their blocks' combinations, warps publish them in scratch. The lowest digits come first, so that operands stay in order: combiners need not be commutative.
#include "compiler/gpu/layouts.h"
#include "compiler/gpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <algorithm>
#include <map>

namespace tilewright::gpu {

namespace arith = mlir::arith;
using layout::Place;

namespace {

// Values of one number, or of one bit of it, that move `stride` positions each.
struct Digit {
  Place place;
  std::int64_t stride;
  int divisor, count;  // number / divisor % count
};

std::vector<Digit> digits_of(const layout::Layout& layout, int axis) {
  std::vector<Digit> digits;
  for (Place place : {Place::kRegister, Place::kLane, Place::kWarp}) {
    const int bits = layout.atom().input_bits(layout::place_name(place));
    for (int bit = 0; bit < bits; ++bit) {
      const std::int64_t stride = layout.atom().basis(layout::place_name(place), bit)[axis];
      if (stride != 0) digits.push_back({place, stride, 1 << bit, 2});
    }
    int divisor = 1 << bits;
    for (const layout::Repeat& repeat : layout.repeats()) {
      if (repeat.place != place) continue;
      if (repeat.axis == axis && repeat.count > 1) digits.push_back({place, repeat.stride, divisor, repeat.count});
      divisor *= repeat.count;
    }
  }
  std::sort(digits.begin(), digits.end(), [](const Digit& a, const Digit& b) { return a.stride < b.stride; });
  return digits;
}

}  // namespace

std::vector<Registers> Emitter::scan(llvm::ArrayRef<Registers> tiles, const Layout& layout, int axis, bool reverse, llvm::ArrayRef<Value> identity, Combine combine) {
  const std::vector<layout::Bounds> bounds = layout::bounds(layout);
  const std::size_t n = tiles.size();
  const int registers = layout.registers();

  // What lies outside comes behind all elements, unless the scan runs backwards: then a neutral element stands there, or a further value tells where there is anything.
  const bool partial = reverse && layout.covered_extent(axis) > layout.extents()[axis];
  const bool counted = partial && identity.empty();
  const auto join = [&](mlir::ValueRange before, mlir::ValueRange after) {
    Registers joined = combine(before.take_front(n), after.take_front(n));
    if (!counted) return joined;
    // Here only what is before can be missing: positions outside are the first ones.
    for (std::size_t i = 0; i < n; ++i) joined[i] = select(before[n], joined[i], after[i]);
    joined.push_back(after[n]);
    return joined;
  };

  std::vector<Registers> scanned(registers);
  for (int reg = 0; reg < registers; ++reg) {
    for (std::size_t i = 0; i < n; ++i) scanned[reg].push_back(tiles[i][reg]);
    if (!partial) continue;
    const bool never = bounds[reg].validity == layout::Validity::kNever;
    Value there = never || llvm::is_contained(bounds[reg].axes, axis)
                      ? arith::CmpIOp::create(b_, arith::CmpIPredicate::slt, coordinate(layout, axis, reg), i32(layout.extents()[axis])).getResult()
                      : constant(b_.getI1Type(), 1);
    if (counted) scanned[reg].push_back(there);
    else for (std::size_t i = 0; i < n; ++i) scanned[reg][i] = select(there, scanned[reg][i], identity[i]);
  }

  // Registers of one block share its combination, which stands at the least of them.
  std::vector<int> block_of(registers);
  for (int reg = 0; reg < registers; ++reg) block_of[reg] = reg;
  std::vector<Registers> whole = scanned;
  const auto is_block = [&](int reg) { return block_of[reg] == reg; };

  // Chosen element by element.
  const auto either = [&](Value condition, const Registers& yes, const Registers& no) {
    Registers chosen;
    for (auto [a, b] : llvm::zip(yes, no)) chosen.push_back(select(condition, a, b));
    return chosen;
  };
  const auto number_of = [&](const Digit& digit, Value number) {
    Value quotient = digit.divisor == 1 ? number : arith::DivUIOp::create(b_, number, i32(digit.divisor)).getResult();
    return arith::RemUIOp::create(b_, quotient, i32(digit.count)).getResult();
  };

  const auto over_registers = [&](const Digit& digit) {
    // Blocks that differ in this digit alone, by the block in which it is 0.
    std::map<int, std::vector<int>> rows;
    for (int reg = 0; reg < registers; ++reg) {
      if (is_block(reg)) rows[reg - reg / digit.divisor % digit.count * digit.divisor].push_back(reg);
    }
    for (auto& [first, blocks] : rows) {
      if (reverse) std::reverse(blocks.begin(), blocks.end());
      Registers before = whole[blocks.front()];
      for (std::size_t i = 1; i < blocks.size(); ++i) {
        for (int reg = 0; reg < registers; ++reg) {
          if (block_of[reg] == blocks[i]) scanned[reg] = join(before, scanned[reg]);
        }
        before = join(before, whole[blocks[i]]);
      }
      whole[first] = before;
      for (int& block : block_of) {
        if (llvm::is_contained(blocks, block)) block = first;
      }
    }
  };

  const auto over_lanes = [&](const Digit& digit) {
    Value second = arith::CmpIOp::create(b_, reverse ? arith::CmpIPredicate::eq : arith::CmpIPredicate::ne, number_of(digit, lane_), i32(0));
    for (int block = 0; block < registers; ++block) {
      if (!is_block(block)) continue;
      Registers other;
      for (Value value : whole[block])
        llvm::append_range(other, shuffled({value}, [&](Value word) { return target_.shuffle_xor(b_, word, digit.divisor); }));
      for (int reg = 0; reg < registers; ++reg) {
        if (block_of[reg] == block) scanned[reg] = either(second, join(other, scanned[reg]), scanned[reg]);
      }
      whole[block] = join(either(second, other, whole[block]), either(second, whole[block], other));
    }
  };

  const auto over_warps = [&](const Digit& digit) {
    const int threads = target_.lanes() * warps_;
    Value own = number_of(digit, warp_);
    Value first = arith::SubIOp::create(b_, warp_, arith::MulIOp::create(b_, own, i32(digit.divisor)));
    for (int block = 0; block < registers; ++block) {
      if (!is_block(block)) continue;
      llvm::SmallVector<std::int64_t> offsets;
      std::int64_t bytes = 0;
      for (Value value : whole[block]) {
        bytes = llvm::alignTo(bytes, bytes_of(value.getType()));
        offsets.push_back(bytes);
        bytes += bytes_of(value.getType()) * threads;
      }
      Value base = open_scratch(bytes);
      const auto place = [&](Value warp, std::size_t i) {
        Value thread = arith::AddIOp::create(b_, arith::MulIOp::create(b_, warp, i32(target_.lanes())), lane_);
        return shared_address(base, arith::MulIOp::create(b_, thread, i32(bytes_of(whole[block][i].getType()))), offsets[i]);
      };
      for (std::size_t i = 0; i < whole[block].size(); ++i) store_shared(to_memory(whole[block][i]), place(warp_, i));
      publish_scratch();
      const auto fetch = [&](int value) {
        Registers fetched;
        for (std::size_t i = 0; i < whole[block].size(); ++i) {
          const mlir::Type type = whole[block][i].getType();
          fetched.push_back(from_memory(load_shared(memory_type(type), place(add(first, i32(std::int64_t{value} * digit.divisor)), i)), type));
        }
        return fetched;
      };
      // What is before this warp is picked from the running combination where the digit is its own.
      Registers before, running = fetch(reverse ? digit.count - 1 : 0);
      for (int i = 1; i < digit.count; ++i) {
        const int value = reverse ? digit.count - 1 - i : i;
        Value here = arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, own, i32(value));
        before = before.empty() ? running : either(here, running, before);
        running = join(running, fetch(value));
      }
      Value later = arith::CmpIOp::create(b_, arith::CmpIPredicate::ne, own, i32(reverse ? digit.count - 1 : 0));
      for (int reg = 0; reg < registers; ++reg) {
        if (block_of[reg] == block) scanned[reg] = either(later, join(before, scanned[reg]), scanned[reg]);
      }
      whole[block] = running;
    }
  };

  for (const Digit& digit : digits_of(layout, axis)) {
    switch (digit.place) {
      case Place::kRegister: over_registers(digit); break;
      case Place::kLane: over_lanes(digit); break;
      default: over_warps(digit); break;
    }
  }

  std::vector<Registers> results(n);
  for (const Registers& values : scanned)
    for (std::size_t i = 0; i < n; ++i) results[i].push_back(values[i]);
  return results;
}

// Narrow floats are combined in f32 and rounded once.
void Emitter::emit_scan(tile::ScanOp op) {
  const tile::ReduceKind kind = op.getKind();
  const Layout& layout = layout_of(op.getInputs().front());
  const auto axis = static_cast<int>(op.getAxis());
  if (!counts_in_order(layout, axis)) return void(fail(op, "a scan over a layout whose positions are out of order"));
  std::vector<Registers> tiles;
  llvm::SmallVector<Value> neutral;
  for (Value input : op.getInputs()) {
    tiles.push_back(widened_for(kind, registers(input)));
    if (Value value = identity(kind, tiles.back().front().getType())) neutral.push_back(value);
  }
  std::vector<Registers> results = scan(tiles, layout, axis, op.getReverse(), neutral,
                                        [&](mlir::ValueRange left, mlir::ValueRange right) { return combine(kind, op.getCombiner(), left, right); });
  for (auto [result, values] : llvm::zip(op.getResults(), results)) bind(result, rounded_after(std::move(values), tile_type(result).getElementType()));
}

}  // namespace tilewright::gpu

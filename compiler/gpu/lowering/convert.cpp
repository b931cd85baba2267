// Tiles from one layout to another, as layout::plan_conversion() plans it.
#include "compiler/gpu/lowering/emitter.h"
#include "compiler/gpu/lowering/remarks.h"
#include "runtime/support/error.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tilewright::gpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
namespace scf = mlir::scf;
using layout::ConversionPlan;

void Emitter::emit_convert(tile_gpu::ConvertLayoutOp op) {
  bind(op.getResult(), convert(registers(op.getInput()), layout_of(op.getInput()), layout_of(op.getResult()), op.getType().getElementType()));
}

Registers Emitter::convert(Registers registers, const Layout& from, const Layout& to, mlir::Type element) {
  if (from == to) return registers;
  layout::ConversionOptions options;
  options.element_bytes = static_cast<int>(bytes_of(element));
  options.max_scratch_bytes = target_.max_shared_bytes() - staged_bytes(current_);
  ConversionPlan plan;
  try {
    plan = layout::plan_conversion(from, to, options);
  } catch (const Error& error) {
    fail(current_, "TW" + std::to_string(error.code()) + ": " + error.message());
    return Registers(static_cast<std::size_t>(to.registers()), zero(element));
  }
  Registers result;
  switch (plan.kind) {
    case ConversionPlan::Kind::kNone:
    case ConversionPlan::Kind::kRegisters:
      for (int reg : plan.registers) result.push_back(reg < 0 ? zero(element) : registers[reg]);
      break;
    case ConversionPlan::Kind::kShuffle: result = convert_by_shuffles(registers, plan, to, element); break;
    case ConversionPlan::Kind::kShared: result = convert_by_memory(registers, plan, from, to, element); break;
  }
  for (auto [copy, original] : plan.copies) result[copy] = result[original];
  for (Value& value : result)
    if (!value) value = zero(element);
  return result;
}

Emitter::Value Emitter::choose(const layout::ThreadChoice& choice, llvm::function_ref<Value(int)> value) {
  // Halves the list bit by bit, from the lowest.
  llvm::SmallVector<Value> candidates;
  for (int index : choice.values) candidates.push_back(index < 0 ? Value() : value(index));
  const int lane_bits = llvm::Log2_32(static_cast<std::uint32_t>(target_.lanes()));
  for (int bit : choice.bits) {
    Value number = bit < lane_bits ? lane_ : warp_;
    const int position = bit < lane_bits ? bit : bit - lane_bits;
    Value is_set;
    llvm::SmallVector<Value> next;
    for (std::size_t i = 0; i + 1 < candidates.size(); i += 2) {
      Value low = candidates[i], high = candidates[i + 1];
      if (!low || !high || low == high) {
        next.push_back(low ? low : high);
        continue;
      }
      if (!is_set) is_set = arith::CmpIOp::create(b_, arith::CmpIPredicate::ne, arith::AndIOp::create(b_, number, i32(std::int64_t{1} << position)), i32(0));
      next.push_back(select(is_set, high, low));
    }
    candidates = std::move(next);
  }
  return candidates.front();
}

Registers Emitter::shuffled(const Registers& elements, llvm::function_ref<Value(Value)> shuffle) {
  const mlir::Type type = elements.front().getType(), word = b_.getI32Type();
  const unsigned width = type.getIntOrFloatBitWidth();
  Registers result;
  if (width == 64) {
    for (Value element : elements) {
      Value bits = bits_of(element);
      Value low = shuffle(arith::TruncIOp::create(b_, word, bits));
      Value high = shuffle(arith::TruncIOp::create(b_, word, arith::ShRUIOp::create(b_, bits, i64(32))));
      Value wide = arith::ShLIOp::create(b_, arith::ExtUIOp::create(b_, b_.getI64Type(), high), i64(32));
      result.push_back(from_bits(arith::OrIOp::create(b_, wide, arith::ExtUIOp::create(b_, b_.getI64Type(), low)), type));
    }
    return result;
  }
  // Several narrow elements share a word.
  Value packed;
  for (auto [i, element] : llvm::enumerate(elements)) {
    Value bits = bits_of(element);
    if (width < 32) bits = arith::ExtUIOp::create(b_, word, bits);
    if (i != 0) bits = arith::ShLIOp::create(b_, bits, i32(static_cast<std::int64_t>(i * width)));
    packed = packed ? arith::OrIOp::create(b_, packed, bits).getResult() : bits;
  }
  Value received = shuffle(packed);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    Value bits = received;
    if (i != 0) bits = arith::ShRUIOp::create(b_, bits, i32(static_cast<std::int64_t>(i * width)));
    if (width < 32) bits = arith::TruncIOp::create(b_, b_.getIntegerType(width), bits);
    result.push_back(from_bits(bits, type));
  }
  return result;
}

Registers Emitter::convert_by_shuffles(const Registers& registers, const ConversionPlan& conversion, const Layout& to, mlir::Type element) {
  const layout::ShufflePlan& plan = *conversion.shuffle;
  const int packet = plan.packet, lanes = target_.lanes();
  const int lane_bits = llvm::Log2_32(static_cast<std::uint32_t>(lanes));
  const auto column = [&](const std::vector<int>& table, int i) {
    std::vector<int> values;
    for (int thread = 0; thread < plan.threads; ++thread) values.push_back(table[thread * packet + i]);
    return values;
  };

  // What arrives in each round.
  std::vector<Registers> arrived;
  for (const layout::ShuffleRound& round : plan.rounds) {
    Registers published;
    for (int i = 0; i < packet; ++i) {
      Value value = choose(layout::choose_by_bits(column(round.send, i)), [&](int reg) { return registers[reg]; });
      published.push_back(value ? value : zero(element));
    }
    if (round.local) {
      arrived.push_back(std::move(published));
      continue;
    }
    // The lane to read from: bits that stay where they are in one step, the others one by one.
    std::int64_t kept = 0;
    Value from;
    for (auto [bit, moved] : llvm::enumerate(plan.lane_columns)) {
      if (moved == 0) continue;
      const int position = static_cast<int>(bit);
      if (position < lane_bits && moved == (1u << position)) {
        kept |= std::int64_t{1} << position;
        continue;
      }
      Value number = position < lane_bits ? lane_ : warp_;
      Value is_set = arith::AndIOp::create(b_, arith::ShRUIOp::create(b_, number, i32(position < lane_bits ? position : position - lane_bits)), i32(1));
      Value part = arith::MulIOp::create(b_, is_set, i32(moved));
      from = from ? arith::XOrIOp::create(b_, from, part).getResult() : part;
    }
    const bool exchange = !from && kept == lanes - 1;
    if (!exchange) {
      Value stay = arith::AndIOp::create(b_, lane_, i32(kept));
      from = from ? arith::XOrIOp::create(b_, from, stay).getResult() : stay;
      if (round.lane_constant != 0) from = arith::XOrIOp::create(b_, from, i32(round.lane_constant));
    }
    arrived.push_back(shuffled(published, [&](Value word) {
      return exchange ? target_.shuffle_xor(b_, word, static_cast<int>(round.lane_constant)) : target_.shuffle(b_, word, from);
    }));
  }

  // For each register of the target, the round and the place in its packet that bring it, thread by thread.
  Registers result(to.registers());
  for (int reg = 0; reg < to.registers(); ++reg) {
    std::vector<int> source(plan.threads, -1);
    for (auto [r, round] : llvm::enumerate(plan.rounds))
      for (int thread = 0; thread < plan.threads; ++thread)
        for (int i = 0; i < packet; ++i)
          if (round.receive[thread * packet + i] == reg) source[thread] = static_cast<int>(r) * packet + i;
    if (llvm::all_of(source, [](int index) { return index < 0; })) continue;
    result[reg] = choose(layout::choose_by_bits(source), [&](int index) { return arrived[index / packet][index % packet]; });
  }
  return result;
}

// Equal exchanges have equal plans, and so equal bytes for each warp.
std::int64_t Emitter::exchange_inside_warps(const layout::SharedPlan& plan, const Layout& from, const Layout& to, std::int64_t size) {
  if (plan.passes.size() != 1 || !layout::same_warps(from, to)) return 0;
  const std::tuple<Layout, Layout, std::int64_t> exchange(from, to, size);
  const auto known = llvm::find(exchanges_, exchange);
  const std::int64_t number = known - exchanges_.begin() + 1;
  if (known == exchanges_.end()) exchanges_.push_back(exchange);
  return number;
}

Registers Emitter::convert_by_memory(const Registers& registers, const ConversionPlan& conversion, const Layout& from, const Layout& to, mlir::Type element) {
  const layout::SharedPlan& plan = *conversion.shared;
  remark(b_.getLoc(), bank_remark(plan.write_cost, "the tile is written to shared memory to change its layout"));
  remark(b_.getLoc(), bank_remark(plan.read_cost, "the tile is read from shared memory to change its layout"));
  const mlir::Type held = memory_type(element);
  const std::int64_t size = bytes_of(element);
  const std::vector<layout::Bounds> bounds = layout::bounds(from);
  const auto address = [&](Value base, const layout::IndexExpression& expression, int reg) {
    if (!expression.register_adds()) return shared_address(base, arith::MulIOp::create(b_, evaluate(expression, reg), i32(size)));
    return shared_element(base, expression, reg, size);
  };

  by_warps_ = exchange_inside_warps(plan, from, to, size);
  Registers result(to.registers());
  for (const layout::SharedPass& pass : plan.passes) {
    Value base = open_scratch(plan.elements * size);
    for (const layout::RegisterGroup& group : pass.writes) {
      const auto write = [&] {
        Value value = to_memory(registers[group.front()]);
        if (group.size() > 1) {
          value = poison(mlir::VectorType::get({static_cast<std::int64_t>(group.size())}, held));
          for (auto [i, reg] : llvm::enumerate(group))
            value = LLVM::InsertElementOp::create(b_, value, to_memory(registers[reg]), i32(static_cast<std::int64_t>(i)));
        }
        store_shared(value, address(base, plan.write, group.front()));
      };
      // Copies of a register agree on elements only: nothing is written for registers outside of the tile, and where they share a group with others, by one of the copies.
      bool always = !plan.guard_writes && layout::owners(from).every_thread(), is_mixed = false;
      Value condition;  // some register of the group holds an element
      if (!always) {
        for (int reg : group) {
          Value here = bounds[reg].validity == layout::Validity::kNever ? Value() : inside(from, bounds[reg], reg);
          if (bounds[reg].validity == layout::Validity::kAlways) always = true;
          else is_mixed = group.size() > 1;
          if (here) condition = condition ? arith::OrIOp::create(b_, condition, here).getResult() : here;
        }
        if (always) condition = {};
        if (is_mixed && (always || condition)) condition = and_(condition, owned(from));
      }
      if (condition) {
        auto branch = scf::IfOp::create(b_, condition, /*withElseRegion=*/false);
        mlir::OpBuilder::InsertionGuard guard(b_);
        b_.setInsertionPointToStart(&branch.getThenRegion().front());
        write();
      } else if (always) {
        write();
      }
    }
    publish_scratch();
    for (const layout::RegisterGroup& group : pass.reads) {
      Value at = address(base, plan.read, group.front());
      if (group.size() == 1) {
        result[group.front()] = from_memory(load_shared(held, at), element);
        continue;
      }
      Value vector = load_shared(mlir::VectorType::get({static_cast<std::int64_t>(group.size())}, held), at);
      for (auto [i, reg] : llvm::enumerate(group))
        result[reg] = from_memory(LLVM::ExtractElementOp::create(b_, vector, i32(static_cast<std::int64_t>(i))), element);
    }
  }
  by_warps_ = 0;
  return result;
}

}  // namespace tilewright::gpu

// Top-k, and so sorts, along an axis.
//
// Elements are compared by keys: unsigned integers in the order of the elements, made from their bits. A key of up to 32 bits stands above the element's position in a
// word of 64, so that words are equal nowhere; wider keys are compared first and positions then.
//
// Short lines are ranked: each thread counts the elements that come before each of its own, and puts those among the first k in their places. Long lines are sorted in scratch, by
// a bitonic network over the next power of two, in which positions beyond the end come last. What one warp has, sorts integers by that network in its registers.
#include "compiler/gpu/layouts.h"
#include "compiler/gpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"

#include <map>

namespace tilewright::gpu {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
using arith::CmpIPredicate;

namespace {

// Lines next to each other, whatever the axis: strides in elements of an array [lines, extent].
llvm::SmallVector<std::int64_t> line_strides(llvm::ArrayRef<std::int64_t> extents, int axis, std::int64_t line) {
  llvm::SmallVector<std::int64_t> strides(extents.size());
  std::int64_t stride = line;
  for (std::size_t i = extents.size(); i-- > 0;) {
    if (static_cast<int>(i) == axis) {
      strides[i] = 1;
      continue;
    }
    strides[i] = stride;
    stride *= extents[i];
  }
  return strides;
}

// The body of a loop in which nothing is carried.
template <class Body>
void loop(mlir::ImplicitLocOpBuilder& b, mlir::Value from, mlir::Value to, mlir::Value step, Body body) {
  auto op = scf::ForOp::create(b, from, to, step);
  mlir::OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

bool is_wide(mlir::Type element) { return element.getIntOrFloatBitWidth() == 64; }

}  // namespace

// Integers that are read as unsigned have the order of the elements; NaN is the last, either way.
Emitter::Value Emitter::order_key(Value element, bool is_unsigned, bool descending) {
  const mlir::Type type = element.getType();
  Value bits = bits_of(element);
  const mlir::Type integer = bits.getType();
  const unsigned width = integer.getIntOrFloatBitWidth();
  const auto bit_constant = [&](const llvm::APInt& value) { return arith::ConstantOp::create(b_, b_.getIntegerAttr(integer, value)).getResult(); };
  const auto compare = [&](CmpIPredicate predicate, Value x, Value y) { return arith::CmpIOp::create(b_, predicate, x, y).getResult(); };
  Value ones = bit_constant(llvm::APInt::getAllOnes(width));
  const auto inverted = [&](Value x) { return arith::XOrIOp::create(b_, x, ones).getResult(); };
  auto real = llvm::dyn_cast<mlir::FloatType>(type);
  if (!real) {
    if (!is_unsigned && width > 1) bits = arith::XOrIOp::create(b_, bits, bit_constant(llvm::APInt::getSignMask(width)));
    return descending ? inverted(bits) : bits;
  }
  Value magnitude = arith::AndIOp::create(b_, bits, bit_constant(llvm::APInt::getSignedMaxValue(width)));
  Value infinity = bit_constant(llvm::APFloat::getInf(real.getFloatSemantics()).bitcastToAPInt());
  Value negative = compare(CmpIPredicate::slt, bits, zero(integer));
  Value key = select(negative, inverted(bits), arith::XOrIOp::create(b_, bits, bit_constant(llvm::APInt::getSignMask(width))));
  key = select(compare(CmpIPredicate::eq, magnitude, zero(integer)), bit_constant(llvm::APInt::getSignMask(width)), key);
  if (descending) key = inverted(key);
  return select(compare(CmpIPredicate::ugt, magnitude, infinity), ones, key);
}

void Emitter::emit_topk(tile::TopKOp op) {
  const Layout& layout = layout_of(op.getInput());
  const std::int64_t extent = layout.extents()[op.getAxis()], lines = layout.elements() / extent;
  const std::int64_t padded = static_cast<std::int64_t>(llvm::PowerOf2Ceil(static_cast<std::uint64_t>(extent)));
  // Instructions of a thread, roughly.
  const std::int64_t threads = std::int64_t{target_.lanes()} * warps_, stages = llvm::Log2_64(padded) * (llvm::Log2_64(padded) + 1) / 2;
  const std::int64_t ranking = extent * (4 + 4 * layout.registers()), sorting = stages * (40 + 24 * llvm::divideCeil(lines * padded / 2, threads));
  if (const auto in_warp = warp_sort_layout(op, {target_.lanes(), warps_})) emit_sorted_in_warp(op, *in_warp);
  else if (ranking <= sorting) emit_ranked(op);
  else emit_sorted(op, padded);
}

// Who has which element in the beginning does not matter, as long as there is room.
void Emitter::emit_sorted_in_warp(tile::TopKOp op, const Layout& sorted) {
  const mlir::Type element = op.getInput().getType().getElementType(), word = b_.getI32Type();
  const bool is_unsigned = op.getIsUnsigned(), descending = op.getDescending();
  const auto count = static_cast<std::uint32_t>(sorted.registers());
  const bool has_room = layout::owners(layout_of(op.getInput())).registers.size() <= count;
  const Layout& layout = has_room ? layout_of(op.getInput()) : sorted;
  const Registers elements = has_room ? registers(op.getInput()) : convert(registers(op.getInput()), layout_of(op.getInput()), sorted, element);
  const std::vector<layout::Bounds> bounds = layout::bounds(layout);
  Registers keys;
  for (int reg : layout::owners(layout).registers) {
    if (bounds[reg].validity == layout::Validity::kNever) continue;
    Value counts = and_(owned(layout), inside(layout, bounds[reg], reg)), key = order_key(elements[reg], is_unsigned, descending);
    if (element != word) key = arith::ExtUIOp::create(b_, word, key);
    keys.push_back(counts ? select(counts, key, constant(word, -1)) : key);
  }
  keys.resize(count, constant(word, -1));

  const int register_bits = static_cast<int>(llvm::Log2_32(count)), bits = register_bits + static_cast<int>(llvm::Log2_32(static_cast<std::uint32_t>(target_.lanes())));
  const auto step = [&](std::uint32_t partner, int top) {  // exchanges with the element whose number differs in the bits of `partner`; the lower of the two is the one without bit `top`
    const std::uint32_t of_lane = partner >> register_bits, of_register = partner & (count - 1);
    Registers next(count);
    Value is_upper = of_lane == 0 ? Value() : arith::CmpIOp::create(b_, CmpIPredicate::ne, arith::AndIOp::create(b_, lane_, i32(1 << (top - register_bits))), i32(0)).getResult();
    for (std::uint32_t reg = 0; reg < count; ++reg) {
      Value other = keys[reg ^ of_register];
      if (of_lane != 0) other = target_.shuffle_xor(b_, other, static_cast<int>(of_lane));
      const auto least = [&] { return arith::MinUIOp::create(b_, keys[reg], other).getResult(); };
      const auto most = [&] { return arith::MaxUIOp::create(b_, keys[reg], other).getResult(); };
      next[reg] = is_upper ? select(is_upper, most(), least()) : (reg >> top & 1) != 0 ? most() : least();
    }
    keys = std::move(next);
  };
  for (int level = 0; level < bits; ++level) {
    step((2u << level) - 1, level);  // mirrored, so that all runs ascend
    for (int distance = level - 1; distance >= 0; --distance) step(1u << distance, distance);
  }

  const auto from_key = [&](Value key) {
    Value bits_of_element = element == word ? key : arith::TruncIOp::create(b_, element, key).getResult();
    const unsigned width = element.getIntOrFloatBitWidth();
    llvm::APInt turned = descending ? llvm::APInt::getAllOnes(width) : llvm::APInt::getZero(width);
    if (!is_unsigned && width > 1) turned ^= llvm::APInt::getSignMask(width);
    return arith::XOrIOp::create(b_, bits_of_element, arith::ConstantOp::create(b_, b_.getIntegerAttr(element, turned))).getResult();
  };
  for (Value& key : keys) key = from_key(key);
  bind(op.getValues(), convert(keys, sorted, layout_of(op.getValues()), element));
}

void Emitter::emit_ranked(tile::TopKOp op) {
  const Layout& layout = layout_of(op.getInput());
  const Registers& elements = registers(op.getInput());
  const mlir::Type element = op.getInput().getType().getElementType(), i64_type = b_.getI64Type(), i32_type = b_.getI32Type();
  const auto axis = static_cast<int>(op.getAxis());
  const std::int64_t extent = layout.extents()[axis], lines = layout.elements() / extent, k = op.getK();
  const bool wide = is_wide(element);
  const auto strides = line_strides(layout.extents(), axis, extent), result_strides = line_strides(op.getValues().getType().getShape(), axis, k);

  Registers keys;
  for (int reg = 0; reg < layout.registers(); ++reg) {
    Value key = order_key(elements[reg], op.getIsUnsigned(), op.getDescending());
    if (!wide) {
      key = arith::ShLIOp::create(b_, arith::ExtUIOp::create(b_, i64_type, key), i64(32));
      key = arith::OrIOp::create(b_, key, arith::ExtUIOp::create(b_, i64_type, coordinate(layout, axis, reg)));
    }
    keys.push_back(key);
  }
  Value base = open_scratch(lines * extent * 8), values_base = open_scratch(lines * k * bytes_of(element)), indices_base = open_scratch(lines * k * 4);
  write_strided(keys, layout, i64_type, base, strides);
  publish_scratch();

  // Registers of one line, by the other coordinates in thread 0, read each key of it once.
  std::map<std::vector<std::int64_t>, Value> starts;
  std::vector<std::vector<std::int64_t>> line_of;
  Registers positions;
  for (int reg = 0; reg < layout.registers(); ++reg) {
    std::vector<std::int64_t> line = layout.coordinates({.reg = reg});
    line[axis] = 0;
    Value& start = starts[line];
    if (!start) {
      Registers at;
      for (int other = 0; other < layout.rank(); ++other) at.push_back(other == axis ? i32(0) : bounded_coordinate(layout, other, reg));
      start = offset_in(strides, at, i64_type);
    }
    line_of.push_back(std::move(line));
    positions.push_back(coordinate(layout, axis, reg));
  }
  auto count = scf::ForOp::create(b_, i32(0), i32(extent), i32(1), Registers(layout.registers(), i32(0)));
  {
    mlir::OpBuilder::InsertionGuard guard(b_);
    mlir::Block* body = count.getBody();
    if (!body->empty() && body->back().hasTrait<mlir::OpTrait::IsTerminator>()) body->back().erase();
    b_.setInsertionPointToEnd(body);
    Value position = count.getInductionVar(), step = arith::MulIOp::create(b_, position, i32(8));
    std::map<std::vector<std::int64_t>, Value> others;
    for (const auto& [line, start] : starts) others[line] = load_shared(i64_type, shared_address(base, add(start, step)));
    Registers ranks;
    for (int reg = 0; reg < layout.registers(); ++reg) {
      Value before = arith::CmpIOp::create(b_, CmpIPredicate::ult, others[line_of[reg]], keys[reg]);
      if (wide) {
        Value same = arith::CmpIOp::create(b_, CmpIPredicate::eq, others[line_of[reg]], keys[reg]);
        Value lower = arith::CmpIOp::create(b_, CmpIPredicate::slt, position, positions[reg]);
        before = arith::OrIOp::create(b_, before, arith::AndIOp::create(b_, same, lower));
      }
      ranks.push_back(add(count.getRegionIterArgs()[reg], arith::ExtUIOp::create(b_, i32_type, before)));
    }
    scf::YieldOp::create(b_, ranks);
  }

  {
    const std::vector<layout::Bounds> bounds = layout::bounds(layout);
    mlir::OpBuilder::InsertionGuard guard(b_);
    enter_if(owned(layout));
    for (int reg : layout::owners(layout).registers) {
      mlir::OpBuilder::InsertionGuard inner(b_);
      Value rank = count.getResult(reg);
      enter_if(and_(inside(layout, bounds[reg], reg), k < extent ? arith::CmpIOp::create(b_, CmpIPredicate::slt, rank, i32(k)).getResult() : Value()));
      Registers at;
      for (int other = 0; other < layout.rank(); ++other) at.push_back(other == axis ? rank : coordinate(layout, other, reg));
      store_shared(to_memory(elements[reg]), shared_address(values_base, offset_in(result_strides, at, element)));
      store_shared(positions[reg], shared_address(indices_base, offset_in(result_strides, at, i32_type)));
    }
  }
  publish_scratch();
  const auto fetch = [&](Value result, Value from) {
    const Layout& to = layout_of(result);
    const mlir::Type type = tile_type(result).getElementType();
    bind(result, read_elements(to, type, from, [&](int reg) {
           Registers at;
           for (int other = 0; other < to.rank(); ++other) at.push_back(bounded_coordinate(to, other, reg));
           return offset_in(result_strides, at, type);
         }));
  };
  fetch(op.getValues(), values_base);
  fetch(op.getIndices(), indices_base);
}

void Emitter::emit_sorted(tile::TopKOp op, std::int64_t padded) {
  const Layout& layout = layout_of(op.getInput());
  const Registers& elements = registers(op.getInput());
  const mlir::Type element = op.getInput().getType().getElementType(), i64_type = b_.getI64Type(), i32_type = b_.getI32Type();
  const auto axis = static_cast<int>(op.getAxis());
  const std::int64_t extent = layout.extents()[axis], lines = layout.elements() / extent, threads = std::int64_t{target_.lanes()} * warps_;
  const bool wide = is_wide(element);
  const auto strides = line_strides(layout.extents(), axis, padded), value_strides = line_strides(layout.extents(), axis, extent);

  // Keys, the positions where a key does not hold them, and the elements themselves as they were.
  Value keys_base = open_scratch(lines * padded * 8), positions_base = wide ? open_scratch(lines * padded * 4) : Value();
  Value values_base = open_scratch(lines * extent * bytes_of(element));
  const auto at = [&](Value base, Value index, std::int64_t bytes) { return shared_address(base, arith::MulIOp::create(b_, index, i32(bytes))); };

  Registers keys, positions;
  for (int reg = 0; reg < layout.registers(); ++reg) {
    Value key = order_key(elements[reg], op.getIsUnsigned(), op.getDescending()), position = coordinate(layout, axis, reg);
    if (!wide) {
      key = arith::ShLIOp::create(b_, arith::ExtUIOp::create(b_, i64_type, key), i64(32));
      key = arith::OrIOp::create(b_, key, arith::ExtUIOp::create(b_, i64_type, position));
    }
    keys.push_back(key);
    positions.push_back(position);
  }
  write_strided(keys, layout, i64_type, keys_base, strides);
  if (wide) write_strided(positions, layout, i32_type, positions_base, strides);
  write_strided(elements, layout, element, values_base, value_strides);
  Value thread = arith::AddIOp::create(b_, arith::MulIOp::create(b_, warp_, i32(target_.lanes())), lane_);
  if (padded > extent) {
    const std::int64_t rest = padded - extent;
    loop(b_, thread, i32(lines * rest), i32(threads), [&](Value number) {
      Value position = add(arith::RemUIOp::create(b_, number, i32(rest)), i32(extent));
      Value index = add(arith::MulIOp::create(b_, arith::DivUIOp::create(b_, number, i32(rest)), i32(padded)), position);
      store_shared(i64(-1), at(keys_base, index, 8));
      if (wide) store_shared(position, at(positions_base, index, 4));
    });
  }
  publish_scratch();

  // The network: runs of `size` sorted elements, each made from two by comparisons over ever shorter distances.
  const int levels = static_cast<int>(llvm::Log2_64(static_cast<std::uint64_t>(padded)));
  loop(b_, i32(0), i32(levels), i32(1), [&](Value level) {
    note(tile_gpu::NoteKind::Together);
    loop(b_, i32(0), add(level, i32(1)), i32(1), [&](Value step) {
      note(tile_gpu::NoteKind::Together);
      Value shift = arith::SubIOp::create(b_, level, step), distance = arith::ShLIOp::create(b_, i32(1), shift);
      apart_ = true;
      loop(b_, thread, i32(lines * padded / 2), i32(threads), [&](Value pair) {
        // Pair p joins the p-th element whose bit `distance` is 0 with its partner. In the first step of a level the partner is mirrored, and so all runs ascend.
        Value low = arith::AndIOp::create(b_, pair, arith::SubIOp::create(b_, distance, i32(1)));
        Value block = arith::ShLIOp::create(b_, arith::ShRUIOp::create(b_, pair, shift), add(shift, i32(1)));
        Value x = add(block, low);
        Value mirrored = arith::SubIOp::create(b_, arith::SubIOp::create(b_, arith::ShLIOp::create(b_, distance, i32(1)), i32(1)), low);
        Value is_first = arith::CmpIOp::create(b_, CmpIPredicate::eq, step, i32(0));
        Value y = add(block, select(is_first, mirrored, add(low, distance)));
        Value x_key = load_shared(i64_type, at(keys_base, x, 8)), y_key = load_shared(i64_type, at(keys_base, y, 8));
        Value swaps = arith::CmpIOp::create(b_, CmpIPredicate::ult, y_key, x_key);
        Value x_position, y_position;
        if (wide) {
          x_position = load_shared(i32_type, at(positions_base, x, 4)), y_position = load_shared(i32_type, at(positions_base, y, 4));
          Value same = arith::CmpIOp::create(b_, CmpIPredicate::eq, x_key, y_key);
          swaps = arith::OrIOp::create(b_, swaps, arith::AndIOp::create(b_, same, arith::CmpIOp::create(b_, CmpIPredicate::slt, y_position, x_position)));
        }
        auto branch = scf::IfOp::create(b_, swaps, /*withElseRegion=*/false);
        mlir::OpBuilder::InsertionGuard guard(b_);
        b_.setInsertionPointToStart(&branch.getThenRegion().front());
        store_shared(y_key, at(keys_base, x, 8));
        store_shared(x_key, at(keys_base, y, 8));
        if (wide) {
          store_shared(y_position, at(positions_base, x, 4));
          store_shared(x_position, at(positions_base, y, 4));
        }
      });
      apart_ = false;
      publish_scratch();
    });
  });

  const auto offset_of = [&](const Layout& to, int reg, mlir::Type type, llvm::ArrayRef<std::int64_t> array, Value along) {
    Registers coordinates;
    for (int other = 0; other < to.rank(); ++other) coordinates.push_back(other == axis && along ? along : bounded_coordinate(to, other, reg));
    return offset_in(array, coordinates, type);
  };
  const auto sorted_positions = [&](const Layout& to) {
    if (wide) return read_elements(to, i32_type, positions_base, [&](int reg) { return offset_of(to, reg, i32_type, strides, {}); });
    Registers words = read_elements(to, i64_type, keys_base, [&](int reg) { return offset_of(to, reg, i64_type, strides, {}); });
    for (Value& word : words) word = arith::TruncIOp::create(b_, i32_type, word);
    return words;
  };
  bind(op.getIndices(), sorted_positions(layout_of(op.getIndices())));
  const Layout& to = layout_of(op.getValues());
  const Registers from = sorted_positions(to);
  bind(op.getValues(), read_elements(to, element, values_base, [&](int reg) { return offset_of(to, reg, element, value_strides, from[reg]); }));
}

}  // namespace tilewright::gpu

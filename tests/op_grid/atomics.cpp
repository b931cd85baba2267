// Atomic operations: every kind on every dtype it takes, over the edges of a view, under masks, with several elements at one place, and between other accesses.
#include "tests/op_grid/grid.h"

#include <algorithm>
#include <cmath>

namespace tilewright::op_grid {

using program::AtomicKind;
using program::kMapFull;
using program::kMapPoint;
using program::kNone;

namespace {

const Shape kSizes = {19, 37};

const std::vector<AtomicKind> kKinds = {AtomicKind::Add, AtomicKind::Min, AtomicKind::Max,      AtomicKind::And,
                                        AtomicKind::Or,  AtomicKind::Xor, AtomicKind::Exchange, AtomicKind::CompareExchange};

bool takes(AtomicKind kind, DType dtype) {
  const bool bitwise = kind == AtomicKind::And || kind == AtomicKind::Or || kind == AtomicKind::Xor;
  if (dtype == DType::F16 || dtype == DType::BF16) return kind == AtomicKind::Add;
  if (dtype == DType::F32 || dtype == DType::F64) return !bitwise;
  return dtype == DType::I32 || dtype == DType::I64 || dtype == DType::U32 || dtype == DType::U64;
}

std::string name_of_entry(const char* what, AtomicKind kind, DType dtype) {
  return std::string(function_of(kind)) + "_" + what + "_" + std::string(name_of(dtype));
}

// Small numbers, so that sums of many are exact in every dtype; and where order does not matter, the corners.
std::vector<std::uint64_t> memory_patterns(AtomicKind kind, DType dtype) {
  if (kind == AtomicKind::Add && is_float(dtype)) return patterns_of(dtype, {3, -1, 0, 2, 5});
  std::vector<std::uint64_t> patterns = patterns_of(dtype, {3, 1, 0, 2, 5, 1, 1});
  if (kind != AtomicKind::CompareExchange)
    for (std::uint64_t corner : corner_patterns(dtype)) patterns.push_back(corner);
  return patterns;
}

std::vector<std::uint64_t> value_patterns(AtomicKind kind, DType dtype) {
  if (kind == AtomicKind::Add && is_float(dtype)) return patterns_of(dtype, {1, 2, -3, 4});
  std::vector<std::uint64_t> patterns = kind == AtomicKind::CompareExchange ? std::vector<std::uint64_t>() : corner_patterns(dtype);
  for (std::uint64_t small : patterns_of(dtype, {1, 6, 2, 0, 9})) patterns.push_back(small);
  return patterns;
}

Value combined(AtomicKind kind, DType dtype, const Value& old, const Value& value, const Value* expected) {
  const bool real_numbers = is_float(dtype);
  const auto less = [&](const Value& a, const Value& b) {
    if (!real_numbers) return a.whole < b.whole;
    return a.real != b.real ? a.real < b.real : std::signbit(a.real) && !std::signbit(b.real);
  };
  switch (kind) {
    case AtomicKind::Add: return real_numbers ? real(round_to(dtype, old.real + value.real)) : whole(wrap(dtype, old.whole + value.whole));
    case AtomicKind::Min:
    case AtomicKind::Max:
      if (real_numbers && std::isnan(old.real)) return old;
      if (real_numbers && std::isnan(value.real)) return value;
      return less(old, value) == (kind == AtomicKind::Min) ? old : value;
    case AtomicKind::And: return whole(wrap(dtype, old.whole & value.whole));
    case AtomicKind::Or: return whole(wrap(dtype, old.whole | value.whole));
    case AtomicKind::Xor: return whole(wrap(dtype, old.whole ^ value.whole));
    case AtomicKind::Exchange: return value;
    case AtomicKind::CompareExchange: return encode(dtype, old) == encode(dtype, *expected) ? value : old;
  }
  return old;
}

Array initial(DType dtype, const Shape& sizes, const std::vector<std::uint64_t>& patterns) {
  Array array = make_array(dtype, sizes);
  for (std::size_t e = 0; e < array.values.size(); ++e) array.values[e] = decode(dtype, patterns[e % patterns.size()]);
  return array;
}

ValueId index(Builder& b, std::int64_t value) { return b.integer(DType::I64, value); }

ValueId whole_of(Builder& b, ValueId view, const Shape& sizes) {
  std::vector<std::int64_t> maps;
  for (std::size_t d = 0; d < sizes.size(); ++d) maps.push_back(static_cast<std::int64_t>(d));
  return b.load(view, std::vector<ValueId>(sizes.size(), index(b, 0)), maps, sizes);
}

// Blocks inside and over the edges: what is there afterwards, and what was there.
void add_blocks(std::vector<Entry>& entries, AtomicKind kind, DType dtype) {
  struct Block {
    Shape start, tile;
    bool masked;
  };
  const std::vector<Block> blocks = {{{0, 0}, {8, 16}, false}, {{15, 30}, {5, 33}, true}, {{-3, 4}, {17, 7}, false}, {{18, 36}, {1, 1}, true}, {{INT64_MAX - 2, 0}, {4, 5}, false}};
  const bool compares = kind == AtomicKind::CompareExchange;
  const std::vector<std::uint64_t> held = memory_patterns(kind, dtype), masks = {1, 0, 1, 1};
  EntryBuilder entry(name_of_entry("blocks", kind, dtype));
  Builder& b = entry.build();
  for (const Block& block : blocks) {
    const ValueId view = entry.in_out_view(dtype, kSizes, held);
    const ValueId value = entry.input(dtype, block.tile, value_patterns(kind, dtype));
    const ValueId expected = compares ? entry.input(dtype, block.tile, patterns_of(dtype, {1, 1, 3})) : kNone;
    const ValueId mask = block.masked ? entry.input(DType::Bool, block.tile, masks) : kNone;
    entry.output(b.atomic(kind, view, {index(b, block.start[0]), index(b, block.start[1])}, {0, 1}, value, mask, expected));
    entry.output(whole_of(b, view, kSizes));
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    std::size_t next = 0;
    for (const Block& block : blocks) {
      ++next;  // the view, as it is afterwards
      const Array& value = in[next++];
      const Array* expected = compares ? &in[next++] : nullptr;
      const Array* mask = block.masked ? &in[next++] : nullptr;
      Array memory = initial(dtype, kSizes, held), old = make_array(dtype, block.tile);
      for_each_index(block.tile, [&](const Shape& i) {
        const __int128 row = static_cast<__int128>(block.start[0]) + i[0], column = static_cast<__int128>(block.start[1]) + i[1];
        if (row < 0 || row >= kSizes[0] || column < 0 || column >= kSizes[1] || (mask && !mask->at(i).whole)) return;
        Value& element = memory.at({static_cast<std::int64_t>(row), static_cast<std::int64_t>(column)});
        old.at(i) = element;
        element = combined(kind, dtype, element, value.at(i), expected ? &expected->at(i) : nullptr);
      });
      outputs.push_back(std::move(old));
      outputs.push_back(std::move(memory));
    }
    return outputs;
  }));
}

// Many elements at few places, by an index tile along an axis and by one of the whole shape; and twice in a loop. Kinds whose order does not matter.
void add_collisions(std::vector<Entry>& entries, AtomicKind kind, DType dtype) {
  const std::vector<Shape> tiles = {{7}, {64}, {200}, {8, 33}};
  const std::vector<long double> places = {3, 0, 10, 3, 3, 7, -1, 11, 0, 5, 3, 100};
  const std::vector<std::uint64_t> held = memory_patterns(kind, dtype), masks = {1, 1, 0, 1, 1};
  constexpr std::int64_t kLine = 11, kTurns = 2;
  EntryBuilder entry(name_of_entry("collisions", kind, dtype));
  Builder& b = entry.build();
  for (const Shape& tile : tiles) {
    const ValueId view = entry.in_out_view(dtype, {kLine}, held);
    const ValueId value = entry.input(dtype, tile, value_patterns(kind, dtype));
    const ValueId at = entry.input(DType::I32, tile, patterns_of(DType::I32, places));
    const ValueId mask = tile.size() == 2 ? entry.input(DType::Bool, tile, masks) : kNone;
    b.begin_for(index(b, 0), index(b, kTurns), index(b, 1), {});
    b.atomic(kind, view, {at}, {tile.size() == 1 ? 0 : kMapFull}, value, mask);
    b.end_for({});
    entry.output(whole_of(b, view, {kLine}));
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    std::size_t next = 0;
    for (const Shape& tile : tiles) {
      ++next;
      const Array &value = in[next], &at = in[next + 1];
      next += 2;
      const Array* mask = tile.size() == 2 ? &in[next++] : nullptr;
      Array memory = initial(dtype, {kLine}, held);
      for (std::int64_t turn = 0; turn < kTurns; ++turn) {
        for_each_index(tile, [&](const Shape& i) {
          const auto place = static_cast<std::int64_t>(at.at(i).whole);
          if (place < 0 || place >= kLine || (mask && !mask->at(i).whole)) return;
          memory.at({place}) = combined(kind, dtype, memory.at({place}), value.at(i), nullptr);
        });
      }
      outputs.push_back(std::move(memory));
    }
    return outputs;
  }));
}

// Everyone draws a number from one counter: each gets another one, and a scalar is the same number everywhere.
void add_tickets(std::vector<Entry>& entries, DType dtype) {
  const std::vector<std::int64_t> counts = {1, 5, 60, 256};
  EntryBuilder entry("atomic_tickets_" + std::string(name_of(dtype)));
  Builder& b = entry.build();
  for (std::int64_t count : counts) {
    const ValueId view = entry.in_out_view(dtype, {2}, patterns_of(dtype, {10, 20}));
    const ValueId drawn = b.atomic(AtomicKind::Add, view, {b.integer(DType::I32, 0, {count})}, {kMapFull}, b.cast(b.integer(DType::I32, 1, {count}), dtype));
    entry.output(b.ops(Opcode::TopK, {drawn}, {0, count, 0})[0]);
    const ValueId one = b.atomic(AtomicKind::Add, view, {index(b, 1)}, {kMapPoint}, b.cast(b.integer(DType::I32, 7), dtype));
    entry.output(b.broadcast(one, {count, 8}));
    entry.output(whole_of(b, view, {2}));
  }
  entries.push_back(std::move(entry).finish([=](const Arrays&) {
    Arrays outputs;
    const auto number = [&](std::int64_t x) { return is_float(dtype) ? real(static_cast<long double>(x)) : whole(x); };
    for (std::int64_t count : counts) {
      Array drawn = make_array(dtype, {count}), one = make_array(dtype, {count, 8}), memory = make_array(dtype, {2});
      for (std::int64_t i = 0; i < count; ++i) drawn.values[i] = number(10 + i);
      for (Value& value : one.values) value = number(20);
      memory.values = {number(10 + count), number(27)};
      outputs.insert(outputs.end(), {drawn, one, memory});
    }
    return outputs;
  }));
}

// What many threads hold a copy of acts once, and all of them learn what was there: sums of rows, added to memory, then added to the rows again.
void add_copies(std::vector<Entry>& entries, DType dtype) {
  const Shape tile = {12, 40};
  EntryBuilder entry("atomic_copies_" + std::string(name_of(dtype)));
  Builder& b = entry.build();
  const std::vector<std::uint64_t> held = patterns_of(dtype, {3, 1, 0, 2, 5});
  const ValueId view = entry.in_out_view(dtype, {10}, held);
  const ValueId rows = entry.input(dtype, tile, patterns_of(dtype, {1, 0, 2}));
  const ValueId old = b.atomic(AtomicKind::Add, view, {index(b, -1)}, {0}, b.reduce(ReduceKind::Sum, rows, 1));
  entry.output(b.op(Opcode::Add, {rows, b.broadcast(b.reshape(old, {12, 1}), tile)}));
  entry.output(whole_of(b, view, {10}));
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    const Array& x = in[1];
    Array memory = initial(dtype, {10}, held), out = make_array(dtype, tile);
    for (std::int64_t r = 0; r < tile[0]; ++r) {
      Value sum, was;
      for (std::int64_t c = 0; c < tile[1]; ++c) sum = {sum.real + x.at({r, c}).real, sum.whole + x.at({r, c}).whole};
      if (r >= 1 && r <= 10) {
        Value& element = memory.at({r - 1});
        was = element;
        element = {was.real + sum.real, was.whole + sum.whole};
      }
      for (std::int64_t c = 0; c < tile[1]; ++c) out.at({r, c}) = {x.at({r, c}).real + was.real, x.at({r, c}).whole + was.whole};
    }
    return Arrays{out, memory};
  }));
}

// Between a store, another kind of atomic operation on other threads' elements, and loads.
void add_order(std::vector<Entry>& entries, DType dtype) {
  constexpr std::int64_t kCount = 200;
  EntryBuilder entry("atomic_order_" + std::string(name_of(dtype)));
  Builder& b = entry.build();
  const ValueId view = entry.in_out_view(dtype, {kCount}, patterns_of(dtype, {9}));
  const ValueId line = b.op(Opcode::Arange, {}, {0}, Type{DType::I32, {kCount}});
  const ValueId backward = b.op(Opcode::Sub, {b.integer(DType::I32, kCount - 1, {kCount}), line});
  const ValueId numbers = b.cast(line, dtype);
  b.store(view, {index(b, 0)}, {0}, numbers);
  b.atomic(AtomicKind::Add, view, {backward}, {0}, numbers);                                             // kCount - 1 everywhere
  const ValueId seen = b.atomic(AtomicKind::Max, view, {index(b, 1)}, {0}, b.cast(b.integer(DType::I32, 250, {kCount}), dtype));  // all but the first
  entry.output(seen);
  b.begin_for(index(b, 0), index(b, 3), index(b, 1), {});
  entry.build().atomic(AtomicKind::Exchange, view, {backward}, {0}, b.load(view, {index(b, 0)}, {0}, {kCount}));
  b.end_for({});
  entry.output(whole_of(b, view, {kCount}));
  entries.push_back(std::move(entry).finish([=](const Arrays&) {
    const auto number = [&](std::int64_t x) { return is_float(dtype) ? real(static_cast<long double>(x)) : whole(x); };
    Array seen_there = make_array(dtype, {kCount}), memory = make_array(dtype, {kCount});
    for (std::int64_t i = 0; i < kCount; ++i) {
      seen_there.values[i] = i + 1 < kCount ? number(kCount - 1) : number(0);
      memory.values[i] = number(i + 1 < kCount ? 250 : kCount - 1);  // turned over three times
    }
    return Arrays{seen_there, memory};
  }));
}

// Fences between stores, atomic operations and loads by other threads, in a loop and a branch too.
void add_fences(std::vector<Entry>& entries) {
  constexpr std::int64_t kCount = 200;
  EntryBuilder entry("fences");
  Builder& b = entry.build();
  const ValueId view = entry.in_out_view(DType::I32, {kCount}, patterns_of(DType::I32, {9})), arrived = entry.in_out_view(DType::I32, {1}, patterns_of(DType::I32, {3}));
  const ValueId line = b.op(Opcode::Arange, {}, {0}, Type{DType::I32, {kCount}});
  const ValueId backward = b.op(Opcode::Sub, {b.integer(DType::I32, kCount - 1, {kCount}), line});
  const auto fence = [&](program::MemoryOrder order) { b.ops(Opcode::Fence, {}, {static_cast<std::int64_t>(order)}); };
  const auto arrive = [&] { return b.atomic(AtomicKind::Add, arrived, {index(b, 0)}, {kMapPoint}, b.integer(DType::I32, 1)); };
  b.store(view, {index(b, 0)}, {0}, line);
  fence(program::MemoryOrder::Release);
  entry.output(b.broadcast(arrive(), {1}));
  fence(program::MemoryOrder::Acquire);
  entry.output(b.load(view, {backward}, {0}, {kCount}));
  b.begin_for(index(b, 0), index(b, 3), index(b, 1), {});
  const ValueId turned = b.load(view, {backward}, {0}, {kCount});
  fence(program::MemoryOrder::AcquireRelease);
  b.store(view, {index(b, 0)}, {0}, turned);
  fence(program::MemoryOrder::Release);
  arrive();
  b.end_for({});
  fence(program::MemoryOrder::AcquireRelease);
  entry.output(b.load(view, {backward}, {0}, {kCount}));
  entry.output(whole_of(b, arrived, {1}));
  entries.push_back(std::move(entry).finish([=](const Arrays&) {
    Array first = make_array(DType::I32, {1}), backward = make_array(DType::I32, {kCount}), forward = make_array(DType::I32, {kCount}), count = make_array(DType::I32, {1});
    first.values = {whole(3)};
    count.values = {whole(7)};
    for (std::int64_t i = 0; i < kCount; ++i) {
      backward.values[i] = whole(kCount - 1 - i);
      forward.values[i] = whole(i);
    }
    return Arrays{first, backward, forward, count};
  }));
}

}  // namespace

void add_atomics(std::vector<Entry>& entries) {
  add_fences(entries);
  for (DType dtype : all_dtypes()) {
    for (AtomicKind kind : kKinds) {
      if (!takes(kind, dtype)) continue;
      add_blocks(entries, kind, dtype);
      if (kind != AtomicKind::Exchange && kind != AtomicKind::CompareExchange) add_collisions(entries, kind, dtype);
    }
    if (!takes(AtomicKind::Max, dtype)) continue;
    add_tickets(entries, dtype);
    add_copies(entries, dtype);
    add_order(entries, dtype);
  }
}

}  // namespace tilewright::op_grid

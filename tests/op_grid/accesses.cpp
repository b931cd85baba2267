// Loads and stores: every dtype, layout and start, with masks, `other`, gathers and scatters, narrowed views.
#include "tests/op_grid/grid.h"

#include <algorithm>

namespace tilewright::op_grid {

using program::kMapFull;
using program::kMapPoint;
using program::kNone;

namespace {

const Shape kSizes = {19, 37};

struct Layout {
  const char* name;
  std::vector<std::int64_t> strides;
};

const std::vector<Layout> kLayouts = {{"rows", {37, 1}}, {"padded", {48, 1}}, {"columns", {1, 19}}, {"spread", {80, 2}}, {"backward", {37, -1}}, {"same_row", {0, 1}}};

// Whole tiles, tiles over each edge, wholly outside, and starts whose end does not fit 64 bits.
const std::vector<Shape> kStarts = {{0, 0}, {11, 21}, {-3, 0}, {0, -5}, {15, 30}, {18, 36}, {19, 0}, {-40, -40}, {INT64_MAX - 2, 3}, {2, INT64_MIN}};
const std::vector<Shape> kTiles = {{8, 16}, {5, 33}, {1, 1}, {17, 7}};

struct Access {
  Shape start, tile;
  bool masked, has_other;
};

std::vector<Access> accesses() {
  std::vector<Access> all;
  for (std::size_t i = 0; i < kStarts.size(); ++i) {
    for (std::size_t t = 0; t < kTiles.size(); ++t) {
      if ((i + t) % 2 == 0 || t == 0) all.push_back({kStarts[i], kTiles[t], i % 3 == 1, i % 4 == 2 || i == 1});
    }
  }
  return all;
}

bool inside(std::int64_t start, std::int64_t offset, std::int64_t size, std::int64_t& coordinate) {
  const __int128 place = static_cast<__int128>(start) + offset;
  coordinate = static_cast<std::int64_t>(place);
  return place >= 0 && place < size;
}

ValueId index(Builder& b, std::int64_t value) { return b.integer(DType::I64, value); }

Value other_value(DType dtype) { return is_float(dtype) ? real(-1.5L) : whole(1); }

ValueId other_scalar(Builder& b, DType dtype) { return is_float(dtype) ? b.real(dtype, -1.5) : b.integer(dtype, 1); }

const std::vector<std::uint64_t> kMaskPatterns = {1, 0, 1, 1, 0, 1, 1};

void add_load(std::vector<Entry>& entries, DType dtype, const Layout& layout) {
  EntryBuilder entry("load_" + std::string(layout.name) + "_" + std::string(name_of(dtype)));
  Builder& b = entry.build();
  const std::vector<Access> cases = accesses();
  const ValueId view = entry.view(dtype, kSizes, corner_patterns(dtype), layout.strides);
  for (const Access& access : cases) {
    const ValueId mask = access.masked ? entry.input(DType::Bool, access.tile, kMaskPatterns) : kNone;
    const ValueId other = access.has_other ? other_scalar(b, dtype) : kNone;
    entry.output(b.load(view, {index(b, access.start[0]), index(b, access.start[1])}, {0, 1}, access.tile, mask, other));
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    std::size_t next = 1;
    for (const Access& access : cases) {
      const Array* mask = access.masked ? &in[next++] : nullptr;
      Array out = make_array(dtype, access.tile);
      for_each_index(access.tile, [&](const Shape& i) {
        Shape from(2);
        bool ok = inside(access.start[0], i[0], kSizes[0], from[0]);
        ok = inside(access.start[1], i[1], kSizes[1], from[1]) && ok;
        if (mask && !mask->at(i).whole) ok = false;
        out.at(i) = ok ? in[0].at(from) : access.has_other ? other_value(dtype) : Value{};
      });
      outputs.push_back(std::move(out));
    }
    return outputs;
  }));
}

void add_store(std::vector<Entry>& entries, DType dtype, const Layout& layout) {
  EntryBuilder entry("store_" + std::string(layout.name) + "_" + std::string(name_of(dtype)));
  Builder& b = entry.build();
  const std::vector<Access> cases = accesses();
  for (const Access& access : cases) {
    const ValueId value = entry.input(dtype, access.tile, corner_patterns(dtype));
    const ValueId mask = access.masked ? entry.input(DType::Bool, access.tile, kMaskPatterns) : kNone;
    const ValueId view = entry.output_view(dtype, kSizes, layout.strides);
    b.store(view, {index(b, access.start[0]), index(b, access.start[1])}, {0, 1}, value, mask);
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    std::size_t next = 0;
    for (const Access& access : cases) {
      const Array& value = in[next++];
      const Array* mask = access.masked ? &in[next++] : nullptr;
      Array out = make_array(dtype, kSizes);
      for (Value& element : out.values) element.untouched = true;
      for_each_index(access.tile, [&](const Shape& i) {
        Shape to(2);
        bool ok = inside(access.start[0], i[0], kSizes[0], to[0]);
        ok = inside(access.start[1], i[1], kSizes[1], to[1]) && ok;
        if (ok && (!mask || mask->at(i).whole)) out.at(to) = value.at(i);
      });
      outputs.push_back(std::move(out));
    }
    return outputs;
  }));
}

// Rows picked by an index tile, columns from a start; and element by element.
void add_gather(std::vector<Entry>& entries, DType dtype, DType index_dtype) {
  EntryBuilder entry("gather_" + std::string(name_of(dtype)) + "_by_" + std::string(name_of(index_dtype)));
  Builder& b = entry.build();
  std::vector<long double> picks = {3, 18, 0, 19, 7, 7, 36, 12, 100, 1, 37};
  if (is_signed_int(index_dtype)) picks.insert(picks.end(), {-1, -100, 5});
  std::vector<std::uint64_t> patterns = patterns_of(index_dtype, picks);
  patterns.push_back(encode(index_dtype, whole(most(index_dtype))));
  patterns.push_back(encode(index_dtype, whole(least(index_dtype))));
  const ValueId view = entry.view(dtype, kSizes, corner_patterns(dtype), {40, 1});
  const std::vector<Shape> tiles = {{1, 4}, {7, 16}, {16, 33}, {33, 5}};
  for (const Shape& tile : tiles) {
    const ValueId rows = entry.input(index_dtype, {tile[0]}, patterns), columns = entry.input(index_dtype, {tile[1]}, patterns);
    const ValueId each = entry.input(index_dtype, tile, patterns), start = index(b, 2);
    entry.output(b.load(view, {rows, start}, {0, 1}, tile));
    entry.output(b.load(view, {rows, columns}, {0, 1}, tile));
    entry.output(b.load(view, {start, each}, {kMapPoint, kMapFull}, tile));
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    std::size_t next = 1;
    for (const Shape& tile : tiles) {
      const Array &rows = in[next], &columns = in[next + 1], &each = in[next + 2];
      next += 3;
      const auto gather = [&](auto row_of, auto column_of) {
        Array out = make_array(dtype, tile);
        for_each_index(tile, [&](const Shape& i) {
          const __int128 row = row_of(i), column = column_of(i);
          if (row >= 0 && row < kSizes[0] && column >= 0 && column < kSizes[1])
            out.at(i) = in[0].at({static_cast<std::int64_t>(row), static_cast<std::int64_t>(column)});
        });
        outputs.push_back(std::move(out));
      };
      gather([&](const Shape& i) { return rows.at({i[0]}).whole; }, [](const Shape& i) { return static_cast<__int128>(i[1] + 2); });
      gather([&](const Shape& i) { return rows.at({i[0]}).whole; }, [&](const Shape& i) { return columns.at({i[1]}).whole; });
      gather([](const Shape&) { return static_cast<__int128>(2); }, [&](const Shape& i) { return each.at(i).whole; });
    }
    return outputs;
  }));
}

// Every index different, some outside.
void add_scatter(std::vector<Entry>& entries, DType dtype) {
  EntryBuilder entry("scatter_" + std::string(name_of(dtype)));
  Builder& b = entry.build();
  const std::vector<long double> rows = {4, 0, 18, -2, 11, 25, 7}, columns = {30, 2, 36, 41, -1, 17, 9, 0, 22};
  const Shape tile = {7, 9};
  std::vector<long double> places;
  for (int i = 0; i < 63; ++i) places.push_back((i * 26) % 67 - 2);
  const ValueId value = entry.input(dtype, tile, corner_patterns(dtype));
  const ValueId row_tile = entry.input(DType::I32, {7}, patterns_of(DType::I32, rows)), column_tile = entry.input(DType::I64, {9}, patterns_of(DType::I64, columns));
  const ValueId each = entry.input(DType::I16, tile, patterns_of(DType::I16, places));
  b.store(entry.output_view(dtype, kSizes), {row_tile, column_tile}, {0, 1}, value);
  b.store(entry.output_view(dtype, {60}), {each}, {kMapFull}, value);
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Array grid = make_array(dtype, kSizes), line = make_array(dtype, {60});
    for (Array* out : {&grid, &line}) {
      for (Value& element : out->values) element.untouched = true;
    }
    for_each_index(tile, [&](const Shape& i) {
      const auto row = static_cast<std::int64_t>(in[1].at({i[0]}).whole), column = static_cast<std::int64_t>(in[2].at({i[1]}).whole);
      if (row >= 0 && row < kSizes[0] && column >= 0 && column < kSizes[1]) grid.at({row, column}) = in[0].at(i);
      const auto place = static_cast<std::int64_t>(in[3].at(i).whole);
      if (place >= 0 && place < 60) line.at({place}) = in[0].at(i);
    });
    return Arrays{grid, line};
  }));
}

// A window of a window, loaded beyond both.
void add_narrow(std::vector<Entry>& entries, DType dtype) {
  EntryBuilder entry("narrow_" + std::string(name_of(dtype)));
  Builder& b = entry.build();
  const std::vector<std::pair<std::int64_t, std::int64_t>> windows = {{0, 19}, {5, 4}, {-3, 8}, {17, 100}, {30, 5}, {4, 0}, {4, -1}, {INT64_MIN, INT64_MAX}};
  const ValueId view = entry.view(dtype, kSizes, corner_patterns(dtype));
  for (const auto& [start, size] : windows) {
    const ValueId rows = b.op(Opcode::ViewNarrow, {view, index(b, start), index(b, size)}, {0});
    const ValueId window = b.op(Opcode::ViewNarrow, {rows, index(b, 3), index(b, 20)}, {1});
    entry.output(b.load(window, {index(b, -1), index(b, -1)}, {0, 1}, {9, 33}));
    entry.output(b.op(Opcode::ViewSize, {window}, {0}));
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    for (const auto& [start, size] : windows) {
      const std::int64_t first = std::clamp<std::int64_t>(start, 0, kSizes[0]), count = std::clamp<std::int64_t>(size, 0, kSizes[0] - first);
      Array out = make_array(dtype, {9, 33}), rows = make_array(DType::I64, {1});
      for_each_index(out.shape, [&](const Shape& i) {
        const std::int64_t row = i[0] - 1, column = i[1] - 1;
        if (row >= 0 && row < count && column >= 0 && column < 20) out.at(i) = in[0].at({first + row, 3 + column});
      });
      rows.values[0] = whole(count);
      outputs.push_back(std::move(out));
      outputs.push_back(std::move(rows));
    }
    return outputs;
  }));
}

}  // namespace

void add_accesses(std::vector<Entry>& entries) {
  for (DType dtype : moved_dtypes()) {
    for (const Layout& layout : kLayouts) {
      add_load(entries, dtype, layout);
      if (layout.strides[0] != 0) add_store(entries, dtype, layout);
    }
    add_gather(entries, dtype, DType::I32);
    add_scatter(entries, dtype);
    add_narrow(entries, dtype);
  }
  for (DType index_dtype : int_dtypes()) {
    if (index_dtype != DType::I32) add_gather(entries, DType::F32, index_dtype);
  }
}

}  // namespace tilewright::op_grid

// Operations that move elements, each output element compared with the input element its index says.
#include "tests/op_grid/grid.h"

#include <algorithm>

namespace tilewright::op_grid {

namespace {

// An output whose elements come from inputs: from(index) is where.
struct Move {
  Shape shape;
  std::function<Value(const Arrays&, const Shape&)> from;
};

class MoveEntry {
 public:
  MoveEntry(const char* operation, DType dtype) : dtype_(dtype), entry_(std::string(operation) + "_" + std::string(name_of(dtype))) {}

  Builder& build() { return entry_.build(); }
  ValueId input(const Shape& shape) { return other_input(dtype_, shape, corner_patterns(dtype_)); }
  ValueId other_input(DType dtype, const Shape& shape, std::vector<std::uint64_t> patterns) {
    ++inputs_;
    return entry_.input(dtype, shape, std::move(patterns));
  }
  std::size_t inputs() const { return inputs_; }

  void output(ValueId value, std::function<Value(const Arrays&, const Shape&)> from) {
    entry_.output(value);
    const Shape shape = build().type(value).shape;
    moves_.push_back({shape.empty() ? Shape{1} : shape, std::move(from)});
  }

  void finish(std::vector<Entry>& entries) && {
    entries.push_back(std::move(entry_).finish([dtype = dtype_, moves = moves_](const Arrays& inputs) {
      Arrays outputs;
      for (const Move& move : moves) {
        outputs.push_back(make_array(dtype, move.shape));
        for_each_index(move.shape, [&](const Shape& index) { outputs.back().at(index) = move.from(inputs, index); });
      }
      return outputs;
    }));
  }

 private:
  DType dtype_;
  EntryBuilder entry_;
  std::vector<Move> moves_;
  std::size_t inputs_ = 0;
};

void add_broadcast(std::vector<Entry>& entries, DType dtype) {
  MoveEntry entry("broadcast", dtype);
  for (const Shape& shape : grid_shapes()) {
    const std::size_t scalar = entry.inputs();
    entry.output(entry.build().broadcast(entry.input({}), shape), [=](const Arrays& in, const Shape&) { return in[scalar].values[0]; });
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      Shape narrow = shape;
      narrow[axis] = 1;
      const std::size_t from = entry.inputs();
      const ValueId tile = entry.input(narrow);
      entry.output(entry.build().broadcast(tile, shape), [=](const Arrays& in, Shape index) {
        index[axis] = 0;
        return in[from].at(index);
      });
    }
  }
  std::move(entry).finish(entries);
}

void add_reshape(std::vector<Entry>& entries, DType dtype) {
  MoveEntry entry("reshape", dtype);
  const std::vector<std::pair<Shape, Shape>> pairs = {{{}, {1}}, {{1}, {}}, {{1, 1}, {}}, {{16}, {4, 4}}, {{4, 5}, {20}}, {{4, 5}, {5, 4}}, {{3, 60}, {60, 3}},
                                                      {{17, 96}, {1632}}, {{64, 64}, {16, 4, 64}}, {{2, 3, 8}, {6, 8}}, {{33}, {3, 1, 11}}};
  for (const auto& [shape, to] : pairs) {
    const std::size_t from = entry.inputs();
    const Shape target = to.empty() ? Shape{1} : to;
    entry.output(entry.build().reshape(entry.input(shape), to), [=](const Arrays& in, const Shape& index) {
      std::int64_t place = 0;
      for (std::size_t axis = 0; axis < target.size(); ++axis) place = place * target[axis] + index[axis];
      return in[from].values[static_cast<std::size_t>(place)];
    });
  }
  std::move(entry).finish(entries);
}

void add_transpose(std::vector<Entry>& entries, DType dtype) {
  MoveEntry entry("transpose", dtype);
  for (const Shape& shape : grid_shapes()) {
    if (shape.size() < 2) continue;
    std::vector<std::int64_t> order(shape.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
    do {
      const std::size_t from = entry.inputs();
      entry.output(entry.build().transpose(entry.input(shape), order), [=](const Arrays& in, const Shape& index) {
        Shape source(index.size());
        for (std::size_t i = 0; i < index.size(); ++i) source[static_cast<std::size_t>(order[i])] = index[i];
        return in[from].at(source);
      });
    } while (std::next_permutation(order.begin(), order.end()));
  }
  std::move(entry).finish(entries);
}

void add_concat(std::vector<Entry>& entries, DType dtype) {
  MoveEntry entry("concat", dtype);
  for (const Shape& shape : grid_shapes()) {
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      Shape other = shape;
      other[axis] = shape[axis] % 3 + 1;
      const std::size_t from = entry.inputs();
      const ValueId a = entry.input(shape), b = entry.input(other), c = entry.input(shape);
      entry.output(entry.build().op(Opcode::Concat, {a, b, c}, {static_cast<std::int64_t>(axis)}), [=](const Arrays& in, Shape index) {
        std::size_t part = from;
        while (index[axis] >= in[part].extent(axis)) index[axis] -= in[part++].extent(axis);
        return in[part].at(index);
      });
    }
  }
  std::move(entry).finish(entries);
}

void add_slice(std::vector<Entry>& entries, DType dtype) {
  MoveEntry entry("slice", dtype);
  for (const Shape& shape : grid_shapes()) {
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      const std::int64_t extent = (shape[axis] + 1) / 2, start = shape[axis] - extent;
      const std::size_t from = entry.inputs();
      entry.output(entry.build().slice(entry.input(shape), static_cast<std::int64_t>(axis), start, extent), [=](const Arrays& in, Shape index) {
        index[axis] += start;
        return in[from].at(index);
      });
    }
  }
  std::move(entry).finish(entries);
}

void add_take(std::vector<Entry>& entries, DType dtype) {
  MoveEntry entry("take", dtype);
  const std::vector<DType> index_dtypes = {DType::I32, DType::I64, DType::U8, DType::I16};
  std::size_t next = 0;
  for (const Shape& shape : grid_shapes()) {
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      Shape picked = shape;
      picked[axis] = shape[axis] + 3;
      const DType index_dtype = index_dtypes[next++ % index_dtypes.size()];
      std::vector<long double> picks = {5, 0, 2, 1, 100, 16, 33, 59, 3, 63, 7};
      if (is_signed_int(index_dtype)) picks.push_back(-4);
      const std::size_t from = entry.inputs();
      const ValueId tile = entry.input(shape), index_tile = entry.other_input(index_dtype, picked, patterns_of(index_dtype, picks));
      entry.output(entry.build().op(Opcode::Take, {tile, index_tile}, {static_cast<std::int64_t>(axis)}), [=](const Arrays& in, Shape index) {
        const std::int64_t pick = static_cast<std::int64_t>(in[from + 1].at(index).whole);
        index[axis] = std::clamp<std::int64_t>(pick, 0, shape[axis] - 1);
        return in[from].at(index);
      });
    }
  }
  std::move(entry).finish(entries);
}

}  // namespace

void add_shape_operations(std::vector<Entry>& entries) {
  for (DType dtype : moved_dtypes()) {
    add_broadcast(entries, dtype);
    add_reshape(entries, dtype);
    add_transpose(entries, dtype);
    add_concat(entries, dtype);
    add_slice(entries, dtype);
    add_take(entries, dtype);
  }
}

}  // namespace tilewright::op_grid

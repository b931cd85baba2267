// argmax, argmin, top-k and so sort, by the definition of the order: value, then lower index; NaN last.
#include "tests/op_grid/grid.h"

#include <cmath>

namespace tilewright::op_grid {

namespace {

struct Ordering {
  Shape shape;
  std::size_t axis;
  std::int64_t k;  // of a top-k
  bool descending;
};

bool better(DType dtype, const Value& a, const Value& b, bool largest) {
  if (!is_float(dtype)) return largest ? a.whole > b.whole : a.whole < b.whole;
  if (std::isnan(b.real)) return !std::isnan(a.real);
  return largest ? a.real > b.real : a.real < b.real;
}

// The places along the axis, in order.
std::vector<std::int64_t> ordered(const Array& in, Shape index, const Ordering& ordering) {
  const std::int64_t extent = ordering.shape[ordering.axis];
  std::vector<Value> line;
  for (std::int64_t k = 0; k < extent; ++k) {
    index[ordering.axis] = k;
    line.push_back(in.at(index));
  }
  std::vector<std::int64_t> places;
  std::vector<bool> taken(line.size(), false);
  while (static_cast<std::int64_t>(places.size()) < extent) {
    std::int64_t best = -1;
    for (std::int64_t i = 0; i < extent; ++i) {
      if (!taken[i] && (best < 0 || better(in.dtype, line[i], line[best], ordering.descending))) best = i;
    }
    taken[best] = true;
    places.push_back(best);
  }
  return places;
}

// Few values, so that there are ties.
std::vector<std::uint64_t> patterns_for(DType dtype) {
  std::vector<std::uint64_t> patterns = corner_patterns(dtype);
  const std::size_t corners = patterns.size();
  for (std::size_t i = 0; i < 2 * corners; ++i) patterns.push_back(patterns[(i * 7 + 3) % corners]);
  return patterns;
}

std::vector<Ordering> orderings(bool with_k) {
  std::vector<Ordering> all;
  for (const Shape& shape : grid_shapes()) {
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      const std::int64_t extent = shape[axis];
      all.push_back({shape, axis, extent, (all.size() % 2) == 0});
      if (with_k && extent > 2) all.push_back({shape, axis, extent / 3 + 1, (all.size() % 2) == 0});
    }
  }
  return all;
}

void add_arg(std::vector<Entry>& entries, Opcode opcode, DType dtype) {
  EntryBuilder entry(std::string(program::mnemonic_of(opcode)) + "_" + std::string(name_of(dtype)));
  std::vector<Ordering> cases = orderings(false);
  for (Ordering& o : cases) {
    o.descending = opcode == Opcode::ArgMax;
    entry.output(entry.build().op(opcode, {entry.input(dtype, o.shape, patterns_for(dtype))}, {static_cast<std::int64_t>(o.axis)}));
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      Shape shape = cases[i].shape;
      shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(cases[i].axis));
      Array out = make_array(DType::I32, shape.empty() ? Shape{1} : shape);
      for_each_index(shape, [&](const Shape& index) {
        Shape at = index;
        at.insert(at.begin() + static_cast<std::ptrdiff_t>(cases[i].axis), 0);
        out.at(index.empty() ? Shape{0} : index) = whole(ordered(in[i], at, cases[i])[0]);
      });
      outputs.push_back(std::move(out));
    }
    return outputs;
  }));
}

// Lines so long that targets may order them in another way than short ones.
std::vector<Ordering> long_orderings() { return {{{1000}, 0, 1000, true}, {{1024}, 0, 16, false}, {{3, 300}, 1, 17, true}, {{300, 2}, 0, 300, false}}; }

void add_topk(std::vector<Entry>& entries, const std::string& name, DType dtype, const std::vector<Ordering>& cases) {
  EntryBuilder entry(name + "_" + std::string(name_of(dtype)));
  for (const Ordering& o : cases) {
    const ValueId x = entry.input(dtype, o.shape, patterns_for(dtype));
    const auto results = entry.build().ops(Opcode::TopK, {x}, {static_cast<std::int64_t>(o.axis), o.k, o.descending});
    entry.output(results[0]);
    entry.output(results[1]);
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      Shape shape = cases[i].shape;
      shape[cases[i].axis] = cases[i].k;
      Array values = make_array(dtype, shape), indices = make_array(DType::I32, shape);
      for_each_index(shape, [&](Shape index) {
        if (index[cases[i].axis] != 0) return;
        const std::vector<std::int64_t> places = ordered(in[i], index, cases[i]);
        for (std::int64_t n = 0; n < cases[i].k; ++n) {
          index[cases[i].axis] = n;
          Shape from = index;
          from[cases[i].axis] = places[static_cast<std::size_t>(n)];
          values.at(index) = in[i].at(from);
          indices.at(index) = whole(places[static_cast<std::size_t>(n)]);
        }
      });
      outputs.push_back(std::move(values));
      outputs.push_back(std::move(indices));
    }
    return outputs;
  }));
}

}  // namespace

void add_orderings(std::vector<Entry>& entries) {
  for (DType dtype : all_dtypes()) {
    if (dtype == DType::Bool) continue;
    add_arg(entries, Opcode::ArgMax, dtype);
    add_arg(entries, Opcode::ArgMin, dtype);
    add_topk(entries, "topk", dtype, orderings(true));
    add_topk(entries, "topk_long", dtype, long_orderings());
  }
}

}  // namespace tilewright::op_grid

// Values carried by range, when and while_, of every dtype and shape.
#include "tests/op_grid/grid.h"

namespace tilewright::op_grid {

namespace {

ValueId index(Builder& b, std::int64_t value) { return b.integer(DType::I64, value); }

// One entry an operation and dtype; elements of each output from the elements of two inputs at the same place.
void add_entry(std::vector<Entry>& entries, const char* name, DType dtype, const std::function<ValueId(Builder&, ValueId, ValueId)>& make,
               const std::function<Value(const Value&, const Value&)>& element) {
  EntryBuilder entry(std::string(name) + "_" + std::string(name_of(dtype)));
  for (const Shape& shape : grid_shapes()) {
    const ValueId a = entry.input(dtype, shape, corner_patterns(dtype)), b = entry.input(dtype, shape, corner_patterns(dtype), 2);
    entry.output(make(entry.build(), a, b));
  }
  entries.push_back(std::move(entry).finish([=](const Arrays& in) {
    Arrays outputs;
    for (std::size_t i = 0; i < in.size(); i += 2) {
      outputs.push_back(make_array(dtype, in[i].shape));
      for (std::size_t e = 0; e < in[i].values.size(); ++e) outputs.back().values[e] = element(in[i].values[e], in[i + 1].values[e]);
    }
    return outputs;
  }));
}

// Two carried values change places `turns` times.
ValueId swap_in_range(Builder& b, ValueId x, ValueId y, std::int64_t lower, std::int64_t upper, std::int64_t step) {
  const auto loop = b.begin_for(index(b, lower), index(b, upper), index(b, step), {x, y});
  return b.end_for({loop[2], loop[1]})[0];
}

ValueId swap_in_while(Builder& b, ValueId x, ValueId y, std::int64_t turns) {
  const auto before = b.begin_while({index(b, 0), x, y});
  const auto inside = b.begin_while_body(b.op(Opcode::Lt, {before[0], index(b, turns)}));
  return b.end_while({b.op(Opcode::Add, {inside[0], index(b, 1)}), inside[2], inside[1]})[1];
}

ValueId choose(Builder& b, ValueId x, ValueId y, bool first) {
  // The condition is known only when it runs.
  const ValueId id = b.op(Opcode::ProgramId, {}, {0});
  b.begin_if(b.op(first ? Opcode::Eq : Opcode::Ne, {id, index(b, 0)}));
  b.begin_else();
  return b.end_if({x}, {y})[0];
}

// A branch in a loop: the third turn of five takes y.
ValueId branch_in_range(Builder& b, ValueId x, ValueId y) {
  const auto loop = b.begin_for(index(b, 0), index(b, 5), index(b, 1), {x});
  b.begin_if(b.op(Opcode::Eq, {loop[0], index(b, 2)}));
  b.begin_else();
  const ValueId next = b.end_if({y}, {loop[1]})[0];
  return b.end_for({next})[0];
}

}  // namespace

void add_control(std::vector<Entry>& entries) {
  const auto first = [](const Value& x, const Value&) { return x; };
  const auto second = [](const Value&, const Value& y) { return y; };
  for (DType dtype : all_dtypes()) {
    add_entry(entries, "for_odd", dtype, [](Builder& b, ValueId x, ValueId y) { return swap_in_range(b, x, y, -4, 11, 5); }, second);
    add_entry(entries, "for_even", dtype, [](Builder& b, ValueId x, ValueId y) { return swap_in_range(b, x, y, 3, 10, 2); }, first);
    add_entry(entries, "for_never", dtype, [](Builder& b, ValueId x, ValueId y) { return swap_in_range(b, x, y, 3, 3, 1); }, first);
    add_entry(entries, "while_odd", dtype, [](Builder& b, ValueId x, ValueId y) { return swap_in_while(b, x, y, 3); }, second);
    add_entry(entries, "while_never", dtype, [](Builder& b, ValueId x, ValueId y) { return swap_in_while(b, x, y, 0); }, first);
    add_entry(entries, "if_true", dtype, [](Builder& b, ValueId x, ValueId y) { return choose(b, x, y, true); }, first);
    add_entry(entries, "if_false", dtype, [](Builder& b, ValueId x, ValueId y) { return choose(b, x, y, false); }, second);
    add_entry(entries, "branch_in_range", dtype, branch_in_range, second);
  }
}

}  // namespace tilewright::op_grid

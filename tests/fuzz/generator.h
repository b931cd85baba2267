// Random tile programs: typed, terminating, and such that a correct target's results can be told from wrong ones (numbers.h).
//
// A program is a list of statements, each building one operation or one control structure from values of a pool, and stores of what came out. The
// same seed gives the same program and arguments on every machine.
#pragma once

#include "dsl/program/builder.h"
#include "tests/fuzz/case.h"
#include "tests/fuzz/numbers.h"
#include "tests/fuzz/rng.h"

#include <functional>
#include <optional>
#include <vector>

namespace tilewright::fuzz {

using program::Builder;
using program::Opcode;
using program::ReduceKind;
using program::Shape;
using program::Type;
using program::ValueId;

struct Limits {
  int statements = 14;
  std::int64_t tile_elements = 4096;
  std::int64_t dot_products = 96 * 64 * 64;
  int depth = 3;  // of nested control flow
};

Case generate(std::uint64_t seed, const Limits& limits = {});

class Generator {
 public:
  Generator(std::uint64_t seed, const Limits& limits);
  Case run() &&;

 private:
  struct Item {
    ValueId id = program::kNone;
    Numbers numbers;
  };
  using Accepts = std::function<bool(const Item&)>;
  enum class Exactness { Any, Exact };

  // ---- generator.cpp: the whole, the pool, values of a wanted type
  void statement();
  void statements(int count);
  void push(ValueId id, const Numbers& numbers);
  std::optional<Item> find(const Accepts& accepts);
  Type type(const Item& item) const { return b_.type(item.id); }
  DType dtype(const Item& item) const { return b_.type(item.id).dtype; }
  Shape shape(const Item& item) const { return b_.type(item.id).shape; }

  Item want(DType dtype, const Shape& shape, Exactness exactness = Exactness::Any);
  Item fresh(DType dtype, const Shape& shape);
  Item any_fresh(std::size_t least_rank);
  Item constant(DType dtype, const Shape& shape);
  Item counting(DType dtype, const Shape& shape);      // 0, 1, 2, ... in row-major order, scaled and shifted
  Item number(DType dtype, double value, const Shape& shape = {});
  Item cast(const Item& item, DType to);
  Item clamp(const Item& item, double low, double high);
  Item tamed(const Item& item, double bound = 8);      // clamped unless known to be small
  Item at_least_half(const Item& item);                // max(|x|, 1/2)
  Item elementwise(Opcode opcode, const std::vector<Item>& operands);
  Item broadcast(const Item& item, const Shape& shape);
  Item reshape(const Item& item, const Shape& shape);

  DType any_dtype();
  DType float_dtype();
  DType int_dtype();
  Shape any_shape(std::size_t least_rank = 0);
  Shape with_extent(Shape shape, std::size_t axis, std::int64_t extent) const;
  std::int64_t any_extent() { return rng_.pick(extents_); }

  // ---- tensors.cpp: parameters
  struct Tensor {
    ValueId view;
    std::size_t argument;
    Numbers numbers;
  };
  Tensor& input(DType dtype, std::size_t least_rank);
  std::size_t add_tensor(program::ParamKind kind, DType dtype, const Shape& sizes, const Fill& fill);
  std::vector<std::int64_t> any_strides(const Shape& sizes, bool writable);
  Fill any_fill(DType dtype, Numbers& numbers);
  Item scalar_argument(DType dtype);

  // ---- accesses.cpp
  Item load(DType dtype, const Shape& shape);
  void store_output(const Item& item);
  void update_in_place();
  void act_atomically(const Tensor& tensor, const std::vector<std::int64_t>& maps, std::vector<ValueId> indices, const Item& value);
  ValueId index_scalar(std::int64_t size, std::int64_t extent);
  ValueId index_tile(std::int64_t size, const Shape& shape);
  ValueId unique_indices(std::int64_t extent);
  ValueId integer(std::int64_t value) { return b_.integer(DType::I64, value); }
  ValueId linear_program_id();

  // ---- computations.cpp
  void unary();
  void binary();
  void ternary();
  void conversion();
  void move();
  void contract();
  void reduction();
  void custom_reduction();
  void ordering();
  void assertion();

  // ---- control.cpp
  void loop();
  void branch();
  void while_loop();
  std::optional<Item> carry_exactly(ValueId argument);
  Item initial(DType dtype, const Shape& shape);  // of a value carried exactly
  Numbers carried_numbers(DType dtype) const;
  template <class F>
  void scoped(F body);

  Limits limits_;
  Rng rng_;
  Builder b_;
  Case case_;
  std::vector<Item> pool_;
  std::vector<Tensor> inputs_, in_place_;
  std::vector<std::int64_t> extents_;
  std::vector<ValueId> counters_;  // of the loops around
  Shape grid_;
  int depth_ = 0;
  int nesting_ = 0;  // of fresh values needed by fresh values
  int budget_ = 0;
  int outputs_ = 0;
};

}  // namespace tilewright::fuzz

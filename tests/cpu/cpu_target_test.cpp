// Programs through the CPU target against the reference interpreter: each test is one shape of code that the lowering treats in its own way.
#include "compiler/compiler.h"
#include "compiler/reference/interpreter.h"
#include "compiler/reference/slots.h"
#include "dsl/program/builder.h"
#include "runtime/artifact.h"
#include "runtime/drivers/cpu/object_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <memory>
#include <random>

namespace tilewright {
namespace {

using namespace program;

constexpr Type view(std::size_t rank) { return {DType::F32, Shape(rank, -1), true}; }
const ArgumentFacts kContiguous{.unit_inner_stride = true};

struct Tensor {
  std::vector<std::int64_t> sizes;
  std::vector<float> data;

  static Tensor random(std::vector<std::int64_t> sizes, int seed) {
    Tensor tensor = filled(std::move(sizes), 0);
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    for (float& x : tensor.data) x = normal(generator);
    return tensor;
  }
  static Tensor filled(std::vector<std::int64_t> sizes, float value) {
    std::int64_t count = 1;
    for (std::int64_t size : sizes) count *= size;
    return {std::move(sizes), std::vector<float>(count, value)};
  }
  void append_to(std::vector<std::uint64_t>& slots) {
    std::vector<std::int64_t> strides(sizes.size());
    std::int64_t stride = 1;
    for (std::size_t d = sizes.size(); d-- > 0; stride *= sizes[d]) strides[d] = stride;
    reference::append_view(slots, data.data(), sizes, strides);
  }
};

// Runs the program with `out` as its last parameter on both; expects equal results within `tolerance` of the largest.
void expect_like_reference(Program program, std::vector<Tensor> inputs, std::vector<std::int64_t> out_sizes, double tolerance) {
  const auto shared = std::make_shared<Program>(std::move(program));
  const auto run = [&](const std::function<void(const std::vector<std::uint64_t>&)>& runner) {
    Tensor out = Tensor::filled(out_sizes, std::nanf(""));
    std::vector<std::uint64_t> slots;
    for (Tensor& input : inputs) input.append_to(slots);
    out.append_to(slots);
    runner(slots);
    return out.data;
  };
  const std::vector<float> expected = run([&](const auto& slots) { reference::Interpreter(*shared).run_all(slots.data()); });

  const std::unique_ptr<Compiler> compiler = make_compiler();
  for (const char* target : {"host", "x86-64-v3", "x86-64-v2"}) {
    SCOPED_TRACE(target);
    const Artifact artifact = compiler->compile(shared, {.target = target});
    CpuEntry entry = nullptr;
    const std::shared_ptr<void> handle = load_object(artifact, entry);
    const std::vector<float> actual = run([&](const auto& slots) {
      const reference::GridIndex grid = reference::Interpreter(*shared).grid(slots.data());
      std::vector<char> memory(artifact.scratch_bytes + 64);
      char* scratch = reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64);
      for (std::int64_t z = 0; z < grid[2]; ++z)
        for (std::int64_t y = 0; y < grid[1]; ++y)
          for (std::int64_t x = 0; x < grid[0]; ++x) {
            const std::array<std::int64_t, 3> id{x, y, z};
            entry(slots.data(), id.data(), grid.data(), scratch);
          }
    });
    double scale = 0;
    for (float x : expected) scale = std::max(scale, std::isfinite(x) ? std::abs(double(x)) : 0.0);
    int wrong = 0;
    for (std::size_t i = 0; i < expected.size() && wrong < 5; ++i) {
      const bool same = (std::isnan(expected[i]) && std::isnan(actual[i])) || expected[i] == actual[i] || std::abs(expected[i] - actual[i]) <= tolerance * scale;
      EXPECT_TRUE(same) << "element " << i << ": expected " << expected[i] << ", got " << actual[i];
      wrong += !same;
    }
  }
}

struct Kernel : Builder {
  explicit Kernel(const char* name) : Builder(name) {}
  ValueId input(std::size_t rank) { return add_param("x" + std::to_string(program().params.size()), ParamKind::Input, view(rank), kContiguous); }
  ValueId output(std::size_t rank) { return add_param("out", ParamKind::Output, view(rank), kContiguous); }
  ValueId index(std::int64_t value) { return integer(DType::I64, value); }
  void grid(ValueId of, std::int64_t axis, std::int64_t block) {
    begin_grid();
    ValueId size = op(Opcode::Add, {op(Opcode::ViewSize, {of}, {axis}), index(block - 1)});
    end_grid({op(Opcode::Div, {size, index(block)})});
  }
  ValueId program_start(std::int64_t block) { return op(Opcode::Mul, {op(Opcode::ProgramId, {}, {0}), index(block)}); }
};

TEST(CpuTarget, AddsVectorsWithAPartialLastBlock) {
  Kernel b("add");
  const ValueId x = b.input(1), y = b.input(1), out = b.output(1);
  b.grid(out, 0, 60);
  const ValueId row = b.program_start(60);
  b.store(out, {row}, {0}, b.op(Opcode::Add, {b.load(x, {row}, {0}, {60}), b.load(y, {row}, {0}, {60})}));
  expect_like_reference(std::move(b).finish(), {Tensor::random({1003}, 1), Tensor::random({1003}, 2)}, {1003}, 0);
}

Program matmul(std::int64_t bm, std::int64_t bn, std::int64_t bk, bool transposed_b) {
  Kernel b("matmul");
  const ValueId x = b.input(2), y = b.input(2), out = b.output(2);
  b.begin_grid();
  const auto blocks = [&](std::int64_t axis, std::int64_t block) {
    return b.op(Opcode::Div, {b.op(Opcode::Add, {b.op(Opcode::ViewSize, {out}, {axis}), b.index(block - 1)}), b.index(block)});
  };
  b.end_grid({blocks(0, bm), blocks(1, bn)});
  const ValueId row = b.program_start(bm), column = b.op(Opcode::Mul, {b.op(Opcode::ProgramId, {}, {1}), b.index(bn)});
  const auto loop = b.begin_for(b.index(0), b.op(Opcode::ViewSize, {x}, {1}), b.index(bk), {b.real(DType::F32, 0, {bm, bn})});
  const ValueId a = b.load(x, {row, loop[0]}, {0, 1}, {bm, bk});
  ValueId c = transposed_b ? b.transpose(b.load(y, {column, loop[0]}, {0, 1}, {bn, bk}), {1, 0}) : b.load(y, {loop[0], column}, {0, 1}, {bk, bn});
  const auto sum = b.end_for({b.dot(a, c, loop[1])});
  b.store(out, {row, column}, {0, 1}, sum[0]);
  return std::move(b).finish();
}

TEST(CpuTarget, MultipliesMatricesOfAnyExtent) {
  expect_like_reference(matmul(32, 48, 16, false), {Tensor::random({70, 50}, 1), Tensor::random({50, 100}, 2)}, {70, 100}, 1e-6);
  expect_like_reference(matmul(7, 5, 3, false), {Tensor::random({20, 10}, 1), Tensor::random({10, 13}, 2)}, {20, 13}, 1e-6);
  expect_like_reference(matmul(64, 64, 64, true), {Tensor::random({128, 96}, 1), Tensor::random({70, 96}, 2)}, {128, 70}, 1e-6);
  expect_like_reference(matmul(16, 1, 20, false), {Tensor::random({33, 40}, 1), Tensor::random({40, 3}, 2)}, {33, 3}, 1e-6);
}

TEST(CpuTarget, ReducesAndBroadcastsRows) {
  for (std::int64_t columns : {1, 5, 16, 60, 200}) {
    SCOPED_TRACE(columns);
    Kernel b("softmax");
    const ValueId x = b.input(2), out = b.output(2);
    b.grid(out, 0, 8);
    const ValueId row = b.program_start(8), zero = b.index(0);
    const ValueId tile = b.load(x, {row, zero}, {0, 1}, {8, columns});
    const auto spread = [&](ValueId v) { return b.broadcast(b.reshape(v, {8, 1}), {8, columns}); };
    const ValueId shifted = b.op(Opcode::Exp, {b.op(Opcode::Sub, {tile, spread(b.reduce(ReduceKind::Max, tile, 1))})});
    b.store(out, {row, zero}, {0, 1}, b.op(Opcode::Div, {shifted, spread(b.reduce(ReduceKind::Sum, shifted, 1))}));
    expect_like_reference(std::move(b).finish(), {Tensor::random({21, columns}, 3)}, {21, columns}, 1e-6);
  }
}

TEST(CpuTarget, ReducesAndScansColumns) {
  Kernel b("columns");
  const ValueId x = b.input(2), out = b.output(2);
  const ValueId zero = b.index(0), tile = b.load(x, {zero, zero}, {0, 1}, {12, 20});
  const ValueId mean = b.broadcast(b.reshape(b.reduce(ReduceKind::Sum, tile, 0), {1, 20}), {12, 20});
  b.store(out, {zero, zero}, {0, 1}, b.op(Opcode::Add, {mean, b.op(Opcode::Add, {b.scan(ReduceKind::Sum, tile, 0), b.scan(ReduceKind::Sum, tile, 1, true)})}));
  expect_like_reference(std::move(b).finish(), {Tensor::random({12, 20}, 3)}, {12, 20}, 1e-5);
}

TEST(CpuTarget, OrdersElements) {
  for (const bool descending : {false, true}) {
    Kernel b("order");
    const ValueId x = b.input(2), out = b.output(2);
    const ValueId zero = b.index(0), tile = b.load(x, {zero, zero}, {0, 1}, {6, 37});
    const auto top = b.ops(Opcode::TopK, {tile}, {1, 9, descending});
    const Type wide{DType::F32, {6, 9}};
    b.store(out, {zero, zero}, {0, 1}, b.op(Opcode::Add, {top[0], b.op(Opcode::Cast, {top[1]}, {}, wide)}));
    Tensor data = Tensor::random({6, 37}, 4);
    for (int i = 0; i < 37; ++i) data.data[i] = 1;  // ties
    data.data[37 + 3] = std::nanf("");
    data.data[37 + 5] = -INFINITY;
    expect_like_reference(std::move(b).finish(), {data}, {6, 9}, 0);
  }
}

TEST(CpuTarget, CarriesTilesThroughNestedControl) {
  Kernel b("carry");
  const ValueId x = b.input(2), out = b.output(2);
  const ValueId zero = b.index(0), one = b.index(1), tile = b.load(x, {zero, zero}, {0, 1}, {5, 18});
  // (a, b) -> (b, a + b), swapped back on odd iterations
  const auto loop = b.begin_for(zero, b.index(5), one, {tile, b.real(DType::F32, 1, {5, 18})});
  const ValueId odd = b.op(Opcode::Eq, {b.op(Opcode::Rem, {loop[0], b.index(2)}), one});
  b.begin_if(odd);
  const ValueId doubled = b.op(Opcode::Add, {loop[1], loop[1]});
  b.begin_else();
  const auto picked = b.end_if({doubled}, {loop[2]});
  const auto result = b.end_for({loop[2], b.op(Opcode::Sub, {picked[0], loop[1]})});
  b.store(out, {zero, zero}, {0, 1}, b.op(Opcode::Mul, {result[0], result[1]}));
  expect_like_reference(std::move(b).finish(), {Tensor::random({5, 18}, 5)}, {5, 18}, 1e-6);
}

TEST(CpuTarget, ReadsATensorBeforeItStoresToIt) {
  Kernel b("shift");
  const ValueId out = b.add_param("out", ParamKind::InOut, view(1), kContiguous);
  const ValueId first = b.load(out, {b.index(0)}, {0}, {64});
  b.store(out, {b.index(0)}, {0}, b.op(Opcode::Add, {b.op(Opcode::Cast, {b.op(Opcode::Arange, {}, {0}, Type{DType::I32, {64}})}, {}, Type{DType::F32, {64}}),
                                                      b.op(Opcode::Select, {b.op(Opcode::IsNan, {first}), b.real(DType::F32, 0, {64}), first})}));
  b.store(out, {b.index(0)}, {0}, b.load(out, {b.index(-2)}, {0}, {64}));
  expect_like_reference(std::move(b).finish(), {}, {64}, 0);
}

}  // namespace
}  // namespace tilewright

// The canonical form: independence of tracing order, what is dropped, shared and computed, and where things end up.
#include "dsl/program/canonical.h"
#include "dsl/program/builder.h"
#include "dsl/program/verify.h"
#include "tests/dsl/listing.h"

#include <gtest/gtest.h>

namespace tilewright::program {
namespace {

struct Kernel {
  Builder b{"k"};
  ValueId in = b.add_param("in", ParamKind::Input, {DType::F32, {-1}, true});
  ValueId out = b.add_param("out", ParamKind::InOut, {DType::F32, {-1}, true});
  ValueId index(std::int64_t i) { return b.integer(DType::I64, i); }
  ValueId read(ValueId view, std::int64_t i) { return b.load(view, {index(i)}, {0}, {8}); }
  void write(std::int64_t i, ValueId value) { b.store(out, {index(i)}, {0}, value); }
  ValueId add(ValueId x, ValueId y) { return b.elementwise(Opcode::Add, {x, y}); }
  ValueId mul(ValueId x, ValueId y) { return b.elementwise(Opcode::Mul, {x, y}); }
  Program done() {
    const Program raw = std::move(b).finish();
    verify(raw);
    Program program = canonicalize(raw);
    verify(program);
    EXPECT_EQ(to_text(canonicalize(program)), to_text(program));
    return program;
  }
};

TEST(Canonical, OperandsInEitherOrder) {
  Kernel left, right;
  const ValueId a = left.read(left.in, 0), c = left.read(left.in, 8);
  left.write(0, left.add(left.mul(a, c), c));
  const ValueId c2 = right.read(right.in, 8), a2 = right.read(right.in, 0);
  right.write(0, right.add(right.mul(a2, c2), c2));
  EXPECT_EQ(listing(left.done()), listing(right.done()));
}

TEST(Canonical, ReadsStayBetweenWrites) {
  for (const bool swapped : {false, true}) {
    Kernel k;
    // Both are read before the first write although the second is only needed after it.
    ValueId x = kNone, y = kNone;
    if (swapped) y = k.read(k.out, 8);
    x = k.read(k.out, 0);
    if (!swapped) y = k.read(k.out, 8);
    k.write(8, x);
    k.write(16, y);
    const Program program = k.done();
    std::vector<Opcode> order;
    std::vector<std::int64_t> starts;
    for (OpId id : program.body.ops) {
      const Op& op = program.ops[id];
      if (op.opcode == Opcode::Constant) continue;
      order.push_back(op.opcode);
      starts.push_back(program.ops[program.values[op.operands[1]].def].ints[0]);
    }
    EXPECT_EQ(order, (std::vector<Opcode>{Opcode::Load, Opcode::Load, Opcode::Store, Opcode::Store}));
    EXPECT_EQ(starts, (std::vector<std::int64_t>{0, 8, 8, 16}));
  }
}

TEST(Canonical, ReadsAcrossAWriteAreNotShared) {
  Kernel k;
  const ValueId before = k.read(k.out, 0), again = k.read(k.out, 0);
  k.write(0, k.add(before, again));
  k.write(8, k.read(k.out, 0));
  EXPECT_EQ(count(k.done(), Opcode::Load), 2);
}

TEST(Canonical, DropsWhatNothingNeeds) {
  Kernel k;
  const ValueId x = k.read(k.in, 0);
  k.read(k.in, 64);
  k.b.op(Opcode::Exp, {x});
  k.write(0, x);
  const Program program = k.done();
  EXPECT_EQ(count(program, Opcode::Load), 1);
  EXPECT_EQ(count(program, Opcode::Exp), 0);
}

TEST(Canonical, FoldsCarriedValues) {
  Kernel k;
  const ValueId zero = k.b.real(DType::F32, 0, {8}), x = k.read(k.in, 0);
  // Carried: a sum; a value that never changes; a counter nobody reads.
  const auto args = k.b.begin_for(k.index(0), k.index(10), k.index(1), {zero, x, k.index(0)});
  const ValueId sum = k.add(args[1], args[2]);
  const ValueId counter = k.add(args[3], k.index(1));
  const auto results = k.b.end_for({sum, args[2], counter});
  k.write(0, k.add(results[0], results[1]));
  const Program program = k.done();
  for (const Op& op : program.ops) {
    if (op.opcode == Opcode::For) {
      EXPECT_EQ(op.results.size(), 1u);
      EXPECT_EQ(op.regions[0].args.size(), 2u);
    }
  }
  EXPECT_EQ(count(program, Opcode::For), 1);
}

TEST(Canonical, FoldsCarriedValuesThroughNests) {
  Kernel k;
  const ValueId x = k.read(k.in, 0), zero = k.b.real(DType::F32, 0, {8});
  const auto outer = k.b.begin_for(k.index(0), k.index(4), k.index(1), {x, zero});
  const auto inner = k.b.begin_for(k.index(0), k.index(4), k.index(1), {outer[1], outer[2]});
  const auto inner_results = k.b.end_for({inner[1], k.add(inner[2], inner[1])});
  const auto results = k.b.end_for({inner_results[0], inner_results[1]});
  k.write(0, k.add(results[0], results[1]));
  const Program program = k.done();
  for (const Op& op : program.ops) {
    if (op.opcode == Opcode::For) {
      EXPECT_EQ(op.results.size(), 1u);
    }
  }
}

TEST(Canonical, BranchesThatAgreeAreOneValue) {
  Kernel k;
  const ValueId x = k.read(k.in, 0), y = k.b.op(Opcode::Exp, {x});
  const ValueId condition = k.b.elementwise(Opcode::Lt, {k.b.op(Opcode::ProgramId, {}, {0}), k.index(3)});
  k.b.begin_if(condition);
  k.b.begin_else();
  const auto results = k.b.end_if({x, y}, {x, x});
  k.write(0, k.add(results[0], results[1]));
  const Program program = k.done();
  for (const Op& op : program.ops) {
    if (op.opcode == Opcode::If) {
      EXPECT_EQ(op.results.size(), 1u);
    }
  }
}

TEST(Canonical, LoopsWithoutUseDisappear) {
  Kernel k;
  const ValueId x = k.read(k.in, 0);
  const auto args = k.b.begin_for(k.index(0), k.index(4), k.index(1), {x});
  k.b.end_for({k.add(args[1], x)});
  k.write(0, x);
  EXPECT_EQ(count(k.done(), Opcode::For), 0);
}

TEST(Canonical, SharesEqualOperations) {
  Kernel k;
  const ValueId x = k.read(k.in, 0);
  k.write(0, k.add(k.b.op(Opcode::Exp, {x}), k.b.op(Opcode::Exp, {x})));
  EXPECT_EQ(count(k.done(), Opcode::Exp), 1);
}

TEST(Canonical, ComputesIndexArithmetic) {
  Kernel k;
  const ValueId id = k.b.op(Opcode::ProgramId, {}, {0});
  const ValueId start = k.add(k.mul(k.add(id, k.index(0)), k.index(1)), k.mul(k.index(6), k.index(7)));
  k.b.store(k.out, {start}, {0}, k.read(k.in, 0));
  const Program program = k.done();
  EXPECT_EQ(count(program, Opcode::Mul), 0);
  EXPECT_EQ(count(program, Opcode::Add), 1);
}

TEST(Canonical, ArithmeticOnConstantsWraps) {
  const auto fold = [](DType dtype, Opcode opcode, std::int64_t x, std::int64_t y) {
    Builder b("k");
    const ValueId out = b.add_param("out", ParamKind::Output, {dtype, {-1}, true});
    const ValueId value = b.op(opcode, {b.integer(dtype, x), b.integer(dtype, y)});
    b.store(out, {b.integer(DType::I64, 0)}, {kMapPoint}, value);
    const Program program = canonicalize(std::move(b).finish());
    for (const Op& op : program.ops) {
      if (op.opcode == Opcode::Store) return program.ops[program.values[op.operands[2]].def].ints[0];
    }
    return std::int64_t{-999};
  };
  EXPECT_EQ(fold(DType::I8, Opcode::Add, 127, 1), -128);
  EXPECT_EQ(fold(DType::U8, Opcode::Sub, 0, 1), 255);
  EXPECT_EQ(fold(DType::I32, Opcode::Div, 7, 0), 0);
  EXPECT_EQ(fold(DType::I32, Opcode::Rem, 7, 0), 7);
  EXPECT_EQ(fold(DType::I32, Opcode::Rem, -7, 2), -1);
  EXPECT_EQ(fold(DType::I64, Opcode::Div, INT64_MIN, -1), INT64_MIN);
  EXPECT_EQ(fold(DType::I8, Opcode::Div, -128, -1), -128);
  EXPECT_EQ(fold(DType::I32, Opcode::Shl, 1, 33), 2);
  EXPECT_EQ(fold(DType::I8, Opcode::Shr, -128, 7), -1);
  EXPECT_EQ(fold(DType::U64, Opcode::Div, -1, 2), INT64_MAX);
  EXPECT_EQ(fold(DType::U64, Opcode::Max, -1, 2), -1);
}

TEST(Canonical, CombinersKeepTheirConstants) {
  Kernel k;
  const ValueId x = k.read(k.in, 0), two = k.b.real(DType::F32, 2);
  const auto args = k.b.begin_combiner(Opcode::Scan, {x}, 0);
  const auto results = k.b.end_combiner({k.add(k.mul(args[0], k.b.real(DType::F32, 2)), args[1])});
  k.write(0, k.b.elementwise(Opcode::Mul, {results[0], two}));
  const Program program = k.done();
  EXPECT_EQ(count(program, Opcode::Scan), 1);
  for (const Op& op : program.ops) {
    if (op.opcode == Opcode::Scan) {
      EXPECT_EQ(op.regions[0].ops.size(), 3u);
    }
  }
}

TEST(Canonical, WhileKeepsItsCondition) {
  Kernel k;
  const ValueId x = k.read(k.in, 0);
  const auto head = k.b.begin_while({k.index(0), x});
  const auto body = k.b.begin_while_body(k.b.elementwise(Opcode::Lt, {head[0], k.index(5)}));
  const auto results = k.b.end_while({k.add(body[0], k.index(1)), k.add(body[1], body[1])});
  k.write(0, results[1]);
  const Program program = k.done();
  for (const Op& op : program.ops) {
    if (op.opcode == Opcode::While) {
      EXPECT_EQ(op.results.size(), 2u);
    }
  }
  EXPECT_EQ(count(program, Opcode::While), 1);
}

}  // namespace
}  // namespace tilewright::program

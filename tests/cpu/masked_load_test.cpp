// Loads whose mask keeps them inside a tensor that ends at an inaccessible page: programs whose vectors take two registers, of which only the first has lanes
// to read.
#include "compiler/compiler.h"
#include "dsl/program/builder.h"
#include "tests/fuzz/run.h"

#include <gtest/gtest.h>

namespace tilewright {
namespace {

using namespace program;

class MaskedLoad : public ::testing::TestWithParam<const char*> {
 protected:
  ValueId tensor(const char* name, ParamKind kind, DType dtype, const Shape& sizes, const std::vector<std::int64_t>& strides, ArgumentFacts facts) {
    fuzz::Argument argument;
    argument.is_view = true;
    argument.tensor.sizes = sizes;
    argument.tensor.strides = strides;
    case_.arguments.push_back(argument);
    return b_.add_param(name, kind, {dtype, Shape(sizes.size(), -1), true}, facts);
  }
  ValueId index(std::int64_t value) { return b_.integer(DType::I64, value); }
  void one_program() {
    b_.begin_grid();
    b_.end_grid({index(1), index(1), index(1)});
  }
  void expect_agreement() {
    case_.program = std::move(b_).finish();
    const std::unique_ptr<Compiler> compiler = make_compiler();
    const auto target = fuzz::compiled_target(*compiler, GetParam());
    const fuzz::Outcome outcome = fuzz::check(case_, *target);
    EXPECT_FALSE(outcome.failed()) << outcome.text;
  }

  Builder b_{"masked_load"};
  fuzz::Case case_;
};

TEST_P(MaskedLoad, OfATileWhoseLastVectorHasOneElement) {
  const ValueId in = tensor("in", ParamKind::Input, DType::F64, {0, 5}, {5, 1}, {.unit_inner_stride = true, .fits32 = true});
  const ValueId out = tensor("out", ParamKind::Output, DType::F64, {3, 4, 31}, {144, 36, 1}, {.unit_inner_stride = true});
  one_program();
  const ValueId tile = b_.load(in, {b_.integer(DType::U8, 1, {4}), index(-2)}, {0, 1}, {4, 33});
  const auto sides = b_.begin_combiner(Opcode::Scan, {tile, b_.real(DType::F64, 1, {4, 33})}, 1);
  const auto scans = b_.end_combiner({sides[0], sides[1]});
  b_.store(out, {index(1), index(2), index(0)}, {-1, 0, 1}, scans[0]);
  expect_agreement();
}

TEST_P(MaskedLoad, UnderOneConditionForAllElements) {
  for (const DType dtype : {DType::F64, DType::U64}) {
    SCOPED_TRACE(name_of(dtype));
    b_ = Builder("masked_load");
    case_ = {};
    const ValueId allowed = tensor("allowed", ParamKind::Input, DType::Bool, {5}, {1}, {.unit_inner_stride = true});
    const ValueId in = tensor("in", ParamKind::Input, dtype, {6}, {1}, {.unit_inner_stride = true});
    const ValueId spread = tensor("spread", ParamKind::Output, dtype, {4, 3}, {3, -1}, {});
    const ValueId dense = tensor("dense", ParamKind::InOut, dtype, {19, 67}, {80, 1}, {.unit_inner_stride = true});
    one_program();
    const ValueId mask = b_.load(allowed, {b_.integer(DType::U64, 3, {3})}, {0}, {3});
    const ValueId other = is_float(dtype) ? b_.real(dtype, 1, {3}) : b_.integer(dtype, 1, {3});
    const ValueId tile = b_.load(in, {index(std::int64_t{1} << 40)}, {0}, {3}, mask, other);
    b_.store(spread, {index(1), b_.op(Opcode::Arange, {}, {-2}, {DType::I32, {3}})}, {kMapPoint, kMapFull}, tile);
    b_.store(dense, {index(0), index(1)}, {kMapPoint, 0}, tile);
    expect_agreement();
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, MaskedLoad, ::testing::Values("x86-64-v2", "x86-64-v3", "host"), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace tilewright

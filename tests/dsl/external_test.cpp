// Functions of another language in a program: what a call becomes, when two are one, how they are printed, and who refuses to run them.
#include "dsl/program/external.h"
#include "compiler/reference/interpreter.h"
#include "dsl/program/canonical.h"
#include "dsl/program/print_cpp.h"
#include "dsl/program/verify.h"
#include "tests/dsl/run_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace tilewright {
namespace {

using program::External;
using program::Opcode;
using program::Program;
using program::Type;
using ::testing::HasSubstr;

const char* const kTwice = "__device__ float twice(float x) { return 2 * x; }";
const ExternFunction twice = extern_cuda(kTwice, "twice", f32);
const ExternFunction mixed = extern_cuda("__device__ bool mixed(int i, __half h, double d) { return i < d; }", "mixed", boolean);

const program::Op& only_call(const Program& program) {
  EXPECT_EQ(count(program, Opcode::Extern), 1);
  return *std::find_if(program.ops.begin(), program.ops.end(), [](const program::Op& op) { return op.opcode == Opcode::Extern; });
}

TEST(External, CallsKeepTheFunctionWithItsSource) {
  const Program program = traced_body([](InOut x, InOut y, Scalar) { store(y, {0, 0}, twice(load(x, {0, 0}, {4}))); });
  const program::Op& call = only_call(program);
  EXPECT_EQ(program::external_of(call.text), (External{"cuda", "twice", kTwice}));
  EXPECT_EQ(program.type(call.results[0]), (Type{DType::F32, {4}}));
  EXPECT_EQ(program.files.at(call.loc.file), __FILE__);
}

TEST(External, ArgumentsBroadcastAndKeepTheirDtypes) {
  const Program program = traced_body([](InOut x, InOut y, Scalar s) {
    Tile halves = cast(load(x, {0, 0}, {8}), f16);
    Tile holds = mixed(arange(4)(_, None), halves, cast(s, f64));
    EXPECT_EQ(holds.dtype(), boolean);
    store(y, {0, 0}, cast(holds, f32));
  });
  const program::Op& call = only_call(program);
  std::vector<Type> types;
  for (program::ValueId operand : call.operands) types.push_back(program.type(operand));
  EXPECT_EQ(types, (std::vector<Type>{{DType::I32, {4, 8}}, {DType::F16, {4, 8}}, {DType::F64, {4, 8}}}));
  EXPECT_EQ(program.type(call.results[0]), (Type{DType::Bool, {4, 8}}));
}

TEST(External, EqualCallsAreOneAndUnusedOnesNone) {
  const Program program = traced_body([](InOut x, InOut y, Scalar s) {
    Tile a = load(x, {0, 0}, {4});
    twice(a + 1);
    store(y, {0, 0}, twice(a) + twice(a) + twice(s));
  });
  EXPECT_EQ(count(program, Opcode::Extern), 2);
}

TEST(External, FunctionsDifferByNameSourceAndResult) {
  const std::string source = std::string(kTwice) + "__device__ float thrice(float x) { return 3 * x; }";
  const Program program = traced_body([&](InOut x, InOut y, Scalar) {
    Tile a = load(x, {0, 0}, {4});
    store(y, {0, 0}, extern_cuda(source.c_str(), "twice", f32)(a) + extern_cuda(source.c_str(), "thrice", f32)(a) + twice(a) + cast(extern_cuda(kTwice, "twice", f64)(a), f32));
  });
  EXPECT_EQ(count(program, Opcode::Extern), 4);
}

TEST(External, TextsReadBack) {
  for (const External& function : {External{"cuda", "f", "line\n\nline \"quoted\" \n"}, External{"cuda", "a::b", " "}}) EXPECT_EQ(program::external_of(program::to_text(function)), function);
  for (const char* text : {"", "cuda", "cuda gelu", "\ncuda gelu", "cuda\nf x"}) EXPECT_EQ(program::external_of(text), External()) << text;
}

TEST(External, ProgramsOfAnotherFormAreRefused) {
  const Program program = traced_body([](InOut x, InOut y, Scalar) { store(y, {0, 0}, twice(load(x, {0, 0}, {4}))); });
  const auto code_with = [&](const std::string& text) {
    Program changed = program;
    for (program::Op& op : changed.ops)
      if (op.opcode == Opcode::Extern) op.text = text;
    try {
      program::verify(changed);
    } catch (const Error& error) {
      return error.code();
    }
    return 0;
  };
  EXPECT_EQ(code_with("cuda twice\nsource"), 0);
  EXPECT_EQ(code_with("twice"), 9101);
  EXPECT_EQ(code_with("cuda two words\nsource"), 1230);
  EXPECT_EQ(code_with("cuda twice\n"), 1230);
}

TEST(External, IsPrintedAsItIsWritten) {
  const Program program = traced_body([](InOut x, InOut y, Scalar) { store(y, {0, 0}, twice(load(x, {0, 0}, {4}))); });
  EXPECT_THAT(program::print_cpp(program, "Again"), HasSubstr(std::string("extern_cuda(\"") + kTwice + "\", \"twice\", f32)(v"));
  EXPECT_TRUE(program::rebuilds_exactly(program));
}

TEST(External, ListingsKeepALineAnOperation) {
  const ExternFunction lines = extern_cuda("// first\n__device__ int second(int x) { return x; }\n", "second", i32);
  const Program program = traced_body([&](InOut, InOut y, Scalar) { store(y, {0, 0}, cast(lines(arange(4)), f32)); });
  EXPECT_THAT(to_text(program), HasSubstr(") \"cuda second\\n// first\\n__device__ int second"));
}

TEST(External, TheReferenceRefusesWithThePosition) {
  const Program program = traced_body([](InOut x, InOut y, Scalar) { store(y, {0, 0}, twice(load(x, {0, 0}, {4}))); });
  const program::Location at = only_call(program).loc;
  try {
    reference::Interpreter interpreter(program);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 2330);
    EXPECT_THAT(error.message(), HasSubstr("calls the CUDA function 'twice', which the reference cannot run"));
    EXPECT_EQ(error.where().file, __FILE__);
    EXPECT_EQ(error.where().line, at.line);
  }
}

}  // namespace
}  // namespace tilewright

// What the importer promises beside the text of its modules: it refuses broken programs, and several threads may import at once.
#include "compiler/import/import.h"
#include "dsl/program/builder.h"
#include "runtime/support/error.h"

#include "mlir/IR/MLIRContext.h"

#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

#include <thread>

namespace tilewright {
namespace {

using namespace program;

Program doubling() {
  Builder b("doubling");
  const ValueId x = b.add_param("x", ParamKind::Input, {DType::F32, {-1}, true}), y = b.add_param("y", ParamKind::Output, {DType::F32, {-1}, true});
  b.at("author.cpp", 12, 5);
  const ValueId zero = b.integer(DType::I64, 0);
  const ValueId t = b.load(x, {zero}, {0}, {16});
  b.store(y, {zero}, {0}, b.op(Opcode::Add, {t, t}));
  return std::move(b).finish();
}

std::string imported(const Program& program) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  std::string text;
  llvm::raw_string_ostream stream(text);
  import_program(context, program)->print(stream);
  return text;
}

TEST(Import, RefusesAnOperandThatIsNotDefined) {
  Program program = doubling();
  for (Op& op : program.ops)
    if (op.opcode == Opcode::Add) op.operands[1] = static_cast<ValueId>(program.values.size()) + 7;
  try {
    imported(program);
    FAIL() << "imported";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 9102);
    EXPECT_EQ(error.where().file, "author.cpp");
    EXPECT_EQ(error.where().line, 12u);
  }
}

TEST(Import, RefusesTypesThatDoNotFit) {
  Program program = doubling();
  for (const Op& op : program.ops)
    if (op.opcode == Opcode::Add) program.values[op.results[0]].type.shape = {8};
  EXPECT_THROW(imported(program), Error);
}

TEST(Import, RunsOnSeveralThreads) {
  const Program program = doubling();
  const std::string expected = imported(program);
  EXPECT_NE(expected.find("arith.addf"), std::string::npos);
  std::vector<std::string> texts(8);
  std::vector<std::thread> threads;
  for (std::string& text : texts) threads.emplace_back([&] { text = imported(program); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& text : texts) EXPECT_EQ(text, expected);
}

}  // namespace
}  // namespace tilewright

// Programs printed as C++ are the programs again: a batch of them is compiled, traced and compared.
#include "dsl/program/canonical.h"
#include "dsl/program/kernel.h"
#include "dsl/program/print_cpp.h"
#include "dsl/program/verify.h"
#include "tests/fuzz/generator.h"
#include "tests/fuzz/run.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace tilewright::fuzz {
namespace {

constexpr std::uint64_t kPrograms = 100;

// The text of the canonical form without positions, which a rebuilt program takes from the printed source.
std::string listing(const program::Program& program) {
  program::Program bare = program::canonicalize(program);
  for (program::Op& op : bare.ops) op.loc = {};
  bare.files.clear();
  return to_text(bare);
}

class Rebuild : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    char pattern[] = "/tmp/tilewright_rebuild_XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    folder_ = pattern;
    std::ofstream source(folder_ + "/batch.cpp");
    for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
      const std::string name = "Program" + std::to_string(seed);
      source << program::print_cpp(generate(seed).program, name);
      source << "extern \"C\" const void* kernel_" << seed << "() { return &kernel_of<" << name << ">(); }\n";
    }
    source.close();
    const std::string command = std::string(TW_TEST_CXX) + " -std=c++20 -O0 -fPIC -shared -w -I" + TW_TEST_SOURCE_DIR + " " + folder_ + "/batch.cpp -o " +
                                folder_ + "/batch.so " + TW_TEST_LIBRARIES;
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    library_ = dlopen((folder_ + "/batch.so").c_str(), RTLD_NOW);
    ASSERT_NE(library_, nullptr) << dlerror();
  }

  static void TearDownTestSuite() {
    // The library stays loaded: the language keeps its kernels.
    if (!HasFailure()) std::filesystem::remove_all(folder_);
  }

  static program::Program rebuilt(const Case& test) {
    using Get = const void* (*)();
    const Get get = reinterpret_cast<Get>(dlsym(library_, ("kernel_" + std::to_string(test.seed)).c_str()));
    EXPECT_NE(get, nullptr);
    program::CallFacts facts;
    for (const program::Param& param : test.program.params) {
      facts.types.push_back(test.program.type(param.value));
      facts.facts.push_back(param.facts);
    }
    return static_cast<const program::TraceableKernel*>(get())->trace(facts);
  }

  static inline std::string folder_;
  static inline void* library_ = nullptr;
};

TEST_F(Rebuild, GivesTheSameProgram) {
  int equal = 0;
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    const Case test = generate(seed);
    const program::Program again = rebuilt(test);
    EXPECT_NO_THROW(program::verify(again));
    if (!program::rebuilds_exactly(test.program)) continue;
    EXPECT_EQ(listing(test.program), listing(again)) << "seed " << seed;
    ++equal;
  }
  EXPECT_GE(equal, 15);
}

TEST_F(Rebuild, GivesTheSameResults) {
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    const Case test = generate(seed);
    const auto target = transformed_reference([&](const program::Program&) { return rebuilt(test); });
    const Outcome outcome = check(test, *target);
    EXPECT_FALSE(outcome.failed()) << "seed " << seed << "\n" << outcome.text;
  }
}

}  // namespace
}  // namespace tilewright::fuzz

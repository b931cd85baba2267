// Runs the kernels of tests/dsl/must_fail/tracing: each must fail with the code, position and words its source names.
#include "tests/dsl/must_fail/must_fail.h"

#include "runtime/support/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <ostream>
#include <regex>

namespace must_fail {

std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

void PrintTo(const Case& c, std::ostream* out) { *out << c.name << " at " << c.file << ":" << c.line; }

namespace {

struct Expected {
  int line = 0, column = 0, code = 0;
  std::string words;
};

// The one annotation between the case before `c` and the line of `c`.
Expected expected(const Case& c) {
  int first = 0;
  for (const Case& other : cases()) {
    if (other.file == c.file && other.line < c.line) first = std::max(first, other.line);
  }
  std::ifstream in(TESTS_DSL "/must_fail/tracing" + c.file.substr(c.file.rfind('/')));
  std::string text;
  std::vector<Expected> found;
  const std::regex annotation(R"(// error\[TW(\d+)\](?::(\d+))? (.+)$)");
  for (int line = 1; std::getline(in, text); ++line) {
    std::smatch match;
    if (line <= first || line > c.line || !std::regex_search(text, match, annotation)) continue;
    found.push_back({line, match[2].matched ? std::stoi(match[2]) : 0, std::stoi(match[1]), match[3]});
  }
  EXPECT_EQ(found.size(), 1u) << c.name << " needs one annotation";
  return found.empty() ? Expected{} : found[0];
}

class MustFail : public ::testing::TestWithParam<Case> {};

TEST_P(MustFail, NamesCodePlaceAndReason) {
  const Case& c = GetParam();
  const Expected want = expected(c);
  try {
    const auto& kernel = c.kernel();
    tilewright::program::CallFacts facts;
    for (const auto& param : kernel.params()) {
      const bool scalar = param.kind == tilewright::program::ParamKind::Scalar;
      facts.types.push_back({c.dtype, scalar ? std::vector<std::int64_t>{} : std::vector<std::int64_t>{-1, -1}, !scalar});
    }
    facts.facts.resize(facts.types.size(), {.unit_inner_stride = true, .aligned16 = true, .fits32 = true});
    facts.explicit_levels = {"nvidia::sm90"};
    facts.settings = c.settings;
    kernel.trace(facts);
    FAIL() << c.name << " traces";
  } catch (const tilewright::Error& error) {
    EXPECT_EQ(error.code(), want.code) << error.what();
    EXPECT_THAT(error.what(), ::testing::HasSubstr(want.words));
    if (want.column == 0) {
      EXPECT_EQ(error.where().line, 0u) << error.what();
      return;
    }
    EXPECT_EQ(error.where().file, c.file);
    EXPECT_EQ(error.where().line, static_cast<unsigned>(want.line)) << error.what();
#ifndef __clang__
    EXPECT_EQ(error.where().column, static_cast<unsigned>(want.column)) << error.what();
#endif
  }
}

INSTANTIATE_TEST_SUITE_P(Tracing, MustFail, ::testing::ValuesIn(cases()), [](const auto& info) { return info.param.name; });

TEST(MustFailSuite, HasThirtyCases) { EXPECT_GE(cases().size(), 30u); }

// After an error the thread traces the next kernel as if nothing had been.
TEST(MustFailSuite, ErrorsLeaveNoTrace) {
  for (const Case& c : cases()) {
    if (c.name != "BreakOutOfRange" && c.name != "AddShapes") continue;
    for (int round = 0; round < 2; ++round) {
      tilewright::program::CallFacts facts;
      facts.types = {{tilewright::DType::F32, {-1, -1}, true}, {tilewright::DType::F32, {-1, -1}, true}};
      facts.facts.resize(2);
      EXPECT_THROW(c.kernel().trace(facts), tilewright::Error);
    }
  }
}

}  // namespace
}  // namespace must_fail

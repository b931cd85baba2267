// What the C++ compiler says: mistakes the type system catches (tests/dsl/must_fail/compiling), and what a kernel file costs to compile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

struct Output {
  int status = -1;
  std::string text;
};

// Runs the C++ compiler this build uses, with the source root on its include path.
Output compile(const std::string& arguments, const std::string& compiler = TEST_COMPILER) {
  const std::string command = compiler + " -std=c++20 -I" + SOURCE_ROOT + " " + arguments + " 2>&1";
  Output output;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) output.text.append(buffer.data(), n);
  output.status = ::pclose(pipe);
  return output;
}

std::vector<std::string> mistakes() {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(fs::path(SOURCE_ROOT) / "tests/dsl/must_fail/compiling")) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

class MustNotCompile : public ::testing::TestWithParam<std::string> {};

TEST_P(MustNotCompile, NamesLineAndReason) {
  std::ifstream in(GetParam());
  std::string text, words;
  int line = 0;
  for (int i = 1; std::getline(in, text); ++i) {
    const auto at = text.find("// error: ");
    if (at == std::string::npos) continue;
    ASSERT_EQ(line, 0) << "one annotation a file";
    line = i;
    words = text.substr(at + 10);
  }
  ASSERT_NE(line, 0) << "no annotation";
  const Output output = compile("-fsyntax-only " + GetParam());
  EXPECT_NE(output.status, 0);
  EXPECT_THAT(output.text, HasSubstr(GetParam() + ":" + std::to_string(line) + ":"));
  bool said = false;
  std::istringstream lines(output.text);
  while (std::getline(lines, text)) said |= text.find("error:") != std::string::npos && text.find(words, text.find("error:")) != std::string::npos;
  EXPECT_TRUE(said) << "no error says '" << words << "':\n" << output.text;
}

INSTANTIATE_TEST_SUITE_P(Compiling, MustNotCompile, ::testing::ValuesIn(mistakes()),
                         [](const auto& info) { return fs::path(info.param).stem().string(); });

const std::string kFlash = std::string(SOURCE_ROOT) + "/tests/dsl/kernels/flash_forward.h";

TEST(KernelFile, CompilesWithoutWarnings) {
  const Output output = compile("-x c++ -Wall -Wextra -Werror -fsyntax-only -include " + kFlash + " /dev/null");
  EXPECT_EQ(output.status, 0) << output.text;
}

// Half a second of g++ is some 40,000 lines of headers; the language itself is an eighth of that.
TEST(KernelFile, SeesFewHeaders) {
  const Output output = compile("-x c++ -E -include " + kFlash + " /dev/null");
  ASSERT_EQ(output.status, 0) << output.text;
  EXPECT_GT(std::count(output.text.begin(), output.text.end(), '\n'), 500);
  EXPECT_LT(std::count(output.text.begin(), output.text.end(), '\n'), 8000);
  std::istringstream lines(output.text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] != '#') continue;
    for (const char* heavy : {"llvm/", "mlir/", "/string\"", "/vector\"", "/functional\"", "/map\"", "/memory\"", "/iostream\""})
      EXPECT_THAT(line, Not(HasSubstr(heavy)));
  }
}

}  // namespace

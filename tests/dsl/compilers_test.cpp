// The same kernels compiled by g++ and by clang give the same programs, although the compilers evaluate operands in opposite orders.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <sstream>
#include <string>

namespace {

struct Listing {
  std::string order, programs;
};

Listing run(const char* program) {
  std::string text;
  FILE* pipe = ::popen(program, "r");
  if (pipe == nullptr) return {};
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) text.append(buffer.data(), n);
  EXPECT_EQ(::pclose(pipe), 0) << program;
  const std::size_t end = text.find('\n');
  return {text.substr(0, end), text.substr(end + 1)};
}

TEST(Compilers, AgreeOnEveryProgram) {
  const Listing ours = run(LISTING), other = run(OTHER_LISTING);
  EXPECT_NE(ours.order, other.order) << "the compilers evaluate operands alike; this test would show nothing";
  EXPECT_GT(ours.programs.size(), 10000u);
  std::istringstream a(ours.programs), b(other.programs);
  std::string x, y;
  for (int line = 1; std::getline(a, x) && std::getline(b, y); ++line) ASSERT_EQ(x, y) << "line " << line;
  EXPECT_EQ(ours.programs.size(), other.programs.size());
}

}  // namespace

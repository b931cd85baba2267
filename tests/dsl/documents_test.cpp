// docs/language.md and docs/errors.md keep to the code: every example compiles, every code thrown is listed and every code listed is thrown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::set<std::string> matches(const std::string& text, const std::regex& pattern) {
  std::set<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) found.insert((*it)[1]);
  return found;
}

// The C++ examples of a document. One that starts with "// body: parameters" stands in a function with those.
std::vector<std::string> examples(const std::string& text) {
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = text.find("```cpp\n", at)) != std::string::npos;) {
    at += 7;
    const std::size_t end = text.find("```", at);
    found.push_back(text.substr(at, end - at));
    at = end;
  }
  return found;
}

TEST(Documents, ExamplesOfTheLanguageCompile) {
  const std::vector<std::string> all = examples(read(fs::path(SOURCE_ROOT) / "docs/language.md"));
  ASSERT_GE(all.size(), 6u);
  const fs::path file = fs::path(::testing::TempDir()) / ("language_examples_" + std::to_string(::getpid()) + ".cpp");
  {
    std::ofstream out(file);
    out << "#include \"dsl/nvidia/sm90.h\"\n#include \"dsl/tilewright.h\"\n";
    for (std::size_t i = 0; i < all.size(); ++i) {
      out << "namespace example_" << i << " {\nusing namespace tilewright;\n";
      const std::string head = "// body: ";
      if (all[i].starts_with(head)) {
        const std::size_t line = all[i].find('\n');
        out << "void body(" << all[i].substr(head.size(), line - head.size()) << ") {" << all[i].substr(line) << "}\n";
      } else {
        out << all[i];
      }
      out << "}\n";
    }
  }
  const std::string command = std::string(TEST_COMPILER) + " -std=c++20 -fsyntax-only -I" + SOURCE_ROOT + " " + file.string() + " 2>&1";
  std::string said;
  FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) said.append(buffer.data(), n);
  EXPECT_EQ(::pclose(pipe), 0) << said;
  fs::remove(file);
}

TEST(Documents, ErrorsAreListedAndReal) {
  std::set<std::string> thrown;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(SOURCE_ROOT) / "dsl")) {
    if (entry.path().extension() == ".cpp") thrown.merge(matches(read(entry.path()), std::regex(R"(\b(1[2-6][0-9]{2}|35[0-9]{2}),)")));
  }
  const std::set<std::string> listed = matches(read(fs::path(SOURCE_ROOT) / "docs/errors.md"), std::regex(R"(\| TW(1[2-6][0-9]{2}|35[0-9]{2}) \|)"));
  EXPECT_GT(listed.size(), 40u);
  EXPECT_EQ(thrown, listed);
}

}  // namespace

// What the tests of every verb share: the binary, the library of test operators, a folder for files.
#pragma once

#include "runtime/tensor.h"
#include "tests/cli/process.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

namespace tilewright::testing {

class CommandLine : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("tilewright_cli_" + std::to_string(::getpid()) + "_" + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static Finished tilewright(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {}, const std::string& input = "") {
    return run_process(TILEWRIGHT_BINARY, arguments, environment, input);
  }

  // A verb on a test operator: `run test_scale --load LIB ...`.
  static Finished on(const std::string& verb, const std::string& op, std::vector<std::string> arguments = {}, const std::vector<std::string>& environment = {},
                     const std::string& input = "") {
    arguments.insert(arguments.begin(), {verb, op, "--load", TEST_OPERATORS});
    return tilewright(arguments, environment, input);
  }

  // The command says what is wrong on stderr, nothing on stdout, and returns `code`.
  static void expect_refused(const Finished& done, int code, const std::vector<std::string>& words) {
    EXPECT_EQ(done.signal, 0);
    EXPECT_EQ(done.exit_code, code) << done.err;
    EXPECT_EQ(done.out, "");
    for (const std::string& word : words) EXPECT_NE(done.err.find(word), std::string::npos) << "'" << word << "' is not in: " << done.err;
  }

  // stdout is one JSON value and nothing else.
  static nlohmann::json json_of(const Finished& done) {
    const nlohmann::json value = nlohmann::json::parse(done.out, nullptr, false);
    EXPECT_FALSE(value.is_discarded()) << done.out << done.err;
    return value;
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::string text_of(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name), std::ios::binary) << text; }

  std::filesystem::path folder_;
};

}  // namespace tilewright::testing

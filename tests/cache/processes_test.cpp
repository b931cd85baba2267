// Many processes on one store: killed at random times, and with faults in every system call.
#include "tests/cache/folder.h"
#include "tests/fuzz/rng.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace tilewright::testing {
namespace {

class Processes : public ::testing::Test {
 protected:
  pid_t start(int keys, int rounds, std::uint64_t seed, int percent) {
    const std::string words[] = {TILEWRIGHT_CACHE_WORKER, folder_.cache(), log(), std::to_string(keys), std::to_string(rounds), std::to_string(seed), std::to_string(percent)};
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, (folder_.path() + "/stderr").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    pid_t child = 0;
    EXPECT_EQ(posix_spawn(&child, words[0].c_str(), &actions, nullptr, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return child;
  }

  std::string log() const { return folder_.path() + "/log"; }

  std::vector<std::string> compiled() const {
    std::ifstream stream(log());
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  std::string said() const {
    std::ifstream stream(folder_.path() + "/stderr");
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  Folder folder_;
};

TEST_F(Processes, CompileEachKeyOnce) {
  constexpr int kProcesses = 32, kKeys = 8, kRounds = 50;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) children.push_back(start(kKeys, kRounds, static_cast<std::uint64_t>(i), 0));
  for (pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << said();
  }
  const std::vector<std::string> lines = compiled();
  EXPECT_EQ(lines.size(), std::size_t{kKeys * kRounds});
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), std::size_t{kKeys * kRounds});
  for (const auto& file : std::filesystem::directory_iterator(folder_.kernels())) EXPECT_EQ(file.path().extension(), ".entry");
}

TEST_F(Processes, SurviveBeingKilled) {
  constexpr int kProcesses = 32, kKeys = 8, kRounds = 200, kKills = 150;
  fuzz::Rng rng(std::random_device{}());
  std::map<pid_t, std::uint64_t> running;
  for (std::uint64_t i = 0; i < kProcesses; ++i) running[start(kKeys, kRounds, i, 0)] = i;
  int kills = 0, finished = 0;
  while (!running.empty()) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended > 0) {
      const std::uint64_t seed = running.at(ended);
      running.erase(ended);
      if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        running[start(kKeys, kRounds, seed + 1000, 0)] = seed + 1000;
      } else {
        EXPECT_EQ(status, 0) << said();
        ++finished;
      }
      continue;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(rng.between(500, 8000)));
    if (kills < kKills) {
      auto victim = running.begin();
      std::advance(victim, rng.below(static_cast<std::int64_t>(running.size())));
      kill(victim->first, SIGKILL);
      ++kills;
    }
  }
  EXPECT_EQ(finished, kProcesses);
  EXPECT_EQ(kills, kKills);
  const std::vector<std::string> lines = compiled();
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), std::size_t{kKeys * kRounds});
  // Killed between compiling and publishing, a process leaves work for another, and no more.
  EXPECT_LE(lines.size(), std::size_t{kKeys * kRounds + kKills});
}

TEST_F(Processes, SurviveFaultsInEveryCall) {
  constexpr int kProcesses = 16, kKeys = 8, kRounds = 60;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) children.push_back(start(kKeys, kRounds, static_cast<std::uint64_t>(i) + 77, 1 + i % 8));
  for (pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << said();
  }
}

}  // namespace
}  // namespace tilewright::testing

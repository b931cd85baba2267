// Other programs: run to their end, for the tools of a toolkit that are no libraries, or asked one line after the other.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tilewright {

struct ProcessResult {
  int exit_code = 0;   // 128 + the signal's number for a process that one ended
  std::string output;  // stdout and stderr together
};

// Runs `command` (its first word a path) without standard input, and waits for it. Throws Error TW3310 when it cannot be started.
ProcessResult run_process(const std::vector<std::string>& command);

// A program that answers lines with lines. For one thread at a time.
class Conversation {
 public:
  // Throws Error TW3310 when `command` cannot be started.
  explicit Conversation(const std::vector<std::string>& command);
  ~Conversation();  // ends its input and waits for it to exit
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // What is said to a program that has ended is lost; the next line read is none.
  void say(const std::string& line);

  // The next line of its output, stdout and stderr together; none when it has closed both.
  std::optional<std::string> next_line();

 private:
  int channel_ = -1;
  int process_ = 0;
  std::string unread_;
};

}  // namespace tilewright

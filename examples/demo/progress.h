// A line on stderr that says what is going on and for how long. On a terminal it is rewritten as time passes; in a log every step is one line.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace tilewright::demo {

// The line of one step; it ends with the object.
class Progress {
 public:
  Progress(int step, int steps, std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // What is being done now, within the step.
  void now(std::string what);

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  void draw();

  const std::string prefix_;
  const int step_, steps_;
  const bool terminal_;
  const Clock::time_point start_ = Clock::now();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::string what_;
  bool done_ = false;
  std::thread clock_;
};

}  // namespace tilewright::demo

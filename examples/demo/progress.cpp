#include "examples/demo/progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace tilewright::demo {

Progress::Progress(int step, int steps, std::string what) : prefix_(std::move(what)), step_(step), steps_(steps), terminal_(isatty(STDERR_FILENO) != 0) {
  if (terminal_) clock_ = std::thread([this] { run(); });
}

Progress::~Progress() {
  if (terminal_) {
    {
      std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_one();
    clock_.join();
    std::fputs("\r\033[K", stderr);
    return;
  }
  std::fprintf(stderr, "[%d/%d] %s: done after %.1f s\n", step_, steps_, prefix_.c_str(), std::chrono::duration<double>(Clock::now() - start_).count());
}

void Progress::now(std::string what) {
  std::lock_guard lock(mutex_);
  what_ = std::move(what);
  if (terminal_) {
    draw();
  } else {
    std::fprintf(stderr, "[%d/%d] %s: %s\n", step_, steps_, prefix_.c_str(), what_.c_str());
  }
}

void Progress::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::milliseconds(100), [this] { return done_; })) draw();
}

void Progress::draw() {
  constexpr int kWidth = 24;
  const int filled = kWidth * (step_ - 1) / steps_;
  const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
  std::fprintf(stderr, "\r\033[K[%s] %d/%d %s: %s %.1f s", bar.c_str(), step_, steps_, prefix_.c_str(), what_.c_str(),
               std::chrono::duration<double>(Clock::now() - start_).count());
}

}  // namespace tilewright::demo

#include "tests/gpu/races.h"

namespace tilewright::simt {

void RaceDetector::begin_block() {
  runs_.clear();
  epoch_ = 1;
}

RaceDetector::Access& RaceDetector::of(const std::byte* at) {
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  std::vector<Access>& run = runs_[address / kRun];
  if (run.empty()) run.resize(kRun);
  return run[address % kRun];
}

const char* RaceDetector::load(int thread, const std::byte* at, std::size_t bytes) {
  const char* wrong = nullptr;
  for (std::size_t i = 0; i < bytes; ++i) {
    Access& access = of(at + i);
    if (access.writer_epoch == epoch_ && access.writer != thread) wrong = "is read where another thread writes without a barrier between";
    access.reader = access.reader_epoch == epoch_ && access.reader != thread ? kSeveral : thread;
    access.reader_epoch = epoch_;
  }
  return wrong;
}

void RaceDetector::before_store(const std::byte* at, std::size_t bytes) { before_.assign(at, at + bytes); }

const char* RaceDetector::after_store(int thread, const std::byte* at, std::size_t bytes) {
  const char* wrong = nullptr;
  for (std::size_t i = 0; i < bytes; ++i) {
    Access& access = of(at + i);
    if (access.reader_epoch == epoch_ && access.reader != thread) wrong = "is written where another thread reads without a barrier between";
    if (access.writer_epoch == epoch_ && access.writer != thread && at[i] != before_[i]) wrong = "is written by two threads without a barrier between";
    access.writer = thread;
    access.writer_epoch = epoch_;
  }
  return wrong;
}

}  // namespace tilewright::simt

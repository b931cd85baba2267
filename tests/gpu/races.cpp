#include "tests/gpu/races.h"

#include <algorithm>

namespace tilewright::simt {

void RaceDetector::begin_block() {
  runs_.clear();
  epoch_ = 1;
  std::fill(warp_epochs_.begin(), warp_epochs_.end(), 1);
  std::fill(released_.begin(), released_.end(), 0);
  std::fill(acquired_.begin(), acquired_.end(), 0);
  store_epoch_ = 0;
}

RaceDetector::Access& RaceDetector::of(const std::byte* at) {
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  std::vector<Access>& run = runs_[address / kRun];
  if (run.empty()) run.resize(kRun);
  return run[address % kRun];
}

// Whether what `other`, or some threads of its warp, did at that time and what `thread` does now have no order.
bool RaceDetector::is_unordered(std::uint32_t epoch, std::uint32_t warp_epoch, int other, int other_warp, int thread) const {
  if (epoch != epoch_ || other == thread) return false;
  const int warp = thread / lanes_;
  return other_warp != warp || warp_epoch == warp_epochs_[static_cast<std::size_t>(warp)];
}

const char* RaceDetector::load(int thread, const std::byte* at, std::size_t bytes) {
  const int warp = thread / lanes_;
  const char* wrong = nullptr;
  for (std::size_t i = 0; i < bytes; ++i) {
    Access& access = of(at + i);
    if (is_unordered(access.writer_epoch, access.writer_warp_epoch, access.writer, access.writer / lanes_, thread)) wrong = "is read where another thread writes without a barrier between";
    const bool is_first = access.reader_epoch != epoch_;
    access.reader = is_first || access.reader == thread ? thread : kSeveral;
    access.reader_warp = is_first || access.reader_warp == warp ? warp : kSeveral;
    if (access.atomic_epoch == epoch_ && access.atomic != thread) wrong = "is read where another thread acts atomically without a barrier between";
    access.reader_epoch = epoch_;
    access.reader_warp_epoch = warp_epochs_[static_cast<std::size_t>(warp)];
  }
  return wrong;
}

void RaceDetector::before_store(const std::byte* at, std::size_t bytes) { before_.assign(at, at + bytes); }

const char* RaceDetector::after_store(int thread, const std::byte* at, std::size_t bytes) {
  const char* wrong = nullptr;
  for (std::size_t i = 0; i < bytes; ++i) {
    Access& access = of(at + i);
    if (is_unordered(access.reader_epoch, access.reader_warp_epoch, access.reader, access.reader_warp, thread)) wrong = "is written where another thread reads without a barrier between";
    const bool meets_writer = is_unordered(access.writer_epoch, access.writer_warp_epoch, access.writer, access.writer / lanes_, thread);
    if (meets_writer && at[i] != before_[i]) wrong = "is written by two threads without a barrier between";
    if (access.atomic_epoch == epoch_ && access.atomic != thread) wrong = "is written where another thread acts atomically without a barrier between";
    access.writer = thread;
    access.writer_epoch = epoch_;
    access.writer_warp_epoch = warp_epochs_[static_cast<std::size_t>(thread / lanes_)];
  }
  return wrong;
}

const char* RaceDetector::atomic(int thread, const std::byte* at, std::size_t bytes) {
  const char* wrong = nullptr;
  for (std::size_t i = 0; i < bytes; ++i) {
    Access& access = of(at + i);
    const bool read = is_unordered(access.reader_epoch, access.reader_warp_epoch, access.reader, access.reader_warp, thread);
    const bool written = is_unordered(access.writer_epoch, access.writer_warp_epoch, access.writer, access.writer / lanes_, thread);
    if (read || written) wrong = "is accessed atomically where another thread reads or writes without a barrier between";
    access.atomic = access.atomic_epoch == epoch_ && access.atomic != thread ? kSeveral : thread;
    access.atomic_epoch = epoch_;
  }
  return wrong;
}

void RaceDetector::global_store(int thread) {
  if (released_[static_cast<std::size_t>(thread)] == epoch_) return;
  storer_ = store_epoch_ != epoch_ || storer_ == thread ? thread : kSeveral;
  store_epoch_ = epoch_;
}

const char* RaceDetector::global_load(int thread) const {
  return acquired_[static_cast<std::size_t>(thread)] == epoch_ ? "is read behind a fence that acquires, without a barrier that the thread which acted has come to" : nullptr;
}

const char* RaceDetector::fence(int thread, bool releases, bool acquires) {
  const bool meets_store = releases && store_epoch_ == epoch_ && storer_ != thread;
  if (releases) released_[static_cast<std::size_t>(thread)] = epoch_;
  if (acquires) acquired_[static_cast<std::size_t>(thread)] = epoch_;
  return meets_store ? "is released where another thread writes without a barrier between" : nullptr;
}

}  // namespace tilewright::simt

// Many kernels at once: all of them, on several threads, with progress, and with failures that do not stop the rest.
#include "runtime/precompile.h"
#include "tests/runtime/errors.h"
#include "tests/runtime/test_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <thread>

namespace tilewright::testing {
namespace {

TensorView view_of(DType dtype, std::int64_t size) { return TensorView::contiguous(nullptr, dtype, {&size, 1}); }

// A launch of axpb with this constant; every constant is a kernel of its own.
LaunchRequest request(std::int64_t b) { return {&axpb_kernel(), {view_of(DType::F32, 64), view_of(DType::F32, 64), 1.0}, {{"b", b}}}; }

std::vector<LaunchRequest> requests(std::int64_t count) {
  std::vector<LaunchRequest> list;
  for (std::int64_t b = 0; b < count; ++b) list.push_back(request(b));
  return list;
}

class Precompile : public ::testing::Test {
 protected:
  std::shared_ptr<NativeCompiler> compiler_ = std::make_shared<NativeCompiler>();
  std::unique_ptr<Session> session_ = make_session("cpu", compiler_);
  std::vector<CompileProgress> seen_;

  PrecompileOptions watched(int threads = 0) {
    return {threads, [this](const CompileProgress& progress) { seen_.push_back(progress); }};
  }
};

TEST_F(Precompile, LaunchesFindWhatWasMade) {
  std::vector<LaunchRequest> list = requests(10);
  list.push_back(request(3));  // once more
  precompile(*session_, list, watched());
  EXPECT_EQ(compiler_->compiles, 10);
  EXPECT_EQ(session_->stats().launches, 0);
  ASSERT_EQ(seen_.size(), 11u);
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    EXPECT_EQ(seen_[i].kernel, "axpb");
    EXPECT_EQ(seen_[i].done, i + 1);
    EXPECT_EQ(seen_[i].total, 11u);
    EXPECT_GE(seen_[i].ms, 0);
    EXPECT_EQ(seen_[i].problem, "");
  }
  HostTensor x(DType::F32, {64});
  for (std::int64_t i = 0; i < 64; ++i) x.set(i, static_cast<double>(i));
  const DeviceTensor there = session_->upload(x);
  for (std::int64_t b = 0; b < 10; ++b) {
    const Argument arguments[] = {there.view(), there.view(), 1.0};
    session_->launch(axpb_kernel(), arguments, {{"b", b}});
  }
  EXPECT_EQ(compiler_->compiles, 10);
}

TEST_F(Precompile, NothingIsNothing) {
  precompile(*session_, {}, watched());
  EXPECT_TRUE(seen_.empty());
}

TEST_F(Precompile, SeveralAtOnceButNoMoreThanAsked) {
  std::atomic<int> now{0}, most{0}, wanted{1};
  compiler_->during_compile = [&] {
    int seen = most;
    const int mine = ++now;
    while (mine > seen && !most.compare_exchange_weak(seen, mine)) {
    }
    // The first waits for company, however late the machine sends it.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (most < wanted && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    --now;
  };
  precompile(*session_, requests(8), watched(1));
  EXPECT_EQ(most, 1);
  if (std::thread::hardware_concurrency() < 2) return;
  wanted = 2;
  auto session = make_session("cpu", compiler_);
  precompile(*session, requests(8), watched(2));
  EXPECT_EQ(most, 2);
}

TEST_F(Precompile, AFailureStopsNoOtherKernel) {
  std::vector<LaunchRequest> list = requests(6);
  list[2].arguments.pop_back();
  list[4].settings = {{"nothing", 1}};
  expect_error(3201, {"'axpb'", "takes 3 arguments"},
               [&] { precompile(*session_, list, watched()); });  // the first in the list, whichever came first in time
  EXPECT_EQ(compiler_->compiles, 4);
  EXPECT_EQ(seen_.size(), 6u);
  EXPECT_EQ(std::count_if(seen_.begin(), seen_.end(), [](const CompileProgress& progress) { return !progress.problem.empty(); }), 2);
}

TEST_F(Precompile, WhatTheCallbackThrowsReachesTheCaller) {
  const PrecompileOptions options{0, [](const CompileProgress&) { throw std::runtime_error("enough"); }};
  EXPECT_THROW(precompile(*session_, requests(3), options), std::runtime_error);
  EXPECT_EQ(compiler_->compiles, 3);
}

TEST_F(Precompile, WithoutWaiting) {
  std::atomic<bool> open{false};
  compiler_->during_compile = [&] {
    while (!open) std::this_thread::yield();
  };
  std::future<void> done = precompile_async(*session_, requests(4), watched());
  EXPECT_EQ(done.wait_for(std::chrono::milliseconds(5)), std::future_status::timeout);
  open = true;
  done.get();
  EXPECT_EQ(compiler_->compiles, 4);
  EXPECT_EQ(seen_.size(), 4u);

  compiler_->fail = true;
  std::vector<LaunchRequest> more = {request(100)};
  EXPECT_EQ(error_code([&] { precompile_async(*session_, more).get(); }), 2001);
}

TEST_F(Precompile, ProgramsWithoutASession) {
  std::vector<std::shared_ptr<const program::Program>> programs;
  for (std::int64_t b = 0; b < 5; ++b) {
    const program::CallFacts facts{{{DType::F32, {-1}, true}, {DType::F32, {-1}, true}, {DType::F32, {}, false}},
                                   std::vector<program::ArgumentFacts>(3),
                                   {{"b", b}, {"block", 64}}};
    programs.push_back(std::make_shared<const program::Program>(axpb_kernel().trace(facts)));
  }
  const std::vector<Artifact> artifacts = compile_all(*compiler_, programs, {}, watched());
  ASSERT_EQ(artifacts.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(artifacts[i].program, programs[i]);
  EXPECT_EQ(seen_.size(), 5u);
  compiler_->fail = true;
  EXPECT_EQ(error_code([&] { compile_all(*compiler_, programs, {}); }), 2001);
}

// Where memory matters it is still looked at.
TEST_F(Precompile, LaunchesNeedMemory) {
  const LaunchRequest without = request(0);
  EXPECT_EQ(error_code([&] { session_->prepare(*without.kernel, without.arguments, without.settings); }), 3204);
  session_->compile(*without.kernel, without.arguments, without.settings);
}

}  // namespace
}  // namespace tilewright::testing

// Sessions: the way from a call to numbers, call keys, the cache, and refusals before launch.
#include "runtime/session.h"

#include "dsl/program/roles.h"
#include "runtime/call_key.h"
#include "runtime/drivers/null/null_driver.h"
#include "runtime/kernel_cache.h"
#include "tests/dsl/kernels/schedules.h"
#include "tests/runtime/errors.h"
#include "tests/runtime/test_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <thread>

namespace tilewright::testing {
namespace {

HostTensor vector_of(DType dtype, const std::vector<double>& values) {
  HostTensor tensor(dtype, {static_cast<std::int64_t>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i) tensor.set(static_cast<std::int64_t>(i), values[i]);
  return tensor;
}

std::vector<double> ramp(std::size_t count) {
  std::vector<double> values(count);
  std::iota(values.begin(), values.end(), 0.0);
  return values;
}

class SessionOn : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Session> open() {
    SessionOptions options;
    options.poison = GetParam() != "null";  // whose memory is zeros
    options.interpreter = reference_interpreter();
    return make_session(GetParam(), compiler_, options);
  }

  DeviceTensor run_axpb(Session& session, const HostTensor& x, double a) {
    const DeviceTensor in = session.upload(x), out = session.allocate(x.dtype(), x.shape());
    const Argument arguments[] = {in.view(), out.view(), a};
    session.launch(axpb_kernel(), arguments, {{"b", 1}});
    return out;
  }

  std::shared_ptr<NativeCompiler> compiler_ = std::make_shared<NativeCompiler>();
};

TEST_P(SessionOn, RunsAKernel) {
  const auto session = open();
  EXPECT_EQ(session->device(), GetParam());
  const HostTensor y = session->download(run_axpb(*session, vector_of(DType::F32, ramp(1000)), 2.0));
  for (std::int64_t i = 0; i < 1000; ++i) ASSERT_EQ(y.at(i), GetParam() == "null" ? 0 : 2 * i + 1) << i;
  EXPECT_EQ(session->stats().launches, 1);
  EXPECT_EQ(session->stats().compiles, 1);
  EXPECT_GT(session->stats().compile_ms, 0);
}

TEST_P(SessionOn, CompilesOncePerKey) {
  const auto session = open();
  const int before = axpb_kernel().traces;
  for (int i = 0; i < 3; ++i) run_axpb(*session, vector_of(DType::F32, ramp(64 + 64 * static_cast<std::size_t>(i))), i);
  EXPECT_EQ(session->stats().compiles, 1);
  EXPECT_EQ(session->stats().launches, 3);
  EXPECT_EQ(axpb_kernel().traces - before, 1);
  session->stats() = {};
  run_axpb(*session, vector_of(DType::F32, ramp(64)), 1);
  EXPECT_EQ(session->stats().compiles, 0);
}

TEST_P(SessionOn, EmptyTensorsLaunchNothing) {
  const auto session = open();
  const HostTensor y = session->download(run_axpb(*session, HostTensor(DType::F32, {0}), 1));
  EXPECT_EQ(y.elements(), 0);
}

TEST_P(SessionOn, PoisonsNewMemory) {
  if (GetParam() == "null") GTEST_SKIP() << "its memory is zeros";
  const auto session = open();
  const std::int64_t shape[] = {3, 5};
  for (DType dtype : {DType::F64, DType::F32, DType::F16, DType::BF16}) {
    for (double x : session->download(session->allocate(dtype, shape)).to_doubles()) EXPECT_TRUE(std::isnan(x)) << name_of(dtype);
  }
  for (double x : session->download(session->allocate(DType::I32, shape)).to_doubles()) EXPECT_EQ(x, -1);
}

TEST_P(SessionOn, DownloadsAnyStrides) {
  const auto session = open();
  const DeviceTensor there = session->upload(vector_of(DType::I16, ramp(24)));
  TensorView view = there.view();
  view.data = static_cast<std::int16_t*>(view.data) + 3;
  view.rank = 3;
  view.sizes = {2, 3, 2};
  view.strides = {4, 8, -3};
  const HostTensor values = session->download(view);
  EXPECT_EQ(values.shape(), (std::vector<std::int64_t>{2, 3, 2}));
  std::vector<double> expected;
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int k = 0; k < 2; ++k) expected.push_back(3 + 4 * i + 8 * j - 3 * k);
    }
  }
  EXPECT_EQ(values.to_doubles(), expected);
  view.strides = {0, 0, 0};
  EXPECT_EQ(session->download(view).to_doubles(), std::vector<double>(12, 3));
  view.sizes = {2, 0, 2};
  EXPECT_EQ(session->download(view).elements(), 0);
}

TEST_P(SessionOn, TensorsOutliveTheSession) {
  auto session = open();
  DeviceTensor there = session->upload(vector_of(DType::F32, ramp(4)));
  session.reset();
  EXPECT_NE(there.view().data, nullptr);
  there = {};
}

TEST_P(SessionOn, RefusesBadArgumentsBeforeAnythingRuns) {
  const auto session = open();
  const DeviceTensor x = session->upload(vector_of(DType::F32, ramp(64)));
  TensorView overlapping = x.view();
  overlapping.strides[0] = 0;
  const Argument arguments[] = {x.view(), overlapping, 1.0};
  expect_error(3206, {"'axpb'", "'y'"}, [&] { session->launch(axpb_kernel(), arguments, {{"b", 1}}); });
  const Argument good[] = {x.view(), x.view(), 1.0};
  EXPECT_EQ(error_code([&] { session->launch(axpb_kernel(), good, {}); }), 3209);
  EXPECT_EQ(error_code([&] { session->launch(axpb_kernel(), good, {{"b", 1}, {"c", 1}}); }), 3208);
  EXPECT_EQ(session->stats().compiles, 0);
  EXPECT_EQ(session->stats().launches, 0);
}

TEST_P(SessionOn, ErrorsOfTheTraceReachTheCallerAndAreNotKept) {
  const auto session = open();
  const std::int64_t shape[] = {4, 4};
  const DeviceTensor x = session->allocate(DType::F32, shape);
  const Argument arguments[] = {x.view(), x.view(), 1.0};
  const int before = axpb_kernel().traces;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(error_code([&] { session->launch(axpb_kernel(), arguments, {{"b", 1}}); }), 1301);
  EXPECT_EQ(axpb_kernel().traces - before, 2);
}

TEST_P(SessionOn, NegativeGridsAreErrors) {
  const auto session = open();
  const DeviceTensor out = session->upload(vector_of(DType::I64, {0}));
  const Argument arguments[] = {out.view(), std::int64_t{-2}, std::int64_t{1}, std::int64_t{1}};
  expect_error(3305, {"'count'", "[-2, 1, 1]"}, [&] { session->launch(count_kernel(), arguments); });
}

TEST_P(SessionOn, FailedAssertionsReachTheCaller) {
  if (GetParam() == "null") GTEST_SKIP() << "runs no kernels";
  const auto session = open();
  const DeviceTensor x = session->upload(vector_of(DType::I64, ramp(100)));
  const Argument bad[] = {x.view(), std::int64_t{50}}, good[] = {x.view(), std::int64_t{100}};
  for (int i = 0; i < 3; ++i) {
    expect_error(3401, {"x is below the limit", "bound.cpp:7:3"}, [&] { session->launch(bound_kernel(), bad); });
    session->launch(bound_kernel(), good);
  }
}

TEST_P(SessionOn, ManyThreadsCompileOnceAndAgree) {
  const auto session = open();
  std::atomic<int> in_compile{0};
  compiler_->during_compile = [&] {
    EXPECT_EQ(in_compile++, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    --in_compile;
  };
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        const HostTensor y = session->download(run_axpb(*session, vector_of(DType::F32, ramp(200)), t));
        good += y.at(199) == (GetParam() == "null" ? 0 : t * 199 + 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 40);
  EXPECT_EQ(session->stats().compiles, 1);
  EXPECT_EQ(session->stats().launches, 40);
}

INSTANTIATE_TEST_SUITE_P(Devices, SessionOn, ::testing::Values("cpu", "reference", "null"), [](const auto& info) { return info.param; });

TEST(Session, UnknownDevicesNameWhatThereIs) {
  SessionOptions options;
  options.interpreter = reference_interpreter();
  const auto compiler = std::make_shared<NativeCompiler>();
  expect_error(3301, {"'abacus:0'", "cpu, reference, null"}, [&] { make_session("abacus:0", compiler, options); });
  expect_error(3301, {"''"}, [&] { make_session("", compiler, options); });
  expect_error(3301, {"'reference'"}, [&] { make_session("reference", compiler, {}); });
  EXPECT_EQ(make_session("cpu", nullptr, options)->device(), "cpu");
  EXPECT_EQ(make_session("reference", nullptr, options)->device(), "reference");
}

TEST(Session, CompilerErrorsReachTheCallerAndAreNotKept) {
  const auto compiler = std::make_shared<NativeCompiler>();
  const auto session = make_session("cpu", compiler);
  const DeviceTensor x = session->upload(vector_of(DType::F32, ramp(8)));
  const Argument arguments[] = {x.view(), x.view(), 1.0};
  compiler->fail = true;
  EXPECT_EQ(error_code([&] { session->launch(axpb_kernel(), arguments, {{"b", 1}}); }), 2001);
  compiler->fail = false;
  session->launch(axpb_kernel(), arguments, {{"b", 1}});
  EXPECT_EQ(compiler->compiles, 2);
}

TEST(Session, MemoryOfAnotherDeviceIsRefused) {
  const auto device = open_null_device();
  const auto session = make_session(device, nullptr);
  const DeviceTensor there = session->upload(vector_of(DType::F32, ramp(8)));
  HostTensor here = vector_of(DType::F32, ramp(8));
  const Argument arguments[] = {there.view(), here.view(), 1.0};
  expect_error(3207, {"'axpb'", "'y'", "'null'"}, [&] { session->launch(axpb_kernel(), arguments, {{"b", 1}}); });
  EXPECT_EQ(error_code([&] { session->download(here.view()); }), 3207);
  EXPECT_TRUE(device->launches().empty());
}

TEST(Session, TheNullDeviceRecordsWhatAnOperatorLaunches) {
  const auto device = open_null_device();
  const auto session = make_session(device, nullptr);
  const DeviceTensor x = session->upload(vector_of(DType::F32, ramp(200)));
  const Argument arguments[] = {x.view(), x.view(), 1.0};
  session->launch(axpb_kernel(), arguments, {{"b", 1}});
  session->launch(axpb_kernel(), arguments, {{"b", 1}, {"block", 128}});
  session->launch(axpb_kernel(), arguments, {{"b", 1}});
  ASSERT_EQ(device->launches().size(), 3u);
  EXPECT_EQ(device->launches()[0].grid, (GridSize{4, 1, 1}));
  EXPECT_EQ(device->launches()[1].grid, (GridSize{2, 1, 1}));
  EXPECT_EQ(device->programs().size(), 2u);
}

// The levels of a device are facts of every call: without them the kernel's body is traced, and so where a tensor is not as the schedule needs it.
TEST(Session, TracesSchedulesForTheLevelsOfItsDevice) {
  const auto& kernel = kernel_of<test_kernels::ScheduledProduct>();
  const auto traced = [&](const std::vector<std::string>& levels, std::int64_t columns, const KernelSettings& settings) {
    const auto device = open_null_device(levels);
    const auto session = make_session(device, nullptr);
    const DeviceTensor a = session->allocate(DType::BF16, std::vector<std::int64_t>{64, 64}), b = session->allocate(DType::BF16, std::vector<std::int64_t>{64, columns});
    const DeviceTensor c = session->allocate(DType::BF16, std::vector<std::int64_t>{64, columns});
    const Argument arguments[] = {a.view(), b.view(), c.view()};
    session->launch(kernel, arguments, settings);
    EXPECT_EQ(device->launches().at(0).grid, (GridSize{1, columns / 64 + 1, 1}));
    return has_roles(*device->programs().at(0));
  };
  EXPECT_TRUE(traced({"nvidia::sm90"}, 104, {}));
  EXPECT_FALSE(traced({}, 104, {}));
  EXPECT_FALSE(traced({"nvidia::sm90"}, 104, {{"schedule", 0}}));
  EXPECT_FALSE(traced({"nvidia::sm90"}, 101, {})) << "rows of 202 bytes";
}

// ---- call keys

class CallKeys : public ::testing::Test {
 protected:
  CallKey key(const program::TraceableKernel& kernel, const KernelSettings& settings, DType dtype = DType::F32, std::size_t rank = 1, bool is_view = true,
              program::ArgumentFacts facts = {}) {
    const program::Type types[] = {{dtype, program::Shape(rank, -1), is_view}};
    const program::ArgumentFacts all_facts[] = {facts};
    return specialisations_.key(kernel, settings, types, all_facts);
  }
  Specialisations specialisations_;
};

TEST_F(CallKeys, EqualCallsHaveEqualKeys) {
  EXPECT_EQ(key(axpb_kernel(), {{"b", 1}}), key(axpb_kernel(), {{"b", 1}}));
  EXPECT_EQ(CallKeyHash()(key(axpb_kernel(), {{"b", 1}})), CallKeyHash()(key(axpb_kernel(), {{"b", 1}})));
}

TEST_F(CallKeys, EverythingThatMattersTellsThemApart) {
  std::vector<CallKey> keys;
  keys.push_back(key(axpb_kernel(), {{"b", 1}}));
  keys.push_back(key(axpb_kernel(), {{"b", 2}}));
  keys.push_back(key(axpb_kernel(), {{"c", 1}}));
  keys.push_back(key(copy_kernel(), {{"b", 1}}));
  for (int i = 0; i < kNumDTypes; ++i) {
    if (static_cast<DType>(i) != DType::F32) keys.push_back(key(axpb_kernel(), {{"b", 1}}, static_cast<DType>(i)));
  }
  for (std::size_t rank : {0, 2, 3, 4, 5, 6, 7, 8}) keys.push_back(key(axpb_kernel(), {{"b", 1}}, DType::F32, rank));
  keys.push_back(key(axpb_kernel(), {{"b", 1}}, DType::F32, 0, false));
  for (int bits = 1; bits < 8; ++bits) keys.push_back(key(axpb_kernel(), {{"b", 1}}, DType::F32, 1, true, {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0}));
  keys.push_back(specialisations_.key(axpb_kernel(), {{"b", 1}}, {}, {}));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(keys[i] == keys[j]) << i << " and " << j;
  }
}

TEST_F(CallKeys, ArgumentsBeyondTheInlineOnesCount) {
  std::vector<program::Type> types(40, {DType::F32, {-1}, true});
  std::vector<program::ArgumentFacts> facts(40);
  const CallKey a = specialisations_.key(axpb_kernel(), {}, types, facts);
  EXPECT_EQ(a, specialisations_.key(axpb_kernel(), {}, types, facts));
  facts[39].aligned16 = true;
  EXPECT_FALSE(a == specialisations_.key(axpb_kernel(), {}, types, facts));
  facts[39].aligned16 = false;
  facts[27].aligned16 = true;
  EXPECT_FALSE(a == specialisations_.key(axpb_kernel(), {}, types, facts));
}

// ---- the cache

TEST(KernelCache, MakesOnceWhileManyWait) {
  KernelCache cache;
  std::atomic<int> made{0};
  std::vector<std::thread> threads;
  std::vector<const LoadedKernel*> got(8);
  const program::Program program = count_kernel().trace(
      {{{DType::I64, {-1}, true}, {DType::I64, {}, false}, {DType::I64, {}, false}, {DType::I64, {}, false}}, std::vector<program::ArgumentFacts>(4), {}});
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      got[t] = cache.get({}, [&] {
        ++made;
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        return std::make_shared<const LoadedKernel>(LoadedKernel{nullptr, nullptr, GridExpression(program)});
      }).get();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  for (const LoadedKernel* kernel : got) EXPECT_EQ(kernel, got[0]);
}

TEST(KernelCache, AFailureReachesAllWaitersAndTheNextTriesAgain) {
  KernelCache cache;
  std::atomic<int> made{0}, failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&] {
      failed += error_code([&] {
        cache.get({}, [&]() -> std::shared_ptr<const LoadedKernel> {
          ++made;
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          throw Error(2001, "no");
        });
      }) == 2001;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 6);
  const int attempts = made;
  EXPECT_EQ(error_code([&] { cache.get({}, [&]() -> std::shared_ptr<const LoadedKernel> { ++made; throw Error(2002, "again"); }); }), 2002);
  EXPECT_EQ(made, attempts + 1);
}

}  // namespace
}  // namespace tilewright::testing

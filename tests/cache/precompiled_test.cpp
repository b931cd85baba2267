// Sessions without a compiler: kernels come from bundles, whoever compiled them, if this processor runs them.
#include "compiler/compiler.h"
#include "runtime/cache/artifact_cache.h"
#include "runtime/cache/encoding.h"
#include "runtime/session.h"
#include "tests/cache/folder.h"
#include "tests/runtime/errors.h"
#include "tests/runtime/test_kernels.h"

#include <gtest/gtest.h>

#include <fstream>

namespace tilewright::testing {
namespace {

using cache::ArtifactCache;
using cache::CacheSettings;

std::shared_ptr<const program::Program> trace(std::int64_t b) {
  const program::ArgumentFacts tensor{true, true, true};
  const program::CallFacts call{
      {{DType::F32, {-1}, true}, {DType::F32, {-1}, true}, {DType::F32, {}, false}}, {tensor, tensor, {}}, {{"b", b}, {"block", 64}}};
  return std::make_shared<const program::Program>(axpb_kernel().trace(call));
}

class Precompiled : public ::testing::Test {
 protected:
  // The entry of axpb for a target; `edit` may change what its compiler said before the key is made.
  cache::Entry entry(const std::string& target, const std::function<void(cache::CodeOrigin&)>& edit = {}, std::int64_t b = 1) {
    const auto program = trace(b);
    cache::CodeOrigin origin = cache::origin_of(*compiler_, target);
    if (edit) edit(origin);
    CompileOptions options;
    options.target = target;
    Artifact artifact = compiler_->compile(program, options);
    artifact.remarks = {"made for " + target};
    return {cache::content_key(*program, origin), std::move(artifact), cache::positions_of(*program)};
  }

  std::string bundle(const std::vector<cache::Entry>& entries, const std::string& name = "bundle") {
    std::map<cache::Hash128, std::string> bytes;
    for (const cache::Entry& entry : entries) bytes[entry.key.hash] = cache::encode_entry(entry);
    const std::string path = folder_.path() + "/" + name;
    std::ofstream(path, std::ios::binary) << cache::encode_bundle(bytes);
    return path;
  }

  std::unique_ptr<Session> open(const std::vector<std::string>& bundles) {
    SessionOptions options;
    options.cache = cache_ = std::make_shared<ArtifactCache>(CacheSettings{"", 0, cache::JitPolicy::Allow, bundles});
    return make_session("cpu", nullptr, options);
  }

  static void run(Session& session, std::int64_t b = 1) {
    HostTensor x(DType::F32, {200});
    for (std::int64_t i = 0; i < 200; ++i) x.set(i, static_cast<double>(i));
    const DeviceTensor in = session.upload(x), out = session.allocate(DType::F32, x.shape());
    const Argument arguments[] = {in.view(), out.view(), 3.0};
    session.launch(axpb_kernel(), arguments, {{"b", b}});
    const HostTensor y = session.download(out);
    for (std::int64_t i = 0; i < 200; ++i) ASSERT_EQ(y.at(i), 3.0 * static_cast<double>(i) + static_cast<double>(b)) << i;
  }

  // For which target the code was made that a session would take.
  std::string chosen(const std::vector<std::string>& bundles) {
    ArtifactCache cache(CacheSettings{"", 0, cache::JitPolicy::Allow, bundles});
    const auto device = open_device("cpu");
    return cache
        .find_precompiled(*trace(1), [&](const std::string& target, const std::string& processor) { return device->suits(target, processor); })
        .remarks.at(0);
  }

  Folder folder_;
  std::shared_ptr<Compiler> compiler_ = make_compiler();
  std::shared_ptr<ArtifactCache> cache_;
};

TEST_F(Precompiled, RunsWithoutACompiler) {
  const auto session = open({bundle({entry("host"), entry("host", {}, 2)})});
  for (std::int64_t b : {1, 2, 1}) run(*session, b);
  EXPECT_EQ(session->stats().compiles, 0);
  EXPECT_EQ(session->stats().cache_hits, 2);
  EXPECT_EQ(cache_->counters().hits, 2u);
}

TEST_F(Precompiled, WhatNoBundleHasIsAnErrorThatSaysWhatToDo) {
  const auto session = open({bundle({entry("host")})});
  expect_error(3601, {"'axpb' is in no bundle", "no compiler", "--emit bundle"}, [&] { run(*session, 7); });
  run(*session);
  EXPECT_EQ(cache_->counters().misses, 1u);
  expect_error(3601, {"names no bundle"}, [&] { run(*open({})); });
}

TEST_F(Precompiled, AnotherBuildOfTheCompilerDoesNotMatter) {
  run(*open({bundle({entry("host", [](cache::CodeOrigin& origin) { origin.compiler = "LLVM 99 of another machine"; })})}));
}

TEST_F(Precompiled, TheBestCodeThatRunsHereIsTaken) {
  const std::string slow = bundle({entry("x86-64-v2")}, "slow");
  EXPECT_EQ(chosen({slow}), "made for x86-64-v2");
  EXPECT_EQ(chosen({bundle({entry("x86-64-v2"), entry("host")})}), "made for host");
  EXPECT_EQ(chosen({slow, bundle({entry("host")}, "fast")}), "made for host");
  EXPECT_EQ(chosen({bundle({entry("host")}, "fast"), slow}), "made for host");
  const auto of_the_future = [](cache::CodeOrigin& origin) { origin.processor += ",+teleport"; };
  EXPECT_EQ(chosen({bundle({entry("host", of_the_future), entry("x86-64-v2")})}), "made for x86-64-v2");
  EXPECT_EQ(error_code([&] { chosen({bundle({entry("host", of_the_future)})}); }), 3601);
}

TEST_F(Precompiled, DamagedAndForeignEntriesAreNoReasonToFail) {
  std::map<cache::Hash128, std::string> entries;
  const cache::Entry good = entry("x86-64-v2"), gpu = entry("sm_90a");
  entries[cache::hash128("a")] = "noise";
  std::string damaged = cache::encode_entry(entry("host"));
  damaged[damaged.size() / 2] ^= 1;
  entries[cache::hash128("b")] = damaged;
  entries[good.key.hash] = cache::encode_entry(good);
  entries[gpu.key.hash] = cache::encode_entry(gpu);
  const std::string path = folder_.path() + "/mixed";
  std::ofstream(path, std::ios::binary) << cache::encode_bundle(entries);
  run(*open({path}));
  EXPECT_EQ(cache_->counters().refused, 2u);
}

// The parts that the look-up does not hash are compared: a kernel whose assertions stand elsewhere in the source is another.
TEST_F(Precompiled, PositionsThatShowInMessagesMustAgree) {
  cache::Entry moved = entry("host");
  const auto program = trace(1);
  cache::CodeOrigin origin = cache::origin_of(*compiler_, "host");
  moved.key = cache::content_key(*program, origin);
  for (auto& [name, value] : moved.key.parts) {
    if (name == "positions") value = "elsewhere";
  }
  cache::Encoder out;
  out.u32(static_cast<std::uint32_t>(moved.key.parts.size()));
  for (const auto& [name, value] : moved.key.parts) {
    out.text(name);
    out.text(value);
  }
  moved.key.bytes = std::move(out).take();
  moved.key.hash = cache::hash128(moved.key.bytes);
  EXPECT_EQ(error_code([&] { chosen({bundle({moved})}); }), 3601);
}

TEST_F(Precompiled, RemarksOfAnotherPlaceInTheSourceAreLeftOut) {
  cache::Entry moved = entry("host");
  moved.positions = cache::hash128("elsewhere");
  EXPECT_THROW(chosen({bundle({moved})}), std::out_of_range);
}

// Code that holds every operation's position is found by all of them.
TEST_F(Precompiled, TargetsThatKeepPositions) {
  ArtifactCache cache(CacheSettings{"", 0, cache::JitPolicy::Allow, {bundle({entry("sm_90a")})}});
  const auto suits = [](const std::string& target, const std::string&) { return target == "sm_90a" ? 0 : -1; };
  EXPECT_EQ(cache.find_precompiled(*trace(1), suits).target, "sm_90a");
}

TEST_F(Precompiled, CodeThatDoesNotLoadIsTheCallersError) {
  cache::Entry wrong = entry("host");
  wrong.artifact.code.assign(1000, 'x');
  expect_error(3303, {"'axpb'", "does not load"}, [&] { run(*open({bundle({wrong})})); });
}

}  // namespace
}  // namespace tilewright::testing

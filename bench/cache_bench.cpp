// What the kernel cache costs: a hit in memory, a key, an entry from the disk among few and among many others, and pruning.
#include "runtime/cache/artifact_cache.h"
#include "runtime/kernel_cache.h"
#include "tests/cache/folder.h"
#include "tests/cache/samples.h"

#include <benchmark/benchmark.h>

namespace tilewright {
namespace {

using cache::ArtifactCache;
using cache::CacheSettings;

const program::Program& program_of_samples() {
  static const program::Program program = fuzz::generate(3).program;
  return program;
}

void memory_hit(benchmark::State& state) {
  KernelCache kernels;
  const auto make = [] { return std::make_shared<const LoadedKernel>(LoadedKernel{nullptr, nullptr, GridExpression(program_of_samples())}); };
  for (std::uint32_t i = 0; i < 100; ++i) kernels.get({.specialisation = i}, make);
  const CallKey key{.specialisation = 50};
  for (auto _ : state) benchmark::DoNotOptimize(kernels.get(key, make));
}
BENCHMARK(memory_hit);

void content_key(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(cache::content_key(program_of_samples(), testing::sample_origin()));
}
BENCHMARK(content_key);

void decode_entry(benchmark::State& state) {
  const std::string bytes = cache::encode_entry(testing::sample_entry(3, 30'000));
  for (auto _ : state) benchmark::DoNotOptimize(cache::decode_entry(bytes));
  state.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK(decode_entry);

void fill(cache::Store& store, std::int64_t entries) {
  const std::string bytes(10'000, 'x');
  for (std::int64_t i = 0; i < entries; ++i) {
    const std::string path = store.directory() + "/kernels/" + to_hex(cache::hash128(std::to_string(i))) + ".entry";
    std::FILE* file = std::fopen(path.c_str(), "wb");
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
  }
}

// The first kernel of a fresh process: the store is opened, the entry read, checked and decoded.
void disk_hit(benchmark::State& state) {
  const testing::Folder folder;
  const CacheSettings settings{folder.cache(), std::uint64_t{1} << 40, cache::JitPolicy::Allow};
  const cache::Entry entry = testing::sample_entry(3, 30'000);
  ArtifactCache(settings).get(entry.key, entry.positions, [&] { return entry.artifact; });
  std::string problem;
  fill(*cache::Store::open(folder.cache(), cache::system_files(), problem), state.range(0));
  for (auto _ : state) {
    ArtifactCache fresh(settings);
    if (fresh.get(entry.key, entry.positions, [&] { return entry.artifact; }).was_compiled) state.SkipWithError("a miss");
  }
}
BENCHMARK(disk_hit)->Arg(0)->Arg(10'000)->Unit(benchmark::kMicrosecond);

void prune(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    {
      const testing::Folder folder;
      std::string problem;
      const auto store = cache::Store::open(folder.cache(), cache::system_files(), problem);
      fill(*store, 10'000);
      state.ResumeTiming();
      if (store->prune(0).removed != 10'000) state.SkipWithError("not all removed");
      state.PauseTiming();
    }
    state.ResumeTiming();
  }
}
BENCHMARK(prune)->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace tilewright

BENCHMARK_MAIN();

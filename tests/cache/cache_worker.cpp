// One process among many on a store: cache_worker DIRECTORY LOG KEYS ROUNDS SEED FAULT_PERCENT. In each round it gets every key of that round, in an order of its own, and compares.
// A compilation takes a moment and adds a line to LOG. Exits with 1 at the first wrong kernel.
#include "runtime/cache/artifact_cache.h"
#include "tests/cache/faulty_files.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace tilewright;

cache::ContentKey key_of(int round, int number) {
  program::Program program;
  program.name = "kernel_" + std::to_string(round) + "_" + std::to_string(number);
  return cache::content_key(program, {"host", "processor", "compiler", false});
}

// Code that says whose it is.
Artifact artifact_of(const cache::ContentKey& key) {
  Artifact artifact;
  artifact.kernel = artifact.entry = key.part("kernel");
  artifact.target = "host";
  std::string word = cache::to_hex(key.hash);
  for (int i = 0; i < 64; ++i) {
    word = cache::to_hex(cache::hash128(word));
    artifact.code.insert(artifact.code.end(), word.begin(), word.end());
  }
  return artifact;
}

void add_line(const char* log, const std::string& line) {
  const int file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  close(file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  const int keys = std::atoi(argv[3]), rounds = std::atoi(argv[4]), percent = std::atoi(argv[6]);
  const auto seed = static_cast<std::uint64_t>(std::atoll(argv[5]));
  testing::RandomFaults faulty(seed, percent);
  fuzz::Rng rng(seed);
  cache::FileSystem& files = percent > 0 ? faulty : cache::system_files();
  std::unique_ptr<cache::ArtifactCache> cache;
  for (int round = 0; round < rounds; ++round) {
    if (round % 10 == 0) cache = std::make_unique<cache::ArtifactCache>(cache::CacheSettings{argv[1], std::uint64_t{1} << 30, cache::JitPolicy::Allow}, files);
    std::vector<int> order(static_cast<std::size_t>(keys));
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(i)))]);
    for (int number : order) {
      const cache::ContentKey key = key_of(round, number);
      const Artifact expected = artifact_of(key);
      const cache::CachedArtifact got = cache->get(key, {}, [&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        add_line(argv[2], expected.kernel + "\n");
        return expected;
      });
      if (got.artifact.code != expected.code || got.artifact.kernel != expected.kernel) {
        std::fprintf(stderr, "wrong kernel for %s\n", expected.kernel.c_str());
        return 1;
      }
    }
  }
  if (percent > 0 && faulty.faults() == 0) return 3;
  return 0;
}

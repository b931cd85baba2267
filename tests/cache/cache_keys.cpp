// Prints the content keys of random programs, one a line: cache_keys COUNT THREADS. With several threads they are computed at once, and in another order.
#include "tests/cache/samples.h"

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <thread>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::setlocale(LC_ALL, "");
  const int count = std::atoi(argv[1]), threads = std::atoi(argv[2]);
  std::vector<std::string> keys(static_cast<std::size_t>(count));
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      for (int seed = count - 1 - t; seed >= 0; seed -= threads)
        keys[seed] = to_hex(tilewright::cache::content_key(tilewright::fuzz::generate(static_cast<std::uint64_t>(seed)).program, tilewright::testing::sample_origin()).hash);
    });
  }
  for (std::thread& worker : workers) worker.join();
  for (const std::string& key : keys) std::puts(key.c_str());
}

#include "compiler/targets/nvidia/nvidia_target.h"

#include "runtime/support/error.h"

namespace tilewright::nvidia {

namespace {

constexpr std::uint64_t operator""_KiB(unsigned long long n) { return n << 10; }

// The tables of compute capabilities in the CUDA C++ programming guide. A version of PTX is asked for by name, since LLVM would take an older one for some architectures and then
// refuse their newer instructions.
const std::vector<NvidiaTarget>& targets() {
  const auto make = [](const char* name, int capability, std::uint64_t shared, std::uint64_t shared_of_multiprocessor, int threads, int blocks) {
    NvidiaTarget target;
    target.name = name;
    target.capability = capability;
    target.has_roles = capability == 90;
    target.overlaps_launches = capability >= 90;
    target.features = "+ptx90";
    target.shared_bytes = shared;
    target.shared_bytes_per_multiprocessor = shared_of_multiprocessor;
    target.threads_per_multiprocessor = threads;
    target.blocks_per_multiprocessor = blocks;
    return target;
  };
  static const std::vector<NvidiaTarget> all = {
      make("sm_80", 80, 163_KiB, 164_KiB, 2048, 32),  make("sm_86", 86, 99_KiB, 100_KiB, 1536, 16),     make("sm_89", 89, 99_KiB, 100_KiB, 1536, 24),
      make("sm_90a", 90, 227_KiB, 228_KiB, 2048, 32), make("sm_100a", 100, 227_KiB, 228_KiB, 2048, 32),
  };
  return all;
}

}  // namespace

NvidiaTarget resolve_target(std::string_view name) {
  std::string known;
  for (const NvidiaTarget& target : targets()) {
    if (target.name == name) return target;
    known += (known.empty() ? "" : ", ") + target.name;
  }
  throw Error(2001, "unknown NVIDIA target '" + std::string(name) + "'").help("known targets: " + known);
}

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const NvidiaTarget& target : targets()) names.push_back(target.name);
  return names;
}

}  // namespace tilewright::nvidia

// The call key: what decides which compiled kernel a launch needs. 64 bytes, compared byte by byte, and exact: two calls have equal keys if and only if kernel, constants,
// tunables, argument types and facts are equal. Nothing is told apart by a hash alone.
#pragma once

#include "dsl/program/kernel.h"
#include "runtime/session.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace tilewright {

struct CallKey {
  // One argument: dtype in bits 0-3, rank in bits 4-7, then is_view, unit_inner_stride, aligned16, fits32, whole_rows16.
  using Descriptor = std::uint16_t;
  static constexpr std::size_t kInlineArguments = 28;

  std::uint32_t specialisation = 0;  // from Specialisations: kernel, settings, arguments beyond the inline ones
  std::uint16_t count = 0;
  std::uint16_t reserved = 0;
  std::array<Descriptor, kInlineArguments> arguments{};

  bool operator==(const CallKey& other) const { return std::memcmp(this, &other, sizeof *this) == 0; }
};
static_assert(sizeof(CallKey) == 64);

struct CallKeyHash {
  std::size_t operator()(const CallKey& key) const noexcept;
};

// Numbers the pairs of kernel and settings that a session has met. Thread-safe. A kernel is known by its address and name, so it must not be destroyed while the table lives.
class Specialisations {
 public:
  // `settings` are complete: every constant and tunable of the kernel.
  CallKey key(const program::TraceableKernel& kernel, const KernelSettings& settings, std::span<const program::Type> types,
              std::span<const program::ArgumentFacts> facts);

 private:
  using Identity = std::tuple<const program::TraceableKernel*, std::string, KernelSettings, std::vector<CallKey::Descriptor>>;
  std::mutex mutex_;
  std::map<Identity, std::uint32_t> numbers_;
};

}  // namespace tilewright

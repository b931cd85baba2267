#include "runtime/call_key.h"

namespace tilewright {

namespace {

CallKey::Descriptor describe(const program::Type& type, const program::ArgumentFacts& facts) {
  return static_cast<CallKey::Descriptor>(static_cast<unsigned>(type.dtype) | type.rank() << 4 | type.is_view << 8 | facts.unit_inner_stride << 9 |
                                          facts.aligned16 << 10 | facts.fits32 << 11 | facts.whole_rows16 << 12);
}

}  // namespace

std::size_t CallKeyHash::operator()(const CallKey& key) const noexcept {
  std::array<std::uint64_t, sizeof(CallKey) / 8> words;
  std::memcpy(words.data(), &key, sizeof key);
  std::uint64_t hash = 0x9e3779b97f4a7c15u;
  for (std::uint64_t word : words) {
    hash = (hash ^ word) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  }
  return hash;
}

CallKey Specialisations::key(const program::TraceableKernel& kernel, const KernelSettings& settings, std::span<const program::Type> types,
                             std::span<const program::ArgumentFacts> facts) {
  CallKey key;
  key.count = static_cast<std::uint16_t>(types.size());
  std::vector<CallKey::Descriptor> more;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const CallKey::Descriptor descriptor = describe(types[i], facts[i]);
    if (i < CallKey::kInlineArguments) {
      key.arguments[i] = descriptor;
    } else {
      more.push_back(descriptor);
    }
  }
  std::lock_guard lock(mutex_);
  const auto [entry, is_new] = numbers_.try_emplace(Identity{&kernel, kernel.name(), settings, std::move(more)}, static_cast<std::uint32_t>(numbers_.size()));
  key.specialisation = entry->second;
  return key;
}

}  // namespace tilewright

// What the environment says about the cache: TILEWRIGHT_CACHE, TILEWRIGHT_CACHE_DIR, TILEWRIGHT_CACHE_LIMIT, TILEWRIGHT_BUNDLES, TILEWRIGHT_JIT (docs/environment.md).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright::cache {

enum class JitPolicy { Allow, Warn, Deny };

struct CacheSettings {
  std::string directory;  // of the store; empty: kernels are kept in memory alone
  std::uint64_t limit_bytes = std::uint64_t{1} << 30;
  JitPolicy jit = JitPolicy::Allow;
  std::vector<std::string> bundles = {};  // files, asked before the store, the first first
};

// `get` gives the value of a variable, null when it is not set. Throws Error TW3602 for a value that means nothing.
CacheSettings read_settings(const std::function<const char*(const char*)>& get);
CacheSettings settings_of_environment();

// "500M", "2G", "1048576": bytes, or with K, M, G or T. False for other texts.
bool parse_size(std::string_view text, std::uint64_t& bytes);

}  // namespace tilewright::cache

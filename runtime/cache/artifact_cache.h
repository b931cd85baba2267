// Compiled kernels beyond the process: found in a bundle or in the store of the user, else compiled, once however many processes and threads ask. Without a compiler: found in a bundle.
#pragma once

#include "runtime/cache/bundle.h"
#include "runtime/cache/entry.h"
#include "runtime/cache/settings.h"
#include "runtime/cache/store.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace tilewright::cache {

// What happened since the cache was made.
struct CacheCounters {
  std::atomic<std::uint64_t> hits{0}, misses{0};
  std::atomic<std::uint64_t> refused{0};      // entries that were there and wrong; each is a miss too
  std::atomic<std::uint64_t> published{0}, not_published{0};
  std::atomic<std::uint64_t> waits{0};        // misses that another process or thread answered while this one waited
};

struct CachedArtifact {
  Artifact artifact;  // without its program
  bool was_compiled = false;
};

// Thread-safe.
class ArtifactCache {
 public:
  explicit ArtifactCache(CacheSettings settings, FileSystem& files = system_files());

  // One for the process, as the environment says at the first call. Throws Error TW3602 for an environment that means nothing.
  static std::shared_ptr<ArtifactCache> of_environment();

  // The artifact of a key: a bundle's or the stored one, else what `compile` makes, which is stored. `positions` is the hash of all positions of the program: remarks of an entry with other ones
  // are left out. Throws what `compile` throws, and Error TW3601 where compiling is denied. A store or a
  // bundle that cannot be used is warned of once, and done without.
  using Compile = std::function<Artifact()>;
  CachedArtifact get(const ContentKey& key, const Hash128& positions, const Compile& compile);

  // Says that what get() found does not load: it counts as refused, and goes from the store. What `compile` makes takes its place there.
  CachedArtifact replace(const ContentKey& key, const Hash128& positions, const Compile& compile);

  // For a process without a compiler: the artifact of a program from a bundle, whoever compiled it, of those that suit best. `suits` says how well code for a target, which its compiler described as
  // `processor`, suits the device: the more the better, negative when it does not run there. Throws Error TW3601 when there is none.
  using Suits = std::function<int(const std::string& target, const std::string& processor)>;
  Artifact find_precompiled(const program::Program& program, const Suits& suits);

  const CacheSettings& settings() const { return settings_; }
  const CacheCounters& counters() const { return counters_; }

 private:
  void open();
  void index_bundles();
  std::optional<Artifact> find_in_bundles(const ContentKey& key, const Hash128& positions);
  std::optional<Artifact> find_in_store(const ContentKey& key, const Hash128& positions, bool counts_refusal);
  std::optional<Artifact> read(std::string_view bytes, const ContentKey& key, const Hash128& positions, bool counts_refusal);
  CachedArtifact compile_and_publish(const ContentKey& key, const Hash128& positions, const Compile& compile);
  void warn_once(const std::string& problem);

  CacheSettings settings_;
  FileSystem& files_;
  CacheCounters counters_;
  std::once_flag opened_, indexed_, warned_;
  std::vector<std::unique_ptr<Bundle>> bundles_;
  struct Precompiled {
    CodeOrigin origin;       // but for whether it keeps positions
    std::string_view bytes;  // of the entry, in a bundle
  };
  std::map<Hash128, std::vector<Precompiled>> precompiled_;  // by program
  std::unique_ptr<Store> store_;
};

}  // namespace tilewright::cache

#include "runtime/cache/artifact_cache.h"

#include "runtime/support/error.h"
#include "runtime/support/log.h"

namespace tilewright::cache {

namespace {

constexpr std::chrono::seconds kLongestWait(60);      // for another process that compiles the same; then this one compiles too
constexpr std::uint64_t kPublicationsPerPruning = 16;  // the first of a process prunes too

std::string name_of(const ContentKey& key) { return "'" + std::string(key.part("kernel")) + "' for " + std::string(key.part("target")) + " (" + to_hex(key.hash) + ")"; }

}  // namespace

ArtifactCache::ArtifactCache(CacheSettings settings, FileSystem& files) : settings_(std::move(settings)), files_(files) {}

std::shared_ptr<ArtifactCache> ArtifactCache::of_environment() {
  static const auto instance = std::make_shared<ArtifactCache>(settings_of_environment());
  return instance;
}

Store* ArtifactCache::store() {
  std::call_once(opened_, [this] {
    if (settings_.directory.empty()) return;
    std::string problem;
    store_ = Store::open(settings_.directory, files_, problem);
    if (!store_) warn_once(problem);
  });
  return store_.get();
}

void ArtifactCache::warn_once(const std::string& problem) {
  std::call_once(warned_, [&] { log(LogLevel::Warn, "kernels are not kept on disk: " + problem); });
}

std::optional<Artifact> ArtifactCache::find(const ContentKey& key, const Hash128& positions, bool counts_refusal) {
  const std::optional<std::string> bytes = store()->read(key.hash);
  if (!bytes) return std::nullopt;
  DecodedEntry decoded = decode_entry(*bytes);
  if (!decoded.entry || decoded.entry->key.bytes != key.bytes) {
    if (!counts_refusal) return std::nullopt;
    ++counters_.refused;
    log(LogLevel::Info, "the entry of " + name_of(key) + " " + (decoded.entry ? "is of another kernel" : std::string(describe(decoded.problem))));
    return std::nullopt;
  }
  Artifact artifact = std::move(decoded.entry->artifact);
  if (decoded.entry->positions != positions) artifact.remarks.clear();
  return artifact;
}

CachedArtifact ArtifactCache::compile_and_publish(const ContentKey& key, const Hash128& positions, const Compile& compile) {
  ++counters_.misses;
  if (settings_.jit == JitPolicy::Deny) {
    throw Error(3601, "kernel " + name_of(key) + " is not in the cache, and TILEWRIGHT_JIT=deny forbids compiling it")
        .help("run once with TILEWRIGHT_JIT=allow and this cache: " + (settings_.directory.empty() ? "it is switched off" : settings_.directory));
  }
  if (settings_.jit == JitPolicy::Warn) log(LogLevel::Warn, "kernel " + name_of(key) + " is not in the cache and is compiled now");
  Entry entry{key, compile(), positions};
  if (Store* const disk = store()) {
    std::string problem;
    if (disk->publish(key.hash, encode_entry(entry), problem)) {
      if (counters_.published++ % kPublicationsPerPruning == 0) disk->prune(settings_.limit_bytes);
    } else {
      ++counters_.not_published;
      warn_once(problem);
    }
  }
  return {std::move(entry.artifact), true};
}

CachedArtifact ArtifactCache::get(const ContentKey& key, const Hash128& positions, const Compile& compile) {
  Store* const disk = store();
  if (disk == nullptr) return compile_and_publish(key, positions, compile);
  if (std::optional<Artifact> found = find(key, positions, true)) {
    ++counters_.hits;
    return {std::move(*found), false};
  }
  const auto lock = disk->lock(key.hash, Store::Clock::now() + kLongestWait, [&] { return disk->contains(key.hash); });
  if (std::optional<Artifact> found = find(key, positions, false)) {  // made while this process waited
    ++counters_.hits;
    ++counters_.waits;
    return {std::move(*found), false};
  }
  return compile_and_publish(key, positions, compile);
}

CachedArtifact ArtifactCache::replace(const ContentKey& key, const Hash128& positions, const Compile& compile) {
  ++counters_.refused;
  if (Store* const disk = store()) disk->remove(key.hash);
  return compile_and_publish(key, positions, compile);
}

}  // namespace tilewright::cache

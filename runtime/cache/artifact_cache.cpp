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

void ArtifactCache::open() {
  std::call_once(opened_, [this] {
    std::string problem;
    for (const std::string& path : settings_.bundles) {
      if (std::unique_ptr<Bundle> bundle = Bundle::read(path, files_, problem)) {
        bundles_.push_back(std::move(bundle));
      } else {
        log(LogLevel::Warn, problem);
      }
    }
    if (settings_.directory.empty()) return;
    store_ = Store::open(settings_.directory, files_, problem);
    if (!store_) warn_once(problem);
  });
}

void ArtifactCache::warn_once(const std::string& problem) {
  std::call_once(warned_, [&] { log(LogLevel::Warn, "kernels are not kept on disk: " + problem); });
}

std::optional<Artifact> ArtifactCache::find_in_bundles(const ContentKey& key, const Hash128& positions) {
  for (const std::unique_ptr<Bundle>& bundle : bundles_) {
    const std::string_view bytes = bundle->find(key.hash);
    if (bytes.empty()) continue;
    if (std::optional<Artifact> found = read(bytes, key, positions, true)) return found;
  }
  return std::nullopt;
}

std::optional<Artifact> ArtifactCache::find_in_store(const ContentKey& key, const Hash128& positions, bool counts_refusal) {
  const std::optional<std::string> bytes = store_->read(key.hash);
  if (!bytes) return std::nullopt;
  return read(*bytes, key, positions, counts_refusal);
}

std::optional<Artifact> ArtifactCache::read(std::string_view bytes, const ContentKey& key, const Hash128& positions, bool counts_refusal) {
  DecodedEntry decoded = decode_entry(bytes);
  if (!decoded.entry || decoded.entry->key.bytes != key.bytes) {
    if (!counts_refusal) return std::nullopt;
    ++counters_.refused;
    const std::string_view problem = decoded.entry ? "is of another kernel" : describe(decoded.problem);
    log(LogLevel::Info, "the entry of " + name_of(key) + " " + std::string(problem));
    return std::nullopt;
  }
  Artifact artifact = std::move(decoded.entry->artifact);
  if (decoded.entry->positions != positions) artifact.remarks.clear();
  return artifact;
}

CachedArtifact ArtifactCache::compile_and_publish(const ContentKey& key, const Hash128& positions, const Compile& compile) {
  ++counters_.misses;
  if (settings_.jit == JitPolicy::Deny) {
    Error error(3601, "kernel " + name_of(key) + " is not in the cache, and TILEWRIGHT_JIT=deny forbids compiling it");
    if (settings_.directory.empty()) error.help("the store is switched off (TILEWRIGHT_CACHE=0), and no bundle of TILEWRIGHT_BUNDLES has it");
    else error.help("run once with TILEWRIGHT_JIT=allow and the same store, " + settings_.directory);
    throw error.help("or make a bundle: tilewright compile OPERATOR --set NAME=VALUE... --target " + std::string(key.part("target")) + " --emit bundle -o F, and TILEWRIGHT_BUNDLES=F");
  }
  if (settings_.jit == JitPolicy::Warn) log(LogLevel::Warn, "kernel " + name_of(key) + " is not in the cache and is compiled now");
  Entry entry{key, compile(), positions};
  if (store_) {
    std::string problem;
    if (store_->publish(key.hash, encode_entry(entry), problem)) {
      if (counters_.published++ % kPublicationsPerPruning == 0) store_->prune(settings_.limit_bytes);
    } else {
      ++counters_.not_published;
      warn_once(problem);
    }
  }
  return {std::move(entry.artifact), true};
}

CachedArtifact ArtifactCache::get(const ContentKey& key, const Hash128& positions, const Compile& compile) {
  open();
  const auto hit = [&](std::optional<Artifact>& found) {
    ++counters_.hits;
    return CachedArtifact{std::move(*found), false};
  };
  if (std::optional<Artifact> found = find_in_bundles(key, positions)) return hit(found);
  if (!store_) return compile_and_publish(key, positions, compile);
  if (std::optional<Artifact> found = find_in_store(key, positions, true)) return hit(found);
  const auto lock = store_->lock(key.hash, Store::Clock::now() + kLongestWait, [&] { return store_->contains(key.hash); });
  if (std::optional<Artifact> found = find_in_store(key, positions, false)) {  // made while this process waited
    ++counters_.waits;
    return hit(found);
  }
  return compile_and_publish(key, positions, compile);
}

CachedArtifact ArtifactCache::replace(const ContentKey& key, const Hash128& positions, const Compile& compile) {
  open();
  ++counters_.refused;
  if (store_) store_->remove(key.hash);
  return compile_and_publish(key, positions, compile);
}

void ArtifactCache::index_bundles() {
  std::call_once(indexed_, [this] {
    for (const std::unique_ptr<Bundle>& bundle : bundles_) {
      for (const auto& [hash, bytes] : bundle->entries()) {
        const std::optional<ContentKey> key = decode_entry_key(bytes);
        if (!key) {
          ++counters_.refused;
          continue;
        }
        Precompiled& precompiled = precompiled_[program_hash(*key)].emplace_back();
        precompiled.origin.target = key->part("target");
        precompiled.origin.processor = key->part("processor");
        precompiled.origin.compiler = key->part("compiler");
        precompiled.bytes = bytes;
      }
    }
  });
}

Artifact ArtifactCache::find_precompiled(const program::Program& program, const Suits& suits) {
  open();
  index_bundles();
  const Hash128 positions = positions_of(program);
  std::optional<Artifact> best;
  int best_fit = -1;
  const auto found = precompiled_.find(program_hash(content_key(program, {})));
  if (found != precompiled_.end()) {
    for (const Precompiled& candidate : found->second) {
      const int fit = suits(candidate.origin.target, candidate.origin.processor);
      if (fit <= best_fit) continue;
      DecodedEntry decoded = decode_entry(candidate.bytes);
      const auto is_of = [&](bool keeps_positions) {
        CodeOrigin origin = candidate.origin;
        origin.keeps_positions = keeps_positions;
        return decoded.entry->key.bytes == content_key(program, origin).bytes;
      };
      if (!decoded.entry || (!is_of(false) && !is_of(true))) continue;
      best = std::move(decoded.entry->artifact);
      if (decoded.entry->positions != positions) best->remarks.clear();
      best_fit = fit;
    }
  }
  if (best) {
    ++counters_.hits;
    return std::move(*best);
  }
  ++counters_.misses;
  Error error(3601, "kernel '" + program.name + "' is in no bundle for this device, and this process has no compiler");
  if (settings_.bundles.empty()) error.help("TILEWRIGHT_BUNDLES names no bundle");
  else error.help("bundles that were looked in: " + std::to_string(bundles_.size()));
  throw error.help("make one where a compiler is: tilewright compile OPERATOR --set NAME=VALUE... --target TARGET --emit bundle -o F, and TILEWRIGHT_BUNDLES=F");
}

}  // namespace tilewright::cache

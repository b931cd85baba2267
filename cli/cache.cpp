// `tilewright cache ...`: the kernels kept on disk.
#include "cli/progress.h"
#include "cli/verbs.h"
#include "runtime/cache/bundle.h"
#include "runtime/cache/entry.h"
#include "runtime/cache/settings.h"
#include "runtime/cache/store.h"
#include "runtime/support/error.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>

#include <fcntl.h>
#include <unistd.h>

namespace tilewright::cli {

namespace {

using cache::Hash128;
using cache::Store;
using nlohmann::ordered_json;

struct Options {
  bool json = false, entries = false, remove = false;
  std::string file, limit, a, b;
  std::vector<std::string> hashes;
};

std::unique_ptr<Store> open_store() {
  const cache::CacheSettings settings = cache::settings_of_environment();
  if (settings.directory.empty()) throw Error(3604, "the cache is switched off").help("TILEWRIGHT_CACHE is 0, or there is no HOME and no TILEWRIGHT_CACHE_DIR");
  std::string problem;
  std::unique_ptr<Store> store = Store::open(settings.directory, cache::system_files(), problem);
  if (!store) throw Error(3604, "the cache cannot be used: " + problem);
  return store;
}

double mebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

std::string date(std::int64_t nanoseconds) {
  const std::time_t seconds = static_cast<std::time_t>(nanoseconds / 1'000'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%MZ", &parts);
  return text;
}

void print_json(const ordered_json& json) { fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace)); }

void stat(const Options& options) {
  const std::unique_ptr<Store> store = open_store();
  const std::uint64_t limit = cache::settings_of_environment().limit_bytes;
  const std::vector<cache::StoredFile> files = store->list();
  std::uint64_t bytes = 0;
  ordered_json list = ordered_json::array();
  for (const cache::StoredFile& file : files) {
    bytes += file.bytes;
    if (!options.entries) continue;
    const std::optional<std::string> read = store->read(file.hash);
    const cache::DecodedEntry decoded = cache::decode_entry(read ? *read : "");
    ordered_json entry = {{"hash", to_hex(file.hash)}, {"bytes", file.bytes}, {"used", date(file.last_use_ns)}};
    if (decoded.entry) {
      entry["kernel"] = decoded.entry->artifact.kernel;
      entry["target"] = decoded.entry->artifact.target;
      entry["compile_ms"] = decoded.entry->artifact.compile_ms;
    } else {
      entry["problem"] = describe(decoded.problem);
    }
    list.push_back(std::move(entry));
  }
  if (options.json) {
    ordered_json out = {{"directory", store->directory()}, {"entries", files.size()}, {"bytes", bytes}, {"limit_bytes", limit}};
    if (options.entries) out["list"] = list;
    return print_json(out);
  }
  fmt::print("directory  {}\nentries    {}\nsize       {:.1f} MiB of at most {:.0f} MiB\n", store->directory(), files.size(), mebibytes(bytes), mebibytes(limit));
  if (!files.empty()) fmt::print("used       from {} to {}\n", date(files.front().last_use_ns), date(files.back().last_use_ns));
  for (const ordered_json& entry : list) {
    const std::string what = entry.contains("problem") ? entry["problem"].get<std::string>() : entry["kernel"].get<std::string>() + " for " + entry["target"].get<std::string>();
    fmt::print("{}  {:>9} bytes  {}  {}\n", entry["hash"].get<std::string>(), entry["bytes"].get<std::uint64_t>(), entry["used"].get<std::string>(), what);
  }
}

ExitCode verify(const Options& options) {
  const std::unique_ptr<Store> store = open_store();
  ordered_json bad = ordered_json::array();
  const std::vector<cache::StoredFile> files = store->list();
  for (const cache::StoredFile& file : files) {
    const std::optional<std::string> bytes = store->read(file.hash);
    const cache::DecodedEntry decoded = cache::decode_entry(bytes ? *bytes : "");
    std::string problem;
    if (!bytes) problem = "cannot be read, or is not yours alone";
    else if (!decoded.entry) problem = describe(decoded.problem);
    else if (decoded.entry->key.hash != file.hash) problem = "has another key than its name says";
    if (problem.empty()) continue;
    const bool removed = options.remove && store->remove(file.hash);
    bad.push_back({{"hash", to_hex(file.hash)}, {"problem", problem}, {"removed", removed}});
  }
  if (options.json) {
    print_json({{"entries", files.size()}, {"bad", bad}});
  } else {
    for (const ordered_json& entry : bad)
      fmt::print("{} {}{}\n", entry["hash"].get<std::string>(), entry["problem"].get<std::string>(), entry["removed"].get<bool>() ? "; removed" : "");
    fmt::print("{} entries, {} bad\n", files.size(), bad.size());
  }
  return bad.empty() || options.remove ? kDone : kCheckFailed;
}

void prune(const Options& options) {
  std::uint64_t limit = cache::settings_of_environment().limit_bytes;
  if (!options.limit.empty() && !cache::parse_size(options.limit, limit)) throw Error(3603, "--to is '" + options.limit + "', expected bytes, or a number with K, M, G or T");
  const cache::PruneResult result = open_store()->prune(limit);
  if (options.json) {
    print_json({{"removed", result.removed}, {"removed_bytes", result.removed_bytes}, {"entries", result.kept}, {"bytes", result.kept_bytes}});
  } else {
    fmt::print("removed {} entries, {:.1f} MiB; {} entries, {:.1f} MiB are left\n", result.removed, mebibytes(result.removed_bytes), result.kept, mebibytes(result.kept_bytes));
  }
}

// The stored entry whose hash begins with `prefix`.
Hash128 require_hash(Store& store, const std::string& prefix) {
  std::vector<Hash128> found;
  for (const cache::StoredFile& file : store.list()) {
    if (to_hex(file.hash).rfind(prefix, 0) == 0) found.push_back(file.hash);
  }
  if (found.size() == 1) return found[0];
  throw Error(3603, found.empty() ? "the cache has no entry '" + prefix + "'" : "'" + prefix + "' begins the names of " + std::to_string(found.size()) + " entries")
      .help("tilewright cache stat --entries lists them");
}

std::string read_entry(Store& store, const Hash128& hash) {
  std::optional<std::string> bytes = store.read(hash);
  const cache::EntryProblem problem = cache::decode_entry(bytes ? *bytes : "").problem;
  if (problem != cache::EntryProblem::None) throw Error(3603, "entry " + to_hex(hash) + " " + std::string(describe(problem)));
  return std::move(*bytes);
}

void explain(const Options& options) {
  const std::unique_ptr<Store> store = open_store();
  const cache::DecodedEntry a = cache::decode_entry(read_entry(*store, require_hash(*store, options.a)));
  const cache::DecodedEntry b = cache::decode_entry(read_entry(*store, require_hash(*store, options.b)));
  const std::vector<std::string> found = differences(a.entry->key, b.entry->key);
  if (options.json) return print_json({{"a", to_hex(a.entry->key.hash)}, {"b", to_hex(b.entry->key.hash)}, {"differences", found}});
  for (const std::string& sentence : found) fmt::print("{}\n", sentence);
  if (found.empty()) fmt::print("the keys are equal\n");
}

void export_bundle(const Options& options) {
  const std::unique_ptr<Store> store = open_store();
  std::vector<Hash128> hashes;
  for (const std::string& prefix : options.hashes) hashes.push_back(require_hash(*store, prefix));
  std::map<Hash128, std::string> entries;
  for (const Hash128& hash : hashes) entries[hash] = read_entry(*store, hash);
  if (hashes.empty()) {
    for (const cache::StoredFile& file : store->list()) {
      std::optional<std::string> bytes = store->read(file.hash);
      if (bytes && cache::decode_entry(*bytes).entry) entries[file.hash] = std::move(*bytes);
      else progress("entry {} is left out: it is not good", to_hex(file.hash));
    }
  }
  const std::string temporary = options.file + ".tmp" + std::to_string(getpid());
  if (!cache::write_whole(cache::system_files(), AT_FDCWD, temporary, options.file, cache::encode_bundle(entries)))
    throw Error(3100, "'" + options.file + "' cannot be written: " + std::strerror(errno));
  progress("{}: {} entries", options.file, entries.size());
}

void import_bundle(const Options& options) {
  const std::unique_ptr<Store> store = open_store();
  std::string problem;
  const std::unique_ptr<cache::Bundle> bundle = cache::Bundle::read(options.file, cache::system_files(), problem);
  if (!bundle) throw Error(3605, problem);
  for (const auto& [hash, bytes] : bundle->entries()) {
    const cache::DecodedEntry decoded = cache::decode_entry(bytes);
    if (!decoded.entry || decoded.entry->key.hash != hash)
      throw Error(3605, "entry " + to_hex(hash) + " of '" + options.file + "' " + std::string(decoded.entry ? "is of another key" : describe(decoded.problem)));
    if (!store->publish(hash, bytes, problem)) throw Error(3604, problem);
  }
  progress("{} entries", bundle->entries().size());
}

}  // namespace

void add_cache(CLI::App& app, ExitCode& code) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("cache", "The compiled kernels kept on disk");
  verb->require_subcommand(1);

  CLI::App* sub = verb->add_subcommand("stat", "Where they are, how many, how large");
  sub->add_flag("--entries", options->entries, "Each entry: its hash, size, last use, kernel and target");
  sub->add_flag("--json", options->json, "Print JSON");
  sub->callback([options] { stat(*options); });

  sub = verb->add_subcommand("verify", "Check every entry; exit code 1 when one is bad");
  sub->add_flag("--remove", options->remove, "Remove the bad ones, and return 0");
  sub->add_flag("--json", options->json, "Print JSON");
  sub->callback([options, &code] { code = verify(*options); });

  sub = verb->add_subcommand("prune", "Remove what was used longest ago");
  sub->add_option("--to", options->limit, "Bytes to leave at most, such as 0 or 500M; without it TILEWRIGHT_CACHE_LIMIT")->type_name("SIZE");
  sub->add_flag("--json", options->json, "Print JSON");
  sub->callback([options] { prune(*options); });

  sub = verb->add_subcommand("explain", "Say in what the keys of two entries differ");
  sub->add_option("A", options->a, "The beginning of an entry's hash")->required();
  sub->add_option("B", options->b, "Another's")->required();
  sub->add_flag("--json", options->json, "Print JSON");
  sub->callback([options] { explain(*options); });

  sub = verb->add_subcommand("export", "Write entries to a bundle, for TILEWRIGHT_BUNDLES or import elsewhere");
  sub->add_option("-o,--output", options->file, "The file")->required()->type_name("F");
  sub->add_option("HASH", options->hashes, "Beginnings of the entries' hashes; without any, all that are good");
  sub->callback([options] { export_bundle(*options); });

  sub = verb->add_subcommand("import", "Put a bundle's entries into the cache");
  sub->add_option("F", options->file, "The file")->required();
  sub->callback([options] { import_bundle(*options); });
}

}  // namespace tilewright::cli

#include "runtime/cache/settings.h"

#include "runtime/support/error.h"

#include <charconv>
#include <cstdlib>
#include <sstream>

namespace tilewright::cache {

namespace {

std::string default_directory(const std::function<std::string(const char*)>& get) {
  const std::string given = get("TILEWRIGHT_CACHE_DIR"), base = get("XDG_CACHE_HOME"), home = get("HOME");
  if (!given.empty()) return given;
  if (!base.empty() && base[0] == '/') return base + "/tilewright";  // the specification of XDG ignores relative paths
  return home.empty() ? "" : home + "/.cache/tilewright";
}

[[noreturn]] void bad_value(const char* name, const std::string& value, const char* expected) {
  throw Error(3602, std::string(name) + " is '" + value + "', expected " + expected);
}

}  // namespace

bool parse_size(std::string_view text, std::uint64_t& bytes) {
  constexpr std::string_view kUnits = "KMGT";
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{}) return false;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const std::size_t place = unit.size() == 1 ? kUnits.find(unit[0]) : std::string_view::npos;
  if (!unit.empty() && place == std::string_view::npos) return false;
  const std::size_t shift = unit.empty() ? 0 : 10 * (place + 1);
  if (number > (~std::uint64_t{0} >> shift)) return false;
  bytes = number << shift;
  return true;
}

CacheSettings read_settings(const std::function<const char*(const char*)>& get) {
  const auto text = [&](const char* name) {
    const char* value = get(name);
    return std::string(value != nullptr ? value : "");
  };
  CacheSettings settings;
  const std::string enabled = text("TILEWRIGHT_CACHE"), limit = text("TILEWRIGHT_CACHE_LIMIT"), jit = text("TILEWRIGHT_JIT");
  if (!enabled.empty() && enabled != "0" && enabled != "1") bad_value("TILEWRIGHT_CACHE", enabled, "0 or 1");
  if (enabled != "0") settings.directory = default_directory(text);
  if (!limit.empty() && !parse_size(limit, settings.limit_bytes)) bad_value("TILEWRIGHT_CACHE_LIMIT", limit, "bytes, or a number with K, M, G or T");
  std::istringstream bundles(text("TILEWRIGHT_BUNDLES"));
  for (std::string path; std::getline(bundles, path, ':');) {
    if (!path.empty()) settings.bundles.push_back(path);
  }
  if (jit == "warn") settings.jit = JitPolicy::Warn;
  if (jit == "deny") settings.jit = JitPolicy::Deny;
  if (!jit.empty() && jit != "allow" && jit != "warn" && jit != "deny") bad_value("TILEWRIGHT_JIT", jit, "allow, warn or deny");
  return settings;
}

CacheSettings settings_of_environment() { return read_settings([](const char* name) -> const char* { return std::getenv(name); }); }

}  // namespace tilewright::cache

#include "runtime/support/log.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace tilewright {

namespace {

constexpr std::array<std::string_view, 4> kNames = {"error", "warn", "info", "debug"};

void write_line(LogLevel level, std::string_view text) {
  std::string line = "tilewright: ";
  line.append(kNames[static_cast<std::size_t>(level)]).append(": ").append(text).append("\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

LogLevel level_of_environment() {
  LogLevel level = LogLevel::Warn;
  const char* value = std::getenv("TILEWRIGHT_LOG");
  if (value != nullptr && *value != '\0' && !parse_log_level(value, level))
    write_line(LogLevel::Warn, "TILEWRIGHT_LOG is '" + std::string(value) + "', expected error, warn, info or debug");
  return level;
}

}  // namespace

bool parse_log_level(std::string_view text, LogLevel& level) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == text) {
      level = static_cast<LogLevel>(i);
      return true;
    }
  }
  return false;
}

bool log_enabled(LogLevel level) {
  static const LogLevel shown = level_of_environment();
  return level <= shown;
}

void log(LogLevel level, std::string_view text) {
  if (log_enabled(level)) write_line(level, text);
}

}  // namespace tilewright

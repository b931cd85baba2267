// Messages about what the runtime does, on stderr. TILEWRIGHT_LOG=error|warn|info|debug chooses how many; without it, warn.
#pragma once

#include <string_view>

namespace tilewright {

enum class LogLevel { Error, Warn, Info, Debug };

// Whether messages of this level are shown; ask before composing a costly one. The environment is read once.
bool log_enabled(LogLevel level);

// Writes one line, "tilewright: warn: text". Thread-safe: lines do not mix.
void log(LogLevel level, std::string_view text);

// The level a value of TILEWRIGHT_LOG names; false for a value that names none.
bool parse_log_level(std::string_view text, LogLevel& level);

}  // namespace tilewright

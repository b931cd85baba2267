// What a long command is doing, on stderr: shown to a person at a terminal, and wherever TILEWRIGHT_LOG asks for info.
#pragma once

#include "runtime/support/log.h"

#include <fmt/core.h>

#include <unistd.h>

namespace tilewright::cli {

template <class... Args>
void progress(fmt::format_string<Args...> text, Args&&... args) {
  static const bool terminal = ::isatty(STDERR_FILENO) == 1;
  if (terminal || log_enabled(LogLevel::Info)) fmt::print(stderr, "{}\n", fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace tilewright::cli

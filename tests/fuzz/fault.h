// Runs code that may touch a guard page, and lives on.
#pragma once

#include <functional>
#include <string>

namespace tilewright::fuzz {

struct Fault {
  int signal = 0;  // 0: none
  const void* address = nullptr;
  std::string name() const;  // "SIGSEGV"
};

// Calls `code`; a SIGSEGV, SIGBUS, SIGILL or SIGFPE in it ends it and is reported. Nothing in `code` is unwound then: it must own nothing that needs it.
// Not for several threads at once.
Fault run_catching_faults(const std::function<void()>& code);

}  // namespace tilewright::fuzz

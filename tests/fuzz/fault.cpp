// Signal handlers on a stack of their own, left by siglongjmp.
#include "tests/fuzz/fault.h"

#include <setjmp.h>
#include <signal.h>

#include <array>
#include <vector>

namespace tilewright::fuzz {

namespace {

constexpr std::array kSignals = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};

sigjmp_buf escape;
volatile sig_atomic_t caught;
const void* volatile caught_address;

void handle(int signal, siginfo_t* info, void*) {
  caught = signal;
  caught_address = info->si_addr;
  siglongjmp(escape, 1);
}

// Installs the handlers for one call and puts back what was there.
class Handlers {
 public:
  Handlers() : stack_(1 << 16) {
    stack_t alternative{};
    alternative.ss_sp = stack_.data();
    alternative.ss_size = stack_.size();
    sigaltstack(&alternative, &previous_stack_);
    struct sigaction action {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &previous_[i]);
  }
  ~Handlers() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &previous_[i], nullptr);
    sigaltstack(&previous_stack_, nullptr);
  }
  Handlers(const Handlers&) = delete;
  Handlers& operator=(const Handlers&) = delete;

 private:
  std::vector<char> stack_;
  stack_t previous_stack_{};
  std::array<struct sigaction, kSignals.size()> previous_;
};

}  // namespace

std::string Fault::name() const {
  switch (signal) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGILL: return "SIGILL";
    case SIGFPE: return "SIGFPE";
    default: return "no fault";
  }
}

Fault run_catching_faults(const std::function<void()>& code) {
  const Handlers handlers;
  caught = 0;
  if (sigsetjmp(escape, 1) == 0) code();
  return {caught, const_cast<const void*>(caught_address)};
}

}  // namespace tilewright::fuzz

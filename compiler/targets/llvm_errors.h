// LLVM's ways of failing, made into Error: diagnostics of a context, and fatal errors, which would end the process.
#pragma once

#include "runtime/support/error.h"

#include <functional>
#include <string>

namespace llvm {
class LLVMContext;
}

namespace tilewright {

// The first error that LLVM reports through a context. Must outlive the context's use.
class LlvmDiagnostics {
 public:
  explicit LlvmDiagnostics(llvm::LLVMContext& context);
  LlvmDiagnostics(const LlvmDiagnostics&) = delete;
  LlvmDiagnostics& operator=(const LlvmDiagnostics&) = delete;

  // Throws Error `code` with `doing` and what was reported, if anything was.
  void throw_if_failed(int code, const std::string& doing) const;

 private:
  std::string message_;
  SourcePosition where_;
};

// Runs `work`, in which LLVM may meet a fatal error: that is thrown as Error `code`, with the position in the author's source where LLVM's text has one. Any number of threads may
// do so at once. What LLVM had allocated is lost then, so this is for what should not happen.
void guard_llvm(int code, const std::string& doing, const std::function<void()>& work);

}  // namespace tilewright

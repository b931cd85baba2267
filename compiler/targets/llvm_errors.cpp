#include "compiler/targets/llvm_errors.h"

#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"

#include <charconv>
#include <mutex>
#include <string_view>

namespace tilewright {

namespace {

struct FatalError {
  std::string reason;
};

void install_handler() {
  static std::once_flag once;
  std::call_once(once, [] { llvm::install_fatal_error_handler([](void*, const char* reason, bool) { throw FatalError{reason}; }); });
}

// The number that `text` ends in, which is then taken off together with the colon before it; 0 when it does not end so.
std::uint32_t take_number(std::string_view& text) {
  const std::size_t colon = text.find_last_of(':');
  if (colon == std::string_view::npos) return 0;
  std::uint32_t value = 0;
  const auto [end, problem] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return 0;
  text = text.substr(0, colon);
  return value;
}

// The first "file:line:column" in a text: LLVM prints nodes of its graphs as "t5: f32 = fexp t4, kernel.cpp:12:3".
SourcePosition position_in(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(" \n");
    std::string_view word = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::uint32_t column = take_number(word), line = column != 0 ? take_number(word) : 0;
    if (line != 0 && !word.empty()) return {std::string(word), line, column};
  }
  return {};
}

}  // namespace

LlvmDiagnostics::LlvmDiagnostics(llvm::LLVMContext& context) {
  // The default handler ends the process on an error.
  context.setDiagnosticHandlerCallBack(
      [](const llvm::DiagnosticInfo* info, void* self) {
        auto& diagnostics = *static_cast<LlvmDiagnostics*>(self);
        if (info->getSeverity() != llvm::DS_Error || !diagnostics.message_.empty()) return;
        llvm::raw_string_ostream stream(diagnostics.message_);
        llvm::DiagnosticPrinterRawOStream printer(stream);
        info->print(printer);
        const auto* located = dynamic_cast<const llvm::DiagnosticInfoWithLocationBase*>(info);
        if (located != nullptr && located->isLocationAvailable()) {
          llvm::StringRef file;
          unsigned line = 0, column = 0;
          located->getLocation(file, line, column);
          diagnostics.where_ = {file.str(), line, column};
        }
      },
      this);
}

void LlvmDiagnostics::throw_if_failed(int code, const std::string& doing) const {
  if (!message_.empty()) throw Error(code, doing + ": " + message_, where_);
}

void guard_llvm(int code, const std::string& doing, const std::function<void()>& work) {
  install_handler();
  try {
    work();
  } catch (const FatalError& error) {
    throw Error(code, doing + ": " + error.reason.substr(0, error.reason.find('\n')), position_in(error.reason)).note("LLVM: " + error.reason);
  }
}

}  // namespace tilewright

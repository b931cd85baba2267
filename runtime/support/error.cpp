#include "runtime/support/error.h"

#include <utility>

namespace tilewright {

Error::Error(int code, std::string message, SourcePosition where)
    : code_(code), message_(std::move(message)), where_(std::move(where)) {
  render();
}

Error& Error::note(std::string text) {
  notes_.push_back(std::move(text));
  render();
  return *this;
}

Error& Error::help(std::string text) {
  helps_.push_back(std::move(text));
  render();
  return *this;
}

void Error::render() {
  text_ = "error[TW" + std::to_string(code_) + "]: " + message_;
  if (where_.line != 0)
    text_ += "\n  --> " + where_.file + ":" + std::to_string(where_.line) + ":" + std::to_string(where_.column);
  for (const std::string& text : notes_) text_ += "\nnote: " + text;
  for (const std::string& text : helps_) text_ += "\nhelp: " + text;
}

}  // namespace tilewright

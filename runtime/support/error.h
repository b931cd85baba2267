// The one exception type of the project, and how it is shown.
//
//   error[TW1204]: tile shapes do not match in '+': 64x128 and 128x64
//     --> my_kernel.cpp:41:23
//   note: ...
//   help: ...
//
// Codes: TW1xxx the author's mistake in a kernel, TW2xxx a limit of the device or target, TW3xxx bad arguments of a call
// (tensors, settings, files), TW9xxx our own bug.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace tilewright {

// A position in an author's source; line and column are 1-based, line 0 means unknown.
struct SourcePosition {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

class Error : public std::exception {
 public:
  Error(int code, std::string message, SourcePosition where = {});

  Error& note(std::string text);
  Error& help(std::string text);

  int code() const { return code_; }
  const std::string& message() const { return message_; }
  const SourcePosition& where() const { return where_; }
  const std::vector<std::string>& notes() const { return notes_; }
  const std::vector<std::string>& helps() const { return helps_; }

  // The whole text shown above, without a trailing newline.
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  void render();

  int code_;
  std::string message_;
  SourcePosition where_;
  std::vector<std::string> notes_, helps_;
  std::string text_;
};

}  // namespace tilewright

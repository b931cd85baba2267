// Functions of another language that a program calls: what Op::text of an Extern holds.
#pragma once

#include "runtime/support/error.h"

#include <initializer_list>
#include <string>
#include <string_view>

namespace tilewright::program {

struct Program;

struct External {
  std::string language;  // a word in lower case: "cuda"
  std::string name;      // as the language finds it in the source: "gelu", "activations::gelu"
  std::string source;    // defines the function
  bool operator==(const External&) const = default;
};

// "cuda gelu", and from the second line on the source.
std::string to_text(const External& function);

// The reverse; fields stay empty where `text` was not written by to_text().
External external_of(std::string_view text);

// Throws Error TW1230 for an empty source, and for a name that is not made of identifiers joined by "::".
void check_external(const External& function, const SourcePosition& where);

// For targets and devices: throws Error TW2330, with the author's position, at the first call of a function in a language other than `languages`. `runner` is who cannot
// run it: "target 'x86-64-v3'".
void expect_languages(const Program& program, std::initializer_list<std::string_view> languages, const std::string& runner);

}  // namespace tilewright::program

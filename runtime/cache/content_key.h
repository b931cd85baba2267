// The content key: everything that decides about a compiled kernel, and its hash, by which the kernel is found again. Equal in every process, on every machine.
//
//   key    := count:u32 part*                   parts in a fixed order
//   part   := name:text value:text              text := length:u64 bytes
//
//   kernel      the program's name              parameters, bindings, grid, body   as program_encoding.h says
//   positions   of assertions; of every operation where the target compiles lines in
//   target      its name                        processor  what the compiler says the target is: features, assembler
//   compiler    its version and its build
#pragma once

#include "dsl/program/program.h"
#include "runtime/cache/hash.h"
#include "runtime/compiler.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tilewright::cache {

struct ContentKey {
  std::vector<std::pair<std::string, std::string>> parts;  // name, value
  std::string bytes;                                       // the encoding of the parts
  Hash128 hash;                                            // of the bytes

  std::string_view part(std::string_view name) const;  // empty when there is none
};

// What a compiler says of itself and of a target; asked once for many keys.
struct CodeOrigin {
  std::string target, processor, compiler;
  bool keeps_positions = true;
};

CodeOrigin origin_of(const Compiler& compiler, const std::string& target);

ContentKey content_key(const program::Program& program, const CodeOrigin& origin);

// The hash of the parts that tell programs apart: all but positions, target, processor and compiler.
Hash128 program_hash(const ContentKey& key);

// The hash of every operation's position, whether or not the key has them.
Hash128 positions_of(const program::Program& program);

// Reads what ContentKey::bytes holds; false, and no more, for other bytes.
bool decode_key(std::string_view bytes, ContentKey& key);

// In which parts two keys differ, a sentence each; empty for equal keys.
std::vector<std::string> differences(const ContentKey& a, const ContentKey& b);

}  // namespace tilewright::cache

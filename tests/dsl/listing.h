// Listings of programs for comparison in tests.
#pragma once

#include "dsl/program/program.h"

#include <sstream>
#include <string>

namespace tilewright::program {

// to_text without positions: what two compilers agree on.
inline std::string listing(const Program& program) {
  std::istringstream in(to_text(program));
  std::string out, line;
  while (std::getline(in, line)) {
    out += line.substr(0, line.find("   ; "));
    out += '\n';
  }
  return out;
}

// How often `opcode` occurs, regions included.
inline int count(const Program& program, Opcode opcode) {
  int n = 0;
  for (const Op& op : program.ops) n += op.opcode == opcode;
  return n;
}

}  // namespace tilewright::program

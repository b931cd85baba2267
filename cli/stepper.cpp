#include "cli/stepper.h"

#include <fmt/core.h>

#include <iostream>
#include <string>

namespace tilewright::cli {

namespace {

std::string place(const program::Program& program, const program::Op& op) {
  if (op.loc.line == 0) return "(made by the language)";
  return fmt::format("{}:{}:{}", program.files[op.loc.file], op.loc.line, op.loc.column);
}

std::string listing(const program::Program& program, const program::Op& op) {
  std::string text;
  for (program::ValueId result : op.results) text += fmt::format("{}%{}:{}", text.empty() ? "" : ", ", result, program::to_string(program.type(result)));
  if (!text.empty()) text += " = ";
  text += std::string(program::mnemonic_of(op.opcode)) + "(";
  for (std::size_t i = 0; i < op.operands.size(); ++i) text += fmt::format("{}%{}", i ? ", " : "", op.operands[i]);
  text += ")";
  return op.text.empty() ? text : text + " \"" + op.text + "\"";
}

}  // namespace

void Stepper::before(const reference::Interpreter& at, program::OpId op) {
  const reference::GridIndex& here = at.program_id();
  if (program_ != here) {
    program_ = here;
    last_.reset();
    if (mode_ != Stepping::Off && skipped_ != here) fmt::print(stderr, "program [{}, {}, {}] of {}\n", here[0], here[1], here[2], at.program().name);
  }
  if (mode_ == Stepping::Off || skipped_ == here) return;
  show_results(at);
  last_ = op;
  const program::Op& operation = at.program().ops[op];
  fmt::print(stderr, "  {}  {}\n", place(at.program(), operation), listing(at.program(), operation));
  if (mode_ == Stepping::Step) wait(at);
}

void Stepper::show_results(const reference::Interpreter& at) {
  if (!last_) return;
  for (program::ValueId result : at.program().ops[*last_].results) {
    if (at.program().type(result).is_tile() && at.tile(result).elements() != 0) fmt::print(stderr, "    %{} = {}\n", result, reference::to_text(at.tile(result)));
  }
}

void Stepper::wait(const reference::Interpreter& at) {
  while (true) {
    fmt::print(stderr, "step> ");
    std::string line;
    if (!std::getline(std::cin, line) || line == "c") {
      mode_ = Stepping::Off;
      return;
    }
    if (line.empty()) return;
    if (line == "q") throw Stopped();
    if (line == "p") {
      skipped_ = at.program_id();
      return;
    }
    fmt::print(stderr, "empty line: the next operation; p: the next program; c: run on; q: stop\n");
  }
}

}  // namespace tilewright::cli

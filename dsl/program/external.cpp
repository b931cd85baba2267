#include "dsl/program/external.h"

#include "dsl/program/infer.h"
#include "dsl/program/program.h"

#include <algorithm>
#include <cctype>

namespace tilewright::program {

namespace {

bool is_identifier(std::string_view word) {
  const auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; };
  const auto inner = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !word.empty() && letter(word[0]) && std::all_of(word.begin(), word.end(), inner);
}

bool is_qualified_name(std::string_view name) {
  for (std::size_t at = name.find("::"); at != std::string_view::npos; at = name.find("::")) {
    if (!is_identifier(name.substr(0, at))) return false;
    name.remove_prefix(at + 2);
  }
  return is_identifier(name);
}

}  // namespace

std::string to_text(const External& function) { return function.language + " " + function.name + "\n" + function.source; }

External external_of(std::string_view text) {
  const std::size_t line = text.find('\n'), space = text.find(' ');
  if (line == std::string_view::npos || space == std::string_view::npos || space > line) return {};
  return {std::string(text.substr(0, space)), std::string(text.substr(space + 1, line - space - 1)), std::string(text.substr(line + 1))};
}

void check_external(const External& function, const SourcePosition& where) {
  if (function.name.empty()) rules::fail(1230, "an external function has no name", where, "name the function of the source that is to be called");
  if (!is_qualified_name(function.name))
    rules::fail(1230, "'" + function.name + "' is not the name of a function", where, "names are identifiers, in a namespace joined by '::'; arguments are tiles in the call");
  if (function.source.find_first_not_of(" \t\r\n") == std::string::npos) rules::fail(1230, "the source of external function '" + function.name + "' is empty", where);
}

void expect_languages(const Program& program, std::initializer_list<std::string_view> languages, const std::string& runner) {
  for (const Op& op : program.ops) {
    if (op.opcode != Opcode::Extern) continue;
    const External function = external_of(op.text);
    if (std::find(languages.begin(), languages.end(), function.language) != languages.end()) continue;
    std::string language = function.language;
    std::transform(language.begin(), language.end(), language.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    SourcePosition where;
    if (op.loc.line != 0) where = {program.files.at(op.loc.file), op.loc.line, op.loc.column};
    throw Error(2330, "kernel '" + program.name + "' calls the " + language + " function '" + function.name + "', which " + runner + " cannot run", where)
        .help("only targets with a compiler of " + language + " run it; elsewhere write it with the operations of tiles");
  }
}

namespace rules {

std::vector<Type> infer_external(const OpSignature& op, const SourcePosition& where) {
  const External function = external_of(op.text);
  if (!is_identifier(function.language)) fail(9101, "'extern' has a text of another form", where);
  check_external(function, where);
  if (op.operands.empty()) fail(1200, "external function '" + function.name + "' is called without arguments", where);
  expect_ints(op, 0, where);
  for (const Type& type : op.operands) {
    expect_tile(type, function.name, where);
    expect_no_float8(type, function.name, where);
    if (type.shape != op.operands[0].shape)
      fail(1204, "tile shapes do not match in '" + function.name + "': " + to_string(op.operands[0].shape) + " and " + to_string(type.shape), where);
  }
  if (op.wanted->is_view || op.wanted->shape != op.operands[0].shape)
    fail(1204, "external function '" + function.name + "' gives " + to_string(*op.wanted) + " for arguments of shape " + to_string(op.operands[0].shape), where);
  expect_no_float8(*op.wanted, function.name, where);
  return {*op.wanted};
}

}  // namespace rules

}  // namespace tilewright::program

// The listing of a program. One operation a line:
//   %12:64x64xf32 = dot(%9, %10, %11)   ; flash.cpp:41:23
#include "dsl/program/program.h"

#include <bit>
#include <sstream>

namespace tilewright::program {

namespace {

class Listing {
 public:
  explicit Listing(const Program& program) : program_(program) {}

  std::string run() {
    out_ << "kernel " << program_.name << "(";
    for (std::size_t i = 0; i < program_.params.size(); ++i) {
      const Param& param = program_.params[i];
      out_ << (i ? ", " : "") << param.name << " = " << typed(param.value);
      if (param.kind == ParamKind::Output) out_ << " out";
      if (param.kind == ParamKind::InOut) out_ << " inout";
      if (param.facts.unit_inner_stride) out_ << " unit_inner_stride";
      if (param.facts.aligned16) out_ << " aligned16";
      if (param.facts.fits32) out_ << " fits32";
      if (param.facts.whole_rows16) out_ << " whole_rows16";
    }
    out_ << ")\n";
    for (const auto& [name, value] : program_.bindings) out_ << "  where " << name << " = " << value << "\n";
    region("grid", program_.grid, 1);
    region("body", program_.body, 1);
    return out_.str();
  }

 private:
  std::string typed(ValueId value) { return "%" + std::to_string(value) + ":" + to_string(program_.type(value)); }

  static std::string on_one_line(const std::string& text) {
    std::string line;
    for (const char c : text) line += c == '\n' ? std::string("\\n") : std::string(1, c);
    return line;
  }

  template <class List, class Print>
  void list(const List& items, Print print) {
    bool first = true;
    for (const auto& item : items) {
      if (!first) out_ << ", ";
      first = false;
      print(item);
    }
  }

  void indent(int depth) { out_ << std::string(2 * depth, ' '); }

  void region(const char* title, const Region& region, int depth) {
    indent(depth);
    out_ << title;
    if (!region.args.empty()) {
      out_ << " (";
      list(region.args, [&](ValueId v) { out_ << typed(v); });
      out_ << ")";
    }
    out_ << " {\n";
    for (OpId id : region.ops) operation(program_.ops[id], depth + 1);
    if (!region.yields.empty()) {
      indent(depth + 1);
      out_ << "yield ";
      list(region.yields, [&](ValueId v) { out_ << "%" << v; });
      out_ << "\n";
    }
    indent(depth);
    out_ << "}\n";
  }

  void operation(const Op& op, int depth) {
    indent(depth);
    if (!op.results.empty()) {
      list(op.results, [&](ValueId v) { out_ << typed(v); });
      out_ << " = ";
    }
    out_ << mnemonic_of(op.opcode) << "(";
    list(op.operands, [&](ValueId v) { out_ << "%" << v; });
    out_ << ")";
    if (op.opcode == Opcode::Constant && is_float(program_.type(op.results[0]).dtype)) {
      out_ << " " << std::bit_cast<double>(op.ints[0]);
    } else if (!op.ints.empty()) {
      out_ << " [";
      list(op.ints, [&](std::int64_t i) { out_ << i; });
      out_ << "]";
    }
    if (!op.text.empty()) out_ << " \"" << on_one_line(op.text) << "\"";
    if (op.loc.line != 0) out_ << "   ; " << program_.files[op.loc.file] << ":" << op.loc.line << ":" << op.loc.column;
    out_ << "\n";
    for (const Region& r : op.regions) region("do", r, depth + 1);
  }

  const Program& program_;
  std::ostringstream out_;
};

}  // namespace

std::string to_text(const Program& program) { return Listing(program).run(); }

}  // namespace tilewright::program

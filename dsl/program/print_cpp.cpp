#include "dsl/program/print_cpp.h"

#include "dsl/program/external.h"
#include "runtime/support/error.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>
#include <vector>

namespace tilewright::program {

namespace {

std::string dtype_word(DType dtype) { return dtype == DType::Bool ? "boolean" : std::string(name_of(dtype)); }

std::string integer_literal(std::int64_t value) {
  if (value == INT64_MIN) return "(-9223372036854775807 - 1)";
  return std::to_string(value);
}

std::string real_literal(double value) {
  if (std::isnan(value)) return std::signbit(value) ? "-__builtin_nan(\"\")" : "__builtin_nan(\"\")";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  const std::string decimal(text);
  return decimal.find_first_of(".e") == std::string::npos ? decimal + ".0" : decimal;
}

std::string string_literal(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    char escape[8];
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 32 || c == '?') {
      std::snprintf(escape, sizeof escape, "\\%03o", static_cast<unsigned char>(c));
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

// {"a", "b"} -> "a, b"
std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

std::string braced(const std::vector<std::int64_t>& items) {
  std::vector<std::string> texts;
  for (std::int64_t item : items) texts.push_back(std::to_string(item));
  return "{" + joined(texts) + "}";
}

// The maps of a Load, Store or Atomic.
struct Access {
  std::vector<std::int64_t> axes;  // of the tile, in the order of dimensions
  bool full = false;               // has an index tile of the whole shape
  bool in_order() const { return std::is_sorted(axes.begin(), axes.end()); }
};

Access access_of(const Op& op) {
  Access access;
  for (std::size_t d = 2; d < op.ints.size(); ++d) {
    if (op.ints[d] == kMapFull) access.full = true;
    if (op.ints[d] >= 0) access.axes.push_back(op.ints[d]);
  }
  return access;
}

// A function of the language for a built-in reduction or scan; null where there is none.
const char* reduction_function(const Op& op, DType dtype) {
  const bool scans = op.opcode == Opcode::Scan;
  switch (static_cast<ReduceKind>(op.ints[1])) {
    case ReduceKind::Sum: return scans ? "cumsum" : "sum";
    case ReduceKind::Prod: return scans ? "cumprod" : "prod";
    case ReduceKind::Max: return scans ? "cummax" : "reduce_max";
    case ReduceKind::Min: return scans ? "cummin" : "reduce_min";
    case ReduceKind::And: return dtype == DType::Bool && !scans ? "all" : nullptr;
    case ReduceKind::Or: return dtype == DType::Bool && !scans ? "any" : nullptr;
    default: return nullptr;
  }
}

bool is_rewritten(const Program& program, const Op& op) {
  if (op.opcode == Opcode::Reduce || op.opcode == Opcode::Scan)
    return static_cast<ReduceKind>(op.ints[1]) != ReduceKind::Custom && !reduction_function(op, program.type(op.operands[0]).dtype);
  if (op.opcode != Opcode::Load && op.opcode != Opcode::Store && op.opcode != Opcode::Atomic) return false;
  const Access access = access_of(op);
  const bool other_alone = op.opcode == Opcode::Load && op.ints[1] != 0 && op.ints[0] == 0;
  return access.full ? !access.axes.empty() || other_alone : !access.in_order();
}

class Printer {
 public:
  Printer(const Program& program, std::string_view name) : program_(program), struct_(name) {}

  std::string run() {
    out_ << "#include \"dsl/tilewright.h\"\n\nusing namespace tilewright;\n\nstruct " << struct_ << " {\n";
    for (const auto& [setting, value] : program_.bindings)
      out_ << "  Const<int> setting_" << setting << "{" << string_literal(setting) << ", " << value << "};\n";
    depth_ = 1;
    name_params();
    line("Grid grid(" + parameters() + ") const {");
    block(program_.grid);
    ++depth_;
    line("return {" + names(program_.grid.yields) + "};");
    --depth_;
    line("}");
    line("void body(" + parameters() + ") const {");
    block(program_.body);
    line("}");
    out_ << "};\nTW_KERNEL(" << struct_ << ", " << string_literal(program_.name);
    for (const Param& param : program_.params) out_ << ", " << string_literal(param.name);
    out_ << ")\n";
    return out_.str();
  }

 private:
  // ---- names

  void name_params() {
    std::set<std::string> taken;
    for (const Param& param : program_.params) {
      std::string name;
      for (const char c : param.name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
      name = "p_" + name;  // no keyword, no function of the language, no value
      while (!taken.insert(name).second) name += '_';
      names_[param.value] = name;
    }
  }

  std::string parameters() {
    std::vector<std::string> texts;
    for (const Param& param : program_.params) {
      const char* type = param.kind == ParamKind::Input ? "In" : param.kind == ParamKind::Output ? "Out" : param.kind == ParamKind::InOut ? "InOut" : "Scalar";
      texts.push_back(std::string(type) + " " + names_.at(param.value));
    }
    return joined(texts);
  }

  std::string name(ValueId value) const {
    const auto found = names_.find(value);
    return found != names_.end() ? found->second : "v" + std::to_string(value);
  }

  std::string names(const std::vector<ValueId>& values) const {
    std::vector<std::string> texts;
    for (ValueId value : values) texts.push_back(name(value));
    return joined(texts);
  }

  const Type& type(ValueId value) const { return program_.type(value); }

  // A scalar i64 constant is written where it is used as a position.
  std::string position(ValueId value) const {
    const OpId def = program_.values[value].def;
    if (def != kNone && program_.ops[def].opcode == Opcode::Constant && type(value) == Type{DType::I64, {}}) return integer_literal(program_.ops[def].ints[0]);
    return name(value);
  }

  // ---- lines

  void line(const std::string& text) { out_ << std::string(2 * depth_, ' ') << text << "\n"; }
  void define(ValueId value, const std::string& expression) { line("Tile " + name(value) + " = " + expression + ";"); }

  void block(const Region& region) {
    ++depth_;
    for (OpId id : region.ops) operation(program_.ops[id]);
    --depth_;
  }

  std::string constant(const Type& type, std::int64_t bits) {
    const std::string value = type.dtype == DType::Bool   ? (bits ? "true" : "false")
                              : is_float(type.dtype) ? real_literal(std::bit_cast<double>(bits))
                                                     : integer_literal(bits);
    if (type.shape.empty()) return "scalar(" + dtype_word(type.dtype) + ", " + value + ")";
    return "full(" + dtype_word(type.dtype) + ", " + braced(type.shape) + ", " + value + ")";
  }

  // ---- operations

  void operation(const Op& op) {
    switch (op.opcode) {
      case Opcode::ViewNarrow:
        return line("View " + name(op.results[0]) + " = " + name(op.operands[0]) + ".narrow(" + std::to_string(op.ints[0]) + ", " + position(op.operands[1]) + ", " +
                    position(op.operands[2]) + ");");
      case Opcode::Load: return load(op);
      case Opcode::Store: return store(op);
      case Opcode::Atomic: return atomic(op);
      case Opcode::Fence: return line("fence(Order::" + std::string(name_of(static_cast<MemoryOrder>(op.ints[0]))) + ");");
      case Opcode::TopK: return top_k(op);
      case Opcode::Reduce: case Opcode::Scan: return reduction(op);
      case Opcode::For: return loop(op);
      case Opcode::If: return branch(op);
      case Opcode::While: return while_loop(op);
      case Opcode::Roles: case Opcode::Channel: case Opcode::SharedTile: case Opcode::Turns: throw Error(9104, "a program with roles is not printed as C++");
      case Opcode::Print: return line("print(" + string_literal(op.text) + (op.operands.empty() ? "" : ", " + names(op.operands)) + ");");
      case Opcode::Assert: return line("check(" + name(op.operands[0]) + ", " + string_literal(op.text) + ");");
      default: define(op.results[0], expression(op));
    }
  }

  static const char* infix(Opcode opcode) {
    switch (opcode) {
      case Opcode::Add: return " + ";
      case Opcode::Sub: return " - ";
      case Opcode::Mul: return " * ";
      case Opcode::Div: return " / ";
      case Opcode::Rem: return " % ";
      case Opcode::And: return " & ";
      case Opcode::Or: return " | ";
      case Opcode::Xor: return " ^ ";
      case Opcode::Shl: return " << ";
      case Opcode::Shr: return " >> ";
      case Opcode::Eq: return " == ";
      case Opcode::Ne: return " != ";
      case Opcode::Lt: return " < ";
      case Opcode::Le: return " <= ";
      case Opcode::Gt: return " > ";
      case Opcode::Ge: return " >= ";
      default: return nullptr;
    }
  }

  std::string expression(const Op& op) {
    const Type& result = type(op.results[0]);
    const auto first = [&] { return name(op.operands[0]); };
    const auto integer = [&](std::size_t i) { return std::to_string(op.ints[i]); };
    if (const char* symbol = infix(op.opcode)) return first() + symbol + name(op.operands[1]);
    switch (op.opcode) {
      case Opcode::Constant: return constant(result, op.ints[0]);
      case Opcode::Arange: return "arange(" + std::to_string(result.shape[0]) + ", " + integer_literal(op.ints[0]) + ", " + dtype_word(result.dtype) + ")";
      case Opcode::ViewSize: return first() + ".size(" + integer(0) + ")";
      case Opcode::ProgramId: case Opcode::NumPrograms: return std::string(mnemonic_of(op.opcode)) + "(" + integer(0) + ")";
      case Opcode::Neg: return "-" + first();
      case Opcode::Not: return "~" + first();
      case Opcode::IsNan: return "isnan(" + first() + ")";
      case Opcode::Select: return "where(" + names(op.operands) + ")";
      case Opcode::Cast: case Opcode::Bitcast: return std::string(mnemonic_of(op.opcode)) + "(" + first() + ", " + dtype_word(result.dtype) + ")";
      case Opcode::Broadcast: return "broadcast_to(" + first() + ", " + braced(result.shape) + ")";
      case Opcode::Reshape: return "reshape(" + first() + ", " + braced(result.shape) + ")";
      case Opcode::Transpose: return "permute(" + first() + ", " + braced(op.ints) + ")";
      case Opcode::Extern: {
        const External function = external_of(op.text);
        return "extern_" + function.language + "(" + string_literal(function.source) + ", " + string_literal(function.name) + ", " + dtype_word(result.dtype) + ")(" +
               names(op.operands) + ")";
      }
      case Opcode::Concat: return "concat({" + names(op.operands) + "}, " + integer(0) + ")";
      case Opcode::Slice:
        return "slice(" + first() + ", " + integer(0) + ", " + integer(1) + ", " + std::to_string(result.shape[static_cast<std::size_t>(op.ints[0])]) + ")";
      case Opcode::Take: case Opcode::ArgMax: case Opcode::ArgMin:
        return std::string(mnemonic_of(op.opcode)) + "(" + names(op.operands) + ", " + integer(0) + ")";
      default: return std::string(mnemonic_of(op.opcode)) + "(" + names(op.operands) + ")";  // functions named like their operation
    }
  }

  void top_k(const Op& op) {
    const std::string pair = "top" + std::to_string(op.results[0]);
    line("TopK " + pair + " = top_k(" + name(op.operands[0]) + ", " + std::to_string(op.ints[1]) + ", " + std::to_string(op.ints[0]) + ", " +
         (op.ints[2] ? "true" : "false") + ");");
    define(op.results[0], pair + ".values");
    define(op.results[1], pair + ".indices");
  }

  // ---- memory

  // The indices of an access, one a dimension.
  std::string indices(const Op& op, const Access& access, const Shape& shape) {
    std::vector<std::string> texts;
    for (std::size_t d = 0; d + 2 < op.ints.size(); ++d) {
      const ValueId index = op.operands[1 + d];
      const std::int64_t map = op.ints[2 + d];
      if (map < 0) {
        texts.push_back(map == kMapPoint ? position(index) : name(index));
      } else if (access.full) {
        // Along one axis, repeated along the others.
        const std::string extent = std::to_string(shape[static_cast<std::size_t>(map)]);
        Shape line_shape(shape.size(), 1);
        line_shape[static_cast<std::size_t>(map)] = shape[static_cast<std::size_t>(map)];
        const std::string along = type(index).is_scalar() ? name(index) + " + arange(" + extent + ", 0, i64)" : name(index);
        texts.push_back("broadcast_to(reshape(" + along + ", " + braced(line_shape) + "), " + braced(shape) + ")");
      } else if (type(index).is_scalar()) {
        texts.push_back("span(" + position(index) + ", " + std::to_string(shape[static_cast<std::size_t>(map)]) + ")");
      } else {
        texts.push_back(name(index));
      }
    }
    return "{" + joined(texts) + "}";
  }

  // A tile of the access's shape with its axes in the order of dimensions.
  std::string in_order(const Access& access, ValueId value) const {
    if (access.full || access.in_order() || type(value).is_scalar()) return name(value);
    return "permute(" + name(value) + ", " + braced(access.axes) + ")";
  }

  void load(const Op& op) {
    const Access access = access_of(op);
    const Type& tile = type(op.results[0]);
    std::size_t next = op.ints.size() - 1;
    const bool has_mask = op.ints[0] != 0, has_other = op.ints[1] != 0;
    std::string mask, other;
    if (has_mask) mask = in_order(access, op.operands[next++]);
    if (has_other) other = in_order(access, op.operands[next]);
    const std::string where = name(op.operands[0]) + ", " + indices(op, access, tile.shape);
    std::string text;
    if (access.full) {
      // load_at has no form with `other` alone.
      if (has_other && !has_mask) mask = "full(boolean, " + braced(tile.shape) + ", true)";
      text = "load_at(" + where + (mask.empty() ? "" : ", " + mask) + (has_other ? ", " + other : "") + ")";
    } else if (has_other && !has_mask) {
      text = "load_or(" + other + ", " + where + ")";
    } else {
      text = "load(" + where + (has_mask ? ", " + mask : "") + (has_other ? ", " + other : "") + ")";
    }
    define(op.results[0], out_of_order(access, text));
  }

  // What an access gives, with its axes in the tile's order.
  static std::string out_of_order(const Access& access, const std::string& text) {
    if (access.full || access.in_order()) return text;
    std::vector<std::int64_t> back(access.axes.size());
    for (std::size_t i = 0; i < back.size(); ++i) back[static_cast<std::size_t>(access.axes[i])] = static_cast<std::int64_t>(i);
    return "permute(" + text + ", " + braced(back) + ")";
  }

  void store(const Op& op) {
    const Access access = access_of(op);
    const std::size_t place = op.ints.size() - 1;
    const ValueId value = op.operands[place];
    line(std::string(access.full ? "store_at(" : "store(") + name(op.operands[0]) + ", " + indices(op, access, type(value).shape) + ", " + in_order(access, value) +
         (op.ints[0] ? ", " + in_order(access, op.operands[place + 1]) : "") + ");");
  }

  void atomic(const Op& op) {
    const Access access = access_of(op);
    const AtomicKind kind = static_cast<AtomicKind>(op.ints[1]);
    std::string text = std::string(function_of(kind)) + (access.full ? "_at(" : "(") + name(op.operands[0]) + ", " + indices(op, access, type(op.results[0]).shape);
    for (std::size_t i = op.ints.size() - 1; i < op.operands.size(); ++i) text += ", " + in_order(access, op.operands[i]);  // expected, value, mask
    define(op.results[0], out_of_order(access, text + ")"));
  }

  // ---- reductions

  void reduction(const Op& op) {
    const std::string axis = std::to_string(op.ints[0]);
    const std::string reverse = op.opcode == Opcode::Scan ? (op.ints[2] ? ", true" : ", false") : "";
    const std::string function(mnemonic_of(op.opcode));
    const ReduceKind kind = static_cast<ReduceKind>(op.ints[1]);
    if (kind != ReduceKind::Custom) {
      const std::string tile = name(op.operands[0]);
      if (const char* built_in = reduction_function(op, type(op.operands[0]).dtype))
        return define(op.results[0], std::string(built_in) + "(" + tile + ", " + axis + reverse + ")");
      const char* symbol = kind == ReduceKind::And ? "&" : kind == ReduceKind::Or ? "|" : "^";
      return define(op.results[0], function + "(" + tile + ", " + axis + ", [](Tile x, Tile y) { return x " + symbol + " y; }" + reverse + ")");
    }
    const Region& combiner = op.regions[0];
    const std::string results = "r" + std::to_string(op.results[0]);
    line("Tiles " + results + " = " + function + "(Tiles{" + names(op.operands) + "}, " + axis + ", [](Tiles x, Tiles y) {");
    const std::size_t n = op.operands.size();
    ++depth_;
    for (std::size_t i = 0; i < 2 * n; ++i) define(combiner.args[i], (i < n ? "x[" : "y[") + std::to_string(i % n) + "]");
    --depth_;
    block(combiner);
    ++depth_;
    line("return Tiles{" + names(combiner.yields) + "};");
    --depth_;
    line("}" + reverse + ");");
    for (std::size_t i = 0; i < n; ++i) define(op.results[i], results + "[" + std::to_string(i) + "]");
  }

  // ---- control. A carried value lives in a Var; inside, a Tile holds what it was at the start of the turn.

  static std::string variable(ValueId value) { return "c" + std::to_string(value); }

  void declare(const Op& op, std::size_t first_init) {
    for (std::size_t i = 0; i < op.results.size(); ++i) line("Var " + variable(op.results[i]) + " = " + name(op.operands[first_init + i]) + ";");
  }

  void snapshot(const Op& op, const Region& region, std::size_t first_arg) {
    ++depth_;
    for (std::size_t i = 0; i < op.results.size(); ++i) define(region.args[first_arg + i], variable(op.results[i]));
    --depth_;
  }

  void assign(const Op& op, const Region& region) {
    ++depth_;
    for (std::size_t i = 0; i < op.results.size(); ++i) line(variable(op.results[i]) + " = " + name(region.yields[i]) + ";");
    --depth_;
  }

  void finish(const Op& op) {
    for (ValueId result : op.results) define(result, variable(result));
  }

  void loop(const Op& op) {
    const Region& body = op.regions[0];
    declare(op, 3);
    const std::string pipeline = op.ints[0] == 1 ? "" : ", Pipeline{" + std::to_string(op.ints[0]) + (op.ints[1] ? "" : ", false") + "}";
    line("for (Index " + name(body.args[0]) + " : range(" + position(op.operands[0]) + ", " + position(op.operands[1]) + ", " + position(op.operands[2]) + pipeline +
         ")) {");
    snapshot(op, body, 1);
    block(body);
    assign(op, body);
    line("}");
    finish(op);
  }

  void branch(const Op& op) {
    for (ValueId result : op.results) line("Var " + variable(result) + " = " + constant(type(result), 0) + ";");
    line("when(" + name(op.operands[0]) + ", [&] {");
    block(op.regions[0]);
    assign(op, op.regions[0]);
    if (!op.regions[1].ops.empty() || !op.results.empty()) {
      line("}, [&] {");
      block(op.regions[1]);
      assign(op, op.regions[1]);
    }
    line("});");
    finish(op);
  }

  void while_loop(const Op& op) {
    declare(op, 0);
    line("while_([&] {");
    snapshot(op, op.regions[0], 0);
    block(op.regions[0]);
    ++depth_;
    line("return " + name(op.regions[0].yields[0]) + ";");
    --depth_;
    line("}, [&] {");
    snapshot(op, op.regions[1], 0);
    block(op.regions[1]);
    assign(op, op.regions[1]);
    line("});");
    finish(op);
  }

  const Program& program_;
  std::string struct_;
  std::ostringstream out_;
  std::map<ValueId, std::string> names_;
  int depth_ = 0;
};

}  // namespace

std::string print_cpp(const Program& program, std::string_view name) { return Printer(program, name).run(); }

bool rebuilds_exactly(const Program& program) {
  return std::none_of(program.ops.begin(), program.ops.end(), [&](const Op& op) { return is_rewritten(program, op); });
}

}  // namespace tilewright::program

#include "dsl/program/verify.h"

#include "dsl/program/infer.h"
#include "dsl/program/roles.h"

#include <algorithm>
#include <span>

namespace tilewright::program {

namespace {

const Type kIndexType{DType::I64, {}};
const Type kConditionType{DType::Bool, {}};

class Verifier {
 public:
  explicit Verifier(const Program& program)
      : program_(program), defined_(program.values.size()), visible_(program.values.size()), placed_(program.ops.size()) {}

  void run() {
    for (const Value& value : program_.values) {
      if (value.def != kNone && value.def >= program_.ops.size()) broken("a value names an operation that does not exist", {});
    }
    interface();
    top_region(program_.grid, true);
    top_region(program_.body, false);
    grid_yields();
    if (!program_.body.yields.empty()) broken("the body yields values", {});
  }

 private:
  enum class Place { Grid, Body, WhileCondition, Combiner };

  [[noreturn]] void broken(const std::string& what, const SourcePosition& where) const { throw Error(9102, "malformed program: " + what, where); }

  SourcePosition position(const Op& op) const {
    if (op.loc.line == 0) return {};
    if (op.loc.file >= program_.files.size()) broken("an operation names a file that does not exist", {});
    return {program_.files[op.loc.file], op.loc.line, op.loc.column};
  }

  // Records that `value` is made here, for the first time.
  void define(ValueId value, OpId def, const SourcePosition& where) {
    if (value >= program_.values.size()) broken("a value does not exist", where);
    if (defined_[value]) broken("%" + std::to_string(value) + " is made twice", where);
    if (program_.values[value].def != def) broken("%" + std::to_string(value) + " names another operation as its origin", where);
    defined_[value] = visible_[value] = true;
    scope_.push_back(value);
  }

  void use(ValueId value, const SourcePosition& where) const {
    if (value >= program_.values.size()) broken("a value does not exist", where);
    if (!visible_[value])
      rules::fail(1401, defined_[value] ? "a value is used outside the region it was made in" : "a value is used before it is made", where);
    if (combiner_start_ == kNotInCombiner) return;
    const bool inside = std::find(scope_.begin() + combiner_start_, scope_.end(), value) != scope_.end();
    if (!inside) rules::fail(1409, "a combiner uses a value from outside", where);
  }

  void interface() {
    for (const Param& param : program_.params) {
      define(param.value, kNone, {});
      const Type& type = program_.type(param.value);
      if (type.is_view == (param.kind == ParamKind::Scalar) || (!type.is_view && type.rank() != 0))
        broken("parameter '" + param.name + "' is " + to_string(type), {});
      for (std::int64_t extent : type.shape) {
        if (extent != -1) broken("parameter '" + param.name + "' has a static extent", {});
      }
    }
  }

  void top_region(const Region& region, bool grid) {
    if (!region.args.empty()) broken("a region of the program has arguments", {});
    contents(region, grid ? Place::Grid : Place::Body, {});
  }

  // Arguments must be defined by the caller; leaves the scope as it was found, after yields were seen.
  void contents(const Region& region, Place place, const SourcePosition& where) {
    const std::size_t start = scope_.size();
    for (OpId id : region.ops) {
      if (id >= program_.ops.size()) broken("an operation does not exist", where);
      if (placed_[id]) broken("an operation stands in two places", position(program_.ops[id]));
      placed_[id] = true;
      operation(id, place);
    }
    for (ValueId value : region.yields) use(value, where);
    leave(start);
  }

  void leave(std::size_t start) {
    for (std::size_t i = start; i < scope_.size(); ++i) visible_[scope_[i]] = false;
    scope_.resize(start);
  }

  void grid_yields() const {
    if (program_.grid.yields.size() != 3) broken("a grid has three extents", {});
    for (ValueId value : program_.grid.yields) {
      if (program_.type(value) != kIndexType) broken("an extent of the grid is " + to_string(program_.type(value)), {});
    }
  }

  void effects(const Op& op, Place place, const SourcePosition& where) const {
    const OpClass cls = class_of(op.opcode);
    const bool runs_on_device = op.opcode == Opcode::ProgramId || op.opcode == Opcode::NumPrograms || op.opcode == Opcode::Extern;
    const bool writes = cls == OpClass::Write || cls == OpClass::Effect;
    const bool bad = place == Place::Grid       ? cls != OpClass::Pure || runs_on_device
                     : place == Place::Combiner ? cls != OpClass::Pure || !op.regions.empty()
                                                : place == Place::WhileCondition && writes;
    if (!bad) return;
    const char* name = place == Place::Grid ? "a grid" : place == Place::Combiner ? "a combiner" : "the condition of while_";
    rules::fail(place == Place::Grid ? 1503 : 1407, "'" + std::string(spelling_of(op.opcode)) + "' is not possible in " + name, where);
  }

  void operation(OpId id, Place place) {
    const Op& op = program_.ops[id];
    const SourcePosition where = position(op);
    effects(op, place, where);
    std::vector<Type> operands;
    for (ValueId value : op.operands) {
      use(value, where);
      operands.push_back(program_.type(value));
    }
    for (ValueId value : op.results) {
      if (value >= program_.values.size()) broken("a value does not exist", where);
    }
    std::vector<Type> results;
    const bool reduces = op.opcode == Opcode::Reduce || op.opcode == Opcode::Scan;
    if (class_of(op.opcode) == OpClass::Control) {
      results = control(op, operands, place, where);
    } else if (reduces && op.ints.size() > 1 && op.ints[1] == static_cast<std::int64_t>(ReduceKind::Custom)) {
      results = custom_reduction(op, operands, where);
    } else {
      if (!op.regions.empty()) broken("'" + std::string(spelling_of(op.opcode)) + "' has regions", where);
      const Type* wanted = op.results.size() == 1 ? &program_.values[op.results[0]].type : nullptr;
      results = infer_results({op.opcode, operands, op.ints, wanted, op.text}, where);
    }
    if (results.size() != op.results.size())
      broken("'" + std::string(spelling_of(op.opcode)) + "' has " + std::to_string(op.results.size()) + " results", where);
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (program_.type(op.results[i]) != results[i])
        broken("'" + std::string(spelling_of(op.opcode)) + "' gives " + to_string(results[i]) + ", not " + to_string(program_.type(op.results[i])),
               where);
      define(op.results[i], id, where);
    }
  }

  void region(const Region& region, std::span<const Type> args, std::span<const Type> yields, Place place, const SourcePosition& where) {
    const std::size_t start = scope_.size();
    if (region.args.size() != args.size()) broken("a region has " + std::to_string(region.args.size()) + " arguments", where);
    for (std::size_t i = 0; i < args.size(); ++i) {
      define(region.args[i], kNone, where);
      if (program_.type(region.args[i]) != args[i]) broken("an argument of a region is " + to_string(program_.type(region.args[i])), where);
    }
    if (region.yields.size() != yields.size()) broken("a region yields " + std::to_string(region.yields.size()) + " values", where);
    contents(region, place, where);
    for (std::size_t i = 0; i < yields.size(); ++i) {
      const Type& type = program_.type(region.yields[i]);
      if (type != yields[i]) rules::fail(1403, "a region yields " + to_string(type) + " where it takes " + to_string(yields[i]), where);
    }
    leave(start);
  }

  void expect_regions(const Op& op, std::size_t count, const SourcePosition& where) const {
    if (op.regions.size() != count)
      broken("'" + std::string(spelling_of(op.opcode)) + "' has " + std::to_string(op.regions.size()) + " regions", where);
  }

  std::vector<Type> control(const Op& op, const std::vector<Type>& operands, Place place, const SourcePosition& where) {
    expect_regions(op, op.opcode == Opcode::For ? 1 : 2, where);
    if (op.opcode == Opcode::If) {
      if (operands.size() != 1 || operands[0] != kConditionType) broken("'when' does not take one bool", where);
      std::vector<Type> results;
      results.reserve(op.results.size());
      for (ValueId value : op.results) results.push_back(program_.type(value));
      for (const Region& branch : op.regions) region(branch, {}, results, place, where);
      return results;
    }
    if (op.opcode == Opcode::Roles) {
      if (!operands.empty() || !op.results.empty() || op.ints.size() != 3) broken("'roles' has operands, results or no registers and teams", where);
      for (const Region& role : op.regions) region(role, {}, {}, place, where);
      return {};
    }
    if (op.opcode == Opcode::While) {
      const std::vector<Type> condition{kConditionType};
      region(op.regions[0], operands, condition, Place::WhileCondition, where);
      region(op.regions[1], operands, operands, place, where);
      return operands;
    }
    if (operands.size() < 3 || op.ints.size() != 2 || op.ints[0] < 1) broken("'range' lacks bounds or stages", where);
    for (int i = 0; i < 3; ++i) {
      if (operands[i] != kIndexType) broken("a bound of 'range' is " + to_string(operands[i]), where);
    }
    const std::vector<Type> carried(operands.begin() + 3, operands.end());
    std::vector<Type> args{kIndexType};
    args.insert(args.end(), carried.begin(), carried.end());
    region(op.regions[0], args, carried, place, where);
    return carried;
  }

  std::vector<Type> custom_reduction(const Op& op, const std::vector<Type>& operands, const SourcePosition& where) {
    expect_regions(op, 1, where);
    std::vector<Type> results = infer_custom_reduction({op.opcode, operands, op.ints, nullptr}, where);
    std::vector<Type> args, yields;
    for (const Type& tile : operands) yields.push_back({tile.dtype, {}});
    for (int side = 0; side < 2; ++side) args.insert(args.end(), yields.begin(), yields.end());
    const std::size_t outer = combiner_start_;
    combiner_start_ = scope_.size();
    region(op.regions[0], args, yields, Place::Combiner, where);
    combiner_start_ = outer;
    return results;
  }

  static constexpr std::size_t kNotInCombiner = SIZE_MAX;

  const Program& program_;
  std::vector<bool> defined_, visible_, placed_;
  std::vector<ValueId> scope_;  // visible values, innermost last
  std::size_t combiner_start_ = kNotInCombiner;
};

}  // namespace

void verify(const Program& program) {
  Verifier(program).run();
  check_roles(program);
}

}  // namespace tilewright::program

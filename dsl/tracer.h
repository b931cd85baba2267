// The state of one trace. Internal to the language: authors' headers name it only.
//
// One tracer is current on a thread while a kernel's grid and body run; every operation of the language appends to its builder. It also knows the
// live Vars, rebinds them when a region is entered and merges them when it is left: what is carried is found, not declared.
#pragma once

#include "dsl/location.h"
#include "dsl/program/builder.h"
#include "dsl/tile.h"

#include <map>
#include <optional>
#include <vector>

namespace tilewright::detail {

using program::Opcode;
using program::Shape;
using program::Type;
using program::ValueId;

class Tracer {
 public:
  explicit Tracer(std::string kernel_name);  // becomes current on this thread
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // The current tracer, standing at `at`. Throws TW1501 outside of a trace.
  static Tracer& get(Loc at);
  static Tracer* current();

  program::Builder& build() { return builder_; }
  void stand_at(Loc at);  // the place of the operations that follow, unless a CallSite overrides it
  std::optional<Loc>& call_site() { return call_site_; }

  // ---- values
  Ref ref(ValueId value) const { return {value, serial_}; }
  Tile tile(ValueId value) const { return Tile(ref(value)); }
  ValueId id(Ref ref) const;  // throws TW1507 for a value of another trace
  std::vector<ValueId> ids(const Tiles& tiles) const;
  const Type& type(Ref ref) const { return builder_.type(id(ref)); }
  ValueId number(const Number& number, DType dtype, const Shape& shape = {});  // throws TW1208 where the kinds differ
  ValueId operand(const Arg& arg, DType dtype);                                // a number takes `dtype`; a tile is itself
  ValueId index(const Arg& arg, std::string_view what);                        // an i64 scalar; integer scalars are converted, TW1221 otherwise
  // The dtype operands of one operation share, converting an integer that meets an Index. Throws TW1220 when all are numbers.
  std::vector<ValueId> unify(std::initializer_list<Arg> args, std::string_view what);

  // ---- parameters
  void add_view(ValueId view, program::ParamKind kind, const std::string& name) { views_[view] = {kind, name}; }
  void add_window(ValueId window, ValueId parent) { views_[window] = views_.at(parent); }
  struct ViewOrigin {
    program::ParamKind kind{};
    std::string name;
  };
  const ViewOrigin& origin(ValueId view) const { return views_.at(view); }

  // ---- Vars
  void enter(Var& var);
  void leave(Var& var);
  void assign(Var& var, const Tile& value);

  // ---- regions; each open_* is ended by its close_* or by abandon()
  ValueId open_range(const Arg& lower, const Arg& upper, const Arg& step, int stages, bool warp_specialize, Loc at);  // the induction variable
  void close_range();
  void open_when(const Arg& condition);
  void otherwise();
  void close_when();
  void open_while(Loc at);
  void while_body(const Arg& condition);
  void close_while();
  void open_roles(int producer_registers, int consumer_registers, int teams, Loc at);  // the producer
  void open_consumers();
  void close_roles();
  std::pair<Tiles, Tiles> open_combiner(Opcode opcode, const Tiles& tiles, int axis, bool reverse, Loc at);
  Tiles close_combiner(const Tiles& results);
  void abandon();

  // The canonical program. Throws TW1405 when an exception was swallowed that had left a region.
  program::Program finish();

 private:
  struct Saved {
    std::uint64_t serial;
    ValueId before;  // value on entering
    ValueId inside;  // the region's argument; for `when` the value the first branch left
  };
  struct Scope {
    Loc at;
    const char* what;
    std::vector<Saved> saved;
    bool has_second = false;
  };

  Scope& push(const char* what, Loc at);
  std::vector<ValueId> current_values() const;
  void rebind(Scope& scope, std::span<const ValueId> args);
  Var& alive(const Scope& scope, const Saved& saved) const;
  ValueId value_of(const Var& var) const { return var.ref_.id; }
  void set(Var& var, ValueId value) const { var.ref_ = ref(value); }
  void expect_unchanged(const Scope& scope, const char* where) const;
  std::vector<ValueId> yields_of(const Scope& scope) const;
  void close_loop(std::span<const ValueId> yields, std::span<const ValueId> results);

  Tracer* previous_;
  std::uint32_t serial_;
  program::Builder builder_;
  std::optional<Loc> call_site_;
  std::map<ValueId, ViewOrigin> views_;
  std::map<std::uint64_t, Var*> vars_;  // in order of declaration
  std::uint64_t next_var_ = 0;
  std::vector<Scope> scopes_;
  std::optional<Loc> abandoned_;
};

[[noreturn]] void fail(int code, std::string message, Loc at, std::string help = {});
SourcePosition position_of(Loc at);

}  // namespace tilewright::detail

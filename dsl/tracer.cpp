#include "dsl/tracer.h"

#include "dsl/program/canonical.h"
#include "dsl/program/infer.h"
#include "dsl/program/verify.h"

#include <atomic>

namespace tilewright {

namespace detail {

namespace {

thread_local Tracer* t_current = nullptr;

std::uint32_t next_serial() {
  static std::atomic<std::uint32_t> serial{0};
  return ++serial;
}

}  // namespace

SourcePosition position_of(Loc at) { return {at.file_name(), at.line(), at.column()}; }

void fail(int code, std::string message, Loc at, std::string help) {
  if (t_current != nullptr) at = t_current->call_site().value_or(at);
  program::rules::fail(code, std::move(message), position_of(at), std::move(help));
}

Tracer::Tracer(std::string kernel_name) : previous_(t_current), serial_(next_serial()), builder_(std::move(kernel_name)) { t_current = this; }

Tracer::~Tracer() { t_current = previous_; }

Tracer* Tracer::current() { return t_current; }

Tracer& Tracer::get(Loc at) {
  if (t_current == nullptr)
    fail(1501, "the tile language is used outside of a kernel", at, "operations on tiles belong in the body or grid of a kernel struct");
  t_current->stand_at(at);
  return *t_current;
}

void Tracer::stand_at(Loc at) {
  at = call_site_.value_or(at);
  builder_.at(at.file_name(), at.line(), at.column());
}

// ---- values

ValueId Tracer::id(Ref ref) const {
  if (ref.trace != serial_)
    program::rules::fail(1507, "a value of another trace is used", builder_.position(), "keep no tile in a static or global variable");
  return ref.id;
}

std::vector<ValueId> Tracer::ids(const Tiles& tiles) const {
  std::vector<ValueId> values(tiles.size());
  for (int i = 0; i < tiles.size(); ++i) values[i] = id(tiles[i].ref());
  return values;
}

ValueId Tracer::number(const Number& number, DType dtype, const Shape& shape) {
  const std::string name(name_of(dtype));
  const auto clash = [&](const std::string& text, const std::string& help) {
    program::rules::fail(1208, "the C++ " + text + " does not become " + name, builder_.position(), help);
  };
  switch (number.kind) {
    case Number::Bool:
      if (dtype != DType::Bool) clash(std::string("bool ") + (number.integer ? "true" : "false"), "write 0 or 1, or cast the tile to bool");
      return builder_.integer(dtype, number.integer, shape);
    case Number::Integer:
      if (is_float(dtype)) return builder_.real(dtype, static_cast<double>(number.integer), shape);
      if (dtype == DType::Bool) clash("integer " + std::to_string(number.integer), "write true or false");
      return builder_.integer(dtype, number.integer, shape);
    case Number::Real:
      if (!is_float(dtype)) clash("floating-point number " + std::to_string(number.real), "write an integer, or cast the tile: cast(x, f32)");
      return builder_.real(dtype, number.real, shape);
  }
  return program::kNone;
}

ValueId Tracer::operand(const Arg& arg, DType dtype) { return arg.is_tile ? id(arg.ref) : number(arg.number, dtype); }

ValueId Tracer::index(const Arg& arg, std::string_view what) {
  if (!arg.is_tile) {
    if (arg.number.kind != Number::Integer)
      program::rules::fail(1221, std::string(what) + " is not an integer", builder_.position(), "positions and counts are integers");
    return number(arg.number, DType::I64);
  }
  const ValueId value = id(arg.ref);
  const Type& type = builder_.type(value);
  if (!type.is_scalar() || !is_int(type.dtype))
    program::rules::fail(1221, std::string(what) + " is " + to_string(type) + ", not an integer scalar", builder_.position(),
                         type.is_scalar() ? "cast it: cast(x, i64)" : "take one element of it, x(i), or reduce it");
  return builder_.cast(value, DType::I64);
}

std::vector<ValueId> Tracer::unify(std::initializer_list<Arg> args, std::string_view what) {
  const Type* shared = nullptr;
  bool has_index = false, all_ints = true;
  for (const Arg& arg : args) {
    if (!arg.is_tile) continue;
    const Type& t = type(arg.ref);
    if (shared == nullptr) shared = &t;
    has_index |= t.is_scalar() && t.dtype == DType::I64;
    all_ints &= is_int(t.dtype);
  }
  if (shared == nullptr)
    program::rules::fail(1220, "'" + std::string(what) + "' has C++ numbers only, which have no dtype", builder_.position(),
                         "write one of them as scalar(f32, x)");
  const bool widen = has_index && all_ints;
  const DType dtype = widen ? DType::I64 : shared->dtype;
  std::vector<ValueId> values;
  for (const Arg& arg : args) {
    ValueId value = operand(arg, dtype);
    if (widen) value = builder_.cast(value, DType::I64);
    if (has_index && arg.is_tile && is_float(builder_.type(value).dtype)) {
      const std::string name(name_of(builder_.type(value).dtype));
      program::rules::fail(1202, "dtypes do not match in '" + std::string(what) + "': i64 and " + name, builder_.position(),
                           "an Index is an i64 scalar; cast it: cast(index, " + name + ")");
    }
    values.push_back(value);
  }
  return values;
}

program::Program Tracer::finish() {
  if (abandoned_ || !scopes_.empty())
    fail(1405, "an exception left this region and was caught inside the kernel", abandoned_ ? *abandoned_ : scopes_.back().at,
         "let exceptions leave the body of a kernel");
  program::Program program = program::canonicalize(std::move(builder_).finish());
  program::verify(program);
  return program;
}

}  // namespace detail

CallSite::CallSite(Loc at) : outermost_(false) {
  detail::Tracer* tracer = detail::Tracer::current();
  if (tracer == nullptr || tracer->call_site()) return;
  tracer->call_site() = at;
  outermost_ = true;
}

CallSite::~CallSite() {
  if (outermost_) detail::Tracer::current()->call_site().reset();
}

}  // namespace tilewright

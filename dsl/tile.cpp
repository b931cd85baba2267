#include "dsl/tile.h"

#include "dsl/operators.h"
#include "dsl/program/infer.h"
#include "dsl/tracer.h"

namespace tilewright {

using detail::Tracer;

DType Tile::dtype(Loc at) const { return Tracer::get(at).type(ref_).dtype; }

int Tile::rank(Loc at) const { return static_cast<int>(Tracer::get(at).type(ref_).rank()); }

int Tile::extent(int axis, Loc at) const {
  const program::Type& type = Tracer::get(at).type(ref_);
  return static_cast<int>(type.shape[program::rules::expect_axis(axis, type, "extent", detail::position_of(at))]);
}

Tile Tile::operator()(AxisArg a, AxisArg b, AxisArg c, AxisArg d, AxisArg e, AxisArg f) const {
  Tracer& tracer = Tracer::get(a.at);
  program::Builder& build = tracer.build();
  program::ValueId value = tracer.id(ref_);
  const program::Type from = build.type(value);
  program::Shape shape;
  std::size_t axis = 0;
  for (const AxisArg* arg : {&a, &b, &c, &d, &e, &f}) {
    if (arg->kind == AxisArg::End) break;
    if (arg->kind == AxisArg::New) {
      shape.push_back(1);
      continue;
    }
    if (axis < from.rank()) {
      if (arg->kind == AxisArg::Keep) shape.push_back(from.shape[axis]);
      else value = build.slice(value, static_cast<std::int64_t>(axis), arg->index, 1);
    }
    ++axis;
  }
  if (axis != from.rank())
    detail::fail(1205, "x(...) names " + std::to_string(axis) + " axes of " + to_string(from), a.at,
                 "write `_` for each axis that stays and None for each new one");
  return tracer.tile(build.reshape(value, shape));
}

Index::Index(const Tile& value, Loc at) : Tile(value) {
  Tracer& tracer = Tracer::get(at);
  ref_ = tracer.ref(tracer.index(Arg(value, at), "an Index"));
}

Index::Index(detail::Number value, Loc at) : Tile(detail::Ref{}) {
  Tracer& tracer = Tracer::get(at);
  ref_ = tracer.ref(tracer.number(value, DType::I64));
}

Var::Var(const Tile& value, Loc at) : Tile(value) { Tracer::get(at).enter(*this); }

Var::Var(const Var& other) : Tile(other) {
  if (Tracer::current() == nullptr) detail::fail(1501, "a Var is copied outside of a kernel", {});
  Tracer::current()->enter(*this);
}

Var::~Var() {
  Tracer* tracer = Tracer::current();
  if (tracer != nullptr && tracer->ref(0).trace == ref_.trace) tracer->leave(*this);
}

Var& Var::operator=(const Tile& value) {
  if (Tracer::current() == nullptr) detail::fail(1501, "a Var is assigned outside of a kernel", {});
  Tracer::current()->assign(*this, value);
  return *this;
}

Var& Var::operator+=(const Arg& value) { return *this = detail::binary(program::Opcode::Add, Arg(*this, value.at), value); }
Var& Var::operator-=(const Arg& value) { return *this = detail::binary(program::Opcode::Sub, Arg(*this, value.at), value); }
Var& Var::operator*=(const Arg& value) { return *this = detail::binary(program::Opcode::Mul, Arg(*this, value.at), value); }
Var& Var::operator/=(const Arg& value) { return *this = detail::binary(program::Opcode::Div, Arg(*this, value.at), value); }

Tiles::Tiles(std::initializer_list<Tile> tiles) {
  for (const Tile& tile : tiles) add(tile);
}

void Tiles::add(const Tile& tile) {
  if (size_ == kMax) detail::fail(1222, "more than " + std::to_string(kMax) + " tiles in Tiles", {});
  refs_[size_++] = tile.ref();
}

}  // namespace tilewright

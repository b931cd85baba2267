#include "dsl/view.h"

#include "dsl/atomic.h"
#include "dsl/program/infer.h"
#include "dsl/tracer.h"

#include <algorithm>

namespace tilewright {

using detail::Tracer;
using program::Builder;
using program::kMapFull;
using program::kMapPoint;
using program::kNone;
using program::Opcode;
using program::ParamKind;
using program::Shape;
using program::to_string;
using program::Type;
using program::ValueId;

namespace {

// One load, store or atomic operation: from the author's indices to indices and maps of the program.
class Access {
 public:
  Access(const View& view, Indices indices, const char* what, Loc at)
      : tracer_(Tracer::get(at)), build_(tracer_.build()), what_(what), at_(at), view_(tracer_.id(view.ref())), indices_(indices) {
    const std::size_t rank = build_.type(view_).rank();
    if (indices.size() != rank)
      detail::fail(1301, "'" + std::string(what) + "' has " + std::to_string(indices.size()) + " indices for a view of rank " + std::to_string(rank),
                   at, "give one index for each dimension");
  }

  Builder& build() { return build_; }
  ValueId view() const { return view_; }
  DType dtype() const { return build_.type(view_).dtype; }
  const Shape& shape() const { return shape_; }
  const std::vector<ValueId>& values() const { return values_; }
  const std::vector<std::int64_t>& maps() const { return maps_; }
  Tile tile(ValueId value) const { return tracer_.tile(value); }

  void expect_readable() const {
    const auto& origin = tracer_.origin(view_);
    if (origin.kind == ParamKind::Output)
      detail::fail(1305, "'" + origin.name + "' is an Out and cannot be loaded from", at_,
                   "declare it InOut: what it holds before the launch is then kept");
  }

  void expect_writable() const {
    const auto& origin = tracer_.origin(view_);
    if (origin.kind == ParamKind::Input) detail::fail(1304, "'" + origin.name + "' is an In and cannot be stored to", at_, "declare it Out or InOut");
  }

  // The tile's axes are the last dimensions.
  void last_dimensions(Shape shape) {
    shape_ = std::move(shape);
    const std::size_t rank = indices_.size();
    if (shape_.size() > rank)
      detail::fail(1303, "a tile of " + to_string(shape_) + " has more axes than the view, which has rank " + std::to_string(rank), at_);
    const std::size_t points = rank - shape_.size();
    for (std::size_t d = 0; d < rank; ++d) {
      const IndexArg& arg = indices_.begin()[d];
      if (arg.is_span)
        detail::fail(1309, "'" + std::string(what_) + "' has both span(...) and extents", arg.index.at, "the spans say the extents; drop the list");
      if (d < points) point(arg);
      else axis(arg, static_cast<std::int64_t>(d - points));
    }
  }

  // Every dimension says what it is.
  void explicit_dimensions() {
    for (const IndexArg& arg : indices_) {
      if (arg.is_span) {
        shape_.push_back(arg.extent);
        axis(arg, static_cast<std::int64_t>(shape_.size()) - 1);
      } else if (rank_of(arg) == 0) {
        point(arg);
      } else {
        expect_rank_one(arg);
        shape_.push_back(build_.type(tracer_.id(arg.index.ref)).shape[0]);
        axis(arg, static_cast<std::int64_t>(shape_.size()) - 1);
      }
    }
  }

  // A coordinate for every element of the common shape of all index tiles.
  void element_by_element() {
    for (const IndexArg& arg : indices_) {
      if (arg.is_span) detail::fail(1309, "'" + std::string(what_) + "' takes no span(...)", arg.index.at, "give an index tile: start + arange(n)");
      if (rank_of(arg) != 0) shape_ = program::broadcast_shapes(shape_, type_of(arg).shape, what_, detail::position_of(at_));
    }
    for (const IndexArg& arg : indices_) {
      if (rank_of(arg) == 0) {
        point(arg);
      } else {
        values_.push_back(build_.broadcast(tracer_.id(arg.index.ref), shape_));
        maps_.push_back(kMapFull);
      }
    }
  }

  ValueId mask(const TileArg& arg) {
    tracer_.stand_at(arg.at);
    const ValueId value = tracer_.id(arg.ref);
    const Type& type = build_.type(value);
    if (type.dtype != DType::Bool)
      detail::fail(1306, "the mask of '" + std::string(what_) + "' is " + to_string(type) + ", not bool", arg.at, "compare: x < n");
    if (program::broadcast_shapes(shape_, type.shape, what_, detail::position_of(arg.at)) != shape_)
      detail::fail(1306, "the mask of '" + std::string(what_) + "' is " + to_string(type.shape) + ", the tile " + to_string(shape_), arg.at);
    return build_.broadcast(value, shape_);
  }

  ValueId other(const Arg& arg) {
    tracer_.stand_at(arg.at);
    const ValueId value = tracer_.operand(arg, dtype());
    return build_.type(value).rank() == 0 ? value : build_.broadcast(value, shape_);
  }

  Tile load(ValueId mask, ValueId other) {
    expect_readable();
    tracer_.stand_at(at_);
    return tile(build_.load(view_, values_, maps_, shape_, mask, other));
  }

  void store(ValueId value, ValueId mask) {
    expect_writable();
    tracer_.stand_at(at_);
    const Type& type = build_.type(value);
    if (type.shape != shape_)
      detail::fail(1308, "'" + std::string(what_) + "' of a tile of " + to_string(type.shape) + " to a place of " + to_string(shape_), at_);
    build_.store(view_, values_, maps_, value, mask);
  }

  Tile atomic(program::AtomicKind kind, ValueId expected, ValueId value, ValueId mask) {
    expect_writable();
    expect_readable();
    tracer_.stand_at(at_);
    const Type& type = build_.type(value);
    if (type.shape != shape_) detail::fail(1308, "'" + std::string(what_) + "' of a tile of " + to_string(type.shape) + " to a place of " + to_string(shape_), at_);
    return tile(build_.atomic(kind, view_, values_, maps_, value, mask, expected));
  }

  // The dimensions of a value that is written. Index tiles, one for each axis of the value, say where its axes go; so do spans, and for a C++ number any indices. Otherwise they are
  // the last dimensions.
  void dimensions_of(const Arg& value) {
    const std::size_t rank = value.is_tile ? tracer_.type(value.ref).rank() : 0;
    if (!value.is_tile || has_span() || index_tiles() == rank) explicit_dimensions();
    else last_dimensions(tracer_.type(value.ref).shape);
  }

  // The value to store; a C++ number takes the view's dtype and the shape of the place.
  ValueId value(const Arg& arg) {
    tracer_.stand_at(arg.at);
    return arg.is_tile ? tracer_.id(arg.ref) : tracer_.number(arg.number, dtype(), shape_);
  }

 private:
  bool has_span() const {
    return std::any_of(indices_.begin(), indices_.end(), [](const IndexArg& arg) { return arg.is_span; });
  }
  std::size_t index_tiles() const {
    return static_cast<std::size_t>(std::count_if(indices_.begin(), indices_.end(), [&](const IndexArg& arg) { return rank_of(arg) != 0; }));
  }

  const Type& type_of(const IndexArg& arg) const { return tracer_.type(arg.index.ref); }
  std::size_t rank_of(const IndexArg& arg) const { return arg.index.is_tile && !arg.is_span ? type_of(arg).rank() : 0; }

  void expect_rank_one(const IndexArg& arg) const {
    if (rank_of(arg) == 1) return;
    detail::fail(1302, "an index of '" + std::string(what_) + "' is a tile of " + to_string(type_of(arg).shape), arg.index.at,
                 "index tiles here have one axis; " + std::string(what_) + "_at takes a coordinate for every element");
  }

  void point(const IndexArg& arg) {
    if (rank_of(arg) != 0)
      detail::fail(1302,
                   "a leading index of '" + std::string(what_) + "' is a tile of " + to_string(type_of(arg).shape) + ", not a single coordinate",
                   arg.index.at, "the tile's axes are the last dimensions; use span(start, extent) to choose others");
    values_.push_back(coordinate(arg));
    maps_.push_back(kMapPoint);
  }

  void axis(const IndexArg& arg, std::int64_t axis) {
    if (rank_of(arg) == 0) {
      values_.push_back(coordinate(arg));
    } else {
      expect_rank_one(arg);
      values_.push_back(tracer_.id(arg.index.ref));
    }
    maps_.push_back(axis);
  }

  ValueId coordinate(const IndexArg& arg) {
    tracer_.stand_at(arg.index.at);
    const ValueId value = tracer_.index(arg.index, "an index of '" + std::string(what_) + "'");
    tracer_.stand_at(at_);
    return value;
  }

  Tracer& tracer_;
  Builder& build_;
  const char* what_;
  Loc at_;
  ValueId view_;
  Indices indices_;
  Shape shape_;
  std::vector<ValueId> values_;
  std::vector<std::int64_t> maps_;
};

Shape shape_of(Extents extents) {
  Shape shape;
  for (const Extent& extent : extents) shape.push_back(extent.value);
  return shape;
}

Tile load_tile(Access& access, const TileArg* mask, const Arg* other) {
  const ValueId mask_value = mask != nullptr ? access.mask(*mask) : kNone;
  const ValueId other_value = other != nullptr ? access.other(*other) : kNone;
  return access.load(mask_value, other_value);
}

Tile load_last(const View& view, Indices indices, Extents extents, const TileArg* mask, const Arg* other, Loc at) {
  Access access(view, indices, "load", at);
  access.last_dimensions(shape_of(extents));
  return load_tile(access, mask, other);
}

Tile load_explicit(const View& view, Indices indices, const TileArg* mask, const Arg* other, Loc at) {
  Access access(view, indices, "load", at);
  access.explicit_dimensions();
  return load_tile(access, mask, other);
}

Tile load_elements(const View& view, Indices indices, const TileArg* mask, const Arg* other, Loc at) {
  Access access(view, indices, "load_at", at);
  access.element_by_element();
  return load_tile(access, mask, other);
}

void store_tile(const View& view, Indices indices, const Arg& value, const TileArg* mask, Loc at) {
  Access access(view, indices, "store", at);
  access.dimensions_of(value);
  const ValueId stored = access.value(value);
  access.store(stored, mask != nullptr ? access.mask(*mask) : kNone);
}

void store_elements(const View& view, Indices indices, const Arg& value, const TileArg* mask, Loc at) {
  Access access(view, indices, "store_at", at);
  access.element_by_element();
  const ValueId stored = access.value(value);
  access.store(stored, mask != nullptr ? access.mask(*mask) : kNone);
}

}  // namespace

Tile detail::atomic(program::AtomicKind kind, Places places, const View& view, Indices indices, const Arg* expected, const Arg& value, const TileArg* mask, program::MemoryOrder order, Loc at) {
  const std::string what(function_of(kind));
  Access access(view, indices, what.c_str(), at);
  if (places == Places::Elements) access.element_by_element();
  else access.dimensions_of(value);
  const ValueId compared = expected != nullptr ? access.value(*expected) : kNone;
  const ValueId written = access.value(value);
  const ValueId masked = mask != nullptr ? access.mask(*mask) : kNone;
  if (order == Order::Release || order == Order::AcquireRelease) fence(Order::Release, at);
  const Tile before = access.atomic(kind, compared, written, masked);
  if (order == Order::Acquire || order == Order::AcquireRelease) fence(Order::Acquire, at);
  return before;
}

void fence(Order order, Loc at) {
  Tracer& tracer = Tracer::get(at);
  tracer.stand_at(at);
  tracer.build().ops(program::Opcode::Fence, {}, {static_cast<std::int64_t>(order)});
}

// ---- views

Index View::size(int axis, Loc at) const {
  Tracer& tracer = Tracer::get(at);
  return Index(tracer.ref(tracer.build().op(Opcode::ViewSize, {tracer.id(ref_)}, {axis})));
}

DType View::dtype(Loc at) const { return Tracer::get(at).type(ref_).dtype; }

int View::rank(Loc at) const { return static_cast<int>(Tracer::get(at).type(ref_).rank()); }

View View::narrow(int axis, const Arg& start, const Arg& size, Loc at) const {
  Tracer& tracer = Tracer::get(at);
  const ValueId parent = tracer.id(ref_), from = tracer.index(start, "the start of 'narrow'"), count = tracer.index(size, "the size of 'narrow'");
  const ValueId window = tracer.build().op(Opcode::ViewNarrow, {parent, from, count}, {axis});
  tracer.add_window(window, parent);
  return View(tracer.ref(window));
}

// ---- loads and stores

Tile load(const View& view, Indices indices, Extents extents, Loc at) { return load_last(view, indices, extents, nullptr, nullptr, at); }
Tile load(const View& view, Indices indices, Extents extents, const TileArg& mask, Loc at) {
  return load_last(view, indices, extents, &mask, nullptr, at);
}
Tile load(const View& view, Indices indices, Extents extents, const TileArg& mask, const Arg& other, Loc at) {
  return load_last(view, indices, extents, &mask, &other, at);
}
Tile load(const View& view, Indices indices, Loc at) { return load_explicit(view, indices, nullptr, nullptr, at); }
Tile load(const View& view, Indices indices, const TileArg& mask, Loc at) { return load_explicit(view, indices, &mask, nullptr, at); }
Tile load(const View& view, Indices indices, const TileArg& mask, const Arg& other, Loc at) {
  return load_explicit(view, indices, &mask, &other, at);
}
Tile load_or(const Arg& other, const View& view, Indices indices, Extents extents, Loc at) {
  return load_last(view, indices, extents, nullptr, &other, at);
}
Tile load_or(const Arg& other, const View& view, Indices indices, Loc at) { return load_explicit(view, indices, nullptr, &other, at); }

void store(const View& view, Indices indices, const Arg& value, Loc at) { store_tile(view, indices, value, nullptr, at); }
void store(const View& view, Indices indices, const Arg& value, const TileArg& mask, Loc at) { store_tile(view, indices, value, &mask, at); }

Tile load_at(const View& view, Indices indices, Loc at) { return load_elements(view, indices, nullptr, nullptr, at); }
Tile load_at(const View& view, Indices indices, const TileArg& mask, Loc at) { return load_elements(view, indices, &mask, nullptr, at); }
Tile load_at(const View& view, Indices indices, const TileArg& mask, const Arg& other, Loc at) {
  return load_elements(view, indices, &mask, &other, at);
}
void store_at(const View& view, Indices indices, const Arg& value, Loc at) { store_elements(view, indices, value, nullptr, at); }
void store_at(const View& view, Indices indices, const Arg& value, const TileArg& mask, Loc at) { store_elements(view, indices, value, &mask, at); }

}  // namespace tilewright

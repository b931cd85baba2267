// Addressing: the coordinates of each element of a tile in a view, bounds, masks.
#include "compiler/reference/memory.h"

#include "compiler/reference/ops.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace tilewright::reference {

namespace {

// The operation that makes what an atomic one writes; nothing for exchanges.
std::optional<Opcode> combination(program::AtomicKind kind) {
  using enum program::AtomicKind;
  switch (kind) {
    case Add: return Opcode::Add;
    case Min: return Opcode::Min;
    case Max: return Opcode::Max;
    case And: return Opcode::And;
    case Or: return Opcode::Or;
    case Xor: return Opcode::Xor;
    case Exchange: case CompareExchange: break;
  }
  return std::nullopt;
}

// Where the elements of one axis of the tile lie: an offset for each, and whether it is inside the view.
struct AxisPlaces {
  std::vector<std::int64_t> offsets;
  std::vector<std::uint8_t> inside;
};

class Addressing {
 public:
  Addressing(const View& view, const Indexing& indexing, const Shape& shape) : shape_(shape), axes_(shape.size()) {
    if (indexing.maps.size() != view.sizes.size() || indexing.indices.size() != view.sizes.size()) malformed("an access without one index a dimension");
    for (std::size_t a = 0; a < shape.size(); ++a) {
      axes_[a].offsets.assign(shape[a], 0);
      axes_[a].inside.assign(shape[a], 1);
    }
    for (std::size_t d = 0; d < view.sizes.size(); ++d) {
      const std::int64_t map = indexing.maps[d];
      if (map == program::kMapPoint) {
        point(indexing.indices[d], view.sizes[d], view.strides[d]);
      } else if (map == program::kMapFull) {
        if (indexing.indices[d].shape() != shape) malformed("an index of an access does not have the tile's shape");
        full_.push_back({&indexing.indices[d], view.sizes[d], view.strides[d]});
      } else {
        if (map < 0 || map >= static_cast<std::int64_t>(shape.size())) malformed("an access maps a dimension to axis " + std::to_string(map));
        along_axis(axes_[map], indexing.indices[d], view.sizes[d], view.strides[d]);
      }
    }
  }

  // f(place in the tile, inside, offset in the view); the offset means nothing where inside is false.
  template <class F>
  void for_each(F f) const {
    std::int64_t place = 0;
    walk(0, base_, inside_, place, f);
  }

 private:
  struct FullIndex {
    const Tile* index;
    std::int64_t size, stride;
  };

  static bool within(std::int64_t coordinate, std::int64_t size) { return coordinate >= 0 && coordinate < size; }

  void point(const Tile& index, std::int64_t size, std::int64_t stride) {
    if (!index.shape().empty()) malformed("the index of a point is no scalar");
    const std::int64_t coordinate = index.integer(0);
    if (within(coordinate, size)) {
      base_ += coordinate * stride;
    } else {
      inside_ = false;
    }
  }

  static void along_axis(AxisPlaces& axis, const Tile& index, std::int64_t size, std::int64_t stride) {
    const bool gathers = !index.shape().empty();
    const std::int64_t extent = static_cast<std::int64_t>(axis.offsets.size());
    if (gathers && index.shape() != Shape{extent}) malformed("the index of an axis does not have the axis's extent");
    const std::uint64_t start = gathers ? 0 : static_cast<std::uint64_t>(index.integer(0));
    for (std::int64_t i = 0; i < extent; ++i) {
      // Wrapping makes a start near the greatest integer negative, which is outside too.
      const std::int64_t coordinate = gathers ? index.integer(i) : static_cast<std::int64_t>(start + static_cast<std::uint64_t>(i));
      if (within(coordinate, size)) {
        axis.offsets[i] += coordinate * stride;
      } else {
        axis.inside[i] = 0;
      }
    }
  }

  template <class F>
  void visit(std::int64_t place, std::int64_t offset, bool inside, F& f) const {
    for (const FullIndex& full : full_) {
      const std::int64_t coordinate = full.index->integer(place);
      if (!within(coordinate, full.size)) return f(place, false, 0);
      offset += coordinate * full.stride;
    }
    f(place, inside, offset);
  }

  template <class F>
  void walk(std::size_t axis, std::int64_t offset, bool inside, std::int64_t& place, F& f) const {
    if (axis == shape_.size()) {
      visit(place++, offset, inside, f);
      return;
    }
    const AxisPlaces& places = axes_[axis];
    if (axis + 1 == shape_.size()) {
      for (std::int64_t i = 0; i < shape_[axis]; ++i) visit(place++, offset + places.offsets[i], inside && places.inside[i], f);
    } else {
      for (std::int64_t i = 0; i < shape_[axis]; ++i) walk(axis + 1, offset + places.offsets[i], inside && places.inside[i], place, f);
    }
  }

  const Shape& shape_;
  std::vector<AxisPlaces> axes_;
  std::vector<FullIndex> full_;
  std::int64_t base_ = 0;
  bool inside_ = true;
};

void require_mask(const Tile* mask, const Shape& shape) {
  if (mask && (mask->dtype() != DType::Bool || mask->shape() != shape)) malformed("the mask of an access does not fit its tile");
}

}  // namespace

View narrow(const View& view, std::int64_t axis, std::int64_t start, std::int64_t size) {
  if (axis < 0 || axis >= static_cast<std::int64_t>(view.sizes.size())) malformed("narrow along axis " + std::to_string(axis));
  const std::int64_t extent = view.sizes[axis];
  const std::int64_t first = std::clamp<std::int64_t>(start, 0, extent);
  View result = view;
  result.base = view.at(first * view.strides[axis]);
  result.sizes[axis] = std::clamp<std::int64_t>(size, 0, extent - first);
  return result;
}

Tile load(const View& view, const Indexing& indexing, const Shape& shape, const Tile* mask, const Tile* other) {
  require_mask(mask, shape);
  if (other && (other->dtype() != view.dtype || (!other->shape().empty() && other->shape() != shape))) malformed("`other` of a load does not fit its tile");
  const Addressing addressing(view, indexing, shape);
  Tile result(view.dtype, shape);
  visit_width(view.dtype, [&]<class T>(std::type_identity<T>) {
    const T* from = reinterpret_cast<const T*>(view.base);
    const std::uint8_t* enabled = mask ? mask->data<std::uint8_t>() : nullptr;
    const T* otherwise = other ? other->data<T>() : nullptr;
    const std::int64_t otherwise_step = other && !other->shape().empty();
    T* r = result.mutable_data<T>();
    addressing.for_each([&](std::int64_t place, bool inside, std::int64_t offset) {
      if (inside && (!enabled || enabled[place])) {
        r[place] = from[offset];
      } else {
        r[place] = otherwise ? otherwise[place * otherwise_step] : T{0};
      }
    });
  });
  return result;
}

void store(const View& view, const Indexing& indexing, const Tile& value, const Tile* mask) {
  require_mask(mask, value.shape());
  if (value.dtype() != view.dtype) malformed("a store of " + std::string(name_of(value.dtype())) + " to a view of " + std::string(name_of(view.dtype)));
  const Addressing addressing(view, indexing, value.shape());
  visit_width(view.dtype, [&]<class T>(std::type_identity<T>) {
    T* to = reinterpret_cast<T*>(view.base);
    const std::uint8_t* enabled = mask ? mask->data<std::uint8_t>() : nullptr;
    const T* x = value.data<T>();
    addressing.for_each([&](std::int64_t place, bool inside, std::int64_t offset) {
      if (inside && (!enabled || enabled[place])) to[offset] = x[place];
    });
  });
}

Tile atomic(program::AtomicKind kind, const View& view, const Indexing& indexing, const Tile* expected, const Tile& value, const Tile* mask) {
  require_mask(mask, value.shape());
  const bool compares = kind == program::AtomicKind::CompareExchange;
  if (value.dtype() != view.dtype || compares != (expected != nullptr) || (compares && (expected->dtype() != view.dtype || expected->shape() != value.shape())))
    malformed("an atomic operation whose operands do not fit its view");
  const Addressing addressing(view, indexing, value.shape());
  const std::optional<Opcode> combine = combination(kind);
  Tile old(view.dtype, value.shape());
  visit_width(view.dtype, [&]<class T>(std::type_identity<T>) {
    T* memory = reinterpret_cast<T*>(view.base);
    const std::uint8_t* enabled = mask ? mask->data<std::uint8_t>() : nullptr;
    const T *x = value.data<T>(), *wanted = compares ? expected->data<T>() : nullptr;
    T* r = old.mutable_data<T>();
    addressing.for_each([&](std::int64_t place, bool inside, std::int64_t offset) {
      if (!inside || (enabled && !enabled[place])) {
        r[place] = T{0};
        return;
      }
      T& element = memory[offset];
      r[place] = element;
      if (combine) element = *elementwise(*combine, std::array{Tile::scalar(view.dtype, element), Tile::scalar(view.dtype, x[place])}).template data<T>();
      else if (!wanted || wanted[place] == element) element = x[place];
    });
  });
  return old;
}

}  // namespace tilewright::reference

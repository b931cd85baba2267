// The layout attribute: kept as numbers, spelled as text.
//
// The numbers: rank, extents, bits of the atom along each axis; for each place the number of bases and their coordinates; for each repetition axis, stride,
// count, place.
#include "compiler/gpu/ir/TileGpuDialect.h"

namespace tilewright::tile_gpu {

namespace {

using layout::kPlaces;
using layout::Layout;
using layout::Place;

class Reader {
 public:
  explicit Reader(llvm::ArrayRef<std::int64_t> code) : code_(code) {}
  std::int64_t next() {
    const std::int64_t value = code_.front();
    code_ = code_.drop_front();
    return value;
  }
  bool done() const { return code_.empty(); }

 private:
  llvm::ArrayRef<std::int64_t> code_;
};

int bits_of(std::int64_t extent) {
  int bits = 0;
  while ((std::int64_t{1} << bits) < extent) ++bits;
  return bits;
}

}  // namespace

LayoutAttr LayoutAttr::get(mlir::MLIRContext* context, const Layout& layout) {
  llvm::SmallVector<std::int64_t> code{layout.rank()};
  llvm::append_range(code, layout.extents());
  const layout::LinearMap& atom = layout.atom();
  for (const layout::Dimension& axis : atom.outputs()) code.push_back(axis.bits);
  for (Place place : kPlaces) {
    const std::string& name = layout::place_name(place);
    code.push_back(atom.input_bits(name));
    for (int bit = 0; bit < atom.input_bits(name); ++bit) llvm::append_range(code, atom.basis(name, bit));
  }
  for (const layout::Repeat& repeat : layout.repeats()) code.append({repeat.axis, repeat.stride, repeat.count, static_cast<std::int64_t>(repeat.place)});
  return get(context, llvm::ArrayRef<std::int64_t>(code));
}

Layout LayoutAttr::layout() const {
  Reader reader(getCode());
  const auto rank = static_cast<int>(reader.next());
  std::vector<std::int64_t> extents(rank);
  for (std::int64_t& extent : extents) extent = reader.next();
  std::vector<layout::Dimension> axes;
  for (int axis = 0; axis < rank; ++axis) axes.push_back({layout::axis_name(axis), static_cast<int>(reader.next())});
  layout::Bases bases;
  for (Place place : kPlaces) {
    std::vector<layout::Point> points(reader.next(), layout::Point(rank));
    for (layout::Point& point : points)
      for (std::uint32_t& coordinate : point) coordinate = static_cast<std::uint32_t>(reader.next());
    bases.emplace_back(layout::place_name(place), std::move(points));
  }
  std::vector<layout::Repeat> repeats;
  while (!reader.done()) {
    layout::Repeat repeat;
    repeat.axis = static_cast<int>(reader.next());
    repeat.stride = reader.next();
    repeat.count = static_cast<int>(reader.next());
    repeat.place = static_cast<Place>(reader.next());
    repeats.push_back(repeat);
  }
  return Layout(std::move(extents), layout::LinearMap(bases, std::move(axes)), std::move(repeats));
}

void LayoutAttr::print(mlir::AsmPrinter& printer) const {
  const Layout value = layout();
  const auto list = [&](const auto& numbers) {
    printer << "[";
    llvm::interleaveComma(numbers, printer);
    printer << "]";
  };
  printer << "<";
  list(value.extents());
  for (Place place : kPlaces) {
    const std::string& name = layout::place_name(place);
    if (value.atom().input_bits(name) == 0) continue;
    printer << " " << name;
    for (int bit = 0; bit < value.atom().input_bits(name); ++bit) {
      printer << (bit == 0 ? " " : " and ");
      list(value.atom().basis(name, bit));
    }
  }
  for (const layout::Repeat& repeat : value.repeats()) {
    printer << " repeat ";
    if (repeat.axis == layout::kCopies) printer << "copies ";
    else printer << repeat.axis << " * " << repeat.stride << " ";
    printer << "by " << repeat.count << " " << layout::place_name(repeat.place);
  }
  printer << ">";
}

// The atom's extents are those that its bases reach.
mlir::Attribute LayoutAttr::parse(mlir::AsmParser& parser, mlir::Type) {
  const llvm::SMLoc where = parser.getCurrentLocation();
  const auto list = [&](auto& numbers) {
    return parser.parseCommaSeparatedList(mlir::AsmParser::Delimiter::Square, [&] { return parser.parseInteger(numbers.emplace_back()); });
  };
  std::vector<std::int64_t> extents;
  if (parser.parseLess() || list(extents)) return {};
  layout::Bases bases;
  std::vector<layout::Repeat> repeats;
  std::vector<std::int64_t> reach(extents.size(), 1);
  for (Place place : kPlaces) {
    auto& points = bases.emplace_back(layout::place_name(place), std::vector<layout::Point>()).second;
    if (parser.parseOptionalKeyword(layout::place_name(place))) continue;
    while (true) {
      layout::Point point;
      if (mlir::failed(list(point))) return {};
      if (point.size() != extents.size()) return parser.emitError(where, "a basis needs a coordinate for every axis"), mlir::Attribute();
      for (std::size_t axis = 0; axis < point.size(); ++axis) reach[axis] = std::max<std::int64_t>(reach[axis], point[axis] + 1);
      points.push_back(std::move(point));
      if (parser.parseOptionalKeyword("and")) break;
    }
  }
  while (succeeded(parser.parseOptionalKeyword("repeat"))) {
    layout::Repeat repeat;
    if (mlir::failed(parser.parseOptionalKeyword("copies"))) {
      if (parser.parseInteger(repeat.axis) || parser.parseStar() || parser.parseInteger(repeat.stride)) return {};
    }
    llvm::StringRef place;
    if (parser.parseKeyword("by") || parser.parseInteger(repeat.count) || parser.parseKeyword(&place)) return {};
    const auto* known = llvm::find_if(kPlaces, [&](Place candidate) { return layout::place_name(candidate) == place; });
    if (known == std::end(kPlaces)) return parser.emitError(where, "unknown place '" + place + "'"), mlir::Attribute();
    repeat.place = *known;
    repeats.push_back(repeat);
  }
  if (parser.parseGreater()) return {};
  std::vector<layout::Dimension> axes;
  for (std::size_t axis = 0; axis < extents.size(); ++axis) axes.push_back({layout::axis_name(static_cast<int>(axis)), bits_of(reach[axis])});
  return get(parser.getContext(), Layout(std::move(extents), layout::LinearMap(bases, std::move(axes)), std::move(repeats)));
}

}  // namespace tilewright::tile_gpu

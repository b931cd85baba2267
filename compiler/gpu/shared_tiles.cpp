#include "compiler/gpu/shared_tiles.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

namespace tilewright::gpu {

using layout::Layout;
using layout::LinearMap;
using layout::Place;

namespace {

constexpr int kSwizzledRow = 128;      // bytes, the longest row of a swizzle

int bytes_of(mlir::Type element) { return static_cast<int>(std::max(1u, element.getIntOrFloatBitWidth() / 8)); }

layout::Point scaled(int rank, int axis, std::uint32_t step) {
  layout::Point point(rank, 0);
  point[axis] = step;
  return point;
}

}  // namespace

layout::SharedLayout arrangement(llvm::ArrayRef<std::int64_t> shape, mlir::Type element) {
  if (shape.size() == 1) return layout::SharedLayout::strided(shape.vec(), {0});
  const int size = bytes_of(element);
  int row = kSwizzledRow;
  while (row > 16 && (shape.back() * size) % row != 0) row /= 2;
  return layout::SharedLayout::swizzled(shape.vec(), {1, 0}, size, layout::standard_swizzle(row));
}

std::int64_t tile_bytes(tile_gpu::SharedType type) {
  const std::int64_t bytes = arrangement(type.getShape(), type.getElementType()).size() * bytes_of(type.getElementType());
  return static_cast<std::int64_t>(llvm::alignTo(static_cast<std::uint64_t>(bytes), static_cast<std::uint64_t>(tile_alignment(type.getShape()))));
}

std::int64_t channel_bytes(tile_gpu::ChannelType type) {
  const auto tiles = tile_gpu::SharedType::get(type.getContext(), type.getCount(), type.getShape(), type.getElementType());
  const std::int64_t bytes = type.getCount() * (tile_bytes(tiles) + 2 * kSignalBytes);
  return static_cast<std::int64_t>(llvm::alignTo(static_cast<std::uint64_t>(bytes), kTileAlignment));
}

std::optional<MatrixLoads> matrix_loads(const Layout& wanted, int contiguous_axis, std::int64_t element_bytes) {
  if (element_bytes > 2) return std::nullopt;
  const int word_bits = element_bytes == 2 ? 1 : 2, word_elements = 1 << word_bits;
  const Layout layout = wanted.canonical();
  const LinearMap& atom = layout.atom();
  const int rank = layout.rank();
  if (rank != 2 || atom.input_bits("lane") != 5 || atom.input_bits("register") < word_bits + 2) return std::nullopt;
  // Which axis the elements of a word run along. Only pairs can be read across the contiguous axis.
  const layout::Point pair = atom.basis("register", 0);
  const int axis = pair == scaled(rank, 0, 1) ? 0 : pair == scaled(rank, 1, 1) ? 1 : -1;
  if (axis < 0 || (element_bytes == 1 && (axis != contiguous_axis || atom.basis("register", 1) != scaled(rank, axis, 2)))) return std::nullopt;
  const int across = 1 - axis;
  for (int bit = 0; bit < 5; ++bit) {
    const layout::Point expected = bit < 2 ? scaled(rank, axis, static_cast<std::uint32_t>(word_elements) << bit) : scaled(rank, across, 1u << (bit - 2));
    if (atom.basis("lane", bit) != expected) return std::nullopt;
  }
  const std::uint32_t columns = 4 * static_cast<std::uint32_t>(word_elements);  // of a matrix
  const auto whole_matrices = [&](const layout::Point& point) { return point[axis] % columns == 0 && point[across] % 8 == 0; };
  for (int bit = word_bits; bit < atom.input_bits("register"); ++bit)
    if (!whole_matrices(atom.basis("register", bit))) return std::nullopt;
  for (int a = 0; a < rank; ++a)
    if (layout.extents()[a] % (a == axis ? columns : 8) != 0) return std::nullopt;

  // Rows of a matrix lie across the contiguous axis; lane bits 3 and 4 choose the matrix, as the register bits above a word did.
  const int row_axis = 1 - contiguous_axis;
  layout::Bases bases{{"register", {}}, {"lane", {}}, {"warp", {}}};
  for (std::uint32_t step : {1u, 2u, 4u}) bases[1].second.push_back(scaled(rank, row_axis, step));
  bases[1].second.push_back(atom.basis("register", word_bits));
  bases[1].second.push_back(atom.basis("register", word_bits + 1));
  for (int bit = word_bits + 2; bit < atom.input_bits("register"); ++bit) bases[0].second.push_back(atom.basis("register", bit));
  for (int bit = 0; bit < atom.input_bits("warp"); ++bit) bases[2].second.push_back(atom.basis("warp", bit));

  // Columns are no lane's business; bits above the others stand for them, always 0, since an atom reaches all of its extent.
  const int low_bits = static_cast<int>(bases[0].second.size());
  for (std::uint32_t step = 1; step < columns; step *= 2) bases[0].second.push_back(scaled(rank, contiguous_axis, step));
  return MatrixLoads{Layout(layout.extents(), LinearMap(bases, atom.outputs()), layout.repeats()), low_bits, word_elements, axis != contiguous_axis};
}

}  // namespace tilewright::gpu

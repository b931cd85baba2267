// Scratch memory of a kernel: every tile that is held in memory has a buffer, and buffers whose lives do not overlap share addresses.
//
// The code generator reports each access in emission order; loops stretch the life of what they read from outside. When the whole kernel is
// emitted, offsets are assigned and written into the placeholder constants that the emitted code adds to its scratch pointer.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Value.h"

#include <cstdint>
#include <deque>
#include <vector>

namespace tilewright::cpu {

// A tile in scratch: row-major over the extents other than 1, the last one padded to whole vectors (and away from cache-set conflicts).
struct Buffer {
  std::vector<std::int64_t> shape;    // of the tile
  std::vector<std::int64_t> strides;  // elements, one a dimension; 0 for extents of 1
  mlir::Type element;                 // as held in memory
  std::int64_t bytes = 0;

  std::int64_t first_use = 0, last_use = 0;
  std::int64_t offset = -1;
  std::vector<mlir::Operation*> placeholders;
};

class BufferArena {
 public:
  explicit BufferArena(int vector_bits) : vector_bits_(vector_bits) {}

  // A buffer for a tile of `shape` whose elements are held as `element` (whole bytes).
  Buffer* create(llvm::ArrayRef<std::int64_t> shape, mlir::Type element);

  // The byte offset of the buffer in scratch, to be filled in by assign_offsets; counts as an access now.
  mlir::Value offset_of(mlir::ImplicitLocOpBuilder& builder, Buffer* buffer);
  void touch(Buffer* buffer);

  // Brackets the emission of a loop body: what lived before the loop and is touched inside lives until its end.
  void enter_loop();
  void leave_loop();

  // Places all buffers after `reserved` bytes; returns the size of scratch.
  std::int64_t assign_offsets(std::int64_t reserved);

 private:
  int vector_bits_;
  std::int64_t clock_ = 0;
  std::deque<Buffer> buffers_;
  std::vector<std::int64_t> loop_starts_;
};

}  // namespace tilewright::cpu

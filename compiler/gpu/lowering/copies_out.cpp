// Copies of shared tiles to boxes of tensors, by the copy engine.
//
// All have written the tile and published it; behind the barrier that the marks ask for, one thread issues the boxes, and that thread alone can wait for them.
#include "compiler/gpu/lowering/emitter.h"
#include "compiler/gpu/shared_tiles.h"

namespace tilewright::gpu {

void Emitter::emit_copy_out(tile_gpu::CopyOutOp op) {
  const auto type = op.getShared().getType();
  const ViewParts& view = views_.find(op.getView())->second;
  BoxCopy copy = box_copy(op, view, op.getIndices(), box_of(type, op.getMaps()));
  const std::int64_t size = bytes_of(view.element), rows = type.getShape()[0], columns = type.getShape()[1], column = copy.box.back();
  Value tile = shared_tile(op.getShared(), {});
  mlir::OpBuilder::InsertionGuard guard(b_);
  enter_if(is_first_thread());
  const Value first_column = copy.coordinates.back();
  for (std::int64_t at = 0; at < columns; at += column) {
    if (at != 0) copy.coordinates.back() = add(first_column, i32(at));
    copy.shared = shared_address(tile, {}, at * rows * size);
    marker_.mark(tile_gpu::kAccessAttr, access_of(tile_gpu::AccessKind::Sent, tile), [&] { target_.copy_box_out(b_, copy, op.getAdds()); });
  }
  target_.finish_boxes_out(b_);
}

void Emitter::wait_for_copies_out() {
  {
    mlir::OpBuilder::InsertionGuard guard(b_);
    enter_if(is_first_thread());
    target_.wait_boxes_out(b_);
  }
  note(tile_gpu::NoteKind::Drained);
}

}  // namespace tilewright::gpu

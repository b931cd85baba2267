#include "compiler/targets/cpu/lowering/buffers.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <algorithm>

namespace tilewright::cpu {

namespace {

constexpr std::int64_t kAlignment = 64;
// Unmasked vector accesses may run past the last element of a buffer by less than this.
constexpr std::int64_t kSlack = 256;

std::int64_t round_up(std::int64_t value, std::int64_t to) { return (value + to - 1) / to * to; }

}  // namespace

Buffer* BufferArena::create(llvm::ArrayRef<std::int64_t> shape, mlir::Type element) {
  Buffer& buffer = buffers_.emplace_back();
  buffer.shape.assign(shape.begin(), shape.end());
  buffer.strides.assign(shape.size(), 0);
  buffer.element = element;
  const std::int64_t element_bytes = std::max<std::int64_t>(1, element.getIntOrFloatBitWidth() / 8);
  const std::int64_t lanes = vector_bits_ / 32;

  std::int64_t stride = 1;
  bool innermost = true;
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (shape[d] == 1) continue;
    buffer.strides[d] = stride;
    stride *= shape[d];
    if (innermost) {
      innermost = false;
      stride = round_up(stride, lanes);
      // Rows a multiple of 256 bytes apart fall into few cache sets; one more vector spreads them.
      if (stride * element_bytes % 256 == 0) stride += lanes;
    }
  }
  buffer.bytes = round_up(std::max(stride, lanes) * element_bytes, kAlignment);
  buffer.first_use = buffer.last_use = ++clock_;
  return &buffer;
}

void BufferArena::touch(Buffer* buffer) { buffer->last_use = ++clock_; }

mlir::Value BufferArena::offset_of(mlir::ImplicitLocOpBuilder& builder, Buffer* buffer) {
  touch(buffer);
  auto constant = mlir::LLVM::ConstantOp::create(builder, builder.getI64Type(), builder.getI64IntegerAttr(0));
  buffer->placeholders.push_back(constant);
  return constant;
}

void BufferArena::enter_loop() { loop_starts_.push_back(++clock_); }

void BufferArena::leave_loop() {
  const std::int64_t start = loop_starts_.back();
  loop_starts_.pop_back();
  ++clock_;
  for (Buffer& buffer : buffers_) {
    if (buffer.first_use < start && buffer.last_use > start) buffer.last_use = clock_;
  }
}

std::int64_t BufferArena::assign_offsets(std::int64_t reserved) {
  std::vector<Buffer*> placed;
  std::int64_t end = reserved;
  std::vector<Buffer*> order;
  for (Buffer& buffer : buffers_) order.push_back(&buffer);
  std::stable_sort(order.begin(), order.end(), [](const Buffer* a, const Buffer* b) { return a->bytes > b->bytes; });
  for (Buffer* buffer : order) {
    std::vector<Buffer*> alive;
    for (Buffer* other : placed) {
      if (other->first_use <= buffer->last_use && buffer->first_use <= other->last_use) alive.push_back(other);
    }
    std::sort(alive.begin(), alive.end(), [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; });
    std::int64_t offset = reserved;
    for (const Buffer* other : alive) {
      if (offset + buffer->bytes <= other->offset) break;
      offset = std::max(offset, other->offset + other->bytes);
    }
    buffer->offset = offset;
    placed.push_back(buffer);
    end = std::max(end, offset + buffer->bytes);
    for (mlir::Operation* placeholder : buffer->placeholders) {
      placeholder->setAttr("value", mlir::IntegerAttr::get(mlir::IntegerType::get(placeholder->getContext(), 64), offset));
    }
  }
  return end + kSlack;
}

}  // namespace tilewright::cpu

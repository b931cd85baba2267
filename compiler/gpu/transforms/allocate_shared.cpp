// tile-gpu-allocate-shared: where the buffers of a lowered kernel lie in the block's shared memory.
//
// Operations are numbered in the order of the code. A buffer is needed from its `tile_gpu.buffer` to its last access: if a loop around that access does not contain the buffer's
// operation, to the end of the loop; if the way into a role does not, to the end of both roles, which run at one time; and if asynchronous copies fill it, to where they have certainly arrived. Buffers that are needed at one time lie apart; the longest needed are placed
// first, each at the lowest address.
//
// What is written where others have just read waits for them. So small buffers stay for one phase of accesses longer than they are needed, as long as memory is not short: the next small one then lies
// somewhere else, and is written without waiting.
#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/transforms/passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <vector>

namespace tilewright::gpu {

namespace {

namespace LLVM = mlir::LLVM;
namespace scf = mlir::scf;
using tile_gpu::NoteKind;

constexpr llvm::StringLiteral kSharedName = "tile_gpu_shared";
constexpr std::int64_t kSharedAlignment = 1024;
constexpr std::int64_t kSmall = 8 << 10;  // bytes of a buffer that may stay for a phase longer, and of memory that this may take

struct Interval {
  std::int64_t begin, end;  // positions, both needed
};

struct Buffer {
  tile_gpu::BufferOp op;
  std::int64_t bytes = 0, tiles = 1, alignment = 1, teams = 0, offset = 0;  // teams: that have one each
  Interval needed{0, 0};
  std::vector<Interval> longer;  // beside that, if memory is not short
  mlir::Region* role = nullptr;  // that it belongs to
  bool is_accessed = false;
};

bool overlap(const Interval& a, const Interval& b) { return a.begin <= b.end && b.begin <= a.end; }

bool are_roles(mlir::Operation* op) { return op->hasAttr(tile_gpu::kConsumersAttr); }

// Null: it is of all warps.
mlir::Region* role_of(mlir::Operation* op) {
  for (; op->getParentOp(); op = op->getParentOp())
    if (are_roles(op->getParentOp())) return op->getParentRegion();
  return nullptr;
}

bool is_loop(mlir::Operation* op) { return llvm::isa<scf::ForOp, scf::WhileOp>(op); }

class Allocation {
 public:
  explicit Allocation(mlir::func::FuncOp kernel) : kernel_(kernel) {
    number(kernel.getBody().front());
    kernel.walk([&](tile_gpu::BufferOp op) {
      Buffer& buffer = at(static_cast<std::int64_t>(op.getNumber()));
      buffer.op = op;
      buffer.bytes = static_cast<std::int64_t>(op.getBytes());
      buffer.tiles = static_cast<std::int64_t>(op.getTiles());
      buffer.alignment = static_cast<std::int64_t>(op.getAlignment());
      buffer.needed = {positions_[op], positions_[op]};
      buffer.teams = static_cast<std::int64_t>(op.getTeams().value_or(0));
      buffer.role = role_of(op);
    });
    kernel.walk([&](mlir::Operation* op) {
      for (tile_gpu::AccessAttr access : tile_gpu::accesses_of(op)) extend(at(access.getBuffer()), op, access.getKind() == tile_gpu::AccessKind::Copy);
    });
    for (Buffer& buffer : buffers_) stay_longer(buffer);
  }

  // Returns the bytes of all.
  std::int64_t place(std::int64_t limit) {
    const std::int64_t least = place_all(/*longer=*/false);
    const std::int64_t most = place_all(/*longer=*/true);
    return most <= std::min(limit, least + kSmall) ? most : place_all(/*longer=*/false);
  }

  // The buffers that are there when most bytes are needed.
  std::string fullest() const {
    std::vector<const Buffer*> most;
    std::int64_t most_bytes = -1;
    for (const Buffer& moment : buffers_) {
      std::vector<const Buffer*> present;
      std::int64_t bytes = 0;
      for (const Buffer& buffer : buffers_) {
        if (!buffer.is_accessed || !overlap(buffer.needed, {moment.needed.begin, moment.needed.begin})) continue;
        present.push_back(&buffer);
        bytes += buffer.bytes * std::max<std::int64_t>(1, buffer.teams);
      }
      if (bytes > most_bytes) most = std::move(present), most_bytes = bytes;
    }
    std::string text;
    llvm::raw_string_ostream stream(text);
    for (const Buffer* buffer : most) {
      stream << (buffer == most.front() ? "" : ", ") << buffer->bytes * std::max<std::int64_t>(1, buffer->teams);
      if (auto file = tile_gpu::BufferOp(buffer->op).getLoc()->findInstanceOf<mlir::FileLineColLoc>())
        stream << " for " << file.getFilename().getValue() << ":" << file.getLine() << ":" << file.getColumn();
    }
    return text;
  }

  void rewrite(mlir::ModuleOp module) {
    mlir::OpBuilder b(kernel_);
    if (!buffers_.empty() && !module.lookupSymbol(kSharedName)) {
      LLVM::GlobalOp::create(b, kernel_.getLoc(), LLVM::LLVMArrayType::get(b.getI8Type(), 0), /*isConstant=*/false, LLVM::Linkage::External, kSharedName, mlir::Attribute(),
                             kSharedAlignment, tile_gpu::kSharedSpace);
    }
    llvm::SmallVector<mlir::Attribute> table;
    for (Buffer& buffer : buffers_) {
      table.push_back(b.getDenseI64ArrayAttr({buffer.offset, buffer.bytes, buffer.tiles}));
      if (!buffer.op) continue;
      const mlir::Location loc = buffer.op.getLoc();
      b.setInsertionPoint(buffer.op);
      mlir::Value address = LLVM::AddressOfOp::create(b, loc, buffer.op.getType(), kSharedName);
      if (buffer.offset != 0) address = LLVM::GEPOp::create(b, loc, address.getType(), b.getI8Type(), address, LLVM::GEPArg(static_cast<std::int32_t>(buffer.offset)));
      buffer.op.replaceAllUsesWith(address);
      buffer.op.erase();
    }
    kernel_->setAttr(tile_gpu::kBuffersAttr, b.getArrayAttr(table));
    kernel_.walk([&](tile_gpu::TeamStrideOp op) {
      b.setInsertionPoint(op);
      op.replaceAllUsesWith(LLVM::ConstantOp::create(b, op.getLoc(), op.getType(), b.getI32IntegerAttr(static_cast<std::int32_t>(team_stride_))).getResult());
      op.erase();
    });
  }

 private:
  Buffer& at(std::int64_t number) {
    if (buffers_.size() <= static_cast<std::size_t>(number)) buffers_.resize(static_cast<std::size_t>(number) + 1);
    return buffers_[static_cast<std::size_t>(number)];
  }

  void number(mlir::Block& block) {
    for (mlir::Operation& op : block) {
      const std::int64_t position = next_++;
      auto note = llvm::dyn_cast<tile_gpu::NoteOp>(op);
      if (note && note.getKind() == NoteKind::Phase) phases_.push_back(position);
      // Of most operations nobody asks.
      if (op.getNumRegions() == 0 && !note && !op.hasAttr(tile_gpu::kAccessAttr) && !llvm::isa<tile_gpu::BufferOp>(op)) continue;
      positions_[&op] = position;
      for (mlir::Region& region : op.getRegions())
        for (mlir::Block& inner : region) number(inner);
      ends_[&op] = next_ - 1;
    }
  }

  void extend(Buffer& buffer, mlir::Operation* access, bool is_copy) {
    buffer.is_accessed = true;
    std::int64_t end = positions_[access];
    if (is_copy) end = std::max(end, arrived(access));
    for (mlir::Operation* around = access->getParentOp(); around && !around->isAncestor(buffer.op); around = around->getParentOp())
      if (is_loop(around) || are_roles(around)) end = std::max(end, ends_[around]);
    buffer.needed.end = std::max(buffer.needed.end, end);
  }

  // Where all threads have waited for a copy that begins here, whatever way they went.
  std::int64_t arrived(mlir::Operation* copy) {
    for (mlir::Operation* from = copy; from != kernel_; from = from->getParentOp()) {
      for (mlir::Operation* op = from->getNextNode(); op; op = op->getNextNode()) {
        auto note = llvm::dyn_cast<tile_gpu::NoteOp>(op);
        if (note && note.getKind() == NoteKind::Wait && note.getPending() == 0u) return positions_[op];
      }
    }
    return next_;
  }

  // To the end of the phase in which the next buffer is written: the next phase but one. At the end of a loop that comes from the beginning.
  void stay_longer(Buffer& buffer) {
    if (!buffer.is_accessed || buffer.bytes > kSmall || buffer.alignment >= kSharedAlignment) return;
    mlir::Operation* loop = buffer.op->getParentOp();
    while (loop != kernel_ && !is_loop(loop)) loop = loop->getParentOp();
    const std::int64_t loop_begin = loop == kernel_ ? 0 : positions_[loop], loop_end = loop == kernel_ ? next_ : ends_[loop];
    int left = 2;
    for (auto phase = llvm::upper_bound(phases_, buffer.needed.end); left > 0 && phase != phases_.end() && *phase <= loop_end; ++phase) {
      buffer.longer.push_back({buffer.needed.end, *phase});
      --left;
    }
    if (left == 0) return;
    buffer.longer.push_back({buffer.needed.end, loop_end});
    for (auto phase = llvm::lower_bound(phases_, loop_begin); left > 0 && loop != kernel_ && phase != phases_.end() && *phase < buffer.needed.begin; ++phase) {
      buffer.longer.push_back({loop_begin, *phase});
      --left;
    }
  }

  static bool meet(const Buffer& a, const Buffer& b, bool longer) {
    if (overlap(a.needed, b.needed) || (a.role && b.role && a.role != b.role)) return true;
    if (!longer) return false;
    const auto meets = [](const Buffer& x, const Buffer& y) { return llvm::any_of(x.longer, [&](const Interval& interval) { return overlap(interval, y.needed); }); };
    return meets(a, b) || meets(b, a);
  }

  std::int64_t place_all(bool longer) {
    std::vector<Buffer*> of_block, of_team;
    for (Buffer& buffer : buffers_)
      if (buffer.is_accessed) (buffer.teams == 0 ? of_block : of_team).push_back(&buffer);
    if (of_team.empty()) return place_among(of_block, longer);
    // What teams have lies by itself, one team's behind the other's: teams are not at the same place of the code at one time.
    Buffer all = *of_team.front();
    for (const Buffer* buffer : of_team) {
      all.needed = {std::min(all.needed.begin, buffer->needed.begin), std::max(all.needed.end, buffer->needed.end)};
      all.alignment = std::max(all.alignment, buffer->alignment);
      if (buffer->role) all.role = buffer->role;
    }
    all.longer.clear();
    team_stride_ = static_cast<std::int64_t>(llvm::alignTo(static_cast<std::uint64_t>(place_among(of_team, longer)), static_cast<std::uint64_t>(all.alignment)));
    all.bytes = team_stride_ * all.teams;
    of_block.push_back(&all);
    const std::int64_t bytes = place_among(of_block, longer);
    for (Buffer* buffer : of_team) buffer->offset += all.offset;
    return bytes;
  }

  static std::int64_t place_among(std::vector<Buffer*> order, bool longer) {
    std::stable_sort(order.begin(), order.end(), [](const Buffer* a, const Buffer* b) {
      return std::pair(b->needed.end - b->needed.begin, b->bytes) < std::pair(a->needed.end - a->needed.begin, a->bytes);
    });
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      Buffer& buffer = *order[i];
      std::vector<std::pair<std::int64_t, std::int64_t>> taken;  // first byte and the one behind
      for (std::size_t j = 0; j < i; ++j)
        if (meet(buffer, *order[j], longer)) taken.emplace_back(order[j]->offset, order[j]->offset + order[j]->bytes);
      llvm::sort(taken);
      buffer.offset = 0;
      for (auto [first, behind] : taken) {
        if (buffer.offset + buffer.bytes <= first) break;
        buffer.offset = std::max(buffer.offset, static_cast<std::int64_t>(llvm::alignTo(static_cast<std::uint64_t>(behind), static_cast<std::uint64_t>(buffer.alignment))));
      }
      bytes = std::max(bytes, buffer.offset + buffer.bytes);
    }
    return bytes;
  }

  mlir::func::FuncOp kernel_;
  std::vector<Buffer> buffers_;  // by number
  llvm::DenseMap<mlir::Operation*, std::int64_t> positions_, ends_;
  std::vector<std::int64_t> phases_;  // positions of their notes
  std::int64_t next_ = 0, team_stride_ = 0;
};

class AllocateShared : public mlir::PassWrapper<AllocateShared, mlir::OperationPass<mlir::ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AllocateShared)

  explicit AllocateShared(const GpuTarget& target) : target_(target) {}

  llvm::StringRef getArgument() const override { return "tile-gpu-allocate-shared"; }
  llvm::StringRef getDescription() const override { return "Place the buffers of lowered kernels in shared memory, those that are never needed together at the same addresses"; }
  void getDependentDialects(mlir::DialectRegistry& registry) const override { registry.insert<mlir::LLVM::LLVMDialect>(); }

  void runOnOperation() override {
    mlir::ModuleOp module = getOperation();
    for (auto kernel : llvm::make_early_inc_range(module.getOps<mlir::func::FuncOp>())) {
      if (!kernel->hasAttr(tile_gpu::kKernelAttr)) continue;
      Allocation allocation(kernel);
      const std::int64_t bytes = allocation.place(target_.max_shared_bytes());
      if (bytes > target_.max_shared_bytes()) {
        kernel.emitError() << "TW2310: kernel '" << kernel.getName() << "' needs " << bytes << " bytes of shared memory a block; " << target_.name() << " has " << target_.max_shared_bytes()
                           << "; smaller tiles need less. At its fullest it holds, in bytes: " << allocation.fullest();
        return signalPassFailure();
      }
      allocation.rewrite(module);
      module->setAttr(tile_gpu::kSharedBytesAttr, mlir::Builder(&getContext()).getI64IntegerAttr(bytes));
    }
  }

 private:
  const GpuTarget& target_;
};

}  // namespace

std::unique_ptr<mlir::Pass> create_allocate_shared(const GpuTarget& target) { return std::make_unique<AllocateShared>(target); }

}  // namespace tilewright::gpu

// tile-gpu-check-shared: proves that threads of a lowered kernel wait for each other where they have to, and nowhere else.
//
// It knows nothing of how barriers came about. From the finished code, blocks and branches of one thread, it follows each access to shared memory along every way that control can take, up to
// the first barrier: meeting an access that it is in conflict with before that means that a barrier is missing. Then on from that barrier to the next one, as if the
// first were not there: meeting such an access there means that the first is needed. A barrier that nothing needs is superfluous.
//
// In the end what was only said for this is taken out of the code.
#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/transforms/passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include "llvm/ADT/DenseSet.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tilewright::gpu {

namespace {

namespace LLVM = mlir::LLVM;
using tile_gpu::AccessAttr;
using tile_gpu::BarrierAttr;

std::string place_of(mlir::Operation* op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "'" << op->getName() << "'";
  if (auto file = op->getLoc()->findInstanceOf<mlir::FileLineColLoc>()) stream << " at " << file.getFilename().getValue() << ":" << file.getLine() << ":" << file.getColumn();
  return text;
}

// A place of the code where something happens that is of interest here.
struct Node {
  mlir::Operation* op = nullptr;  // null: the beginning of a block
  AccessAttr access;
  BarrierAttr barrier;
  tile_gpu::NoteOp note;
  std::vector<int> next;
};

// How it stands with one access, on its way.
struct Journey {
  int node = 0;
  int barrier = -1;             // number of the one barrier that was passed
  std::uint8_t turns = 0;       // of its buffer, since
  std::uint8_t groups = 0;      // committed since it began, its own included, while it may not have arrived
  bool is_in_flight = false;
  bool is_other_phase = false;
  bool is_any_turn = false;
  bool has_warp_barrier = false;

  std::uint64_t key() const {
    const std::uint64_t flags = is_in_flight | is_other_phase << 1 | is_any_turn << 2 | has_warp_barrier << 3;
    return static_cast<std::uint64_t>(node) | static_cast<std::uint64_t>(barrier + 1) << 24 | static_cast<std::uint64_t>(turns) << 44 | static_cast<std::uint64_t>(groups) << 52 | flags << 60;
  }
};

enum class Conflict : std::uint8_t { kNone, kWithinWarp, kAcrossWarps };

class Check {
 public:
  Check(mlir::Region& body, mlir::ArrayAttr table, bool is_one_warp) : is_one_warp_(is_one_warp) {
    for (auto row : table.getAsRange<mlir::DenseI64ArrayAttr>()) table_.push_back(row.asArrayRef());
    read_code(body);
  }

  bool run() {
    if (unmarked_) {
      unmarked_->emitError("TW9524: an access to shared memory that says nothing of its buffer");
      return false;
    }
    // An access like one before it, with accesses alone between, goes ways that the one before has gone.
    llvm::SmallDenseSet<mlir::Attribute> followed;
    for (int start = 0; start < static_cast<int>(nodes_.size()); ++start) {
      if (!nodes_[start].access) followed.clear();
      else if (followed.insert(nodes_[start].access).second && !follow(start)) return false;
    }
    for (const Node& node : nodes_) {
      if (!node.barrier || node.barrier.getKind() == tile_gpu::BarrierKind::Memory || needed_.contains(node.barrier.getNumber())) continue;
      // Slower than need be, and right: no reason to refuse the kernel.
      node.op->emitWarning() << "TW9523: barrier " << node.barrier.getNumber() << " is superfluous: without it no two accesses to shared memory are in conflict";
    }
    return true;
  }

 private:
  // ---- the code as a graph

  void read_code(mlir::Region& body) {
    llvm::DenseMap<mlir::Block*, int> first, last;
    for (mlir::Block& block : body) {
      int at = add({});
      first[&block] = at;
      const auto append = [&](Node node) {
        // One node for what is alike and next to each other.
        const Node& previous = nodes_[at];
        if (node.access && node.access == previous.access) return;
        if (node.barrier && node.barrier == previous.barrier) return;
        const int next = add(std::move(node));
        nodes_[at].next.push_back(next);
        at = next;
      };
      for (mlir::Operation& op : block) {
        const auto accesses = tile_gpu::accesses_of(&op);
        if (accesses.empty() && touches_shared(op) && !unmarked_) unmarked_ = &op;
        for (AccessAttr access : accesses) append({.op = &op, .access = access});
        const auto barrier = llvm::dyn_cast_or_null<BarrierAttr>(op.getDiscardableAttr(tile_gpu::kBarrierAttr));
        const auto note = llvm::dyn_cast<tile_gpu::NoteOp>(op);
        if (barrier || note) append({.op = &op, .barrier = barrier, .note = note});
      }
      last[&block] = at;
    }
    for (mlir::Block& block : body)
      for (mlir::Block* successor : block.getSuccessors()) nodes_[last[&block]].next.push_back(first[successor]);
  }

  int add(Node node) {
    nodes_.push_back(std::move(node));
    return static_cast<int>(nodes_.size()) - 1;
  }

  static bool touches_shared(mlir::Operation& op) {
    if (!llvm::isa<LLVM::LoadOp, LLVM::StoreOp, LLVM::AtomicRMWOp, LLVM::AtomicCmpXchgOp>(op)) return false;
    return llvm::any_of(op.getOperandTypes(), [](mlir::Type type) {
      auto pointer = llvm::dyn_cast<LLVM::LLVMPointerType>(type);
      return pointer && pointer.getAddressSpace() == tile_gpu::kSharedSpace;
    });
  }

  // ---- conflicts

  Conflict conflict(AccessAttr x, const Journey& journey, AccessAttr y) const {
    if (!x.writes() && !y.writes()) return Conflict::kNone;
    const llvm::ArrayRef<std::int64_t> x_row = table_[x.getBuffer()], y_row = table_[y.getBuffer()];
    const bool same_warp = is_one_warp_ || (x.getWarps() != 0 && x.getWarps() == y.getWarps() && x_row[0] == y_row[0]);
    const Conflict worst = same_warp ? Conflict::kWithinWarp : Conflict::kAcrossWarps;
    if (x.getBuffer() != y.getBuffer()) {
      const bool is_apart = x_row[0] + x_row[1] <= y_row[0] || y_row[0] + y_row[1] <= x_row[0];
      return is_apart ? Conflict::kNone : worst;
    }
    if (x.getTurn() >= 0 && y.getTurn() >= 0 && !journey.is_any_turn) {
      const std::int64_t tiles = x_row[2];
      if (x.getTurn() % tiles != (y.getTurn() + journey.turns) % tiles) return Conflict::kNone;
    }
    const bool both_write = x.writes() && y.writes(), both_apart = x.getApart() && y.getApart();
    if (!journey.is_other_phase && (both_write || both_apart)) return Conflict::kNone;
    return worst;
  }

  // ---- journeys

  bool follow(int start) {
    const AccessAttr access = nodes_[start].access;
    seen_.clear();
    journeys_.clear();
    Journey begin;
    begin.is_in_flight = access.goes_on();
    move_on(start, begin);
    while (!journeys_.empty()) {
      Journey journey = journeys_.back();
      journeys_.pop_back();
      const int at = journey.node;
      const Node& node = nodes_[at];
      if (node.access) {
        const Conflict found = conflict(access, journey, node.access);
        if (found != Conflict::kNone && !(found == Conflict::kWithinWarp && journey.has_warp_barrier && !journey.is_in_flight)) {
          if (journey.barrier >= 0) {
            needed_.insert(journey.barrier);
            continue;
          }
          auto error = node.op->emitError() << (journey.is_in_flight ? "TW9521: no wait for an asynchronous copy" : "TW9522: no barrier") << " between " << place_of(nodes_[start].op)
                                            << ", which touches buffer " << access.getBuffer() << " of shared memory, and " << place_of(node.op) << ", which touches buffer "
                                            << node.access.getBuffer();
          error.attachNote(nodes_[start].op->getLoc()) << "the access before";
          return false;
        }
      } else if (node.barrier) {
        pass_barrier(at, node.barrier, journey);
        continue;
      } else if (node.note) {
        read_note(node.note, access, journey);
      }
      move_on(at, journey);
    }
    return true;
  }

  void move_on(int from, Journey journey) {
    for (int next : nodes_[from].next) {
      journey.node = next;
      if (seen_.insert(journey.key()).second) journeys_.push_back(journey);
    }
  }

  void pass_barrier(int at, BarrierAttr barrier, Journey journey) {
    const int number = static_cast<int>(barrier.getNumber());
    const bool is_absent = journey.barrier == number;
    if (journey.is_in_flight || is_absent) return move_on(at, journey);  // a copy that has not arrived does not care
    if (journey.barrier < 0 && barrier.getKind() != tile_gpu::BarrierKind::Memory) {
      Journey without = journey;
      without.barrier = number;
      move_on(at, without);
    }
    if (barrier.getKind() != tile_gpu::BarrierKind::Warp) return;
    journey.has_warp_barrier = true;
    move_on(at, journey);
  }

  void read_note(tile_gpu::NoteOp note, AccessAttr access, Journey& journey) const {
    const auto is_of_buffer = [&] { return access.getTurn() >= 0 && llvm::is_contained(*note.getBuffers(), access.getBuffer()); };
    constexpr std::uint8_t kMost = 200;
    const bool is_sent = access.getKind() == tile_gpu::AccessKind::Sent;
    switch (note.getKind()) {
      case tile_gpu::NoteKind::Together: break;
      case tile_gpu::NoteKind::Phase: journey.is_other_phase = true; break;
      case tile_gpu::NoteKind::Commit:
        if (journey.is_in_flight && !is_sent && journey.groups < kMost) ++journey.groups;
        break;
      case tile_gpu::NoteKind::Wait:
        // Its own group is one of those that may be pending.
        if (journey.is_in_flight && !is_sent && journey.groups > *note.getPending()) journey.is_in_flight = false, journey.groups = 0;
        break;
      case tile_gpu::NoteKind::Drained:
        if (is_sent) journey.is_in_flight = false;
        break;
      case tile_gpu::NoteKind::Restart:
        if (is_of_buffer()) journey.is_any_turn = true, journey.turns = 0;
        break;
      case tile_gpu::NoteKind::Turn:
        if (is_of_buffer() && !journey.is_any_turn) journey.turns = static_cast<std::uint8_t>((journey.turns + 1) % table_[access.getBuffer()][2]);
        break;
    }
  }

  bool is_one_warp_;
  std::vector<llvm::ArrayRef<std::int64_t>> table_;  // offset, bytes and tiles of each buffer
  std::vector<Node> nodes_;
  mlir::Operation* unmarked_ = nullptr;
  llvm::DenseSet<std::int64_t> needed_;  // barriers
  llvm::DenseSet<std::uint64_t> seen_;
  std::vector<Journey> journeys_;
};

class CheckShared : public mlir::PassWrapper<CheckShared, mlir::OperationPass<mlir::ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CheckShared)

  llvm::StringRef getArgument() const override { return "tile-gpu-check-shared"; }
  llvm::StringRef getDescription() const override { return "Check that finished kernels have the barriers that they need and no others; and take out what was said of shared memory"; }

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<mlir::FunctionOpInterface>()) {
      auto table = kernel->getAttrOfType<mlir::ArrayAttr>(tile_gpu::kBuffersAttr);
      if (!kernel->hasAttr(tile_gpu::kKernelAttr) || !table) continue;
      const llvm::StringRef of_team = getOperation()->hasAttr(tile_gpu::kTeamWarpsAttr) ? tile_gpu::kTeamWarpsAttr : tile_gpu::kWarpsAttr;
      const auto warps = getOperation()->getAttrOfType<mlir::IntegerAttr>(of_team);
      if (!Check(kernel.getFunctionBody(), table, warps && warps.getInt() == 1).run()) return signalPassFailure();
      kernel->removeAttr(tile_gpu::kBuffersAttr);
      kernel.walk([](mlir::Operation* op) {
        op->removeDiscardableAttr(tile_gpu::kAccessAttr);
        op->removeDiscardableAttr(tile_gpu::kBarrierAttr);
        if (llvm::isa<tile_gpu::NoteOp>(op)) op->erase();
      });
    }
  }
};

}  // namespace

std::unique_ptr<mlir::Pass> create_check_shared() { return std::make_unique<CheckShared>(); }

}  // namespace tilewright::gpu

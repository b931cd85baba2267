// tile-gpu-insert-barriers: lets threads of a lowered kernel wait for each other where one touches shared memory that another has touched, and nowhere else.
//
// The code that all threads execute together (the note `together`) becomes a tree of events; what threads execute apart is one event, in front of which a barrier can stand. A walk over
// the tree carries the accesses that no barrier has ended yet: with every access what has become of it since (Pending). A barrier comes in front of the first event that meets one of them.
// Loops are walked until nothing new comes around. A barrier that a loop needs in its first iteration only stands in front of the loop. In the end a walk in which accesses outlive one barrier tells
// which barriers do nothing; they go one by one, those in the innermost loops first.
//
// Two accesses meet if their bytes overlap, one of them writes, and threads of different warps (then a barrier of the block is needed) or of one warp (then one of the warp is enough) may
// be at one byte; #tile_gpu.access says when they are not.
#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/marker.h"
#include "compiler/gpu/transforms/passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>
#include <vector>

namespace tilewright::gpu {

namespace {

namespace scf = mlir::scf;
using tile_gpu::AccessAttr;
using tile_gpu::AccessKind;
using tile_gpu::BarrierKind;
using tile_gpu::NoteKind;

constexpr int kArrived = -2, kBegun = -1, kMostGroups = 31;  // of Pending::group
constexpr int kAnyTurn = -1;
constexpr int kGiven = -1;  // the number of a barrier that was there before

struct Buffer {
  std::int64_t offset, bytes, tiles;
  bool overlaps(const Buffer& other) const { return offset < other.offset + other.bytes && other.offset < offset + bytes; }
};

// An access that is not yet ended by a barrier.
struct Pending {
  int access = 0;        // number of the attribute
  int turns = 0;         // that its buffer has gone on since, modulo the tiles; or kAnyTurn
  int group = kArrived;  // of an asynchronous copy: how many groups were committed after its own; kBegun: its own is not, or it is to global memory, without groups
  bool earlier = false;  // a phase has begun since
  bool in_warp = false;  // a barrier of the warp has been since
  bool outside = false;  // it is from outside of the loop that is probed
  int outlived = -1;     // the number of the one barrier that it has outlived

  auto key() const { return std::tuple(access, turns, group, outlived, earlier, in_warp, outside); }
  friend bool operator<(const Pending& a, const Pending& b) { return a.key() < b.key(); }
  friend bool operator==(const Pending& a, const Pending& b) { return a.key() == b.key(); }
};

// A set of them, in order.
class State {
 public:
  bool empty() const { return all_.empty(); }
  std::size_t size() const { return all_.size(); }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

  void insert(const Pending& pending) {
    const auto at = std::lower_bound(all_.begin(), all_.end(), pending);
    if (at == all_.end() || !(*at == pending)) all_.insert(at, pending);
  }
  void insert(const State& other) {
    std::vector<Pending> both;
    std::set_union(all_.begin(), all_.end(), other.all_.begin(), other.all_.end(), std::back_inserter(both));
    all_ = std::move(both);
  }
  template <class Condition>
  void erase_if(Condition condition) {
    std::erase_if(all_, condition);
  }
  template <class Change>
  void change(Change change_one) {
    for (Pending& pending : all_) change_one(pending);
    std::sort(all_.begin(), all_.end());
    all_.erase(std::unique(all_.begin(), all_.end()), all_.end());
  }

 private:
  std::vector<Pending> all_;
};

struct Event {
  enum class Kind : std::uint8_t { kAccesses, kNote, kBarrier, kFor, kIf, kWhile };
  Kind kind = Kind::kAccesses;
  mlir::Operation* op = nullptr;
  std::vector<int> accesses;
  std::optional<BarrierKind> before;        // inserted
  int number = 0;                           // of that barrier
  std::vector<std::vector<Event>> regions;  // of a loop or branch that all threads take together
  int depth = 0;                            // loops around it
};

tile_gpu::BarrierAttr barrier_of(mlir::Operation* op) { return llvm::dyn_cast_or_null<tile_gpu::BarrierAttr>(op->getDiscardableAttr(tile_gpu::kBarrierAttr)); }

// What has to be between two accesses; in the order of strength.
enum class Need : std::uint8_t { kNothing, kWarp, kBlock, kWait };

class Insertion {
 public:
  Insertion(mlir::func::FuncOp kernel, std::int64_t warps, std::int64_t team_warps) : kernel_(kernel), team_warps_(team_warps), one_warp_((team_warps != 0 ? team_warps : warps) == 1) {
    for (auto buffer : kernel->getAttrOfType<mlir::ArrayAttr>(tile_gpu::kBuffersAttr).getAsRange<mlir::DenseI64ArrayAttr>()) buffers_.push_back({buffer[0], buffer[1], buffer[2]});
    body_ = events_of(kernel.getBody().front(), 0);
  }

  bool run() {
    State state;
    mode_ = Mode::kInsert;
    walk(body_, state);
    if (failed_) return false;
    remove_superfluous();
    return true;
  }

  void write(const GpuTarget& target) {
    Marker marker;
    mlir::ImplicitLocOpBuilder b(kernel_.getLoc(), kernel_.getContext());
    b.setListener(&marker);
    std::int64_t number = 0;
    kernel_.walk([&](mlir::Operation* op) {
      if (auto barrier = barrier_of(op)) number = std::max(number, barrier.getNumber() + 1);
    });
    visit(body_, [&](Event& event) {
      if (!event.before) return;
      b.setInsertionPoint(event.op);
      b.setLoc(event.op->getLoc());
      marker.mark(tile_gpu::kBarrierAttr, tile_gpu::BarrierAttr::get(b.getContext(), *event.before, number++), [&] {
        const int consumers = consumers_around(event.op);
        if (*event.before == BarrierKind::Warp) target.warp_barrier(b);
        else if (team_warps_ != 0 && consumers != 0) target.team_barrier(b, static_cast<int>(team_warps_));
        else if (consumers != 0) target.barrier_of(b, consumers);
        else target.barrier(b);
      });
    });
  }

 private:
  enum class Mode : std::uint8_t {
    kInsert,
    kProbe,  // barriers are inserted for the walk alone; what needs one only because of Pending::outside is noted
    kJudge,  // nothing is inserted; an access outlives one barrier, and barriers without which something would be missing are noted
  };

  // The warps of the role that an operation belongs to; 0: the block's.
  static int consumers_around(mlir::Operation* op) {
    for (mlir::Operation* around = op->getParentOp(); around; around = around->getParentOp())
      if (auto warps = around->getAttrOfType<mlir::IntegerAttr>(tile_gpu::kConsumersAttr)) return static_cast<int>(warps.getInt());
    return 0;
  }

  // ---- the tree

  int number_of(AccessAttr access) {
    const auto [found, added] = numbers_.try_emplace(access, static_cast<int>(accesses_.size()));
    if (added) accesses_.push_back(access);
    return found->second;
  }

  static bool is_together(mlir::Operation& op) {
    for (mlir::Region& region : op.getRegions())
      for (mlir::Block& block : region)
        for (mlir::Operation& inner : block)
          if (auto note = llvm::dyn_cast<tile_gpu::NoteOp>(inner); note && note.getKind() == NoteKind::Together) return true;
    return false;
  }

  std::vector<Event> events_of(mlir::Block& block, int depth) {
    std::vector<Event> events;
    for (mlir::Operation& op : block) {
      Event event;
      event.op = &op;
      event.depth = depth;
      if (auto note = llvm::dyn_cast<tile_gpu::NoteOp>(op)) {
        if (note.getKind() == NoteKind::Together) continue;
        event.kind = Event::Kind::kNote;
      } else if (barrier_of(&op)) {
        event.kind = Event::Kind::kBarrier;
      } else if (is_together(op)) {
        event.kind = llvm::isa<scf::ForOp>(op) ? Event::Kind::kFor : llvm::isa<scf::WhileOp>(op) ? Event::Kind::kWhile : Event::Kind::kIf;
        for (mlir::Region& region : op.getRegions())
          event.regions.push_back(region.empty() ? std::vector<Event>() : events_of(region.front(), depth + (event.kind == Event::Kind::kIf ? 0 : 1)));
      } else {
        op.walk([&](mlir::Operation* inner) {
          for (AccessAttr access : tile_gpu::accesses_of(inner)) {
            const int number = number_of(access);
            if (!llvm::is_contained(event.accesses, number)) event.accesses.push_back(number);
          }
        });
        if (event.accesses.empty()) continue;
        if (is_repetition(events, event.accesses)) continue;
      }
      events.push_back(std::move(event));
    }
    return events;
  }

  // Whether accesses are the same as some before, with nothing between but what cannot meet them: reads for reads, or nothing.
  bool is_repetition(const std::vector<Event>& events, const std::vector<int>& accesses) const {
    const auto reads = [&](int access) { return !accesses_[access].writes(); };
    for (const Event& event : llvm::reverse(events)) {
      if (event.kind != Event::Kind::kAccesses) return false;
      if (event.accesses == accesses) return true;
      if (!llvm::all_of(event.accesses, reads) || !llvm::all_of(accesses, reads)) return false;
    }
    return false;
  }

  template <class Visitor>
  static void visit(std::vector<Event>& events, Visitor visitor) {
    for (Event& event : events) {
      visitor(event);
      for (auto& region : event.regions) visit(region, visitor);
    }
  }

  // ---- which accesses meet

  Need need(const Pending& before, int access) const {
    const AccessAttr x = accesses_[before.access], y = accesses_[access];
    if (!x.writes() && !y.writes()) return Need::kNothing;
    const Need apart = before.group != kArrived ? Need::kWait : Need::kBlock;
    const Buffer &x_bytes = buffers_[x.getBuffer()], &y_bytes = buffers_[y.getBuffer()];
    const bool is_in_warp = one_warp_ || (x.getWarps() != 0 && x.getWarps() == y.getWarps() && x_bytes.offset == y_bytes.offset);
    const Need across = apart == Need::kWait || !is_in_warp ? apart : before.in_warp ? Need::kNothing : Need::kWarp;
    if (x.getBuffer() != y.getBuffer()) return x_bytes.overlaps(y_bytes) ? across : Need::kNothing;
    if (x.getTurn() >= 0 && y.getTurn() >= 0 && before.turns != kAnyTurn && (x.getTurn() - before.turns - y.getTurn()) % x_bytes.tiles != 0) return Need::kNothing;
    if (!before.earlier && ((x.writes() && y.writes()) || (x.getApart() && y.getApart()))) return Need::kNothing;
    return across;
  }

  // ---- the walk

  void walk(std::vector<Event>& events, State& state) {
    for (Event& event : events) walk(event, state);
  }

  void walk(Event& event, State& state) {
    if (event.before) wait(state, *event.before, event.number);
    switch (event.kind) {
      case Event::Kind::kAccesses: return walk_accesses(event, state);
      case Event::Kind::kNote: return walk_note(llvm::cast<tile_gpu::NoteOp>(event.op), state);
      case Event::Kind::kBarrier: return wait(state, barrier_of(event.op).getKind(), kGiven);
      case Event::Kind::kIf: {
        State otherwise = state;
        walk(event.regions[0], state);
        walk(event.regions[1], otherwise);
        state.insert(otherwise);
        return;
      }
      case Event::Kind::kFor:
      case Event::Kind::kWhile: return walk_loop(event, state);
    }
  }

  void walk_loop(Event& event, State& state) {
    if (mode_ == Mode::kInsert && !event.before && !state.empty() && needs_before(event, state)) {
      event.before = one_warp_ ? BarrierKind::Warp : BarrierKind::Block;
      wait(state, *event.before, event.number);
    }
    State exit = state;
    for (;;) {
      State at = state;
      walk(event.regions[0], at);
      if (event.kind == Event::Kind::kWhile) {
        exit = at;
        walk(event.regions[1], at);
      }
      const std::size_t before = state.size();
      state.insert(at);
      if (state.size() == before) break;
    }
    if (event.kind == Event::Kind::kWhile) state = std::move(exit);
  }

  // Whether an event of the loop meets accesses from before the loop and none that the loop has made by then.
  bool needs_before(const Event& loop, const State& state) {
    Event copy = loop;
    State at;
    for (Pending pending : state) {
      pending.outside = true;
      at.insert(pending);
    }
    mode_ = Mode::kProbe;
    noted_ = false;
    for (auto& region : copy.regions) walk(region, at);
    mode_ = Mode::kInsert;
    return noted_;
  }

  void walk_accesses(Event& event, State& state) {
    Need most = Need::kNothing, most_inside = Need::kNothing;
    for (const Pending& pending : state) {
      for (int access : event.accesses) {
        const Need found = need(pending, access);
        if (pending.outlived >= 0) {
          if (found != Need::kNothing) strongest_[pending.outlived] = std::max(strongest_[pending.outlived], found);
          continue;
        }
        most = std::max(most, found);
        if (!pending.outside) most_inside = std::max(most_inside, found);
      }
    }
    if (most == Need::kWait) return fail(event, "asynchronous copies have not certainly arrived where their bytes are touched");
    if (most != Need::kNothing) {
      if (mode_ == Mode::kProbe && most == (one_warp_ ? Need::kWarp : Need::kBlock) && most_inside == Need::kNothing) noted_ = true;
      const BarrierKind kind = most == Need::kWarp ? BarrierKind::Warp : BarrierKind::Block;
      if (!event.before || kind == BarrierKind::Block) event.before = kind;
      wait(state, *event.before, event.number);
    }
    for (int access : event.accesses) {
      Pending pending{.access = access, .group = accesses_[access].goes_on() ? kBegun : kArrived};
      for (int other : event.accesses)
        if (need(pending, other) != Need::kNothing) return fail(event, "threads that are not together touch the same bytes");
      state.insert(pending);
    }
  }

  void walk_note(tile_gpu::NoteOp note, State& state) {
    const auto is_of = [&](const Pending& pending) { return accesses_[pending.access].getTurn() >= 0 && llvm::is_contained(*note.getBuffers(), accesses_[pending.access].getBuffer()); };
    const auto is_to_shared = [&](const Pending& pending) { return accesses_[pending.access].getKind() != AccessKind::Sent; };
    switch (note.getKind()) {
      case NoteKind::Together: return;
      case NoteKind::Phase: return state.change([](Pending& pending) { pending.earlier = true; });
      case NoteKind::Commit:
        return state.change([&](Pending& pending) {
          if (pending.group != kArrived && is_to_shared(pending)) pending.group = std::min(pending.group + 1, kMostGroups);
        });
      case NoteKind::Wait:
        return state.change([&](Pending& pending) {
          if (pending.group >= static_cast<int>(*note.getPending()) && is_to_shared(pending)) pending.group = kArrived;
        });
      case NoteKind::Drained:
        return state.change([&](Pending& pending) {
          if (!is_to_shared(pending)) pending.group = kArrived;
        });
      case NoteKind::Restart:
        return state.change([&](Pending& pending) {
          if (is_of(pending)) pending.turns = kAnyTurn;
        });
      case NoteKind::Turn:
        return state.change([&](Pending& pending) {
          if (is_of(pending) && pending.turns != kAnyTurn) pending.turns = (pending.turns + 1) % static_cast<int>(buffers_[accesses_[pending.access].getBuffer()].tiles);
        });
    }
  }

  void wait(State& state, BarrierKind kind, int number) const {
    std::vector<Pending> outliving;
    if (mode_ == Mode::kJudge && number != kGiven) {
      for (Pending pending : state) {
        if (pending.group != kArrived || pending.outlived >= 0) continue;
        pending.outlived = number;
        outliving.push_back(pending);
      }
    }
    const auto is_ended = [&](const Pending& pending) { return pending.group == kArrived && (pending.outlived < 0 || pending.outlived != number); };
    if (kind != BarrierKind::Warp) {
      state.erase_if(is_ended);
    } else {
      state.change([&](Pending& pending) { pending.in_warp |= is_ended(pending); });
    }
    for (const Pending& pending : outliving) state.insert(pending);
  }

  void fail(const Event& event, const char* message) {
    if (failed_) return;
    failed_ = true;
    event.op->emitError() << "TW9521: " << message;
  }

  // ---- too many

  void remove_superfluous() {
    std::vector<Event*> waiting;
    visit(body_, [&](Event& event) {
      if (!event.before) return;
      event.number = static_cast<int>(waiting.size());
      waiting.push_back(&event);
    });
    std::vector<Event*> order = waiting;
    std::stable_sort(order.begin(), order.end(), [](const Event* a, const Event* b) { return a->depth > b->depth; });
    mode_ = Mode::kJudge;
    for (bool changed = true; changed;) {
      strongest_.assign(waiting.size(), Need::kNothing);
      State state;
      walk(body_, state);
      changed = false;
      for (Event* event : order) {
        if (!event->before) continue;
        const Need needed = strongest_[event->number];
        const bool is_weaker = needed == Need::kWarp && event->before == BarrierKind::Block;
        if (needed != Need::kNothing && !is_weaker) continue;
        // One at a time: without it others may be needed.
        if (is_weaker) event->before = BarrierKind::Warp;
        else event->before.reset();
        changed = true;
        break;
      }
    }
  }

  mlir::func::FuncOp kernel_;
  std::int64_t team_warps_;  // 0: there are no teams
  bool one_warp_;            // is all of a block, or of a team
  std::vector<Buffer> buffers_;
  std::vector<AccessAttr> accesses_;  // those that are different
  llvm::DenseMap<mlir::Attribute, int> numbers_;
  std::vector<Event> body_;
  Mode mode_ = Mode::kInsert;
  bool noted_ = false, failed_ = false;
  std::vector<Need> strongest_;  // by the number of a barrier: what stands between accesses that only it keeps apart
};

// A group that is alone in its turn would wait at a barrier for groups that wait for theirs.
bool leaves_turns_alone(mlir::func::FuncOp kernel) {
  bool is_alone = false;
  const mlir::WalkResult walked = kernel.walk<mlir::WalkOrder::PreOrder>([&](mlir::Operation* op) {
    if (const auto takes = op->getAttrOfType<mlir::BoolAttr>(tile_gpu::kTurnAttr)) is_alone = takes.getValue();
    const auto barrier = op->getAttrOfType<tile_gpu::BarrierAttr>(tile_gpu::kBarrierAttr);
    if (!is_alone || !barrier || barrier.getKind() == BarrierKind::Warp) return mlir::WalkResult::advance();
    op->emitError("TW2332: in a turn that one group of warps takes alone all consumers would have to meet: tiles go through shared memory here");
    return mlir::WalkResult::interrupt();
  });
  return !walked.wasInterrupted();
}

class InsertBarriers : public mlir::PassWrapper<InsertBarriers, mlir::OperationPass<mlir::ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(InsertBarriers)

  explicit InsertBarriers(const GpuTarget& target) : target_(target) {}

  llvm::StringRef getArgument() const override { return "tile-gpu-insert-barriers"; }
  llvm::StringRef getDescription() const override { return "Insert the barriers that accesses to shared memory need"; }
  void getDependentDialects(mlir::DialectRegistry& registry) const override { target_.register_dialects(registry); }

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<mlir::func::FuncOp>()) {
      if (!kernel->hasAttr(tile_gpu::kKernelAttr)) continue;
      const auto number = [&](llvm::StringRef name) {
        const auto attribute = getOperation()->getAttrOfType<mlir::IntegerAttr>(name);
        return attribute ? attribute.getInt() : 0;
      };
      Insertion insertion(kernel, number(tile_gpu::kWarpsAttr), number(tile_gpu::kTeamWarpsAttr));
      if (!insertion.run()) return signalPassFailure();
      insertion.write(target_);
      if (!leaves_turns_alone(kernel)) return signalPassFailure();
    }
  }

 private:
  const GpuTarget& target_;
};

}  // namespace

std::unique_ptr<mlir::Pass> create_insert_barriers(const GpuTarget& target) { return std::make_unique<InsertBarriers>(target); }

}  // namespace tilewright::gpu

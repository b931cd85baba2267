// The explicit level for Hopper (sm_90a): a kernel's schedule says which warps copy, which multiply, and when they wait. docs/language.md has the rules, docs/design/0015-explicit-level.md the reasons.
//
//   void schedule(nvidia::Sm90, In a, In b, Out c) const {                         // beside body(In a, In b, Out c)
//     const nvidia::Channel lefts = nvidia::channel(a.dtype(), {128, 64}, 4), rights = nvidia::channel(b.dtype(), {64, 256}, 4);
//     nvidia::roles({.producer = 24, .consumers = 240},
//       [&] { for (Index k : range(0, a.size(1), 64)) { nvidia::send(lefts, a, {row, k}); nvidia::send(rights, b, {k, column}); } },
//       [&] {
//         Var sum = zeros(f32, {128, 256});
//         for (Index k : range(0, a.size(1), 64)) {
//           const nvidia::SharedTile left = nvidia::receive(lefts), right = nvidia::receive(rights);
//           sum = nvidia::group_dot(left, right, sum);
//           nvidia::release(left); nvidia::release(right);
//         }
//         store(c, {row, column}, cast(sum, c.dtype()));
//       });
//   }
//
// With teams the consumers are several groups of warps that run on their own, and the producer has tiles too:
//
//   const nvidia::Channel lists = nvidia::channel(i32, {64}, 2), blocks = nvidia::channel(k.dtype(), {64, 128}, 4);
//   nvidia::roles({.producer = 32, .consumers = 160, .teams = 12},
//     [&] {
//       const nvidia::SharedTile list = nvidia::send(lists, chosen_blocks());           // a tile of i32
//       for (Index i : range(0, count)) nvidia::send(blocks, k, {nvidia::element(list, i) * 64, 0});
//     },
//     [&] { ... when(is_for(nvidia::team()), [&] { scores = dot(rows, trans(nvidia::read(block))); ... }); ... });
//
// Matrices in shared memory are f16, bf16 or 8-bit floats, or f32 to be copied out; their rows are multiples of 128 bytes. Errors are TW16xx, at the author's line.
#pragma once

#include "dsl/kernel.h"
#include "dsl/operators.h"

namespace tilewright {

namespace nvidia {

// The tag of the level: the first parameter of a schedule.
struct Sm90 {};

inline constexpr int kSharedBytes = 227 * 1024;  // of a block: channels, shared tiles, and what tiles need that go from one layout to another on their way to a store

// What a schedule has by name.
class Handle {
 public:
  explicit Handle(detail::Ref ref) : ref_(ref) {}
  detail::Ref ref() const { return ref_; }

 private:
  detail::Ref ref_;
};

// A queue of tiles from the producer to the consumers: of matrices, which are boxes of memory, or of lists, which are tiles of the producer's.
class Channel : public Handle {
 public:
  using Handle::Handle;
};

// A matrix in shared memory, as products read it, or a list: received, written by the consumers, or sent.
class SharedTile : public Handle {
 public:
  explicit SharedTile(detail::Ref ref, bool transposed = false) : Handle(ref), transposed_(transposed) {}
  bool transposed() const { return transposed_; }

 private:
  bool transposed_;
};

// Turns that the groups of four warps among the consumers take, in their order.
class Turns : public Handle {
 public:
  using Handle::Handle;
};

// A product that has begun. Its operands stay as they are, and nothing uses it, until wait().
class [[nodiscard]] Product : public Handle {
 public:
  using Handle::Handle;
};

// The left operand of a product: a tile, or a matrix in shared memory.
class LeftOperand {
 public:
  LeftOperand(const Tile& tile) : ref(tile.ref()) {}
  LeftOperand(const SharedTile& shared) : ref(shared.ref()), transposed(shared.transposed()), is_shared(true) {}

  detail::Ref ref;
  bool transposed = false, is_shared = false;
};

// The kernel's body is traced instead where the condition, of C++, does not hold: for problems that the schedule is not written for. The reason is logged.
void require(bool condition, const char* reason);

// ---- beside the roles: what they share
Channel channel(DType dtype, Extents shape, Extent stages, Loc at = Loc::current());  // room for `stages` tiles, two at least: matrices, or lists of up to 4096 i32, u32 or f32
SharedTile shared_tile(DType dtype, Extents shape, Loc at = Loc::current());         // with nothing in it; with teams each has its own
Turns turns(Loc at = Loc::current());

// Registers of a thread: multiples of 8 from 24 to 240, that make the producer's warps, which are then four, give registers to the consumers. Left out: the compiler chooses.
// Teams: the consumers are so many teams of the kernel's `warps`, which are then 1, 2 or 4. All teams together are a multiple of four warps, 28 at most. Left out: the consumers are one group, the kernel's `warps`.
struct Roles {
  int producer = 0, consumers = 0;
  int teams = 0;
};

}  // namespace nvidia

namespace detail {

class RolesScope {
 public:
  RolesScope(nvidia::Roles roles, Loc at);
  ~RolesScope();
  RolesScope(const RolesScope&) = delete;
  RolesScope& operator=(const RolesScope&) = delete;
  void consumers();
  void close();

 private:
  bool open_ = true;
};

}  // namespace detail

namespace nvidia {

// The two roles of a schedule, at the same time. The producer is one thread, which has scalars and send; the consumers are the kernel's `warps`, and have everything else. A Var of outside may be read in a role if
// it is a scalar, and assigned in none.
// With teams every team runs the consumers on its own, with tiles and control flow of its own, and receives every tile; a tile is free when all teams have released it. The producer is as a team: it has tiles,
// loads and computes, takes tasks from queues in memory (atomic operations on scalars), and stores nothing.
template <class Producer, class Consumers>
void roles(Roles shape, Producer&& producer, Consumers&& consumers, Loc at = Loc::current()) {
  detail::RolesScope scope(shape, at);
  producer();
  scope.consumers();
  consumers();
  scope.close();
}

// ---- the producer
// Copies a box of a parameter to the channel's next tile, once that is free: indices as load has them, single positions, or span(start, extent) for the two dimensions that are the tile's axes. What lies outside of the
// tensor is zeros. Where the tensor of a call does not have contiguous rows aligned to 16 bytes, the kernel's body takes the schedule's place.
void send(const Channel& channel, const View& view, Indices indices, Loc at = Loc::current());
// With teams: puts a tile into a channel of lists. The producer may read what it gives, with read and element, until its next send of a tile to the channel.
SharedTile send(const Channel& channel, const TileArg& tile, Loc at = Loc::current());

// ---- the consumers
Index team(Loc at = Loc::current());                                  // which of the teams runs this, 0 .. teams - 1
SharedTile receive(const Channel& channel, Loc at = Loc::current());  // waits; every consumer receives every tile
void release(const SharedTile& tile, Loc at = Loc::current());        // once, in the region it was received in
void write(const SharedTile& shared, const TileArg& value, Loc at = Loc::current());
Tile read(const SharedTile& shared, Loc at = Loc::current());                        // the tile it holds
Tile element(const SharedTile& list, const Index& index, Loc at = Loc::current());  // a scalar of the list's dtype, an Index where one is wanted: 0 <= index < extent
// Begins to copy what the shared tile holds to a box of an Out or InOut parameter, indices as send has them. What lies outside of the tensor is not written. The next write to the tile waits until it has been read, and the
// program ends when all is there. Nothing else of the schedule reads or writes the parameter, and no fence stands beside copies. Where two copies meet, which one stays is not said.
void copy_out(const View& view, Indices indices, const SharedTile& tile, Loc at = Loc::current());
// The same, added to what is there: f16, bf16 or f32, each element as a relaxed atomic_add would.
void add_out(const View& view, Indices indices, const SharedTile& tile, Loc at = Loc::current());
inline SharedTile trans(const SharedTile& tile) { return SharedTile(tile.ref(), !tile.transposed()); }

// a b + accumulator, complete when it returns. Rows of the accumulator are a multiple of 16 for each warp, columns one of 8 up to 256.
Tile group_dot(const LeftOperand& a, const SharedTile& b, const TileArg& accumulator, Loc at = Loc::current());
// The same begun only, for operands in shared memory. wait() gives it, and completes what was begun before too; each once, in the region it was begun in.
Product begin_group_dot(const SharedTile& a, const SharedTile& b, const TileArg& accumulator, Loc at = Loc::current());
Tile wait(const Product& product, Loc at = Loc::current());

// Between the two one group is alone, and then the next one: so that one multiplies while another does its arithmetic. Nothing in between may store a tile or need that all consumers meet. Both in one region.
void take_turn(const Turns& turns, Loc at = Loc::current());
void pass_turn(const Turns& turns, Loc at = Loc::current());

}  // namespace nvidia

namespace detail {

template <>
struct LevelTraits<nvidia::Sm90> {
  static constexpr const char* name = "nvidia::sm90";
};

}  // namespace detail

}  // namespace tilewright

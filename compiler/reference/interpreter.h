// The reference interpreter: runs a traced program on host memory exactly as opcodes.def defines it. It is the oracle every target is tested
// against, and the device on which a kernel's author prints, asserts and single-steps.
//
//   reference::Interpreter interpreter(program);
//   interpreter.run_all(slots);            // slots: arguments as compiler/reference/slots.h lays them out
//
// Errors: TW3401 a kernel's assert failed, TW3410 a range whose step is not positive, TW3411 a grid extent that is negative, each with the
// author's position; TW3412 and TW3413 roles that wait for each other for ever, or send what nobody receives; TW3414 a shared tile is read that holds nothing, or an element that a list does not have; TW9301 a malformed program. An object serves one thread at a time; several may read one program at once.
#pragma once

#include "compiler/reference/memory.h"
#include "compiler/reference/ops.h"
#include "dsl/program/program.h"
#include "runtime/support/error.h"

#include <array>
#include <cstdint>
#include <map>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright::reference {

using program::OpId;
using program::ValueId;
using GridIndex = std::array<std::int64_t, 3>;

class Interpreter;

struct Hooks {
  // Receives each line of a print, without its newline. Standard output when empty.
  std::function<void(std::string_view line)> print;
  // Called before each operation of the body; what it throws ends the run. While it is set, combiners run element by element.
  std::function<void(const Interpreter& at, OpId op)> step;
  // Called before each store, with what it stores where; a mask may be null.
  std::function<void(const View& view, const Indexing& indexing, const Tile& value, const Tile* mask)> store;
};

class Interpreter {
 public:
  // The program must outlive this object. Throws Error TW2330 where it calls functions of another language.
  explicit Interpreter(const program::Program& program, Hooks hooks = {});

  // The three extents of the grid for these arguments.
  GridIndex grid(const std::uint64_t* slots);

  // Runs one program of the grid.
  void run(const std::uint64_t* slots, const GridIndex& program_id, const GridIndex& num_programs);

  // Runs every program of a grid, the first axis fastest; of the program's own grid.
  void run_grid(const std::uint64_t* slots, const GridIndex& extents);
  void run_all(const std::uint64_t* slots) { run_grid(slots, grid(slots)); }

  // What a step callback may look at. A value not yet computed is an empty tile or view.
  const program::Program& program() const { return program_; }
  const GridIndex& program_id() const { return program_id_; }
  const Tile& tile(ValueId value) const { return tiles_[value]; }
  const View& view(ValueId value) const { return views_[value]; }

 private:
  void bind(const std::uint64_t* slots);
  void run_region(const program::Region& region);
  void execute(const program::Op& op);
  Tile evaluate(const program::Op& op);
  void run_for(const program::Op& op);
  void run_if(const program::Op& op);
  void run_while(const program::Op& op);
  void run_load(const program::Op& op);
  void run_store(const program::Op& op);
  void run_atomic(const program::Op& op);
  Indexing indexing_of(const program::Op& op) const;
  void run_print(const program::Op& op);
  void run_assert(const program::Op& op);

  // roles.cpp: the producer first, as far ahead as channels without end would let it; what the consumers then receive must have found room on its way
  void run_roles(const program::Op& op);
  void begin_team(std::int64_t team);
  void expect_all_received() const;
  std::string of_team() const;  // for messages: "", " (team 2)"
  Indexing box(const program::Op& op, std::size_t rank);  // the places of a Send or a CopyOut
  void run_send(const program::Op& op);
  void run_send_tile(const program::Op& op);
  void run_copy_out(const program::Op& op);
  void run_receive(const program::Op& op);
  const Tile& shared(const program::Op& op, std::size_t i) const;  // what a shared tile holds
  void run_shared_element(const program::Op& op);
  void run_group_product(const program::Op& op);

  // custom.cpp: reductions and scans with a combiner of the author
  void run_custom_reduce(const program::Op& op);
  void run_custom_scan(const program::Op& op);
  std::vector<Tile> combine(const program::Region& region, const std::vector<Tile>& left, const std::vector<Tile>& right);
  std::vector<Tile> combine_lifted(const program::Region& region, std::int64_t elements);
  bool can_lift(const program::Region& region) const;

  const Tile& operand(const program::Op& op, std::size_t i) const { return read(op.operands[i]); }
  const Tile& read(ValueId value) const;
  std::int64_t scalar(ValueId value) const;
  std::vector<Tile> read_all(const std::vector<ValueId>& values, std::size_t first = 0) const;
  void write(ValueId value, Tile tile);
  SourcePosition position(const program::Op& op) const;

  const program::Program& program_;
  Hooks hooks_;
  std::vector<Tile> tiles_;  // by value
  std::vector<View> views_;
  GridIndex program_id_{}, num_programs_{1, 1, 1};
  bool in_body_ = false;

  struct Sent {
    ValueId channel;
    Tile tile;
    const program::Op* by;
  };
  struct Channel {
    std::int64_t sent = 0, received = 0, released = 0;  // sent: as far as there was room
    std::vector<std::size_t> tiles;                     // of sent_, in their order
  };
  std::vector<Sent> sent_;      // by the producer, in its order
  std::size_t under_way_ = 0;   // those that found room, for the team that runs
  std::int64_t teams_ = 0, team_ = 0;
  std::map<ValueId, Channel> channels_;
};

// A tile as print shows it: a scalar as its value; a tile as type and nested brackets, long axes shortened.
std::string to_text(const Tile& tile);

}  // namespace tilewright::reference

// A GPU made of fibers: runs the blocks of a kernel, compiled for the CPU, one after another, and watches that its threads keep the rules.
//
// Threads of a block run until they wait for each other: at a barrier, in a shuffle or in a matrix instruction. There all threads of the block, or of the warp, have to be at the
// same place of the code. Roles (GpuTarget::group_product): a box copy takes place when no thread can go on without it, and one to global memory when it is waited for; what is to be filled holds garbage until then, and may not be read. An asynchronous copy takes place when it is waited for, and what it is to fill holds garbage until then. Accesses are checked for alignment, accesses to shared memory for its bounds, and both kinds of memory for races (races.h).
#pragma once

#include "compiler/gpu/target.h"
#include "tests/gpu/fiber.h"
#include "tests/gpu/races.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tilewright::simt {

struct Configuration {
  std::string name;
  int lanes = 32;
  int warps = 4;  // where the program does not ask for a number
  bool has_async_copies = false;
  bool has_roles = false;
  std::vector<std::pair<std::string, gpu::MatrixInstruction>> instructions;  // by what they take: "f16", "bf16" to f32, "i8" to i32
};

inline constexpr std::size_t kSinkBytes = 16;  // the widest access

class Machine {
 public:
  using Entry = void (*)(const std::uint64_t* slots);

  Machine(const Configuration& configuration, int warps, std::span<std::byte> shared);

  // Runs one block. Returns what went wrong; empty when nothing did.
  std::string run(Entry entry, const std::uint64_t* slots, std::array<std::int64_t, 3> program, std::array<std::int64_t, 3> programs);

  // Numbers of the assertions that failed, in the order of time.
  const std::vector<int>& failed_assertions() const { return failed_assertions_; }

  // What the code calls, and "simt_sink", memory for accesses that shall not take place; the machine that runs is the process's one.
  struct Hooks;
  static std::vector<std::pair<const char*, void*>> hooks();  // by symbol

 private:
  enum class Meeting : std::uint8_t { kNone, kBarrier, kWarpBarrier, kShuffle, kMatrix, kMatrixLoad, kPartBarrier, kSignal };
  struct Copy {
    std::byte* to;
    std::array<std::byte, kSinkBytes> content;
    std::size_t bytes;
  };
  struct Signal {
    int arrivals = 0, missing = 0;  // of a phase
    std::int64_t bytes = 0;         // still to come in this phase
    std::uint32_t phase = 0;
  };
  struct Dimension {
    std::int64_t size, stride;
    std::int32_t first, extent;
  };
  struct Box {
    std::uint64_t to, signal;
    std::vector<std::byte> content;
  };
  struct BoxOut {
    std::uint64_t from, to;
    int element_bytes, element;  // AtomicElement, of those that are added
    bool adds;
    std::vector<Dimension> dimensions;
  };
  struct Thread {
    explicit Thread(std::size_t stack_bytes) : fiber(stack_bytes) {}
    Fiber fiber;
    Meeting waits = Meeting::kNone;
    int site = 0;                              // of the code, where it waits
    std::uint32_t word = 0, from = 0;          // of a shuffle: what it gives, the lane it asks, then what it has received
    int instruction = 0;
    const std::byte* row = nullptr;            // of a matrix that is read from shared memory
    bool transposed = false;
    int part_begin = 0, part = 0;              // threads that meet at a barrier of some warps: the first, and how many
    std::uint64_t signal = 0;                  // that it waits for
    std::uint32_t phase = 0;                   // modulo 2
    std::vector<Dimension> box;                // of a copy that is being described
    std::vector<BoxOut> boxes_out;             // copies to global memory that are not waited for yet
    std::array<std::uint32_t, 4> words{};      // that such a read brings
    std::vector<Copy> begun;                   // asynchronous copies that are in no group yet
    std::deque<std::vector<Copy>> groups;
    std::array<std::vector<double>, 3> operands;  // of a matrix instruction: a, b, acc, then the result in acc
  };

  void wait(Meeting meeting, int site);
  bool release();
  bool release_warp(std::span<Thread> warp);
  void load_matrices(std::span<Thread> warp);
  bool release_signals();
  void advance(Signal& signal);
  void begin_box(std::uint64_t to, std::uint64_t from, int element_bytes, std::uint64_t signal);
  void finish_box(const Box& box);
  // Each element of a box: its bytes from the beginning in shared memory and in global memory.
  static void visit_box(const std::vector<Dimension>& box, int element_bytes, llvm::function_ref<void(std::size_t shared, std::int64_t global, bool is_inside)> each);
  void begin_box_out(std::uint64_t from, std::uint64_t to, int element_bytes, bool adds, int element);
  void read_box_out(const BoxOut& box);
  void finish_box_out(const BoxOut& box);
  void load_fragment(int operand, int instruction, std::uint64_t tile, std::int64_t rows, bool depth_along_rows, std::int64_t first, std::int64_t depth);
  void finish(const Copy& copy);
  void multiply(std::span<Thread> warp, const gpu::MatrixInstruction& instruction);
  void problem(const std::string& text);
  void touch(std::uint64_t address, int bytes, bool is_shared);

  const Configuration& configuration_;
  std::span<std::byte> shared_;
  std::vector<Thread> threads_;
  int running_ = 0;
  std::array<std::int64_t, 3> program_{}, programs_{};
  std::unordered_map<std::uint64_t, Signal> signals_;
  std::deque<Box> boxes_;  // begun, and not there yet
  RaceDetector races_;
  std::string problem_;
  std::vector<int> failed_assertions_;
};

}  // namespace tilewright::simt

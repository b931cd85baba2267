// A compiled kernel as the runtime loads it: code for one target and what a launch needs to know. No compiler library is needed to read one.
#pragma once

#include "dsl/program/program.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tilewright {

// The calling convention of CPU code (target names "x86-64-v2" .. "host"):
//
//   void entry(const uint64_t* args, const int64_t* program_id, const int64_t* num_programs, char* scratch);
//
// program_id and num_programs point at three values. args holds 64-bit slots, parameter after parameter: a view of rank n takes 1 + 2n slots (address of
// element 0, n sizes, n strides in elements), a scalar takes one slot (its bits in the low bytes; bool as 0 or 1). scratch is 64-byte aligned, at least
// Artifact::scratch_bytes long, and belongs to this call alone. The code allocates nothing, and touches no other memory.
// A failed kernel assertion calls back through the first slot of scratch: see CpuCallbacks.
struct CpuCallbacks {
  // Reports a failed assert of a kernel: its text and the position in the author's source. May not return into the kernel by exception.
  void (*assert_failed)(void* context, const char* message) = nullptr;
  void* context = nullptr;
};

struct ScratchPrefix {  // lies at the start of scratch, filled by the driver before the call
  CpuCallbacks callbacks;
  std::uint64_t reserved[6] = {};
};
static_assert(sizeof(ScratchPrefix) == 64);

using CpuEntry = void (*)(const std::uint64_t* args, const std::int64_t* program_id, const std::int64_t* num_programs, char* scratch);

// How code for a GPU is launched. A program of the grid runs on one cluster of blocks, its blocks side by side along axis 0; the driver's header says how the code receives its
// arguments and program ids.
struct LaunchShape {
  int threads = 0;                 // of a block; 0: not code for a GPU
  int cluster = 1;                 // blocks of a program
  std::uint64_t shared_bytes = 0;  // shared memory of a block that the launch adds to what the code declares itself
  bool overlaps_previous =
      false;  // may start before the work ahead of it in the stream is finished; the code waits for that work itself before it touches memory
};

// Boxes of a view that the code lets the device copy by itself. The driver describes the view to the device at each launch, in one more parameter.
struct BoxMap {
  std::uint32_t parameter = 0;  // of the program; a view whose last dimension has stride 1, with the facts aligned16 and fits32
  // Extents by the view's dimensions, the last those of a row: of 128 bytes, whose 16-byte chunks are swizzled in shared memory; or all of a box, of a multiple of 16 bytes, which lies there as it is.
  std::vector<std::uint32_t> box;
  bool operator==(const BoxMap&) const = default;
};

// What a kernel's code takes of the device it is for. 0 or empty: not known.
struct ResourceUsage {
  int registers = 0, barriers = 0;                                             // registers of a thread, barriers of a block
  std::uint64_t stack_bytes = 0, spill_store_bytes = 0, spill_load_bytes = 0;  // of a thread; only meaningful where registers are known
  std::uint64_t shared_bytes = 0;                                              // of a block, in all
  int resident_blocks = 0;                                                     // on one multiprocessor at once
  double occupancy = 0;                                                        // resident threads, as a fraction of what a multiprocessor can hold
  std::string occupancy_limit;                                                 // what keeps it from holding more: "registers", "shared memory", ...
};

// A part of a compilation and its time.
struct PhaseTime {
  std::string name;
  double ms = 0;
};

struct Artifact {
  std::string kernel;  // name of the kernel
  std::string target;  // "x86-64-v4", "sm_90a", ...; "reference" carries no code
  std::string entry;   // symbol of the entry point in `code`
  std::vector<char>
      code;  // CPU: a relocatable ELF object that names no symbol outside but functions of the C mathematics library; GPUs: what the driver's header says
  std::uint64_t scratch_bytes = 0;
  std::shared_ptr<const program::Program> program;  // parameters, facts and the grid expression; the body too where the device interprets it
  LaunchShape launch;                               // GPUs
  std::vector<BoxMap> maps;                         // GPUs; in the order of their parameters
  std::vector<std::string> assertions;  // GPUs: texts of the kernel's assertions with their positions; the code reports one by its place in this list
  double compile_ms = 0;
  std::vector<PhaseTime> phases;     // of compile_ms, in order
  ResourceUsage usage;               // GPUs
  std::string assembler;             // GPUs: the tool beside LLVM that made `code`; empty: none
  std::vector<std::string> remarks;  // one a line: what was not vectorised, and why
};

}  // namespace tilewright

// From PTX to machine code: a cubin, through ptxas as a program or nvJitLink in this process, whichever a toolkit on this machine offers. Without either a kernel stays PTX and
// the driver assembles it when it is loaded. No device is needed.
//
// ptxas comes first: nvJitLink treats even a single source as one of several, and then ignores setmaxnreg and makes wgmma instructions wait for each other.
//
// Errors: TW2320, a PTX text that does not assemble or link for its target, with the assembler's log; TW3310, a tool that does not work here.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright {

struct PtxSource {
  std::string name;  // for messages: "flash_forward.ptx"
  std::string text;
};

struct PtxOptions {
  std::string target;      // "sm_90a"
  int optimization = 3;    // 0 .. 3
  int max_registers = 0;   // of a thread; 0: what the PTX says
  bool line_info = false;  // keeps .loc lines for profilers and debuggers
};

// What the assembler says of one kernel.
struct PtxUsage {
  std::string entry;
  int registers = 0;  // of a thread
  int barriers = 0;
  std::uint64_t stack_bytes = 0, spill_store_bytes = 0, spill_load_bytes = 0;  // of a thread
  std::uint64_t shared_bytes = 0;                                              // of a block, declared by the code itself
};

struct AssembledPtx {
  std::vector<char> cubin;
  std::vector<PtxUsage> kernels;
  std::string log;  // all the assembler said: facts as above, remarks and warnings
};

// Immutable, thread-safe.
class PtxAssembler {
 public:
  virtual ~PtxAssembler() = default;

  // Which assembler and version: "nvJitLink 13.0", "ptxas 13.0.88". Code from assemblers of one description is the same.
  virtual const std::string& description() const = 0;

  // Whether it takes more than one source. nvJitLink does, ptxas does not.
  virtual bool links() const = 0;

  // One cubin of all sources, which may call each other's functions.
  virtual AssembledPtx assemble(std::span<const PtxSource> sources, const PtxOptions& options) const = 0;
};

// nvJitLink, from the file `library` or wherever a toolkit has it when that is empty. Null when it is not here; `problem` then says what was tried.
std::shared_ptr<const PtxAssembler> load_nv_jit_link(std::string& problem, const std::string& library = {});

// ptxas, from the file `program` or wherever it is found. Null when it is not here.
std::shared_ptr<const PtxAssembler> find_ptxas(std::string& problem, const std::string& program = {});

// ptxas, else nvJitLink, else null.
std::shared_ptr<const PtxAssembler> find_ptx_assembler(std::string& problem);

// The facts in a log of ptxas -v.
std::vector<PtxUsage> parse_ptx_usage(std::string_view log);

// Throws Error TW2320 for sources that do not assemble, with the line of PTX that the log names first.
[[noreturn]] void throw_ptx_error(std::span<const PtxSource> sources, const PtxOptions& options, const std::string& log);

}  // namespace tilewright

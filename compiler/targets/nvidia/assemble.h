// From PTX to machine code and the facts about it, with the tools of a CUDA toolkit where this machine has them.
#pragma once

#include "compiler/targets/nvidia/cuda_functions.h"
#include "compiler/targets/nvidia/nvidia_target.h"
#include "runtime/support/cuda/ptx_assembler.h"

#include <memory>
#include <string>
#include <vector>

namespace tilewright::nvidia {

// Begins to look for the assembler, in the background. Loading a library of 100 MB takes long where it is not in memory.
void start_search();

// The assembler of this process for kernels without functions in CUDA C++, and the one that links such functions; null where there is none, and `problem` is then a sentence that says what was tried. Wait
// until it is found.
std::shared_ptr<const PtxAssembler> assembler(std::string& problem);
std::shared_ptr<const PtxAssembler> linker(std::string& problem);

// The PTX of a kernel for blocks of `threads`, by linker() with the CUDA functions that it calls if there are any. Throws Error TW2320, and what compile_cuda_functions() does.
AssembledPtx assemble(const PtxAssembler& assembler, const std::string& kernel, const std::string& ptx, const std::vector<CudaFunction>& functions, int threads, const NvidiaTarget& target);

// What an assembler's log says beyond the facts that PtxUsage holds: warnings, and losses of performance.
std::vector<std::string> remarks_of(const std::string& log);

// The machine code as text. Throws Error TW3310 where this machine has no disassembler, or it refuses.
std::string disassemble(const std::vector<char>& cubin);

}  // namespace tilewright::nvidia

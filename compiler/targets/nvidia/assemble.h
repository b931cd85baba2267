// From PTX to machine code and the facts about it, with the tools of a CUDA toolkit where this machine has them.
#pragma once

#include "compiler/targets/nvidia/nvidia_target.h"
#include "runtime/support/cuda/ptx_assembler.h"

#include <memory>
#include <string>
#include <vector>

namespace tilewright::nvidia {

// The assembler of this process, looked for at the first call; null where there is none, and `problem` is then a sentence that says what was tried.
std::shared_ptr<const PtxAssembler> assembler(std::string& problem);

// Throws Error TW2320.
AssembledPtx assemble(const PtxAssembler& assembler, const std::string& kernel, const std::string& ptx, const NvidiaTarget& target);

// What an assembler's log says beyond the facts that PtxUsage holds: warnings, and losses of performance.
std::vector<std::string> remarks_of(const std::string& log);

// The machine code as text. Throws Error TW3310 where this machine has no disassembler, or it refuses.
std::string disassemble(const std::vector<char>& cubin);

}  // namespace tilewright::nvidia

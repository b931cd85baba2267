// Stands in for LLVM's targets, and its extension Polly, that are not linked in. LLD names all of them for its link-time optimisation, which code objects do without. Only part of builds
// with LLVM's static libraries; the shared library has them.
#include "llvm/Plugins/PassPlugin.h"

llvm::PassPluginLibraryInfo getPollyPluginInfo();
llvm::PassPluginLibraryInfo getPollyPluginInfo() { return {LLVM_PLUGIN_API_VERSION, "none", "0", [](llvm::PassBuilder&) {}}; }

#define UNUSED_TARGET_WITHOUT_PARSER(name)           \
  extern "C" {                                       \
  void LLVMInitialize##name##TargetInfo() {}         \
  void LLVMInitialize##name##Target() {}             \
  void LLVMInitialize##name##TargetMC() {}           \
  void LLVMInitialize##name##AsmPrinter() {}         \
  }
#define UNUSED_TARGET(name)          \
  UNUSED_TARGET_WITHOUT_PARSER(name) \
  extern "C" void LLVMInitialize##name##AsmParser() {}

UNUSED_TARGET(AArch64)
UNUSED_TARGET(ARM)
UNUSED_TARGET(AVR)
UNUSED_TARGET(BPF)
UNUSED_TARGET(Hexagon)
UNUSED_TARGET(Lanai)
UNUSED_TARGET(LoongArch)
UNUSED_TARGET(M68k)
UNUSED_TARGET(MSP430)
UNUSED_TARGET(Mips)
UNUSED_TARGET(PowerPC)
UNUSED_TARGET(RISCV)
UNUSED_TARGET(Sparc)
UNUSED_TARGET(SystemZ)
UNUSED_TARGET(VE)
UNUSED_TARGET(WebAssembly)
UNUSED_TARGET(Xtensa)
UNUSED_TARGET_WITHOUT_PARSER(SPIRV)
UNUSED_TARGET_WITHOUT_PARSER(XCore)

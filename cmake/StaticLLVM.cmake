# Fills tilewright_mlir with the static archives of MLIR and LLVM.
#
# Debian's archives are exported for use beside the shared libraries: they name LLVM (shared) as what they stand on. That name is taken out, and the LLVM components are given
# here instead. The linker takes from an archive what is needed, so all of MLIR can be offered.
include(CheckLinkerFlag)

set(TILEWRIGHT_LLVM_COMPONENTS
  core support analysis passes target targetparser transformutils scalaropts instcombine vectorize ipo linker irreader asmparser bitreader bitwriter lto dtlto option
  frontendopenmp codegen selectiondag globalisel asmprinter mc mcparser mcdisassembler mcjit orcjit executionengine jitlink runtimedyld
  x86codegen x86asmparser x86desc x86disassembler x86info nvptxcodegen nvptxdesc nvptxinfo amdgpucodegen amdgpuasmparser amdgpudesc amdgpuinfo amdgpuutils)

function(_tilewright_drop_shared_llvm)
  foreach(target IN LISTS ARGN)
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL "STATIC_LIBRARY")
      continue()
    endif()
    get_target_property(libraries ${target} INTERFACE_LINK_LIBRARIES)
    if(libraries)
      list(REMOVE_ITEM libraries LLVM MLIR "$<LINK_ONLY:LLVM>")
      set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES "${libraries}")
    endif()
    if(target MATCHES "^MLIR" AND NOT target MATCHES "Test|CAPI|Lsp|Runtime$")
      list(APPEND archives ${target})
    endif()
  endforeach()
  set(archives ${archives} PARENT_SCOPE)
endfunction()

_tilewright_drop_shared_llvm(${MLIR_EXPORTED_TARGETS})

# LLVMSupport's own dependencies, less Z3 (a solver nothing here calls) and with static compression libraries. LLVMExtensions would bring Polly.
find_library(TILEWRIGHT_ZLIB libz.a REQUIRED)
set_target_properties(LLVMSupport PROPERTIES INTERFACE_LINK_LIBRARIES "rt;dl;m;${TILEWRIGHT_ZLIB};zstd::libzstd_static;LLVMDemangle")
set_target_properties(LLVMExtensions PROPERTIES INTERFACE_LINK_LIBRARIES LLVMSupport)

llvm_map_components_to_libnames(llvm_archives ${TILEWRIGHT_LLVM_COMPONENTS})
target_link_libraries(tilewright_mlir INTERFACE ${archives} ${llvm_archives})

# What is linked in stays inside, so that another LLVM in the process does no harm, and what nothing calls is left out.
target_link_options(tilewright_mlir INTERFACE -Wl,--exclude-libs,ALL -Wl,--gc-sections)
check_linker_flag(CXX "-Wl,--icf=all" TILEWRIGHT_LINKER_FOLDS)
if(TILEWRIGHT_LINKER_FOLDS)
  target_link_options(tilewright_mlir INTERFACE -Wl,--icf=all)
endif()
check_linker_flag(CXX "-Wl,-z,pack-relative-relocs" TILEWRIGHT_LINKER_PACKS)
if(TILEWRIGHT_LINKER_PACKS)
  target_link_options(tilewright_mlir INTERFACE -Wl,-z,pack-relative-relocs)
endif()

# The packages Tilewright builds on. cmake/install_dependencies.sh installs them.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

find_package(TBB REQUIRED)
find_package(GTest REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(zstd REQUIRED)
option(TILEWRIGHT_STATIC_LLVM "Link LLVM and MLIR statically, so that the result runs where they are not installed" OFF)
set(TILEWRIGHT_ZSTD zstd::libzstd_shared)
if(TILEWRIGHT_STATIC_LLVM)
  set(TILEWRIGHT_ZSTD zstd::libzstd_static -Wl,--exclude-libs,libzstd.a)
endif()
if(TILEWRIGHT_RUNTIME_ONLY)
  return()
endif()

find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(benchmark REQUIRED)
find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22)

list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# tilewright_mlir: MLIR and LLVM as the compiler links them. Name no MLIR… or LLVM… library beside it: a second copy of one breaks MLIR's type identities.
add_library(tilewright_mlir INTERFACE)
if(TILEWRIGHT_STATIC_LLVM)
  include(StaticLLVM)
else()
  target_link_libraries(tilewright_mlir INTERFACE MLIR LLVM)
  # Not part of the shared library, so linked as an archive; its exported dependencies would bring MLIR in a second time.
  set_target_properties(MLIROptLib PROPERTIES INTERFACE_LINK_LIBRARIES "MLIR;LLVM")
endif()

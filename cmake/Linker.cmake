# Links with LLD 22 where it is installed: g++ alone would find an older one, or take GNU ld, which is several times slower on the compiler.
include(CheckLinkerFlag)

set(TILEWRIGHT_LLD_DIR /usr/lib/llvm-22/bin CACHE PATH "Folder of the ld.lld to link with; empty: the C++ compiler's own choice of linker")
if(TILEWRIGHT_LLD_DIR AND EXISTS ${TILEWRIGHT_LLD_DIR}/ld.lld)
  set(_lld -fuse-ld=lld -B${TILEWRIGHT_LLD_DIR})
  check_linker_flag(CXX "${_lld}" TILEWRIGHT_LLD_WORKS)
  if(TILEWRIGHT_LLD_WORKS)
    add_link_options(${_lld})
  endif()
endif()

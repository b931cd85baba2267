# How libraries of this project are declared, linked, installed and exported.
#
# tilewright_library(NAME SOURCES ... [DEPS ...] [PRIVATE_DEPS ...] [MLIR | STATIC])
#
#   With neither: a shared library of one layer. It is installed and exported as tilewright::<NAME without the prefix "tilewright_">. Shared, so that a process has
#   one registry of operators, however many libraries register in it (docs/design/0001-libraries.md).
#
#   With MLIR: a static part of the compiler. It sees MLIR's headers and links the target tilewright_mlir; it is not installed.
#
#   With STATIC: a static part of the compiler that has nothing of MLIR; it is not installed.
#
# tilewright_compiler_library(NAME SOURCES ... [DEPS ...] [PRIVATE_DEPS ...])
#
#   The shared library around the compiler's static parts, given as PRIVATE_DEPS. It is installed and exported like a library of any layer, and nothing of MLIR or LLVM
#   shows in its interface: what it needs of them stays its own.
#
# tilewright_test(NAME SOURCES ... [DEPS ...] [MLIR])
#
#   A GoogleTest program, each of its tests known to ctest, which runs them without the user's kernel cache. With MLIR it sees MLIR's headers and links tilewright_mlir.
#
# DEPS are libraries of this project only. A third-party library is named in PRIVATE_DEPS and stays out of installed headers, so that a user needs no package but ours.
# Includes are spelled from the source root. An installed header is found both as <tilewright/dsl/kernel.h> and as "dsl/kernel.h".

include(GNUInstallDirs)
include(GoogleTest)

set(TILEWRIGHT_WARNINGS -Wall -Wextra -Wno-unused-parameter -Wno-restrict)

function(_tilewright_common name)
  target_include_directories(${name} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/tilewright>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_compile_options(${name} PRIVATE ${TILEWRIGHT_WARNINGS})
  target_link_libraries(${name} PUBLIC ${ARGN})
endfunction()

function(_tilewright_check_deps name)
  foreach(dep IN LISTS ARGN)
    if(NOT dep MATCHES "^tilewright_")
      message(FATAL_ERROR "${name}: '${dep}' is not a library of this project; name it in PRIVATE_DEPS")
    endif()
  endforeach()
endfunction()

function(_tilewright_see_mlir name)
  target_include_directories(${name} SYSTEM PRIVATE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_include_directories(${name} PRIVATE ${CMAKE_BINARY_DIR})
endfunction()

function(_tilewright_export name)
  string(REGEX REPLACE "^tilewright_" "" short ${name})
  set_target_properties(${name} PROPERTIES EXPORT_NAME ${short} INSTALL_RPATH "$ORIGIN" INSTALL_RPATH_USE_LINK_PATH ON)
  add_library(tilewright::${short} ALIAS ${name})
  # A program that calls nothing of a library may still want the operators it registers.
  target_link_options(${name} INTERFACE LINKER:--no-as-needed)
  install(TARGETS ${name} EXPORT tilewrightTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

function(tilewright_library name)
  cmake_parse_arguments(ARG "MLIR;STATIC" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tilewright_library(${name}): what is ${ARG_UNPARSED_ARGUMENTS}?")
  endif()
  if(ARG_MLIR)
    add_library(${name} STATIC ${ARG_SOURCES})
    _tilewright_common(${name} ${ARG_DEPS} tilewright_mlir)
    target_include_directories(${name} SYSTEM PUBLIC ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
    target_include_directories(${name} PUBLIC ${CMAKE_BINARY_DIR})
  elseif(ARG_STATIC)
    _tilewright_check_deps(${name} ${ARG_DEPS})
    add_library(${name} STATIC ${ARG_SOURCES})
    _tilewright_common(${name} ${ARG_DEPS})
  else()
    _tilewright_check_deps(${name} ${ARG_DEPS})
    add_library(${name} SHARED ${ARG_SOURCES})
    _tilewright_common(${name} ${ARG_DEPS})
    _tilewright_export(${name})
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_PRIVATE_DEPS})
endfunction()

function(tilewright_compiler_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tilewright_compiler_library(${name}): what is ${ARG_UNPARSED_ARGUMENTS}?")
  endif()
  _tilewright_check_deps(${name} ${ARG_DEPS})
  add_library(${name} SHARED ${ARG_SOURCES})
  _tilewright_common(${name} ${ARG_DEPS})
  _tilewright_see_mlir(${name})
  _tilewright_export(${name})
  target_link_libraries(${name} PRIVATE ${ARG_PRIVATE_DEPS} tilewright_mlir)
endfunction()

function(tilewright_test name)
  cmake_parse_arguments(ARG "MLIR" "" "SOURCES;DEPS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tilewright_test(${name}): what is ${ARG_UNPARSED_ARGUMENTS}?")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  target_compile_options(${name} PRIVATE ${TILEWRIGHT_WARNINGS})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  if(ARG_MLIR)
    _tilewright_see_mlir(${name})
    target_link_libraries(${name} PRIVATE tilewright_mlir)
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES ENVIRONMENT TILEWRIGHT_CACHE=0)
endfunction()

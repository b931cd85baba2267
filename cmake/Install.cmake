# What `cmake --install` puts in place beside the libraries: headers and the package that find_package(tilewright) reads.
include(CMakePackageConfigHelpers)

if(TARGET tilewright)
  set_target_properties(tilewright PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  install(TARGETS tilewright RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# A portable build carries the small libraries that other systems have in other versions.
if(TILEWRIGHT_STATIC_LLVM)
  install(IMPORTED_RUNTIME_ARTIFACTS TBB::tbb fmt::fmt LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()

foreach(folder dsl runtime kernels_src)
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tilewright FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
endforeach()

# Of the compiler a user sees the one header that makes it.
install(FILES ${CMAKE_SOURCE_DIR}/compiler/compiler.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tilewright/compiler)

# The umbrella headers are reached by short names: <tilewright/tilewright.h> is the whole language.
foreach(header dsl/tilewright.h)
  get_filename_component(name ${header} NAME)
  set(forward ${CMAKE_BINARY_DIR}/forward/${name})
  file(WRITE ${forward} "// Forwards to the header's place in the source tree.\n#pragma once\n#include \"${header}\"\n")
  install(FILES ${forward} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tilewright)
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tilewright)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/tilewrightConfig.cmake.in ${CMAKE_BINARY_DIR}/tilewrightConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/tilewrightConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/tilewrightConfig.cmake ${CMAKE_BINARY_DIR}/tilewrightConfigVersion.cmake DESTINATION ${package_dir})
install(EXPORT tilewrightTargets NAMESPACE tilewright:: DESTINATION ${package_dir})

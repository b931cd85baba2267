# TILEWRIGHT_COVERAGE=ON counts which lines and branches of the kernel cache run; cmake/coverage.sh reports them. The rest of the build is as without, so that the tests stay quick.
option(TILEWRIGHT_COVERAGE "Count which lines and branches of the kernel cache run" OFF)

# tilewright_count_coverage(TARGET SOURCE...): sources of a target in the current folder.
function(tilewright_count_coverage target)
  if(NOT TILEWRIGHT_COVERAGE)
    return()
  endif()
  # Without optimisation branches are those of the source. Hashing alone is optimised, since the tests hash gigabytes.
  set(flags --coverage -fprofile-abs-path -fprofile-exclude-files=/usr/.*)
  foreach(source IN LISTS ARGN)
    set(level -O0)
    if(source MATCHES "hash.cpp$")
      set(level -O1)
    endif()
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${level};${flags}")
  endforeach()
  target_link_options(${target} PRIVATE --coverage)
endfunction()

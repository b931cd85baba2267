# TILEWRIGHT_COVERAGE=ON counts which lines and branches run; cmake/coverage.sh reports them.
option(TILEWRIGHT_COVERAGE "Count which lines and branches run" OFF)
if(TILEWRIGHT_COVERAGE)
  add_compile_options(--coverage -fprofile-abs-path -fprofile-update=atomic)
  add_link_options(--coverage)
endif()

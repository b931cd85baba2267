#!/usr/bin/env bash
# Branch coverage of the kernel cache by its own tests: builds the preset `coverage`, runs cache_test but for the tests that do the same thousands of times, and fails below 95 %. Branches that only an
# exception takes are not counted: every call of a function that may throw has one. Needs gcovr. Usage: coverage.sh [option of gcovr]..., such as --html-details FILE
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/coverage

cmake --preset coverage >/dev/null
cmake --build "$build" -j "${JOBS:-$(nproc)}" --target cache_test
find "$build" -name '*.gcda' -delete
TILEWRIGHT_CACHE=0 "$build/bin/cache_test" --gtest_brief=1 --gtest_filter='-Processes.*:Entry.Every*:ContentKey.Every*'
gcovr --root . --filter 'runtime/cache/' --exclude-throw-branches --exclude-unreachable-branches --branches --fail-under-branch 95 "$@" "$build"

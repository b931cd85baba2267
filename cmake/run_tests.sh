#!/usr/bin/env bash
# Runs ctest and pytest on the build of a preset, both even if the first fails, and ends with the closing line of each. Usage: run_tests.sh PRESET
set -uo pipefail
cd "$(dirname "$0")/.."
preset=$1
export VIRTUAL_ENV=$PWD/.venv  # where the tools of CUDA toolkits are looked for too
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

# pytest starts the programs itself, so what the preset says of leaks in libraries of others is said here too, and that what LLVM's allocators poison does not count: they are inlined into our
# code, and what they poison is handed to LLVM's own libraries, which are not instrumented and do not unpoison it.
export ASAN_OPTIONS=allow_user_poisoning=0
export LSAN_OPTIONS="suppressions=$PWD/cmake/sanitizers/lsan.supp:print_suppressions=0"

ctest --preset "$preset" 2>&1 | tee "$log/ctest"
ctest_status=$?

# Under ThreadSanitizer only what ctest holds: whole processes spend their time in TBB and LLVM, which it cannot see into.
pytest_status=0
if [ "$preset" = tsan ]; then
  echo "pytest: not run under tsan" >"$log/pytest"
else
  .venv/bin/python -m pytest --build-dir="build/$preset" 2>&1 | tee "$log/pytest"
  pytest_status=$?
fi

echo
grep -E '^[0-9]+% tests passed' "$log/ctest" || echo "ctest: no tests were run"
tail -n 1 "$log/pytest"
[ $ctest_status -eq 0 ] && [ $pytest_status -eq 0 ]

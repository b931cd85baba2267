#!/usr/bin/env bash
# Runs ctest and pytest on a build folder, both even if the first fails, and ends with the closing line of each. Usage: run_tests.sh BUILD_DIR
set -uo pipefail
cd "$(dirname "$0")/.."
build=$1
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

ctest --test-dir "$build" --output-on-failure --no-tests=error -j2 2>&1 | tee "$log/ctest"
ctest_status=$?
.venv/bin/python -m pytest --build-dir="$build" 2>&1 | tee "$log/pytest"
pytest_status=$?

echo
grep -E '^[0-9]+% tests passed' "$log/ctest" || echo "ctest: no tests were run"
tail -n 1 "$log/pytest"
[ $ctest_status -eq 0 ] && [ $pytest_status -eq 0 ]

#!/usr/bin/env bash
# Checks the driver "cuda" on a machine with an NVIDIA device: builds the runtime alone, runs the conformance suite and the driver's own tests on the device, and the same under
# compute-sanitizer. No LLVM is needed. Needed: a C++20 compiler, CMake 3.25, Ninja or make, and the packages TBB, GoogleTest, nlohmann_json and DLPack (headers).
#
#   cuda_device_check.sh [--deps FOLDER] [--build FOLDER] [--filter GTEST_FILTER] [--no-sanitizer]
#
#     --deps       a folder made by the command below, for a machine that lacks the packages
#     --build      where to build; build/cuda_check without it
#     --filter     only these tests of the driver's own, and no conformance suite
#     Exit codes: 0 all is well, 1 a test failed or the sanitizer found something, 2 usage or the build, 3 no device
#
#   cuda_device_check.sh --pack FOLDER
#
#     On a Debian machine that has the packages: copies their files to FOLDER (6 MB), to be taken along.
set -uo pipefail
cd "$(dirname "$0")/../.."

packages=(libtbb-dev libtbb12 libtbbmalloc2 libtbbbind-2-5 libgtest-dev libgmock-dev nlohmann-json3-dev libdlpack-dev)
deps= build=build/cuda_check filter= sanitizer=yes pack=

usage() { sed -n '2,/^set /p' "$0" | grep '^#' >&2; exit 2; }

while [ $# -gt 0 ]; do
  case $1 in
    --no-sanitizer) sanitizer=no ;;
    --deps | --build | --filter | --pack) [ $# -ge 2 ] || usage; declare "${1#--}=$2"; shift ;;
    *) usage ;;
  esac
  shift
done

if [ -n "$pack" ]; then
  mkdir -p "$pack" || exit 2
  dpkg -L "${packages[@]}" | grep -E '^/usr/(include|lib|share/(cmake|pkgconfig))/' | sort -u | while read -r path; do
    if [ -f "$path" ] || [ -L "$path" ]; then printf '%s\n' "${path#/}"; fi
  done | tar -C / -chf - -T - | tar -C "$pack" -xf - || exit 2
  du -sh "$pack"
  exit 0
fi

say() { printf '\n=== %s\n' "$*"; }

say "build"
options=(-DTILEWRIGHT_RUNTIME_ONLY=ON -DCMAKE_BUILD_TYPE=Release)
[ -n "$deps" ] && options+=("-DCMAKE_PREFIX_PATH=$(realpath "$deps")/usr")
command -v ninja >/dev/null && options+=(-G Ninja)
cmake -S . -B "$build" "${options[@]}" >"/tmp/cuda_check_configure.$$" 2>&1 || { cat "/tmp/cuda_check_configure.$$"; exit 2; }
rm -f "/tmp/cuda_check_configure.$$"
cmake --build "$build" --parallel "$(nproc)" >"/tmp/cuda_check_build.$$" 2>&1 || { tail -60 "/tmp/cuda_check_build.$$"; exit 2; }
rm -f "/tmp/cuda_check_build.$$"
bin=$build/bin

say "device"
command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
present=$("$bin/driver_test" --gtest_filter='*EnumeratesWhatCanBeOpened/cuda' 2>&1)
if grep -q 'SKIPPED' <<<"$present"; then
  grep 'there is no device' <<<"$present" | head -1
  exit 3
fi

failed=()
# Prints what matters of a test program's output: failures, skipped tests with their reason, the sum.
run() {
  local name=$1 log
  shift
  log=$(mktemp)
  "$@" >"$log" 2>&1
  local code=$?
  grep -vE '^\[( RUN|       OK|-----)|^$|^Note: Google|^Running main' "$log" | tail -80
  rm -f "$log"
  say "$name: exit code $code"
  [ $code -eq 0 ] || failed+=("$name")
}

if [ -z "$filter" ]; then
  run "conformance suite" "$bin/driver_test" --gtest_filter='Drivers/Conformance.*/cuda'
  run "driver on the simulation" "$bin/cuda_driver_test" --gtest_filter='*/simulated'
  run "toolkit" "$bin/cuda_tools_test"
  [ -x "$bin/cuda_declarations_test" ] && run "declarations" "$bin/cuda_declarations_test"
  run "faults" "$bin/cuda_fault_test"
fi
run "driver on the device" "$bin/cuda_driver_test" --gtest_filter="${filter:-*/device}"

if [ "$sanitizer" = yes ]; then
  tool=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2>/dev/null | tail -1)
  if [ -z "$tool" ]; then
    say "compute-sanitizer is not here"
    failed+=("compute-sanitizer")
  else
    # Tests that time out or measure time are left out: the sanitizer runs kernels one after the other, and slowly. Failing calls are part of other tests.
    own="${filter:-*/device}-*StreamsOverlap*:*StreamsWaitForEvents*:*LaunchesAddLittle*"
    common=(--error-exitcode 9 --report-api-errors no --print-limit 20)
    for check in memcheck racecheck initcheck synccheck; do
      extra=()
      [ $check = memcheck ] && extra=(--leak-check full)
      [ -z "$filter" ] && run "$check, conformance suite" "$tool" --tool $check "${common[@]}" "${extra[@]}" "$bin/driver_test" --gtest_filter='Drivers/Conformance.*/cuda'
      run "$check, driver" "$tool" --tool $check "${common[@]}" "${extra[@]}" "$bin/cuda_driver_test" --gtest_filter="$own"
    done
  fi
fi

if [ ${#failed[@]} -gt 0 ]; then
  say "FAILED: $(printf '%s; ' "${failed[@]}")"
  exit 1
fi
say "all is well"

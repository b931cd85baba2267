#!/usr/bin/env bash
# Runs the tests of a GPU on a machine that has one, from an unpacked archive of cmake/pack_portable.sh or a build folder.
#
#   check_device.sh [--bin FOLDER] [--output FOLDER] [--jobs N] [--shard I/N] PART...
#
#     doctor     what is here
#     driver     the conformance suite of the driver, and the driver's own tests
#     kernels    every kernel at the shapes of the tests
#     grid       every operation on every dtype and shape, against the reference
#     fuzz       random programs, against the reference; FUZZ_COUNT (2000) from FUZZ_SEED (0)
#     sanitizer  every operator at one small shape under memcheck, racecheck, initcheck and synccheck of compute-sanitizer; SANITIZER_SETTINGS adds --set options
#
#     --bin      where the programs are; bin beside this script, or build/release/bin
#     --output   for logs; a fresh folder under /tmp without it
#     --jobs     processes that share the device; as many as cores, at most 16
#     --shard    of the parts kernels, grid and fuzz, only the I-th of N, counted from 0
#
# Prints a line a part, and the failures. Exit codes: 0 all is well, 1 something failed, 2 usage, 3 no device.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$here/bin output= jobs=$(nproc) shard=0/1
[ -d "$bin" ] || bin=$here/../../build/release/bin
[ "$jobs" -le 16 ] || jobs=16
usage() { sed -n '2,/^set /p' "$0" | grep '^#' >&2; exit 2; }

parts=()
while [ $# -gt 0 ]; do
  case $1 in
    --bin) bin=$2; shift ;;
    --output) output=$2; shift ;;
    --jobs) jobs=$2; shift ;;
    --shard) shard=$2; shift ;;
    doctor | driver | kernels | grid | fuzz | sanitizer) parts+=("$1") ;;
    *) usage ;;
  esac
  shift
done
[ ${#parts[@]} -gt 0 ] || usage
output=${output:-$(mktemp -d)}
mkdir -p "$output"
shard_index=${shard%/*} shard_count=${shard#*/}
failed=0

"$bin/tilewright" doctor --json >"$output/doctor.json" 2>"$output/doctor.err"
grep -q '"name": "cuda:0"' "$output/doctor.json" || { echo "no device: $(cat "$output/doctor.json" "$output/doctor.err" | grep -i cuda | head -1)"; exit 3; }
printf 'commit %s, shard %s, %s\n' "$(cat "$here/COMMIT" 2>/dev/null || git -C "$here" rev-parse HEAD)" "$shard" \
  "$(command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version --format=csv,noheader | head -1)"

# verdict PART SECONDS CODE TEXT
verdict() {
  printf '%-10s %s in %s s: %s\n' "$1" "$([ "$3" -eq 0 ] && echo ok || echo FAILED)" "$2" "$4"
  [ "$3" -eq 0 ] || failed=1
}

sum() { awk '{ total += $1 } END { print total + 0 }'; }

# sharded PART PROGRAM ARGUMENT...: a GoogleTest program, split over processes.
sharded() {
  local part=$1 start=$SECONDS i pids=() code=0
  shift
  for ((i = 0; i < jobs; ++i)); do
    GTEST_TOTAL_SHARDS=$((jobs * shard_count)) GTEST_SHARD_INDEX=$((shard_index * jobs + i)) "$@" --gtest_brief=1 >"$output/$part.$i.log" 2>&1 &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i" || code=1; done
  local ran passed bad
  ran=$(cat "$output/$part".*.log | sed -n 's/^\[==========\] \([0-9]*\) tests\? from.* ran.*/\1/p' | sum)
  passed=$(cat "$output/$part".*.log | sed -n 's/^\[  PASSED  \] \([0-9]*\) tests\?\..*/\1/p' | sum)
  bad=$(grep -h '^\[  FAILED  \] [^ ]*\.' "$output/$part".*.log | sed 's/ (.*//' | sort -u)
  verdict "$part" $((SECONDS - start)) "$code" "$passed of $ran tests passed"
  [ -z "$bad" ] || printf '%s\n' "$bad" | tee "$output/$part.failed" | head -40
}

part_doctor() { "$bin/tilewright" doctor; }

part_driver() {
  local start=$SECONDS code=0
  "$bin/driver_test" --gtest_filter='Drivers/Conformance.*/cuda' --gtest_brief=1 >"$output/driver.log" 2>&1 || code=1
  "$bin/cuda_driver_test" --gtest_filter='*/device' --gtest_brief=1 >>"$output/driver.log" 2>&1 || code=1
  verdict driver $((SECONDS - start)) $code "$(grep -c '^\[  FAILED  \] [^ ]*\..*(' "$output/driver.log") failures"
  [ $code -eq 0 ] || grep -B12 '^\[  FAILED' "$output/driver.log" | head -60
}

part_kernels() { sharded kernels "$bin/kernels_cuda_test"; }
part_grid() { sharded grid "$bin/op_grid_test" --gtest_filter='Cuda.*'; }

part_fuzz() {
  local start=$SECONDS i pids=() code=0 count=$((${FUZZ_COUNT:-2000} / shard_count)) first each
  first=$((${FUZZ_SEED:-0} + shard_index * count))
  each=$(((count + jobs - 1) / jobs))
  for ((i = 0; i < jobs; ++i)); do
    "$bin/tilewright_fuzz" --device cuda:0 --seed $((first + i * each)) --count $each --failures 3 >"$output/fuzz.$i.log" 2>&1 &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i" || code=1; done
  verdict fuzz $((SECONDS - start)) $code "$(sed -n 's/^\([0-9]*\) programs from seed.* failed.*/\1/p' "$output"/fuzz.*.log | sum) programs, $(sed -n 's/.*: \([0-9]*\) failed.*/\1/p' "$output"/fuzz.*.log | sum) failed, $(sed -n 's/.* \([0-9]*\) not comparable.*/\1/p' "$output"/fuzz.*.log | sum) that cannot be compared"
  [ $code -eq 0 ] || grep -hA8 '^seed ' "$output"/fuzz.*.log | head -60
}

part_sanitizer() {
  local tool start=$SECONDS code=0 operators check op runs=0 limit=0
  tool=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2>/dev/null | tail -1)
  [ -n "$tool" ] || { verdict sanitizer 0 1 "compute-sanitizer is not here"; return; }
  operators=$("$bin/tilewright" list --json | python3 -c 'import json, sys; print(*(k["name"] for k in json.load(sys.stdin)["kernels"]))')
  for check in memcheck racecheck initcheck synccheck; do
    for op in $operators; do
      # The sanitizer is slow: sizes are the smallest that still have a partial last tile.
      (
        "$tool" --tool "$check" --error-exitcode 9 --report-api-errors no --print-limit 5 "$bin/tilewright" run "$op" --device cuda:0 --repeat 0 --check $(small_settings "$op") ${SANITIZER_SETTINGS:-} \
          >"$output/$check.$op.log" 2>&1 || echo "$check $op" >>"$output/sanitizer.failed"
      ) &
      runs=$((runs + 1)) limit=$((limit + 1))
      [ $limit -lt "$jobs" ] || { wait; limit=0; }
    done
  done
  wait
  [ ! -s "$output/sanitizer.failed" ] || code=1
  verdict sanitizer $((SECONDS - start)) $code "$runs runs"
  [ $code -eq 0 ] || sort "$output/sanitizer.failed"
}

# --set options for those of these settings that the operator has.
small_settings() {
  "$bin/tilewright" list "$1" --json | python3 -c '
import json, sys
small = {"size": "1000", "rows": "33", "columns": "100", "m": "100", "n": "72", "k": "40", "batch": "1", "seq": "100", "heads": "4", "kv_heads": "2"}
have = {s["name"] for s in json.load(sys.stdin)["settings"]}
print(*("--set %s=%s" % item for item in small.items() if item[0] in have))'
}

for part in "${parts[@]}"; do "part_$part"; done
echo "logs: $output"
exit $failed

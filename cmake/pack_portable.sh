#!/usr/bin/env bash
# Builds the preset `portable` and packs it into one archive for a machine without LLVM: the command line, test programs, benchmarks, and the libraries they need beyond those of
# every x86-64 Linux with glibc 2.36 or newer (libc, libm, libstdc++, libgcc_s).
#
#   pack_portable.sh [--output FILE] [--fast] [TARGET...]
#
#     --output   the archive; build/portable/tilewright-portable.tar.xz without it
#     --fast     compress quickly: a third larger, ten times as fast
#     TARGET     programs to pack beside `tilewright`; those that a GPU machine wants without any
#
# There: `tar xf ARCHIVE && tilewright/bin/tilewright doctor`, and `tilewright/check_device.sh --help`.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/portable output= level=-9
programs=()
while [ $# -gt 0 ]; do
  case $1 in
    --output) output=$2; shift ;;
    --fast) level=-3 ;;
    -*) sed -n '2,/^set /p' "$0" | grep '^#' >&2; exit 2 ;;
    *) programs+=("$1") ;;
  esac
  shift
done
[ ${#programs[@]} -gt 0 ] || programs=(kernels_cuda_test op_grid_test tilewright_fuzz driver_test cuda_driver_test cuda_tools_test cuda_fault_test tilewright_launch_bench)
programs=(tilewright "${programs[@]}")
output=${output:-$build/tilewright-portable.tar.xz}

cmake --preset portable >/dev/null
cmake --build "$build" -j "${JOBS:-$(nproc)}" --target "${programs[@]}"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/tilewright
mkdir -p "$root/bin" "$root/lib"

# What every system has.
is_system() {
  case $1 in
    ld-linux* | linux-vdso* | libc.so* | libm.so* | libdl.so* | librt.so* | libpthread.so* | libstdc++.so* | libgcc_s.so*) return 0 ;;
    *) return 1 ;;
  esac
}

for program in "${programs[@]}"; do
  cp "$build/bin/$program" "$root/bin/"
  while read -r name _ path _; do
    if is_system "$(basename "$name")" || [ -e "$root/lib/$name" ]; then continue; fi
    [ -f "$path" ] || { echo "pack_portable: $program needs $name, which is not here" >&2; exit 1; }
    cp -L "$path" "$root/lib/$name"
  done < <(ldd "$build/bin/$program")
done
strip --strip-unneeded "$root"/bin/* "$root"/lib/*
cp tests/device/check_device.sh "$root/"
[ -d bench/peers ] && cp -r bench/peers "$root/peers"
{
  git rev-parse HEAD
  [ -z "$(git status --porcelain --untracked-files=no)" ] || echo dirty
} | paste -sd- >"$root/COMMIT"

tar -C "$stage" -cf - tilewright | xz "$level" -T0 >"$output"

# The archive works from where it is unpacked, and finds nothing of the build.
check=$(mktemp -d)
trap 'rm -rf "$stage" "$check"' EXIT
tar -C "$check" -xf "$output"
for file in "$check"/tilewright/bin/*; do
  while read -r name _ path _; do
    case $path in
      "$check"/tilewright/*) ;;
      *) is_system "$(basename "$name")" || { echo "pack_portable: $(basename "$file") takes $name from $path" >&2; exit 1; } ;;
    esac
  done < <(ldd "$file")
done
newest=$(for file in "$check"/tilewright/bin/* "$check"/tilewright/lib/*; do objdump -T "$file" | grep -o 'GLIBC_2\.[0-9]*' || true; done | sort -uV | tail -1)
case $newest in
  GLIBC_2.[0-9] | GLIBC_2.[12][0-9] | GLIBC_2.3[0-6]) ;;
  *) echo "pack_portable: needs $newest" >&2; exit 1 ;;
esac
(cd / && "$check/tilewright/bin/tilewright" --version)
printf '%s: %s, needs %s\n' "$output" "$(du -h "$output" | cut -f1)" "$newest"

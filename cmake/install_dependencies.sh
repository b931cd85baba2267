#!/usr/bin/env bash
# Installs what building and testing Tilewright needs and is missing, and says so: Debian packages by apt-get (as root or through sudo), Python packages by pip into .venv.
# With nothing missing it only looks, in well under a second. Usage: install_dependencies.sh [build] [python] [format] [lint] [coverage]; without arguments: build python.
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(g++ cmake ninja-build ccache make git
  llvm-22-dev libmlir-22-dev mlir-22-tools llvm-22-tools lld-22 liblld-22-dev libzstd-dev zlib1g-dev
  libfmt-dev libtbb-dev libgtest-dev libgmock-dev nlohmann-json3-dev libcli11-dev libxxhash-dev libbenchmark-dev libdlpack-dev)
python_packages=(python3 python3-venv)
format_packages=(clang-format-14)
lint_packages=(clang-tidy-22)
coverage_packages=(gcovr)

# The exact torch release: its CPU build serves every test, and a newer one could bring CUDA's packages along.
pip_packages=(torch==2.13.0 numpy safetensors pytest)
# The assembler of PTX, which tests for GPUs want where no CUDA toolkit is installed.
command -v ptxas >/dev/null || pip_packages+=(nvidia-cuda-nvcc==13.0.88)

say() { printf 'install: %s\n' "$*"; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo DEBIAN_FRONTEND=noninteractive "$@"
  else
    say "this needs root, or sudo: $*" >&2
    exit 1
  fi
}

install_debian() {
  local missing=() package
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: install the equivalents of '$*' yourself and use 'make ... INSTALL=no'" >&2
    exit 1
  fi
  local have
  have=$(dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' 2>/dev/null | sed -n 's/^\([^: ]*\)\(:[a-z0-9]*\)\? installed$/\1/p')
  for package in "$@"; do
    grep -qxF "$package" <<<"$have" || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "Debian packages to install: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get -q update </dev/null
  as_root apt-get -q -y --no-install-recommends install "${missing[@]}" </dev/null
}

# Looks at the metadata of what is installed, without importing it: torch alone takes a second to import.
python_is_complete() {
  [ -x .venv/bin/python ] && .venv/bin/python -I - "${pip_packages[@]}" <<'PY'
import sys
from importlib import metadata
for requirement in sys.argv[1:]:
    name, _, version = requirement.partition("==")
    try:
        found = metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        sys.exit(1)
    if version and found != version:
        sys.exit(1)
PY
}

install_python() {
  install_debian "${python_packages[@]}"
  python_is_complete && return
  say "Python packages to install into .venv: ${pip_packages[*]}"
  [ -x .venv/bin/python ] || python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check "${pip_packages[@]}" </dev/null
}

[ $# -gt 0 ] || set -- build python
for part in "$@"; do
  case $part in
    build) install_debian "${build_packages[@]}" ;;
    python) install_python ;;
    format) install_debian "${format_packages[@]}" ;;
    lint) install_debian "${build_packages[@]}" "${lint_packages[@]}" ;;
    coverage) install_debian "${build_packages[@]}" "${coverage_packages[@]}" ;;
    *) say "unknown part '$part': build, python, format, lint, coverage" >&2; exit 2 ;;
  esac
done

"""Reads the source tree and names what breaks the project's rules of structure: layers, foreign headers, vendor names, file sizes.

Every check takes the root of a tree and returns a list of sentences, empty when all is well.
"""

import re
from pathlib import Path

TOP = ("dsl", "compiler", "runtime", "kernels_src", "autotune", "cli", "python", "tests", "bench", "examples")
SUFFIXES = {".h", ".cpp", ".def", ".td", ".inc"}

# The layer of a folder; the longest match wins.
LAYERS = {
    "runtime/support": "support",
    "dsl/program": "program",
    "dsl": "dsl",
    "runtime": "runtime",
    "autotune": "autotune",
    "compiler": "compiler",
    "kernels_src": "kernels",
    **{folder: "top" for folder in ("cli", "python", "tests", "bench", "examples")},
}

ALLOWED = {
    "support": set(),
    "program": {"support"},
    "dsl": {"program", "support"},
    "runtime": {"program", "support"},
    "autotune": {"runtime", "program", "support"},
    "compiler": {"program", "support"},
    "kernels": {"dsl", "program", "runtime", "support"},
    "top": set(LAYERS.values()),
}

# Single headers a layer may see beyond the layers it stands on: contracts.
ALLOWED_HEADERS = {
    "compiler": {"runtime/artifact.h", "runtime/compiler.h"},
    "kernels": {"autotune/space.h"},
}

COMPILER_HEADERS = re.compile(r"^(mlir|llvm|lld|mlir-c|llvm-c)/")
COMPILER_FOLDERS = ("compiler/", "tests/compiler/", "tests/gpu/")

VENDOR_FOLDERS = {"nvidia", "amd", "cuda", "hip", "cpu"}
VENDOR_WORDS = {"nvidia", "cuda", "nvvm", "ptx", "cubin", "hopper", "blackwell", "amd", "amdgpu", "hip", "rocm", "rocdl", "hsaco", "intel"}
VENDOR_PREFIXES = re.compile(r"^(sm|gfx)\d+")
NEUTRAL = ("dsl", "compiler", "runtime", "autotune", "kernels_src")

LONG_FILE = 600
TOO_LONG_FILE = 900

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def sources(root):
    """Every source file of the project, as a path relative to its root."""
    for top in TOP:
        for path in sorted((root / top).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                yield path.relative_to(root).as_posix()


def layer_of(path):
    """The layer a file belongs to; None outside the known folders."""
    parts = path.split("/")[:-1]
    for length in range(len(parts), 0, -1):
        layer = LAYERS.get("/".join(parts[:length]))
        if layer:
            return layer
    return None


def includes(root, path):
    """(line, quoted, spelling) of every include of a file."""
    for number, line in enumerate((root / path).read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def forbidden_edges(root):
    problems = []
    for path in sources(root):
        layer = layer_of(path)
        for line, _, target in includes(root, path):
            other = layer_of(target)
            if other is None or other == layer or other in ALLOWED[layer] or target in ALLOWED_HEADERS.get(layer, ()):
                continue
            problems.append(f"{path}:{line}: {layer} may not include {target} ({other}); it may include {sorted(ALLOWED[layer]) or 'nothing'}")
    return problems


def foreign_headers(root):
    """Headers of the compiler libraries outside the compiler and its tests."""
    return [
        f"{path}:{line}: {target} belongs to the compiler"
        for path in sources(root)
        if not path.startswith(COMPILER_FOLDERS)
        for line, _, target in includes(root, path)
        if COMPILER_HEADERS.match(target)
    ]


def unresolved_includes(root):
    """Quoted includes that are not spelled from the source root. Generated files end in .inc; examples stand outside and are users."""
    return [
        f'{path}:{line}: "{target}" is not a file of the source root'
        for path in sources(root)
        if not path.startswith("examples/")
        for line, quoted, target in includes(root, path)
        if quoted and not target.endswith(".inc") and not COMPILER_HEADERS.match(target) and not (root / target).is_file()
    ]


def vendor_names(root):
    """Files of neutral folders that are named after a vendor. A vendor's own folder, and tuned/ with its folder a device, are the place for such names."""
    problems = []
    for path in sources(root):
        parts = path.split("/")
        if parts[0] not in NEUTRAL or VENDOR_FOLDERS.intersection(parts[:-1]) or "tuned" in parts:
            continue
        words = re.split(r"[_.\-/]", path.lower())
        found = [word for word in words if word in VENDOR_WORDS or VENDOR_PREFIXES.match(word)]
        if found:
            problems.append(f"{path}: '{found[0]}' in a neutral folder")
    return problems


def long_files(root, limit):
    problems = []
    for path in sources(root):
        lines = (root / path).read_text(encoding="utf-8").count("\n")
        if lines > limit:
            problems.append(f"{path}: {lines} lines, the limit is {limit}; split it by idea")
    return problems


def headers_without_purpose(root):
    """Headers that do not begin with a comment saying what they are for."""
    return [
        f"{path}: the first line is not a comment"
        for path in sources(root)
        if path.endswith(".h") and not (root / path).read_text(encoding="utf-8").lstrip().startswith(("//", "/*"))
    ]

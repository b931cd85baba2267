"""The install tree as its users see it: three projects are built against it by find_package alone, and run."""

import json
import os
import re
import subprocess

import pytest

EXAMPLES = ("my_kernel", "call_from_cpp", "load_bundle")


def run(*command, expect=0):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600)
    assert done.returncode == expect, f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def cache_entry(build_dir, name):
    return re.search(rf"^{name}:[A-Z]+=(.*)$", (build_dir / "CMakeCache.txt").read_text(), re.M).group(1)


@pytest.fixture(scope="session")
def prefix(build_dir, tmp_path_factory):
    """The tree under another name than it was installed to: it does not depend on where it stands."""
    folder = tmp_path_factory.mktemp("install")
    run("cmake", "--install", build_dir, "--prefix", folder / "made")
    (folder / "made").rename(folder / "moved")
    return folder / "moved"


@pytest.fixture(scope="session")
def examples(root, build_dir, prefix, tmp_path_factory):
    """Build folders of the example projects. Sanitizers of the build under test are those of its users too."""
    folders = {}
    sanitizer = cache_entry(build_dir, "TILEWRIGHT_SANITIZER")
    flags = [f"-DCMAKE_CXX_FLAGS=-fsanitize={sanitizer}"] if sanitizer else []
    for name in EXAMPLES:
        folders[name] = tmp_path_factory.mktemp(name)
        run("cmake", "-G", "Ninja", "-S", root / "examples" / name, "-B", folders[name], f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release", *flags)
        run("cmake", "--build", folders[name])
    return folders


@pytest.mark.parametrize("device", ["cpu", "reference"])
@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
def test_loaded_kernel_runs_and_is_checked(prefix, examples, device, dtype):
    settings = ["--set", f"dtype={dtype}", "--set", "seq=70", "--set", "dim=48"]
    report = json.loads(run(prefix / "bin/tilewright", "run", "--load", examples["my_kernel"] / "libmine.so", "alibi_attention", "--device", device, "--check", "--json", *settings))
    assert report["kernel"] == "alibi_attention" and report["device"] == device and report["ok"] is True
    assert 0 < report["rms_ratio"] <= report["tolerance"]


def test_loaded_kernel_is_listed_with_the_shipped_ones(prefix, examples):
    shipped = run(prefix / "bin/tilewright", "list")
    both = run(prefix / "bin/tilewright", "list", "--load", examples["my_kernel"] / "libmine.so")
    assert "alibi_attention" not in shipped
    assert "alibi_attention" in both and "flash_forward" in both


def test_without_its_library_the_kernel_is_unknown(prefix):
    run(prefix / "bin/tilewright", "run", "alibi_attention", "--device", "cpu", expect=2)


def test_program_launches_a_kernel(examples):
    lines = run(examples["call_from_cpp"] / "call_from_cpp").splitlines()
    assert lines[0].startswith("call 1: compiled 1 kernel(s)")
    assert lines[1].startswith("call 2: compiled 0 kernel(s)")
    assert lines[2].startswith("largest error")


def test_only_the_compiler_links_llvm(prefix):
    needs = {path.name: run("readelf", "-d", path) for path in prefix.glob("lib*/libtilewright_*.so")}
    assert {"libtilewright_dsl.so", "libtilewright_runtime.so", "libtilewright_kernels.so", "libtilewright_compiler.so"} <= set(needs)
    linked = [name for name, dynamic in needs.items() if re.search(r"NEEDED.*lib(LLVM|MLIR)", dynamic)]
    assert set(linked) <= {"libtilewright_compiler.so"}


BUNDLED = [("vector_add", ["size=100003"]), ("nsa_forward", ["seq=128"])]


@pytest.mark.parametrize("target", ["host", "x86-64-v2"])
@pytest.mark.parametrize("operator, settings", BUNDLED)
def test_program_without_a_compiler_runs_a_bundle(prefix, examples, tmp_path, operator, settings, target):
    bundle = tmp_path / "kernels.bundle"
    given = [word for setting in settings for word in ("--set", setting)]
    run(prefix / "bin/tilewright", "compile", operator, *given, "--target", target, "--emit", "bundle", "-o", bundle)
    moved = bundle.rename(tmp_path / "moved.bundle")
    line = run(examples["load_bundle"] / "load_bundle", moved, operator, *settings)
    print(line)
    assert re.search(r"; [1-9]\d* kernels of the bundle.*results are right", line)
    other = "vector_add" if operator != "vector_add" else "softmax"
    run(examples["load_bundle"] / "load_bundle", moved, other, expect=1)


def test_program_without_a_compiler_links_no_llvm(examples):
    """What the smallest program that runs bundles brings along, and how large that is."""
    program = examples["load_bundle"] / "load_bundle"
    libraries = dict(re.findall(r"^\s*(\S+) => (\S+)", run("ldd", program), re.M))
    assert not [name for name in libraries if re.match(r"lib(LLVM|MLIR|tilewright_compiler|lld|clang)", name)]
    ours = [path for name, path in libraries.items() if name.startswith("libtilewright_")]
    assert len(ours) >= 3
    sizes = {os.path.basename(path): os.path.getsize(path) for path in [program, *ours]}
    print("bytes:", json.dumps(sizes), "together:", sum(sizes.values()))


def test_kernels_see_no_compiler_header(examples):
    """An author's file includes nothing of LLVM, directly or through ours."""
    headers = run("ninja", "-C", examples["my_kernel"], "-t", "deps")
    assert "tilewright/dsl/tile.h" in headers
    assert not re.search(r"/(mlir|llvm)/", headers)

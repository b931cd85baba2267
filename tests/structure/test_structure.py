"""The rules of source_tree.py hold for this tree, and each is seen to report a tree that breaks it."""

import warnings
from pathlib import Path

import pytest
import source_tree

ROOT = Path(__file__).resolve().parents[2]

CHECKS = [
    source_tree.forbidden_edges,
    source_tree.foreign_headers,
    source_tree.unresolved_includes,
    source_tree.vendor_names,
    source_tree.headers_without_purpose,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_tree(check):
    problems = check(ROOT)
    assert not problems, "\n" + "\n".join(problems)


def test_tree_is_read():
    seen = set(source_tree.sources(ROOT))
    assert {"dsl/program/program.h", "runtime/session.h"} <= seen
    assert "dsl/program/program.h" in {target for _, _, target in source_tree.includes(ROOT, "runtime/artifact.h")}


def test_file_sizes():
    for problem in source_tree.long_files(ROOT, source_tree.LONG_FILE):
        warnings.warn(problem, stacklevel=1)
    problems = source_tree.long_files(ROOT, source_tree.TOO_LONG_FILE)
    assert not problems, "\n" + "\n".join(problems)


def made_up(tmp_path, files):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


COMMENT = "// What it is for.\n"
STANDING = {"runtime/session.h": COMMENT, "dsl/kernel.h": COMMENT, "dsl/program/program.h": COMMENT, "runtime/support/error.h": COMMENT, "compiler/compiler.h": COMMENT,
            "runtime/artifact.h": COMMENT, "autotune/space.h": COMMENT, "autotune/search.h": COMMENT, "cli/run.h": COMMENT}


@pytest.mark.parametrize("path, target", [
    ("dsl/ops.h", "runtime/session.h"),
    ("dsl/program/text.cpp", "dsl/kernel.h"),
    ("runtime/jit.cpp", "dsl/kernel.h"),
    ("runtime/jit.cpp", "compiler/compiler.h"),
    ("runtime/support/error.cpp", "dsl/program/program.h"),
    ("compiler/import/import.cpp", "dsl/kernel.h"),
    ("compiler/import/import.cpp", "runtime/session.h"),
    ("kernels_src/nsa/nsa.cpp", "compiler/compiler.h"),
    ("kernels_src/nsa/nsa.cpp", "autotune/search.h"),
    ("kernels_src/nsa/nsa.cpp", "cli/run.h"),
])
def test_forbidden_edge_is_reported(tmp_path, path, target):
    root = made_up(tmp_path, {**STANDING, path: f'{COMMENT}#include "{target}"\n'})
    assert [problem.startswith(f"{path}:2:") for problem in source_tree.forbidden_edges(root)] == [True]


@pytest.mark.parametrize("path, target", [
    ("dsl/ops.h", "runtime/support/error.h"),
    ("runtime/jit.cpp", "dsl/program/program.h"),
    ("compiler/import/import.cpp", "runtime/artifact.h"),
    ("kernels_src/nsa/nsa.cpp", "autotune/space.h"),
    ("kernels_src/nsa/nsa.cpp", "dsl/kernel.h"),
    ("cli/main.cpp", "compiler/compiler.h"),
    ("tests/dsl/test_ops.cpp", "runtime/session.h"),
])
def test_allowed_edge_is_not_reported(tmp_path, path, target):
    root = made_up(tmp_path, {**STANDING, path: f'{COMMENT}#include "{target}"\n'})
    assert source_tree.forbidden_edges(root) == []


def test_foreign_header_is_reported(tmp_path):
    line = COMMENT + '#include "mlir/IR/Value.h"\n#include <llvm/ADT/APInt.h>\n'
    root = made_up(tmp_path, {"compiler/ir/tile.cpp": line, "tests/compiler/test_ir.cpp": line, "runtime/jit.cpp": line})
    assert [problem.split(" ")[0] for problem in source_tree.foreign_headers(root)] == ["runtime/jit.cpp:2:", "runtime/jit.cpp:3:"]


def test_unresolved_include_is_reported(tmp_path):
    root = made_up(tmp_path, {**STANDING, "dsl/ops.cpp": '#include "kernel.h"\n#include "dsl/kernel.h"\n#include "compiler/ir/tile_ops.h.inc"\n'})
    assert [problem.split(" ")[0] for problem in source_tree.unresolved_includes(root)] == ["dsl/ops.cpp:1:"]


def test_vendor_name_is_reported(tmp_path):
    fine = ["runtime/drivers/cuda/cuda_driver.h", "kernels_src/tuned/sm_90a/nsa.h", "compiler/analysis/relationship.h", "tests/drivers/test_cuda.cpp"]
    bad = ["compiler/analysis/ptx_cost.h", "dsl/sm90.h", "runtime/hip.cpp"]
    root = made_up(tmp_path, {path: COMMENT for path in fine + bad})
    assert sorted(problem.split(":")[0] for problem in source_tree.vendor_names(root)) == sorted(bad)


def test_header_without_purpose_is_reported(tmp_path):
    root = made_up(tmp_path, {"dsl/a.h": "#pragma once\n", "dsl/b.h": COMMENT})
    assert [problem.split(":")[0] for problem in source_tree.headers_without_purpose(root)] == ["dsl/a.h"]


def test_long_file_is_reported(tmp_path):
    root = made_up(tmp_path, {"dsl/a.h": "//\n" * 601, "dsl/b.h": "//\n" * 600})
    assert [problem.split(":")[0] for problem in source_tree.long_files(root, 600)] == ["dsl/a.h"]

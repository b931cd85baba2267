"""Kernels for AMD targets, without a GPU: they become code objects, their products are matrix instructions inside loops, and nothing is kept in scratch memory."""

import json
import re
import struct
import subprocess
from pathlib import Path

import pytest

TARGETS = ("gfx942", "gfx1100")
MATRIX = {"gfx942": {"bf16": "v_mfma_f32_16x16x16_bf16", "f16": "v_mfma_f32_16x16x16_f16"}, "gfx1100": {"bf16": "v_wmma_f32_16x16x16_bf16", "f16": "v_wmma_f32_16x16x16_f16"}}
MACHINE = {"gfx942": 0x4C, "gfx1100": 0x41}  # EF_AMDGPU_MACH of the ELF header's flags
LANES = {"gfx942": 64, "gfx1100": 32}
OBJDUMP = Path("/usr/lib/llvm-22/bin/llvm-objdump")
PRODUCTS = ("matmul", "flash_forward")
# What the GPU level has no code for yet.
NOT_YET = ()


def emit(binary, operator, target, level, output=None, **settings):
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    done = subprocess.run([str(binary), "compile", operator, "--target", target, "--emit", level, *words, *(["-o", str(output)] if output else [])],
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{operator} for {target}: exit {done.returncode}\n{done.stderr}"
    return done.stdout


def in_loops(assembly, instruction):
    """How many of these instructions there are, and how many of them lie between a label and a branch back to it."""
    lines = assembly.splitlines()
    labels, loops = {}, []
    for number, line in enumerate(lines):
        if label := re.match(r"(\.L\w+):", line):
            labels[label[1]] = number
        elif (branch := re.match(r"\s+s_c?branch\w*\s+(\.L\w+)", line)) and branch[1] in labels:
            loops.append((labels[branch[1]], number))
    places = [number for number, line in enumerate(lines) if line.lstrip().startswith(instruction)]
    return len(places), sum(any(start < place < end for start, end in loops) for place in places)


def metadata(assembly, name):
    """The values of one entry of the metadata, kernel by kernel."""
    return [int(value) for value in re.findall(rf"^\s+\.{name}:\s+(\d+)$", assembly, re.MULTILINE)]


def test_loops_are_told_from_other_branches():
    text = "\ts_cbranch_scc0 .L2\n.L1:\n\tv_x a\n\ts_cbranch_vccz .L1\n.L2:\n\tv_x b\n\ts_branch .L3\n\tv_x c\n.L3:\n"
    assert in_loops(text, "v_x") == (3, 1)


@pytest.mark.parametrize("dtype", ("bf16", "f16"))
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("operator", PRODUCTS)
def test_products_are_matrix_instructions_in_loops(binary, operator, target, dtype):
    assembly = emit(binary, operator, target, "asm", dtype=dtype)
    count, inside = in_loops(assembly, MATRIX[target][dtype])
    assert inside == count >= 16, f"{inside} of {count} matrix instructions are in loops"
    assert "tile_gpu" not in assembly.split(".amdgpu_metadata")[1], "no symbol of the compiler is a kernel"
    assert metadata(assembly, "private_segment_fixed_size") == [0]
    assert metadata(assembly, "vgpr_spill_count") == [0]
    assert metadata(assembly, "sgpr_spill_count") == [0]
    assert metadata(assembly, "wavefront_size") == [LANES[target]]


@pytest.mark.parametrize("dtype", ("bf16", "f16"))
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("operator", PRODUCTS)
def test_code_objects_hold_that_code(binary, tmp_path, operator, target, dtype):
    path = tmp_path / "kernel.hsaco"
    emit(binary, operator, target, "hsaco", path, dtype=dtype)
    header = path.read_bytes()[:64]
    elf_type, machine = struct.unpack_from("<HH", header, 16)
    (flags,) = struct.unpack_from("<I", header, 48)
    assert header[:4] == b"\x7fELF" and elf_type == 3 and machine == 224, "a shared object for AMD GPUs"
    assert flags & 0xFF == MACHINE[target]
    if not OBJDUMP.is_file():
        pytest.skip("no llvm-objdump")
    listing = subprocess.run([str(OBJDUMP), "-d", "--no-show-raw-insn", str(path)], capture_output=True, text=True, check=True).stdout
    assert f"<{operator}>:" in listing
    assert len(re.findall(rf"\s{MATRIX[target][dtype]}", listing)) >= 16
    assert not re.search(r"\sscratch_(load|store)|\sbuffer_(load|store)\S* .*offen", listing), "registers are spilled"


@pytest.mark.parametrize("dtype", ("f8e4m3", "f8e5m2"))
@pytest.mark.parametrize("target", TARGETS)
def test_float8_is_multiplied_as_f16(binary, target, dtype):
    assembly = emit(binary, "matmul", target, "asm", dtype=dtype, b_transposed="true")
    count, inside = in_loops(assembly, MATRIX[target]["f16"])
    assert inside == count >= 16, f"{inside} of {count} matrix instructions are in loops"


@pytest.mark.parametrize("target", TARGETS)
def test_every_kernel_compiles(binary, target):
    operators = [entry["name"] for entry in json.loads(subprocess.run([str(binary), "list", "--json"], capture_output=True, text=True, check=True).stdout)["kernels"]]
    assert set(PRODUCTS) <= set(operators)
    for operator in operators:
        if operator in NOT_YET:
            continue
        assembly = emit(binary, operator, target, "asm")
        assert metadata(assembly, "wavefront_size") and set(metadata(assembly, "wavefront_size")) == {LANES[target]}, operator


def test_code_is_the_same_in_every_process(binary, tmp_path):
    for target in TARGETS:
        first, second = tmp_path / "first", tmp_path / "second"
        for path in (first, second):
            emit(binary, "matmul", target, "hsaco", path, dtype="bf16")
        assert first.read_bytes() == second.read_bytes()

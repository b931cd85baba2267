"""Every kernel for every NVIDIA target, without a GPU: it compiles, assembles, and does not spill; the same input gives the same PTX in two processes."""

import json
import os
import subprocess

import pytest

TARGETS = ("sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a")
# What ptxas says when it had to make instructions wait that were meant to overlap, or moved registers to do so.
SERIALISED = ("C7504", "C7508", *(f"C75{number}" for number in range(10, 20)))
SUPERFLUOUS_BARRIER = "TW9523"
SETTINGS = {"matmul": ({"dtype": "bf16"}, {"dtype": "f32"}, {"dtype": "f8e4m3"}, {"dtype": "f8e5m2", "b_dtype": "f8e4m3", "b_transposed": "true"}), "flash_forward": ({"dtype": "bf16", "dim": "128"}, {"dtype": "f32"}), "nsa_forward": ({"dtype": "bf16", "dim": "128"}, {}),
            "gsa_chunk_forward": ({"dtype": "bf16", "dim": "128"}, {})}


def tilewright(binary, *arguments):
    done = subprocess.run([str(binary), *arguments], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{' '.join(arguments)}: exit {done.returncode}\n{done.stderr}"
    return done.stdout


def words(settings):
    return [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]


def cases(operators):
    return [(operator, settings) for operator in operators for settings in SETTINGS.get(operator, ({},))]


@pytest.fixture(scope="session")
def operators(binary):
    return [entry["name"] for entry in json.loads(tilewright(binary, "list", "--json"))["kernels"]]


def test_an_assembler_is_here(binary):
    """The Python package nvidia-cuda-nvcc has one; cmake/install_dependencies.sh installs it where there is no ptxas."""
    report = json.loads(tilewright(binary, "compile", "vector_add", "--target", "sm_90a", "--report", "--json"))
    assert report[0]["assembler"], f"no ptxas and no nvJitLink; VIRTUAL_ENV is {os.environ.get('VIRTUAL_ENV')}"


@pytest.mark.parametrize("target", TARGETS)
def test_every_kernel_assembles_without_spills(binary, operators, target):
    problems = []
    for operator, settings in cases(operators):
        for kernel in json.loads(tilewright(binary, "compile", operator, "--target", target, "--report", "--json", *words(settings))):
            name = f"{operator} {settings}: {kernel['kernel']} {kernel.get('bindings')}"
            assert kernel["registers"] > 0, name
            if kernel["spill_store_bytes"] > 0:
                problems.append(f"{name} spills {kernel['spill_store_bytes']} bytes")
            problems += [f"{name}: {remark}" for remark in kernel["remarks"] if any(code in remark for code in (*SERIALISED, SUPERFLUOUS_BARRIER))]
    assert not problems, "\n" + "\n".join(problems)


HOPPER = (
    ("matmul", {"dtype": "bf16"}),
    ("matmul", {"dtype": "bf16", "block_n": "128"}),
    ("matmul", {"dtype": "bf16", "schedule": "2"}),
    ("matmul", {"dtype": "bf16", "schedule": "2", "stores_boxes": "1"}),
    ("flash_forward", {"dtype": "bf16", "dim": "128"}),
    ("flash_forward", {"dtype": "bf16", "dim": "128", "block_k": "64", "stages": "3"}),
    ("flash_forward", {"dtype": "bf16", "dim": "64"}),
    ("flash_forward", {"dtype": "bf16", "dim": "128", "schedule": "1"}),
    ("flash_forward", {"dtype": "bf16", "dim": "128", "schedule": "2"}),
)


@pytest.mark.parametrize(("operator", "settings"), HOPPER)
def test_hopper_multiplies_by_groups_of_warps(binary, operator, settings):
    """Operands by the copy engine, products by wgmma, a producer that gives its registers away; nothing spilled, nothing serialised."""
    settings = words(settings)
    ptx = tilewright(binary, "compile", operator, "--target", "sm_90a", "--emit", "ptx", *settings)
    for instruction in ("wgmma.mma_async", "cp.async.bulk.tensor", "mbarrier.try_wait", "setmaxnreg.inc", "setmaxnreg.dec"):
        assert instruction in ptx, instruction
    assert "mma.sync" not in ptx
    (kernel,) = json.loads(tilewright(binary, "compile", operator, "--target", "sm_90a", "--report", "--json", *settings))
    assert kernel["spill_store_bytes"] == 0
    assert not [remark for remark in kernel["remarks"] if any(code in remark for code in SERIALISED)]


SHIPPED = (
    ("matmul", {"dtype": "bf16"}, "matmul", {"block_n": 256, "stages": 4}),
    ("matmul", {"dtype": "bf16", "n": "1020"}, "matmul", {"block_n": 128, "stages": 3}),  # rows are no multiple of 16 bytes
    ("matmul", {"dtype": "bf16", "block_n": "96"}, "matmul", {"block_n": 96, "stages": 4}),  # what is given wins
    ("matmul", {"dtype": "f8e4m3", "b_transposed": "true"}, "matmul", {"block_k": 128, "block_n": 256}),
    ("flash_forward", {"dtype": "bf16", "dim": "128"}, "flash_forward", {"block_k": 128, "stages": 2}),
    ("flash_forward", {"dtype": "bf16", "dim": "64"}, "flash_forward", {"block_k": 256}),
    ("flash_forward", {"dtype": "bf16", "dim": "64", "seq": "300", "cu_seqlens": "0,100,300"}, "flash_forward", {"block_k": 64}),  # packed
    ("flash_backward", {"dtype": "bf16", "dim": "128"}, "flash_backward_keys", {"block_m": 64, "block_n": 128}),
    ("flash_decode", {"dtype": "bf16", "dim": "128"}, "flash_decode_split", {"block_k": 32, "stages": 3, "warps": 2}),
    ("flash_decode", {"dtype": "bf16", "dim": "128", "seq": "3"}, "flash_decode_split", {"block_k": 64, "stages": 2}),
    ("nsa_selected_forward", {"dtype": "bf16", "dim": "128", "heads": "32", "kv_heads": "2", "block_size": "64"}, "nsa_selected_forward", {"schedule": 1, "warps": 1, "stages": 5}),
    ("nsa_selected_forward", {"dtype": "bf16", "dim": "128", "heads": "32", "kv_heads": "2", "block_size": "64", "slots": "100"}, "nsa_selected_forward", {"schedule": 0, "warps": 2}),
    ("nsa_selected_forward", {"dtype": "bf16", "dim": "128", "heads": "16", "kv_heads": "2", "block_size": "64"}, "nsa_selected_forward", {"schedule": 0, "warps": 2}),
)


@pytest.mark.parametrize(("operator", "settings", "kernel", "expected"), SHIPPED)
def test_shipped_settings_are_taken_where_they_hold(binary, operator, settings, kernel, expected):
    reports = json.loads(tilewright(binary, "compile", operator, "--kernel", kernel, "--target", "sm_90a", "--report", "--json", *words(settings)))
    assert {name: reports[0]["bindings"][name] for name in expected} == expected


@pytest.mark.parametrize("settings", ({}, {"dtype": "f16", "slots": "5"}, {"slots": "32"}))
def test_teams_spill_nothing(binary, settings):
    settings = words({"dtype": "bf16", "dim": "128", "heads": "32", "kv_heads": "2", "block_size": "64", **settings})
    (kernel,) = json.loads(tilewright(binary, "compile", "nsa_selected_forward", "--target", "sm_90a", "--report", "--json", *settings))
    assert kernel["bindings"]["schedule"] == 1
    assert kernel["spill_store_bytes"] == 0


def test_all_warps_do_the_same_where_the_author_says_so(binary):
    ptx = tilewright(binary, "compile", "matmul", "--target", "sm_90a", "--emit", "ptx", "--set", "dtype=bf16", "--set", "warp_specialize=false")
    assert "mma.sync" in ptx and "cp.async.cg" in ptx
    assert "wgmma" not in ptx and "mbarrier" not in ptx


FLOAT8 = {"dtype": "f8e4m3", "b_transposed": "true"}
FLOAT8_ROLES = {"block_m": "128", "block_n": "256", "block_k": "128", "stages": "4", "warps": "8"}  # rows of 128 bytes
# What multiplies 8-bit floats, and whether the target converts them by instructions.
PRODUCTS_OF_FLOAT8 = {
    "sm_80": "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32",
    "sm_89": "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e5m2.f32",
    "sm_90a": "wgmma.mma_async.sync.aligned.m64n256k32.f32.e4m3.e5m2",
}


@pytest.mark.parametrize("target", PRODUCTS_OF_FLOAT8)
def test_float8_is_multiplied_by_what_the_target_has(binary, target):
    settings = words({**FLOAT8, "b_dtype": "f8e5m2", **(FLOAT8_ROLES if target == "sm_90a" else {})})
    ptx = tilewright(binary, "compile", "matmul", "--target", target, "--emit", "ptx", *settings)
    assert PRODUCTS_OF_FLOAT8[target] in ptx
    (kernel,) = json.loads(tilewright(binary, "compile", "matmul", "--target", target, "--report", "--json", *settings))
    assert kernel["spill_store_bytes"] == 0
    assert any("multiplied as f16" in remark for remark in kernel["remarks"]) == (target == "sm_80")
    assert not [remark for remark in kernel["remarks"] if any(code in remark for code in SERIALISED)]


def test_float8_by_rows_of_columns_says_why_it_takes_another_way(binary):
    (kernel,) = json.loads(tilewright(binary, "compile", "matmul", "--target", "sm_90a", "--report", "--json", *words({**FLOAT8, **FLOAT8_ROLES, "b_transposed": "false", "block_n": "128"})))
    assert any("along the depth only" in remark for remark in kernel["remarks"]), kernel["remarks"]


def test_ptx_is_the_same_in_every_process(binary, operators):
    for operator, settings in cases(operators):
        first, second = (tilewright(binary, "compile", operator, "--target", "sm_90a", "--emit", "ptx", *words(settings)) for _ in range(2))
        assert first == second, operator
        assert ".target sm_90a" in first and ".loc" in first, operator

"""Measures Tilewright on the CPU beside PyTorch, in one run, and writes bench/results/NAME.json.

    make bench        or        .venv/bin/python bench/cpu_bench.py [--build-dir build/release] [--rounds 3] [--output FILE]

What is compared, and how:
* The peak of multiply-adds comes from a loop in assembly (fma_peak.h), before and after everything else; the better figure counts.
* PyTorch runs with as many threads as Tilewright. Rounds of both alternate; each figure is the median over all warm calls.
* Tilewright's time is that of its kernels on tensors that are on the device; PyTorch's is that of the call.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parents[1]
GOALS = {  # name: (figure, bound, reached if)
    "matmul": ("fraction_of_peak", 0.70, "at least"),
    "flash_forward": ("speed_of_torch", 0.80, "at least"),
    "nsa_forward": ("speed_of_torch", 1.00, "more than"),
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def output_of(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()


class Bench:
    def __init__(self, build_dir, rounds):
        self.bin = build_dir / "bin"
        self.rounds = rounds

    def fma_peak(self):
        return json.loads(output_of(self.bin / "tilewright_fma_peak"))

    def ours(self, operator, repeats, **settings):
        return json.loads(output_of(self.bin / "tilewright_operator_times", operator, *(f"{k}={v}" for k, v in settings.items()), "--repeats", repeats))

    def theirs(self, function, repeats):
        function()
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            function()
            times.append((time.perf_counter() - start) * 1e3)
        return times

    def compare(self, operator, repeats, torch_function, **settings):
        """Rounds of both in turn."""
        ours, walls, theirs, first = [], [], [], None
        for number in range(self.rounds):
            say(f"{operator}: round {number + 1} of {self.rounds}")
            report = self.ours(operator, repeats, **settings)
            first = first or report["first_call"]
            ours += report["run_ms"]
            walls += report["wall_ms"]
            theirs += self.theirs(torch_function, repeats)
        median, torch_median = statistics.median(ours), statistics.median(theirs)
        return {
            "settings": settings,
            "ms": median,
            "ms_spread": [min(ours), max(ours)],
            "wall_ms": statistics.median(walls),
            "gflops": report["flops"] / median * 1e-6,
            "torch_ms": torch_median,
            "torch_ms_spread": [min(theirs), max(theirs)],
            "speed_of_torch": torch_median / median,
            "first_call": first,
        }


def matmul(bench):
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    return bench.compare("matmul", 30, lambda: a @ b, m=1024, n=1024, k=1024, dtype="f32")


def flash_forward(bench):
    q, k, v = (torch.randn(1, 8, 2048, 64) for _ in range(3))
    return bench.compare("flash_forward", 20, lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True),
                         batch=1, seq=2048, heads=8, kv_heads=8, dim=64, causal="true", dtype="f32")


def nsa_forward(bench):
    """Against dense causal attention of the same heads: what NSA replaces."""
    q, k, v = torch.randn(1, 64, 8192, 64), torch.randn(1, 4, 8192, 64), torch.randn(1, 4, 8192, 64)
    return bench.compare("nsa_forward", 3, lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True),
                         batch=1, seq=8192, heads=64, kv_heads=4, dim=64, dtype="f32")


def first_calls(bench):
    """Trace to machine code of every kernel, each in a fresh process. An operator of several kernels compiles several, each timed."""
    result = {}
    for entry in json.loads(output_of(bench.bin / "tilewright", "list", "--json"))["kernels"]:
        say(f"{entry['name']}: first call")
        result[entry["name"]] = bench.ours(entry["name"], 1)["first_call"]
    return result


def machine():
    cpu = {line.split(":")[0].strip(): line.split(":", 1)[1].strip() for line in output_of("lscpu").splitlines() if ":" in line}
    wide = [flag for flag in ("avx2", "fma", "avx512f", "avx512bw", "avx512_bf16", "amx_tile") if flag in cpu.get("Flags", "").split()]
    return {"processor": cpu.get("Model name"), "family_model": f"{cpu.get('CPU family')}/{cpu.get('Model')}", "cpus": os.cpu_count(), "flags": wide,
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1), "kernel": platform.release()}


def versions():
    dirty = bool(output_of("git", "status", "--porcelain", "--untracked-files=no"))
    return {"commit": output_of("git", "rev-parse", "HEAD") + ("-dirty" if dirty else ""), "torch": torch.__version__,
            "compiler": output_of("c++", "--version").splitlines()[0], "llvm": output_of("/usr/lib/llvm-22/bin/llvm-config", "--version")}


def judge(results):
    """Whether each goal is reached."""
    peak = max(results["fma_peak_before"]["all_core_gflops"], results["fma_peak_after"]["all_core_gflops"])
    results["matmul"]["fraction_of_peak"] = results["matmul"]["gflops"] / peak
    goals = {}
    for name, (figure, bound, comparison) in GOALS.items():
        value = results[name][figure]
        goals[name] = {"figure": figure, "value": value, "goal": f"{comparison} {bound}", "reached": value >= bound if comparison == "at least" else value > bound}
    milliseconds, slowest = max((ms, kernel) for call in results["first_calls"].values() for kernel, ms in call["kernels"].items())
    goals["first_call"] = {"figure": f"ms from trace to machine code, slowest kernel ({slowest})", "value": milliseconds, "goal": "less than 1000", "reached": milliseconds < 1000}
    return goals


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build-dir", type=Path, default=Path("build/release"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()

    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(0)
    bench = Bench(ROOT / arguments.build_dir, arguments.rounds)
    now = datetime.datetime.now(datetime.timezone.utc)
    results = {"date": now.isoformat(timespec="seconds"), "machine": machine(), "versions": versions(), "threads": torch.get_num_threads()}
    say("peak of multiply-adds")
    results["fma_peak_before"] = bench.fma_peak()
    for measure in (matmul, flash_forward, nsa_forward):
        results[measure.__name__] = measure(bench)
    results["first_calls"] = first_calls(bench)
    results["fma_peak_after"] = bench.fma_peak()
    results["goals"] = judge(results)

    path = arguments.output or ROOT / "bench" / "results" / f"cpu-{now:%Y-%m-%d-%H%M%S}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    for name, goal in results["goals"].items():
        print(f"{'reached' if goal['reached'] else 'MISSED '}  {name}: {goal['figure']} {goal['value']:.3g}, goal {goal['goal']}")
    print(f"written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The peers of an operator, timed: what `tilewright bench --against torch` runs beside itself.

Reads requests, one JSON object a line: {"operator": "matmul", "settings": {"m": "1024", ...}, "device": "cuda:0", "flush_bytes": 268435456, "budget_ms": 1000, "threads": 2}

Answers each with one JSON object on a line: "peers", each with its name and the milliseconds of its runs; "absent", the reason for each peer that cannot run; "copy_gbytes_per_s", bytes read and written by
a copy within the device; "versions".
"""

import contextlib
import gc
import json
import sys

import torch

import attention
import elementwise
import sparse
from timing import Timer

PEERS = {**elementwise.PEERS, **attention.PEERS, **sparse.PEERS}
DTYPES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "f8e4m3": torch.float8_e4m3fn, "f8e5m2": torch.float8_e5m2}
COPY_BYTES = {"cuda": 1 << 29, "cpu": 1 << 27}


class Settings:
    """An operator's settings, by name, as text; an empty one takes the default given."""

    def __init__(self, values):
        self.values = values
        self.dtype = self.dtype_of("dtype") or torch.float32

    def dtype_of(self, name):
        return DTYPES[self.text(name)] if self.text(name) else None

    def text(self, name):
        return self.values.get(name, "")

    def integer(self, name, default=None):
        return int(self.text(name)) if self.text(name) else default

    def number(self, name, default=None):
        return float(self.text(name)) if self.text(name) else default

    def flag(self, name):
        return self.text(name) in ("true", "1")

    def with_values(self, **values):
        return Settings({**self.values, **values})


def copy_rate(timer):
    count = COPY_BYTES[timer.device.type]
    source, target = (torch.empty(count, dtype=torch.int8, device=timer.device) for _ in range(2))
    times = sorted(timer.runs(lambda: target.copy_(source)))
    return 2 * count / times[len(times) // 2] * 1e-6


def versions(device):
    found = {"torch": torch.__version__, "python": sys.version.split()[0]}
    if device.type == "cuda":
        found["cuda"] = torch.version.cuda
        found["cudnn"] = torch.backends.cudnn.version()
    for package in ("triton", "fla"):
        with contextlib.suppress(ImportError):
            found[package] = __import__(package).__version__
    return found


def measure(request):
    torch.manual_seed(0)
    torch.set_grad_enabled(False)
    device = torch.device(request["device"])
    if request.get("threads"):
        torch.set_num_threads(request["threads"])
    timer = Timer(device, request["flush_bytes"], request["budget_ms"])
    peers, absent = [], {}
    make = PEERS.get(request["operator"])
    calls = {}
    if make is None:
        absent[request["operator"]] = "has no peer"
    else:
        try:
            calls = make(Settings(request["settings"]), device)
        except (ImportError, ValueError) as error:
            absent[request["operator"]] = str(error)
    for name, call in calls.items():
        try:
            peers.append({"name": name, "times_ms": timer.runs(call)})
        except (RuntimeError, TypeError) as error:
            absent[name] = str(error).strip().splitlines()[0]
    return {"peers": peers, "absent": absent, "copy_gbytes_per_s": copy_rate(timer), "versions": versions(device)}


def leave_no_memory_behind():
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


if __name__ == "__main__":
    for line in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            result = measure(json.loads(line))
            leave_no_memory_behind()
        print(json.dumps(result), flush=True)

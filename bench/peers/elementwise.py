"""Peers of the operators that move memory and of the matrix product."""

import torch
import torch.nn.functional as F


def compiled(function, device):
    """A fused kernel of torch.compile, on a GPU: the stronger peer where eager PyTorch launches several."""
    return torch.compile(function, mode="max-autotune-no-cudagraphs") if device.type == "cuda" else None


def vector_add(s, device):
    a, b = (torch.randn(s.integer("size"), device=device, dtype=s.dtype) for _ in range(2))
    out = torch.empty_like(a)
    return {"torch.add": lambda: torch.add(a, b, out=out)}


def softmax(s, device):
    x = torch.randn(s.integer("rows"), s.integer("columns"), device=device, dtype=s.dtype)
    peers = {"torch.softmax": lambda: torch.softmax(x, -1)}
    if fused := compiled(lambda x: torch.softmax(x, -1), device):
        peers["torch.compile"] = lambda: fused(x)
    return peers


def rms_norm(s, device):
    columns = s.integer("columns")
    x = torch.randn(s.integer("rows"), columns, device=device, dtype=s.dtype)
    weight = torch.randn(columns, device=device, dtype=s.dtype)
    epsilon = s.number("epsilon")
    peers = {"torch rms_norm": lambda: F.rms_norm(x, (columns,), weight, epsilon)}
    if fused := compiled(lambda x, w: F.rms_norm(x, (columns,), w, epsilon), device):
        peers["torch.compile"] = lambda: fused(x, weight)
    return peers


def scaled_matmul(m, n, k, a_dtype, b_dtype, device):
    """cuBLASLt's product of 8-bit floats, which takes columns of the right operand; one scale a tensor, 1 here."""
    a, b = torch.randn(m, k, device=device).to(a_dtype), torch.randn(n, k, device=device).to(b_dtype).t()
    one = torch.ones((), device=device)
    return {f"torch._scaled_mm{kind}": lambda fast=fast: torch._scaled_mm(a, b, one, one, out_dtype=torch.bfloat16, use_fast_accum=fast)
            for kind, fast in (("", False), (" fast", True))}


def matmul(s, device):
    m, n, k = (s.integer(name) for name in "mnk")
    if s.dtype.itemsize == 1:
        return scaled_matmul(m, n, k, s.dtype, s.dtype_of("b_dtype") or s.dtype, device)
    a, b = torch.randn(m, k, device=device, dtype=s.dtype), torch.randn(k, n, device=device, dtype=s.dtype)
    if s.flag("b_transposed"):
        b = b.t().contiguous().t()
    out = torch.empty(m, n, device=device, dtype=s.dtype)
    return {"torch.matmul": lambda: torch.matmul(a, b, out=out)}


PEERS = {"vector_add": vector_add, "softmax": softmax, "rms_norm": rms_norm, "matmul": matmul}

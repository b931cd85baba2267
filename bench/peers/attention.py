"""Peers of dense attention: PyTorch's scaled_dot_product_attention with each of its backends that takes the problem."""

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

BACKENDS = {"cuDNN": SDPBackend.CUDNN_ATTENTION, "FlashAttention": SDPBackend.FLASH_ATTENTION, "efficient": SDPBackend.EFFICIENT_ATTENTION}


def heads_first(s, device, length, heads, dim):
    return torch.randn(s.integer("batch"), length, heads, dim, device=device, dtype=s.dtype).transpose(1, 2)


def flash_forward(s, device):
    for name in ("cu_seqlens", "cu_seqlens_k"):
        if s.text(name):
            raise ValueError(f"{name} has no peer")
    if s.integer("window", 0):
        raise ValueError("window has no peer")
    seq, dim, heads, kv_heads = (s.integer(name) for name in ("seq", "dim", "heads", "kv_heads"))
    kv_seq, value_dim, causal = s.integer("kv_seq", seq), s.integer("value_dim", dim), s.flag("causal")
    if causal and kv_seq != seq:
        raise ValueError("causal attention of another number of keys than queries has no peer")
    q = heads_first(s, device, seq, heads, dim)
    k, v = heads_first(s, device, kv_seq, kv_heads, dim), heads_first(s, device, kv_seq, kv_heads, value_dim)

    return by_backends(device, lambda: F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=heads != kv_heads))


def flash_backward(s, device):
    """The backward pass alone: autograd keeps what the forward pass has left."""
    seq, dim, heads, kv_heads = (s.integer(name) for name in ("seq", "dim", "heads", "kv_heads"))
    if s.text("cu_seqlens") or s.integer("window", 0) or s.integer("kv_seq", seq) != seq:
        raise ValueError("peers take one length and no window")
    inputs = [heads_first(s, device, seq, of, dim).detach().requires_grad_() for of in (heads, kv_heads, kv_heads)]

    def backward(backend):
        with torch.enable_grad(), sdpa_kernel(backend):
            o = F.scaled_dot_product_attention(*inputs, is_causal=s.flag("causal"), enable_gqa=heads != kv_heads)
        d_o = torch.randn_like(o)
        return lambda: torch.autograd.grad(o, inputs, d_o, retain_graph=True)

    return lazily({f"SDPA {name}": backend for name, backend in BACKENDS.items()} if device.type == "cuda" else {"SDPA": SDPBackend.MATH}, backward)


def lazily(backends, make):
    """name -> call; what a call needs is made at the first one, so that a backend that cannot fails alone."""
    def call_of(backend):
        made = []

        def call():
            if not made:
                made.append(make(backend))
            return made[0]()

        return call

    return {name: call_of(backend) for name, backend in backends.items()}


def flash_decode(s, device):
    for name in ("lengths", "page"):
        if s.text(name) not in ("", "0"):
            raise ValueError(f"{name} has no peer")
    if s.integer("seq") != 1:
        raise ValueError("several new tokens have no peer")
    dim, heads, kv_heads, context = (s.integer(name) for name in ("dim", "heads", "kv_heads", "context"))
    q = heads_first(s, device, 1, heads, dim)
    k, v = heads_first(s, device, context, kv_heads, dim), heads_first(s, device, context, kv_heads, s.integer("value_dim", dim))
    # Heads of a group as queries: each reads the group's keys once.
    grouped = q.reshape(q.shape[0], kv_heads, heads // kv_heads, dim)
    return {**by_backends(device, lambda: F.scaled_dot_product_attention(q, k, v, enable_gqa=heads != kv_heads)),
            **{f"{name}, grouped": call for name, call in by_backends(device, lambda: F.scaled_dot_product_attention(grouped, k, v)).items()}}


def by_backends(device, attend):
    def by(backend):
        def call():
            with sdpa_kernel(backend):
                return attend()

        return call

    if device.type == "cpu":
        return {"SDPA": attend}
    return {f"SDPA {name}": by(backend) for name, backend in BACKENDS.items()}


PEERS = {"flash_forward": flash_forward, "flash_backward": flash_backward, "flash_decode": flash_decode}

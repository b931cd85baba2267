"""Peers of native sparse attention and gated slot attention: the Triton kernels of flash-linear-attention, where that package is installed, and dense attention, which NSA replaces."""

import torch

import attention


def fla_inputs(s, device):
    if s.integer("batch") != 1 or s.text("cu_seqlens"):
        raise ValueError("peers take one sequence")
    if s.text("preset") != "fla":
        raise ValueError("peers take the preset fla")
    seq, dim, heads, kv_heads = (s.integer(name) for name in ("seq", "dim", "heads", "kv_heads"))
    q = torch.randn(1, seq, heads, dim, device=device, dtype=s.dtype)
    k, v = (torch.randn(1, seq, kv_heads, dim, device=device, dtype=s.dtype) for _ in range(2))
    return q, k, v


def pieces(s, device):
    """name -> call, of each piece; the inputs of one are the outputs of the one before."""
    from fla.ops.nsa.compression import parallel_nsa_compression
    from fla.ops.nsa.parallel import parallel_nsa_fwd, parallel_nsa_topk
    from fla.ops.utils.pooling import mean_pooling

    q, k, v = fla_inputs(s, device)
    block, slots = s.integer("block_size", 64), s.integer("slots", 16)
    scale = s.number("scale", q.shape[-1] ** -0.5)
    tokens = q.shape[1]
    k_cmp, v_cmp = mean_pooling(k, block, None), mean_pooling(v, block, None)
    compress = lambda: parallel_nsa_compression(q, k_cmp, v_cmp, tokens, block, scale, None)  # noqa: E731
    _, lse = compress()
    select = lambda: parallel_nsa_topk(q=q, k=k_cmp, TK=tokens, lse=lse, block_counts=slots, block_size=block, scale=scale)  # noqa: E731
    indices = select()
    attend = lambda: parallel_nsa_fwd(q=q, k=k, v=v, block_indices=indices, block_counts=slots, block_size=block, scale=scale)  # noqa: E731

    def pool():
        mean_pooling(k, block, None)
        mean_pooling(v, block, None)

    return {"fla mean_pooling": pool, "fla compression": compress, "fla topk": select, "fla selected": attend}


def nsa_forward(s, device):
    peers = {}
    if device.type == "cuda":
        of = pieces(s, device)

        def together():
            for call in of.values():
                call()

        peers = {**of, "fla pieces together": together}
    return {**peers, **attention.flash_forward(s.with_values(causal="true", window="", cu_seqlens_k=""), device)}


def one_piece(name):
    return lambda s, device: {name: pieces(s, device)[name]}


def gsa_chunk_forward(s, device):
    from fla.ops.gsa import chunk_gsa

    batch, seq, heads, dim, slots = (s.integer(name) for name in ("batch", "seq", "heads", "dim", "slots"))
    q, k = (torch.randn(batch, seq, heads, dim, device=device, dtype=s.dtype) for _ in range(2))
    v = torch.randn(batch, seq, heads, s.integer("value_dim", dim), device=device, dtype=s.dtype)
    weights = torch.randn(batch, seq, heads, slots, device=device, dtype=s.dtype)
    gates = torch.nn.functional.logsigmoid(torch.randn(batch, seq, heads, slots, device=device)) / s.number("gate_normalizer", 8)
    return {"fla chunk_gsa": lambda: chunk_gsa(q, k, v, weights, gates)}


PEERS = {
    "nsa_forward": nsa_forward,
    "nsa_compress": one_piece("fla mean_pooling"),
    "nsa_compressed_forward": one_piece("fla compression"),
    "nsa_topk": one_piece("fla topk"),
    "nsa_selected_forward": one_piece("fla selected"),
    "gsa_chunk_forward": gsa_chunk_forward,
}

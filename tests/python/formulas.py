"""The kernels as dense PyTorch formulas in double precision, written for small shapes and to be read beside the definitions in the kernels' READMEs.

Shapes: q [B, TQ, HQ, K], k [B, TK, H, K], v [B, TK, H, V]; query head hq reads kv head hq // (HQ // H); query t stands at position t + TK - TQ.
"""

from dataclasses import dataclass

import torch

F64 = torch.float64
INF = float("inf")


def repeat_heads(x, heads):
    """[B, T, H, ...] -> [B, T, HQ, ...]: every kv head for each query head of its group."""
    return x.repeat_interleave(heads // x.shape[2], dim=2)


def positions(tq, tk):
    return torch.arange(tq) + (tk - tq)


def masked_attention(q, k, v, mask, scale):
    """Softmax attention under mask [.., TQ, TK] (broadcast to [B, HQ, TQ, TK]); rows without keys give zero and lse -inf."""
    q = q.to(F64)
    k, v = (repeat_heads(x.to(F64), q.shape[2]) for x in (k, v))
    s = torch.einsum("bthd,bshd->bhts", q, k) * scale
    s = torch.where(mask, s, torch.tensor(-INF, dtype=F64))
    lse = torch.logsumexp(s, -1)
    p = torch.where(torch.isinf(lse)[..., None], torch.zeros((), dtype=F64), torch.exp(s - lse[..., None]))
    return torch.einsum("bhts,bshd->bthd", p, v), lse.transpose(1, 2)


def causal_mask(tq, tk, causal=True, window=0):
    """window: keys seen, the query's own among them; 0: no window."""
    if not causal:
        return torch.ones(tq, tk, dtype=torch.bool)
    t, s = positions(tq, tk)[:, None], torch.arange(tk)[None]
    mask = s <= t
    return mask & (s > t - window) if window else mask


def flash(q, k, v, scale, causal, window=0):
    return masked_attention(q, k, v, causal_mask(q.shape[1], k.shape[1], causal, window), scale)


def rms_norm(x, weight, epsilon):
    x = x.to(F64)
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + epsilon) * weight.to(F64)


@dataclass
class Geometry:
    length: int  # l: tokens in a window
    stride: int  # d
    block: int  # l'
    slots: int  # n
    init_blocks: int
    local_blocks: int
    window: int  # keys the sliding branch sees; 0: no sliding branch
    partial: bool  # a last window over fewer than l tokens is stored

    def windows(self, tokens):
        if self.partial:
            return max(-(-(tokens - self.length) // self.stride) + 1, 1) if tokens else 0
        return 0 if tokens < self.length else (tokens - self.length) // self.stride + 1


def fla(block=64, slots=16, window=512):
    return Geometry(block, block, block, slots, 1, 2, window, True)


def xl(slots=16, window=512):
    """Its sliding branch sees `window` keys before the query's own."""
    return Geometry(32, 16, 64, slots, 1, 2, window + 1, False)


def compress(x, geometry, weights=None, pe=None):
    """x [B, T, H, D] -> [B, TC, H, D]. weights: none (mean), [H, l] (weighted) or [H, l * D, D] (linear); pe [H, l, D] is added inside the window."""
    x = x.to(F64)
    batch, tokens, heads, dim = x.shape
    rows = []
    for c in range(geometry.windows(tokens)):
        window = x[:, c * geometry.stride : c * geometry.stride + geometry.length].transpose(1, 2)  # [B, H, n, D]
        n = window.shape[2]
        if pe is not None:
            window = window + pe.to(F64)[:, :n]
        if weights is None:
            rows.append(window.mean(2))
        elif weights.dim() == 2:
            rows.append(torch.einsum("hr,bhrd->bhd", weights.to(F64)[:, :n], window))
        else:
            rows.append(torch.einsum("hrio,bhri->bho", weights.to(F64).reshape(heads, geometry.length, dim, dim)[:, :n], window))
    return torch.stack(rows, 1) if rows else x.new_zeros(batch, 0, heads, dim)


def compressed_mask(tq, tk, windows, geometry):
    """A query sees the windows that end at its position or before."""
    ends = torch.arange(windows) * geometry.stride + geometry.length - 1
    return ends[None] <= positions(tq, tk)[:, None]


def compressed_attention(q, k_cmp, v_cmp, tk, geometry, scale):
    return masked_attention(q, k_cmp, v_cmp, compressed_mask(q.shape[1], tk, k_cmp.shape[1], geometry), scale)


def block_scores(q, k_cmp, tk, geometry, scale):
    """[B, TQ, H, blocks]: how much the group's queries attend the windows that overlap a block, weighted by the chunks of d tokens they share."""
    batch, tq, heads, _ = q.shape
    kv_heads, windows = k_cmp.shape[2], k_cmp.shape[1]
    mask = compressed_mask(tq, tk, windows, geometry)
    s = torch.einsum("bthd,bchd->bhtc", q.to(F64), repeat_heads(k_cmp.to(F64), heads)) * scale
    s = torch.where(mask, s, torch.tensor(-INF, dtype=F64))
    lse = torch.logsumexp(s, -1, keepdim=True)
    p = torch.where(torch.isinf(lse), torch.zeros((), dtype=F64), torch.exp(s - lse))
    p = p.reshape(batch, kv_heads, heads // kv_heads, tq, windows).sum(2)

    blocks = -(-tk // geometry.block)
    chunk = torch.arange(max(blocks * geometry.block, windows * geometry.stride + geometry.length) // geometry.stride)
    starts = torch.arange(windows)[:, None]
    owns_window = (chunk >= starts) & (chunk < starts + geometry.length // geometry.stride)
    per_block = geometry.block // geometry.stride
    owns_block = torch.div(chunk, per_block, rounding_mode="floor") == torch.arange(blocks)[:, None]
    overlap = owns_window.to(F64) @ owns_block.to(F64).T
    return (p @ overlap).transpose(1, 2)


def forced_blocks(tq, tk, geometry):
    """[TQ, blocks] bool; blocks after the query's own are never candidates."""
    block = torch.arange(-(-tk // geometry.block))[None]
    own = torch.div(positions(tq, tk), geometry.block, rounding_mode="floor")[:, None]
    return (block <= own) & ((block < geometry.init_blocks) | (block > own - geometry.local_blocks))


def select(scores, tk, geometry):
    """[B, TQ, H, slots] int64, ascending, -1 on the right: forced blocks first, then by score, ties to the lower index."""
    batch, tq, heads, blocks = scores.shape
    own = torch.div(positions(tq, tk), geometry.block, rounding_mode="floor")[:, None]
    key = torch.where(forced_blocks(tq, tk, geometry)[None, :, None], torch.tensor(INF, dtype=F64), scores)
    key = torch.where((torch.arange(blocks)[None] <= own)[None, :, None], key, torch.tensor(-INF, dtype=F64))
    order = torch.sort(key, dim=-1, descending=True, stable=True)
    picked = torch.where(torch.isneginf(order.values), blocks, order.indices)[..., : geometry.slots].sort(-1).values
    if picked.shape[-1] < geometry.slots:
        picked = torch.nn.functional.pad(picked, (0, geometry.slots - picked.shape[-1]), value=blocks)
    return torch.where(picked == blocks, -1, picked)


def selected_mask(indices, tk, geometry):
    """[B, H, TQ, TK] from block indices [B, TQ, H, S]."""
    batch, tq, heads, _ = indices.shape
    key_block = torch.arange(tk) // geometry.block
    picked = (indices[..., None] == key_block).any(-2)  # [B, TQ, H, TK]
    causal = torch.arange(tk)[None] <= positions(tq, tk)[:, None]
    return (picked & causal[None, :, None]).transpose(1, 2)


def selected_attention(q, k, v, indices, geometry, scale):
    mask = selected_mask(indices, k.shape[1], geometry).repeat_interleave(q.shape[2] // k.shape[2], 1)
    return masked_attention(q, k, v, mask, scale)


def nsa(q, k, v, k_cmp, v_cmp, g_cmp, g_slc, g_swa, indices, geometry, scale):
    """All three branches over given windows and block indices."""
    o = g_cmp.to(F64)[..., None] * compressed_attention(q, k_cmp, v_cmp, k.shape[1], geometry, scale)[0]
    o = o + g_slc.to(F64)[..., None] * selected_attention(q, k, v, indices, geometry, scale)[0]
    if geometry.window:
        o = o + g_swa.to(F64)[..., None] * flash(q, k, v, scale, True, geometry.window)[0]
    return o


def gsa(q, k, v, s, g, scale, hk=None, hv=None):
    """The recurrence token by token; q [B, T, HQ, K], k [B, T, H, K], v [B, T, H, V], s and g [B, T, H, M]. Returns o and the final states of the kv heads."""
    q, k, v, s, g = (x.to(F64) for x in (q, k, v, s, g))
    batch, tokens, heads, dim = k.shape
    hk = torch.zeros(batch, heads, dim, s.shape[-1], dtype=F64) if hk is None else hk.to(F64)
    hv = torch.zeros(batch, heads, s.shape[-1], v.shape[-1], dtype=F64) if hv is None else hv.to(F64)
    group = q.shape[2] // heads
    outputs = []
    for t in range(tokens):
        a = g[:, t].exp()
        hk = hk * a[:, :, None, :] + k[:, t, :, :, None] * s[:, t, :, None, :]
        hv = hv * a[:, :, :, None] + s[:, t, :, :, None] * v[:, t, :, None, :]
        p = torch.softmax(scale * torch.einsum("bhkm,bhk->bhm", hk.repeat_interleave(group, 1), q[:, t]), -1)
        outputs.append(torch.einsum("bhmv,bhm->bhv", hv.repeat_interleave(group, 1), p))
    return torch.stack(outputs, 1) if outputs else q.new_zeros(batch, 0, q.shape[2], v.shape[-1]), hk, hv

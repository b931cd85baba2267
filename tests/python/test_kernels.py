"""Every kernel of the library, run through the command line on the CPU, against its PyTorch formula."""

import math

import formulas as f
import pytest
import torch

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
TOLERANCE = {"f32": 1e-5, "f16": 1e-3, "bf16": 5e-3}


class Draw:
    """Tensors of one case: normal or uniform numbers, rounded to its dtype."""

    def __init__(self, dtype):
        self.dtype = DTYPES[dtype]
        self.generator = torch.Generator().manual_seed(42)

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.generator, dtype=f.F64).to(self.dtype)

    def uniform(self, *shape):
        return torch.rand(*shape, generator=self.generator, dtype=f.F64).to(self.dtype)

    def attention(self, batch, tq, tk, heads, kv_heads, dim, value_dim):
        return {"q": self.normal(batch, tq, heads, dim), "k": self.normal(batch, tk, kv_heads, dim), "v": self.normal(batch, tk, kv_heads, value_dim)}


def rms_ratio(expected, actual):
    expected, actual = expected.to(f.F64), actual.to(f.F64)
    assert expected.shape == actual.shape
    same_infinities = torch.isinf(expected) & (expected == actual)
    difference = torch.where(same_infinities, torch.zeros((), dtype=f.F64), expected - actual)
    finite = torch.where(same_infinities, torch.zeros((), dtype=f.F64), expected)
    return (difference.square().mean().sqrt() / (finite.square().mean().sqrt() + 1e-8)).item()


def assert_close(outputs, dtype, **expected):
    for name, tensor in expected.items():
        ratio = rms_ratio(tensor, outputs[name])
        assert ratio <= TOLERANCE[dtype], f"{name}: rms ratio {ratio:.2e}"


def assert_best_selection(scores, indices, tk, geometry):
    """The blocks picked are well formed, include every forced one, and score as high as the best."""
    best = f.select(scores, tk, geometry)
    picked = indices.long()
    valid = picked >= 0
    assert torch.equal(valid.sum(-1), (best >= 0).sum(-1))
    assert torch.equal(valid, torch.cummin(valid.int(), -1).values.bool()), "valid entries come first"
    assert (picked[..., 1:] > picked[..., :-1])[valid[..., 1:]].all(), "ascending and distinct"
    own = torch.div(f.positions(indices.shape[1], tk), geometry.block, rounding_mode="floor")
    assert (picked <= own[None, :, None, None]).all()
    forced = f.forced_blocks(indices.shape[1], tk, geometry)
    room = forced.sum(-1) <= geometry.slots
    member = (picked[..., None] == torch.arange(scores.shape[-1])).any(-2)
    assert (member | ~forced[None, :, None])[:, room].all(), "a forced block is missing"

    def sorted_scores(blocks):
        gathered = scores.gather(-1, blocks.clamp(min=0))
        return torch.where(blocks >= 0, gathered, torch.zeros((), dtype=f.F64)).sort(-1).values

    assert rms_ratio(sorted_scores(best), sorted_scores(picked)) <= 1e-5


CASES = {}


def case(name, **variants):
    """Registers a check of the kernel `name`; variants give it different sizes."""

    def register(function):
        for label, arguments in (variants or {"": {}}).items():
            CASES[f"{name}-{label}" if label else name] = (name, function, arguments)
        return function

    return register


@case("vector_add", odd={"size": 1003}, one={"size": 1})
def vector_add(run, draw, dtype, size):
    a, b = draw.normal(size), draw.normal(size)
    assert_close(run(a=a, b=b), dtype, c=a.to(f.F64) + b.to(f.F64))


@case("softmax", small={"columns": 33}, wide={"columns": 1500})
def softmax(run, draw, dtype, columns):
    x = draw.normal(7, columns)
    assert_close(run(x=x), dtype, y=torch.softmax(x.to(f.F64), -1))


@case("rms_norm", small={"columns": 60}, wide={"columns": 1500})
def rms_norm(run, draw, dtype, columns):
    x, weight = draw.normal(5, columns), draw.normal(columns)
    assert_close(run(x=x, weight=weight, settings={"epsilon": 1e-3}), dtype, y=f.rms_norm(x, weight, 1e-3))


@case("matmul", square={"m": 64, "n": 64, "k": 64}, odd={"m": 37, "n": 101, "k": 53})
def matmul(run, draw, dtype, m, n, k):
    a, b = draw.normal(m, k), draw.normal(k, n)
    assert_close(run(a=a, b=b), dtype, c=a.to(f.F64) @ b.to(f.F64))


@case("flash_forward",
      dense={"causal": False, "window": 0, "sizes": (2, 40, 40, 4, 4, 32, 32)},
      causal={"causal": True, "window": 0, "sizes": (1, 97, 97, 6, 2, 60, 60)},
      window={"causal": True, "window": 20, "sizes": (1, 97, 97, 4, 1, 64, 96)},
      decode={"causal": True, "window": 0, "sizes": (2, 1, 70, 6, 3, 64, 64)})
def flash_forward(run, draw, dtype, causal, window, sizes):
    inputs = draw.attention(*sizes)
    o, lse = f.flash(*inputs.values(), sizes[5] ** -0.5, causal, window)
    assert_close(run(**inputs, settings={"causal": causal, "window": window}), dtype, o=o, lse=lse)


@case("flash_backward",
      dense={"causal": False, "window": 0, "sizes": (2, 40, 40, 4, 4, 32, 32), "of_lse": False},
      causal={"causal": True, "window": 0, "sizes": (1, 97, 97, 6, 2, 60, 60), "of_lse": True},
      window={"causal": True, "window": 20, "sizes": (1, 97, 97, 4, 1, 64, 96), "of_lse": False},
      chunk={"causal": True, "window": 0, "sizes": (2, 30, 70, 6, 3, 64, 64), "of_lse": False})
def flash_backward(run, draw, dtype, causal, window, sizes, of_lse):
    inputs = draw.attention(*sizes)
    exact = [x.to(f.F64).requires_grad_() for x in inputs.values()]
    o, lse = f.flash(*exact, sizes[5] ** -0.5, causal, window)
    d_o, d_lse = draw.normal(*o.shape), torch.randn(lse.shape) if of_lse else None
    loss = (o * d_o.to(f.F64)).sum() + ((lse * d_lse.to(f.F64)).sum() if of_lse else 0)
    dq, dk, dv = torch.autograd.grad(loss, exact)
    given = {"o": o.detach().to(inputs["q"].dtype), "lse": lse.detach().to(torch.float32), "d_o": d_o, **({"d_lse": d_lse} if of_lse else {})}
    assert_close(run(**inputs, **given, settings={"causal": causal, "window": window}), dtype, dq=dq, dk=dk, dv=dv)


@case("flash_decode", one={"new": 1, "heads": 6, "kv_heads": 2, "page": 0}, several={"new": 3, "heads": 4, "kv_heads": 4, "page": 0},
      pages={"new": 1, "heads": 8, "kv_heads": 1, "page": 16})
def flash_decode(run, draw, dtype, new, heads, kv_heads, page):
    lengths, capacity, dim = (70, 128), 128, 32
    q = draw.normal(2, new, heads, dim)
    k, v = (draw.normal(2, capacity, kv_heads, dim) for _ in range(2))
    of_sequence = [f.flash(q[b:b + 1], k[b:b + 1, :n], v[b:b + 1, :n], dim ** -0.5, True, 0) for b, n in enumerate(lengths)]
    inputs = {"q": q, "k": k, "v": v, "lengths": torch.tensor(lengths, dtype=torch.int32)}
    if page:
        order = torch.randperm(2 * capacity // page)
        for name in ("k", "v"):
            pages = inputs[name].reshape(-1, page, kv_heads, dim)
            inputs[name] = torch.empty_like(pages).index_copy_(0, order, pages)
        inputs["block_table"] = order.to(torch.int32).reshape(2, -1)
    o, lse = (torch.cat(each) for each in zip(*of_sequence))
    assert_close(run(**inputs), dtype, o=o, lse=lse)


GEOMETRIES = {
    "fla": (f.fla(block=16, slots=4, window=24), {"preset": "fla", "block_size": 16, "slots": 4, "window": 24}),
    "xl": (f.xl(slots=3, window=24), {"preset": "xl", "slots": 3, "window": 24}),
}

# Packed sequences, one of them empty and one of a single token.
STARTS = (0, 37, 37, 38, 175)


def sequences(*tensors):
    """The tensors of each sequence with tokens in it."""
    for begin, end in zip(STARTS, STARTS[1:]):
        if end > begin:
            yield [tensor[:, begin:end] for tensor in tensors]


def cu_seqlens():
    return torch.tensor(STARTS, dtype=torch.int32)


@case("nsa_compress", **{f"{preset}_{kind}": {"preset": preset, "kind": kind} for preset in GEOMETRIES for kind in ("mean", "weighted", "linear")})
def nsa_compress(run, draw, dtype, preset, kind):
    geometry, settings = GEOMETRIES[preset]
    heads, dim, length = 2, 24, geometry.length
    x = draw.normal(2, 150, heads, dim)
    weights = {"mean": None, "weighted": draw.uniform(heads, length), "linear": draw.normal(heads, length * dim, dim)}[kind]
    inputs = {"x": x} if weights is None else {"x": x, "w": weights}
    assert_close(run(**inputs, settings={**settings, "pooling": kind}), dtype, y=f.compress(x, geometry, weights))


@case("nsa_compressed_forward", **{preset: {"preset": preset} for preset in GEOMETRIES})
def nsa_compressed_forward(run, draw, dtype, preset):
    geometry, settings = GEOMETRIES[preset]
    windows = geometry.windows(150)
    q, k_cmp, v_cmp = draw.normal(2, 150, 6, 24), draw.normal(2, windows, 2, 24), draw.normal(2, windows, 2, 40)
    o, lse = f.compressed_attention(q, k_cmp, v_cmp, 150, geometry, 24**-0.5)
    assert_close(run(q=q, k_cmp=k_cmp, v_cmp=v_cmp, settings=settings), dtype, o=o, lse=lse)


@case("nsa_topk", **{preset: {"preset": preset} for preset in GEOMETRIES})
def nsa_topk(run, draw, dtype, preset):
    geometry, settings = GEOMETRIES[preset]
    tokens = 6 * geometry.block + 5
    q, k_cmp = draw.normal(2, tokens, 6, 24), draw.normal(2, geometry.windows(tokens), 2, 24)
    outputs = run(q=q, k_cmp=k_cmp, settings=settings)
    assert_best_selection(f.block_scores(q, k_cmp, tokens, geometry, 24**-0.5), outputs["indices"], tokens, geometry)


@case("nsa_selected_forward", **{preset: {"preset": preset} for preset in GEOMETRIES})
def nsa_selected_forward(run, draw, dtype, preset):
    geometry, settings = GEOMETRIES[preset]
    tokens = 6 * geometry.block + 5
    inputs = draw.attention(1, tokens, tokens, 6, 2, 24, 40)
    scores = torch.rand(1, tokens, 2, -(-tokens // geometry.block), generator=draw.generator, dtype=f.F64)
    indices = f.select(scores, tokens, geometry)
    o, lse = f.selected_attention(*inputs.values(), indices, geometry, 24**-0.5)
    assert_close(run(**inputs, indices=indices.int(), settings=settings), dtype, o=o, lse=lse)


@case("nsa_window_forward", **{preset: {"preset": preset} for preset in GEOMETRIES})
def nsa_window_forward(run, draw, dtype, preset):
    geometry, settings = GEOMETRIES[preset]
    inputs = draw.attention(1, 83, 83, 6, 2, 24, 40)
    o, lse = f.flash(*inputs.values(), 24**-0.5, True, geometry.window)
    assert_close(run(**inputs, settings=settings), dtype, o=o, lse=lse)


@case("nsa_forward", **{preset: {"preset": preset} for preset in GEOMETRIES})
def nsa_forward(run, draw, dtype, preset):
    geometry, settings = GEOMETRIES[preset]
    tokens = 6 * geometry.block + 5
    inputs = draw.attention(1, tokens, tokens, 8, 2, 24, 24)
    gates = {name: draw.uniform(1, tokens, 8) for name in ("g_cmp", "g_slc", "g_swa")}
    outputs = run(**inputs, **gates, settings=settings)
    q, k, v = inputs.values()
    k_cmp, v_cmp, indices = outputs["k_cmp"], outputs["v_cmp"], outputs["indices"]
    assert_close(outputs, dtype, k_cmp=f.compress(k, geometry), v_cmp=f.compress(v, geometry))
    assert_best_selection(f.block_scores(q, k_cmp, tokens, geometry, 24**-0.5), indices, tokens, geometry)
    assert_close(outputs, dtype, o=f.nsa(q, k, v, k_cmp, v_cmp, *gates.values(), indices.long(), geometry, 24**-0.5))


@case("flash_forward", packed={})
def flash_forward_packed(run, draw, dtype):
    inputs = draw.attention(1, STARTS[-1], STARTS[-1], 6, 2, 32, 32)
    parts = [f.flash(*each, 32**-0.5, True) for each in sequences(*inputs.values())]
    o, lse = (torch.cat(part, 1) for part in zip(*parts))
    assert_close(run(**inputs, cu_seqlens=cu_seqlens()), dtype, o=o, lse=lse)


@case("nsa_forward", packed={})
def nsa_forward_packed(run, draw, dtype):
    geometry, settings = GEOMETRIES["fla"]
    inputs = draw.attention(1, STARTS[-1], STARTS[-1], 8, 2, 24, 24)
    gates = {name: draw.uniform(1, STARTS[-1], 8) for name in ("g_cmp", "g_slc", "g_swa")}
    outputs = run(**inputs, **gates, cu_seqlens=cu_seqlens(), settings=settings)
    results, windows = [], 0
    for q, k, v, *gate, indices in sequences(*inputs.values(), *gates.values(), outputs["indices"]):
        count = geometry.windows(k.shape[1])
        k_cmp, v_cmp = (outputs[name][:, windows : windows + count] for name in ("k_cmp", "v_cmp"))
        windows += count
        assert_best_selection(f.block_scores(q, k_cmp, k.shape[1], geometry, 24**-0.5), indices, k.shape[1], geometry)
        results.append(f.nsa(q, k, v, k_cmp, v_cmp, *gate, indices.long(), geometry, 24**-0.5))
    assert_close(outputs, dtype, o=torch.cat(results, 1))


def gsa(run, draw, dtype, tokens, heads, kv_heads, initial):
    k_dim, v_dim, slots = 24, 40, 12
    q, k, v = (draw.normal(2, tokens, h, d) for h, d in ((heads, k_dim), (kv_heads, k_dim), (kv_heads, v_dim)))
    g = (torch.nn.functional.logsigmoid(draw.normal(2, tokens, kv_heads, slots).to(f.F64)) / 4).to(draw.dtype)
    s = (1 - g.to(f.F64).exp()).to(draw.dtype)
    states = {"hk0": draw.normal(2, kv_heads, k_dim, slots).float(), "hv0": draw.normal(2, kv_heads, slots, v_dim).float()} if initial else {}
    o, hk, hv = f.gsa(q, k, v, s, g, 1 / math.sqrt(k_dim), *states.values())
    assert_close(run(q=q, k=k, v=v, s=s, g=g, **states), dtype, o=o, hk=hk, hv=hv)


GSA_SIZES = {
    "one_chunk": {"tokens": 40, "heads": 2, "kv_heads": 2, "initial": False},
    "chunks_and_state": {"tokens": 133, "heads": 4, "kv_heads": 2, "initial": True},
}
case("gsa_recurrent_forward", **GSA_SIZES)(gsa)
case("gsa_chunk_forward", **GSA_SIZES)(gsa)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_kernel(tilewright, name, dtype):
    kernel, function, arguments = CASES[name]

    def run(settings=None, **inputs):
        return tilewright.run(kernel, inputs, **(settings or {}))

    function(run, Draw(dtype), dtype, **arguments)


@pytest.mark.parametrize("left", ("float8_e4m3fn", "float8_e5m2"))
@pytest.mark.parametrize("right", ("float8_e4m3fn", "float8_e5m2"))
@pytest.mark.parametrize("transposed", (False, True))
def test_matmul_of_float8(tilewright, left, right, transposed):
    """PyTorch's own files and values: every pattern but NaN and infinities is in the left operand."""
    bits = torch.arange(256, dtype=torch.int32).to(torch.uint8)
    values = bits.view(getattr(torch, left))
    finite = bits[torch.isfinite(values.to(f.F64))]
    a = finite.repeat(2)[:480].reshape(10, 48).view(getattr(torch, left))
    b = Draw("f32").normal(48, 37).to(getattr(torch, right))
    given = b.t().contiguous() if transposed else b
    c = tilewright.run("matmul", {"a": a, "b": given}, b_transposed=transposed)["c"]
    assert c.dtype == torch.bfloat16
    assert rms_ratio(a.to(f.F64) @ b.to(f.F64), c) <= TOLERANCE["bf16"]


def test_every_listed_kernel_has_a_case(tilewright):
    listed = {entry["name"] for entry in tilewright.json("list")["kernels"]}
    assert listed == {kernel for kernel, _, _ in CASES.values()}

"""The formulas of formulas.py where an independent answer is known."""

import formulas as f
import pytest
import torch

SCALE = 0.25


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=f.F64)


@pytest.mark.parametrize("causal", [False, True])
def test_flash_is_torch_attention(causal):
    q, k, v = random(2, 9, 6, 8), random(2, 9, 2, 8, seed=1), random(2, 9, 2, 5, seed=2)
    expected = torch.nn.functional.scaled_dot_product_attention(*(x.transpose(1, 2) for x in (q, k, v)), is_causal=causal, scale=SCALE, enable_gqa=True)
    torch.testing.assert_close(f.flash(q, k, v, SCALE, causal)[0], expected.transpose(1, 2))


def test_window_of_one_is_the_own_value():
    q, k, v = random(1, 7, 2, 8), random(1, 7, 2, 8, seed=1), random(1, 7, 2, 8, seed=2)
    torch.testing.assert_close(f.flash(q, k, v, SCALE, True, 1)[0], v)


def test_windows_of_one_token_compress_to_the_tokens():
    x = random(1, 5, 2, 4)
    torch.testing.assert_close(f.compress(x, f.Geometry(1, 1, 1, 1, 0, 1, 0, True)), x)


def test_chunk_overlap_weights():
    """Windows of 32 by 16 over blocks of 64: five windows touch an inner block, weighted 1, 2, 2, 2, 1."""
    geometry = f.xl()
    tokens, windows = 256, geometry.windows(256)
    k_cmp = torch.zeros(1, windows, 1, 4, dtype=f.F64)
    scores = f.block_scores(torch.zeros(1, tokens, 1, 4, dtype=f.F64), k_cmp, tokens, geometry, 1.0)
    torch.testing.assert_close(scores[0, -1, 0] * windows, torch.tensor([7.0, 8.0, 8.0, 7.0], dtype=f.F64))


def test_selecting_everything_is_dense_attention():
    geometry = f.fla(block=4, slots=8)
    q, k, v = random(1, 18, 6, 8), random(1, 18, 2, 8, seed=1), random(1, 18, 2, 8, seed=2)
    indices = f.select(f.block_scores(q, f.compress(k, geometry), 18, geometry, SCALE), 18, geometry)
    torch.testing.assert_close(f.selected_attention(q, k, v, indices, geometry, SCALE)[0], f.flash(q, k, v, SCALE, True)[0])


def test_selection_prefers_forced_then_score_then_lower_index():
    geometry = f.Geometry(2, 2, 2, 3, 1, 1, 0, True)
    scores = torch.tensor([0.1, 0.3, 0.9, 0.9, 0.2], dtype=f.F64).expand(1, 10, 1, 5)
    picked = f.select(scores, 10, geometry)[0, :, 0]
    assert picked[0].tolist() == [0, -1, -1]
    assert picked[3].tolist() == [0, 1, -1]
    assert picked[9].tolist() == [0, 2, 4]


def test_gsa_without_decay_sums_the_writes():
    q, k, v = random(1, 3, 1, 4), random(1, 3, 1, 4, seed=1), random(1, 3, 1, 4, seed=2)
    s = random(1, 3, 1, 2, seed=3).abs()
    _, hk, hv = f.gsa(q, k, v, s, torch.zeros_like(s), SCALE)
    torch.testing.assert_close(hk[0, 0], torch.einsum("tk,tm->km", k[0, :, 0], s[0, :, 0]))
    torch.testing.assert_close(hv[0, 0], torch.einsum("tm,tv->mv", s[0, :, 0], v[0, :, 0]))

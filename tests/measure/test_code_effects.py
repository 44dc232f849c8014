"""code_effects.py: pictures that a code changes in a known way."""

import math

import pytest
import torch
from torch import tensor

from fake_run import FakeRun, bars, blind, leaning, note
from infogan_core.measure import code_effects
from infogan_core.model.latents import Categorical, LatentSpec, Uniform

SVHN = (Categorical(10), Uniform(), Uniform())


@pytest.fixture
def few(monkeypatch):
    """Two sweeps per category are enough to test."""
    monkeypatch.setattr(code_effects, "SWEEPS_PER_CATEGORY", 2)


def test_spearman_sees_order_and_not_size():
    """1 for any rising row, -1 for any falling one, 0 for a constant one (where scipy says NaN)."""
    values = torch.linspace(-2, 2, 11)
    measured = torch.stack([values.exp(), -(values**3), torch.full((11,), 0.3)])
    assert code_effects.spearman(values, measured).tolist() == pytest.approx([1, -1, 0])


def test_code_that_leans_the_picture_is_found(few):
    """Swept over -2..2, c2 leans every bar from -0.2 to 0.2: rho 1 for all categories."""
    c2 = code_effects.sweep_effects(FakeRun(leaning, blind), code=1, seed=0)
    assert (c2["slant"], c2["spread"]["slant"]) == pytest.approx((1, 0))
    assert c2["ends"]["slant"] == pytest.approx([-0.2, 0.2], abs=0.005)


def test_code_that_moves_nothing_reads_zero(few):
    c3 = code_effects.sweep_effects(FakeRun(leaning, blind), code=2, seed=0)
    assert (c3["slant"], c3["width"], c3["thickness"]) == (0, 0, 0)


def test_spread_tells_categories_apart(few):
    """Even categories lean to the right and odd ones to the left: rho 0 on average, with spread 1."""
    c2 = code_effects.sweep_effects(FakeRun(lambda c: bars(c[1] / 10 * (1 - 2 * (c[0] % 2))), blind), code=1, seed=0)
    assert (c2["slant"], c2["spread"]["slant"]) == pytest.approx((0, 1), abs=1e-9)


def test_spread_is_not_over_noise(few):
    """c3, shared by the categories, decides which way c2 leans: rho 0 on average in each category, spread 0."""
    c2 = code_effects.sweep_effects(FakeRun(lambda c: bars(c[1] / 10 * c[2].sign()), blind), code=1, seed=0)
    assert (c2["slant"], c2["spread"]["slant"]) == pytest.approx((0, 0), abs=1e-9)


@pytest.mark.parametrize(("pixel", "kept"), [(0, 1.0), (1, 0.0)])
def test_what_is_read_is_kept_where_the_code_does_not_touch_it(pixel, kept):
    """c2 goes from -1 to 1: c1, in the first pixel, stays, and c2's own sign, in the second, never does."""

    def read(pictures):
        value = pictures[:, 0, 0, pixel].double() / 255
        yes = value.clamp(0.1, 0.9) if pixel == 0 else (value > 0.5).double()
        return torch.stack([1 - yes, yes], dim=1)

    found = code_effects.kept(FakeRun(note, blind), 1, read, seed=0)
    assert (found["share"], found["sure"]) == (kept, kept)
    sure = 500 if pixel else 250  # of ten categories 0, 1, 2, 8 and 9 are read with 0.8 or more
    assert found["n_sure"] == pytest.approx(sure, abs=40)


def test_sweep_changes_one_code_only(few):
    """c2 runs over -2..2 within each category and noise; c3 is held along a sweep and shared by the categories."""
    x, categories = code_effects.sweep(FakeRun(note, blind), code=1, seed=0)
    c1, c2, c3 = x[:, 0, :3].view(categories, 2, 11, 3).unbind(-1)
    assert torch.equal(c1, (torch.arange(10) / 10)[:, None, None].expand_as(c1))
    assert torch.allclose(c2, torch.linspace(0, 1, 11).expand_as(c2))
    assert torch.equal(c3, c3[:1, :, :1].expand_as(c3))


def tinted(codes):
    """Flat pictures: c1 turns the hue of the border by a tenth, c2 makes all brighter, c3 turns the middle's hue."""
    angle = torch.stack([codes[0] / 10, codes[2] / 2.5 + 0.1]).unsqueeze(-1) * 2 * math.pi
    border, middle = 0.5 + 0.2 * torch.cos(angle - tensor([0.0, 2 * math.pi / 3, 4 * math.pi / 3]))
    x = border[:, :, None, None].expand(-1, -1, 32, 32).clone()
    x[:, :, 4:28, 4:28] = middle[:, :, None, None]
    return x + codes[1][:, None, None, None] / 10


def test_brightness_and_hue_are_found(few):
    """c2 brightens and turns no hue; c3, over 1.6 turns, passes red, where the angle jumps, and still has rho 1."""
    c2, c3 = (code_effects.sweep_effects(FakeRun(tinted, blind, SVHN), code, seed=0) for code in (1, 2))
    assert (c2["brightness"], c2["background brightness"]) == pytest.approx((1, 1))
    first, last = c2["ends"]["brightness"]
    assert last - first == pytest.approx(0.4)
    assert abs(c2["contrast"]) < 0.5
    assert c3["hue"] == pytest.approx(1)
    assert abs(c3["background hue"]) < 0.5


def test_a_category_that_paints_the_background_is_found():
    """c1 decides the border's colour whatever the rest is, and moves neither brightness nor the edges."""
    eta2 = code_effects.category_effects(FakeRun(tinted, blind, SVHN), 0, seed=0)
    assert eta2["background hue"] == pytest.approx(1)
    assert eta2["right edge"] < 0.1
    assert code_effects.names_of_effects({"c1": {"eta2": {"background hue": 0.7, "brightness": 0.5}}}) == {
        "c1": "background hue"
    }


def test_what_a_code_explains_of_all_pictures():
    """The border is c1's hue, whose luma differs, and c2 brightens it: they share its brightness, c3 has none of it."""
    spec = LatentSpec(1, SVHN)
    _, codes = spec.sample(5000, torch.Generator().manual_seed(0))
    c1, c2, c3 = code_effects.shares(spec, codes, tinted(codes))
    assert c1["background hue"] == pytest.approx(1)
    assert c1["background brightness"] + c2["background brightness"] == pytest.approx(1, abs=0.03)
    assert min(c1["background brightness"], c2["background brightness"]) > 0.4
    assert max(c3["background brightness"], c2["background hue"], c3["background hue"]) < 0.01
    assert code_effects.explained(torch.zeros(10, dtype=torch.long), torch.ones(10)) == 0


def test_what_is_little_beside_other_codes_gives_no_name():
    moved = {"brightness": 0.99, "hue": 0.9, "share": {"brightness": 0.05, "hue": 0.3}}
    assert code_effects.names_of_effects({"c2": moved, "c3": {"brightness": 0.99, "share": {"brightness": 0.05}}}) == {
        "c2": "hue"
    }


def test_eta2():
    """1 if the category decides all, whatever the rows' levels; 0 if nothing differs, about 1 / rows for noise."""
    generator = torch.Generator().manual_seed(0)
    by_category, by_row = torch.randn(1, 10, 2, generator=generator), torch.randn(500, 1, 2, generator=generator)
    noise = torch.randn(500, 10, 2, generator=generator)
    assert code_effects.eta2(by_category + 5 * by_row) == pytest.approx(1)
    assert code_effects.eta2(by_row.expand(-1, 10, -1)) == 0
    assert code_effects.eta2(noise) == pytest.approx(1 / 500, rel=0.5)
    equal = code_effects.eta2(noise + by_category * (noise.var() / by_category.var(correction=0)).sqrt())
    assert equal == pytest.approx(0.5, abs=0.05)


def test_a_code_is_named_after_what_it_moves_most_steadily():
    codes = {
        "c1": {"kind": "categorical"},
        "c2": {"slant": -0.95, "width": 0.9, "thickness": 0.1},
        "c3": {"slant": 0.2, "width": 0.7, "thickness": -0.6},
    }
    assert code_effects.names_of_effects(codes) == {"c2": "slant"}


def test_a_code_that_moves_two_things_alike_is_named_after_both():
    codes = {"c2": {"slant": -1.0, "width": 0.91, "thickness": 0.993}}
    assert code_effects.names_of_effects(codes) == {"c2": "slant and thickness"}

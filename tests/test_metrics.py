"""metrics.py: every number against a case whose answer is known in closed form."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, tensor
from torch.nn.functional import one_hot

from infogan_core import measures, metrics
from infogan_core.images import ImageSet
from infogan_core.latents import Categorical, LatentSpec, Uniform

MNIST = (Categorical(10), Uniform(), Uniform())
GAUSS = 0.5 * math.log(2 * math.pi)


class FakeRun:
    """A run with a hand-made G and Q: `draw(codes)` gives the pictures, `see(x)` Q's outputs, one per code."""

    def __init__(self, draw, see, codes=MNIST, path=None):
        self.config = SimpleNamespace(latents=LatentSpec(2, codes))
        self.generate, self.q_params, self.path = lambda _, codes: draw(codes), see, path

    def infer(self, x: Tensor) -> list:
        return self.config.latents.read(self.q_params(x))


def note(codes: list[Tensor]) -> Tensor:
    """Pictures that carry their codes in their first pixels: the category / 10, continuous codes from -2..2."""
    x = torch.zeros(len(codes[0]), 1, 28, 28)
    for i, c in enumerate(codes):
        x[:, 0, 0, i] = c / 10 if i == 0 else (c + 2) / 4
    return x


def perfect(x: Tensor) -> list[Tensor]:
    """The Q that reads the note without error."""
    c1, c2, c3 = x[:, 0, 0, :3].unbind(1)
    return [100.0 * one_hot((c1 * 10).round().long(), 10), 4 * c2[:, None] - 2, 4 * c3[:, None] - 2]


def blind(x: Tensor) -> list[Tensor]:
    """The Q that says the same of every picture."""
    return [torch.zeros(len(x), 10), torch.zeros(len(x), 1), torch.zeros(len(x), 1)]


def bars(slant: Tensor | float, thickness: float = 3.0) -> Tensor:
    """Soft-edged bars over the whole height, leaning by `slant` px to the right per px up -> [N, 1, 28, 28]."""
    y, x = torch.meshgrid(torch.arange(28) - 13.5, torch.arange(28) - 13.5, indexing="ij")
    return (thickness / 2 + 0.5 - (x + torch.as_tensor(slant).reshape(-1, 1, 1) * y).abs()).clamp(0, 1)[:, None]


def leaning(codes: list[Tensor]) -> Tensor:
    """Bars whose slant is c2 / 10; c3 moves nothing."""
    return bars(codes[1] / 10)


def digits(labels=True, held_out=True, off=0) -> ImageSet:
    """40 pictures whose brightness says their digit, as `perfect` reads it; held-out labels are `off` by so many."""
    y = torch.arange(40) % 10
    x = (25.5 * y).round().to(torch.uint8)[:, None, None, None].expand(-1, 1, 28, 28).clone()
    other = ImageSet(x, (y + off) % 10 if labels else None, "others") if held_out else None
    return ImageSet(x, y if labels else None, "digits", other)


@pytest.fixture
def few(monkeypatch):
    """Two sweeps per category are enough to test."""
    monkeypatch.setattr(metrics, "NOISES", 2)


def test_uninformed_q_tells_nothing():
    """Uniform logits give E[log 1/K] + ln K = 0 nats, the same for every sample: no standard error."""
    c1 = metrics.information(FakeRun(note, blind), 100, seed=0)["c1"]
    assert (c1["mi"], c1["mi_stderr"]) == pytest.approx((0, 0), abs=1e-6)


def test_perfect_q_tells_ln_k():
    c1 = metrics.information(FakeRun(note, perfect), 100, seed=0)["c1"]
    assert (c1["mi"], c1["ceiling"]) == pytest.approx((math.log(10), math.log(10)), abs=1e-6)


@pytest.mark.parametrize("sigma", [1.0, 0.25])
def test_exact_mean_reaches_the_gaussian_ceiling(sigma):
    """Without error L_I = ln 2 - ln sigma - ln(2 pi) / 2, -0.226 nats for sigma 1, and R^2 is 1."""
    c2 = metrics.information(FakeRun(note, perfect, (Categorical(10), Uniform(sigma), Uniform(sigma))), 100, seed=0)[
        "c2"
    ]
    bound = math.log(2) - math.log(sigma) - GAUSS
    assert (c2["mi"], c2["ceiling"], c2["r2"]) == pytest.approx((bound, bound, 1), abs=1e-6)
    assert c2["sigma"] == sigma


def test_constant_mean_explains_nothing():
    """A mean of 0 has MSE 1/3: L_I = ln 2 - ln(2 pi) / 2 - 1/6 within its error, sd(c^2 / 2) / sqrt(n); R^2 is 0."""
    c2 = metrics.information(FakeRun(note, blind), 10_000, seed=0)["c2"]
    assert c2["mi_stderr"] == pytest.approx(math.sqrt(1 / 5 - 1 / 9) / 2 / 100, rel=0.05)
    assert c2["mi"] == pytest.approx(math.log(2) - GAUSS - 1 / 6, abs=4 * c2["mi_stderr"])
    assert c2["r2"] == pytest.approx(0, abs=1e-3)


def test_half_the_mean_explains_three_quarters():
    """A mean of c / 2 misses by c / 2: R^2 = 1 - 1/4, the share explained, not the squared correlation (1)."""
    c2 = metrics.information(FakeRun(note, lambda x: [q / 2 for q in perfect(x)]), 10_000, seed=0)["c2"]
    assert c2["r2"] == pytest.approx(0.75, abs=1e-3)


def test_learned_sigma_has_no_ceiling():
    """Q's second output, 0 here, makes sigma ln 2 + its floor, 0.05; the report says "learned", and no ceiling."""

    def see(x):
        c1, c2, _ = perfect(x)
        return [c1, torch.cat([c2, 0 * c2], dim=1)]

    c2 = metrics.information(FakeRun(note, see, (Categorical(10), Uniform(None))), 100, seed=0)["c2"]
    assert (c2["sigma"], c2["ceiling"]) == ("learned", None)
    assert c2["mi"] == pytest.approx(math.log(2) - math.log(math.log(2) + 0.05) - GAUSS, abs=1e-5)


@pytest.mark.parametrize("shear", [-0.4, 0.0, 0.3])
def test_slant_is_the_shear(shear):
    """A bar leaning right by `shear` px per px up, as "/" does, measures +shear."""
    assert measures.slant(bars(shear)[0]).item() == pytest.approx(shear, abs=0.005)


@pytest.mark.parametrize("w", [1, 2, 3, 12])
def test_width_of_a_rectangle(w):
    x = torch.zeros(1, 28, 28)
    x[:, 4:24, 5 : 5 + w] = 0.7
    assert measures.width(x).item() == pytest.approx(w, abs=1e-6)


def test_width_does_not_count_the_slant():
    """Leaning by 0.4 over 28 rows makes a 3 px bar's bounding box 14 px wide, and leaves its width."""
    assert measures.width(bars(0.4)[0]).item() == pytest.approx(measures.width(bars(0.0)[0]).item(), rel=0.05)


@pytest.mark.parametrize("w", [2, 3, 4])
def test_thickness_of_a_bar(w):
    """Edge to edge of the picture, so without ends; grey strokes count as bright ones do."""
    x = torch.zeros(2, 28, 28)
    x[:, :, 10 : 10 + w] = tensor([1.0, 0.4])[:, None, None]
    assert measures.stroke_thickness(x).tolist() == pytest.approx([w, w], abs=1e-6)


@pytest.mark.parametrize("w", [1.6, 2.5, 3.3])
def test_thickness_of_soft_bars(w):
    """Edges that fall within pixels, on a bar w px wide along the row and so w / sqrt(1.01) thick: to 5%."""
    assert measures.stroke_thickness(bars(0.1, w)[0]).item() == pytest.approx(w / math.sqrt(1.01), rel=0.05)


@pytest.mark.parametrize("grey", [0.0, 1.0])
def test_even_picture_measures_no_nan(grey):
    """Without an edge there is no stroke: thickness 0, slant 0."""
    x = torch.full((1, 28, 28), grey)
    assert (measures.stroke_thickness(x).item(), measures.slant(x).item()) == pytest.approx((0, 0), abs=1e-9)
    assert measures.width(x).isfinite().all()


def test_spearman_sees_order_and_not_size():
    """1 for any rising row, -1 for any falling one, 0 for a constant one (where scipy says NaN)."""
    values = torch.linspace(-2, 2, 11)
    measured = torch.stack([values.exp(), -(values**3), torch.full((11,), 0.3)])
    assert metrics.spearman(values, measured).tolist() == pytest.approx([1, -1, 0])


def test_code_that_leans_the_picture_is_found(few):
    """Swept over -2..2, c2 leans every bar from -0.2 to 0.2: rho 1 for all categories."""
    c2 = metrics.movement(FakeRun(leaning, blind), code=1, seed=0)
    assert (c2["slant"], c2["spread"]["slant"]) == pytest.approx((1, 0))
    assert c2["ends"]["slant"] == pytest.approx([-0.2, 0.2], abs=0.005)


def test_code_that_moves_nothing_reads_zero(few):
    c3 = metrics.movement(FakeRun(leaning, blind), code=2, seed=0)
    assert (c3["slant"], c3["width"], c3["thickness"]) == (0, 0, 0)


def test_spread_tells_categories_apart(few):
    """Even categories lean to the right and odd ones to the left: rho 0 on average, with spread 1."""
    c2 = metrics.movement(FakeRun(lambda c: bars(c[1] / 10 * (1 - 2 * (c[0] % 2))), blind), code=1, seed=0)
    assert (c2["slant"], c2["spread"]["slant"]) == pytest.approx((0, 1), abs=1e-9)


def test_spread_is_not_over_noise(few):
    """c3, shared by the categories, decides which way c2 leans: rho 0 on average in each category, spread 0."""
    c2 = metrics.movement(FakeRun(lambda c: bars(c[1] / 10 * c[2].sign()), blind), code=1, seed=0)
    assert (c2["slant"], c2["spread"]["slant"]) == pytest.approx((0, 0), abs=1e-9)


def test_sweep_changes_one_code_only(few):
    """c2 runs over -2..2 within each category and noise; c3 is held along a sweep and shared by the categories."""
    x, categories = metrics.sweep(FakeRun(note, blind), code=1, seed=0)
    c1, c2, c3 = x[:, 0, :3].view(categories, 2, 11, 3).unbind(-1)
    assert torch.equal(c1, (torch.arange(10) / 10)[:, None, None].expand_as(c1))
    assert torch.allclose(c2, torch.linspace(0, 1, 11).expand_as(c2))
    assert torch.equal(c3, c3[:1, :, :1].expand_as(c3))


MATCHINGS = {
    "a permutation is undone": ([0, 1, 2, 3], [2, 0, 3, 1], [2, 0, 3, 1]),
    "one to one, though 0 is the most frequent label of both": ([0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 1], [0, 1]),
    "a category with no label left": ([0, 0, 1, 1, 2], [0, 0, 1, 1, 1], [0, 1, -1]),
}


@pytest.mark.parametrize(("categories", "labels", "matching"), MATCHINGS.values(), ids=MATCHINGS)
def test_matching(categories, labels, matching):
    assert metrics.match_categories(tensor(categories), tensor(labels), len(matching)).tolist() == matching


def test_agreement_of_a_perfect_split_and_of_none():
    """Right under the matching: all scores 1. Categories independent of labels: NMI 0 and, of 4 images, ARI -1/2."""
    labels, keys = tensor([0, 0, 1, 1]), ("n", "accuracy", "error", "nmi", "ari")
    same, other = (metrics.agreement(tensor(c), labels, tensor([1, 0])) for c in ([1, 1, 0, 0], [0, 1, 0, 1]))
    assert [same[key] for key in keys] == pytest.approx([4, 1, 0, 1, 1])
    assert [other[key] for key in keys] == pytest.approx([4, 0.5, 0.5, 0, -0.5])


def test_matching_is_fitted_on_training_images():
    """Held-out labels that are all one off: fitted on them it would score 1, fitted on training images it scores 0."""
    held_out = metrics.recognition(FakeRun(note, perfect), digits(off=1), seed=0)["held_out"]
    assert (held_out["accuracy"], held_out["nmi"]) == pytest.approx((0, 1))
    assert (held_out["matching"], held_out["fitted_on"], held_out["n"]) == ([*range(10)], 40, 40)


@pytest.mark.parametrize(("without", "keys"), [("held_out", {"real", "train"}), ("labels", {"real"})])
def test_what_is_missing_is_not_claimed(without, keys):
    """Without held-out images the numbers are called "train"; without labels there is no accuracy."""
    assert metrics.recognition(FakeRun(note, perfect), digits(**{without: False}), seed=0).keys() == keys


def test_draw_is_random(monkeypatch):
    """The first 100 of sorted files would be all one class; drawn, they are of all ten, and keep their labels."""
    monkeypatch.setattr(metrics, "REAL_IMAGES", 100)
    y = torch.arange(10).repeat_interleave(100)
    x, labels = metrics.draw(ImageSet(y.to(torch.uint8)[:, None, None, None], y, "sorted"), seed=0)
    assert (len(x), len(labels.unique())) == (100, 10)
    assert torch.equal(x[:, 0, 0, 0].long(), labels)


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        (torch.eye(4), (1, 0, math.log(4), math.log(4))),  # sure, and all categories used alike
        (torch.full((3, 4), 0.25), (0.25, math.log(4), math.log(4), 0)),  # unsure of all
        (torch.eye(4)[[2, 2]], (1, 0, 0, 0)),  # sure of one category for all
    ],
)
def test_certainty(q, expected):
    assert tuple(metrics.certainty(q).values()) == pytest.approx(expected)


def test_stability_counts_what_a_shift_changes():
    """Q looks at pixel (0, 0), the first column is bright: of four shifts only the one to the left darkens it."""
    x = torch.zeros(5, 1, 28, 28, dtype=torch.uint8)
    x[..., 0] = 255
    run = FakeRun(note, lambda x: [one_hot((x[:, 0, 0, 0] > 0.5).long(), 2).float()], (Categorical(2),))
    assert metrics.stability(run, x) == 0.75


def test_report_is_written_whole(tmp_path, few):
    """metrics.json is the returned dict, in a directory made for it, and nothing else is left there."""
    report = metrics.evaluate(FakeRun(leaning, blind), digits(), out=tmp_path / "new", samples=100)
    assert json.loads((tmp_path / "new" / "metrics.json").read_text()) == report
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["metrics.json"]
    assert report.keys() == {"codes", "names", "held_out", "real", "conditions"}


def test_same_seed_same_numbers(tmp_path, few):
    """Whatever torch's global generator holds, which is not moved; another seed draws other samples."""
    run, state = FakeRun(note, blind, path=tmp_path), torch.get_rng_state()
    first = metrics.evaluate(run, digits(), samples=100)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(7)
    assert metrics.evaluate(run, digits(), samples=100) == first
    assert metrics.evaluate(run, digits(), samples=100, seed=1)["codes"] != first["codes"]


def test_one_sample_has_no_standard_error(tmp_path):
    with pytest.raises(ValueError, match="at least 2"):
        metrics.evaluate(FakeRun(note, perfect, path=tmp_path), digits(), samples=1)
    assert not list(tmp_path.iterdir())


def test_colour_pictures_have_no_slant(tmp_path):
    colour = ImageSet(torch.zeros(4, 3, 28, 28, dtype=torch.uint8), None, "colour")
    report = metrics.evaluate(FakeRun(note, perfect, path=tmp_path), colour, samples=100)
    assert "slant" not in report["codes"]["c2"]


def test_continuous_codes_alone(tmp_path, few):
    """Without a categorical code there is nothing to match, and one sweep per noise."""
    run = FakeRun(lambda c: bars(c[0] / 10), lambda x: [torch.zeros(len(x), 1)], (Uniform(),), tmp_path)
    report = metrics.evaluate(run, digits(), samples=100)
    assert report.keys() == {"codes", "names", "conditions"}
    assert report["codes"]["c1"]["slant"] == pytest.approx(1)


def test_summary_is_a_few_aligned_lines(tmp_path, few):
    """It states the data, n, accuracy, each L_I with its ceiling, and what the codes move."""
    text = metrics.summary(metrics.evaluate(FakeRun(leaning, blind, path=tmp_path), digits(), samples=100))
    data, c1, real, head, *codes = text.splitlines()
    assert data == "digits; 100 samples"
    assert c1.startswith("c1 on 40 held-out images: 10.0% right")
    assert "shift-stable 100.0%" in real
    assert codes[0].split() == ["c1", "0.000", "+-", "0.000", "(2.303)"]
    assert {len(line) for line in codes[1:]} == {len(head)}


def test_a_code_is_named_after_what_it_moves_most_steadily():
    codes = {
        "c1": {"kind": "categorical"},
        "c2": {"slant": -0.95, "width": 0.9, "thickness": 0.1},
        "c3": {"slant": 0.2, "width": 0.7, "thickness": -0.6},
    }
    assert metrics.names(codes) == {"c2": "slant"}

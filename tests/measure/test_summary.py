"""summary.py: what a person reads when a run ends."""

import json

import pytest
import torch
from torch.nn.functional import one_hot

import infogan_core as ig
from fake_run import FakeRun, blind, grey_digits, leaning, note
from helpers import ROOT
from infogan_core.data.images import ImageSet
from infogan_core.measure import code_effects
from infogan_core.measure.evaluate import evaluate
from infogan_core.model.latents import Categorical
from infogan_core.show.figures import category_label, png_bytes, traversal_figure


def test_summary_is_a_few_aligned_lines(monkeypatch):
    """The data, n, accuracy, each L_I with its ceiling, and what the codes change."""
    monkeypatch.setattr(code_effects, "SWEEPS_PER_CATEGORY", 2)
    text = ig.summary(evaluate(FakeRun(leaning, blind), grey_digits(), samples=100))
    data, c1, real, overfitting, noise, head, *codes = text.splitlines()
    assert data == "digits; 100 samples"
    assert c1.startswith("c1 on 40 held-out images: 10.0% right")
    assert real.startswith("c1 without labels: ")
    assert "shift-stable 100.0%" in real
    assert "r_v" in overfitting
    assert "0.0% of the variance" in noise  # the pictures of a FakeRun follow the codes alone
    assert codes[0].split() == ["c1", "0.000", "+-", "0.000", "(2.303)"]
    assert {len(line) for line in codes[1:]} == {len(head)}


def one_of_two(x):
    """The Q of a run with one code of two categories, which reads the note."""
    return [100.0 * one_hot((x[:, 0, 0, 0] * 10).round().long(), 2)]


@pytest.mark.parametrize("names", [("3", "7"), ("cat", "dog"), ("$x^", "a_very_long_folder's_name")])
def test_the_names_of_ones_own_classes_are_in_report_summary_figure_and_labels(names):
    y = torch.arange(40) % 2
    x = (25.5 * y).round().byte()[:, None, None, None].expand(-1, 1, 28, 28)
    run, images = FakeRun(note, one_of_two, (Categorical(2),)), ImageSet(x, 1 - y, "own", label_names=names)
    report = evaluate(run, images, samples=20)
    assert report["train"]["matching"] == [*reversed(names)]
    wanted = {f"c1={k}": f"class {names[1 - k]} 100%" for k in (0, 1)}
    assert report["names"] == wanted
    assert all(f"{category} {name}" in ig.summary(report) for category, name in wanted.items())
    figure = traversal_figure(run, 0)
    png_bytes(figure)  # a "$" is no formula
    ticks = ["".join(text.get_text().split()) for text in figure.axes[0].get_xticklabels()]
    assert ticks == [f"{k}class{names[1 - k]}100%" for k in (0, 1)]
    assert [names[1 - k] in category_label(run, 0, k) for k in (0, 1)] == [True, True]


@pytest.mark.parametrize("dataset", ["mnist", "svhn", "celeba"])
def test_published_reports_have_a_summary(dataset):
    """Those of earlier versions as well: a line per code, and the numbers that are in them."""
    report = json.loads((ROOT / "outputs" / "published" / dataset / "metrics.json").read_text())
    text = ig.summary(report)
    assert [line.split()[0] for line in text.splitlines()[-len(report["codes"]) :]] == list(report["codes"])
    assert f"Frechet distance {report['quality']['held_out']['frechet']:.2f}" in text
    if "held_out" in report:
        assert f"{report['held_out']['accuracy']:.1%} right" in text

"""summary.py: what a person reads when a run ends."""

import json

import pytest

import infogan_core as ig
from fake_run import FakeRun, blind, grey_digits, leaning
from helpers import ROOT
from infogan_core.measure import code_effects
from infogan_core.measure.evaluate import evaluate


def test_summary_is_a_few_aligned_lines(monkeypatch):
    """The data, n, accuracy, each L_I with its ceiling, and what the codes change."""
    monkeypatch.setattr(code_effects, "SWEEPS_PER_CATEGORY", 2)
    text = ig.summary(evaluate(FakeRun(leaning, blind), grey_digits(), samples=100))
    data, c1, real, overfitting, head, *codes = text.splitlines()
    assert data == "digits; 100 samples"
    assert c1.startswith("c1 on 40 held-out images: 10.0% right")
    assert real.startswith("c1 without labels: ")
    assert "shift-stable 100.0%" in real
    assert "r_v" in overfitting
    assert codes[0].split() == ["c1", "0.000", "+-", "0.000", "(2.303)"]
    assert {len(line) for line in codes[1:]} == {len(head)}


@pytest.mark.parametrize("dataset", ["mnist", "svhn", "celeba"])
def test_published_reports_have_a_summary(dataset):
    """Those of earlier versions as well: a line per code, and the numbers that are in them."""
    report = json.loads((ROOT / "outputs" / "published" / dataset / "metrics.json").read_text())
    text = ig.summary(report)
    assert [line.split()[0] for line in text.splitlines()[-len(report["codes"]) :]] == list(report["codes"])
    assert f"Frechet distance {report['quality']['held_out']['frechet']:.2f}" in text
    if "held_out" in report:
        assert f"{report['held_out']['accuracy']:.1%} right" in text

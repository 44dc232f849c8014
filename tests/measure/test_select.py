"""Choosing a run: closed cases of each signal's worth, and what cannot be chosen from."""

import json
from types import SimpleNamespace

import pytest
from torch import tensor

import infogan_core as ig
from helpers import ROOT
from infogan_core.measure.select import BEST_SIGNAL, consensus, judge


def run(name, mi, data="digits"):
    report = {"real": {"mi": mi}, "conditions": {"data": data}} if mi is not None else {}
    return SimpleNamespace(path=name, report=report)


def test_the_run_that_tells_most_is_chosen():
    runs = [run("a", 1.9), run("b", 2.2), run("c", 0.3)]
    assert ig.select_run(runs).path == "b"
    assert ig.select_run(runs[:1]).path == "a"


@pytest.mark.parametrize("better", [0, 1])
def test_of_two_runs_the_better_is_chosen(smoke_run, tmp_path, better):
    """Given as runs, or as the names of their folders."""
    folders = [ig.publish(smoke_run, tmp_path / name) for name in ("a", "b")]
    for folder, mi in zip(folders, (2.0, 1.0)[:: -1 if better else 1], strict=True):
        (folder / "metrics.json").write_text(json.dumps(run(None, mi).report))
    assert ig.select_run([str(folder) for folder in folders]).path == folders[better]
    assert ig.select_run([ig.load_run(folder) for folder in folders]).path == folders[better]


def test_select_runs_signal_lost_at_most_half_a_point_over_twenty_seeds():
    study = json.loads((ROOT / "outputs/published/evidence/seeds.json").read_text())
    assert len(study["runs"]) == 20
    assert study["signals"][BEST_SIGNAL]["spearman"] > 0
    assert study["signals"][BEST_SIGNAL]["regret"] <= 0.005


def test_what_cannot_be_chosen_from():
    for runs in ([], "outputs/mnist"):
        with pytest.raises(ValueError, match="give a list of runs or of their folders"):
            ig.select_run(runs)
    with pytest.raises(ValueError, match="b: select_run needs a run with a categorical code that evaluate"):
        ig.select_run([run("a", 1.0), run("b", None)])
    with pytest.raises(ValueError, match="different pictures: digits; letters"):
        ig.select_run([run("a", 1.0), run("b", 2.0, "letters")])


def test_consensus_of_runs_that_agree_up_to_names_and_of_one_that_does_not():
    """Renamed categories are the same clustering: NMI 1. A split that is independent of it has NMI 0."""
    a, renamed, independent = tensor([0, 0, 1, 1]), tensor([5, 5, 2, 2]), tensor([0, 1, 0, 1])
    assert consensus([a, renamed, independent]) == pytest.approx([0.5, 0.5, 0], abs=1e-9)


def test_a_signal_is_judged_by_its_ranks_and_by_what_its_choice_loses():
    accuracy = [0.9, 0.7, 0.8]
    assert judge([3.0, 1.0, 2.0], accuracy) == pytest.approx({"spearman": 1.0, "regret": 0.0})
    assert judge([1.0, 3.0, 2.0], accuracy) == pytest.approx({"spearman": -1.0, "regret": 0.2})
    assert judge([1.0, 1.0, 1.0], accuracy)["spearman"] == 0
    assert judge([1.0, 2.0], [0.5, 0.5]) == {"spearman": 0.0, "regret": 0.0}

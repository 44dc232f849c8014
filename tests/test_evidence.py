"""The paper's claims: what is read from runs, and that every seed is in the figure."""

from types import SimpleNamespace

import pytest

from infogan_core.evidence import figure1


def run(seed, line):
    records = [{"step": 50 * (i + 1), "mi": [mi, 0.0, 0.0]} for i, mi in enumerate(line)]
    env = {"minutes": 1.0 + seed, "data": "digits", "device": "cpu", "precision": "fp32", "torch": "2"}
    return SimpleNamespace(config=SimpleNamespace(seed=seed, steps=150), records=records, env=env)


def test_figure_1_is_read_from_every_seed():
    runs = {"infogan": [run(0, [1.0, 2.0, 2.2]), run(1, [1.5, 2.26, 2.3])], "gan": [run(0, [0.6, 0.3, 0.1])]}
    figure, numbers = figure1(runs)
    assert numbers["infogan"]["within_100"] == pytest.approx({"mean": 2.13, "min": 2.0, "max": 2.26, "n": 2})
    assert numbers["infogan"]["last"] == pytest.approx({"mean": 2.25, "min": 2.2, "max": 2.3, "n": 2})
    assert numbers["gan"]["peak"]["max"] == 0.6
    assert numbers["gan"]["last"]["mean"] == 0.1
    assert numbers["infogan"]["seeds"] == [0, 1]
    assert len(figure.axes[0].lines) == 3 + 1  # the seeds, and the ceiling

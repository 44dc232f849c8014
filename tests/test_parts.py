"""Quick's parts: each profile takes one out, and nothing else, and only where `quick` has it."""

import dataclasses

import pytest

import infogan_core as ig
from infogan_core.parts import PARTS
from infogan_core.presets import PRESETS

WITHOUT = [(dataset, name) for dataset in ("svhn", "celeba") for name in PARTS if name in PRESETS[dataset]]


def fields(config):
    flat = dataclasses.asdict(config)
    return flat | flat.pop("latents")


@pytest.mark.parametrize(("dataset", "name"), WITHOUT)
def test_one_part_goes_back_to_the_papers(dataset, name):
    short, without, paper = (fields(ig.preset(dataset, profile)) for profile in ("short", name, "paper"))
    changed = {key for key in short if short[key] != without[key]} - {"profile", "steps"}
    assert changed
    assert changed <= set(PARTS[name][1])
    assert all(without[key] == paper[key] for key in changed)


def test_a_data_set_has_the_parts_of_its_quick():
    assert "without-mirrors" in PRESETS["celeba"]
    assert "without-mirrors" not in PRESETS["svhn"]
    assert "without-half-width" in PRESETS["svhn"]
    assert "without-half-width" not in PRESETS["celeba"]
    assert {name for _, name in WITHOUT} == PARTS.keys()


@pytest.mark.parametrize("dataset", ["svhn", "celeba"])
def test_a_short_run_settles(dataset):
    """A decay for long runs, 0.9998, would leave nearly half of the random start in an average of 4,200 steps."""
    short = ig.preset(dataset, "short")
    assert short.lr_decay
    assert short.ema**short.steps < 0.01


@pytest.mark.parametrize("dataset", ["svhn", "celeba"])
def test_paper_for_as_long_is_paper(dataset):
    as_long, paper = ig.preset(dataset, "as-long"), ig.preset(dataset, "paper")
    assert as_long == paper.replace(profile="as-long", steps=as_long.steps)

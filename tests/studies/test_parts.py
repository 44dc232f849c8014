"""The parts of the studied recipes: each profile takes one out, and nothing else, and only where the recipe has it."""

import dataclasses

import pytest

import infogan_core as ig
from infogan_core.recipes.parts import PARTS
from infogan_core.recipes.presets import PRESETS

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


def test_a_data_set_has_the_parts_of_its_recipe():
    assert "without-mirrors" in PRESETS["celeba"]
    assert "without-mirrors" not in PRESETS["svhn"]
    assert "without-half-width" in PRESETS["svhn"]
    assert "without-half-width" not in PRESETS["celeba"]
    assert {name for _, name in WITHOUT} == PARTS.keys()


@pytest.mark.parametrize("dataset", ["svhn", "celeba"])
def test_the_studied_recipe_is_the_one_that_the_page_describes(dataset):
    """Published studies are of it: small batches, rates that fall, a short average, no R1."""
    short = ig.preset(dataset, "short")
    assert (short.batch, short.width, short.lr_decay, short.ema, short.r1) == (32, 0.5, True, 0.998, 0.0)
    rates, loss, of_lambda = {
        "svhn": ((2e-3, 2e-3, 0.0), "hinge", {0.5}),
        "celeba": ((3e-4, 1e-3, 0.5), "gan", {1.0, 0.25}),
    }[dataset]
    assert (short.lr_d, short.lr_g, short.beta1) == rates
    assert (short.objective, set(short.lambda_info)) == (loss, of_lambda)


@pytest.mark.parametrize("dataset", ["svhn", "celeba"])
def test_paper_for_as_long_is_paper(dataset):
    as_long, paper = ig.preset(dataset, "as-long"), ig.preset(dataset, "paper")
    assert as_long == paper.replace(profile="as-long", steps=as_long.steps)

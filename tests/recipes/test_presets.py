"""The profiles: what the paper and its code say, and what a run should reach."""

import pytest

from infogan_core import PRESETS, Categorical, LatentSpec, Uniform, about, check_claims, preset
from infogan_core.recipes.presets import targets_of
from infogan_core.recipes.profile import IF_MISSED


@pytest.mark.parametrize(("dataset", "noise", "width"), [("svhn", 124, 168), ("celeba", 128, 228)])
def test_paper_has_the_codes_of_appendix_c_and_none_of_what_helps(dataset, noise, width):
    c = preset(dataset, "paper")
    assert (c.latents.noise_dim, c.latents.width, c.image_size, c.channels) == (noise, width, 32, 3)
    assert (c.lr_d, c.lr_g, c.slope, c.width, set(c.lambda_info)) == (2e-4, 1e-3, 0.1, 1, {1.0})
    assert not any((c.norm_every, c.lr_decay, c.lambda_real, c.shift, c.warp, c.color, c.flip, c.ema))
    assert {code.sigma for code in c.latents.codes if isinstance(code, Uniform)} <= {1.0}


def test_openai_is_the_public_code():
    c = preset("mnist", "openai")
    assert (c.slope, c.steps, c.batch, c.lr_d, c.lr_g, c.beta1) == (0.01, 5000, 128, 2e-4, 1e-3, 0.5)
    assert c.latents == LatentSpec(62, (Categorical(10), Uniform(1.0), Uniform(1.0)), "uniform")
    assert c.lambda_info == (1.0, 1.0, 1.0)
    assert (c.ema, c.shift, c.warp, c.lr_decay, c.new_fakes_for_g, c.info_trains_trunk) == (0, 0, 0, False, True, True)


def test_paper_keeps_what_the_paper_says():
    c = preset("mnist", "paper")
    assert (c.width, c.slope, c.lr_d, c.lr_g, c.lambda_info) == (1.0, 0.1, 2e-4, 1e-3, (1.0, 1.0, 1.0))
    assert c.latents.width == 74


@pytest.mark.parametrize(("dataset", "profile"), [(d, p) for d in PRESETS for p in PRESETS[d]])
def test_a_profile_says_what_it_costs_and_should_reach(dataset, profile):
    of = PRESETS[dataset][profile]
    assert (of.config.dataset, of.config.profile) == (dataset, profile)
    assert of.cost in about(of.config)
    assert all(text in about(of.config) for _, text, _, _ in of.targets())


def genuine(dataset, **report):
    return {"conditions": {"data": "them", "kind": dataset, "stand_in": False, "n_images": 70_000}} | report


def test_a_missed_target_is_said_with_what_to_do_and_stops_nothing():
    config = preset("mnist", "quick")
    assert "reached (0.8)" in check_claims(config, genuine("mnist", held_out={"accuracy": 0.8}))
    missed = check_claims(config, genuine("mnist", held_out={"accuracy": 0.79}))
    assert "missed (0.79)" in missed
    assert "SEED=1 OUT=outputs/mnist-seed1" in missed


def test_every_target_says_what_a_miss_means():
    paths = {path for of in PRESETS.values() for profile in of.values() for path, *_ in profile.targets()}
    assert paths <= IF_MISSED.keys()


@pytest.mark.parametrize("other", [{"kind": "own"}, {"stand_in": True}, {"n_images": 59_999}, {"part": "validation"}])
def test_targets_are_for_the_genuine_data_set(other):
    report = genuine("mnist", held_out={"accuracy": 0.1})
    report["conditions"] |= other
    assert "Nothing was checked" in check_claims(preset("mnist", "paper"), report)


def test_a_number_above_its_limit_or_not_measured_is_no_target_reached():
    config, score = preset("svhn", "quick"), {"score": {"share": 0.75}}
    report = genuine("svhn", codes={"c1": {"mi": 2.2}})

    def reached(quality):
        return {path: (value, reached) for path, _, value, reached in targets_of(config, report | {"quality": quality})}

    found = reached({"ratio": 5.0, **score})
    assert found == {
        "codes.c1.mi": (2.2, True),
        "quality.score.share": (0.75, True),
        "quality.ratio": (5.0, True),
    }
    assert reached({"ratio": 20.1, **score})["quality.ratio"] == (20.1, False)
    assert reached({"score": {"share": 0.74}})["quality.score.share"] == (0.74, False)
    assert reached({"ratio": float("nan")})["quality.ratio"][1] is False
    for quality in (score, {"ratio": {}, **score}, 3.0):  # a path through a number, too
        assert reached(quality)["quality.ratio"] == (None, False)
        assert "not measured (quality.ratio)" in check_claims(config, report | {"quality": quality})


def test_a_profile_without_targets_says_so():
    assert check_claims(preset("mnist", "smoke"), genuine("mnist")) == "MNIST, profile smoke: no targets to check."


def test_a_config_of_ones_own_has_no_targets():
    config = preset("mnist", "smoke").replace(profile="mine")
    assert "no targets" in about(config)
    assert "no targets" in check_claims(config, genuine("mnist"))

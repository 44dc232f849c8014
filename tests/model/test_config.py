"""Config and presets: what is accepted, what is refused in one line, and what survives JSON."""

import json

import pytest

from infogan_core import PRESETS, Categorical, Config, LatentSpec, Uniform, about, check_claims, preset
from infogan_core.model.config import LATER


@pytest.mark.parametrize(("dataset", "profile"), [(d, p) for d in PRESETS for p in PRESETS[d]])
def test_a_preset_survives_json(dataset, profile):
    config = preset(dataset, profile, seed=3)
    assert Config.from_json(config.to_json()) == config


def test_unusual_codes_survive_json():
    config = Config(latents=LatentSpec(5, (Uniform(None), Categorical(3)), "normal"), lambda_info=(0.1, 1))
    assert Config.from_json(config.to_json()) == config


@pytest.mark.parametrize(("dataset", "noise", "width"), [("svhn", 124, 168), ("celeba", 128, 228)])
def test_paper_has_the_codes_of_appendix_c_and_none_of_what_helps(dataset, noise, width):
    c = preset(dataset, "paper")
    assert (c.latents.noise_dim, c.latents.width, c.image_size, c.channels) == (noise, width, 32, 3)
    assert (c.lr_d, c.lr_g, c.slope, c.width, set(c.lambda_info)) == (2e-4, 1e-3, 0.1, 1, {1.0})
    assert not any((c.norm_every, c.lr_decay, c.lambda_real, c.shift, c.warp, c.color, c.flip, c.ema))
    assert {code.sigma for code in c.latents.codes if isinstance(code, Uniform)} <= {1.0}
    quick = preset(dataset, "quick").latents.codes
    assert [(type(code), code.width) for code in c.latents.codes] == [(type(code), code.width) for code in quick]


def test_a_config_of_an_earlier_version_lacks_what_was_off():
    values = json.loads(preset("mnist").to_json())
    for name in LATER - {"info_trains_g", "objective"}:
        assert not values.pop(name) or name == "augment_share"
    assert Config.from_json(json.dumps(values)) == preset("mnist")
    del values["ema"]
    with pytest.raises(ValueError, match="ema"):
        Config.from_json(json.dumps(values))


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


def test_a_preset_says_what_it_costs_and_reaches():
    for presets in PRESETS.values():
        for profile, p in presets.items():
            assert p.config.profile == profile
            assert all(part in about(p.config) for part in (p.command, p.cost, *p.expect, *p.at_most))


def test_a_broken_promise_is_an_error():
    config = preset("mnist", "quick")
    report = {"conditions": {"data": "MNIST (5,000 digits)"}, "held_out": {"accuracy": 0.8}}
    assert check_claims(config, report) == "mnist/quick: 1 of 1 promises hold"
    assert check_claims(config, {"conditions": {"data": "own images"}}).endswith("of own images: not checked")
    with pytest.raises(AssertionError, match=r"mnist/quick promises held_out.accuracy of 0.8 or more, found 0.79"):
        check_claims(config, report | {"held_out": {"accuracy": 0.79}})


def test_pictures_farther_from_real_ones_or_less_clear_than_promised_are_an_error():
    config, score = preset("svhn", "quick"), {"score": {"share": 0.75}}
    report = {"conditions": {"data": "SVHN (10,000 digits, from x.mat)"}, "codes": {"c1": {"mi": 2.2}}}
    check_claims(config, report | {"quality": {"ratio": 20.0, **score}})
    check_claims(config, {"conditions": {"data": "rendered house numbers"}})
    with pytest.raises(AssertionError, match=r"svhn/quick promises quality.ratio of 20.0 or less, found 20.1"):
        check_claims(config, report | {"quality": {"ratio": 20.1, **score}})
    with pytest.raises(AssertionError, match=r"svhn/quick promises quality.score.share of 0.75 or more, found 0.74"):
        check_claims(config, report | {"quality": {"ratio": 20.0, "score": {"share": 0.74}}})
    with pytest.raises(AssertionError, match=r"promises quality.ratio of 20.0 or less, and it was not measured"):
        check_claims(config, report | {"quality": score})


def test_one_lambda_serves_all_codes():
    assert preset("mnist", lambda_info=0.5).lambda_info == (0.5, 0.5, 0.5)
    assert preset("mnist", latents=LatentSpec(62, (Categorical(5),)), profile="paper").lambda_info == (1.0,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: preset("mnsit"), "unknown preset 'mnsit': did you mean 'mnist'?"),
        (lambda: preset("mnist", "quik"), "unknown profile of mnist 'quik': did you mean 'quick'?"),
        (lambda: preset("mnist", step=5), "unknown Config field 'step': did you mean 'steps'?"),
        (lambda: preset("mnist", steps="5"), "Config.steps must be of type int, found '5'"),
        (lambda: preset("mnist", seed=True), "Config.seed must be of type int, found True"),
        (lambda: preset("mnist", lr_g="fast"), "Config.lr_g must be a finite number, found 'fast'"),
        (lambda: preset("mnist", lr_g=float("nan")), "Config.lr_g must be a finite number, found nan"),
        (lambda: preset("mnist", batch=1), "Config.batch must lie in 2..65536, found 1"),
        (lambda: preset("mnist", lambda_info=(1, 2)), "Config.lambda_info has 2 values for 3 codes: give 3, or 1"),
        (lambda: preset("mnist", precision="fp8"), "Config.precision must be one of"),
        (lambda: preset("mnist", image_size=48), "no network for pictures of 48x48"),
        (lambda: preset("mnist", crop=(1.5, 2, 3)), "Config.crop must hold whole numbers, found (1.5, 2, 3)"),
        (lambda: Config.from_json("{"), "not a config of this version"),
        (lambda: Config.from_json(json.dumps({"seed": 0})), "not a config of this version"),
    ],
)
def test_what_does_not_exist_or_fit_is_refused_in_one_line(make, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the message is compared below)
        make()
    assert message in str(error.value)
    assert "\n" not in str(error.value)

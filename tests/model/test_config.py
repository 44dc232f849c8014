"""Config: what is accepted, what is refused in one line, and what survives JSON."""

import dataclasses
import json
import re

import numpy as np
import pytest

from infogan_core import PRESETS, Categorical, Config, LatentSpec, Uniform, preset
from infogan_core.files import PUBLISHED
from infogan_core.model.config import OLD_NAMES


@pytest.mark.parametrize(("dataset", "profile"), [(d, p) for d in PRESETS for p in PRESETS[d]])
def test_a_preset_survives_json(dataset, profile):
    config = preset(dataset, profile, seed=3)
    assert Config.from_json(config.to_json()) == config


def test_unusual_codes_survive_json():
    config = Config(latents=LatentSpec(5, (Uniform(None), Categorical(3)), "normal"), lambda_info=(0.1, 1))
    assert Config.from_json(config.to_json()) == config


def test_what_an_earlier_version_did_not_know_gets_the_default():
    values = json.loads(preset("mnist").to_json())
    for name in ("threads", "r1", "augment_share"):
        del values[name]
    assert Config.from_json(json.dumps(values)) == preset("mnist")


def test_a_field_of_another_version_is_refused_by_name():
    values = json.loads(preset("mnist").to_json()) | {"finish": 0}
    with pytest.raises(ValueError, match="finish"):
        Config.from_json(json.dumps(values))


@pytest.mark.parametrize("file", sorted(PUBLISHED.glob("*/**/config.json")), ids=lambda file: str(file.parent.name))
def test_a_published_config_loads_with_its_old_names(file):
    values, config = json.loads(file.read_text()), Config.from_json(file.read_text())
    for old, new in OLD_NAMES.items():
        assert getattr(config, new) == values.get(old, values.get(new, getattr(Config(), new)))


def test_help_explains_every_field():
    explained = set(re.findall(r"\b\w+\b", Config.__doc__))
    assert {field.name for field in dataclasses.fields(Config)} <= explained


def test_one_lambda_serves_all_codes():
    assert preset("mnist", lambda_info=0.5).lambda_info == (0.5, 0.5, 0.5)
    assert preset("mnist", latents=LatentSpec(62, (Categorical(5),)), profile="paper").lambda_info == (1.0,)


def of_json(**latents):
    values = json.loads(preset("mnist").to_json())
    return Config.from_json(json.dumps(values | {"latents": values["latents"] | latents}))


def test_numbers_of_numpy_serve_and_survive_json():
    config = preset("mnist", seed=np.int64(3), flip=np.bool_(True), lr_g=np.float32(0.5), width=np.float64(0.5))
    assert (config.seed, config.flip, config.lr_g, config.width) == (3, True, 0.5, 0.5)
    assert Config.from_json(config.to_json()) == config


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
        (lambda: preset("mnist", lambda_info=(1, 2)), "Config.lambda_info has 2 values for 3 codes: give 3, or one"),
        (lambda: preset("mnist", precision="fp8"), "Config.precision must be one of"),
        (lambda: preset("mnist", image_size=48), "no network for pictures of 48x48"),
        (lambda: preset("mnist", crop=(1.5, 2, 3)), "Config.crop must hold whole numbers, found (1.5, 2, 3)"),
        (lambda: preset("mnist", crop=(1, 2)), "Config.crop must be (x, y, side)"),
        (lambda: preset("mnist", lambda_info=(1, -1, 1)), "Config.lambda_info must be 0 or more"),
        (lambda: preset("mnist", lambda_info=-1), "Config.lambda_info must be 0 or more"),
        (lambda: preset("mnist", lr_g=10**400), "Config.lr_g must be a finite number"),
        (lambda: preset("mnist", width=100), "Config.width must lie in"),
        (lambda: preset("mnist", batch=10**9), "Config.batch must lie in"),
        (lambda: preset("mnist", flip=np.int64(1)), "Config.flip must be of type bool"),
        (lambda: of_json(noise_dim=10**8), "noise_dim"),
        (lambda: of_json(codes=[{"Categorical": {"k": 10**8}}]), "20000"),
        (lambda: Config.from_json("[" * 10**5), "not a config of this version: RecursionError"),
        (lambda: Config.from_json("{"), "not a config of this version"),
        (lambda: Config.from_json(json.dumps({"seed": 0})), "not a config of this version"),
    ],
)
def test_what_does_not_exist_or_fit_is_refused_in_one_line(make, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the message is compared below)
        make()
    assert message in str(error.value)
    assert "\n" not in str(error.value)

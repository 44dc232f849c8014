"""The open choices: one thing is changed by each profile, and every answer has its profile."""

import dataclasses

import pytest

import infogan_core as ig
from infogan_core.recipes.choices import QUESTIONS

PROFILES = list(dict.fromkeys(p for answers in QUESTIONS.values() for p in answers.values()))


@pytest.mark.parametrize("profile", [p for p in PROFILES if p not in ("open", "open-openai")])
def test_a_profile_changes_one_thing(profile):
    base, config = (dataclasses.asdict(ig.preset("mnist", p)) for p in ("open", profile))
    assert {key for key in base if base[key] != config[key]} - {"profile"} in [
        {key} for key in ("latents", "lambda_info", "info_trains_trunk", "slope", "norm_after", "ema")
    ]
    assert config["profile"] == profile


def test_every_question_starts_from_the_same_run_and_asks_for_another():
    for answers in QUESTIONS.values():
        assert next(iter(answers.values())) == "open"
        assert len(set(answers.values())) == len(answers) > 1

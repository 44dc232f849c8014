"""The ablations: every answer changes one thing, and has a label of its own."""

import dataclasses

import pytest

import infogan_core as ig
from infogan_core.studies.ablations import ABLATIONS, BASE, CONFIGS, INFOGAN, PLAIN_GAN


def differences(a, b):
    a, b = dataclasses.asdict(a), dataclasses.asdict(b)
    return {key for key in a if a[key] != b[key]} - {"profile"}


@pytest.mark.parametrize(
    "config", [c for c in CONFIGS if c.profile not in ("open", "open-openai")], ids=lambda c: c.profile
)
def test_an_answer_changes_one_thing(config):
    assert len(differences(BASE, config)) == 1


def test_every_question_starts_from_the_same_config_and_asks_for_others():
    for answers in ABLATIONS.values():
        first, *others = answers.values()
        assert first == BASE
        assert BASE not in others


def test_every_answer_has_a_label_of_its_own():
    """Runs are found by it, on disk and in the study's file."""
    different = {config.to_json() for answers in ABLATIONS.values() for config in answers.values()}
    assert len({config.profile for config in CONFIGS}) == len(CONFIGS) == len(different)


def test_the_sides_of_figure_1_differ_in_who_is_paid_for_information():
    assert differences(INFOGAN, PLAIN_GAN) == {"info_trains_trunk", "info_trains_g"}
    assert differences(INFOGAN, ig.preset("mnist", "openai")) == {"steps", "log_every"}

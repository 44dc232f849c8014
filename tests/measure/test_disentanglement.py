"""The six scores on cases that can be worked out by hand: three independent factors of two values, -1 and 1."""

import dataclasses

import numpy as np
import pytest
import torch

import infogan_core as ig
from infogan_core.measure.disentanglement import _indices, measure, scores

N = 4000
FACTORS = np.random.default_rng(0).integers(0, 2, (N, 3))
SIGNS = FACTORS * 2.0 - 1


def test_codes_that_are_the_factors_reach_the_maximum():
    found = scores(SIGNS.T, FACTORS)
    assert found.pop("sap") == pytest.approx(0.5, abs=0.04)  # right always, and the second code half of the time
    assert found == pytest.approx(dict.fromkeys(found, 1.0), abs=0.01)


def test_order_sign_and_scale_of_the_codes_do_not_matter():
    assert scores((SIGNS[:, [2, 0, 1]] * [-3, 2, 0.5]).T, FACTORS) == pytest.approx(scores(SIGNS.T, FACTORS), abs=0.02)


def test_codes_that_know_nothing_reach_about_nothing():
    found = scores(np.random.default_rng(1).normal(size=(3, N)), FACTORS)
    assert found.pop("factor_vae") == pytest.approx(1 / 3, abs=0.05)  # the majority of a vote among three
    assert found.pop("modularity") < 0.6  # of the noise in three estimates of 0 nats one is the largest
    assert found == pytest.approx(dict.fromkeys(found, 0.0), abs=0.05)


def test_a_pair_turned_by_45_degrees_lies_between():
    """c1 and c2 are the sum and the difference of two factors, over root 2; c3 is the third factor."""
    turned = np.stack([SIGNS[:, 0] + SIGNS[:, 1], SIGNS[:, 0] - SIGNS[:, 1], SIGNS[:, 2] * np.sqrt(2)], axis=1)
    found = scores(turned.T / np.sqrt(2), FACTORS)
    assert found == pytest.approx(
        {
            "factor_vae": 2 / 3,  # the third factor always, the others half of the time
            "mig": 1 / 3,  # a gap of 0 for the pair: either code holds half of ln 2 of either factor
            "dci": (1 + 2 * (1 - np.log(2) / np.log(3))) / 3,
            "sap": 0.5 / 3,  # 3/4 right from either code of the pair
            "modularity": 2 / 3,  # half for each code of the pair
            "explicitness": 1.0,  # the sum of the pair is a factor again
        },
        abs=0.04,
    )


@pytest.mark.parametrize("categories", [2, 5])
def test_a_category_is_one_code_however_many_values_it_has(categories):
    """Codes that are their factors reach the maximum: SAP's is 1 less what guessing gets right."""
    factors = np.random.default_rng(0).integers(0, categories, (N, 2))
    found = scores([np.eye(categories)[f] for f in factors.T], factors)
    assert found.pop("sap") == pytest.approx(1 - 1 / categories, abs=0.04)
    assert found == pytest.approx(dict.fromkeys(found, 1.0), abs=0.02)


def test_explicitness_counts_factors_alike_however_many_values_they_have():
    """One of two values that is known and one of ten that nothing tells: half."""
    factors = np.stack([FACTORS[:, 0], np.random.default_rng(4).integers(0, 10, N)], axis=1)
    assert scores([SIGNS[:, 0]], factors)["explicitness"] == pytest.approx(0.5, abs=0.03)


def test_one_factor_is_told_apart_from_no_other():
    assert scores(SIGNS[:, :1].T, FACTORS[:, :1])["dci"] == 1


def test_a_code_that_does_nothing_is_left_out_of_the_factor_vae_score():
    dead = np.column_stack([SIGNS, np.random.default_rng(2).normal(scale=1e-3, size=N)])
    assert scores(dead.T, FACTORS)["factor_vae"] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (SIGNS.T, FACTORS * [1, 1, 0], r"factor 2 needs two values or more, .* shown by \[4000\] pictures"),
        (
            SIGNS.T,
            FACTORS * (np.arange(N) < 9)[:, None],
            r"factor 0 needs .* each in 10 pictures or more; .* shown by \[\d+, [1-9]\] pictures",
        ),
        (SIGNS.T * 0, FACTORS, "no code varies"),
    ],
)
def test_what_cannot_be_scored_is_refused(codes, factors, message):
    with pytest.raises(ValueError, match=message):
        scores(codes, factors)


class Reader:
    """A run whose Q reads the first two factors of a picture off its first two pixels, one of them as a category."""

    config = ig.Config(latents=ig.LatentSpec(1, (ig.Uniform(), ig.Categorical(2))))

    def infer(self, x):
        mean, second = x[:, 0, 0, 0] * 2 - 1, x[:, 0, 0, 1]
        return [(mean, torch.ones_like(mean)), torch.stack([1 - second, second], dim=1)]


def known(factors):
    pixels = torch.zeros(len(factors), 1, 28, 28, dtype=torch.uint8)
    pixels[:, 0, 0, :2] = torch.from_numpy(255 * factors[:, :2]).to(torch.uint8)
    shown = ig.ImageSet(
        pixels, None, "known", None, torch.from_numpy(factors).float(), tuple("abc"[: factors.shape[1]])
    )
    return dataclasses.replace(shown, held_out=shown)


def test_a_run_is_measured_by_what_it_reads_in_held_out_pictures():
    found = measure(Reader(), known(FACTORS[:, :2]))
    assert found["factor_vae"] == found["explicitness"] == pytest.approx(1, abs=0.01)
    assert found["mig"] == pytest.approx(1, abs=0.02)


def test_a_factor_of_many_values_is_cut_into_tenths():
    many = np.column_stack([FACTORS[:, 0], np.random.default_rng(3).random(N)])
    assert 0 < measure(Reader(), known(many))["explicitness"] < 1
    assert np.bincount(_indices(torch.from_numpy(many[:, 1]))).tolist() == pytest.approx([400] * 10, abs=1)


def test_pictures_without_factors_are_refused(digits):
    with pytest.raises(ValueError, match=r"MNIST .*: disentanglement is measured on held-out pictures with known"):
        measure(Reader(), digits)

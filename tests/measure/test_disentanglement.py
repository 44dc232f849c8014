"""The scores on closed cases, beside what the authors' own code gives of the same codes, and on cases of our own."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import infogan_core as ig
from infogan_core.measure import disentanglement
from infogan_core.measure.disentanglement import _indices, bounds, factor_vae, measure, model_centrality, scores
from infogan_core.model.latents import LatentSpec, Uniform

N = 4000
DRAW = np.random.RandomState(0)  # its stream never changes, so the references' values stay those of these codes
MANY = np.stack([DRAW.randint(k, size=N) for k in (2, 4, 5)], axis=1)
VALUES = (MANY - MANY.mean(axis=0)) / MANY.std(axis=0)
ERROR = DRAW.normal(size=(N, 3))
SUM, DIFFERENCE = VALUES[:, 1] + VALUES[:, 2], VALUES[:, 1] - VALUES[:, 2]
CASES = {
    "perfect": VALUES,
    "random": ERROR,
    "rotated by 45 degrees": np.stack([VALUES[:, 0], SUM / np.sqrt(2), DIFFERENCE / np.sqrt(2)], axis=1),
    "monotone, nonlinear, with noise": np.exp(VALUES + 0.3 * ERROR),
}
# What the authors' own code gives of CASES: disentanglement_lib of a split in halves, InfoGAN-CR (Lasso and SAP, the
# first factor a class) of all, and 1 less the square of qedr's nrmse (the Lasso's informativeness), all on scikit-learn
# 1.9. None: not a number there, as where no coefficient is left; or a chance coefficient's.
REFERENCES = {
    "factor_vae": (1.000, 0.334, 0.666, 0.983),
    "mig": (0.999, 0.001, 0.333, 0.753),
    "dci_trees_disentanglement": (1.000, 0.001, 0.579, 0.883),
    "dci_trees_completeness": (1.000, 0.005, 0.580, 0.883),
    "dci_trees_informativeness": (1.000, 0.314, 1.000, 0.887),
    "dci_lasso_disentanglement": (1.000, None, 0.535, 1.000),
    "dci_lasso_completeness": (1.000, 0.781, 0.579, 1.000),
    "dci_lasso_informativeness": (1.000, -0.001, 0.999, 0.740),
    "sap": (0.621, 0.004, 0.173, 0.459),
    "sap_correlation": (0.831, 0.001, 0.176, 0.644),
    "modularity": (1.000, 0.670, 0.769, 1.000),
    "explicitness": (1.000, 0.508, 1.000, 0.983),
}
FACTORS = np.random.default_rng(0).integers(0, 2, (N, 3))
SIGNS = FACTORS * 2.0 - 1


@pytest.fixture
def without_trees(monkeypatch):
    """The score that takes time is left out."""
    monkeypatch.setattr(disentanglement, "trees", lambda *_: {})


@pytest.mark.parametrize(("column", "case"), list(enumerate(CASES)), ids=list(CASES))
def test_closed_cases_score_as_with_the_authors_own_code(column, case):
    found = scores(list(CASES[case].T), MANY, classes=(0,))
    known = {name: values[column] for name, values in REFERENCES.items() if values[column] is not None}
    assert {name: found[name] for name in known} == pytest.approx(known, abs=0.02)
    assert found.keys() == REFERENCES.keys()


def test_order_sign_and_scale_of_the_codes_do_not_matter(without_trees):
    """But to SAP: its classifier is as the library has it, and that depends on the scale."""
    found, same = scores(list(SIGNS[:, [2, 0, 1]].T * [[-3], [2], [0.5]]), FACTORS), scores(list(SIGNS.T), FACTORS)
    assert found == pytest.approx(same | {"sap": found["sap"]}, abs=0.02)


def test_a_category_is_one_code_however_many_values_it_has():
    """Codes that are their factors reach the maximum: SAP's is 1 less what guessing gets right."""
    factors = np.random.default_rng(0).integers(0, 3, (N, 2))
    found = scores([np.eye(3)[f] for f in factors.T], factors)
    assert found.pop("sap") == pytest.approx(1 - 1 / 3, abs=0.04)
    assert found.pop("dci_lasso_informativeness") > 0.98  # a penalty on the coefficients costs a little
    assert found == pytest.approx(dict.fromkeys(found, 1.0), abs=0.02)


def test_explicitness_counts_factors_alike_however_many_values_they_have(without_trees):
    """One of two values that is known, 1, and one of ten that nothing tells, 0.5."""
    factors = np.stack([FACTORS[:, 0], np.random.default_rng(4).integers(0, 10, N)], axis=1)
    assert scores([SIGNS[:, 0]], factors)["explicitness"] == pytest.approx(0.75, abs=0.02)


def test_one_factor_is_told_apart_from_no_other():
    found = scores(SIGNS[:, :1].T, FACTORS[:, :1])
    assert found["dci_trees_disentanglement"] == found["dci_lasso_disentanglement"] == 1


def test_a_code_that_does_nothing_is_left_out_of_the_factor_vae_score():
    dead = np.column_stack([SIGNS, np.random.default_rng(2).normal(scale=1e-3, size=N)])
    assert factor_vae([code[:, None] for code in dead.T], FACTORS, seed=0) == pytest.approx(1, abs=0.01)


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


def test_a_factor_of_many_values_is_cut_into_tenths(without_trees):
    many = np.column_stack([FACTORS[:, 0], np.random.default_rng(3).random(N)])
    assert 0.5 < measure(Reader(), known(many))["explicitness"] < 1
    assert np.bincount(_indices(torch.from_numpy(many[:, 1]))).tolist() == pytest.approx([400] * 10, abs=1)


def test_noise_on_the_factors_is_the_ceiling_and_random_codes_are_the_floor(without_trees):
    found = bounds(known(FACTORS[:, :2]))
    assert found["ceiling"]["mig"] > 0.9 > 0.1 > found["floor"]["mig"]
    assert found["ceiling"].keys() == found["floor"].keys()


def test_a_factor_that_is_the_label_is_a_class(monkeypatch):
    """Classes have no order: no code is asked to grow with them."""
    images, asked = known(FACTORS[:, :2]), []
    monkeypatch.setattr(disentanglement, "scores", lambda codes, factors, classes, seed: asked.append(list(classes)))
    for labels in (None, torch.from_numpy(FACTORS[:, 1])):
        measure(Reader(), dataclasses.replace(images, held_out=dataclasses.replace(images.held_out, labels=labels)))
    assert asked == [[], [1]]


def test_pictures_without_factors_are_refused(digits):
    with pytest.raises(ValueError, match=r"MNIST .*: disentanglement is measured on held-out pictures with known"):
        measure(Reader(), digits)


class Turned:
    """A run of three continuous codes whose picture is the codes, turned."""

    config = SimpleNamespace(latents=LatentSpec(1, (Uniform(0.5),) * 3))

    def __init__(self, turn):
        self.turn = torch.tensor(turn, dtype=torch.float32)

    def generate(self, noise, codes):
        return torch.stack(codes, dim=1) @ self.turn.T

    def infer(self, x):
        return [(mean, torch.ones_like(mean)) for mean in (x @ self.turn).T]


def test_model_centrality_prefers_runs_that_others_agree_with():
    """Swapped codes are the same codes; of three codes of which two are mixed one is told: 2 in 3 votes are right."""
    half = 0.5**0.5
    same, swapped = Turned(np.eye(3)), Turned(np.eye(3)[[1, 0, 2]])
    mixed = Turned([[half, half, 0], [-half, half, 0], [0, 0, 1]])
    assert model_centrality([same, swapped, mixed]) == pytest.approx([5 / 6, 5 / 6, 2 / 3], abs=0.02)
    with pytest.raises(ValueError, match="give two or more, found 1"):
        model_centrality([same])


def test_model_centrality_counts_both_ways():
    """A Q that reads one code of three gets a third of the votes; its pictures are read well by the other's Q."""
    same, deaf = Turned(np.eye(3)), Turned(np.eye(3))
    deaf.infer = lambda x: [(mean * (k == 0), torch.ones_like(mean)) for k, mean in enumerate(x.T)]
    assert model_centrality([same, deaf]) == pytest.approx([2 / 3, 2 / 3], abs=0.02)

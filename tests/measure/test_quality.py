"""quality.py: distances with a closed form, and sets that are the same or apart."""

from types import SimpleNamespace

import pytest
import torch
from torch import tensor
from torch.nn.functional import one_hot

from infogan_core.measure import quality
from infogan_core.measure.classifier import Classifier, ClassifierNet, Head


def normal(n, f=4, mean=0.0, std=1.0, seed=0):
    return torch.randn(n, f, generator=torch.Generator().manual_seed(seed)) * std + mean


def test_frechet_of_known_gaussians():
    """N(0, 1) and N(m, s^2) in F independent dimensions: F (m^2 + (1 - s)^2)."""
    distance = quality.frechet(normal(20_000), normal(20_000, mean=0.5, std=1.5, seed=1))
    assert distance == pytest.approx(4 * (0.25 + 0.25), rel=0.05)


def test_frechet_of_the_same_and_of_a_shifted_set():
    """0 for the same set, though its covariance is singular; |m|^2 for the set moved by m, exactly."""
    x = normal(500)
    x = torch.cat([x, x[:, :1]], dim=1)
    assert quality.frechet(x, x) == pytest.approx(0, abs=1e-6)
    assert quality.frechet(x + 2, x) == pytest.approx(5 * 4, rel=1e-5)


def test_kernel_distance_is_unbiased(monkeypatch):
    """Halves of one set: 0 within its error, below 0 as often as above; the same seed, the same number."""
    monkeypatch.setattr(quality, "SUBSET_SIZE", 200)
    found = [quality.kernel_distance(normal(1000, seed=2 * s), normal(1000, seed=2 * s + 1)) for s in range(12)]
    assert {mean > 0 for mean, _ in found} == {True, False}
    assert abs(sum(mean for mean, _ in found) / 12) < 3 * found[0][1] / 12**0.5
    state = torch.get_rng_state()
    assert quality.kernel_distance(normal(1000), normal(1000, seed=1)) == found[0]
    assert torch.equal(torch.get_rng_state(), state)


def test_kernel_distance_sees_a_shift():
    """MMD^2 of points at a and b, as often as one likes: k(a, a) + k(b, b) - 2 k(a, b), with k = (x.y / F + 1)^3."""
    a, b = torch.ones(50, 2), torch.zeros(50, 2)
    assert quality.kernel_distance(a, b) == (pytest.approx(8 + 1 - 2), pytest.approx(0))


def test_precision_and_recall():
    """The same set: 1 and 1. Apart: 0 and 0. A tight set within a wide one: all precise, little recalled."""
    x = normal(400)
    assert quality.precision_recall(x, x) == (1, 1)
    assert quality.precision_recall(x, x + 100) == (0, 0)
    precision, recall = quality.precision_recall(normal(400, std=0.1, seed=1), x)
    assert precision > 0.95
    assert recall < 0.2


def test_a_manifold_reaches_to_the_third_neighbour():
    """Ten points a step apart on a line: the balls about the first and the last end three steps outside."""
    line, outside = torch.arange(10.0)[:, None], tensor([[-2.9], [-3.1], [11.9], [12.1]])
    points = outside.repeat(3, 1)[:10]
    near = (points > -3) & (points < 12)
    assert quality.precision_recall(points, line)[0] == pytest.approx(near.double().mean().item()) == 0.5
    assert quality.precision_recall(line, points)[1] == 0.5


def test_only_the_cpus_generator_is_seeded(monkeypatch):
    """torch.manual_seed would seed the GPU's, too, and nothing would put it back."""
    a, b, seeds = normal(20), normal(20, seed=1), []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeds.append)
    quality.kernel_distance(a, b)
    assert seeds == []


def test_classifier_score():
    """Sure and all classes alike: K. The same for all pictures, or never sure: 1."""
    assert quality.classifier_score(one_hot(torch.arange(70) % 7).float()) == pytest.approx(7)
    assert quality.classifier_score(tensor([[0.0, 1.0]]).expand(9, 2)) == pytest.approx(1)
    assert quality.classifier_score(torch.full((9, 5), 0.2)) == pytest.approx(1)


def test_shuffled_sets_are_of_one_distribution():
    """However far apart they were: about F (F + 5) / 4 (1/n + 1/m) for Gaussians of unit covariance."""
    a, b = normal(2000), normal(1000, seed=1)
    expected = 4 * (4 + 5) / 4 * (1 / 2000 + 1 / 1000)
    assert quality.shuffled(a, b) == pytest.approx(expected, rel=0.4)
    assert quality.shuffled(a, b + 3) < 0.02 * quality.frechet(a, b + 3)


def blind(*heads):
    """A classifier that nobody trained."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Classifier(ClassifierNet(sum(len(h.values) for h in heads)), heads, {})


def measured(classifier, generated, train, held_out):
    sets = {"generated": generated, "train": train, "held_out": held_out}
    features = {name: h for name, h in sets.items() if h is not None}
    return quality.quality(SimpleNamespace(classifier=classifier, features=features, seed=0))["quality"]


DIGIT = Head("digit", tuple("0123456789"), tuple(i + 0.5 for i in range(9)))


def test_quality_of_real_pictures_is_that_of_real_pictures(monkeypatch):
    """Generated = training set: the ratio is about 1, the excess 0; n's are told; the same again."""
    monkeypatch.setattr(quality, "SUBSETS", 4)
    monkeypatch.setattr(quality, "RATIO_PICTURES", 100)
    train, held_out = normal(300, 96), normal(100, 96, seed=1)
    report = measured(blind(DIGIT), torch.cat([train, train[:50]]), train, held_out)
    assert report["n"] == {"generated": 350, "train": 300, "held_out": 100}
    assert report["ratio_n"] == 100
    assert report["ratio"] == pytest.approx(1, abs=0.05)
    assert report["excess"] == pytest.approx(0, abs=0.05 * report["real"]["frechet"])
    assert report["train"]["precision"] == 1
    assert report["real"]["frechet_shuffled"] == pytest.approx(report["real"]["frechet"], rel=0.2)
    assert report["score"].keys() == {"generated", "train", "held_out", "share"}
    assert measured(blind(DIGIT), torch.cat([train, train[:50]]), train, held_out) == report


def sets(n, shift):
    """Gaussian features of three draws of as many, of which the generated ones lie `shift` off in each of four."""
    draws = {"generated": (shift, 0), "train": (0, 1), "held_out": (0, 2)}
    return {name: normal(n, mean=mean, seed=seed) for name, (mean, seed) in draws.items()}


@pytest.mark.parametrize("n", [2_000, 8_000])
def test_ratio_and_excess_do_not_depend_on_how_many_pictures_there_are(n):
    """The excess is the true distance, 4 shift^2; chance makes F (F + 5) / 4 (1/2,000 + 1/2,000) of F = 4 features."""
    found, chance = quality.against_real(sets(n, 0.5)), 4 * (4 + 5) / 4 / 1000
    assert found["ratio_n"] == 2000
    assert found["excess"] == pytest.approx(4 * 0.25, rel=0.1)
    assert found["ratio"] == pytest.approx(found["excess"] / chance + 1, rel=0.5)


@pytest.mark.parametrize("few", ["generated", "train", "held_out"])
def test_with_fewer_pictures_there_is_a_reason_and_no_ratio(few):
    found = quality.against_real({name: torch.zeros(1999 if name == few else 2000, 4) for name in sets(1, 0)})
    assert found.keys() == {"no_ratio"}
    assert f"1,999 {few}" in found["no_ratio"]


def test_what_is_missing_is_not_claimed(monkeypatch):
    """Without held-out pictures no ratio; without a label no classifier score."""
    monkeypatch.setattr(quality, "SUBSETS", 4)
    x = normal(50, 96)
    assert measured(blind(DIGIT), x, x, None).keys() == {"n", "train", "score"}
    smile = Head("Smiling", ("no", "yes"), (0.5,))
    assert "score" not in measured(blind(smile), x, x, x)


def test_standard_fid_is_of_generated_and_held_out_pictures(monkeypatch):
    """All of them, as RGB; here the metric says how many it saw."""
    from torchmetrics.image import fid

    class Metric:
        def __init__(self, features):
            self.n = {True: 0, False: 0}

        def update(self, x, real):
            assert (x.dtype, x.shape[1]) == (torch.uint8, 3)
            self.n[real] += len(x)

        def compute(self):
            return tensor(self.n[False] + self.n[True] / 1000)

    monkeypatch.setattr(fid, "FrechetInceptionDistance", Metric)
    real = {"train": (None, None), "held_out": (torch.zeros(60, 1, 28, 28, dtype=torch.uint8), None)}
    context = SimpleNamespace(inception=True, generated=([], torch.zeros(70, 1, 28, 28)), real=real)
    found = quality.inception(context)["conditions"]["inception"]
    assert found == {"frechet": pytest.approx(70.06), "n": [70, 60]}


def test_standard_fid_says_what_it_needs(monkeypatch):
    """Without torch-fidelity, which no requirement brings, one line tells how to get it."""
    from torchmetrics.image import fid

    monkeypatch.setattr(fid, "_TORCH_FIDELITY_AVAILABLE", False)
    with pytest.raises(RuntimeError, match="pip install torch-fidelity") as error:
        quality.inception(SimpleNamespace(inception=True))
    assert "\n" not in str(error.value)

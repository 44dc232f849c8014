"""metrics.py: every number against a case whose answer is known in closed form."""

from __future__ import annotations

import json
import math

import pytest
import torch
from torch import tensor
from torch.nn.functional import one_hot

from fake_run import FakeRun, bars, blind, leaning, note, perfect
from infogan_core.data.images import ImageSet
from infogan_core.measure import classifier, code_effects, evaluate, labels, quality, train_classifier
from infogan_core.model.latents import Categorical, Uniform
from pictures import refused

GAUSS = 0.5 * math.log(2 * math.pi)


def digits(labels=True, held_out=True, off=0) -> ImageSet:
    """40 pictures whose brightness says their digit, as `perfect` reads it; held-out labels are `off` by so many."""
    y = torch.arange(40) % 10
    x = (25.5 * y).round().to(torch.uint8)[:, None, None, None].expand(-1, 1, 28, 28).clone()
    other = ImageSet(x, (y + off) % 10 if labels else None, "others") if held_out else None
    return ImageSet(x, y if labels else None, "digits", other)


def information(run, n, seed):
    return evaluate.bounds(run, *evaluate.fakes(run, n, seed))


@pytest.fixture
def few(monkeypatch):
    """Two sweeps per category are enough to test."""
    monkeypatch.setattr(code_effects, "NOISES", 2)


def test_uninformed_q_tells_nothing():
    """Uniform logits give E[log 1/K] + ln K = 0 nats, the same for every sample: no standard error."""
    c1 = information(FakeRun(note, blind), 100, seed=0)["c1"]
    assert (c1["mi"], c1["mi_stderr"]) == pytest.approx((0, 0), abs=1e-6)


def test_perfect_q_tells_ln_k():
    c1 = information(FakeRun(note, perfect), 100, seed=0)["c1"]
    assert (c1["mi"], c1["ceiling"]) == pytest.approx((math.log(10), math.log(10)), abs=1e-6)


@pytest.mark.parametrize("sigma", [1.0, 0.25])
def test_exact_mean_reaches_the_gaussian_ceiling(sigma):
    """Without error L_I = ln 2 - ln sigma - ln(2 pi) / 2, -0.226 nats for sigma 1, and R^2 is 1."""
    c2 = information(FakeRun(note, perfect, (Categorical(10), Uniform(sigma), Uniform(sigma))), 100, seed=0)["c2"]
    bound = math.log(2) - math.log(sigma) - GAUSS
    assert (c2["mi"], c2["ceiling"], c2["r2"]) == pytest.approx((bound, bound, 1), abs=1e-6)
    assert c2["sigma"] == sigma


def test_constant_mean_explains_nothing():
    """A mean of 0 has MSE 1/3: L_I = ln 2 - ln(2 pi) / 2 - 1/6 within its error, sd(c^2 / 2) / sqrt(n); R^2 is 0."""
    c2 = information(FakeRun(note, blind), 10_000, seed=0)["c2"]
    assert c2["mi_stderr"] == pytest.approx(math.sqrt(1 / 5 - 1 / 9) / 2 / 100, rel=0.05)
    assert c2["mi"] == pytest.approx(math.log(2) - GAUSS - 1 / 6, abs=4 * c2["mi_stderr"])
    assert c2["r2"] == pytest.approx(0, abs=1e-3)


def test_half_the_mean_explains_three_quarters():
    """A mean of c / 2 misses by c / 2: R^2 = 1 - 1/4, the share explained, not the squared correlation (1)."""
    c2 = information(FakeRun(note, lambda x: [q / 2 for q in perfect(x)]), 10_000, seed=0)["c2"]
    assert c2["r2"] == pytest.approx(0.75, abs=1e-3)


def test_learned_sigma_has_no_ceiling():
    """Q's second output, 0 here, makes sigma ln 2 + its floor, 0.05; the report says "learned", and no ceiling."""

    def see(x):
        c1, c2, _ = perfect(x)
        return [c1, torch.cat([c2, 0 * c2], dim=1)]

    c2 = information(FakeRun(note, see, (Categorical(10), Uniform(None))), 100, seed=0)["c2"]
    assert (c2["sigma"], c2["ceiling"]) == ("learned", None)
    assert c2["mi"] == pytest.approx(math.log(2) - math.log(math.log(2) + 0.05) - GAUSS, abs=1e-5)


MATCHINGS = {
    "a permutation is undone": ([0, 1, 2, 3], [2, 0, 3, 1], [2, 0, 3, 1]),
    "one to one, though 0 is the most frequent label of both": ([0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 1], [0, 1]),
    "a category with no label left": ([0, 0, 1, 1, 2], [0, 0, 1, 1, 1], [0, 1, -1]),
}


@pytest.mark.parametrize(("categories", "truth", "matching"), MATCHINGS.values(), ids=MATCHINGS)
def test_matching(categories, truth, matching):
    assert labels.match_categories(tensor(categories), tensor(truth), len(matching)).tolist() == matching


def test_agreement_of_a_perfect_split_and_of_none():
    """Right under the matching: all scores 1. Categories independent of labels: NMI 0 and, of 4 images, ARI -1/2."""
    truth, keys = tensor([0, 0, 1, 1]), ("n", "accuracy", "error", "nmi", "ari")
    same, other = (labels.agreement(tensor(c), truth, tensor([1, 0])) for c in ([1, 1, 0, 0], [0, 1, 0, 1]))
    assert [same[key] for key in keys] == pytest.approx([4, 1, 0, 1, 1])
    assert [other[key] for key in keys] == pytest.approx([4, 0.5, 0.5, 0, -0.5])


def test_matching_is_fitted_on_training_images():
    """Held-out labels that are all one off: fitted on them it would score 1, fitted on training images it scores 0."""
    held_out = labels.recognition(FakeRun(note, perfect), digits(off=1), seed=0)["held_out"]
    assert (held_out["accuracy"], held_out["nmi"]) == pytest.approx((0, 1))
    assert (held_out["matching"], held_out["fitted_on"], held_out["n"]) == ([*range(10)], 40, 40)


def test_of_several_codes_the_one_that_follows_the_labels_is_scored():
    """SVHN's digit is not on c1: scored on the code that tells nothing, the run would seem to recognise nothing."""

    def see(x):
        c1, *others = perfect(x)
        return [torch.zeros_like(c1), others[0], c1]

    codes = (Categorical(10), Uniform(), Categorical(10))
    held_out = labels.recognition(FakeRun(note, see, codes), digits(), seed=0)["held_out"]
    assert (held_out["code"], held_out["accuracy"]) == ("c3", 1)


@pytest.mark.parametrize(("without", "keys"), [("held_out", {"real", "train"}), ("labels", {"real"})])
def test_what_is_missing_is_not_claimed(without, keys):
    """Without held-out images the numbers are called "train"; without labels there is no accuracy."""
    assert labels.recognition(FakeRun(note, perfect), digits(**{without: False}), seed=0).keys() == keys


def test_draw_is_random(monkeypatch):
    """The first 100 of sorted files would be all one class; drawn, they are of all ten, and keep their labels."""
    monkeypatch.setattr(labels, "REAL_IMAGES", 100)
    y = torch.arange(10).repeat_interleave(100)
    x, drawn = labels.draw(ImageSet(y.to(torch.uint8)[:, None, None, None], y, "sorted"), seed=0)
    assert (len(x), len(drawn.unique())) == (100, 10)
    assert torch.equal(x[:, 0, 0, 0].long(), drawn)


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        (torch.eye(4), (1, 0, math.log(4), math.log(4))),  # sure, and all categories used alike
        (torch.full((3, 4), 0.25), (0.25, math.log(4), math.log(4), 0)),  # unsure of all
        (torch.eye(4)[[2, 2]], (1, 0, 0, 0)),  # sure of one category for all
    ],
)
def test_certainty(q, expected):
    assert tuple(labels.certainty(q).values()) == pytest.approx(expected)


def test_stability_counts_what_a_shift_changes():
    """Q looks at pixel (0, 0), the first column is bright: of four shifts only the one to the left darkens it."""
    x = torch.zeros(5, 1, 28, 28, dtype=torch.uint8)
    x[..., 0] = 255
    run = FakeRun(note, lambda x: [one_hot((x[:, 0, 0, 0] > 0.5).long(), 2).float()], (Categorical(2),))
    assert labels.stability(run, x) == 0.75


def test_report_is_written_whole(tmp_path, few):
    """metrics.json is the returned dict, in a directory made for it, and nothing else is left there."""
    report = evaluate.evaluate(FakeRun(leaning, blind), digits(), out=tmp_path / "new", samples=100)
    assert json.loads((tmp_path / "new" / "metrics.json").read_text()) == report
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["metrics.json"]
    assert report.keys() == {"codes", "names", "held_out", "real", "overfitting", "conditions"}


def test_same_seed_same_numbers(tmp_path, few):
    """Whatever torch's global generator holds, which is not moved; another seed draws other samples."""
    run, state = FakeRun(note, blind, path=tmp_path), torch.get_rng_state()
    first = evaluate.evaluate(run, digits(), samples=100)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(7)
    assert evaluate.evaluate(run, digits(), samples=100) == first
    assert evaluate.evaluate(run, digits(), samples=100, seed=1)["codes"] != first["codes"]


def test_one_sample_has_no_standard_error(tmp_path):
    with pytest.raises(ValueError, match="at least 2"):
        evaluate.evaluate(FakeRun(note, perfect, path=tmp_path), digits(), samples=1)
    assert not list(tmp_path.iterdir())


def test_colour_pictures_have_no_slant(tmp_path, few):
    colour = ImageSet(torch.zeros(4, 3, 28, 28, dtype=torch.uint8), None, "colour")
    run = FakeRun(lambda c: note(c).expand(-1, 3, -1, -1), perfect, path=tmp_path)
    report = evaluate.evaluate(run, colour, samples=100)
    assert "slant" not in report["codes"]["c2"]
    assert report["codes"]["c2"]["brightness"] == pytest.approx(1)
    assert set(report["codes"]["c1"]["share"]) == set(code_effects.COLOUR)
    assert report["conditions"]["features"] is None
    assert "quality" not in report


def test_continuous_codes_alone(tmp_path, few):
    """Without a categorical code there is nothing to match, and one sweep per noise."""
    run = FakeRun(lambda c: bars(c[0] / 10), lambda x: [torch.zeros(len(x), 1)], (Uniform(),), tmp_path)
    report = evaluate.evaluate(run, digits(), samples=100)
    assert report.keys() == {"codes", "names", "overfitting", "conditions"}
    assert report["codes"]["c1"]["slant"] == pytest.approx(1)


def test_summary_is_a_few_aligned_lines(tmp_path, few):
    """It states the data, n, accuracy, each L_I with its ceiling, and what the codes move."""
    text = evaluate.summary(evaluate.evaluate(FakeRun(leaning, blind, path=tmp_path), digits(), samples=100))
    data, c1, real, heart, head, *codes = text.splitlines()
    assert data == "digits; 100 samples"
    assert c1.startswith("c1 on 40 held-out images: 10.0% right")
    assert "shift-stable 100.0%" in real
    assert heart.startswith("how far D learnt its pictures by heart: r_v ")
    assert codes[0].split() == ["c1", "0.000", "+-", "0.000", "(2.303)"]
    assert {len(line) for line in codes[1:]} == {len(head)}


@pytest.fixture(scope="module")
def house_numbers(tmp_path_factory):
    """Pictures whose digit, of three, is the bright channel, and the folder of a classifier that has seen them."""
    folder = tmp_path_factory.mktemp("features")
    y = torch.arange(200) % 3
    x = torch.rand(200, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 80
    x[torch.arange(200), y] += 120
    images = ImageSet(x[:150].byte(), y[:150], "SVHN", ImageSet(x[150:].byte(), y[150:], "SVHN, held out"))
    train_classifier.save_classifier(
        train_classifier.train_classifier("svhn", images, steps=15), folder / "svhn.safetensors"
    )
    return images, folder


@pytest.fixture
def reader(house_numbers, monkeypatch):
    """The pictures; evaluate() finds the classifier, and takes few subsets."""
    images, folder = house_numbers
    monkeypatch.setattr(evaluate, "FOLDER", folder)
    monkeypatch.setattr(classifier, "FOLDER", folder)
    monkeypatch.setattr(quality, "SUBSETS", 2)
    return images


def painted(codes):
    """The category, modulo 3, is the bright channel, as in `reader`'s pictures; c2 makes all brighter."""
    x = torch.rand(len(codes[0]), 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 0.3
    x[torch.arange(len(x)), codes[0] % 3] += 0.47
    return (x + codes[1][:, None, None, None] / 5).clamp(0, 1)


def test_colour_pictures_with_a_classifier(tmp_path, few, reader):
    """What c1 decides is read and named, c2 is brightness, c3 is nothing; the report is plain and the same again."""
    run = FakeRun(painted, blind, path=tmp_path, dataset="svhn")
    report = evaluate.evaluate(run, reader, samples=500)
    assert json.loads((tmp_path / "metrics.json").read_text()) == report
    assert report["meaning"]["codes"]["c1"]["mi"]["digit"] > 0.9  # of 1.09, at most ln 3
    assert (report["names"]["c1"].split(",")[0], report["names"]["c2"]) == ("digit", "brightness")
    assert report["names"]["c1=1"] == "digit 1 100%"
    assert "c3" not in report["names"]
    assert report["quality"]["n"] == {"generated": 500, "train": 150, "held_out": 50}
    assert report["conditions"]["features"]["dataset"] == "svhn"
    text = evaluate.summary(report)
    assert "times that of real ones; kernel distance" in text
    assert "categories with a meaning: c1=" in text
    assert text.splitlines()[-1].endswith("nothing strong")
    assert evaluate.evaluate(run, reader, samples=500) == report


def test_the_families_of_attributes_are_in_the_summary(tmp_path, few, reader):
    report = evaluate.evaluate(FakeRun(painted, blind, path=tmp_path, dataset="svhn"), reader, samples=100)
    report["conditions"]["features"]["dataset"] = "celeba"
    report["meaning"]["families"] = {"n": 2, "found": ["smile", "bangs"]}
    assert "attributes 40 points above the median of their code: smile, bangs" in evaluate.summary(report)


def test_rendered_pictures_are_not_read_by_the_real_classifier(tmp_path, few, reader):
    run = FakeRun(painted, blind, path=tmp_path, dataset="svhn")
    drawn = ImageSet(reader.pixels, reader.labels, "rendered", reader.held_out, note="rendered, not SVHN")
    report = evaluate.evaluate(run, drawn, samples=100)
    assert report["conditions"]["features"] is None
    assert "meaning" not in report


def test_a_classifier_of_ones_own_can_be_named(tmp_path, few, reader, monkeypatch):
    run, mine = FakeRun(painted, blind, path=tmp_path, dataset="svhn"), evaluate.FOLDER / "svhn.safetensors"
    monkeypatch.setattr(evaluate, "FOLDER", tmp_path)
    assert evaluate.evaluate(run, reader, samples=100)["conditions"]["features"] is None
    assert "meaning" in evaluate.evaluate(run, reader, samples=100, features=mine)
    with refused(FileNotFoundError, "no classifier for 'svhn' at nowhere"):
        evaluate.evaluate(run, reader, samples=100, features="nowhere")


def test_a_single_held_out_picture_is_no_distribution(tmp_path, reader):
    run = FakeRun(painted, blind, path=tmp_path, dataset="svhn")
    assert "quality" not in evaluate.evaluate(run, reader.hold_out_last(1), samples=100)


@pytest.mark.parametrize("note", ["rendered, not SVHN", ""])
def test_rendered_and_real_are_not_measured_against_each_other(tmp_path, reader, note):
    run = FakeRun(painted, blind, path=tmp_path, dataset="svhn")
    run.env = {"note": note, "data": "what it was trained on"}
    others = ImageSet(reader.pixels, reader.labels, "others", note="" if note else "rendered, not SVHN")
    with refused(ValueError, "was trained on what it was trained on, these are others; give its source"):
        evaluate.evaluate(run, others, samples=100)
    assert not (tmp_path / "metrics.json").exists()

"""evaluate.py: L_I in closed form, and a report that is whole, plain, the same again, and written where it may be."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
import torch
from torch.nn.functional import one_hot

import infogan_core as ig
from fake_run import FakeRun, bars, blind, grey_digits, leaning, note, perfect
from infogan_core.data.images import ImageSet
from infogan_core.device import BATCH
from infogan_core.measure import classifier, code_effects, evaluate, quality, train_classifier
from infogan_core.measure.context import Context
from infogan_core.measure.select import SIGNALS
from infogan_core.model.latents import Categorical, Uniform
from pictures import refused

GAUSS = 0.5 * math.log(2 * math.pi)


def information(run, n, seed):
    return evaluate.mi_of_codes(Context(run, None, n, seed))["codes"]


@pytest.fixture
def few(monkeypatch):
    """Two sweeps per category are enough to test."""
    monkeypatch.setattr(code_effects, "SWEEPS_PER_CATEGORY", 2)


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


def files(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def test_report_is_written_where_told(tmp_path, few):
    """metrics.json is the returned dict, in a directory made for it, and nothing else is left there."""
    run = FakeRun(leaning, blind)
    report = evaluate.evaluate(run, grey_digits(), out=tmp_path / "new", samples=100)
    assert json.loads((tmp_path / "new" / "metrics.json").read_text()) == report == run.report
    assert files(tmp_path / "new").keys() == {"metrics.json", "SHA256SUMS"}
    assert report.keys() == {"codes", "names", "held_out", "real", "overfitting", "quality", "conditions"}


def test_report_is_written_into_a_run_that_was_trained_here(tmp_path, few):
    """It is known by its checkpoint; without one, as what is published, its folder stays as it is."""
    run = FakeRun(leaning, blind, path=tmp_path)
    report = evaluate.evaluate(run, grey_digits(), samples=100)
    assert not files(tmp_path)
    assert run.report == report
    (tmp_path / "checkpoint.pt").touch()
    assert evaluate.evaluate(run, grey_digits(), samples=100) == json.loads((tmp_path / "metrics.json").read_text())


def test_a_published_folder_is_measured_and_stays_as_it_is(tmp_path, few, smoke_run, digits):
    """README's own line, with the folder's name in place of the run."""
    folder = ig.publish(smoke_run, tmp_path / "published")
    before = files(folder)
    report = evaluate.evaluate(str(folder), digits, samples=50)
    assert report["conditions"]["samples"] == 50
    assert files(folder) == before


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path):
    (tmp_path / "file").touch()
    with refused(NotADirectoryError, "is a file, not a directory"):
        evaluate.evaluate(FakeRun(None, None), grey_digits(), out=tmp_path / "file")


def test_a_path_is_no_image_set():
    with refused(ValueError, "images must be an ImageSet, .* found str"):
        evaluate.evaluate(FakeRun(None, None), "my/pictures")


def test_it_shows_that_it_is_alive(few, capsys, monkeypatch):
    """On the terminal, and not in a batch's notebook."""
    evaluate.evaluate(FakeRun(leaning, blind), grey_digits(), samples=20)
    assert "evaluate" in capsys.readouterr().err
    monkeypatch.setenv(BATCH, "1")
    evaluate.evaluate(FakeRun(leaning, blind), grey_digits(), samples=20)
    assert capsys.readouterr().err == ""


def test_it_works_on_the_threads_of_the_run(few):
    before, seen = torch.get_num_threads(), set()
    run = FakeRun(lambda codes: seen.add(torch.get_num_threads()) or leaning(codes), blind, threads=before + 1)
    evaluate.evaluate(run, grey_digits(), samples=20)
    assert seen == {before + 1}
    assert torch.get_num_threads() == before


def test_a_new_measurement_is_one_function_and_one_entry(few, monkeypatch):
    """What it says of a code joins what others say of it."""

    def white(context):
        return {"codes": {"c2": {"white": context.generated[1].max().item()}}, "new": 1}

    monkeypatch.setattr(evaluate, "MEASUREMENTS", (*evaluate.MEASUREMENTS, white))
    report = evaluate.evaluate(FakeRun(leaning, blind), grey_digits(), samples=20)
    assert report["new"] == report["codes"]["c2"]["white"] == 1
    assert report["codes"]["c2"]["slant"] == pytest.approx(1)


def test_the_class_code_is_the_first_categorical_one(few):
    """Of (Uniform, Categorical): c2, in the summary and in the signal, and c1's numbers stay c1's."""

    def see(x):
        mean, category = x[:, 0, 0, 0] * 4 - 2, (x[:, 0, 0, 1] * 10).round().long()
        return [mean[:, None], 100.0 * one_hot(category, 10)]

    report = evaluate.evaluate(FakeRun(note, see, (Uniform(), Categorical(10))), grey_digits(), samples=100)
    assert report["codes"]["c2"]["mi"] == pytest.approx(math.log(10), abs=1e-5)
    assert SIGNALS["L_I(c1)"](report) == report["codes"]["c2"]["mi"]
    lines = ig.summary(report).splitlines()
    assert [line.split()[:3] for line in lines[1:3]] == [["c2", "on", "40"], ["c2", "without", "labels:"]]
    assert [line.split()[0] for line in lines[-2:]] == ["c1", "c2"]


def test_same_seed_same_numbers(few):
    """Whatever torch's global generator holds, which is not moved; another seed draws other samples."""
    run, state = FakeRun(note, blind), torch.get_rng_state()
    first = evaluate.evaluate(run, grey_digits(), samples=100)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(7)
    assert evaluate.evaluate(run, grey_digits(), samples=100) == first
    assert evaluate.evaluate(run, grey_digits(), samples=100, seed=1)["codes"] != first["codes"]


def test_one_sample_has_no_standard_error(tmp_path):
    with pytest.raises(ValueError, match="at least 2"):
        evaluate.evaluate(FakeRun(note, perfect, path=tmp_path), grey_digits(), samples=1)
    assert not list(tmp_path.iterdir())


def test_colour_pictures_have_no_slant(tmp_path, few):
    colour = ImageSet(torch.zeros(4, 3, 28, 28, dtype=torch.uint8), None, "colour")
    run = FakeRun(lambda c: note(c).expand(-1, 3, -1, -1), perfect, path=tmp_path)
    report = evaluate.evaluate(run, colour, samples=100)
    assert "slant" not in report["codes"]["c2"]
    assert report["codes"]["c2"]["brightness"] == pytest.approx(1)
    assert set(report["codes"]["c1"]["share"]) == set(code_effects.COLOUR_MEASURES)
    assert report["conditions"]["features"] is None
    assert report["quality"].keys() == {"noise"}  # and no grain: all of these pictures are black


def test_continuous_codes_alone(tmp_path, few):
    """Without a categorical code there is nothing to match, and one sweep per noise."""
    run = FakeRun(lambda c: bars(c[0] / 10), lambda x: [torch.zeros(len(x), 1)], (Uniform(),), tmp_path)
    report = evaluate.evaluate(run, grey_digits(), samples=100)
    assert report.keys() == {"codes", "names", "overfitting", "quality", "conditions"}
    assert report["codes"]["c1"]["slant"] == pytest.approx(1)


@pytest.fixture(scope="module")
def house_numbers(tmp_path_factory):
    """Pictures whose digit, of three, is the bright channel, and the folder of a classifier that has seen them."""
    folder = tmp_path_factory.mktemp("features")
    y = torch.arange(200) % 3
    x = torch.rand(200, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 80
    x[torch.arange(200), y] += 120
    images = ImageSet(x.byte(), y, "SVHN", kind="svhn").hold_out_last(50)
    train_classifier.train_classifier(images, steps=15).save(folder / "svhn.safetensors")
    return images, folder


@pytest.fixture
def reader(house_numbers, monkeypatch):
    """The pictures; evaluate() finds the classifier, and takes few subsets."""
    images, folder = house_numbers
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
    run = FakeRun(painted, blind)
    report = evaluate.evaluate(run, reader, samples=500)
    assert json.loads(json.dumps(report)) == report
    assert report["meaning"]["codes"]["c1"]["mi"]["digit"] > 0.9  # of 1.09, at most ln 3
    assert (report["names"]["c1"].split(",")[0], report["names"]["c2"]) == ("digit", "brightness")
    assert report["names"]["c1=1"] == "digit 1 100%"
    assert "c3" not in report["names"]
    assert report["quality"]["n"] == {"generated": 500, "train": 150, "held_out": 50}
    assert report["conditions"]["features"]["dataset"] == "svhn"
    text = ig.summary(report)
    assert "to held-out pictures; kernel distance" in text
    assert "no ratio of Frechet distances: " in text  # of so few
    assert "categories with a meaning: c1=" in text
    assert text.splitlines()[-1].endswith("nothing strong")
    assert evaluate.evaluate(run, reader, samples=500) == report


def test_the_families_of_attributes_are_in_the_summary(tmp_path, few, reader):
    report = evaluate.evaluate(FakeRun(painted, blind), reader, samples=100)
    report["conditions"]["features"]["dataset"] = "celeba"
    report["meaning"]["families"] = {"n": 2, "found": ["smile", "bangs"]}
    assert "attributes 40 points above the median of their code: smile, bangs" in ig.summary(report)


def test_rendered_pictures_are_not_read_by_the_real_classifier(tmp_path, few, reader):
    run = FakeRun(painted, blind)
    drawn = dataclasses.replace(reader, stand_in_note="rendered, not SVHN")
    report = evaluate.evaluate(run, drawn, samples=100)
    assert report["conditions"]["features"] is None
    assert "meaning" not in report


def test_a_classifier_of_ones_own_can_be_named(tmp_path, few, reader, monkeypatch):
    run, mine = FakeRun(painted, blind), classifier.FOLDER / "svhn.safetensors"
    monkeypatch.setattr(classifier, "FOLDER", tmp_path)
    assert evaluate.evaluate(run, reader, samples=100)["conditions"]["features"] is None
    assert "meaning" in evaluate.evaluate(run, reader, samples=100, features=mine)
    with refused(FileNotFoundError, "no classifier for 'svhn' at nowhere"):
        evaluate.evaluate(run, reader, samples=100, features="nowhere")


def test_a_single_held_out_picture_is_no_distribution(tmp_path, reader):
    run = FakeRun(painted, blind)
    assert evaluate.evaluate(run, reader.hold_out_last(1), samples=100)["quality"].keys() == {"grain", "noise"}


def test_what_chooses_is_not_what_reports(tmp_path, few):
    """Validation pictures stand for held-out ones, say so, and leave the report of a trained run as it is."""
    run, held_out = FakeRun(note, perfect, path=tmp_path), grey_digits(off=1).held_out
    images = dataclasses.replace(grey_digits(), held_out=held_out, validation=grey_digits().held_out)
    (tmp_path / "checkpoint.pt").touch()
    report = evaluate.evaluate(run, images, samples=20)
    written = files(tmp_path)
    choice = evaluate.evaluate(run, images, samples=20, part="validation")
    assert [(r["held_out"]["accuracy"], r["conditions"]["part"]) for r in (report, choice)] == [
        (0, "held_out"),
        (1, "validation"),
    ]
    assert run.report == choice  # for select_run
    assert files(tmp_path) == written
    evaluate.evaluate(run, images, out=tmp_path / "choice", samples=20, part="validation")
    assert json.loads((tmp_path / "choice" / "metrics.json").read_text()) == choice


def test_what_cannot_choose():
    with refused(ValueError, "digits has no validation pictures; train on images.validate_on_last"):
        evaluate.evaluate(FakeRun(None, None), grey_digits(), part="validation")
    with refused(ValueError, "unknown part 'test'"):
        evaluate.evaluate(FakeRun(None, None), grey_digits(), part="test")


@pytest.mark.parametrize("note", ["rendered, not SVHN", ""])
def test_rendered_and_real_are_not_measured_against_each_other(tmp_path, reader, note):
    run = FakeRun(painted, blind)
    run.env = {"note": note, "data": "what it was trained on"}
    others = dataclasses.replace(reader, name="others", stand_in_note="" if note else "rendered, not SVHN")
    with refused(ValueError, "was trained on what it was trained on, these are others; give its source"):
        evaluate.evaluate(run, others, samples=100)
    assert not (tmp_path / "metrics.json").exists()

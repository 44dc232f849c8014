"""labels.py: Q's categories against labels and without them, and r_v, where the answer is known in closed form."""

import math

import pytest
import torch
from torch import tensor
from torch.nn.functional import one_hot

from fake_run import FakeRun, blind, grey_digits, note, perfect
from infogan_core.data.images import ImageSet
from infogan_core.measure import context, labels
from infogan_core.measure.context import Context
from infogan_core.model.latents import Categorical, Uniform


def recognition(run, images):
    return labels.recognition(Context(run, images, samples=10))


MATCHINGS = {
    "a permutation is undone": ([0, 1, 2, 3], [2, 0, 3, 1], [2, 0, 3, 1]),
    "one to one, though 0 is the most frequent label of both": ([0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 1], [0, 1]),
    "a category with no label left": ([0, 0, 1, 1, 2], [0, 0, 1, 1, 1], [0, 1, -1]),
    "a label may be any number": ([0, 0, 1, 1], [10**12, 10**12, 5, 5], [10**12, 5]),
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
    held_out = recognition(FakeRun(note, perfect), grey_digits(off=1))["held_out"]
    assert (held_out["accuracy"], held_out["nmi"]) == pytest.approx((0, 1))
    assert (held_out["matching"], held_out["fitted_on"], held_out["n"]) == ([*range(10)], 40, 40)


def test_a_category_that_no_label_prevails_in_has_no_name():
    """Named is what more than half of the images are; a category of none is not."""
    images = ImageSet(torch.zeros(1, 1, 28, 28).byte(), [0], "pets", label_names=("cat", "dog"))
    categories, y = tensor([0, 0, 0, 2, 2, 3]), tensor([1, 1, 0, 0, 1, 0])
    assert labels.name_categories("c2", categories, y, images) == {"c2=0": "class dog 67%", "c2=3": "class cat 100%"}


def test_of_several_codes_the_one_that_follows_the_labels_is_scored():
    """SVHN's digit is not on c1: scored on the code that tells nothing, the run would seem to recognise nothing."""

    def see(x):
        c1, *others = perfect(x)
        return [torch.zeros_like(c1), others[0], c1]

    codes = (Categorical(10), Uniform(), Categorical(10))
    held_out = recognition(FakeRun(note, see, codes), grey_digits())["held_out"]
    assert (held_out["code"], held_out["accuracy"]) == ("c3", 1)


@pytest.mark.parametrize(("without", "keys"), [("held_out", {"real", "train"}), ("labels", {"real"})])
def test_what_is_missing_is_not_claimed(without, keys):
    """Without held-out images the numbers are called "train"; without labels there is no accuracy."""
    assert recognition(FakeRun(note, perfect), grey_digits(**{without: False})).keys() == keys


def test_real_images_are_taken_at_random(monkeypatch):
    """The first 100 of sorted files would be all one class; at random they are of all ten, and keep their labels."""
    monkeypatch.setattr(context, "REAL_IMAGES", 100)
    y = torch.arange(10).repeat_interleave(100)
    x, kept = Context(None, ImageSet(y.to(torch.uint8)[:, None, None, None], y, "sorted")).real["train"]
    assert (len(x), len(kept.unique())) == (100, 10)
    assert torch.equal(x[:, 0, 0, 0].long(), kept)


def test_q_reads_white_as_1():
    """uint8 0..255 is 0..1 for Q."""
    seen = []
    run = FakeRun(note, lambda x: seen.append(x) or blind(x))
    labels.read_categories(run, tensor([0, 51, 255], dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 28, 28))
    assert seen[0][:, 0, 0, 0].tolist() == pytest.approx([0, 0.2, 1], abs=1e-7)


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


def flat(brightness, held_out=None):
    pixels = torch.full((4, 1, 28, 28), brightness, dtype=torch.uint8)
    return ImageSet(pixels, None, "flat", None if held_out is None else flat(held_out))


def overfitting(images, generated):
    """D says a picture's mean."""
    run = FakeRun(lambda codes: torch.full((len(codes[0]), 1, 28, 28), generated), perfect)
    return labels.overfitting(Context(run, images, samples=4)).get("overfitting")


@pytest.mark.parametrize(("held_out", "r_v"), [(255, 0), (153, 0.5), (51, 1)])
def test_r_v_is_where_held_out_pictures_lie_between_training_and_generated_ones(held_out, r_v):
    """D says 1 of training pictures, 0.2 of generated ones."""
    found = overfitting(flat(255, held_out), 0.2)
    assert found == pytest.approx({"train": 1, "held_out": held_out / 255, "generated": 0.2, "r_v": r_v})


def test_where_r_v_says_nothing_there_is_none():
    """D prefers generated pictures; or nothing is held out."""
    assert "r_v" not in overfitting(flat(51, 51), 1.0)
    assert overfitting(flat(255), 0.2) is None

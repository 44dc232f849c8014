"""code_names.py: links of known strength between a code and what is read, and the names that follow."""

import math

import pytest
import torch
from torch import tensor

from infogan_core.measure import code_names
from infogan_core.measure.classifier import Classifier, ClassifierNet, Head
from infogan_core.measure.picture_measures import mirror_axis
from infogan_core.model.latents import Categorical, LatentSpec, Uniform

DIGIT = Head("digit", tuple("0123456789"), tuple(i + 0.5 for i in range(9)))


def attribute(name):
    return Head(name, ("no", "yes"), (0.5,))


def random(n, k, seed):
    return torch.randint(k, (n,), generator=torch.Generator().manual_seed(seed))


def test_perfect_link_is_ln_k():
    """Each category its digit, less (K - 1)^2 / 2N for chance."""
    c = torch.arange(1000) % 10
    mi, bias = code_names.link(code_names.contingency(c, (c + 3) % 10, 10, 10))
    assert bias == pytest.approx(81 / 2000)
    assert mi + bias == pytest.approx(math.log(10))


def test_independent_is_zero_once_corrected():
    """Uncorrected it would show (K - 1)(V - 1) / 2N = 0.0081 nats in 5,000 samples."""
    links = [
        code_names.link(code_names.contingency(random(5000, 10, s), random(5000, 10, 99 + s), 10, 10)) for s in range(9)
    ]
    assert sum(mi for mi, _ in links) / 9 == pytest.approx(0, abs=0.001)
    assert links[0][1] == pytest.approx(0.0081)


def test_what_is_never_read_has_no_bias():
    """All pictures read alike: one column, 0 nats, nothing to take off."""
    c = torch.arange(100) % 10
    assert code_names.link(code_names.contingency(c, c * 0, 10, 2)) == pytest.approx((0, 0))


@pytest.fixture
def faces():
    """c1: category 7 wears glasses, 90%; else 10%. c2: nothing. c3 decides the smile, by its sign, at any rate."""
    n = 10_000
    c1, c2 = random(n, 10, 0), random(n, 10, 1)
    c3 = torch.rand(n, generator=torch.Generator().manual_seed(2)) * 2 - 1
    draw = torch.rand(n, generator=torch.Generator().manual_seed(3))
    glasses = (draw < torch.where(c1 == 7, 0.9, 0.1)).long()
    spec = LatentSpec(2, (Categorical(10), Categorical(10), Uniform()))
    read = {"Eyeglasses": glasses, "Smiling": (c3 > 0).long(), "Male": (c1 == 2).long()}
    heads = tuple(attribute(name) for name in read)
    return spec, [c1, c2, c3], heads, read


def test_meaning_of_known_links(faces):
    """c1 knows of glasses and sex, c2 of nothing, c3 of the smile: ln 2 nats."""
    report = code_names.links_of_codes(*faces)
    codes = report["codes"]
    assert codes["c3"]["mi"]["Smiling"] == pytest.approx(math.log(2), abs=0.002)
    assert codes["c1"]["mi"]["Eyeglasses"] > 0.1
    assert max(map(abs, codes["c2"]["mi"].values())) < 0.002
    assert codes["c1"]["rates"]["eyeglasses"][7] == pytest.approx(0.9, abs=0.03)
    assert codes["c2"]["rates"] == {}
    assert "rates" not in codes["c3"]
    assert [(e["code"], e["category"], e["reads"]) for e in report["strong"]] == [
        ("c1", 2, "male"),
        ("c1", 7, "eyeglasses"),
    ]
    assert report["families"] == {"n": 2, "found": ["glasses", "gender"]}


def test_names_are_words_with_a_share(faces):
    """A category is named by what it shows, a code by what its categories are about, or what it moves; c2 has none."""
    named = code_names.name_codes(code_names.links_of_codes(*faces), {"c3": "brightness"})
    assert named.keys() == {"c1", "c1=2", "c1=7", "c3"}
    assert (named["c1"], named["c1=2"], named["c3"]) == ("male, eyeglasses", "male 100%", "brightness")
    assert named["c1=7"].startswith("eyeglasses ")
    assert named["c1=7"].endswith("%")


def test_what_is_read_badly_names_nothing(faces):
    report = code_names.links_of_codes(*faces, unreliable=("Eyeglasses",))
    assert [e["reads"] for e in report["strong"]] == ["male"]
    assert report["codes"]["c1"]["mi"]["Eyeglasses"] > 0.1  # still told
    assert report["unread"] == ["Eyeglasses"]


def test_digits_name_their_code():
    """Ten categories, ten digits: each is named, and the code is called "digit"."""
    c = torch.arange(2000) % 10
    report = code_names.links_of_codes(LatentSpec(2, (Categorical(10),)), [c], (DIGIT,), {"digit": (c + 1) % 10})
    named = code_names.name_codes(report, {"c1": "background hue"})
    assert named["c1"] == "digit, background hue"
    assert named["c1=3"] == "digit 4 100%"
    assert len(named) == 11


@pytest.mark.parametrize(("rate", "strong"), [(0.52, True), (0.48, False)])
def test_forty_points_above_the_median(rate, strong):
    """Against the median of 10%, not the mean, and not 0."""
    rates = torch.full((10,), 0.1, dtype=torch.float64)
    rates[3], rates[4] = rate, 0.45
    found = code_names.strong_readings("c2", attribute("Wearing_Hat"), {"hat": rates})
    assert [(e["code"], e["category"], e["reads"]) for e in found] == [("c2", 3, "hat")] * strong


def test_hair_colours_are_one_family():
    c = torch.arange(1000) % 10
    heads = tuple(attribute(name) for name in ("Black_Hair", "Blond_Hair", "Bangs", "Young"))
    read = {head.name: (c == i).long() for i, head in enumerate(heads)}
    report = code_names.links_of_codes(LatentSpec(2, (Categorical(10),)), [c], heads, read)
    assert report["families"] == {"n": 2, "found": ["hair colour", "bangs"]}
    assert {e["reads"] for e in report["strong"]} == {"black hair", "blond hair", "bangs", "young"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("Mouth_Slightly_Open", 1, "mouth open"),
        ("Wearing_Hat", 1, "hat"),
        ("Gray_Hair", 1, "gray hair"),
        ("Male", 0, "female"),
        ("Bangs", 0, None),
        ("left", 1, "left neighbour"),
    ],
)
def test_words(name, value, words):
    assert code_names.value_name(attribute(name), value) == words


def test_a_head_is_read_badly_when_it_hardly_beats_guessing():
    """10% of mistakes against 40% by guessing: good. 5% against 6%: bad, however right it sounds."""
    held_out = {"Smiling": {"accuracy": 0.9, "commonest": 0.6}, "Bald": {"accuracy": 0.95, "commonest": 0.94}}
    features = Classifier(ClassifierNet(4), tuple(map(attribute, held_out)), {"held_out": held_out})
    assert code_names.unreliable_heads(features) == ("Bald",)


def test_pose_is_beyond_one_standard_deviation():
    """Of the real pictures' axis: an axis to the left is a head turned to the right."""
    head = code_names.pose_head(tensor([-1.0, 0.0, 1.0]))
    assert head.encode(tensor([-1.5, 0.0, 1.5])).tolist() == [0, 1, 2]
    assert [code_names.value_name(head, i) for i in range(3)] == ["pose right", "pose straight", "pose left"]
    x = torch.randint(256, (3, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    assert torch.equal(code_names.pose(x), mirror_axis(x.float() / 255))

"""A classifier that learns what can be learnt, and a file that is taken or refused."""

import dataclasses
import json

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from torch import tensor

from helpers import ROOT
from infogan_core.data.images import ImageSet
from infogan_core.data.load import DATASETS
from infogan_core.data.rendered import faces, house_numbers
from infogan_core.measure import classifier
from infogan_core.measure import train_classifier as training
from infogan_core.measure.classifier import (
    Head,
    classifier_name,
    find_classifier,
    load_classifier,
    rgb,
)
from infogan_core.measure.train_classifier import accuracy, augment, columns, heads_of, train_classifier

PUBLISHED = ROOT / "outputs" / "published" / "features"


def blobs(n=240, seed=0, kind="svhn", note=""):
    """Flat noisy pictures: the label says which channel is bright, the attribute whether the upper half is dark."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (n,), generator=generator)
    dark = torch.randint(2, (n,), generator=generator)
    x = torch.rand(n, 3, 32, 32, generator=generator) * 80
    x[torch.arange(n), labels] += 120
    x[:, :, :16] *= 1 - 0.7 * dark[:, None, None, None]
    attributes = torch.stack([dark.float(), torch.zeros(n)], dim=1)
    return ImageSet(x.to(torch.uint8), labels, "blobs", None, attributes, ("Dark", "Constant"), kind, note)


def divided(**options):
    return dataclasses.replace(blobs(**options), held_out=blobs(n=100, seed=1, **options))


@pytest.fixture(scope="module")
def trained():
    """Twenty steps; the names of the losses' steps come along."""
    log = []
    return train_classifier(divided(), steps=20, on_log=lambda step, loss: log.append((step, loss))), log


def test_twenty_steps_learn_something(trained):
    """Which channel is bright and whether the top is dark are told on pictures never seen, far above guessing."""
    held_out = trained[0].about["held_out"]
    assert held_out["n"] == 100
    assert held_out["digit"]["accuracy"] > held_out["digit"]["commonest"] + 0.25
    assert held_out["Dark"]["accuracy"] > held_out["Dark"]["commonest"] + 0.2
    assert [step for step, _ in trained[1]] == list(range(1, 21))
    assert trained[1][-1][1] < trained[1][0][1]


def test_what_it_reads_are_probabilities(trained):
    """Per head [N, V] that sum to 1; uint8 and float pictures, of 28, 32 or 64 pixels, read alike in shape."""
    f, x = trained[0], blobs(n=5).pixels
    assert [head.name for head in f.heads] == ["digit", "Dark"]  # the constant column is nothing to read
    for pictures in (x, x / 255, x[:, :, 2:30, 2:30], x.repeat_interleave(2, 2).repeat_interleave(2, 3)):
        read = f.read(pictures)
        assert {name: list(p.shape) for name, p in read.items()} == {"digit": [5, 3], "Dark": [5, 2]}
        assert all(torch.allclose(p.sum(dim=1), torch.ones(5)) for p in read.values())
    assert torch.allclose(f.penultimate(x), f.penultimate(x / 255), atol=1e-5)
    assert torch.allclose(f.penultimate(x.repeat_interleave(2, 2).repeat_interleave(2, 3)), f.penultimate(x), atol=1e-5)


@pytest.mark.parametrize("x", [torch.zeros(2, 2, 32, 32), torch.zeros(3, 32, 32), torch.zeros(2, 3, 32, 32).long()])
def test_other_pictures_are_refused(trained, x):
    with pytest.raises(ValueError, match=r"reads float in 0..1 or uint8 \[N, 3 or 1, H, H\], found"):
        trained[0].penultimate(x)


def test_a_grey_picture_is_read_as_rgb_of_equal_channels(trained):
    grey = blobs(n=3).pixels[:, :1]
    assert torch.equal(trained[0].penultimate(grey), trained[0].penultimate(grey.repeat(1, 3, 1, 1)))


def test_same_seed_same_classifier():
    """Whatever torch's global generator holds, which is not moved; another seed is another classifier."""
    state = torch.get_rng_state()
    first, other = (train_classifier(divided(), seed, steps=2) for seed in (0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    x = blobs(n=4).pixels
    assert torch.equal(train_classifier(divided(), 0, steps=2).penultimate(x), first.penultimate(x))
    assert not torch.equal(other.penultimate(x), first.penultimate(x))


def test_held_out_pictures_are_never_trained_on():
    """Other held-out pictures leave the weights as they are."""
    images, x = divided(), blobs(n=4).pixels
    others = dataclasses.replace(images, held_out=blobs(n=7, seed=9))
    a, b = (train_classifier(i, steps=2) for i in (images, others))
    assert torch.equal(a.penultimate(x), b.penultimate(x))


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (blobs(), "some are held out"),
        (ImageSet(blobs().pixels, None, "bare", blobs(), kind="svhn"), "needs labels or attributes"),
    ],
)
def test_what_cannot_be_trained_on(images, words):
    with pytest.raises(ValueError, match=words):
        train_classifier(images, steps=1)


def test_heads_follow_the_columns():
    """0 and 1: an attribute; few values: each; many: thirds; a rendered factor in its own words; one value: none."""
    n = torch.arange(30)
    known = {"Bald": n % 2, "class": n % 3, "hue": n / 30, "context": n % 5, "left": n % 2, "same": n * 0}
    heads = {head.name: head for head in heads_of(known)}
    assert {name: head.values for name, head in heads.items()} == {
        "Bald": ("no", "yes"),
        "class": ("0", "1", "2"),
        "hue": ("low", "middle", "high"),
        "context": ("wall", "plate", "oval plate", "siding", "bricks"),
        "left": ("no", "yes"),
    }
    assert torch.equal(heads["class"].encode(n % 3), n % 3)
    assert heads["hue"].encode(n / 30).bincount().tolist() == [10, 10, 10]


@pytest.mark.parametrize("n", [2, 30])
def test_values_of_a_class_are_called_as_the_labels_are(n):
    """Two are no "no" and "yes", and thirty are not cut into thirds."""
    names, label = tuple(f"pet {i}" for i in range(n)), torch.arange(60) % n
    (head,) = heads_of({"class": label}, names)
    assert head.values == names
    assert torch.equal(head.encode(label), label)


def test_labels_of_house_numbers_are_digits():
    """Whatever they are called; own pictures and sprites have a class."""
    words = {"mnist": "digit", "svhn": "digit", "celeba": "class", "sprites": "class", "own": "class"}
    assert {kind: next(iter(columns(blobs(kind=kind)))) for kind in words} == words


def test_white_is_1_and_black_is_0():
    """And grey becomes RGB; floats stay."""
    assert rgb(tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1)).tolist() == [
        [[[value]]] * 3 for value in (0.0, tensor(0.2).item(), 1.0)
    ]
    assert rgb(torch.full((1, 3, 1, 1), 0.5)).unique().item() == 0.5


def test_only_the_cpus_generator_is_seeded(monkeypatch):
    """torch.manual_seed would seed the GPU's, too, and nothing would put it back."""
    seeds = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeds.append)
    train_classifier(divided(), steps=1)
    assert seeds == []


def test_real_pictures_are_changed_in_training_and_rendered_ones_are_not(monkeypatch):
    """By the row of their data set; what has no row is taken as it is."""
    seen = []
    monkeypatch.setattr(
        training,
        "augment",
        lambda x, generator, **changes: seen.append(changes) or augment(x, generator),
    )
    for images in (divided(), divided(note="rendered, not SVHN"), divided(kind="sprites")):
        train_classifier(images, steps=1)
    assert seen == [DATASETS["svhn"].augment, {}, {}]


def test_augmentation_keeps_the_range_and_the_plain_picture():
    """Nothing asked for, nothing changed; a flip alone gives the picture or its mirror image, in equal parts."""
    generator, x = torch.Generator().manual_seed(0), torch.rand(64, 3, 32, 32)
    assert torch.equal(augment(x, generator), x)
    changed = augment(x, generator, warp=0.2, shift=3, colour=0.25, flip=True, negative=True)
    assert 0 <= changed.min() < changed.max() <= 1
    flipped = augment(x, generator, flip=True)
    same, mirrored = ((flipped - y).abs().amax(dim=(1, 2, 3)) < 1e-4 for y in (x, x.flip(3)))
    assert bool((same ^ mirrored).all())
    assert 16 < same.sum() < 48


def test_file_keeps_what_is_read(trained, tmp_path):
    """fp16 weights read nearly alike; below 3 MiB; the metadata says what it is."""
    path, x = tmp_path / "new" / "svhn.safetensors", blobs(n=50).pixels
    trained[0].save(path)
    again = load_classifier("svhn", path)
    assert torch.allclose(again.read(x)["digit"], trained[0].read(x)["digit"], atol=0.02)
    assert again.heads == trained[0].heads
    assert again.about == json.loads(json.dumps(trained[0].about))
    assert path.stat().st_size < 3 << 20
    assert {"dataset", "data", "sha256", "n", "steps", "seed", "held_out"} <= again.about.keys()


def test_rendered_pictures_have_a_classifier_of_their_own(tmp_path):
    f = train_classifier(divided(note="rendered, not SVHN"), steps=1)
    path = tmp_path / "x.safetensors"
    f.save(path)
    assert load_classifier("svhn-rendered", path).about["dataset"] == "svhn-rendered"
    with pytest.raises(ValueError, match=r"the classifier of 'svhn-rendered', not of 'svhn'"):
        load_classifier("svhn", path)


def test_own_pictures_are_not_read_as_digits_or_faces():
    assert classifier_name(dataclasses.replace(blobs(), name="MNIST and CelebA")) == "svhn"
    assert classifier_name(dataclasses.replace(blobs(kind="own"), name="SVHN")) == "own"
    assert find_classifier(blobs(kind="own")) is None
    assert find_classifier(blobs()).about["dataset"] == "svhn"


def test_missing_file_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setattr(classifier, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"python -m infogan_core classifier celeba SOURCE"):
        load_classifier("celeba")


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "metadata", "weights", "shape"])
def test_damaged_file_is_refused_in_one_line(trained, tmp_path, damage):
    path = tmp_path / "svhn.safetensors"
    trained[0].save(path)
    data, state = path.read_bytes(), load_file(path)
    metadata = {"heads": json.dumps([{"name": "x", "values": ["no", "yes"], "edges": [0.5]}]), "about": "{}"}
    if damage in ("cut", "empty", "text"):
        path.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "text": b"hello" * 100}[damage])
    elif damage == "metadata":
        save_file(state, path)
    elif damage == "weights":
        save_file({"a": torch.zeros(2)}, path, metadata)
    else:
        save_file(state, path, metadata)
    with pytest.raises(ValueError, match="cut short or no classifier of this version") as error:
        load_classifier("svhn", path)
    assert "\n" not in str(error.value)


def test_command_line(monkeypatch, tmp_path):
    """It writes the file and says how well it reads; a file that is there stays."""
    found, command = [], ["svhn", "anything", "--steps", "2", "--out", str(tmp_path), "--skip-bad"]
    monkeypatch.setattr(training, "load_images", lambda *_, skip_bad: found.append(skip_bad) or divided())
    done = CliRunner().invoke(training.classifier, command)
    assert found == [True]
    assert load_classifier("svhn", tmp_path / "svhn.safetensors").about["steps"] == 2
    assert "of 100 held out" in done.output
    again = CliRunner().invoke(training.classifier, command)
    assert isinstance(again.exception, ValueError)
    assert "svhn.safetensors exists: move it away" in str(again.exception)


def test_encode_splits_at_the_edges():
    assert Head("x", ("low", "middle", "high"), (0.0, 1.0)).encode(tensor([-1, 0.5, 2.0])).tolist() == [0, 1, 2]


@pytest.mark.parametrize(("render", "factor"), [(house_numbers.house_numbers, "digit"), (faces.faces, "glasses")])
def test_published_classifier_reads_the_true_factors_of_rendered_pictures(render, factor):
    """Of pictures of another seed than those that it was trained on."""
    images = render(300, seed=7)
    read = accuracy(load_classifier(classifier_name(images)), images)
    assert read[factor]["accuracy"] > 0.95


@pytest.mark.parametrize("name", ["mnist", "svhn", "celeba", "svhn-rendered", "celeba-rendered"])
def test_published_classifier(name):
    """It fits into 3 MiB and reads well above guessing, by its own held-out numbers."""
    path = PUBLISHED / f"{name}.safetensors"
    held_out = dict(load_classifier(name).about["held_out"])
    assert path.stat().st_size <= 3 << 20
    assert held_out.pop("n") >= 1000
    skills = [(h["accuracy"] - h["commonest"]) / (1 - h["commonest"]) for h in held_out.values()]
    assert max(skills) > 0.8

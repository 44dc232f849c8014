"""The rendered stand-ins: the same bytes everywhere, and factors that are the truth about every picture."""

import hashlib

import numpy as np
import pytest
import torch

from infogan_core.data.rendered import faces as rendered_faces
from infogan_core.data.rendered import house_numbers as rendered
from infogan_core.data.rendered.faces import faces
from infogan_core.data.rendered.factors import sample
from infogan_core.data.rendered.house_numbers import house_numbers

SETS = {"house numbers": (house_numbers, rendered), "faces": (faces, rendered_faces)}
BOTH = pytest.mark.parametrize(("make", "module"), SETS.values(), ids=SETS)
EVERY = [(module, name) for _, module in SETS.values() for name in module.FACTORS]
PLAIN = {  # a picture in which every factor shows
    rendered: {"digit": 5, "font": 1, "saturation": 0.5, "contrast": 0.6, "brightness": 0.8, "context": 1, "left": 1}
    | {"right": 1, "left digit": 8, "right digit": 8, "scale": 19, "width": 0.7, "noise": 0.03, "shadow": 0.3},
    rendered_faces: {"hair colour": 1, "hair style": 1, "smile": 0.7, "mouth": 0.4, "lips": 0.3, "skin": 0.1}
    | {"size": 1, "brightness": 0.9, "background": 0.55, "background tone": 0.7, "eyes": 0.5},
}


def drawn(module, **columns):
    """Pictures float [N, 3, 32, 32] of the plain factors, some changed to these values; spaces written as _."""
    changed = PLAIN[module] | {name.replace("_", " "): value for name, value in columns.items()}
    size = max(np.size(value) for value in changed.values())
    default = {name: 0 if factor.low <= 0 <= factor.high else factor.low for name, factor in module.FACTORS.items()}
    values = [np.broadcast_to(value, size) for value in (default | changed).values()]
    return module.render(np.stack(values, 1)).astype(np.float32)


def kind(module, factor, name):
    return module.FACTORS[factor].kinds.index(name)


@BOTH
def test_what_is_said_about_them(make, module):
    images = make(30)
    assert images.pixels.shape == (30, 3, 32, 32)
    assert images.attribute_names == tuple(module.FACTORS)
    assert images.kind == {house_numbers: "svhn", faces: "celeba"}[make]
    assert images.stand_in_note in ("rendered, not SVHN", "rendered, not CelebA")
    assert images.name == f"{next(k for k, v in SETS.items() if v[0] is make)} ({images.stand_in_note}; 30 pictures)"


@BOTH
def test_a_picture_depends_on_the_seed_and_its_place_only(make, module):
    few, many = make(10), make(25)
    assert few.sha256 == make(10).sha256 != make(10, seed=1).sha256
    assert few.pixels.equal(many.pixels[:10])
    assert few.attributes.equal(many.attributes[:10])


@pytest.mark.parametrize(
    ("make", "digest"), [(house_numbers, "0eac3ca77d687bdf"), (faces, "26c50a2164e1b83b")], ids=SETS
)
def test_every_machine_draws_the_same_bytes(make, digest):
    """With the pinned versions of NumPy, Pillow, SciPy and matplotlib's fonts."""
    assert hashlib.sha256(make(40).pixels.numpy().tobytes()).hexdigest()[:16] == digest


@BOTH
def test_the_factors_are_all_that_a_picture_needs(make, module):
    images = make(20)
    assert (module.render(images.attributes.numpy()) == images.pixels.numpy()).all()
    assert (module.render(images.attributes.numpy()[::-1]) == images.pixels.numpy()[::-1]).all()


def test_the_label_is_the_digit():
    images = house_numbers(50)
    assert (images.labels == images.attributes[:, images.attribute_names.index("digit")]).all()
    assert faces(2).labels is None


def test_a_face_of_64_pixels_averages_to_that_of_32():
    large = faces(8, size=64).pixels.float()
    assert large.shape == (8, 3, 64, 64)
    off = (torch.nn.functional.avg_pool2d(large, 2) - faces(8).pixels).abs()
    dim = torch.nn.functional.max_pool2d(large, 2) < 255  # what is brighter is cut off before it is averaged
    assert dim.float().mean() > 0.9
    assert off[dim].max() <= 1  # both are rounded


@BOTH
def test_factors_fill_their_ranges_independently(make, module):
    values = sample(module.FACTORS, 2000, 0)
    for column, factor in zip(values.T, module.FACTORS.values(), strict=True):
        if factor.kinds:
            assert set(column) == set(range(len(factor.kinds)))
        else:
            span = factor.high - factor.low
            assert factor.low <= column.min() < factor.low + 0.01 * span
            assert factor.high - 0.01 * span < column.max() <= np.float32(factor.high)
    links = np.corrcoef(values.T) - np.eye(len(module.FACTORS))
    assert np.abs(links).max() < 0.1  # 4.5 standard errors


@pytest.mark.parametrize(("module", "name"), EVERY, ids=[f"{m.__name__[22:]}-{name}" for m, name in EVERY])
def test_every_factor_changes_the_picture(module, name):
    factor = module.FACTORS[name]
    steps = np.arange(len(factor.kinds)) if factor.kinds else np.linspace(factor.low, factor.high, 4)[:3]
    pictures = drawn(module, **{name: steps})
    change = np.abs(pictures[1:] - pictures[:-1]).max((1, 2, 3))
    assert change.min() > 5, change


@pytest.mark.parametrize("module", PLAIN, ids=SETS)
def test_more_light_makes_a_brighter_picture(module):
    factor = module.FACTORS["brightness"]
    light = drawn(module, brightness=np.linspace(factor.low, factor.high, 7)).mean((1, 2, 3))
    assert (np.diff(light) > 2).all()


def test_a_digit_is_where_and_how_tall_its_factors_say():
    ink = drawn(rendered, context=0, left=0, right=0, digit=1, shadow=0, noise=0, x=[-2, 2, 0, 0], y=[0, 0, -2, 2])
    dark = ink.mean(1).max() - ink.mean(1)
    dark[dark < 60] = 0
    along = np.arange(32) - 15.5
    x, y = [(dark.sum(axis) * along).sum(1) / dark.sum((1, 2)) for axis in (1, 2)]
    assert x[1] - x[0] == pytest.approx(4, abs=0.2)
    assert y[3] - y[2] == pytest.approx(4, abs=0.2)


def test_neighbours_stand_at_their_edge_only():
    """Light paper, dark digits: a neighbour darkens its own edge, and leaves the other as it is."""
    plain, left, right = drawn(rendered, context=0, left=[0, 1, 0], right=[0, 0, 1])
    assert (plain - left)[..., :4].max() > 60 > 1 > np.abs(plain - left)[..., 24:].max()
    assert (plain - right)[..., -4:].max() > 60 > 1 > np.abs(plain - right)[..., :8].max()


def test_a_head_turned_the_other_way_is_the_mirrored_picture():
    """Nothing but azimuth, light and hair's parting tells left from right, except the gleam in the eyes."""
    left, ahead, right = drawn(rendered_faces, azimuth=[-30, 0, 30], clothes=0.3)
    assert np.abs(left - right[..., ::-1]).mean() < 1 < 5 < np.abs(left - right).mean()
    assert np.abs(ahead - ahead[..., ::-1]).mean() < 1


def test_the_eyes_follow_the_turn():
    """The darkness of the eyes' rows, seen left or right of the middle, orders the azimuths."""
    pictures = drawn(rendered_faces, azimuth=np.linspace(-45, 45, 7), glasses=2, hair_style=0)
    dark = 255 - pictures.mean(1)[:, 13:19, 6:26]
    middle = ((dark > 180) * (np.arange(20) - 9.5)).sum((1, 2)) / (dark > 180).sum((1, 2))
    assert (np.diff(middle) > 0.3).all()
    assert middle[0] < -2 < 2 < middle[-1]


def test_the_hair_has_the_colour_it_is_said_to_have():
    colours = np.arange(len(rendered_faces.HAIRS))
    crown = drawn(rendered_faces, hair_style=kind(rendered_faces, "hair style", "long"), hair_colour=colours)
    crown = crown[:, :, 5:8, 12:20].mean((2, 3)) / 255
    nearest = np.abs(crown[:, None] - rendered_faces.HAIRS).sum(2).argmin(1)
    assert nearest.tolist() == colours.tolist()

"""The sprites: what is drawn is what the factors say."""

import numpy as np
import pytest

from infogan_core.data import mnist
from infogan_core.data.load import load_images
from infogan_core.data.rendered.sprites import FACTORS, render, sprites


def drawn(**changed):
    plain = {"shape": 0, "scale": 5, "orientation": 0, "x": 15, "y": 15}
    return render(np.float32([list((plain | changed).values())]))[0, 0].astype(float) / 255


def middle(picture):
    """(x, y) of the centre of mass, pixels from the upper left corner."""
    at = np.arange(32) + 0.5
    return (picture.sum(0) @ at / picture.sum(), picture.sum(1) @ at / picture.sum())


def test_a_square_has_its_area_whatever_its_angle():
    area = (2 * 0.8 * 5.5) ** 2
    for scale, share in ((5, 1), (0, 1 / 4)):  # half the scale, a quarter of the area; points are 1/4 px apart
        for orientation in (0, 3, 5):
            assert drawn(scale=scale, orientation=orientation).sum() == pytest.approx(share * area, rel=0.1)


@pytest.mark.parametrize("shape", [0, 1])
def test_x_and_y_move_the_middle(shape):
    for index in (0, 31):
        place = 8 + 16 * index / 31
        assert middle(drawn(shape=shape, x=index))[0] == pytest.approx(place, abs=0.1)
        assert middle(drawn(shape=shape, y=index))[1] == pytest.approx(place, abs=0.1)


def test_orientation_turns_an_ellipse_by_a_quarter_at_index_10():
    assert pytest.approx(drawn(shape=1, orientation=10)[:, ::-1], abs=0.51) == drawn(shape=1).T
    assert (drawn(shape=1).sum(1) > 0).sum() < (drawn(shape=1).sum(0) > 0).sum()  # wider than high


def test_a_hearts_point_is_at_the_bottom_and_it_is_its_own_mirror_image():
    heart = drawn(shape=2, x=15.5, y=15.5)
    rows = np.flatnonzero(heart.sum(1))
    assert heart[rows[-1]].sum() < heart[rows[0]].sum()
    assert heart == pytest.approx(heart[:, ::-1], abs=0.13)


def test_no_sprite_is_cut_off_by_the_edge():
    corners = [[s, 5, o, x, y] for s in range(3) for o in range(40) for x in (0, 31) for y in (0, 31)]
    pictures = render(np.float32(corners))[:, 0]
    assert not pictures[:, [0, -1]].any()
    assert not pictures[:, :, [0, -1]].any()


def test_the_set_says_what_it_is_and_every_value_occurs():
    images = sprites(2000)
    assert images.name == "sprites (rendered, not the dSprites file; 2,000 pictures)"
    assert images.pixels.shape == (2000, 1, 32, 32)
    counts = [len(column.unique()) for column in images.attributes.T]
    assert counts == [len(factor.kinds) for factor in FACTORS.values()] == [3, 6, 40, 32, 32]
    assert images.labels.tolist() == images.attributes[:, 0].long().tolist()
    assert sprites(10).pixels.equal(images.pixels[:10])


def test_they_are_a_source_of_the_mnist_notebook(monkeypatch):
    monkeypatch.setattr(mnist, "SPRITES", 50)
    images = load_images("mnist", "dsprites")
    assert (len(images), len(images.held_out)) == (40, 10)
    assert (images.kind, images.stand_in_note) == ("sprites", "rendered, not the dSprites file")

"""picture_measures.py: pictures whose slant, width, light and colour are known in closed form."""

import math

import pytest
import torch
from scipy.stats import spearmanr
from torch import tensor

from fake_run import bars
from infogan_core.data.rendered.faces import faces
from infogan_core.measure import picture_measures
from infogan_core.measure.code_effects import COLOUR_MEASURES


@pytest.mark.parametrize("shear", [-0.4, 0.0, 0.3])
def test_slant_is_the_shear(shear):
    """A bar leaning right by `shear` px per px up, as "/" does, measures +shear."""
    assert picture_measures.slant(bars(shear)[0]).item() == pytest.approx(shear, abs=0.005)


@pytest.mark.parametrize("w", [1, 2, 3, 12])
def test_width_of_a_rectangle(w):
    x = torch.zeros(1, 28, 28)
    x[:, 4:24, 5 : 5 + w] = 0.7
    assert picture_measures.width(x).item() == pytest.approx(w, abs=1e-6)


def test_width_does_not_count_the_slant():
    """Leaning by 0.4 over 28 rows makes a 3 px bar's bounding box 14 px wide, and leaves its width."""
    assert picture_measures.width(bars(0.4)[0]).item() == pytest.approx(
        picture_measures.width(bars(0.0)[0]).item(), rel=0.05
    )


@pytest.mark.parametrize("w", [2, 3, 4])
def test_thickness_of_a_bar(w):
    """Edge to edge of the picture, so without ends; grey strokes count as bright ones do."""
    x = torch.zeros(2, 28, 28)
    x[:, :, 10 : 10 + w] = tensor([1.0, 0.4])[:, None, None]
    assert picture_measures.stroke_thickness(x).tolist() == pytest.approx([w, w], abs=1e-6)


@pytest.mark.parametrize("w", [1.6, 2.5, 3.3])
def test_thickness_of_soft_bars(w):
    """Edges that fall within pixels, on a bar w px wide along the row and so w / sqrt(1.01) thick: to 5%."""
    assert picture_measures.stroke_thickness(bars(0.1, w)[0]).item() == pytest.approx(w / math.sqrt(1.01), rel=0.05)


@pytest.mark.parametrize("grey", [0.0, 1.0])
def test_even_picture_measures_no_nan(grey):
    """Without an edge there is no stroke: thickness 0, slant 0."""
    x = torch.full((1, 28, 28), grey)
    assert (picture_measures.stroke_thickness(x).item(), picture_measures.slant(x).item()) == pytest.approx(
        (0, 0), abs=1e-9
    )
    assert picture_measures.width(x).isfinite().all()


def flat(*rgb, side=32):
    """One picture of one colour."""
    return tensor(rgb, dtype=torch.float64).view(1, 3, 1, 1).expand(1, 3, side, side).clone()


@pytest.mark.parametrize(
    ("rgb", "turns"),
    [((1, 0, 0), 0), ((1, 1, 0), 1 / 6), ((0, 1, 0), 1 / 3), ((0, 0.5, 0.5), 1 / 2), ((0.2, 0.2, 0.9), 2 / 3)],
)
def test_hue_of_pure_colours(rgb, turns):
    """Whatever their brightness and saturation."""
    assert picture_measures.hue(flat(*rgb)).item() == pytest.approx(turns, abs=1e-9)


def test_hue_is_an_angle_and_grey_has_none():
    """Reds on either side of 0 average to 0, not to 1/2; grey is the middle of the chroma plane."""
    reds = torch.cat([flat(1, 0, 0.1), flat(1, 0.1, 0)], dim=3)
    assert picture_measures.hue(reds).item() % 1 == pytest.approx(0, abs=1e-9)
    assert picture_measures.chroma(flat(0.5, 0.5, 0.5)).abs().max().item() == pytest.approx(0, abs=1e-12)


def test_light_of_a_half_white_picture():
    """Black and white halves: brightness 1/2, contrast 1/2, no saturation; a flat picture has no contrast."""
    x = flat(1, 1, 1)
    x[..., :16] = 0
    numbers = [
        f(x).item() for f in (picture_measures.brightness, picture_measures.contrast, picture_measures.saturation)
    ]
    assert numbers == pytest.approx([0.5, 0.5, 0], abs=1e-9)
    assert picture_measures.contrast(flat(0.3, 0.8, 0.1)).item() == pytest.approx(0, abs=1e-9)


def test_saturation_does_not_depend_on_brightness():
    assert [
        picture_measures.saturation(flat(*rgb)).item() for rgb in ((0.8, 0.2, 0.2), (0.4, 0.1, 0.1), (0, 0, 0))
    ] == (pytest.approx([0.75, 0.75, 0]))


@pytest.mark.parametrize("side", [28, 32, 64])
def test_border_leaves_the_middle_out(side):
    """A white middle on black has a black border, and a white frame of an eighth a white one."""
    x, edge = torch.zeros(1, 3, side, side), side // 8
    x[..., edge:-edge, edge:-edge] = 1
    assert picture_measures.brightness(picture_measures.border(x)).item() == 0
    assert picture_measures.brightness(picture_measures.border(1 - x)).item() == pytest.approx(1)


def test_edges_tell_left_from_right():
    """A white stroke two pixels wide at the left edge: two unit steps in five differences, and none at the right."""
    x = flat(0, 0, 0)
    x[..., 2:4] = 1
    assert COLOUR_MEASURES["left edge"](x).item() == pytest.approx(2 / 5)
    assert COLOUR_MEASURES["right edge"](x).item() == 0


def test_mirror_axis_follows_the_pattern():
    """A symmetric pattern k px right of the middle has its axis there; its mirror image the opposite; flat: 0."""
    found = []
    for shift in (-3, 0, 2):
        columns = torch.arange(32) - 15.5 - shift
        x = (torch.exp(-(columns**2) / 8) + torch.exp(-((columns.abs() - 6) ** 2))).expand(1, 3, 32, 32)
        found.append(picture_measures.mirror_axis(x, sharpness=200).item())
        assert picture_measures.mirror_axis(x.flip(3)).item() == pytest.approx(
            -picture_measures.mirror_axis(x).item(), abs=1e-9
        )
    assert found == pytest.approx([-3, 0, 2], abs=0.1)
    assert picture_measures.mirror_axis(flat(0.5, 0.5, 0.5)).item() == pytest.approx(0, abs=1e-9)


def test_mirror_axis_tells_a_turned_head_from_light_from_the_side():
    """Of rendered faces, lit from a side: its rank correlates with their azimuth, and not with the light.

    They are not aligned by their eyes, as photographs are: here the axis goes with the head.
    """
    images = faces(1000, seed=1)
    azimuth = images.attributes[:, images.attribute_names.index("azimuth")]
    slope = torch.rand(1000, generator=torch.Generator().manual_seed(0)) - 0.5
    lit = images.pixels / 255 * (1 + slope[:, None, None, None] * torch.linspace(-1, 1, 32))
    axis = picture_measures.mirror_axis(lit)
    assert spearmanr(axis, azimuth).statistic > 0.45
    assert abs(spearmanr(axis, slope).statistic) < 0.1

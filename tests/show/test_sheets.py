"""Sheets around a setting: each cell is what the run generates for it, and the setting is framed."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from infogan_core.model.latents import Categorical, LatentSpec, Uniform
from infogan_core.show.figures import LIGHT, sweep
from infogan_core.show.sheets import (
    FRAME,
    PAD,
    all_codes,
    animation,
    back_and_forth,
    column_labels,
    labelled,
    sheet,
    strips,
)
from painted_run import PaintedRun

SPEC = LatentSpec(1, (Categorical(4), Uniform()))
SIDE = SPEC.width  # of PaintedRun's pictures


def setting(category, value, noises=1):
    noise = torch.linspace(-1, 1, noises)[:, None] if noises > 1 else torch.zeros(1, 1)
    return noise, [torch.tensor([category]), torch.tensor([value])]


def cell(picture, row, column):
    y, x = (PAD + k * (SIDE + PAD) for k in (row, column))
    return picture[y : y + SIDE, x : x + SIDE]


def generated(run, noise, codes):
    x = run.generate(noise[None], [torch.tensor([c]) for c in codes])[0]
    return (x * 255).round().byte().permute(1, 2, 0).numpy()


def framed(picture):
    """(row, column) of each cell with a coloured frame on all its sides."""
    step = SIDE + PAD
    cells = [(r, c) for r in range(picture.shape[0] // step) for c in range(picture.shape[1] // step)]
    return [
        (r, c)
        for r, c in cells
        if {
            tuple(p)
            for p in (
                picture[r * step, c * step + PAD],
                picture[(r + 1) * step, c * step + PAD],
                picture[r * step + PAD, c * step],
                picture[r * step + PAD, (c + 1) * step],
            )
        }
        == {FRAME}
    ]


def test_a_sheet_sweeps_one_code_for_several_noises_and_keeps_the_others():
    run = PaintedRun(SPEC, channels=3)
    noise, codes = setting(2, 0.5, noises=3)
    picture = sheet(run, noise, codes, code=0)
    for row in range(3):
        for column in range(4):
            assert np.array_equal(cell(picture, row, column), generated(run, noise[row], (column, 0.5)))
    assert framed(picture) == [(0, 2), (1, 2), (2, 2)]


def test_all_codes_has_a_row_per_code_swept_around_the_setting():
    run = PaintedRun(SPEC, channels=3)
    noise, codes = setting(2, 0.5)
    picture, values = all_codes(run, noise, codes), sweep(SPEC.codes[1]).tolist()
    for column in range(4):
        assert np.array_equal(cell(picture, 0, column), generated(run, noise[0], (column, 0.5)))
    for column, value in enumerate(values):
        assert np.array_equal(cell(picture, 1, column), generated(run, noise[0], (2, value)))
    assert (cell(picture, 0, 4) == LIGHT).all()  # a code with fewer values than another ends earlier
    assert framed(picture) == [(0, 2), (1, values.index(pytest.approx(0.4)))]  # 0.4 is the nearest of -2, -1.6, ... 2


def test_strips_show_what_each_category_makes_of_the_setting():
    run = PaintedRun(SPEC)
    noise, codes = setting(2, 0.5)
    made = strips(run, noise, codes)
    assert made.keys() == {0}
    for k in range(4):
        assert np.array_equal(made[0][:, k * SIDE : (k + 1) * SIDE], generated(run, noise[0], (k, 0.5)))


def test_a_spec_without_categories_has_no_strips():
    run = PaintedRun(LatentSpec(1, (Uniform(),)))
    assert strips(run, torch.zeros(1, 1), [torch.zeros(1)]) == {}


@pytest.mark.parametrize(("code", "frames", "pause"), [(0, 6, 500), (1, 80, 100)])
def test_an_animation_goes_back_and_forth_for_ever(code, frames, pause):
    gif = Image.open(io.BytesIO(animation(PaintedRun(SPEC, channels=3), *setting(0, 0.0), code, scale=1)))
    assert gif.info["loop"] == 0
    total = 0
    for frame in range(gif.n_frames):  # equal neighbours are merged, and shown for longer
        gif.seek(frame)
        total += gif.info["duration"]
    assert total == frames * pause == len(back_and_forth(SPEC.codes[code])) * pause


def test_an_animation_of_rendered_pictures_says_so():
    run = PaintedRun(SPEC, channels=3)
    plain, run.env = animation(run, *setting(0, 0.0), 0, scale=8), {"note": "rendered, not SVHN"}
    labelled = Image.open(io.BytesIO(animation(run, *setting(0, 0.0), 0, scale=8)))
    assert labelled.height > Image.open(io.BytesIO(plain)).height


def test_labels_stand_in_a_margin_at_the_left_and_above():
    picture = Image.new("RGB", (60, 40), "white")
    whole = labelled(picture, ["0", "1", "2"], ["noise 3", "noise 4"])
    left, top = whole.width - 60, whole.height - 40
    assert np.array_equal(np.asarray(whole)[top:, left:], np.asarray(picture))
    for margin in (whole.crop((0, top, left, whole.height)), whole.crop((left, 0, whole.width, top))):
        assert margin.convert("L").getextrema()[0] < 100


def test_columns_of_both_kinds_of_codes_have_both_labels():
    assert column_labels([Categorical(3)]) == ["0", "1", "2"]
    labels = column_labels([Categorical(3), Uniform(), Categorical(2)])
    assert labels == [
        "0\n-2.0",
        "1\n-1.6",
        "2\n-1.2",
        *(f"\n{v}" for v in ("-0.8", "-0.4", "0.0", "0.4", "0.8", "1.2", "1.6", "2.0")),
    ]

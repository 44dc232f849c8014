"""Figures: the arithmetic of grids, what a traversal sweeps and keeps, ceilings that are true, files that are whole."""

import io
import math
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from infogan_core.data.images import ImageSet
from infogan_core.model.latents import Categorical, LatentSpec, Uniform
from infogan_core.show import figures
from infogan_core.show.curves import curves

MNIST = LatentSpec(3, (Categorical(4), Uniform(), Uniform()))


def fake_run(spec=MNIST, channels=1, names=None, steps=(10, 20, 30)):
    """A run whose pictures are its latents, encoded, as columns of grey; it remembers what it was given."""
    config = SimpleNamespace(latents=spec, objective="gan")
    run = SimpleNamespace(config=config, report={"names": names} if names else {}, env={}, own_names={})

    def generate(noise, codes):
        run.noise, run.codes = noise, codes
        return spec.encode(noise, codes).sigmoid()[:, None, None, :].expand(-1, channels, 6, -1)

    run.generate = generate
    rest = {"loss_d": 1.3, "loss_g": 0.9, "d_real": 0.6, "d_fake": 0.4, "seconds": 1.0}
    run.records = [{"step": step, "mi": [step / 100 + i for i in range(len(spec.codes))], **rest} for step in steps]
    return run


def panel(figure: Figure, title: str):
    return next(axes for axes in figure.axes if title in axes.get_title(loc="left"))


def ceilings(axes) -> list[float]:
    return [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--"]


@pytest.mark.parametrize(
    ("n", "columns", "sides"), [(6, 3, (16, 28)), (7, 3, (25, 28)), (2, 10, (7, 18)), (1, 1, (7, 8))]
)
def test_a_grid_has_two_pixels_between_pictures_and_none_around(n, columns, sides):
    assert figures.grid(torch.zeros(n, 3, 7, 8), columns).shape == (*sides, 3)


def test_a_grid_without_padding_is_the_pictures_alone():
    x = torch.arange(4 * 2 * 3, dtype=torch.uint8).reshape(4, 1, 2, 3)
    assert figures.grid(x, 2, pad=0)[:2, 3:, 0].tolist() == x[1, 0].tolist()


def test_a_grid_runs_row_by_row_and_rounds_floats():
    sheet = figures.grid(torch.tensor([0.0, 0.5, 1.0, 2.0]).reshape(4, 1, 1, 1), 2, pad=1)
    assert sheet[..., 0].tolist() == [[0, figures.LIGHT, 128], [figures.LIGHT] * 3, [255, figures.LIGHT, 255]]


@pytest.mark.parametrize("shape", [(0, 1, 4, 4), (2, 2, 4, 4), (1, 4, 4)])
def test_a_grid_refuses_what_are_no_pictures(shape):
    with pytest.raises(ValueError, match=r"needs pictures \[N, 1 or 3, H, W\], found shape"):
        figures.grid(torch.zeros(shape))


def test_a_grid_takes_arrays_and_lists_of_pictures():
    x = torch.rand(3, 1, 4, 5, generator=torch.Generator().manual_seed(0))
    expected = figures.grid(x, 2)
    for same in (x.numpy(), list(x), list(x.numpy()), tuple(x), x.tolist()):
        assert np.array_equal(figures.grid(same, 2), expected)


def test_a_folder_stands_for_its_run_and_what_is_no_run_is_refused(smoke_run, tmp_path):
    expected = figures.traversal(smoke_run, 0, rows=2)
    for folder in (smoke_run.path, str(smoke_run.path)):
        assert np.array_equal(figures.traversal(folder, 0, rows=2), expected)
    with pytest.raises(FileNotFoundError, match="is no run directory"):
        figures.samples(str(tmp_path))
    with pytest.raises(ValueError, match="needs a run, or the folder of one, found ndarray"):
        curves(np.zeros(3))


def images_of(name="ours", note="", n=12):
    pixels = torch.arange(n, dtype=torch.uint8).reshape(n, 1, 1, 1).expand(n, 1, 28, 28).contiguous()
    held_out = ImageSet(pixels[: n // 2], None, f"{name}, held out", stand_in_note=note)
    return ImageSet(pixels, None, name, held_out, stand_in_note=note)


def words_of(figure) -> list[str]:
    return [text.get_text() for text in (*figure.axes[0].texts, *figure.texts)]


def test_held_out_pictures_stand_at_the_left_of_as_many_generated_ones(smoke_run):
    figure = figures.real_and_generated(smoke_run, images_of(), n=6)
    sheet = figure.axes[0].images[0].get_array()[..., 0]
    assert [sheet[10, 30 * i + 10] for i in range(6)] == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(sheet[:, -(6 * 30 - 2) :], figures.samples(smoke_run, 6)[..., 0])
    assert words_of(figure)[:2] == ["real, held out", "generated"]


def test_pictures_beside_generated_ones_say_if_they_are_rendered_and_what_the_run_was_trained_on(smoke_run):
    other = figures.real_and_generated(smoke_run, images_of("ours", "rendered, not MNIST"))
    assert words_of(other)[0] == "rendered, not MNIST, held out"
    assert words_of(other)[2] == f"this run was trained on: {smoke_run.env['data']}"
    same = figures.real_and_generated(smoke_run, images_of(smoke_run.env["data"]))
    assert words_of(same)[2] == ""


def test_pictures_of_another_size_are_not_shown_beside_generated_ones(smoke_run):
    large = ImageSet(torch.zeros(4, 1, 32, 32, dtype=torch.uint8), None, "large")
    with pytest.raises(ValueError, match=r"large: the run's pictures are \[1, 28, 28\], these are \[1, 32, 32\]"):
        figures.real_and_generated(smoke_run, large)


def test_samples_follow_the_seed():
    run = fake_run(channels=3)
    first, again, other = (figures.samples(run, 20, seed) for seed in (0, 0, 1))
    assert first.shape == (2 * 8 - 2, 10 * 11 - 2, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("code", "columns"), [(0, 4), (1, 11), (2, 11)])
def test_a_traversal_has_a_row_per_noise_and_a_column_per_value(code, columns):
    sheet = figures.traversal(fake_run(), code, rows=5)
    assert sheet.shape == (5 * 8 - 2, columns * 11 - 2, 1)
    assert sheet.dtype == np.uint8


def test_a_traversal_changes_one_code_along_a_row_and_nothing_else():
    run = fake_run()
    figures.traversal(run, code=1, rows=5)
    noise, (c1, c2, c3) = run.noise.reshape(5, 11, 3), [c.reshape(5, 11) for c in run.codes]
    assert (noise == noise[:, :1]).all()
    assert (c1 == c1[:, :1]).all()
    assert (c3 == c3[:, :1]).all()
    assert (c2 == c2[:1]).all()
    assert len(noise[:, 0].unique(dim=0)) == len(c3[:, 0].unique()) == 5


def test_a_continuous_code_is_swept_evenly_over_twice_the_trained_range_and_the_rest_stays_in_it():
    run = fake_run()
    figures.traversal(run, code=1, rows=50)
    assert run.codes[1][:11].tolist() == pytest.approx([-2 + 0.4 * i for i in range(11)], abs=1e-6)
    assert run.codes[2].abs().max() <= 1


def test_rows_of_a_continuous_code_go_through_the_categories():
    run = fake_run()
    figures.traversal(run, code=1, rows=6, columns=2, limit=1)
    assert run.codes[0][::2].tolist() == [0, 1, 2, 3, 0, 1]


def test_a_categorical_code_is_swept_over_its_categories():
    run = fake_run()
    figures.traversal(run, code=0, rows=2)
    assert run.codes[0].tolist() == [0, 1, 2, 3] * 2
    assert run.codes[0].dtype == torch.int64


@pytest.mark.parametrize("wrong", [{"code": 3}, {"code": -1}, {"columns": 0}, {"code": 0, "columns": 5}, {"limit": 0}])
def test_a_traversal_that_cannot_be_is_refused_in_one_line(wrong):
    with pytest.raises(ValueError, match=r"^[^\n]+, found -?\d$"):
        figures.traversal(fake_run(), **wrong)


def test_an_annotated_sheet_says_its_code_values_rows_and_note():
    run = fake_run(names={"c2": "slant $"})
    run.env = {"note": "a stand-in"}
    figure = figures.traversal_figure(run, 1, rows=5)
    axes = figure.axes[0]
    assert {text.get_text() for text in figure.texts} == {"c2: slant $", "a stand-in"}
    assert [text.get_text() for text in axes.get_xticklabels()][4:7] == ["\N{MINUS SIGN}0.4", "0.0", "0.4"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["0", "1", "2", "3", "0"]


def test_what_was_trained_on_rendered_pictures_says_so_on_every_figure():
    run = fake_run()
    run.env = {"note": "rendered, not SVHN"}
    assert "rendered, not SVHN" in [text.get_text() for text in figures.traversal_figure(run, 1).texts]
    assert curves(run).get_supxlabel() == "rendered, not SVHN"
    plain, noted = (figures.show(np.full((40, 200, 3), 255, np.uint8), 1, note=note) for note in ("", "rendered"))
    assert noted.height == plain.height + 20
    assert np.asarray(noted)[40:].min() < 128


@pytest.mark.parametrize(("limit", "first", "last"), [(2.0, -1, 1), (1.0, -1, 1), (0.5, -0.5, 0.5)])
def test_the_bracket_marks_the_trained_range(limit, first, last):
    axes = figures.traversal_figure(fake_run(), 1, rows=2, limit=limit).axes[0]
    ticks, ends = axes.get_xticks(), axes.lines[0].get_xdata()[[0, -1]]
    values = (ends - ticks.mean()) * 2 * limit / np.ptp(ticks)
    assert values == pytest.approx([first, last])


def test_a_categorical_sheet_has_no_trained_range():
    assert not figures.traversal_figure(fake_run(), 0).axes[0].lines


def test_an_annotated_sheet_enlarges_every_pixel_alike():
    run = fake_run()
    sheet = figures.traversal(run, 1)
    image = np.asarray(Image.open(io.BytesIO(figures.png_bytes(figures.traversal_figure(run, 1)))).convert("L"))
    scale = round(figures.SIDE * figures.DPI / max(sheet.shape[:2]))
    enlarged = sheet[..., 0].repeat(scale, 0).repeat(scale, 1)
    top, left = round(0.6 * figures.DPI), round(0.5 * figures.DPI)
    drawn = image[top : top + enlarged.shape[0], left : left + enlarged.shape[1]]
    assert np.array_equal(drawn, enlarged)


def test_categorical_curves_are_the_records_under_ln_k():
    axes = panel(curves(fake_run()), "categorical")
    assert axes.lines[0].get_xydata().tolist() == [[10, 0.1], [20, 0.2], [30, 0.3]]
    assert ceilings(axes) == pytest.approx([math.log(4)])


@pytest.mark.parametrize(("sigma", "ceiling"), [(1.0, -0.2258), (0.5, 0.4674)])
def test_a_fixed_sigma_puts_the_ceiling_of_a_continuous_code_at_no_error_and_not_at_its_entropy(sigma, ceiling):
    spec = LatentSpec(3, (Categorical(4), Uniform(sigma), Uniform(sigma)))
    q, c = torch.linspace(-1, 1, 5)[:, None], torch.linspace(-1, 1, 5)
    exact = (Uniform(sigma).log_q(q, c).mean() + Uniform(sigma).entropy).item()
    assert ceilings(panel(curves(fake_run(spec)), "continuous")) == pytest.approx([ceiling], abs=1e-4)
    assert exact == pytest.approx(ceiling, abs=1e-4)


def test_a_learned_sigma_has_no_ceiling():
    spec = LatentSpec(3, (Uniform(None), Uniform(None)))
    assert ceilings(panel(curves(fake_run(spec)), "continuous")) == []


@pytest.mark.parametrize("codes", [(Categorical(10),) * 10, (Uniform(),), (Categorical(2), Categorical(3), Uniform())])
def test_curves_have_a_panel_per_kind_of_code_and_two_for_the_game(codes):
    figure = curves(fake_run(LatentSpec(2, codes)))
    lines = [sum(line.get_linestyle() != "--" for line in axes.lines) for axes in figure.axes]
    kinds = [sum(isinstance(code, kind) for code in codes) for kind in (Categorical, Uniform)]
    assert lines == [*filter(None, kinds), 2, 2]


def test_ten_codes_have_ten_colours_and_their_symbols_at_their_ends():
    axes = panel(curves(fake_run(LatentSpec(2, (Categorical(10),) * 10))), "categorical")
    (inset,) = axes.child_axes
    assert len({line.get_color() for line in axes.lines if line.get_linestyle() != "--"}) == 10
    colour_of = {text.get_text(): text.get_color() for text in inset.texts}
    line_of = {line.get_color(): line.get_ydata()[-1] for line in inset.lines}
    assert [line_of[colour_of[f"c{i + 1}"]] for i in range(10)] == pytest.approx([0.3 + i for i in range(10)])


@pytest.mark.parametrize(("objective", "title"), [("gan", "D's output"), ("hinge", "sigmoid of D's score")])
def test_what_is_no_probability_is_not_called_one(objective, title):
    run = fake_run()
    run.config.objective = objective
    assert (panel(curves(run), title).get_ylabel() == "probability") == (objective == "gan")


def test_curves_of_no_records_are_refused():
    with pytest.raises(ValueError, match="no records"):
        curves(fake_run(steps=()))


def test_figures_show_themselves_without_pyplot():
    """In a fresh process; and drawing needs matplotlib only once a figure is asked for."""
    code = (
        "import sys; from infogan_core.show import figures; assert 'matplotlib' not in sys.modules\n"
        "from matplotlib.figure import Figure; data, meta = figures.showable(Figure(), 'a < b')._repr_mimebundle_()\n"
        "assert data['image/png'].startswith(b'\\x89PNG') and meta['image/png']['width'] > 0\n"
        "assert 'alt=\"a &lt; b\"' in data['text/html']; assert 'matplotlib.pyplot' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_png_bytes_are_the_sheet_enlarged_in_squares(channels):
    sheet = np.random.default_rng(0).integers(0, 256, (4, 5, channels), np.uint8)
    decoded = np.asarray(Image.open(io.BytesIO(figures.png_bytes(figures.show(sheet, 3))))).reshape(12, 15, channels)
    assert np.array_equal(decoded, sheet.repeat(3, 0).repeat(3, 1))


def test_smooth_enlargement_keeps_the_size_and_makes_new_greys():
    sheet = np.array([[0, 255], [255, 0]], np.uint8)[..., None]
    image = figures.show(sheet, 10, smooth=True)
    assert image.size == (20, 20)
    assert len(np.unique(np.asarray(image))) > 2


def test_save_png_writes_what_is_read_back(tmp_path):
    sheet = figures.samples(fake_run(), 4)
    figures.save_png(tmp_path / "sheet.png", sheet)
    figures.save_png(tmp_path / "figure.png", curves(fake_run()))
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sheet.png"))[..., None], sheet)
    assert Image.open(tmp_path / "figure.png").width == 9 * figures.DPI


def test_a_failing_write_leaves_the_old_picture_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "sheet.png"
    path.write_bytes(b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        figures.save_png(path, np.zeros((2, 2, 1), np.uint8))
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"sheet.png": b"old"}


def test_two_codes_of_one_name_say_what_grows_with_each():
    run = fake_run(names={"c2": "slant and thickness", "c3": "slant and thickness"})
    run.report["codes"] = {"c2": {"slant": -0.9, "thickness": 0.9}, "c3": {"slant": -0.9, "thickness": -0.9}}
    assert figures.code_title(run, 1) == "c2: slant \N{DOWNWARDS ARROW} and thickness \N{UPWARDS ARROW}"
    assert figures.code_title(run, 2) == "c3: slant \N{DOWNWARDS ARROW} and thickness \N{DOWNWARDS ARROW}"

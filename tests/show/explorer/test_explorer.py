"""The explorer without a browser: a control that moves, moves the picture, once."""

import gc
import html
import io
import re
from base64 import b64decode
from pathlib import Path

import ipywidgets as widgets
import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from nbconvert import HTMLExporter, MarkdownExporter
from PIL import Image

from helpers import ROOT
from infogan_core.model.latents import Categorical
from infogan_core.show import figures
from infogan_core.show.explorer import explorer as explorer_module
from infogan_core.show.explorer.explorer import LAST_SEED, Explorer
from painted_run import MNIST, SPECS, PaintedRun, pixels, png


@pytest.mark.parametrize(
    ("control", "value", "dtype"), [(0, 3, torch.int64), (1, 1, torch.float32), (2, -2, torch.float32)]
)
def test_a_moved_control_changes_the_pixels_in_one_redraw(control, value, dtype):
    run = PaintedRun()
    explorer = Explorer(run)
    before, pictures = pixels(explorer), run.pictures
    explorer.controls[control].value = value
    assert not np.array_equal(pixels(explorer), before)
    assert run.pictures == pictures + 1
    assert torch.equal(run.codes[control], torch.tensor([value], dtype=dtype))


@pytest.mark.parametrize(("control", "state"), [(0, {"index": 3}), (1, {"value": 0.5})])
def test_a_message_of_the_browser_is_one_redraw(control, state):
    run = PaintedRun()
    explorer = Explorer(run)
    before, pictures = png(explorer), run.pictures
    explorer.controls[control].set_state(state)
    assert png(explorer) != before
    assert run.pictures == pictures + 1


def test_the_picture_is_what_the_run_generates_for_the_setting():
    run = PaintedRun(channels=3)
    explorer = Explorer(run)
    explorer.controls[0].value, explorer.controls[1].value, explorer.noise.value = 7, 1.5, 5
    noise = MNIST.sample_noise(1, torch.Generator().manual_seed(5))
    x = run.generate(noise, [torch.tensor([7]), torch.tensor([1.5]), torch.tensor([0.0])])
    expected = figures.show(figures.grid(x), round(280 / x.shape[-1]), smooth=True)
    assert np.array_equal(pixels(explorer), np.asarray(expected))


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_controls_follow_the_latent_spec(spec):
    explorer = Explorer(PaintedRun(spec, channels=3))
    assert [c.description for c in explorer.controls] == [spec.name(i) for i in range(len(spec.codes))]
    assert [c.value for c in explorer.controls] == spec.start()
    for code, control in zip(spec.codes, explorer.controls, strict=True):
        if isinstance(code, Categorical):
            assert isinstance(control, widgets.ToggleButtons)
            assert control.options == tuple(range(code.k))
            assert len(control.tooltips) == code.k
        else:
            assert isinstance(control, widgets.FloatSlider)
            assert (control.min, control.max, control.value) == (-2, 2, 0)
            assert control.continuous_update
    assert explorer.error.value == ""


def test_codes_carry_their_names_and_their_symbols():
    explorer = Explorer(PaintedRun(names={"c2": "slant"}))
    assert [c.description for c in explorer.controls] == ["c1", "c2: slant", "c3"]
    assert [title for title, _ in explorer.sweep_code.options] == ["c1", "c2: slant", "c3"]


def test_new_noise_is_the_next_seed_in_one_redraw():
    run = PaintedRun()
    explorer, other = Explorer(run, seed=3), Explorer(PaintedRun(), seed=4)
    before, pictures = png(explorer), run.pictures
    explorer.new_noise.click()
    assert explorer.noise.value == 4
    assert run.pictures == pictures + 1
    assert png(explorer) == png(other) != before


def test_a_picture_of_a_run_on_rendered_pictures_says_so_in_the_png():
    """It is what stands in an executed notebook, and what is saved."""
    run = PaintedRun()
    plain = Image.open(io.BytesIO(png(Explorer(run))))
    run.env = {"note": "rendered, not SVHN"}
    labelled = Image.open(io.BytesIO(png(Explorer(run))))
    assert labelled.crop((0, 0, *plain.size)).tobytes() == plain.tobytes()
    assert labelled.crop((0, plain.height, *labelled.size)).getextrema() != (255, 255)  # ink on white


def test_after_the_last_seed_comes_the_first():
    explorer = Explorer(PaintedRun(), seed=LAST_SEED)
    explorer.new_noise.click()
    assert explorer.noise.value == 0


def test_reset_restores_the_first_bytes_in_one_redraw():
    run = PaintedRun()
    explorer = Explorer(run, seed=3)
    first = png(explorer)
    explorer.play.playing = True
    for control, value in zip([*explorer.controls, explorer.noise, explorer.play], [7, 1.0, -0.5, 9, 4], strict=True):
        control.value = value
    pictures = run.pictures
    explorer.reset.click()
    assert png(explorer) == first
    assert run.pictures == pictures + 1
    assert not explorer.play.playing


def test_a_tick_under_way_at_reset_moves_nothing():
    explorer = Explorer(PaintedRun())
    explorer.play.playing = True
    explorer.play.value = 3
    explorer.reset.click()
    explorer.play.value = 4
    assert explorer.controls[0].value == MNIST.start()[0]


def swept(explorer, code: int) -> list:
    """The code's values through one whole turn of the play button, from the start on."""
    explorer.sweep_code.value, explorer.play.playing = code, True
    values = [explorer.controls[code].value]
    for tick in [*range(1, explorer.play.max + 1), 0]:
        explorer.play.value = tick
        values.append(explorer.controls[code].value)
    return values


def test_play_sweeps_categories_back_and_forth():
    first = MNIST.start()[0]
    assert swept(Explorer(PaintedRun()), 0) == [*range(first, 10), *range(8, -1, -1), *range(1, first + 1)]


def test_play_sweeps_a_slider_from_the_middle_to_both_ends_and_back_in_even_steps():
    explorer = Explorer(PaintedRun())
    values = swept(explorer, 2)
    assert (values[0], values[20], values[60], values[80]) == (0, 2, -2, 0)
    assert np.abs(np.diff(values)) == pytest.approx(0.1)
    assert explorer.controls[1].value == 0


def test_a_tick_is_one_redraw_and_choosing_a_code_is_none():
    run = PaintedRun()
    explorer = Explorer(run)
    explorer.play.playing, explorer.controls[1].value = True, 1.5
    explorer.play.value = 5
    pictures = run.pictures
    explorer.sweep_code.value = 1
    assert run.pictures == pictures
    explorer.play.value = 1
    assert run.pictures == pictures + 1


def test_an_error_is_shown_escaped_with_the_last_picture_and_goes_away():
    run = PaintedRun()
    explorer = Explorer(run)
    first, run.broken = png(explorer), RuntimeError("no <b>memory</b>")
    explorer.controls[1].value = 1.0
    assert ">no &lt;b&gt;memory&lt;/b&gt;<" in explorer.error.value
    assert "details" not in explorer.error.value
    assert png(explorer) == first
    run.broken = None
    explorer.controls[1].value = 0.5
    assert explorer.error.value == ""
    assert png(explorer) != first


@pytest.mark.parametrize("bug", [KeyError("c9"), RuntimeError("sizes do not match\nlarger by one")])
def test_a_bug_keeps_its_traceback_folded(bug):
    run = PaintedRun()
    explorer = Explorer(run)
    run.broken = bug
    explorer.controls[1].value = 1.0
    summary, trace = explorer.error.value.split("<pre>")
    assert summary.endswith(f"<details><summary>A bug: {type(bug).__name__}: {html.escape(str(bug))}</summary>")
    assert "painted_run.py" in trace


def test_the_picture_has_alt_text_of_the_data_the_view_and_the_codes():
    explorer = Explorer(PaintedRun(channels=3))
    explorer.controls[0].value, explorer.view.value = 3, "sheet"
    assert explorer.picture.tooltip == "fake, generated rows of c1, a noise each: c1=3, c2=0, c3=0, noise=0"
    explorer.view.value = "single"
    assert explorer.picture.tooltip == "fake, generated picture: c1=3, c2=0, c3=0, noise=0"


def test_the_first_picture_is_computed_once_on_one_thread_and_the_others_come_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        run = PaintedRun()
        Explorer(run)
        assert (set(run.threads), run.pictures, torch.get_num_threads()) == ({1}, 1, 2)
    finally:
        torch.set_num_threads(before)


def test_moving_makes_no_new_widgets():
    explorer = Explorer(PaintedRun())
    before = len(widgets.Widget.get_manager_state()["state"])
    for i in range(20):
        explorer.controls[1].value = i / 10
    assert len(widgets.Widget.get_manager_state()["state"]) == before


def test_a_closed_explorer_leaves_no_widgets_and_no_memory():
    def live():
        gc.collect()
        return len(widgets.widget._instances), sum(issubclass(type(o), widgets.Widget) for o in gc.get_objects())

    Explorer(PaintedRun()).close()
    before = live()
    for _ in range(20):
        explorer = Explorer(PaintedRun())
        explorer.controls[0].value = 3
        explorer.close()
    del explorer
    assert live() == before


def test_a_still_is_displayed_before_the_widget(monkeypatch):
    explorer, shown = Explorer(PaintedRun()), []
    explorer.controls[0].value = 3
    monkeypatch.setattr(explorer_module, "display", lambda data, raw, metadata=None: shown.append(data))
    explorer._ipython_display_()
    still, widget = shown
    assert still["image/png"] == png(explorer)
    assert 'alt="fake, generated picture: c1=3, c2=0, c3=0, noise=0"' in still["text/html"]
    assert widget["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert widget["text/plain"] == "Explorer(c1=3, c2=0, c3=0, noise=0)"


@pytest.fixture(scope="module")
def executed():
    """A notebook with an Explorer, curves and a sheet, as nbclient leaves it."""
    setup = f"""
import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
import infogan_core as ig
from painted_run import PaintedRun
run = PaintedRun()
run.records = [{{"step": s, "mi": [0.1] * 3, "loss_d": 1, "loss_g": 1, "d_real": 0.6, "d_fake": 0.4}} for s in (1, 2)]
"""
    shown = ("ig.Explorer(run)", "ig.curves(run)", "ig.traversal_figure(run)", "ig.show(ig.samples(run))")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in (setup, *shown)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook


def test_an_executed_notebook_shows_pictures_without_a_magic_line(executed):
    stills = [cell.outputs[0].data["image/png"] for cell in executed.cells[1:]]
    assert all(Image.open(io.BytesIO(b64decode(still))).width > 100 for still in stills)
    assert all('<img alt="' in cell.outputs[0].data["text/html"] for cell in executed.cells[1:])
    _, widget = executed.cells[1].outputs
    assert "application/vnd.jupyter.widget-view+json" in widget.data
    assert widget.data["text/plain"] == f"Explorer(c1={MNIST.start()[0]}, c2=0, c3=0, noise=0)"


def test_converted_to_markdown_or_html_it_is_a_picture_and_no_list_of_widgets(executed):
    still = executed.cells[1].outputs[0].data["image/png"].replace("\n", "")
    text, files = MarkdownExporter().from_notebook_node(executed)
    assert b64decode(still) in files["outputs"].values()
    page, _ = HTMLExporter().from_notebook_node(executed)
    assert f"data:image/png;base64,{still}" in page.replace("\n", "")
    assert "No description has been provided" not in page
    for converted in (text, page):
        assert "Box(children=" not in converted


@pytest.mark.parametrize("view", ["sheet", "all codes"])
def test_another_view_is_another_picture_and_follows_the_controls(view):
    explorer = Explorer(PaintedRun(channels=3))
    single = png(explorer)
    explorer.view.value = view
    first = png(explorer)
    explorer.controls[1].value = 1.0
    assert len({single, first, png(explorer)}) == 3
    explorer.view.value, explorer.controls[1].value = "single", 0.0
    assert png(explorer) == single


def test_the_sheet_shows_the_code_that_is_chosen():
    explorer = Explorer(PaintedRun(channels=3))
    explorer.view.value = "sheet"
    shape = pixels(explorer).shape
    explorer.sweep_code.value = 2
    assert pixels(explorer).shape != shape  # 11 columns of a continuous code, 10 of a category


def test_two_runs_are_compared_on_the_same_noise_and_codes():
    one, other = PaintedRun(), PaintedRun(channels=3)
    for seed, run in enumerate((one, other)):
        run.config.profile, run.config.seed, run.config.lambda_info, run.path = "quick", seed, (1.0, 0.5), Path("there")
    explorer = Explorer(one, other=other)
    explorer.controls[0].value = 4
    assert [view.run for view in explorer.views] == [one, other]
    assert all(torch.equal(a, b) for a, b in zip(one.codes, other.codes, strict=True))
    assert "there: fake quick, seed 1, lambda 1 0.5" in explorer.views[1].children[0].value
    assert all(view.reading.value for view in explorer.views)


def test_runs_of_other_latents_are_not_compared():
    with pytest.raises(ValueError, match="runs to compare need the same noise and codes"):
        Explorer(PaintedRun(), other=PaintedRun(SPECS["svhn"]))


def test_q_is_pictures_beside_what_was_set():
    explorer = Explorer(PaintedRun())
    explorer.controls[0].value, explorer.controls[1].value = 3, 1.0
    drawing = explorer.reading.value
    bars = re.findall(r'<rect class="(read|rest|set)" x="([\d.]+)"', drawing)
    assert [x for kind, x in bars if kind == "read"] == ["22.0"]  # category 1, which Q believes in
    assert [x for kind, x in bars if kind == "set"] == ["62.0"]  # category 3, which was set
    assert '<line class="set" x1="140.0"' in drawing  # 1 on an axis from -2.5 to 2.5, 200 wide
    assert 'circle class="read" cx="110.0"' in drawing  # Q's 0.25
    assert 'aria-label="Q reads: c1 = 1 (98%), c2 = 0.25 ± 0.50, c3 = 0.25 ± 0.50"' in drawing


def test_the_readout_has_whole_names_of_categories():
    for name in ("mouth open 93%", "mouth open"):
        assert ">1 (98%) mouth open<" in Explorer(PaintedRun(names={"c1=1": name})).reading.value

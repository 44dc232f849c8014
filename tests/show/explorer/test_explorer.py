"""The Explorer's side of the kernel: what it answers to the page, and what stands where no page runs."""

import gc
import io
import json
from base64 import b64decode

import ipywidgets as widgets
import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from nbconvert import HTMLExporter, MarkdownExporter
from PIL import Image

import infogan_core as ig
from helpers import ROOT
from infogan_core.model.latents import LatentSpec, Uniform
from infogan_core.show import figures
from infogan_core.show.explorer import explorer as explorer_module
from infogan_core.show.explorer.explorer import Explorer, alert
from painted_run import MNIST, SPECS, PaintedRun


class Page:
    """An Explorer, asked as its page asks it."""

    def __init__(self, *runs, **about):
        self.explorer, self.sent = Explorer(*runs, **about), []
        self.explorer.send = lambda content, buffers: self.sent.append((content, buffers))

    def ask(self, what, floats=(), **message):
        buffer = memoryview(np.asarray(floats, "<f4").tobytes())
        self.explorer._on_message(self.explorer, {"id": "7", "what": what, **message}, [buffer])
        content, buffers = self.sent.pop()
        assert content.pop("id") == "7"
        return content, buffers


def test_it_generates_what_the_run_generates_and_reads_the_first():
    run = PaintedRun(channels=3)
    noise, codes = MNIST.sample(4, torch.Generator().manual_seed(0))
    _, (pictures, reading) = Page(run).ask("generate", MNIST.encode(noise, codes).flatten(), run=0)
    expected = (run.generate(noise, codes) * 255).round().byte()
    assert np.array_equal(np.frombuffer(pictures, np.uint8), expected.flatten().numpy())
    assert np.frombuffer(reading, "<f4") == pytest.approx([0, 0.98] + [0] * 8 + [0.25, 0.5] * 2)


def test_it_reads_a_picture():
    run = PaintedRun()
    _, (reading,) = Page(run).ask("read", np.zeros(MNIST.width**2), run=0)
    assert len(np.frombuffer(reading, "<f4")) == 10 + 2 + 2


def test_noise_is_that_of_the_seed():
    _, (noise,) = Page(PaintedRun()).ask("noises", run=0, seeds=[5, 2**31 - 1])
    for row, seed in zip(np.frombuffer(noise, "<f4").reshape(2, -1), (5, 2**31 - 1), strict=True):
        assert np.array_equal(row, MNIST.sample_noise(1, torch.Generator().manual_seed(seed))[0])


def test_a_gif_has_a_frame_for_each_of_gs_inputs_and_the_note_of_rendered_pictures():
    run = PaintedRun()
    run.env = {"note": "rendered, not MNIST"}
    rows = MNIST.encode(*MNIST.sample(3, torch.Generator().manual_seed(0)))
    _, (gif,) = Page(run).ask("gif", rows.flatten(), run=0, pause=100)
    picture = Image.open(io.BytesIO(gif))
    assert (picture.n_frames, picture.info["duration"]) == (3, 100)
    assert picture.height > picture.width


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_the_page_knows_the_codes_of_any_spec(spec):
    about = Explorer(PaintedRun(spec)).about
    assert [code["symbol"] for code in about["codes"]] == [spec.name(i) for i in range(len(spec.codes))]
    assert [code["k"] for code in about["codes"]] == [getattr(code, "k", 0) for code in spec.codes]
    assert [code["sigma"] for code in about["codes"]] == [getattr(code, "sigma", None) for code in spec.codes]
    assert about["start"] == spec.start()
    json.dumps(about)


def test_a_name_of_ones_own_is_in_quotes_beside_the_run_and_in_figures(smoke_run, tmp_path):
    ig.publish(smoke_run, tmp_path / "run")
    run = ig.load_run(tmp_path / "run", "cpu")
    page = Page(run)
    page.ask("rename", run=0, key="c2", name=" tilt ")
    content, _ = page.ask("rename", run=0, key="c1=3", name="four")
    assert content["about"]["codes"][1]["title"] == "c2: \u201ctilt\u201d"
    assert content["about"]["codes"][0]["labels"][3] == "category 3: \u201cfour\u201d"
    again = ig.load_run(tmp_path / "run", "cpu")
    assert again.own_names == {"c2": "tilt", "c1=3": "four"}
    assert figures.code_title(again, 1) == "c2: \u201ctilt\u201d"
    assert figures.category_label(again, 0, 3) == "3 \u201cfour\u201d"
    page.ask("rename", run=0, key="c2", name="")
    assert ig.load_run(tmp_path / "run", "cpu").own_names == {"c1=3": "four"}
    assert "of one of c1, c2, c3" in page.ask("rename", run=0, key="c9", name="x")[0]["error"]


def test_a_category_says_how_many_of_its_pictures_its_name_fits():
    run = PaintedRun()
    run.report = {"names": {"c1=7": "digit 3 94%"}}
    code = Explorer(run).about["codes"][0]
    assert (code["labels"][7], code["names"][7]) == ("category 7: digit 3 in 94% of its pictures", "digit 3")
    assert code["labels"][0] == "category 0"


def test_an_error_of_ours_is_one_line_and_a_bug_keeps_its_traceback():
    run = PaintedRun()
    page, row = Page(run), np.zeros(MNIST.width)
    run.broken = RuntimeError("no <b>memory</b>")
    assert page.ask("generate", row, run=0) == ({"error": "no <b>memory</b>"}, [])
    assert "no &lt;b&gt;memory" in alert(run.broken)
    run.broken = KeyboardInterrupt()
    assert "KeyboardInterrupt" in page.ask("generate", row, run=0)[0]["error"]
    run.broken = KeyError("c9")
    content, _ = page.ask("generate", row, run=0)
    assert content["error"] == "A bug: KeyError: 'c9'"
    assert "painted_run.py" in content["trace"]


def test_one_thread_computes_and_the_others_come_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        run = PaintedRun()
        Page(run).ask("generate", np.zeros(MNIST.width), run=0)
        assert (set(run.threads), torch.get_num_threads()) == ({1}, 2)
    finally:
        torch.set_num_threads(before)


def test_two_runs_are_compared_on_the_same_codes_and_other_noise_is_told():
    same, other = PaintedRun(path="there"), PaintedRun(LatentSpec(5, MNIST.codes, noise="normal"), path="far")
    assert [r["caption"] for r in Explorer(PaintedRun(), other=same).about["runs"]] == [
        "here: fake quick, seed 0, lambda 1 0.5",
        "there: fake quick, seed 0, lambda 1 0.5",
    ]
    page = Page(PaintedRun(), 0, other)
    assert "5 normal values: compare the codes alone" in page.explorer.about["runs"][1]["caption"]
    assert len(page.ask("noises", run=1, seeds=[3])[1][0]) == 5 * 4
    with pytest.raises(ValueError, match="runs to compare need the same codes"):
        Explorer(PaintedRun(), other=PaintedRun(LatentSpec(3, (Uniform(),))))


def test_a_closed_explorer_leaves_no_widgets_and_no_memory():
    def live():
        gc.collect()
        return len(widgets.widget._instances), sum(issubclass(type(o), widgets.Widget) for o in gc.get_objects())

    Explorer(PaintedRun()).close()
    before = live()
    for _ in range(20):
        explorer = Explorer(PaintedRun())
        explorer.setting = {"codes": {"c1": 3, "c2": 0, "c3": 0}, "noise": 4, "view": "single", "sweep": "c1"}
        explorer.close()
    del explorer
    assert live() == before


def test_a_setting_that_does_not_fit_is_refused_where_it_is_set():
    explorer, good = Explorer(PaintedRun()), {"noise": 1, "view": "single", "sweep": "c1"}
    for codes, complaint in [
        ({"c1": 3}, "a dict of c1, c2, c3"),
        (None, "a dict of c1, c2, c3"),
        ({"c1": "x", "c2": 0, "c3": 0}, "must be numbers"),
        ({"c1": 3.5, "c2": 0, "c3": 0}, "c1 must hold whole numbers from 0 to 9"),
    ]:
        with pytest.raises(ValueError, match=complaint):
            explorer.setting = good | {"codes": codes}
    with pytest.raises(ValueError, match="noise at least 0"):
        explorer.setting = good | {"codes": {"c1": 3, "c2": 0, "c3": 0}, "noise": -1}
    explorer.setting = good | {"codes": {"c3": 0.5, "c2": 0, "c1": 3}}
    assert repr(explorer) == "Explorer(c1=3, c2=0, c3=0.5, noise=1)"


def test_a_still_of_the_setting_is_displayed_before_the_widget(monkeypatch):
    explorer, shown = Explorer(PaintedRun()), []
    first = explorer.still()
    explorer.setting = {"codes": {"c1": 3, "c2": 0, "c3": 0.5}, "noise": 1, "view": "single", "sweep": "c1"}
    monkeypatch.setattr(explorer_module, "display", lambda data, raw, metadata=None: shown.append(data))
    explorer._ipython_display_()
    still, widget = shown
    assert still["image/png"] == explorer.still() != first
    assert 'alt="fake, generated picture: c1=3, c2=0, c3=0.5, noise=1"' in still["text/html"]
    assert widget["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert widget["text/plain"] == "Explorer(c1=3, c2=0, c3=0.5, noise=1)"


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

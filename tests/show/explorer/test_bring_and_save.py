"""What is brought to the Explorer sets it, or is refused in words; what is saved can be brought again."""

import io
import json
import re
from base64 import b64decode
from datetime import UTC, datetime

import numpy as np
import pytest
import torch
from PIL import Image

from infogan_core.show.explorer.explorer import Explorer
from painted_run import SPECS, PaintedRun, pixels, png
from pictures import large_png


def upload(explorer, name, content):
    """An upload, as the browser sends it."""
    file = {"name": name, "type": "", "size": len(content), "content": content, "last_modified": datetime.now(UTC)}
    explorer.bring_and_save.upload.value = (file,)
    return explorer.bring_and_save.message.value


def picture(shade=0, size=(28, 28), form="PNG"):
    buffer = io.BytesIO()
    Image.new("L", size, shade).save(buffer, form)
    return buffer.getvalue()


def test_a_picture_sets_every_code_to_what_q_reads():
    run = PaintedRun()
    explorer = Explorer(run)
    pictures = run.pictures
    message = upload(explorer, "mine.png", picture())
    assert [control.value for control in explorer.controls] == [1, 0.25, 0.25]
    assert message.startswith("mine.png: Q reads c1 = 1 (98%), c2 = 0.25 ± 0.50")
    assert run.pictures == pictures + 1
    assert explorer.bring_and_save.thumbnail.layout.display == ""


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "GIF", "WEBP"])
def test_q_sees_the_picture_at_the_runs_size_in_0_to_1(form):
    run, seen = PaintedRun(channels=3), []
    run.infer, infer = lambda x: seen.append(x) or infer(x), run.infer
    explorer = Explorer(run)
    upload(explorer, "mine", picture(shade=51, size=(90, 60), form=form))
    (x,) = [x for x in seen if x.shape[-1] == 28]
    assert x.shape == (1, 3, 28, 28)
    assert torch.allclose(x, torch.full_like(x, 0.2), atol=0.01)


def test_a_drawing_on_white_paper_is_inverted_for_a_run_of_light_digits():
    run, seen = PaintedRun(), []
    run.infer, infer = lambda x: seen.append(x) or infer(x), run.infer
    message = upload(Explorer(run), "paper.png", picture(shade=255))
    assert "paper.png (inverted: this run&#x27;s pictures are light on dark): Q reads" in message
    assert any(x.shape[-1] == 28 and (x == 0).all() for x in seen)


def test_a_file_that_is_no_picture_is_refused_and_nothing_moves():
    explorer = Explorer(PaintedRun())
    before = png(explorer)
    message = upload(explorer, "<b>notes.txt", b"hello")
    assert "&lt;b&gt;notes.txt: not a picture that decodes: bring a PNG, JPEG, BMP, GIF or WebP" in message
    assert png(explorer) == before


def test_a_picture_of_too_many_pixels_is_refused_by_its_header():
    assert "large.png: its header promises more than" in upload(
        Explorer(PaintedRun()), "large.png", large_png(13_000, 1)
    )


@pytest.mark.parametrize("kind", ["white ink on a transparent ground", "12 of 16 bits"])
def test_light_ink_is_seen(kind):
    array = np.zeros((28, 28), np.uint16)
    array[8:20, 8:20] = 4_000
    image = Image.fromarray(array)
    if kind != "12 of 16 bits":
        image = Image.merge("LA", [Image.new("L", (28, 28), 255), Image.fromarray((array > 0).astype(np.uint8) * 255)])
    image.save(buffer := io.BytesIO(), "PNG")
    run, seen = PaintedRun(), []
    run.infer, infer = lambda x: seen.append(x) or infer(x), run.infer
    upload(Explorer(run), "mine.png", buffer.getvalue())
    assert any(torch.equal(x[0, 0] > 0.9, torch.from_numpy(array > 0)) for x in seen if x.shape[-1] == 28)


def test_a_sample_of_the_runs_own_is_read_and_can_be_pressed_again():
    explorer = Explorer(PaintedRun())
    for _ in range(2):
        explorer.controls[0].value = 5
        explorer.bring_and_save.samples.value = 2
        assert explorer.controls[0].value == 1
        assert explorer.bring_and_save.samples.value is None
    assert explorer.bring_and_save.message.value.startswith("Sample C: Q reads c1 = 1")


def test_an_answer_stays_while_the_setting_does_and_goes_when_a_code_moves_or_at_reset():
    explorer = Explorer(PaintedRun(channels=3))
    part, hint = explorer.bring_and_save, explorer.bring_and_save.message.value
    for leave in (lambda: setattr(explorer.controls[0], "value", 4), explorer.reset.click):
        part.samples.value = 0
        answer = part.message.value
        explorer.view.value = "all codes" if explorer.view.value == "single" else "single"
        assert (part.message.value, part.thumbnail.layout.display) == (answer, "")
        leave()
        assert (part.message.value, part.thumbnail.layout.display) == (hint, "none")


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_saved_setting_brings_back_the_picture(spec):
    explorer = Explorer(PaintedRun(spec, channels=3))
    explorer.controls[-1].value, explorer.noise.value, explorer.view.value = 1, 7, "all codes"
    explorer.sweep_code.value = len(spec.codes) - 1
    setting, before = explorer.bring_and_save.setting(), png(explorer)
    explorer.reset.click()
    explorer.view.value = "single"
    assert png(explorer) != before
    assert upload(explorer, "setting.json", setting.encode()) == "setting.json: set."
    assert png(explorer) == before
    assert explorer.bring_and_save.setting() == setting


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: "{", "not a setting of the explorer"),
        (lambda s: "[]", "not a setting of the explorer"),
        (lambda s: s | {"codes": {}}, "not a setting of the explorer"),
        (lambda s: s | {"codes": s["codes"] | {"c4": 0}}, "a setting for other codes than c1, c2, c3"),
        (lambda s: s | {"codes": s["codes"] | {"c1": 10}}, "c1 must be a whole number from 0 to 9, found 10"),
        (lambda s: s | {"codes": s["codes"] | {"c1": True}}, "c1 must be a whole number from 0 to 9, found True"),
        (lambda s: s | {"codes": s["codes"] | {"c2": 3}}, "c2 must be a number from -2 to 2, found 3"),
        (lambda s: s | {"noise": -1}, "noise must be 0 to 2147483647"),
        (lambda s: s | {"view": "x"}, "view one of single, sheet, all codes"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_and_nothing_moves(change, message):
    explorer = Explorer(PaintedRun())
    explorer.controls[0].value = 3
    setting, before = explorer.bring_and_save.setting(), png(explorer)
    changed = change(json.loads(setting))
    text = changed if isinstance(changed, str) else json.dumps(changed)
    assert message in upload(explorer, "setting.json", text.encode())
    assert (explorer.bring_and_save.setting(), png(explorer)) == (setting, before)


def links(html):
    return {name: b64decode(data) for name, data in re.findall(r'download="([^"]+)" href="data:[^,]+,([^"]+)"', html)}


def test_the_links_hold_the_picture_and_the_setting_of_now():
    explorer = Explorer(PaintedRun())
    explorer.controls[1].value = 0.5
    saved = links(explorer.bring_and_save.links.value)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(saved["fake.png"]))), pixels(explorer))
    assert saved["fake-setting.json"].decode() == explorer.bring_and_save.setting()


def test_the_sweep_is_saved_as_a_gif_of_the_chosen_code():
    explorer = Explorer(PaintedRun())
    explorer.sweep_code.value = 1
    explorer.bring_and_save.animate.click()
    (name, gif), *_ = links(explorer.bring_and_save.gif_link.value).items()
    assert name == "fake-c2.gif"
    assert Image.open(io.BytesIO(gif)).n_frames > 10

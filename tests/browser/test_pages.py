"""What a user does with the sliders, in JupyterLab, in the gallery and in the shared file alike."""

import time

import numpy as np
import pytest
from PIL import Image

import infogan_core as ig
from pages import PICTURES, RUN


def changed(page, parts, before):
    page.wait_for_function(f"{parts.picture} !== {before!r}")


def picture(page, parts):
    return page.evaluate(parts.picture)


def test_a_key_on_a_slider_shows_other_pixels_and_the_right_readout(opened):
    page, parts, name = opened
    before = picture(page, parts)
    page.focus(parts.slider)
    page.keyboard.press("ArrowRight")
    changed(page, parts, before)
    assert float(page.evaluate(parts.readout)) == pytest.approx(0.05)
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def test_a_category_that_is_clicked_shows_another_picture_and_is_marked_in_qs_reading(opened):
    page, parts, _ = opened
    before = picture(page, parts)
    page.click(f"{parts.categories} >> nth=7")
    changed(page, parts, before)
    page.wait_for_function(f"{parts.bar} === 7")


def test_a_png_that_is_brought_sets_the_controls_to_what_q_reads(opened, tmp_path):
    page, parts, _ = opened
    run = ig.load_run(RUN, "cpu")
    x = run.generate(*run.config.latents.sample(1))
    read = int(run.infer(x)[0].argmax())
    drawn = Image.fromarray((x[0, 0] * 255).byte().numpy()).resize((280, 280))
    drawn.save(tmp_path / "mine.png")
    parts.bring(page, tmp_path / "mine.png")
    page.wait_for_selector(f"{parts.said}:has-text('mine.png: Q reads c1 = {read}')")
    page.wait_for_function(f"{parts.bar} === {read}")


def test_a_file_that_is_no_picture_is_refused_in_words(opened, tmp_path):
    page, parts, _ = opened
    before = picture(page, parts)
    (tmp_path / "notes.png").write_text("not a picture")
    parts.bring(page, tmp_path / "notes.png")
    page.wait_for_selector(f"{parts.said}:has-text('notes.png: not a picture that decodes')")
    assert picture(page, parts) == before


def test_play_runs_and_stops(opened):
    page, parts, _ = opened
    before = picture(page, parts)
    page.click(f"{parts.play} >> nth=0")
    changed(page, parts, before)
    changed(page, parts, picture(page, parts))
    page.click(f"{parts.play} >> nth=0")
    time.sleep(1)
    still = picture(page, parts)
    time.sleep(1.5)
    assert picture(page, parts) == still


def test_thirty_keys_in_a_row_end_in_the_picture_of_the_last(opened):
    page, parts, _ = opened
    page.focus(parts.slider)
    for key in ["ArrowRight"] * 30:
        page.keyboard.press(key, delay=0)
    time.sleep(1.5)
    fast = picture(page, parts)
    assert float(page.evaluate(parts.readout)) == pytest.approx(1.5)
    page.keyboard.press("ArrowRight")
    changed(page, parts, fast)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"{parts.picture} === {fast!r}")


def test_every_control_has_a_name_for_a_screen_reader(opened):
    page, _, _ = opened
    assert page.get_by_role("slider", name="c2").count() == 1
    assert (
        page.get_by_role("slider").count()
        == page.locator("[role=slider][aria-label], [type=range][aria-label]").count()
    )


def test_the_still_before_a_living_explorer_is_hidden(opened):
    page, _, name = opened
    if name == "lab":
        assert page.locator(".jp-OutputArea-child").count() == 2
        assert page.locator(".jp-OutputArea-child >> nth=0").is_hidden()


def test_a_phone_needs_no_scrolling_sideways(opened):
    page, _, name = opened
    if name != "lab":
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_function("document.scrollingElement.scrollWidth <= 390")
        page.screenshot(path=PICTURES / f"{name}-phone.png", full_page=True)


def test_the_shared_file_draws_what_pytorch_draws(shared, chromium):
    """On average within 2/255, its weights being int8."""
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(shared[0])
    page.wait_for_function("document.body.dataset.drawn")
    run = ig.load_run(RUN, "cpu")
    noise, codes = run.config.latents.sample(5)
    for i, x in enumerate(run.generate(noise, codes)):
        here = page.evaluate("([z, c]) => infogan.paint(z, c)", [noise[i].tolist(), [c[i].item() for c in codes]])
        assert np.abs(np.array(here) - x.flatten().numpy()).mean() < 2 / 255
    context.close()

"""What a user does with the sliders, in JupyterLab, in the gallery and in the shared file alike."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

import infogan_core as ig
import servers
from fixtures import chromium, gallery, lab, opened, shared, shared_page
from pages import (
    BAR,
    CATEGORIES,
    DRAWN,
    HERE,
    PICTURE,
    PICTURES,
    READOUT,
    ROOT,
    RUN,
    SAID,
    SLIDER,
    STRIP,
    bring,
    button,
    unfold,
    wait_for_change,
)


def test_a_key_on_a_slider_shows_other_pixels_and_the_right_readout(opened):
    page, name = opened
    before = page.evaluate(PICTURE)
    page.focus(SLIDER)
    page.keyboard.press("ArrowRight")
    wait_for_change(page, before)
    assert float(page.evaluate(READOUT)) == pytest.approx(0.05)
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def test_a_category_that_is_clicked_shows_another_picture_and_is_marked_in_qs_reading(opened):
    page, _ = opened
    before = page.evaluate(PICTURE)
    page.click(f"{CATEGORIES} >> nth=7")
    wait_for_change(page, before)
    page.wait_for_function(f"{BAR} === 7")


def test_the_pictures_on_the_buttons_follow_the_other_codes(opened):
    page, _ = opened
    before = page.evaluate(STRIP)
    page.focus(SLIDER)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{STRIP} !== {before!r}")


def test_a_png_that_is_brought_sets_the_controls_to_what_q_reads_and_noise_is_fitted(opened, tmp_path):
    page, _ = opened
    run = ig.load_run(RUN, "cpu")
    x = run.generate(*run.config.latents.sample(1, torch.Generator().manual_seed(0)))
    read = int(run.infer(x)[0].argmax())
    drawn = Image.fromarray((x[0, 0] * 255).byte().numpy()).resize((280, 280))
    drawn.save(tmp_path / "mine.png")
    bring(page, tmp_path / "mine.png")
    page.wait_for_selector(f"{SAID}:has-text('mine.png: Q reads c1 = {read}')")
    page.wait_for_function(f"{BAR} === {read}")
    page.wait_for_selector(f"{SAID}:has-text('With the noise fitted')")
    after, before = map(int, re.findall(r"(\d+)%(?: of the range| before)", page.inner_text(SAID)))
    assert after <= before  # in two seconds of a busy machine


def test_fitting_stops_when_it_is_told_to(opened):
    page, _ = opened
    unfold(page, "bring a picture").locator(".samples button >> nth=1").click()
    button(page, "stop").click()
    page.wait_for_selector(f"{SAID}:has-text('With the noise fitted')", timeout=1_000)
    assert page.get_by_label("noise seed").input_value() == ""  # it is the noise of no seed
    assert page.inner_text(SAID).startswith("Sample B: Q reads")


@pytest.mark.parametrize("content", [b"not a picture", bytes(12 * 2**20)], ids=["text", "12 MiB of zeros"])
def test_a_file_that_is_no_picture_is_refused_in_words(content, opened, tmp_path):
    page, _ = opened
    before = page.evaluate(PICTURE)
    (tmp_path / "notes.png").write_bytes(content)
    bring(page, tmp_path / "notes.png")
    page.wait_for_selector(f"{SAID}:has-text('notes.png: not a picture that decodes')")
    assert page.evaluate(PICTURE) == before


def test_q_reads_a_drawing_while_it_is_made(opened):
    page, _ = opened
    part = unfold(page, "draw")
    part.scroll_into_view_if_needed()
    box = part.locator(".draw").bounding_box()
    blank = part.locator(".draw").evaluate("e => e.toDataURL()")

    def at(x, y):
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    page.mouse.move(*at(0.5, 0.2))
    page.mouse.down()
    page.mouse.move(*at(0.5, 0.8), steps=5)
    page.wait_for_selector(f"{SAID}:has-text('Your drawing: Q reads c1 =')")  # the pen is still down
    page.mouse.up()
    page.wait_for_selector(f"{SAID}:has-text('digit 1')")
    button(page, "undo the stroke").click()
    assert part.locator(".draw").evaluate("e => e.toDataURL()") == blank


def test_a_pad_turns_two_codes_with_arrows_and_by_dragging(opened):
    page, _ = opened
    pad = unfold(page, "pad for two codes").locator(".pad")
    pad.focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    assert pad.get_attribute("aria-valuetext") == "c2 0.05, c3 0.10"
    pad.click(position={"x": 2, "y": 90})
    assert float(page.evaluate(READOUT)) < -1.8


def test_undo_takes_a_move_back_and_ctrl_y_brings_it_again(opened):
    page, _ = opened
    undo, redo, first = button(page, "undo"), button(page, "redo"), page.evaluate(PICTURE)
    assert (undo.get_attribute("aria-disabled"), redo.get_attribute("aria-disabled")) == ("true", "true")
    button(page, "surprise me").click()
    wait_for_change(page, first)
    page.wait_for_timeout(500)  # until the setting rests
    second = page.evaluate(PICTURE)
    assert undo.get_attribute("aria-disabled") == "false"
    undo.click()
    page.wait_for_function(f"{PICTURE} === {first!r}")
    assert (undo.get_attribute("aria-disabled"), redo.get_attribute("aria-disabled")) == ("true", "false")
    page.keyboard.press("Control+y")
    page.wait_for_function(f"{PICTURE} === {second!r}")


def test_a_setting_that_is_kept_comes_back_from_the_shelf(opened):
    page, _ = opened
    first = page.evaluate(PICTURE)
    button(page, "keep on the shelf").click()
    button(page, "new noise").click()
    wait_for_change(page, first)
    page.click(".infogan .shelf button:visible")
    page.wait_for_function(f"{PICTURE} === {first!r}")


def test_the_way_from_a_to_b_ends_in_both_and_is_saved_as_gif_and_video(opened):
    page, _ = opened
    unfold(page, "from A to B")
    a = page.evaluate(PICTURE)
    button(page, "keep as A").click()
    button(page, "surprise me").click()
    wait_for_change(page, a)
    page.wait_for_timeout(300)
    b = page.evaluate(PICTURE)
    button(page, "keep as B").click()
    way = page.get_by_role("slider", name="from A to B")
    for key, seen in (("End", b), ("Home", a)):
        way.press(key)
        page.wait_for_function(f"{PICTURE} === {seen!r}")
    for text, magic in (("save as GIF", b"GIF89a"), ("save as video", b"\x1a\x45\xdf\xa3")):
        with page.expect_download() as download:
            button(page, text).click()
        assert Path(download.value.path()).read_bytes().startswith(magic)


def test_play_from_a_to_b_ends_when_a_slider_is_moved(shared_page):
    unfold(shared_page, "from A to B")
    button(shared_page, "keep as A").click()
    button(shared_page, "surprise me").click()
    shared_page.wait_for_timeout(500)
    button(shared_page, "keep as B").click()
    shared_page.get_by_label("sweep").select_option("from A to B")
    button(shared_page, "play").click()
    shared_page.wait_for_timeout(500)
    assert button(shared_page, "keep on the shelf").is_disabled()  # there is no setting between two
    shared_page.focus(SLIDER)
    shared_page.keyboard.press("ArrowRight")
    shared_page.wait_for_timeout(700)
    setting = shared_page.evaluate(f"{HERE}.app.setting()")
    shared_page.wait_for_timeout(300)
    assert shared_page.evaluate(f"{HERE}.app.setting()") == setting
    assert isinstance(setting["codes"]["c1"], int)
    assert button(shared_page, "play").is_visible()


def test_noise_can_be_left_out_and_several_noises_shown(opened):
    page, _ = opened
    page.get_by_label("noise scale").fill("0")
    page.wait_for_timeout(400)
    without = page.evaluate(PICTURE)
    button(page, "new noise").click()
    page.wait_for_timeout(400)
    assert page.evaluate(PICTURE) == without  # no noise is no noise, whatever its seed
    page.get_by_label("noises").select_option("4")
    wait_for_change(page, without)


def test_a_heat_map_follows_the_code_in_hand(opened):
    page, _ = opened
    page.get_by_label("heat map of the code that you moved last").check()
    page.focus(SLIDER)
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".infogan .heat:visible:has-text('change with c2')")
    assert "% of the pixels" in page.locator(".infogan .heat canvas:visible").get_attribute("aria-label")


@pytest.mark.parametrize("view", ["sheet", "two codes", "all codes"])
def test_other_views_are_other_pictures_that_the_alt_text_tells(view, opened):
    page, name = opened
    before = page.evaluate(PICTURE)
    page.locator(".infogan .views label:visible").get_by_text(view, exact=True).click()
    wait_for_change(page, before)
    assert "c1" in page.locator(".infogan .picture:visible").get_attribute("aria-label")
    page.screenshot(path=PICTURES / f"{name}-{view}.png", full_page=True)


def test_the_code_across_a_sheet_is_chosen_beside_it(shared_page):
    shared_page.locator(".infogan .views label").get_by_text("sheet", exact=True).click()
    shared_page.locator(".infogan .look").get_by_label("across").select_option("2")
    assert shared_page.evaluate(f"{HERE}.app.setting().sweep") == "c3"
    assert shared_page.get_by_label("sweep").input_value() == "2"
    assert shared_page.locator(".infogan .look").get_by_label("down").is_hidden()


def test_play_runs_and_stops(opened):
    page, _ = opened
    before = page.evaluate(PICTURE)
    button(page, "play").click()
    wait_for_change(page, before)
    wait_for_change(page, page.evaluate(PICTURE))
    button(page, "stop").click()
    time.sleep(1)
    still = page.evaluate(PICTURE)
    time.sleep(1.5)
    assert page.evaluate(PICTURE) == still


def test_thirty_keys_in_a_row_end_in_the_picture_of_the_last(opened):
    page, _ = opened
    page.focus(SLIDER)
    for key in ["ArrowRight"] * 30:
        page.keyboard.press(key, delay=0)
    time.sleep(1.5)
    fast = page.evaluate(PICTURE)
    assert float(page.evaluate(READOUT)) == pytest.approx(1.5)
    page.keyboard.press("ArrowRight")
    wait_for_change(page, fast)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"{PICTURE} === {fast!r}")


def test_every_control_has_a_name_for_a_screen_reader(opened):
    page, _ = opened
    for part in page.locator(".infogan details:visible:not([open]) > summary").all()[::-1]:
        part.click()
    assert page.get_by_role("slider", name="c2").count() >= 1
    nameless = """[...document.querySelectorAll('.infogan')].flatMap(
        root => [...root.querySelectorAll('button, select, input, [role=slider], img, canvas[role=img], [tabindex]')])
      .filter(e => e.getClientRects().length && !(e.ariaLabel || e.title || e.alt || e.textContent.trim()
        || [...(e.labels ?? [])].some(label => label.textContent.trim())))
      .map(e => e.outerHTML)"""
    assert page.evaluate(nameless) == []


def test_the_picture_stays_in_view_beside_many_controls(opened):
    page, _ = opened
    page.set_viewport_size({"width": 1366, "height": 768})
    page.evaluate(f"{HERE}.querySelector('.turn').style.paddingBottom = '1500px'")
    page.evaluate(f"{HERE}.querySelector('.turn').scrollIntoView({{ block: 'end' }})")
    shown = f"{HERE}.querySelector('.picture').getBoundingClientRect().y"
    page.wait_for_function(f"0 <= {shown} && {shown} < 300")


def test_a_link_carries_the_setting(opened):
    """In the gallery and in the shared file, whose address is their own."""
    page, name = opened
    if name == "lab":
        assert button(page, "copy the link").count() == 0
        return
    button(page, "surprise me").click()
    page.wait_for_timeout(800)
    seen, link = page.evaluate(PICTURE), page.evaluate(f"{HERE}.app.backend.link({HERE}.app.setting())")
    other = page.context.new_page()
    other.goto(link)
    other.wait_for_function(f"{DRAWN} && {PICTURE} === {seen!r}", timeout=60_000)


def test_a_name_of_ones_own_stands_in_quotes(shared_page):
    shared_page.get_by_role("button", name="give c2 a name of your own").click()
    shared_page.keyboard.type("tilt")
    shared_page.keyboard.press("Enter")
    shared_page.get_by_role("slider", name="c2: \u201ctilt\u201d").wait_for()
    shared_page.get_by_role("button", name="give c2 a name of your own").click()
    shared_page.keyboard.press("Control+a")
    shared_page.keyboard.press("Delete")
    shared_page.keyboard.press("Enter")
    shared_page.get_by_role("slider", name=re.compile("c2: [a-z]")).wait_for()
    assert shared_page.get_by_role("slider", name="tilt").count() == 0


def test_a_setting_that_does_not_fit_is_refused_and_nothing_moves(shared_page, tmp_path):
    before = shared_page.evaluate(PICTURE)
    good = {"codes": {"c1": 3, "c2": 0.5, "c3": 0}, "noise": 4, "view": "single", "sweep": "c2"}
    for change, complaint in [
        ({"codes": {"c1": 3}}, "a setting for other codes than c1, c2, c3"),
        ({"codes": {"c1": 10, "c2": 0, "c3": 0}}, "c1 must be a whole number from 0 to 9, found 10"),
        ({"codes": {"c1": 3, "c2": "1", "c3": 0}}, "c2 must be a number from -2 to 2"),
        ({"sweep": "c9"}, "a setting for other codes"),
        ({"view": "triple"}, "view must be one of single, sheet"),
        ({"noise": -1}, "noise must be 0 to 2147483647"),
        ({"scale": 9}, "scale must be 0 to 1.5"),
        ({"scale": None}, "scale must be 0 to 1.5"),
        ({"count": 2}, "count must be 1, 4 or 9"),
        ({"z": [1, 2]}, "z must be 62 numbers"),
    ]:
        (tmp_path / "it.json").write_text(json.dumps(good | change))
        bring(shared_page, tmp_path / "it.json")
        shared_page.wait_for_selector(f"{SAID}:has-text('it.json: {complaint}')")
    (tmp_path / "it.json").write_text("{")
    bring(shared_page, tmp_path / "it.json")
    shared_page.wait_for_selector(f"{SAID}:has-text('not a setting of these sliders')")
    assert shared_page.evaluate(PICTURE) == before
    (tmp_path / "it.json").write_text(json.dumps(good))
    bring(shared_page, tmp_path / "it.json")
    wait_for_change(shared_page, before)
    assert shared_page.evaluate(f"{HERE}.app.setting()") == good


def test_an_answer_goes_when_the_setting_is_left(shared_page):
    unfold(shared_page, "bring a picture").locator(".samples button >> nth=0").click()
    shared_page.wait_for_selector(f"{SAID}:has-text('With the noise fitted')")
    button(shared_page, "reset").click()
    assert shared_page.text_content(".infogan .said") == ""


def test_a_link_to_another_run_opens_its_tab(gallery, chromium):
    page = chromium.new_page()
    page.goto(f"{gallery[0]}?run=svhn&c1=3&c2=0&c3=0&c4=0&c5=0.5&c6=0&c7=0&c8=0&noise=4", timeout=90_000)
    page.wait_for_function(f"{HERE}?.querySelector('[aria-label*=svhn]')", timeout=60_000)
    assert float(page.evaluate(READOUT)) == 0.5
    page.close()


@pytest.mark.parametrize("width", [1280, 1440])
def test_nothing_moves_when_a_sample_is_pressed(width, gallery, chromium):
    page = chromium.new_page(viewport={"width": width, "height": 1400})
    page.goto(gallery[0], timeout=90_000)
    page.click(".lm-TabBar-tab:has-text('celeba')", timeout=60_000)
    page.wait_for_function(DRAWN, timeout=60_000)
    sample, control = (
        unfold(page, "bring a picture").locator(".samples button >> nth=1"),
        page.locator(".code-0:visible"),
    )
    sample.wait_for()
    before = control.bounding_box()
    sample.click()
    page.wait_for_selector(f"{SAID}:has-text('Sample B: Q reads')")
    assert control.bounding_box() == before
    page.wait_for_selector(f"{SAID}:has-text('With the noise fitted')")
    assert control.bounding_box() == before
    page.close()


def test_the_still_before_a_living_explorer_is_hidden(opened):
    page, name = opened
    if name == "lab":
        assert page.locator(".jp-OutputArea-child").count() == 2
        assert page.locator(".jp-OutputArea-child >> nth=0").is_hidden()


def test_a_phone_needs_no_scrolling_sideways(opened):
    page, name = opened
    if name != "lab":
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(1000)
        wide = """[...document.querySelectorAll('.infogan, main')].filter(e => e.getClientRects().length).flatMap(
          e => { const up = []; for (; e; e = e.parentElement) up.push(e); return up })
          .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth).map(e => e.className)"""
        assert page.evaluate(wide) == []
        page.screenshot(path=PICTURES / f"{name}-phone.png", full_page=True)


def test_the_kernels_of_closed_pages_of_the_gallery_end_but_not_a_warm_one(gallery, chromium):
    """A kernel that has waited for longer than an idle one may still serves the next page."""
    page, log = chromium.new_page(), gallery[1]
    for _ in range(3):
        page.goto(gallery[0], timeout=90_000)
        page.wait_for_function(DRAWN, timeout=60_000)
    page.close()
    servers.wait(lambda: log.read_text().count("Kernel started") == log.read_text().count("Kernel shutdown") + 1)
    time.sleep(10)  # the warm kernel started later than they did
    page = chromium.new_page()
    page.goto(gallery[0], timeout=90_000)
    page.wait_for_function(DRAWN, timeout=60_000)
    page.close()
    assert "DeprecationWarning" not in log.read_text()


def test_the_tabs_of_the_gallery_have_enough_contrast(gallery, chromium):
    """At least 4.5, as WCAG 2 asks of text."""
    page = chromium.new_page()
    page.goto(gallery[0], timeout=90_000)
    page.wait_for_function(DRAWN, timeout=60_000)
    contrast = """tab => {
      const style = getComputedStyle(tab), rgba = key => style[key].match(/[\\d.]+/g).map(Number)
      const [ground, [r, g, b, alpha = 1]] = [rgba("backgroundColor"), rgba("color")]
      const light = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
      const luminance = c => 0.2126 * light(c[0]) + 0.7152 * light(c[1]) + 0.0722 * light(c[2])
      const ink = [r, g, b].map((v, i) => alpha * v + (1 - alpha) * ground[i])
      const [dark, bright] = [ink, ground].map(luminance).sort((a, b) => a - b)
      return (bright + 0.05) / (dark + 0.05) }"""
    tabs = page.locator(".lm-TabBar-tab").all()
    assert min(tab.evaluate(contrast) for tab in tabs) >= 4.5
    page.close()


def test_the_gallery_in_the_dark_is_light_on_dark(chromium, tmp_path):
    luma = """([element, key]) => {
      const parts = getComputedStyle(document.querySelector(element))[key].match(/[\\d.]+/g)
      return parts.slice(0, 3).reduce((sum, v) => sum + +v / 3, 0) }"""
    with servers.gallery(tmp_path, theme="dark") as (address, _):
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(address)
        page.wait_for_function(DRAWN, timeout=60_000)
        assert page.evaluate(luma, ["body", "backgroundColor"]) < 80
        for text in (".infogan .turn", ".infogan .reading"):
            assert page.evaluate(luma, [text, "color"]) > 150, text
        page.screenshot(path=PICTURES / "gallery-dark.png")
        page.close()


PAINT = f"""async ([z, codes]) => {{
  const {{ app }} = {HERE}, {{ pictures }} = await app.backend.generate(0, [app.encode(0, z, codes)])
  return [...pictures[0]] }}"""


def test_the_shared_file_draws_what_pytorch_draws(shared_page):
    """On average within 2/255, its weights being int8."""
    run = ig.load_run(RUN, "cpu")
    noise, codes = run.config.latents.sample(5, torch.Generator().manual_seed(0))
    for i, x in enumerate(run.generate(noise, codes)):
        here = shared_page.evaluate(PAINT, [noise[i].tolist(), [c[i].item() for c in codes]])
        assert np.abs(np.array(here) / 255 - x.flatten().numpy()).mean() < 2 / 255


def test_where_scripts_may_not_run_the_shared_file_is_a_sentence_and_a_picture(shared, chromium):
    context = chromium.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(shared[0])
    assert page.locator("#still p").is_visible()
    assert page.locator("#still img").bounding_box()["width"] > 200
    assert page.locator(".infogan").count() == 0
    context.close()


@pytest.mark.parametrize(("ink", "ground"), [("white", "black"), ("black", "white")])
def test_ink_on_a_transparent_ground_is_read_as_on_the_ground_that_shows_it(ink, ground, shared, chromium, tmp_path):
    context = chromium.new_context(offline=True)
    page, readings = context.new_page(), []
    page.goto(shared[0])
    for name, paper in (("clear.png", (0, 0, 0, 0)), ("paper.png", ground)):
        picture = Image.new("RGBA", (56, 56), paper)
        ImageDraw.Draw(picture).line([(18, 12), (38, 12), (24, 46)], ink, 5)
        picture.save(tmp_path / name)
        page.wait_for_function(DRAWN)
        bring(page, tmp_path / name)
        page.wait_for_selector(f"{SAID}:has-text('{name}')")
        readings.append(page.inner_text(SAID).removeprefix(name).split(" The controls")[0])
    assert "Q reads" in readings[0]
    clear, paper = (re.split(r"(-?\d+\.\d+)", reading) for reading in readings)
    assert clear[::2] == paper[::2]
    assert [float(n) for n in clear[1::2]] == pytest.approx([float(n) for n in paper[1::2]], abs=0.02)  # rounded pixels
    context.close()


def test_a_small_file_of_too_many_pixels_is_refused_before_it_is_decoded(shared_page, tmp_path):
    Image.new("1", (13_000, 13_000)).save(tmp_path / "bomb.png")
    bring(shared_page, tmp_path / "bomb.png")
    shared_page.wait_for_selector(f"{SAID}:has-text('bomb.png: has 13000 x 13000 pixels')", timeout=3_000)


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A notebook with an Explorer, executed and saved."""
    folder = tmp_path_factory.mktemp("executed")
    source = f"import infogan_core as ig\nig.Explorer(ig.load_run({str(RUN)!r}, 'cpu'))"
    (folder / "it.ipynb").write_text(json.dumps(servers.notebook(source)))
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--inplace", "it.ipynb"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    return json.loads((folder / "it.ipynb").read_text())


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_reopened_in_jupyterlab_it_is_a_picture_and_no_controls_that_do_nothing(trusted, executed, chromium, tmp_path):
    with servers.lab(tmp_path, executed) as (address, _):
        if trusted:
            file = tmp_path / "work" / "sliders.ipynb"
            subprocess.run([sys.executable, "-m", "jupyter", "trust", str(file)], check=True, capture_output=True)
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(address)
        if trusted:
            page.wait_for_selector(".infogan.jupyter-widgets-disconnected", timeout=60_000)
            parts = "[...document.querySelectorAll('.infogan, .infogan *')]"
            contents = page.evaluate(f"{parts}.map(e => getComputedStyle(e, '::before').content)")
            assert not any("\uf127" in content for content in contents)  # the broken chain
            assert any("The kernel has ended" in content for content in contents)
        page.wait_for_selector(".jp-OutputArea-output img", timeout=60_000)
        assert page.locator(".jp-OutputArea-child >> nth=0").is_visible()
        assert page.locator(SLIDER).count() == 0
        assert "Explorer(c1=" not in page.inner_text(".jp-Notebook")
        page.close()

"""What a user does with the sliders, in JupyterLab, in the gallery and in the shared file alike."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

import infogan_core as ig
import servers
from fixtures import chromium, gallery, lab, opened, shared
from pages import PICTURES, ROOT, RUN, SharedPage, WidgetPage


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


def test_the_pictures_on_the_buttons_follow_the_other_codes(opened):
    page, parts, name = opened
    if name == "shared":
        on_button = f"document.querySelector('{parts.categories} canvas').toDataURL()"
    else:
        shown = "[...document.querySelectorAll('.infogan .code-0 button')].find(b => b.offsetParent)"
        on_button = f"getComputedStyle({shown}).backgroundImage"
    page.wait_for_function(f"{on_button}.length > 1000")
    before = page.evaluate(on_button)
    page.focus(parts.slider)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{on_button} !== {before!r}")


def test_a_png_that_is_brought_sets_the_controls_to_what_q_reads(opened, tmp_path):
    page, parts, _ = opened
    run = ig.load_run(RUN, "cpu")
    x = run.generate(*run.config.latents.sample(1, torch.Generator().manual_seed(0)))
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


def test_a_file_that_is_too_large_is_refused_in_words(opened, tmp_path):
    page, parts, name = opened
    (tmp_path / "large.png").write_bytes(bytes(12 * 2**20))
    parts.bring(page, tmp_path / "large.png")
    why = "not a picture that decodes" if name == "shared" else "larger than 6 MiB"
    page.wait_for_selector(f"{parts.said}:has-text('large.png: {why}')")


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
    assert page.get_by_role("slider", name="c2").count() >= 1
    nameless = """[...document.querySelectorAll('.infogan, main')].flatMap(
        root => [...root.querySelectorAll('button, select, input, [role=slider], img, canvas[role=img]')])
      .filter(e => e.getClientRects().length && !(e.ariaLabel || e.title || e.alt || e.textContent.trim()
        || e.labels?.length || e.closest('.widget-inline-hbox')?.querySelector('label')?.textContent))
      .map(e => e.outerHTML)"""
    assert page.evaluate(nameless) == []
    assert page.get_by_text("(0)", exact=False).count() == 0


def test_the_picture_stays_in_view_beside_many_controls(opened):
    page, parts, _ = opened
    page.set_viewport_size({"width": 1366, "height": 768})
    page.evaluate(f"document.querySelector('{parts.controls}').style.paddingBottom = '1500px'")
    page.evaluate(f"document.querySelector('{parts.controls}').scrollIntoView({{ block: 'end' }})")
    shown = (
        "[...document.querySelectorAll('.infogan img, #picture')].find(e => e.offsetParent).getBoundingClientRect().y"
    )
    page.wait_for_function(f"0 <= {shown} && {shown} < 300")


@pytest.mark.parametrize("width", [1280, 1440])
def test_nothing_moves_when_a_sample_is_pressed(width, gallery, chromium):
    page = chromium.new_page(viewport={"width": width, "height": 1400})
    page.goto(gallery[0], timeout=90_000)
    page.click(".lm-TabBar-tab:has-text('celeba')", timeout=60_000)
    control, sample = (
        page.locator(".infogan .code-0:visible"),
        page.locator(".infogan .samples button:visible >> nth=1"),
    )
    sample.wait_for()
    before = control.bounding_box()
    sample.click()
    page.wait_for_selector(".infogan .answer:visible:has-text('Sample B: Q reads')")
    assert control.bounding_box() == before
    page.close()


def test_the_still_before_a_living_explorer_is_hidden(opened):
    page, _, name = opened
    if name == "lab":
        assert page.locator(".jp-OutputArea-child").count() == 2
        assert page.locator(".jp-OutputArea-child >> nth=0").is_hidden()


def test_a_phone_needs_no_scrolling_sideways(opened):
    page, _, name = opened
    if name != "lab":
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(1000)
        wide = """[...document.querySelectorAll('.infogan, main')].filter(e => e.getClientRects().length).flatMap(
          e => { const up = []; for (; e; e = e.parentElement) up.push(e); return up })
          .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth).map(e => e.className)"""
        assert page.evaluate(wide) == []
        page.screenshot(path=PICTURES / f"{name}-phone.png", full_page=True)


def test_the_kernels_of_closed_pages_of_the_gallery_end(gallery, chromium):
    page, log = chromium.new_page(), gallery[1]
    for _ in range(3):
        page.goto(gallery[0], timeout=90_000)
        page.wait_for_selector(".infogan .reading", timeout=60_000)
    page.close()
    servers.wait(lambda: log.read_text().count("Kernel started") == log.read_text().count("Kernel shutdown") + 1)
    assert "DeprecationWarning" not in log.read_text()


def test_the_tabs_of_the_gallery_have_enough_contrast(gallery, chromium):
    """At least 4.5, as WCAG 2 asks of text."""
    page = chromium.new_page()
    page.goto(gallery[0], timeout=90_000)
    page.wait_for_selector(".infogan .reading", timeout=60_000)
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
        page.wait_for_selector(".infogan .reading", timeout=60_000)
        assert page.evaluate(luma, ["body", "backgroundColor"]) < 80
        for text in (".infogan .widget-label", ".infogan .reading"):
            assert page.evaluate(luma, [text, "color"]) > 150, text
        page.screenshot(path=PICTURES / "gallery-dark.png")
        page.close()


def test_the_shared_file_draws_what_pytorch_draws(shared, chromium):
    """On average within 2/255, its weights being int8."""
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(shared[0])
    page.wait_for_function("document.body.dataset.drawn")
    run = ig.load_run(RUN, "cpu")
    noise, codes = run.config.latents.sample(5, torch.Generator().manual_seed(0))
    for i, x in enumerate(run.generate(noise, codes)):
        here = page.evaluate("([z, c]) => infogan.paint(z, c)", [noise[i].tolist(), [c[i].item() for c in codes]])
        assert np.abs(np.array(here) - x.flatten().numpy()).mean() < 2 / 255
    context.close()


def test_where_scripts_may_not_run_the_shared_file_is_a_sentence_and_a_picture(shared, chromium):
    context = chromium.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(shared[0])
    assert page.locator("#still p").is_visible()
    assert page.locator("#still img").bounding_box()["width"] > 200
    assert not page.locator("#turn").is_visible()
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
        page.wait_for_function("document.body.dataset.drawn")
        SharedPage.bring(page, tmp_path / name)
        page.wait_for_selector(f"#said:has-text('{name}')")
        readings.append(page.inner_text("#said").removeprefix(name))
    assert "Q reads" in readings[0]
    assert readings[0] == readings[1]
    context.close()


def test_a_small_file_of_too_many_pixels_is_refused_before_it_is_decoded(shared, chromium, tmp_path):
    Image.new("1", (13_000, 13_000)).save(tmp_path / "bomb.png")
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(shared[0])
    page.wait_for_function("document.body.dataset.drawn")
    SharedPage.bring(page, tmp_path / "bomb.png")
    page.wait_for_selector("#said:has-text('bomb.png: has 13000 x 13000 pixels')", timeout=3_000)
    context.close()


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
            page.wait_for_selector(".infogan.jupyter-widgets-disconnected img", timeout=60_000)
            page.wait_for_function(f"{WidgetPage.picture}.length > 1000")
            assert page.locator(WidgetPage.slider).count() == 0
            before = "[...document.querySelectorAll('.infogan *')].map(e => getComputedStyle(e, '::before').content)"
            assert not any("\uf127" in content for content in page.evaluate(before))  # the broken chain
        else:
            page.wait_for_selector(".jp-OutputArea-output img", timeout=60_000)
            assert page.locator(".jp-OutputArea-child >> nth=0").is_visible()
        assert "Box(children=" not in page.inner_text(".jp-Notebook")
        page.close()

"""What a slider costs, in headless Chromium on this machine, as a table: `make bench-sliders`."""

import platform
import statistics
import tempfile
import time
from pathlib import Path

import torch

import infogan_core as ig
import servers
from infogan_core.model.latents import Categorical, LatentSpec
from infogan_core.show.share.page import share
from pages import DRAWN, HERE, ROOT, RUN

SOURCE = f"""import infogan_core as ig
ig.Explorer(ig.load_run({str(RUN)!r}, 'cpu'))"""
PRESS = """window.press = by => {
  const handle = document.querySelector(".trained input")
  handle.value = +handle.value + 0.05 * by
  handle.dispatchEvent(new Event("input")) }"""  # what a key does, without the browser driver's own milliseconds
KEYS = """async ([n, pause]) => {
  const times = [], pixels = () => document.querySelector(".infogan").dataset.pixels
  for (let i = 0; i < n; i++) {
    const before = pixels(), start = performance.now()
    press(i < n / 2 ? 1 : -1)
    while (pixels() === before && performance.now() - start < 3000) await new Promise(r => setTimeout(r, 1))
    times.push(performance.now() - start)
    await new Promise(r => setTimeout(r, pause))
  }
  return times
}"""
BURST = """async () => {
  const drawn = () => document.querySelector(".infogan").dataset.drawn, first = performance.now()
  for (let i = 0; i < 30; i++) {
    press(1)
    await new Promise(r => setTimeout(r, Math.max(0, first + (i + 1) * 500 / 30 - performance.now())))
  }
  const last = performance.now()
  let shown = drawn(), settled = last
  while (performance.now() - last < 2000) {
    await new Promise(r => setTimeout(r, 2))
    if (drawn() !== shown) { shown = drawn(); settled = performance.now() }
  }
  return settled - last
}"""
PAD = """window.press = by => {
  const key = by > 0 ? "ArrowRight" : "ArrowLeft"
  document.querySelector(".pad").dispatchEvent(new KeyboardEvent("keydown", { key })) }"""
STROKE = """async ([n, counter]) => {
  const times = [], e = document.querySelector(".draw"), root = document.querySelector(".infogan")
  const { x, y } = e.getBoundingClientRect()
  const at = (kind, i) => e.dispatchEvent(
    new PointerEvent(kind, { pointerId: 1, isPrimary: true, clientX: x + 40 + 4 * i, clientY: y + 60 + 5 * i }))
  e.setPointerCapture = () => {}
  at("pointerdown", 0)
  for (let i = 1; i <= n; i++) {
    await new Promise(r => setTimeout(r, 400))
    const before = root.dataset[counter], start = performance.now(), late = () => performance.now() - start > 3000
    at("pointermove", i)
    while (root.dataset[counter] === before && !late()) await new Promise(r => setTimeout(r, 1))
    times.push(performance.now() - start)
  }
  at("pointerup", n)
  return times
}"""


def row(what, limit, *values, unit="ms"):
    text = " / ".join(f"{value:.0f} {unit}" if unit == "ms" else f"{value:.1f} {unit}" for value in values)
    print(f"{what:<66}{limit:>16}{text:>18}", flush=True)


def keys(page, press=PRESS, n=30):
    page.evaluate("() => { " + press + " }")
    times = page.evaluate(KEYS, [n, 500])
    return statistics.median(times), max(times)


def strokes(place, page):
    for what, counter, limit in (("Q's reading", "read", "60 / 120 ms"), ("G's picture", "pixels", "100 / 200 ms")):
        times = page.evaluate(STROKE, [12, counter])
        row(f"{place}, drawing: a stroke's part to {what}", limit, statistics.median(times), max(times))


def bench_lab(chromium):
    with tempfile.TemporaryDirectory() as folder, servers.lab(Path(folder), servers.notebook(SOURCE)) as (address, _):
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(address)
        servers.run_cell(page)
        page.wait_for_function(DRAWN, timeout=60_000)
        page.wait_for_timeout(3000)
        row("JupyterLab, a key to new pixels, single: median / worst of 30", "60 / 120 ms", *keys(page))
        row("30 keys in 0.5 s: last key to the settled picture", "300 ms", page.evaluate(BURST))
        row("JupyterLab, the pad, a key to new pixels", "40 / 120 ms", *keys(page, PAD))
        strokes("JupyterLab", page)
        page.click(".infogan button:has-text('reset')")  # or the slider comes to its end, where no key moves it
        page.click(".infogan .views label:has-text('sheet')")
        page.wait_for_timeout(1500)
        row("JupyterLab, a key for a 10 x 10 sheet", "95 / 200 ms", *keys(page))


def bench_gallery(chromium):
    with tempfile.TemporaryDirectory() as folder, servers.gallery(Path(folder)) as (address, _):
        time.sleep(8)  # the log says so when the kernel has started: its notebook still runs for some seconds
        page, start = chromium.new_page(), time.monotonic()
        page.goto(address)
        page.wait_for_function(f"{HERE}?.dataset.drawn")
        row("the gallery, open to first picture, kernel warm", "5 s", time.monotonic() - start, unit="s")


def bench_shared(chromium):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "mnist.html"
        share([str(RUN), str(out), "--runtime", str(ROOT / ".venv" / "onnxruntime-web")], standalone_mode=False)
        page, start = chromium.new_context(offline=True).new_page(), time.monotonic()
        page.goto(out.as_uri())
        page.wait_for_function(f"{HERE}?.dataset.drawn")
        row("the shared file, open to first picture", "4 s", time.monotonic() - start, unit="s")
        page.wait_for_timeout(1000)
        row("the shared file, a move to new pixels: median / worst of 30", "20 ms", *keys(page))
        strokes("the shared file", page)


def bench_building():
    spec = LatentSpec(128, (Categorical(10),) * 10)
    with tempfile.TemporaryDirectory() as folder:
        run = ig.Run(
            ig.preset("celeba", "paper", latents=spec),
            *ig.build(ig.preset("celeba", "paper", latents=spec)),
            Path(folder),
            torch.device("cpu"),
        )
        ig.Explorer  # noqa: B018  imports ipywidgets first
        start = time.monotonic()
        ig.Explorer(run)
        row("building CelebA's explorer, 10 x Cat(10), the paper's networks", "3 s", time.monotonic() - start, unit="s")


def main():
    print(f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"{'':<66}{'at most':>16}{'here':>18}")
    bench_building()
    with servers.browser() as chromium:
        bench_lab(chromium)
        bench_gallery(chromium)
        bench_shared(chromium)


if __name__ == "__main__":
    main()

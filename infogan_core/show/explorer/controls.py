"""The Explorer's parts: a control per code, with pictures on the buttons, a run's picture with Q's reading, errors."""

import traceback
from base64 import b64encode
from html import escape
from pathlib import Path

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets
from PIL import Image
from torch import Tensor

from infogan_core.model.latents import Categorical
from infogan_core.runs import Run
from infogan_core.show.explorer.q_chart import chart
from infogan_core.show.figures import category_label, code_title, grid, note_of, png_bytes, show, sweep
from infogan_core.show.sheets import all_codes, column_labels, labelled, sheet

PICTURE_SIDE = 280  # of a single picture, in pixels, about; a sheet's longer side has twice that
BUTTON_SIDE = 34  # of the pictures on buttons, as in explorer.css


class Front(anywidget.AnyWidget):
    """The Explorer's style, and the names for a screen reader that ipywidgets leaves out."""

    # as text: anywidget keeps a reference to each widget of a path for ever, to reload what changes
    _esm, _css = (Path(__file__).with_name(name).read_text() for name in ("explorer.js", "explorer.css"))


class Picture(widgets.Image):
    """An image whose tooltip explorer.js makes its alt text. Without a description ipywidgets fails on a tooltip."""

    description = traitlets.Unicode("").tag(sync=True)


class RunView(widgets.VBox):
    """A run's picture, its caption where two runs are compared, and what Q reads in the picture."""

    def __init__(self, run: Run, caption: str = "") -> None:
        self.run = run
        self.picture = Picture(layout={"align_self": "flex-start"})
        self.reading = widgets.HTML(layout={"width": f"{PICTURE_SIDE + 80}px", "max_width": "100%"})
        above = [widgets.HTML(f"<b>{escape(caption)}</b>")] if caption else []
        super().__init__([*above, self.picture, self.reading], layout={"max_width": "100%"})

    def draw(self, seeds: list[int], noise: Tensor, codes: list[Tensor], view: str, code: int, alt: str) -> None:
        """Show G(z, c) for the first noise [N, noise_dim], or a sheet around it, and what Q reads in that picture.

        `seeds` of the N noises stand beside a sheet's rows.
        """
        spec, note = self.run.config.latents, note_of(self.run)
        x = self.run.generate(noise[:1], codes)
        self.reading.value = f"What Q reads, beside what was set{chart(self.run, self.run.infer(x), codes)}"
        if view == "single":
            picture = _enlarged(grid(x), PICTURE_SIDE, note)
        elif view == "sheet":
            picture = _enlarged(sheet(self.run, noise, codes, code), 2 * PICTURE_SIDE, note)
            rows = [f"noise {seed}" for seed in seeds]
            picture = labelled(picture, column_labels(spec.codes[code : code + 1]), rows, spec.name(code))
        else:
            picture = _enlarged(all_codes(self.run, noise[:1], codes), 2 * PICTURE_SIDE, note)
            picture = labelled(picture, column_labels(spec.codes), [spec.name(i) for i in range(len(codes))])
        self.picture.tooltip, self.picture.value = alt, png_bytes(picture)


def _enlarged(pixels: np.ndarray, side: int, note: str) -> Image.Image:
    return show(pixels, max(1, round(side / max(pixels.shape[:2]))), smooth=True, note=note)


def button(text: str, tooltip: str) -> widgets.Button:
    return widgets.Button(description=text, tooltip=tooltip, layout={"width": "auto"})


def control(run: Run, i: int) -> widgets.ToggleButtons | widgets.FloatSlider:
    """Buttons for a categorical code, a slider for a continuous one."""
    code, title, value = run.config.latents.codes[i], code_title(run, i), run.config.latents.start()[i]
    if isinstance(code, Categorical):
        tooltips = [f"{title}, category {category_label(run, i, k)}" for k in range(code.k)]
        shown = {"description": title, "tooltips": tooltips, "style": {"button_width": f"{BUTTON_SIDE}px"}}
        buttons = widgets.ToggleButtons(options=range(code.k), value=value, **shown)
        return buttons.add_class("pictured").add_class(f"code-{i}")
    low, *_, high = sweep(code).tolist()
    tooltip = f"{title}, trained on -1 to 1"
    slider = widgets.FloatSlider(value, min=low, max=high, step=0.05, description=title, tooltip=tooltip)
    return slider.add_class("trained")


def button_pictures(scope: str, strip: np.ndarray) -> str:
    """CSS that puts the square pictures of a strip, uint8 [side, K * side, C], on the buttons within `scope`."""
    k, side = strip.shape[1] // strip.shape[0], BUTTON_SIDE
    url = f"url(data:image/png;base64,{b64encode(png_bytes(show(strip, 1))).decode()})"
    rules = [f"{scope} button {{ background-image: {url}; background-size: {k * side}px {side}px }}"]
    rules += [f"{scope} button:nth-child({n + 1}) {{ background-position: {-n * side}px 0 }}" for n in range(k)]
    return f"<style>{''.join(rules)}</style>"


def alert(error: Exception) -> str:
    """An error of ours as one line; a bug with its traceback in a folded element."""
    message = escape(str(error))
    if not isinstance(error, (ValueError, RuntimeError, OSError)) or "\n" in str(error):
        trace = escape("".join(traceback.format_exception(error)))
        name = type(error).__name__
        message = f"<details><summary>A bug: {name}: {message}</summary><pre>{trace}</pre></details>"
    return f'<div role="alert" style="color: var(--jp-error-color1, #c62828)">{message}</div>'

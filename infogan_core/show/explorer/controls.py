"""The Explorer's parts: a control per code, with pictures on the buttons, and a picture with what Q reads in it."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from pathlib import Path

import anywidget
import ipywidgets as widgets
import numpy as np
from torch import Tensor

from infogan_core.model.latents import Categorical
from infogan_core.show.explorer.q_chart import drawn
from infogan_core.show.figures import Run, category_label, grid, note_of, png_bytes, sweep

SIDE = 280  # of a single picture, in pixels, give or take a whole enlargement
SHEET = 560  # ... and of a sheet's longer side
CELL = 34  # of the pictures on buttons, as in explorer.css
Control = widgets.ToggleButtons | widgets.FloatSlider
HERE = Path(__file__).parent


class Front(anywidget.AnyWidget):
    """The Explorer's style, and names for a screen reader on sliders and buttons, which ipywidgets leaves without."""

    _esm, _css = HERE / "explorer.js", HERE / "explorer.css"


class Side(widgets.VBox):
    """A run's picture, its name where two are compared, and what Q reads in it."""

    def __init__(self, run: Run, caption: str = "") -> None:
        self.run = run
        self.picture = widgets.Image(format="png", layout={"align_self": "flex-start"})
        self.reading = widgets.HTML(layout={"width": f"{SIDE + 80}px", "max_width": "100%"})
        name = [widgets.HTML(f"<b>{escape(caption)}</b>")] if caption else []
        super().__init__([*name, self.picture, self.reading], layout={"max_width": "100%"})

    def show(self, sheet: np.ndarray, side: int) -> None:
        scale = max(1, round(side / max(sheet.shape[:2])))
        self.picture.value = png_bytes(sheet, scale, smooth=True, note=note_of(self.run))

    def read(self, x: Tensor, codes: list[Tensor]) -> None:
        """What Q reads in G(z, c), x [1, C, H, W], beside the codes that were set."""
        reading = self.run.infer(x)
        self.reading.value = f"What Q reads, beside what was set{drawn(self.run, reading, codes)}"


def button(text: str, tooltip: str) -> widgets.Button:
    return widgets.Button(description=text, tooltip=tooltip, layout={"width": "auto"})


def control(run: Run, i: int, title: str, value: float) -> Control:
    """Buttons for a categorical code, a slider for a continuous one."""
    code = run.config.latents.codes[i]
    if isinstance(code, Categorical):
        tooltips = [f"{title}, category {category_label(run, i, k)}".replace("\n", " ") for k in range(code.k)]
        style = {"button_width": f"{CELL}px"}
        made = widgets.ToggleButtons(
            options=range(code.k), value=value, description=title, tooltips=tooltips, style=style
        )
        made.add_class("pictured")
        made.add_class(f"code-{i}")
        return made
    limit = sweep(code)[-1].item()
    tooltip = f"{title}, trained on -1 to 1"
    made = widgets.FloatSlider(value, min=-limit, max=limit, step=0.05, description=title, tooltip=tooltip)
    made.add_class("trained")
    return made


def button_pictures(scope: str, strip: np.ndarray, side: int) -> str:
    """CSS that puts the pictures of a strip uint8 [side, K * side, C] on the buttons within `scope`."""
    k = strip.shape[1] // side
    url = f"url(data:image/png;base64,{b64encode(png_bytes(strip)).decode()})"
    rules = [f"{scope} button {{ background-image: {url}; background-size: {k * CELL}px {CELL}px }}"]
    rules += [f"{scope} button:nth-child({n + 1}) {{ background-position: {-n * CELL}px 0 }}" for n in range(k)]
    return f"<style>{''.join(rules)}</style>"


def thumbnail(x: Tensor) -> bytes:
    """One picture [1, C, H, W] as a small PNG."""
    return png_bytes(grid(x), max(1, round(2 * CELL / x.shape[-1])), smooth=True)

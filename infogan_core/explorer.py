"""Sliders over the latent code: turn c1, c2, ... and see G(z, c). The only file that imports ipywidgets."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import ipywidgets as widgets
import torch
from torch import Tensor

from infogan_core.figures import Run, category_label, code_title, grid, note_of, png_bytes, sweep
from infogan_core.latents import Categorical, Uniform

SIDE = 280  # of the picture, in pixels, give or take a whole enlargement
LAST_SEED = 2**31 - 1
START = 0  # of every code: the first category, the middle of a slider
STEPS = 41  # of a continuous code from -2 to 2 while it plays: 0.1 each
Control = widgets.ToggleButtons | widgets.FloatSlider


class Explorer(widgets.HBox):
    """One picture G(z, c), a control for each latent code, and what Q reads in it; a still PNG where no widgets run.

    Needs of the run: config.latents, generate(), infer() and report (whose "names", if any, title the codes). An error
    while drawing is shown beneath the controls, and the last picture stays.
    """

    def __init__(self, run: Run, seed: int = 0) -> None:
        super().__init__(layout={"flex_flow": "row wrap", "grid_gap": "8px 24px"})
        self.run, self._first_seed, self._held = run, seed, False
        self._codes = run.config.latents.codes
        titles = [code_title(run, i) for i in range(len(self._codes))]
        self.picture = widgets.Image(format="png")
        self.reading, self.error = widgets.HTML(layout={"max_width": f"{SIDE}px"}), widgets.HTML()
        self.controls = [_control(run, i, title) for i, title in enumerate(titles)]
        self.noise = widgets.BoundedIntText(
            seed, min=0, max=LAST_SEED, description="noise", tooltip="seed of the noise z"
        )
        self.new_noise = _button("new noise", "the noise of the next seed")
        self.reset = _button("reset", "codes and noise as they were at first")
        self.swept = widgets.Dropdown(options=[(title, i) for i, title in enumerate(titles)], description="sweep")
        self.swept.tooltip = "the code that play moves"
        self.play = widgets.Play(repeat=True, show_repeat=False, tooltip="move that code back and forth")
        self._wire()
        self.children = self._arranged()
        self._choose_swept()
        self.redraw()

    def _wire(self) -> None:
        for control in (*self.controls, self.noise):
            control.observe(lambda _: self._held or self.redraw(), "value")
        self.new_noise.on_click(lambda _: self._next_noise())
        self.reset.on_click(lambda _: self._start_again())
        self.swept.observe(lambda _: self._choose_swept(), "value")
        self.play.observe(lambda change: self._move_swept(change["new"]), "value")

    def _arranged(self) -> tuple[widgets.Widget, widgets.Widget]:
        width = f"{1 + 0.55 * max(len(widget.description) for widget in (*self.controls, self.noise)):.1f}em"
        for widget in (*self.controls, self.noise, self.swept):
            widget.style.description_width = width
        self.noise.layout.width = self.swept.layout.width = f"calc({width} + 120px)"
        noise = widgets.HBox([self.noise, self.new_noise, self.reset], layout={"flex_flow": "row wrap"})
        play = widgets.HBox([self.swept, self.play], layout={"flex_flow": "row wrap"})
        below = [noise, play, self.error]
        return widgets.VBox([self.picture, self.reading]), widgets.VBox([*self.controls, *below])

    def latents(self) -> tuple[Tensor, list[Tensor]]:
        """What the controls say: (noise [1, noise_dim], one tensor [1] per code). A seed is one noise everywhere."""
        noise = self.run.config.latents.sample_noise(1, torch.Generator().manual_seed(self.noise.value))
        return noise, [torch.tensor([control.value]) for control in self.controls]

    def redraw(self) -> None:
        """Generate the picture, show it, and let Q read it."""
        try:
            with _one_thread():
                x = self.run.generate(*self.latents())
                self.picture.value = png_bytes(grid(x), max(1, round(SIDE / x.shape[-1])), smooth=True)
                note = note_of(self.run) and f"<br>{escape(note_of(self.run))}"
                self.reading.value = f"Q reads: {_read(self.run, x)}{note}"
            self.error.value = ""
        except Exception as error:  # the traceback of a callback would end in a log that nobody reads
            message = escape(f"{type(error).__name__}: {error}")
            self.error.value = f'<span role="alert" style="color: var(--jp-error-color1, #c62828)">{message}</span>'

    @contextmanager
    def _undrawn(self) -> Iterator[None]:
        """What changes in here is not drawn."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def _next_noise(self) -> None:
        self.noise.value = (self.noise.value + 1) % (LAST_SEED + 1)

    def _start_again(self) -> None:
        with self._undrawn():
            self.play.playing, self.play.value = False, 0
            self.noise.value = self._first_seed
            for control in self.controls:
                control.value = START
        self.redraw()

    def _choose_swept(self) -> None:
        code = self._codes[self.swept.value]
        self._path = _back_and_forth(code)
        with self._undrawn():
            self.play.value, self.play.max = 0, len(self._path) - 1
        self.play.interval = 500 if isinstance(code, Categorical) else 100  # ms

    def _move_swept(self, tick: int) -> None:
        if self.play.playing and not self._held:  # a tick may still be under way when play has stopped
            self.controls[self.swept.value].value = self._path[tick]

    def __repr__(self) -> str:
        name = self.run.config.latents.name
        codes = ", ".join(f"{name(i)}={control.value:g}" for i, control in enumerate(self.controls))
        return f"Explorer({codes}, noise={self.noise.value})"

    def _repr_mimebundle_(self, **kwargs) -> dict:
        bundle = super()._repr_mimebundle_(**kwargs)
        if self.picture.value:
            bundle["image/png"] = b64encode(self.picture.value).decode()
        return bundle


@contextmanager
def _one_thread() -> Iterator[None]:
    """One picture takes 10 ms on one thread as on two, and on two up to 250 ms while a browser keeps a core busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _button(text: str, tooltip: str) -> widgets.Button:
    return widgets.Button(description=text, tooltip=tooltip, layout={"width": "auto"})


def _control(run: Run, i: int, title: str) -> Control:
    """Buttons for a categorical code, a slider for a continuous one."""
    code = run.config.latents.codes[i]
    if isinstance(code, Categorical):
        tooltips = [f"{title}, category {category_label(run, i, k)}".replace("\n", " ") for k in range(code.k)]
        style = {"button_width": "auto"}
        return widgets.ToggleButtons(options=range(code.k), description=title, tooltips=tooltips, style=style)
    limit = sweep(code)[-1].item()
    tooltip = f"{title}, trained on -1 to 1"
    return widgets.FloatSlider(START, min=-limit, max=limit, step=0.05, description=title, tooltip=tooltip)


def _back_and_forth(code: Categorical | Uniform) -> list[int] | list[float]:
    """A code's values once up and down and round to where it starts: 0 1 2 3 2 1, or 0 .. 2 .. 0 .. -2 .. -0.1."""
    up = sweep(code) if isinstance(code, Categorical) else sweep(code, STEPS)
    up = [round(value, 6) for value in up.tolist()]  # float32's -2.98e-8 is the 0 to start from
    circle = up + up[-2:0:-1]
    first = circle.index(START)
    return circle[first:] + circle[:first]


def _read(run: Run, x: Tensor) -> str:
    """Q(c|x) of one picture, a code after the other: "c1 = 7 (98%), c2 = 0.41 ± 1.00"."""
    spec, parts = run.config.latents, []
    for i, (code, q) in enumerate(zip(spec.codes, run.infer(x), strict=True)):
        if isinstance(code, Categorical):
            parts.append(f"{spec.name(i)} = {q[0].argmax().item()} ({q[0].max().item():.0%})")
        else:
            mean, sigma = (part[0].item() for part in q)
            parts.append(f"{spec.name(i)} = {mean:z.2f} ± {sigma:.2f}")
    return ", ".join(parts)

"""Sliders over the latent code: turn c1, c2, ... and see G(z, c)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape

import ipywidgets as widgets
import torch
from IPython.display import display
from torch import Tensor

from infogan_core.model.latents import Categorical
from infogan_core.show.explorer.bring_and_save import Exchange
from infogan_core.show.explorer.controls import SHEET, SIDE, Front, Side, button, button_pictures, control
from infogan_core.show.figures import Run, code_title, grid
from infogan_core.show.sheets import all_codes, back_and_forth, pace, sheet, strips

LAST_SEED = 2**31 - 1
NOISES = 10  # rows of the sheet: the noise of the seed, and of the seeds after it
VIEWS = ("single", "sheet", "all codes")
PAUSE = 0.3  # seconds after a change, in which the pictures on the buttons follow it and what came since


class Explorer(widgets.HBox):
    """G(z, c) of a run, a control for each code, and what Q reads in the picture; a still PNG where no widgets run.

    `other`, a run with the same inputs, is shown beside it on the same noise and codes: ValueError if it has others.
    Needs of a run: config (latents, image_size, channels), generate(), infer() and report (whose "names", if any, title
    the codes). An error while drawing is shown beneath the controls, and the last picture stays.
    """

    def __init__(self, run: Run, seed: int = 0, other: Run | None = None) -> None:
        super().__init__(layout={"flex_flow": "row wrap", "grid_gap": "8px 24px"})
        if other is not None and _inputs(other) != _inputs(run):
            raise ValueError(f"runs to compare need the same noise and codes: {_inputs(run)}, {_inputs(other)}")
        self.run, self._first_seed, self._held, self._waiting = run, seed, False, None
        self._codes = run.config.latents.codes
        titles = [code_title(run, i) for i in range(len(self._codes))]
        captions = [_caption(r) for r in (run, other)] if other else [""]
        self.sides = [Side(r, caption) for r, caption in zip([run, *([other] if other else [])], captions, strict=True)]
        self.picture, self.reading = self.sides[0].picture, self.sides[0].reading
        self.view = widgets.ToggleButtons(options=VIEWS, description="view", style={"button_width": "auto"})
        self._start = run.config.latents.start()
        self.controls = [control(run, i, title, self._start[i]) for i, title in enumerate(titles)]
        self.noise = widgets.BoundedIntText(
            seed, min=0, max=LAST_SEED, description="noise", tooltip="seed of the noise z"
        )
        self.new_noise = button("new noise", "the noise of the next seed")
        self.reset = button("reset", "codes and noise as they were at first")
        self.swept = widgets.Dropdown(options=[(title, i) for i, title in enumerate(titles)], description="sweep")
        self.swept.tooltip = "the code that play moves, and that the sheet shows"
        self.play = widgets.Play(repeat=True, show_repeat=False, tooltip="move that code back and forth")
        self.error = widgets.HTML()
        self.error.add_class("failed")
        self._pictures = {i: widgets.HTML() for i, code in enumerate(self._codes) if isinstance(code, Categorical)}
        with _one_thread():
            self.exchange = Exchange(self)
        self._wire()
        self.children = self._arranged()
        self._choose_swept()
        self.redraw()
        if self._waiting:  # in a kernel: at once, this first time
            self._waiting.cancel()
            self._settle()

    def _wire(self) -> None:
        self.add_class("infogan")
        self.add_class(f"infogan-{self.model_id[:12]}")
        for widget in (*self.controls, self.noise, self.view):
            widget.observe(lambda _: self._held or self.redraw(), "value")
        self.new_noise.on_click(lambda _: self._next_noise())
        self.reset.on_click(lambda _: self.put(self._start, self._first_seed))
        self.swept.observe(lambda _: self._choose_swept(), "value")
        self.play.observe(lambda change: self._move_swept(change["new"]), "value")
        self.play.observe(lambda change: change["new"] and self._start_playing(), "playing")

    def _arranged(self) -> tuple[widgets.Widget, widgets.Widget]:
        named = (self.view, *self.controls, self.noise, self.swept)
        width = f"{1 + 0.55 * min(30, max(len(widget.description) for widget in named)):.1f}em"
        for widget in named:
            widget.style.description_width = width
            widget.layout.max_width = "100%"
        for slider in self.controls:
            slider.layout.width = f"calc({width} + 340px)"
        self.noise.layout.width = self.swept.layout.width = f"calc({width} + 120px)"
        noise = widgets.HBox([self.noise, self.new_noise, self.reset], layout={"flex_flow": "row wrap"})
        play = widgets.HBox([self.swept, self.play], layout={"flex_flow": "row wrap"})
        pictures = widgets.HBox(self.sides, layout={"flex_flow": "row wrap", "grid_gap": "8px 16px"})
        hidden = widgets.VBox([Front(), *self._pictures.values()], layout={"height": "0", "overflow": "hidden"})
        below = [noise, play, self.exchange.box, self.error, hidden]
        layout = {"max_width": "100%"}
        return widgets.VBox([self.view, pictures], layout=layout), widgets.VBox([*self.controls, *below], layout=layout)

    def latents(self, noises: int = 1) -> tuple[Tensor, list[Tensor]]:
        """What the controls say: (noise [noises, noise_dim], of the seed and those after it, a tensor [1] per code)."""
        spec, seeds = self.run.config.latents, range(self.noise.value, self.noise.value + noises)
        noise = [spec.sample_noise(1, torch.Generator().manual_seed(seed % (LAST_SEED + 1))) for seed in seeds]
        return torch.cat(noise), [torch.tensor([widget.value]) for widget in self.controls]

    def redraw(self) -> None:
        """Generate the picture, show it, and let Q read it; those on the buttons follow in a moment."""
        with self.errors_shown():
            for side in self.sides:
                self._draw(side)
            self.error.value = ""
        self._later(self._settle)

    def _draw(self, side: Side) -> None:
        noise, codes = self.latents()
        x = side.run.generate(noise, codes)
        if self.view.value == "single":
            picture, wide = grid(x), SIDE
        elif self.view.value == "sheet":
            picture, wide = sheet(side.run, self.latents(NOISES)[0], codes, self.swept.value), SHEET
        else:
            picture, wide = all_codes(side.run, noise, codes), SHEET
        side.read(x, codes)
        side.show(picture, wide)

    def _settle(self) -> None:
        """Draw what may wait: the pictures on the buttons, and the files to save."""
        with self.errors_shown():
            for i, strip in strips(self.run, *self.latents()).items():
                scope = f".infogan-{self.model_id[:12]} .code-{i}"
                self._pictures[i].value = button_pictures(scope, strip, len(strip))
            self.exchange.offer()

    def _later(self, what: Callable[[], None]) -> None:
        """Do it in a moment, once for all that changes until then; at once where no event loop runs."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            what()
        else:
            if not self._waiting or self._waiting.cancelled() or loop.time() >= self._waiting.when():
                self._waiting = loop.call_later(PAUSE, what)

    @contextmanager
    def errors_shown(self) -> Iterator[None]:
        """On one thread; an error is shown beneath the controls."""
        try:
            with _one_thread():
                yield
        except Exception as error:  # the traceback of a callback would end in a log that nobody reads
            message = escape(f"{type(error).__name__}: {error}")
            self.error.value = f'<span role="alert" style="color: var(--jp-error-color1, #c62828)">{message}</span>'

    def put(self, codes: list[float], seed: int, view: str | None = None, swept: int | None = None) -> None:
        """Set codes, noise and view in one redraw; what plays, stops."""
        self._held = True
        try:
            self.play.playing, self.play.value = False, 0
            self.noise.value = seed
            self.view.value = view or self.view.value
            self.swept.value = self.swept.value if swept is None else swept
            for widget, value in zip(self.controls, codes, strict=True):
                widget.value = value
        finally:
            self._held = False
        self.redraw()

    def _next_noise(self) -> None:
        self.noise.value = (self.noise.value + 1) % (LAST_SEED + 1)

    def _choose_swept(self) -> None:
        code = self._codes[self.swept.value]
        self._path = back_and_forth(code)
        held, self._held = self._held, True
        self.play.value, self.play.max, self.play.interval = 0, len(self._path) - 1, pace(code)
        self._start_playing()
        self._held = held
        if not held and self.view.value == "sheet":
            self.redraw()

    def _move_swept(self, tick: int) -> None:
        if self.play.playing and not self._held:  # a tick may still be under way when play has stopped
            self.controls[self.swept.value].value = self._path[(self._from + tick) % len(self._path)]

    def _start_playing(self) -> None:
        """From the value where the code stands, or the nearest to it."""
        now = self.controls[self.swept.value].value
        at = min(range(len(self._path)), key=lambda i: abs(self._path[i] - now))
        self._from = at - self.play.value

    def __repr__(self) -> str:
        name = self.run.config.latents.name
        codes = ", ".join(f"{name(i)}={control.value:g}" for i, control in enumerate(self.controls))
        return f"Explorer({codes}, noise={self.noise.value})"

    def _ipython_display_(self) -> None:
        """A still PNG, then the widget, whose style hides the still where it lives: there is a picture in any case."""
        if self.picture.value:
            display({"image/png": bytes(self.picture.value)}, raw=True)
        display(self._repr_mimebundle_(), raw=True)


def _caption(run: Run) -> str:
    c = run.config
    weights = " ".join(f"{weight:g}" for weight in dict.fromkeys(c.lambda_info))
    return f"{run.path.name}: {c.dataset} {c.profile}, seed {c.seed}, lambda {weights}"


def _inputs(run: Run) -> str:
    """What G takes. How Q reads it, its sigma, may differ between runs that are compared."""
    spec = run.config.latents
    codes = [f"{type(code).__name__}({code.k if isinstance(code, Categorical) else ''})" for code in spec.codes]
    return f"{spec.noise_dim} {spec.noise}, {', '.join(codes)}"


@contextmanager
def _one_thread() -> Iterator[None]:
    """One picture takes 10 ms on one thread as on two, and on two up to 250 ms while a browser keeps a core busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

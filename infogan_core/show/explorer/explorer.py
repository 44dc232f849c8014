"""Sliders over the latent code: turn c1, c2, ... and see G(z, c)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import ipywidgets as widgets
import torch
from IPython.display import display
from torch import Tensor

from infogan_core.device import using_threads
from infogan_core.runs import Run
from infogan_core.show.explorer.bring_and_save import BringAndSave
from infogan_core.show.explorer.controls import Front, RunView, alert, button, button_pictures, control
from infogan_core.show.figures import as_run, image_bundle
from infogan_core.show.sheets import PACE, back_and_forth, strips

LAST_SEED = 2**31 - 1
PAUSE = 0.3  # seconds after a change, in which the pictures on the buttons follow it and what came since


class Explorer(widgets.HBox):
    """Sliders over a run's codes: G(z, c), a control for each code, and what Q reads in the picture.

    `seed` gives the noise z. `other` is a second run to compare on the same noise and codes; ValueError if its latents
    differ. Where no widgets run, such as in a saved notebook, a PNG stands in the Explorer's place. An error while
    drawing is shown beneath the controls, and the last picture stays.
    """

    def __init__(self, run: Run, seed: int = 0, other: Run | None = None) -> None:
        self._timer = None
        super().__init__()
        runs = [as_run(r) for r in (run, other) if r is not None]
        self.run, self._hold = runs[0], False
        if _inputs(runs[-1]) != _inputs(self.run):
            raise ValueError(f"runs to compare need the same noise and codes: {', '.join(map(_inputs, runs))}")
        self.scope = f".infogan-{self.model_id[:12]}"  # in CSS, this Explorer and no other
        self.views = [RunView(r, _caption(r) if other else "") for r in runs]
        self.picture, self.reading = self.views[0].picture, self.views[0].reading
        self.controls = [control(self.run, i) for i in range(len(self.run.config.latents.codes))]
        self.view = widgets.ToggleButtons(options=("single", "sheet", "all codes"), description="view")
        self.view.style.button_width = "auto"
        self.noise = widgets.BoundedIntText(seed, 0, LAST_SEED, description="noise", tooltip="seed of the noise z")
        self.new_noise = button("new noise", "the noise of the next seed")
        self.reset = button("reset", "codes and noise as they were at first")
        titles = [(control.description, i) for i, control in enumerate(self.controls)]
        self.sweep_code = widgets.Dropdown(options=titles, description="sweep")
        self.sweep_code.tooltip = "the code that play moves, and that the sheet shows"
        self.play = widgets.Play(repeat=True, show_repeat=False, tooltip="move that code back and forth")
        self.error, self._style = widgets.HTML().add_class("failed"), widgets.HTML()
        with using_threads(1):
            self.bring_and_save = BringAndSave(self)
        self.children = self._arrange()
        self.add_class("infogan").add_class(self.scope.removeprefix("."))
        for widget in (*self.controls, self.noise, self.view):
            widget.observe(lambda _: self._hold or self.redraw(), "value")
        self.new_noise.on_click(lambda _: self.noise.set_trait("value", (self.noise.value + 1) % (LAST_SEED + 1)))
        start = self.run.config.latents.start()
        self.reset.on_click(lambda _: self.put(start, seed, self.view.value, self.sweep_code.value))
        self.sweep_code.observe(lambda _: self._choose_sweep_code(), "value")
        self.play.observe(lambda change: self._move(change["new"]), "value")
        self.play.observe(lambda change: change["new"] and self._start_playing(), "playing")
        self._choose_sweep_code()
        self._draw_pictures()
        self._draw_buttons()

    def _arrange(self) -> tuple[widgets.Widget, widgets.Widget]:
        labelled = (self.view, *self.controls, self.noise, self.sweep_code)
        width = f"{1 + 0.55 * min(30, max(len(widget.description) for widget in labelled)):.1f}em"
        for widget in labelled:
            widget.style.description_width = width
            widget.layout.max_width = "100%"
        for slider in self.controls:
            slider.layout.width = f"calc({width} + 340px)"
        self.noise.layout.width = self.sweep_code.layout.width = f"calc({width} + 120px)"
        wrap = {"flex_flow": "row wrap"}
        noise = widgets.HBox([self.noise, self.new_noise, self.reset], layout=wrap)
        play = widgets.HBox([self.sweep_code, self.play], layout=wrap)
        pictures = widgets.HBox(self.views, layout=wrap | {"grid_gap": "8px 16px"})
        hidden = widgets.VBox([Front(), self._style], layout={"height": "0", "overflow": "hidden"})
        below = [noise, play, self.bring_and_save, self.error, hidden]
        return widgets.VBox([self.view, pictures]), widgets.VBox([*self.controls, *below])

    def latents(self, noises: int = 1) -> tuple[Tensor, list[Tensor]]:
        """The controls' (noise [noises, noise_dim], of the seed and those after it, and a tensor [1] per code)."""
        spec = self.run.config.latents
        noise = [spec.sample_noise(1, torch.Generator().manual_seed(seed)) for seed in self._seeds(noises)]
        return torch.cat(noise), [torch.tensor([widget.value]) for widget in self.controls]

    def _seeds(self, noises: int) -> list[int]:
        return [(self.noise.value + i) % (LAST_SEED + 1) for i in range(noises)]

    def redraw(self) -> None:
        """Generate the picture, show it, and let Q read it.

        The pictures on the buttons follow once for all changes within PAUSE; at once where no event loop runs.
        """
        self._draw_pictures()
        self.bring_and_save.forget()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self._draw_buttons()
        if not self._timer or loop.time() >= self._timer.when():
            self._timer = loop.call_later(PAUSE, self._draw_buttons)

    def _draw_pictures(self) -> None:
        with self.show_errors():
            for view in self.views:
                view.draw(self._seeds(10), *self.latents(10), self.view.value, self.sweep_code.value, self._alt())
            self.error.value = ""

    def _draw_buttons(self) -> None:
        """Draw what may wait: the pictures on the buttons, and the files to save."""
        with self.show_errors():
            made = strips(self.run, *self.latents()).items()
            self._style.value = "".join(button_pictures(f"{self.scope} .code-{i}", strip) for i, strip in made)
            self.bring_and_save.offer()

    @contextmanager
    def show_errors(self) -> Iterator[None]:
        """On one thread, which is as fast as two for a picture, and steady beside a browser; errors in the page."""
        try:
            with using_threads(1):
                yield
        except Exception as error:  # the traceback of a callback would end in a log that nobody reads
            self.error.value = alert(error)

    def put(self, codes: list[float], noise: int, view: str, sweep_code: int) -> None:
        """Set all controls in one redraw; what plays, stops."""
        self._hold = True
        self.play.playing, self.play.value = False, 0
        self.noise.value, self.view.value, self.sweep_code.value = noise, view, sweep_code
        for widget, value in zip(self.controls, codes, strict=True):
            widget.value = value
        self._hold = False
        self.redraw()

    def _choose_sweep_code(self) -> None:
        code = self.run.config.latents.codes[self.sweep_code.value]
        self._path = back_and_forth(code)
        hold, self._hold = self._hold, True
        self.play.value, self.play.max, self.play.interval = 0, len(self._path) - 1, PACE[type(code)]
        self._start_playing()
        self._hold = hold
        if not hold and self.view.value == "sheet":
            self.redraw()

    def _start_playing(self) -> None:
        """From the value where the code stands, or the nearest to it."""
        now = self.controls[self.sweep_code.value].value
        at = min(range(len(self._path)), key=lambda i: abs(self._path[i] - now))
        self._from = at - self.play.value

    def _move(self, tick: int) -> None:
        if self.play.playing and not self._hold:  # a tick may still be under way when play has stopped
            self.controls[self.sweep_code.value].value = self._path[(self._from + tick) % len(self._path)]

    def close(self) -> None:
        """Close every widget that it made, as ipywidgets closes this box alone."""
        if self._timer:
            self._timer.cancel()
        made, found = set(), [self]
        while found:
            widget = found.pop()
            if widget.comm and widget not in made:
                made.add(widget)
                for value in map(partial(getattr, widget), widget.keys):
                    parts = value if isinstance(value, (list, tuple)) else [value]
                    found += [part for part in parts if isinstance(part, widgets.Widget)]
        for widget in made:
            widget.unobserve_all()
            widgets.Widget.close(widget)

    def _setting(self) -> str:
        name = self.run.config.latents.name
        codes = [f"{name(i)}={control.value:g}" for i, control in enumerate(self.controls)]
        return ", ".join([*codes, f"noise={self.noise.value}"])

    def _alt(self) -> str:
        """The picture in words, for those who do not see it."""
        sheets = {"sheet": f"rows of {self.sweep_code.label}, a noise each", "all codes": "a row for each code"}
        return f"{self.run.config.dataset}, generated {sheets.get(self.view.value, 'picture')}: {self._setting()}"

    def __repr__(self) -> str:
        return f"Explorer({self._setting()})"

    def _ipython_display_(self) -> None:
        """A PNG, then the widget, whose style hides the PNG where it lives: there is a picture in any case."""
        if self.picture.value:
            data, metadata = image_bundle(bytes(self.picture.value), self._alt())
            display(data, metadata=metadata, raw=True)
        display(self._repr_mimebundle_(), raw=True)


def _caption(run: Run) -> str:
    c = run.config
    weights = " ".join(f"{weight:g}" for weight in dict.fromkeys(c.lambda_info))
    return f"{run.path.name}: {c.dataset} {c.profile}, seed {c.seed}, lambda {weights}"


def _inputs(run: Run) -> str:
    """What G takes. How Q reads it, its sigma, may differ between runs that are compared."""
    spec = run.config.latents
    codes = [f"{type(code).__name__}({getattr(code, 'k', '')})" for code in spec.codes]
    return f"{spec.noise_dim} {spec.noise}, {', '.join(codes)}"

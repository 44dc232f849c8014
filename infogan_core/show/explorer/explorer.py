"""Sliders over the latent code: turn c1, c2, ... and see G(z, c). The page itself is explorer.js and its parts."""

from __future__ import annotations

import io
import traceback
from html import escape
from typing import Any

import anywidget
import numpy as np
import torch
import traitlets
from IPython.display import display
from torch import Tensor

from infogan_core.device import using_threads
from infogan_core.runs import Run
from infogan_core.show.explorer.about import STYLE, about, script
from infogan_core.show.figures import as_run, grid, image_bundle, note_of, png_bytes, show

SIDE = 280  # of a picture, in screen pixels, about


class Explorer(anywidget.AnyWidget):
    """Sliders over a run's codes: G(z, c), a control for each code, and what Q reads in the picture.

    `seed` gives the noise z. `other` is a second run with the same codes to compare; ValueError if its codes differ.
    `setting` is what the controls show, and may be set: {"codes": {"c1": 3, ...}, "noise": 0, "view": "single",
    "sweep": "c1"}. Where no widgets run, such as in a saved notebook, a PNG stands in the Explorer's place.
    """

    _esm, _css = script("kernel.js") + "\nexport default { render }", STYLE
    about = traitlets.Dict().tag(sync=True)
    setting = traitlets.Dict().tag(sync=True)

    def __init__(self, run: Run, seed: int = 0, other: Run | None = None) -> None:
        self.runs = [as_run(r) for r in (run, other) if r is not None]
        self.run = self.runs[0]
        if len(kinds := {_codes(r) for r in self.runs}) > 1:
            raise ValueError(f"runs to compare need the same codes, found {' beside '.join(sorted(kinds))}")
        with using_threads(1):
            super().__init__(about=about(self.runs, seed))
        self.open_run = lambda name: None  # what a page with several runs does when an address names another
        self._answers = {"noises": self._noises, "generate": self._generate, "read": self._read, "gif": self._gif}
        self._answers |= {"rename": self._rename, "open": self._open}
        self.on_msg(self._on_message)

    @traitlets.validate("setting")
    def _check(self, proposal: dict[str, Any]) -> dict[str, Any]:
        """Refuses, where it is set, what the page would not take: ValueError says what it should be."""
        setting, start = proposal["value"], self._start()
        if setting and (
            not isinstance(setting.get("codes"), dict) or setting["codes"].keys() | {"noise"} != start.keys()
        ):
            raise ValueError(f"setting: needs codes, a dict of {', '.join(start)}, found {setting.get('codes')!r}")
        shown = self._shown(setting)
        if not all(type(value) in (int, float) for value in shown.values()) or not 0 <= shown["noise"] < 2**31:
            raise ValueError(f"setting: codes and noise must be numbers, noise at least 0, found {shown}")
        self._latents(shown)
        return setting

    def _start(self) -> dict[str, float]:
        spec = self.run.config.latents
        return {spec.name(i): value for i, value in enumerate(spec.start())} | {"noise": self.about.get("seed", 0)}

    def _shown(self, setting: dict[str, Any]) -> dict[str, float]:
        """Codes, in their order, and noise of a setting: those of the start where it names none."""
        start = self._start()
        return start | setting.get("codes", {}) | {"noise": setting.get("noise", start["noise"])}

    def _latents(self, shown: dict[str, float]) -> tuple[Tensor, list[Tensor]]:
        spec = self.run.config.latents
        noise = spec.sample_noise(1, torch.Generator().manual_seed(int(shown["noise"])))
        codes = [torch.tensor([value]) for name, value in shown.items() if name != "noise"]
        spec.check(noise, codes)
        return noise, codes

    def still(self) -> bytes:
        """A PNG of the picture at the setting."""
        noise, codes = self._latents(self._shown(self.setting))
        noise = torch.tensor([self.setting["z"]]) if self.setting.get("z") else noise
        with using_threads(1):
            return png_bytes(self._enlarged(self.run.generate(noise * self.setting.get("scale", 1), codes)))

    def _enlarged(self, x: Tensor) -> Any:
        return show(grid(x), max(1, round(SIDE / x.shape[-1])), smooth=True, note=note_of(self.run))

    def _on_message(self, _: anywidget.AnyWidget, message: dict[str, Any], buffers: list[memoryview]) -> None:
        """One thread is as fast as two for a picture, and steady beside a browser. An error is shown in the page: the
        traceback of a callback would end in a log that nobody reads."""
        try:
            with using_threads(1):
                floats = torch.frombuffer(bytearray(buffers[0]), dtype=torch.float32) if len(buffers[0]) else None
                answer, out = self._answers[message["what"]](message, floats)
        except (Exception, KeyboardInterrupt) as error:  # a page without an answer would wait for ever
            answer, out = _in_words(error), []
        self.send({"id": message["id"], **answer}, out)

    def _noises(self, message: dict[str, Any], _: None) -> tuple[dict, list[bytes]]:
        spec = self.runs[message["run"]].config.latents
        noise = [spec.sample_noise(1, torch.Generator().manual_seed(seed)) for seed in message["seeds"]]
        return {}, [_bytes(torch.cat(noise))]

    def _generate(self, message: dict[str, Any], rows: Tensor) -> tuple[dict, list[bytes]]:
        """Pictures of G's inputs, uint8 [n, C, H, W], and what Q reads in the first."""
        run = self.runs[message["run"]]
        x = run.paint(rows.view(-1, run.config.latents.width))
        pixels = (x.clamp(0, 1) * 255).round().to(torch.uint8)
        return {}, [_bytes(pixels), self._reading(run, x[:1])]

    def _read(self, message: dict[str, Any], x: Tensor) -> tuple[dict, list[bytes]]:
        run = self.runs[message["run"]]
        c = run.config
        return {}, [self._reading(run, x.view(1, c.channels, c.image_size, c.image_size))]

    def _reading(self, run: Run, x: Tensor) -> bytes:
        """Q(c|x) as floats, code after code: probabilities, or mean and standard deviation."""
        return _bytes(torch.cat([q[0] if isinstance(q, Tensor) else torch.cat(q) for q in run.infer(x)]))

    def _gif(self, message: dict[str, Any], rows: Tensor) -> tuple[dict, list[bytes]]:
        x = self.run.paint(rows.view(-1, self.run.config.latents.width))
        first, *others = [self._enlarged(picture[None]) for picture in x]
        buffer = io.BytesIO()
        first.save(buffer, "GIF", save_all=True, append_images=others, duration=message["pause"], loop=0)
        return {}, [buffer.getvalue()]

    def _rename(self, message: dict[str, Any], _: None) -> tuple[dict, list[bytes]]:
        self.run.rename(message["key"], message["name"])
        self.about = about(self.runs, self.about["seed"])
        return {"about": {key: self.about[key] for key in ("codes", "given")}}, []

    def _open(self, message: dict[str, Any], _: None) -> tuple[dict, list[bytes]]:
        self.open_run(message["run"])
        return {}, []

    def close(self) -> None:
        """Also its layout, a widget of its own that ipywidgets leaves."""
        if self.comm:
            self.layout.close()
        super().close()

    def __repr__(self) -> str:
        return f"Explorer({', '.join(f'{name}={value:g}' for name, value in self._shown(self.setting).items())})"

    def _ipython_display_(self) -> None:
        """A PNG, then the widget, whose style hides the PNG where it lives: there is a picture in any case."""
        alt = f"{self.run.config.dataset}, generated picture: {repr(self).removeprefix('Explorer(').removesuffix(')')}"
        data, metadata = image_bundle(self.still(), alt)
        display(data, metadata=metadata, raw=True)
        data, metadata = self._repr_mimebundle_()
        display(data | {"text/plain": repr(self)}, metadata=metadata, raw=True)


def alert(error: Exception) -> str:
    """An error of ours as one line of HTML; a bug with its traceback in a folded element."""
    words = _in_words(error)
    line, trace = escape(words["error"]), words.get("trace")
    text = f"<details><summary>{line}</summary><pre>{escape(trace)}</pre></details>" if trace else line
    return f'<div role="alert" style="color: var(--jp-error-color1, #c62828)">{text}</div>'


def _in_words(error: Exception) -> dict[str, str]:
    if isinstance(error, (ValueError, RuntimeError, OSError)) and "\n" not in str(error):
        return {"error": str(error)}
    return {"error": f"A bug: {type(error).__name__}: {error}", "trace": "".join(traceback.format_exception(error))}


def _bytes(x: Tensor) -> bytes:
    return np.ascontiguousarray(x.cpu().numpy()).tobytes()


def _codes(run: Run) -> str:
    codes = [f"{type(code).__name__}({getattr(code, 'k', '')})" for code in run.config.latents.codes]
    return ", ".join(codes)

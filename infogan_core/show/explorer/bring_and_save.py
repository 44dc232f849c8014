"""What goes into the Explorer and out of it: pictures that Q reads, settings, files to save."""

import io
import json
from base64 import b64encode
from collections.abc import Callable
from contextlib import ContextDecorator
from html import escape
from typing import Any, Protocol

import ipywidgets as widgets
import torch
from torch import Tensor

from infogan_core.data.arrays import TooLarge
from infogan_core.data.pictures import read_picture
from infogan_core.model.latents import Categorical
from infogan_core.runs import Run
from infogan_core.show.explorer.controls import BUTTON_SIDE, PICTURE_SIDE, Picture, alert, button, button_pictures
from infogan_core.show.explorer.q_chart import in_words
from infogan_core.show.figures import grid, on_paper, png_bytes, show, sweep
from infogan_core.show.sheets import animation

LETTERS, SAMPLE_SEED = "ABCDEFGH", 1_000_003  # of generated pictures for Q to read, and the seed of their latents
HINT = "Q reads the picture, and the controls are set to its codes."
LARGEST = 6  # MiB of a file: as text it must pass a server's 10 MiB for one message


class Sliders(Protocol):
    """What is read and set of an Explorer, which holds this part."""

    run: Run
    scope: str
    picture: Picture
    controls: list[widgets.ValueWidget]
    noise: widgets.BoundedIntText
    view: widgets.ToggleButtons
    sweep_code: widgets.Dropdown
    latents: Callable[[], tuple[Tensor, list[Tensor]]]
    put: Callable[..., None]
    show_errors: Callable[[], ContextDecorator]


class BringAndSave(widgets.VBox):
    """An upload button, a strip of generated pictures, and links to the picture, sweep and setting."""

    def __init__(self, explorer: Sliders) -> None:
        self.explorer, self.run = explorer, explorer.run
        tooltip = f"a picture for Q to read, or a saved setting: at most {LARGEST} MiB"
        self.upload = widgets.FileUpload(accept="image/*,.json", description="bring a picture", tooltip=tooltip)
        self.upload.layout.width = "auto"
        latents = self.run.config.latents.sample(len(LETTERS), torch.Generator().manual_seed(SAMPLE_SEED))
        self.sample_pictures = self.run.generate(*latents)
        options = [(letter, k) for k, letter in enumerate(LETTERS)]
        tooltips = [f"let Q read sample {letter}" for letter in LETTERS]
        self.samples = widgets.ToggleButtons(options=options, value=None, tooltips=tooltips)
        self.samples.add_class("pictured").add_class("samples")
        style = button_pictures(f"{explorer.scope} .samples", grid(self.sample_pictures, len(LETTERS), 0))
        self.thumbnail = Picture(layout={"display": "none", "align_self": "center"})
        self.message, self._answered = widgets.HTML(HINT), ""
        self.animate = button("animate the sweep", "make a GIF of the code that play moves")
        self.links, self.gif_link = widgets.HTML(), widgets.HTML()
        rows = (
            [self.upload, self.samples, widgets.HTML(style, layout={"display": "none"})],
            [self.thumbnail, self.message],
            [self.links, self.animate, self.gif_link],
        )
        super().__init__([widgets.HBox(row, layout={"flex_flow": "row wrap", "grid_gap": "0 8px"}) for row in rows])
        self.children[1].layout.flex_flow = "row"
        self.children[1].add_class("answer")
        guarded = explorer.show_errors()
        self.upload.observe(guarded(self._read_file), "value")
        self.samples.observe(guarded(self._read_sample), "value")
        self.animate.on_click(guarded(self._offer_gif))

    def offer(self) -> None:
        """Show links to the picture as it is now, and to the setting."""
        name = self.run.config.dataset
        picture = _link(f"{name}.png", "image/png", self.explorer.picture.value, "save the picture")
        setting = _link(f"{name}-setting.json", "application/json", self.setting().encode(), "save the setting")
        self.links.value, self.gif_link.value = f"{picture} &middot; {setting}", ""

    def forget(self) -> None:
        """Take the last answer away, unless the setting is still the one that it was given for."""
        if repr(self.explorer) != self._answered:
            self._say(HINT)

    def _say(self, answer: str, picture: bytes = b"") -> None:
        self.message.value, self._answered = answer, repr(self.explorer)
        self.thumbnail.value, self.thumbnail.layout.display = picture, "" if picture else "none"

    def setting(self) -> str:
        """The state of all controls, as JSON that an upload reads back."""
        e, name = self.explorer, self.run.config.latents.name
        codes = {name(i): control.value for i, control in enumerate(e.controls)}
        setting = {"codes": codes, "noise": e.noise.value, "view": e.view.value, "sweep": name(e.sweep_code.value)}
        return json.dumps(setting, indent=1)

    def load(self, text: str) -> None:
        """Set the controls as a setting says. Raises ValueError, naming what does not fit; nothing moves then."""
        e, spec = self.explorer, self.run.config.latents
        names = [spec.name(i) for i in range(len(spec.codes))]
        try:
            setting = json.loads(text)
            codes, noise, view, swept = (setting[key] for key in ("codes", "noise", "view", "sweep"))
            values = [codes[name] for name in names]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"not a setting of the explorer ({type(error).__name__}: {error})") from None
        if len(codes) != len(names) or swept not in names:
            raise ValueError(f"a setting for other codes than {', '.join(names)}")
        if view not in e.view.options or type(noise) is not int or not 0 <= noise <= e.noise.max:
            raise ValueError(f"noise must be 0 to {e.noise.max} and view one of {', '.join(e.view.options)}")
        for name, code, value in zip(names, spec.codes, values, strict=True):
            low, *_, high = sweep(code).tolist()
            kinds, what = ((int,), "a whole number") if isinstance(code, Categorical) else ((int, float), "a number")
            if type(value) not in kinds or not low <= value <= high:
                raise ValueError(f"{name} must be {what} from {low:g} to {high:g}, found {value!r}")
        e.put(values, noise, view, names.index(swept))

    def bring(self, x: Tensor, what: str) -> None:
        """Let Q read a picture [1, C, H, W] in 0..1, show it, and set every code to what Q reads."""
        e, reading, values = self.explorer, self.run.infer(x), []
        for code, q in zip(self.run.config.latents.codes, reading, strict=True):
            if isinstance(code, Categorical):
                values.append(int(q[0].argmax()))
            else:
                limit = sweep(code)[-1].item()
                values.append(round(q[0].clamp(-limit, limit).item() * 20) / 20)  # a slider's step is 0.05
        self.thumbnail.tooltip = f"the picture that Q read: {what}"
        scale = max(1, round(2 * BUTTON_SIDE / x.shape[-1]))
        e.put(values, e.noise.value, e.view.value, e.sweep_code.value)
        answer = escape(f"{what}: Q reads {in_words(self.run, reading)}. The controls are set to it.")
        self._say(answer, png_bytes(show(grid(x), scale, smooth=True)))

    def _read_sample(self, change: dict[str, Any]) -> None:
        if (k := change["new"]) is not None:
            self.samples.value = None  # so that it can be pressed again
            self.bring(self.sample_pictures[k : k + 1], f"Sample {LETTERS[k]}")

    def _read_file(self, change: dict[str, Any]) -> None:
        if not change["new"]:
            return
        (file,) = change["new"]
        name, content = str(file["name"]), bytes(file["content"])
        try:
            if len(content) > LARGEST * 2**20:
                raise ValueError(f"larger than {LARGEST} MiB")
            if name.lower().endswith(".json"):
                self.load(content.decode(errors="replace"))
                self._say(escape(f"{name}: set."))
            else:
                self.bring(*self._picture(name, content))
        except (ValueError, RuntimeError) as error:
            self._say(alert(ValueError(f"{name}: {error}")))
        self.upload.value = ()  # so that the same file can be brought again

    def _picture(self, name: str, content: bytes) -> tuple[Tensor, str]:
        """The central square at the run's size, in 0..1: [1, C, H, W], and its name, with what else was done to it."""
        config = self.run.config
        try:
            pixels = read_picture(io.BytesIO(content), config.image_size)
        except TooLarge:
            raise
        except Exception:  # each decoder raises its own
            raise ValueError("not a picture that decodes: bring a PNG, JPEG, BMP, GIF or WebP") from None
        x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
        if config.channels == 3:
            return x, name
        x = x.mean(dim=1, keepdim=True)
        inverted = on_paper(x) and not on_paper(self.sample_pictures)
        return (1 - x, f"{name} (inverted: this run's pictures are light on dark)") if inverted else (x, name)

    def _offer_gif(self, _: widgets.Button) -> None:
        e = self.explorer
        scale = max(1, round(PICTURE_SIDE / self.run.config.image_size))
        name = f"{self.run.config.dataset}-{self.run.config.latents.name(e.sweep_code.value)}.gif"
        gif = animation(self.run, *e.latents(), e.sweep_code.value, scale)
        self.gif_link.value = _link(name, "image/gif", gif, f"save {name} ({len(gif) / 1024:,.0f} KiB)")


def _link(name: str, kind: str, content: bytes, text: str) -> str:
    data = b64encode(content).decode()
    return f'<a download="{escape(name)}" href="data:{kind};base64,{data}" style="color: inherit">{escape(text)}</a>'

"""Generated pictures as sheets (uint8 arrays) and as matplotlib figures with captions and alt text."""

from __future__ import annotations

import io
import math
import re
import textwrap
from base64 import b64encode
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageOps
from torch import Tensor

from infogan_core.data.images import ImageSet
from infogan_core.files import write_whole
from infogan_core.model.latents import Categorical, LatentSpec, Uniform
from infogan_core.runs import Run, load_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LIGHT = 235  # between the pictures: softer than the page
INK, QUIET = "#222222", "#707070"
DPI, SIDE = 200, 5.9  # a sheet's longer side, in inches


def as_run(run: Run | str | Path) -> Run:
    """The run itself, or the run in a folder. Raises ValueError for anything else, and what load_run raises."""
    if isinstance(run, (str, Path)):
        return load_run(run)
    if not hasattr(run, "generate"):
        raise ValueError(f"needs a run, or the folder of one, found {type(run).__name__}")
    return run


def grid(images: Tensor | np.ndarray | list, columns: int = 10, pad: int = 2) -> np.ndarray:
    """Pictures side by side in rows -> one sheet, uint8 [H', W', C].

    `images`: a tensor, an array or a list of them, [N, 1 or 3, H, W], uint8 or float in 0..1. Else ValueError.
    """
    listed = isinstance(images, (list, tuple)) and images
    x = torch.stack([torch.as_tensor(image) for image in images]) if listed else torch.as_tensor(images)
    x = x.detach().cpu()
    if x.ndim != 4 or x.shape[0] < 1 or x.shape[1] not in (1, 3):
        raise ValueError(f"grid: needs pictures [N, 1 or 3, H, W], found shape {list(x.shape)}")
    if x.dtype != torch.uint8:
        x = (x.float().clamp(0, 1) * 255).round().to(torch.uint8)
    n, channels, height, width = x.shape
    rows = -(-n // (columns := min(columns, n)))
    tall, wide = height + pad, width + pad
    cells = np.full((rows * columns, tall, wide, channels), LIGHT, np.uint8)
    cells[:n, :height, :width] = x.permute(0, 2, 3, 1).numpy()
    sheet = cells.reshape(rows, columns, tall, wide, channels).swapaxes(1, 2).reshape(rows * tall, -1, channels)
    return sheet[: rows * tall - pad, : columns * wide - pad]


def samples(run: Run, n: int = 100, seed: int = 0) -> np.ndarray:
    """n random pictures from G, noise and codes sampled as in training -> one sheet, uint8 [H', W', C]."""
    run = as_run(run)
    return grid(run.generate(*run.config.latents.sample(n, torch.Generator().manual_seed(seed))))


def on_paper(x: Tensor) -> bool:
    """Whether the outermost pixels of pictures [N, C, H, W] are light on average: dark on light, as on paper."""
    return torch.cat([x[..., 0, :], x[..., -1, :], x[..., 0], x[..., -1]], dim=-1).mean().item() > 0.5


def sweep(code: Categorical | Uniform, columns: int | None = None, limit: float = 2.0) -> Tensor:
    """The values of a code from left to right: its categories, or 11 evenly spaced ones from -limit to limit.

    Raises ValueError for fewer columns than 1, more than a code has categories, or a limit that is not above 0.
    """
    if columns is not None and not 1 <= columns <= getattr(code, "k", math.inf):
        raise ValueError(f"columns must be 1 or more, and no more than a code has categories, found {columns}")
    if isinstance(code, Categorical):
        return torch.arange(columns or code.k)
    if not 0 < limit < math.inf:
        raise ValueError(f"limit must be a number above 0, found {limit}")
    return torch.linspace(-limit, limit, columns or 11)


def traversal(
    run: Run, code: int = 1, rows: int = 10, columns: int | None = None, limit: float = 2.0, seed: int = 0
) -> np.ndarray:
    """Figure 2 of Chen et al. 2016: along each row one code changes and all else stays -> uint8 [H', W', C].

    `code` counts from 0. A categorical code takes each category, a continuous one 11 values from -limit to limit; row i
    of a continuous code's sheet shows category i of the first categorical code. Raises ValueError for no such code,
    and what `sweep` raises.
    """
    run = as_run(run)
    spec = run.config.latents
    if not 0 <= code < len(spec.codes):
        raise ValueError(f"code must be 0 to {len(spec.codes) - 1}, found {code}")
    noise, codes = spec.sample(rows, torch.Generator().manual_seed(seed))
    if (down := _code_of_rows(spec, code)) is not None:
        codes[down] = torch.arange(rows) % spec.codes[down].k
    values = sweep(spec.codes[code], columns, limit)
    return grid(run.generate(*spec.vary(noise, codes, code, values)), columns=len(values))


def _code_of_rows(spec: LatentSpec, code: int) -> int | None:
    """The code that goes down the rows beside a continuous one: the first categorical one, if any."""
    first = next((i for i, other in enumerate(spec.codes) if isinstance(other, Categorical)), None)
    return None if isinstance(spec.codes[code], Categorical) else first


def note_of(run: Run) -> str:
    """What must stand on every figure of a run: "rendered, not SVHN" if it was trained on rendered pictures."""
    return run.env.get("note", "")


def code_title(run: Run, code: int) -> str:
    """The paper's symbol of a code and, where the run's report has a name for it, the name: "c2: slant".

    Two codes of one name say what grows and what falls with each: "c2: slant ↓ and thickness ↑". A name that a person
    gave stands in its place, in quotes.
    """
    symbol, names = run.config.latents.name(code), run.report.get("names") or {}
    if own := run.own_names.get(symbol):
        return f"{symbol}: \N{LEFT DOUBLE QUOTATION MARK}{own}\N{RIGHT DOUBLE QUOTATION MARK}"
    if not (name := names.get(symbol)):
        return symbol
    if list(names.values()).count(name) > 1:
        rho = run.report.get("codes", {}).get(symbol, {})
        arrows = {
            measure: " \N{DOWNWARDS ARROW}" if r < 0 else " \N{UPWARDS ARROW}"
            for measure, r in rho.items()
            if isinstance(r, float)
        }
        name = "".join(part + arrows.get(part, "") for part in re.split("( and |, )", name))
    return f"{symbol}: {name}"


def category_label(run: Run, code: int, k: int) -> str:
    """A category's number and, where the run's report has one, its name: "7 digit 3 94%"."""
    key = f"{run.config.latents.name(code)}={k}"
    if own := run.own_names.get(key):
        return f"{k} \N{LEFT DOUBLE QUOTATION MARK}{own}\N{RIGHT DOUBLE QUOTATION MARK}"
    return f"{k} {(run.report.get('names') or {}).get(key, '')}".rstrip()


def category_name(run: Run, code: int, k: int) -> str:
    """A category's name without its number and rate: "digit 3"; "" where it has none."""
    return re.sub(r"^\d+ ?| \d+%$", "", category_label(run, code, k))


def traversal_figure(
    run: Run, code: int = 1, rows: int = 10, columns: int | None = None, limit: float = 2, seed: int = 0
) -> Figure:
    """`traversal` as a figure: the code's values below, the range of training marked, each row's category at the left.

    At the foot stands "rendered, not SVHN" or the like for a run on stand-ins.
    """
    run = as_run(run)
    spec, note = run.config.latents, note_of(run)
    sheet = traversal(run, code, rows, columns, limit, seed)
    values = sweep(spec.codes[code], columns, limit).tolist()
    continuous, down, name = isinstance(spec.codes[code], Uniform), _code_of_rows(spec, code), spec.name(code)
    wide = max(6, 120 // max(rows, len(values)))  # characters beneath a column
    labels = [[number(v, 1)] if continuous else category_label(run, code, v).split(" ", 1) for v in values]
    across = ["\n".join(line for part in label for line in textwrap.wrap(part, wide)) for label in labels]
    lines = max(text.count("\n") for text in across)
    figure, axes = _framed(sheet, 0.35 + 0.3 * continuous + 0.13 * lines + 0.25 * bool(note), note)
    rest = "the other codes" if down is None else f"category of {spec.name(down)}"
    caption = f"Along a row only {name} changes. Each row has its own noise and {rest}."
    axes.set_title(caption, loc="left", fontsize=8, color=QUIET, pad=7)
    corner = (axes.get_position().x0, 1 - 0.33 / figure.get_figheight())
    figure.text(*corner, code_title(run, code), fontsize=12, color=INK, parse_math=False)
    columns_at, rows_at = _centres(sheet.shape[1], len(values)), _centres(sheet.shape[0], rows)
    axes.set_xticks(columns_at, across, fontsize=6 if lines else 9, linespacing=1.1, parse_math=False)
    axes.set_yticks([])
    if down is not None:
        axes.set_yticks(rows_at, [i % spec.codes[down].k for i in range(rows)])
        axes.set_ylabel(spec.name(down), fontsize=9, color=INK, rotation=0, ha="right", va="center")
    if continuous:
        _mark_trained_range(axes, columns_at, limit)
    ends = f"{name} from {number(values[0], int(continuous))} to {number(values[-1], int(continuous))}"
    return showable(figure, f"{code_title(run, code)}. {rows} rows of generated pictures, {ends}. {caption} {note}")


def real_and_generated(run: Run, images: ImageSet, n: int = 40, seed: int = 0) -> Figure:
    """n held-out pictures of `images` beside n random ones from G, with captions.

    The foot names the data that the run was trained on, where `images` are others. Raises ValueError where the pictures
    are of another size than the run's.
    """
    run = as_run(run)
    c, real = run.config, images.held_out or images
    found, wanted = [real.channels, real.size, real.size], [c.channels, c.image_size, c.image_size]
    if found != wanted:
        raise ValueError(f"{images.name}: the run's pictures are {wanted}, these are {found}: load them at its size")
    n = min(n, len(real))
    left = np.pad(grid(real.pixels[:: len(real) // n][:n], 8), ((0, 0), (0, 12), (0, 0)), constant_values=255)
    right = grid(run.generate(*c.latents.sample(n, torch.Generator().manual_seed(seed))), 8)
    captions = (f"{images.stand_in_note or 'real'}{', held out' if images.held_out else ''}", "generated")
    trained_on = run.env.get("data", images.name)
    other = f"this run was trained on: {trained_on}" if trained_on != images.name else ""
    foot = f"{note_of(run)}\n{other}".strip()
    figure, axes = _framed(np.concatenate([left, right], axis=1), 0.4, foot)
    axes.set_axis_off()
    for caption, x in zip(captions, (0, left.shape[1]), strict=True):
        axes.annotate(caption, (x, 0), (0, 6), textcoords="offset points", fontsize=10, color=INK)
    return showable(figure, f"{n} pictures ({captions[0]}) beside {n} generated ones. {foot}")


def _framed(sheet: np.ndarray, foot: float, note: str) -> tuple[Figure, Axes]:
    """A figure around the sheet, enlarged by a whole number to equal squares, with a note at its foot, in inches."""
    from matplotlib.figure import Figure

    scale = max(1, round(SIDE * DPI / max(sheet.shape[:2])))
    height, width = (side * scale / DPI for side in sheet.shape[:2])
    figure = Figure((max(width + 1, 4), height + 0.6 + foot), dpi=DPI, facecolor="white")
    box = np.array([0.5, foot, width, height]) / np.tile(figure.get_size_inches(), 2)
    axes = figure.add_axes(box, frameon=False)
    axes.imshow(sheet.repeat(3 // sheet.shape[2], axis=2), aspect="auto", interpolation="nearest")
    axes.tick_params(length=0, labelsize=9, labelcolor=INK, pad=5)
    figure.text(0.5, 0.08 / figure.get_figheight(), note, ha="center", fontsize=8, color=QUIET, parse_math=False)
    return figure, axes


def _centres(side: int, n: int, pad: int = 2) -> np.ndarray:
    return (np.arange(n) + 0.5) * (side + pad) / n - (pad + 1) / 2


def number(value: float, digits: int) -> str:
    return f"{value:z.{digits}f}".replace("-", "\N{MINUS SIGN}")  # z: no "-0.0"


def _mark_trained_range(axes: Axes, across: np.ndarray, limit: float) -> None:
    """A bracket under the columns from -1 to 1, which codes are drawn from in training; the rest is extrapolated."""
    middle, reach = (across[-1] + across[0]) / 2, min(1 / limit, 1) * (across[-1] - across[0]) / 2
    inch = 1 / (axes.get_position().height * axes.figure.get_figheight())
    x, y = middle + reach * np.array([-1, -1, 1, 1]), inch * np.array([-0.26, -0.31, -0.31, -0.26])
    place = {"transform": axes.get_xaxis_transform(), "clip_on": False}  # x in the sheet's pixels, y in its heights
    axes.plot(x, y, color=INK, lw=0.9, **place)
    axes.text(middle, -0.36 * inch, "range in training", fontsize=8, color=QUIET, ha="center", va="top", **place)


def image_bundle(png: bytes, alt: str, **size: int) -> tuple[dict, dict]:
    """What Jupyter displays: an <img> with alt text, which JupyterLab gives no PNG, and the PNG for other viewers."""
    width = "".join(f' {key}="{value}"' for key, value in size.items())
    html = f'<img alt="{escape(alt)}"{width} src="data:image/png;base64,{b64encode(png).decode()}">'
    return {"text/html": html, "image/png": png, "text/plain": alt}, {"image/png": {**size, "alt": alt}}


def showable(picture: Figure | Image.Image, alt: str = "a figure") -> Figure | Image.Image:
    """The same picture, which Jupyter then displays with alt text, a figure without pyplot or a magic line."""
    width = picture.width if isinstance(picture, Image.Image) else round(picture.get_figwidth() * DPI / 2)
    picture._repr_mimebundle_ = lambda **_: image_bundle(png_bytes(picture), alt.strip(), width=width)
    picture._repr_jpeg_ = lambda: None  # Pillow's pictures would come a third time
    return picture


def show(
    sheet: np.ndarray, scale: int = 2, smooth: bool = False, note: str = "", alt: str = "a sheet of pictures"
) -> Image.Image:
    """A sheet, uint8 [H', W', C], as a picture that Jupyter displays, `scale` times as large.

    `smooth` interpolates instead of squares, `note` stands beneath it, `alt` is for those who do not see it.
    """
    image = Image.fromarray(sheet.squeeze(-1) if sheet.shape[2] == 1 else sheet)
    method = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    image = image.resize((image.width * scale, image.height * scale), method)
    if note:
        image = ImageOps.expand(image, (0, 0, 0, 20), "white")
        ImageDraw.Draw(image).text((0, image.height - 17), note, fill=QUIET, font_size=13)
    return showable(image, f"{alt}, {note}" if note else alt)


def png_bytes(picture: Image.Image | Figure) -> bytes:
    """A picture, or a figure at its own resolution, as PNG."""
    buffer = io.BytesIO()
    if isinstance(picture, Image.Image):
        picture.save(buffer, "PNG", compress_level=1)  # a slider waits for it
    else:
        picture.savefig(buffer, format="png", dpi=picture.dpi)
    return buffer.getvalue()


def save_png(path: str | Path, picture: np.ndarray | Figure) -> None:
    """Write a sheet or a figure as a PNG file. Raises OSError; an old file then stays."""
    write_whole(path, png_bytes(show(picture, 1) if isinstance(picture, np.ndarray) else picture))


def save_traversals(run: Run) -> Path:
    """Write `traversal_figure` of each code into the run's folder: traversals/c1.png, ... Returns that folder."""
    run = as_run(run)
    folder = run.path / "traversals"
    folder.mkdir(exist_ok=True)
    rows = min(10, 320 // run.config.image_size)  # a file of 64x64 pictures stays below 1 MB
    for i in range(len(run.config.latents.codes)):
        save_png(folder / f"{run.config.latents.name(i)}.png", traversal_figure(run, i, rows))
    return folder

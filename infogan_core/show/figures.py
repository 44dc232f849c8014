"""Tensors to pictures: grids and sheets as uint8 arrays, annotated sheets as matplotlib figures."""

from __future__ import annotations

import io
import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageOps
from torch import Tensor

from infogan_core.files import write_whole
from infogan_core.model.latents import Categorical, LatentSpec, Uniform

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Run = Any  # anything with config.latents, generate(), infer(), records and report, as runs.Run has
LIGHT_EDGE = 0.5
LIGHT = 235  # between the pictures: softer than the page
INK, QUIET = "#222222", "#707070"
DPI, SIDE = 200, 5.9  # a sheet's longer side, in inches


def grid(images: Tensor | np.ndarray, columns: int = 10, pad: int = 2) -> np.ndarray:
    """Pictures [N, C, H, W], float 0..1 or uint8, row by row on a light ground -> uint8 [H', W', C]."""
    x = torch.as_tensor(images).detach().cpu()
    if x.ndim != 4 or x.shape[0] < 1 or x.shape[1] not in (1, 3):
        raise ValueError(f"grid: needs pictures [N, 1 or 3, H, W], found shape {list(x.shape)}")
    if x.dtype != torch.uint8:
        x = (x.float().clamp(0, 1) * 255).round().to(torch.uint8)
    n, channels, height, width = x.shape
    rows = -(-n // (columns := min(columns, n)))
    cells = np.full((rows * columns, height + pad, width + pad, channels), LIGHT, np.uint8)
    cells[:n, :height, :width] = x.permute(0, 2, 3, 1).numpy()
    sheet = cells.reshape(rows, columns, height + pad, width + pad, channels).swapaxes(1, 2)
    sheet = sheet.reshape(rows * (height + pad), columns * (width + pad), channels)
    return sheet[: len(sheet) - pad, : sheet.shape[1] - pad]


def samples(run: Run, n: int = 100, seed: int = 0) -> np.ndarray:
    """n fresh pictures, their latents drawn as in training -> uint8 [H', W', C]; label them with `note_of(run)`."""
    return grid(run.generate(*run.config.latents.sample(n, torch.Generator().manual_seed(seed))))


def edge_light(images: Tensor) -> float:
    """How light the outermost pixels of pictures [N, C, H, W] are on average: above LIGHT_EDGE they are on paper."""
    return torch.cat([images[..., 0, :], images[..., -1, :], images[..., 0], images[..., -1]], dim=-1).mean().item()


def sweep(code: Categorical | Uniform, columns: int | None = None, limit: float = 2.0) -> Tensor:
    """The values a code takes from left to right: its categories, or evenly from -limit to limit (11 of them).

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
    """Figure 2 of Chen et al. 2016: one code swept along each row, all else fixed in it -> uint8 [H', W', C].

    A categorical code runs through its categories, a continuous one over -limit..limit, in 11 columns; beside that,
    row i shows category i mod K of the first categorical code. `code` counts from 0. Raises ValueError if there is none
    such, and what `sweep` raises.
    """
    spec = run.config.latents
    if not 0 <= code < len(spec.codes):
        raise ValueError(f"code must be 0 to {len(spec.codes) - 1}, found {code}")
    values = sweep(spec.codes[code], columns, limit)
    noise, codes = spec.sample(rows, torch.Generator().manual_seed(seed))
    if (down := _code_of_rows(spec, code)) is not None:
        codes[down] = torch.arange(rows) % spec.codes[down].k
    codes = [c.repeat_interleave(len(values)) for c in codes]
    codes[code] = values.repeat(rows)
    return grid(run.generate(noise.repeat_interleave(len(values), dim=0), codes), columns=len(values))


def _code_of_rows(spec: LatentSpec, code: int) -> int | None:
    """The code that goes down the rows beside a continuous one: the first categorical one, if any."""
    first = next((i for i, other in enumerate(spec.codes) if isinstance(other, Categorical)), None)
    return None if isinstance(spec.codes[code], Categorical) else first


def note_of(run: Run) -> str:
    """What must stand on every figure of a run: "rendered, not SVHN" if it was trained on rendered pictures."""
    return getattr(run, "env", {}).get("note", "")


def code_title(run: Run, code: int) -> str:
    """The paper's symbol of a code and, where the run's report names it, what it turned out to mean: "c2: slant"."""
    symbol = run.config.latents.name(code)
    meaning = (run.report.get("names") or {}).get(symbol)
    return f"{symbol}: {meaning}" if meaning else symbol


def category_label(run: Run, code: int, k: int) -> str:
    """A category's number and, where the run's report names it, beneath it what it turned out to mean."""
    meaning = (run.report.get("names") or {}).get(f"{run.config.latents.name(code)}={k}", "")
    return "\n".join([str(k), *textwrap.wrap(meaning, 9, break_long_words=False)])


def traversal_figure(
    run: Run, code: int = 1, rows: int = 10, columns: int | None = None, limit: float = 2, seed: int = 0, note: str = ""
) -> Figure:
    """`traversal` with its axes: the code's values, the trained range, each row's category, and a note at the foot."""
    spec, note = run.config.latents, note or note_of(run)
    sheet = traversal(run, code, rows, columns, limit, seed)
    values = sweep(spec.codes[code], columns, limit).tolist()
    continuous, down = isinstance(spec.codes[code], Uniform), _code_of_rows(spec, code)
    across = [number(v, 1) if continuous else category_label(run, code, v) for v in values]
    lines = max(text.count("\n") for text in across)
    figure, axes = _framed(sheet, foot=0.35 + 0.3 * continuous + 0.13 * lines + 0.25 * bool(note))
    first = "one noise" if down is None else f"one noise, one category of {spec.name(down)}"
    axes.set_title(
        f"{first} and one setting of the other codes in each row", loc="left", fontsize=8, color=QUIET, pad=7
    )
    corner = (axes.get_position().x0, 1 - 0.33 / figure.get_figheight())
    figure.text(*corner, code_title(run, code), fontsize=12, color=INK, parse_math=False)
    columns_at, vertical = _centres(sheet.shape[1], len(values)), _centres(sheet.shape[0], rows)
    axes.set_xticks(columns_at, across, fontsize=6 if lines else 9, linespacing=1.1)
    axes.set_yticks([])
    if down is not None:
        axes.set_yticks(vertical, [i % spec.codes[down].k for i in range(rows)])
        axes.set_ylabel(spec.name(down), fontsize=9, color=INK, rotation=0, ha="right", va="center")
    if continuous:
        _mark_trained_range(axes, columns_at, limit)
    figure.text(0.5, 0.08 / figure.get_figheight(), note, ha="center", fontsize=8, color=QUIET, parse_math=False)
    return figure


def _framed(sheet: np.ndarray, foot: float) -> tuple[Figure, Axes]:
    """A figure around the sheet, which is enlarged by a whole number, so that all its pixels stay equal squares."""
    from matplotlib.figure import Figure

    scale = max(1, round(SIDE * DPI / max(sheet.shape[:2])))
    height, width = (side * scale / DPI for side in sheet.shape[:2])
    figure = Figure((max(width + 1, 4), height + 0.6 + foot), dpi=DPI, facecolor="white")
    box = np.array([0.5, foot, width, height]) / np.tile(figure.get_size_inches(), 2)
    axes = figure.add_axes(box, frameon=False)
    axes.imshow(show(sheet, 1).convert("RGB"), aspect="auto", interpolation="nearest")
    axes.tick_params(length=0, labelsize=9, labelcolor=INK, pad=5)
    return showable(figure), axes


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
    axes.text(middle, -0.36 * inch, "trained range", fontsize=8, color=QUIET, ha="center", va="top", **place)


def showable(figure: Figure) -> Figure:
    """Give a figure its own PNG: Jupyter shows others only after a magic line or pyplot."""
    width = round(figure.get_figwidth() * DPI / 2)  # CSS pixels, half the real ones: sharp on dense screens
    figure._repr_png_ = lambda: (png_bytes(figure), {"width": width})
    return figure


def show(sheet: np.ndarray, scale: int = 2, smooth: bool = False, note: str = "") -> Image.Image:
    """A sheet uint8 [H', W', C] as a picture that Jupyter displays, `scale` times as large, in squares or smoothed."""
    image = Image.fromarray(sheet.squeeze(-1) if sheet.shape[2] == 1 else sheet)
    method = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    image = image.resize((image.width * scale, image.height * scale), method)
    if note:
        image = ImageOps.expand(image, (0, 0, 0, 20), "white")
        ImageDraw.Draw(image).text(
            (0, image.height - 17), note, fill=QUIET if image.mode == "RGB" else 112, font_size=13
        )
    return image


def png_bytes(picture: np.ndarray | Figure, scale: int = 1, smooth: bool = False, note: str = "") -> bytes:
    """A sheet uint8 [H', W', C], enlarged and labelled as by `show`, or a figure at its own resolution, as PNG."""
    buffer = io.BytesIO()
    if isinstance(picture, np.ndarray):
        show(picture, scale, smooth, note).save(buffer, "PNG", compress_level=1)  # a slider waits for it
    else:
        picture.savefig(buffer, format="png", dpi=picture.dpi)
    return buffer.getvalue()


def save_png(path: str | Path, picture: np.ndarray | Figure, note: str = "") -> None:
    """Write a sheet, labelled as by `show`, or a figure as PNG, whole or not at all.

    Raises OSError, naming the file; the old one stays.
    """
    write_whole(path, png_bytes(picture, note=note))


def save_traversals(run: Run, note: str = "") -> Path:
    """traversals/c1.png, c2.png, ...: a sheet per code, into the run's directory. Returns the folder."""
    folder = run.path / "traversals"
    folder.mkdir(exist_ok=True)
    for i in range(len(run.config.latents.codes)):
        save_png(folder / f"{run.config.latents.name(i)}.png", traversal_figure(run, i, note=note))
    return folder

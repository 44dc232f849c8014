"""Tensors to pictures: grids and sheets as uint8 arrays, annotated sheets and curves as matplotlib figures."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from infogan_core.files import write_whole
from infogan_core.latents import Categorical, LatentSpec, Uniform

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Run = Any  # anything with config.latents, generate(), infer(), records and report, as runs.Run has
LIGHT = 235  # between the pictures: softer than the page
INK, QUIET, RULE = "#222222", "#707070", "#BBBBBB"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")  # Okabe and Ito's
DPI, SIDE = 200, 5.9  # a sheet's longer side, in inches


def grid(images: Tensor | np.ndarray, columns: int = 10, pad: int = 2) -> np.ndarray:
    """Pictures [N, C, H, W], float 0..1 or uint8, row by row on a light ground -> uint8 [H', W', C]."""
    x = torch.as_tensor(images).detach().cpu()
    if x.ndim != 4 or x.shape[0] < 1 or x.shape[1] not in (1, 3):
        raise ValueError(f"grid: needs pictures [N, 1 or 3, H, W], found shape {list(x.shape)}")
    if x.dtype != torch.uint8:
        x = (x.float().clamp(0, 1) * 255).round().to(torch.uint8)
    n, channels, height, width = x.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    cells = np.full((rows * columns, height + pad, width + pad, channels), LIGHT, np.uint8)
    cells[:n, :height, :width] = x.permute(0, 2, 3, 1).numpy()
    sheet = cells.reshape(rows, columns, height + pad, width + pad, channels).swapaxes(1, 2)
    sheet = sheet.reshape(rows * (height + pad), columns * (width + pad), channels)
    return sheet[: len(sheet) - pad, : sheet.shape[1] - pad]


def samples(run: Run, n: int = 100, seed: int = 0) -> np.ndarray:
    """n fresh pictures, their latents drawn as in training -> uint8 [H', W', C]."""
    return grid(run.generate(*run.config.latents.sample(n, torch.Generator().manual_seed(seed))))


def sweep(code: Categorical | Uniform, columns: int | None = None, limit: float = 2.0) -> Tensor:
    """The values a code takes from left to right: its categories, or evenly from -limit to limit (11 of them)."""
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
    row i shows category i mod K of the first categorical code. `code` counts from 0; ValueError if there is none such.
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
    categorical = [isinstance(other, Categorical) for other in spec.codes]
    return None if categorical[code] or not any(categorical) else categorical.index(True)


def code_title(run: Run, code: int) -> str:
    """The paper's symbol of a code and, where the run's report names it, what it turned out to mean: "c2: slant"."""
    symbol = run.config.latents.name(code)
    meaning = (run.report.get("names") or {}).get(symbol)
    return f"{symbol}: {meaning}" if meaning else symbol


def traversal_figure(
    run: Run, code: int = 1, rows: int = 10, columns: int | None = None, limit: float = 2, seed: int = 0, note: str = ""
) -> Figure:
    """`traversal` with its axes: the code's values, the trained range, each row's category, and a note at the foot."""
    spec = run.config.latents
    sheet = traversal(run, code, rows, columns, limit, seed)
    values = sweep(spec.codes[code], columns, limit).tolist()
    continuous, down = isinstance(spec.codes[code], Uniform), _code_of_rows(spec, code)
    figure, axes = _framed(sheet, foot=0.35 + 0.3 * continuous + 0.25 * bool(note))
    per_row = "one setting of the other codes" if down is None else f"one category of {spec.name(down)}"
    axes.set_title(f"one noise and {per_row} in each row", loc="left", fontsize=8, color=QUIET, pad=7)
    corner = (axes.get_position().x0, 1 - 0.33 / figure.get_figheight())
    figure.text(*corner, code_title(run, code), fontsize=12, color=INK, parse_math=False)
    across, vertical = _centres(sheet.shape[1], len(values)), _centres(sheet.shape[0], rows)
    axes.set_xticks(across, [_number(value, digits=int(continuous)) for value in values])
    axes.set_yticks([])
    if down is not None:
        axes.set_yticks(vertical, [i % spec.codes[down].k for i in range(rows)])
        axes.set_ylabel(spec.name(down), fontsize=9, color=INK, rotation=0, ha="right", va="center")
    if continuous:
        _mark_trained_range(axes, across, limit)
    figure.text(0.5, 0.08 / figure.get_figheight(), note, ha="center", fontsize=8, color=QUIET, parse_math=False)
    return figure


def _framed(sheet: np.ndarray, foot: float) -> tuple[Figure, Axes]:
    """A figure around the sheet, which is enlarged by a whole number, so that all its pixels stay equal squares."""
    from matplotlib.figure import Figure

    scale = max(1, round(SIDE * DPI / max(sheet.shape[:2])))
    height, width = (side * scale / DPI for side in sheet.shape[:2])
    left, head = 0.5, 0.6
    figure = Figure((max(width + 2 * left, 4), height + head + foot), dpi=DPI, facecolor="white")
    box = np.array([left, foot, width, height]) / np.tile(figure.get_size_inches(), 2)
    axes = figure.add_axes(box, frameon=False)
    axes.imshow(show(sheet, 1).convert("RGB"), aspect="auto", interpolation="nearest")
    axes.tick_params(length=0, labelsize=9, labelcolor=INK, pad=5)
    return _showable(figure), axes


def _centres(side: int, n: int, pad: int = 2) -> np.ndarray:
    step = (side + pad) / n
    return np.arange(n) * step + (step - pad - 1) / 2


def _number(value: float, digits: int) -> str:
    return f"{value:z.{digits}f}".replace("-", "\N{MINUS SIGN}")  # z: no "-0.0"


def _mark_trained_range(axes: Axes, across: np.ndarray, limit: float) -> None:
    """A bracket under the columns from -1 to 1, which codes are drawn from in training; the rest is extrapolated."""
    middle, reach = (across[-1] + across[0]) / 2, min(1 / limit, 1) * (across[-1] - across[0]) / 2
    inch = 1 / (axes.get_position().height * axes.figure.get_figheight())
    x, y = middle + reach * np.array([-1, -1, 1, 1]), inch * np.array([-0.26, -0.31, -0.31, -0.26])
    place = {"transform": axes.get_xaxis_transform(), "clip_on": False}  # x in the sheet's pixels, y in its heights
    axes.plot(x, y, color=INK, lw=0.9, **place)
    axes.text(middle, -0.36 * inch, "trained range", fontsize=8, color=QUIET, ha="center", va="top", **place)


def curves(run: Run) -> Figure:
    """Figure 1 of Chen et al. 2016 for each kind of code, L_I against its ceiling; then the losses and D's output.

    The ceiling of a categorical code is H(c) = ln K. A continuous code's is not H(c): with Q's sigma fixed it is L_I at
    no error, H(c) - ln(2 pi sigma^2) / 2; with a learned sigma there is none. ValueError if there are no records.
    """
    from matplotlib.figure import Figure

    if not run.records:
        raise ValueError("curves: this run has no records to draw")
    kinds = [kind for kind in (Categorical, Uniform) if any(isinstance(c, kind) for c in run.config.latents.codes)]
    rows, columns = (2, 2) if len(kinds) == 2 else (1, 3)
    figure = Figure((9, 2.9 * rows), dpi=DPI, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    panels = figure.subplots(rows, columns).ravel()
    for axes, kind in zip(panels, kinds, strict=False):
        _draw_bound(axes, run, kind)
    losses, output = panels[len(kinds) :]
    _draw_pair(losses, run, {"loss_d": "D", "loss_g": "G"}, "losses", "nats")
    _draw_pair(output, run, {"d_real": "D(x)", "d_fake": "D(G)"}, "D's output", "probability")
    output.set_ylim(0, 1)
    return _showable(figure)


def _draw_bound(axes: Axes, run: Run, kind: type) -> None:
    """L_I of each code of a kind over the steps, with its ceiling, if it has one, as a dashed line."""
    codes = [(i, code) for i, code in enumerate(run.config.latents.codes) if isinstance(code, kind)]
    _dress(axes, f"$L_I$ of {'categorical' if kind is Categorical else 'continuous'} codes", "nats")
    for i, _ in codes:
        style = {"color": COLOURS[i % len(COLOURS)], "ls": "-" if i < len(COLOURS) else ":", "lw": 1.4}
        label = code_title(run, i).replace("$", r"\$")
        axes.plot([r["step"] for r in run.records], [r["mi"][i] for r in run.records], label=label, **style)
    for height, why in sorted({_ceiling(code) for _, code in codes} - {None}):
        axes.axhline(height, color=INK, lw=1, ls=(0, (5, 3)), label="_ceiling")
        axes.annotate(why, (0.01, height), (0, 3), ("axes fraction", "data"), "offset points", fontsize=8, color=INK)
    axes.margins(y=0.12)
    axes.legend(fontsize=8, frameon=False, labelcolor=INK, ncols=1 + (len(codes) > 5))


def _ceiling(code: Categorical | Uniform) -> tuple[float, str] | None:
    """The most that L_I can be for a code, in nats, and why; None for a learned sigma, which has no such limit."""
    if isinstance(code, Categorical):
        return code.ceiling, f"H(c) = ln {code.k} = {_number(code.ceiling, 2)}"
    if code.ceiling is None:
        return None
    return code.ceiling, f"MSE = 0: {_number(code.ceiling, 3)} (sigma fixed at {code.sigma:g})"


def _draw_pair(axes: Axes, run: Run, lines: dict[str, str], title: str, unit: str) -> None:
    _dress(axes, title, unit)
    for (key, label), colour in zip(lines.items(), COLOURS, strict=False):
        axes.plot([r["step"] for r in run.records], [r[key] for r in run.records], color=colour, lw=1.2, label=label)
    place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "borderaxespad": 0.3}  # beside the title
    axes.legend(**place, ncols=2, fontsize=8, frameon=False, labelcolor=INK, handlelength=1.2, columnspacing=1)


def _dress(axes: Axes, title: str, unit: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.set_xlabel("step", fontsize=9, color=QUIET)
    axes.set_ylabel(unit, fontsize=9, color=QUIET)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(RULE)
    axes.tick_params(labelsize=8, labelcolor=QUIET, color=RULE)


def _showable(figure: Figure) -> Figure:
    """Give a figure its own PNG: Jupyter shows others only after a magic line or pyplot."""
    width = round(figure.get_figwidth() * DPI / 2)  # CSS pixels, half the real ones: sharp on dense screens
    figure._repr_png_ = lambda: (figure_png(figure), {"width": width})
    return figure


def figure_png(figure: Figure) -> bytes:
    """A figure as PNG, at its own resolution."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=figure.dpi)
    return buffer.getvalue()


def show(sheet: np.ndarray, scale: int = 2, smooth: bool = False) -> Image.Image:
    """A sheet uint8 [H', W', C] as a picture that Jupyter displays, `scale` times as large, in squares or smoothed."""
    image = Image.fromarray(sheet.squeeze(-1) if sheet.shape[2] == 1 else sheet)
    method = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return image.resize((image.width * scale, image.height * scale), method)


def png_bytes(sheet: np.ndarray, scale: int = 1, smooth: bool = False) -> bytes:
    """A sheet uint8 [H', W', C] as PNG, enlarged as by `show`."""
    buffer = io.BytesIO()
    show(sheet, scale, smooth).save(buffer, "PNG", compress_level=1)  # a slider waits for it
    return buffer.getvalue()


def save_png(path: str | Path, picture: np.ndarray | Figure) -> None:
    """Write a sheet or a figure as PNG, whole or not at all. Raises OSError, naming the file; the old one stays."""
    write_whole(path, png_bytes(picture) if isinstance(picture, np.ndarray) else figure_png(picture))


def save_traversals(run: Run, note: str = "") -> Path:
    """traversals/c1.png, c2.png, ...: a sheet per code, into the run's directory. Returns the folder."""
    folder = run.path / "traversals"
    folder.mkdir(exist_ok=True)
    for i in range(len(run.config.latents.codes)):
        save_png(folder / f"{run.config.latents.name(i)}.png", traversal_figure(run, i, note=note))
    return folder

"""Sheets, strips and animations around one setting of the codes, for the Explorer."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import ImageColor
from torch import Tensor

from infogan_core.model.latents import Categorical, Uniform
from infogan_core.runs import Run
from infogan_core.show.figures import LIGHT, grid, note_of, show, sweep, vary

Codes = list[Tensor]  # one setting: a tensor [1] per code
PAD = 2  # pixels between the pictures of a sheet
FRAME = ImageColor.getrgb("#e8590c")  # around the setting of the controls
TICKS = 41  # of a continuous code from -2 to 2 and back while it plays: 0.1 each


def sheet(run: Run, noise: Tensor, codes: Codes, code: int) -> np.ndarray:
    """One row per noise [R, noise_dim], one column per value of the code -> uint8 [H', W', 3], the setting framed."""
    values = sweep(run.config.latents.codes[code])
    x = run.generate(*vary(noise, codes, code, values))
    return _framed(grid(x, len(values), PAD), x.shape[-1], [_nearest(values, codes[code])] * len(noise))


def all_codes(run: Run, noise: Tensor, codes: Codes) -> np.ndarray:
    """One row per code, swept around the setting -> uint8 [H', W', 3], the setting framed. noise [1, noise_dim]."""
    spec = run.config.latents.codes
    rows = _rows(run, noise, codes, list(range(len(spec))))
    columns = max(map(len, rows))
    blank = [x.new_full((columns - len(x), *x.shape[1:]), LIGHT / 255) for x in rows]
    x = torch.cat([part for pair in zip(rows, blank, strict=True) for part in pair])
    at = [_nearest(sweep(code), c) for code, c in zip(spec, codes, strict=True)]
    return _framed(grid(x, columns, PAD), x.shape[-1], at)


def strips(run: Run, noise: Tensor, codes: Codes) -> dict[int, np.ndarray]:
    """For each categorical code the setting in each of its categories, side by side: uint8 [H, K * W, C]."""
    categorical = [i for i, code in enumerate(run.config.latents.codes) if isinstance(code, Categorical)]
    rows = _rows(run, noise, codes, categorical) if categorical else []
    return {i: grid(x, len(x), 0) for i, x in zip(categorical, rows, strict=True)}


def _rows(run: Run, noise: Tensor, codes: Codes, which: list[int]) -> list[Tensor]:
    """The setting with each of some codes swept in turn, in one pass: [values, C, H, W] each."""
    swept = {i: sweep(run.config.latents.codes[i]) for i in which}
    parts = [vary(noise, codes, i, values) for i, values in swept.items()]
    all_noise, all_codes = torch.cat([z for z, _ in parts]), zip(*(c for _, c in parts), strict=True)
    return list(run.generate(all_noise, [torch.cat(c) for c in all_codes]).split([len(v) for v in swept.values()]))


def back_and_forth(code: Categorical | Uniform) -> list[int] | list[float]:
    """A code's values once up and down and round to where it starts: 0 1 2 3 2 1, or 0 .. 2 .. 0 .. -2 .. -0.1."""
    up = sweep(code) if isinstance(code, Categorical) else sweep(code, TICKS)
    up = [round(value, 6) for value in up.tolist()]  # float32's -2.98e-8 is the 0 to start from
    circle = up + up[-2:0:-1]
    first = circle.index(0)
    return circle[first:] + circle[:first]


def pace(code: Categorical | Uniform) -> int:
    """Milliseconds for which a value is shown while its code plays."""
    return 500 if isinstance(code, Categorical) else 100


def animation(run: Run, noise: Tensor, codes: Codes, code: int, scale: int) -> bytes:
    """The code swept back and forth around the setting, as a GIF without end."""
    kind = run.config.latents.codes[code]
    x = run.generate(*vary(noise, codes, code, torch.tensor(back_and_forth(kind))))
    first, *others = [show(grid(picture[None]), scale, True, note_of(run)) for picture in x]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=pace(kind), loop=0)
    return buffer.getvalue()


def _nearest(values: Tensor, code: Tensor) -> int:
    return int((values.double() - code.double()).abs().argmin())


def _framed(cells: np.ndarray, side: int, columns: list[int]) -> np.ndarray:
    """The sheet in colour, with a frame around one picture of each row: the one in that column."""
    edge = ((PAD, PAD), (PAD, PAD), (0, 0))
    cells = np.pad(np.broadcast_to(cells, (*cells.shape[:2], 3)), edge, constant_values=LIGHT)
    for row, column in enumerate(columns):
        y, x = (PAD + k * (side + PAD) for k in (row, column))
        inside = cells[y : y + side, x : x + side].copy()
        cells[y - PAD : y + side + PAD, x - PAD : x + side + PAD] = FRAME
        cells[y : y + side, x : x + side] = inside
    return cells

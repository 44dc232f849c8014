"""What the Explorer shows of a run around one setting of its codes: sheets, category strips, an animation."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import ImageColor
from torch import Tensor

from infogan_core.model.latents import Categorical, Uniform
from infogan_core.show.figures import LIGHT, Run, grid, note_of, show, sweep

Codes = list[Tensor]  # one setting: a tensor [1] per code
PAD = 2  # pixels between the pictures of a sheet
MARK = ImageColor.getrgb("#e8590c")  # the frame around the setting of now
TICKS = 41  # of a continuous code from -2 to 2 and back while it plays: 0.1 each


def sheet(run: Run, noise: Tensor, codes: Codes, code: int) -> np.ndarray:
    """One row per noise [R, noise_dim], one column per value of the code -> uint8 [H', W', 3], the setting framed."""
    values = sweep(run.config.latents.codes[code])
    rows, columns = len(noise), len(values)
    tiled = [c.expand(rows * columns) for c in codes]
    tiled[code] = values.repeat(rows)
    x = run.generate(noise.repeat_interleave(columns, dim=0), tiled)
    return _framed(grid(x, columns, PAD), x.shape[-1], range(rows), [_nearest(values, codes[code])] * rows)


def all_codes(run: Run, noise: Tensor, codes: Codes) -> np.ndarray:
    """One row per code, swept, the rest as set -> uint8 [H', W', 3], the setting framed. noise [1, noise_dim]."""
    spec = run.config.latents.codes
    swept = [sweep(code) for code in spec]
    columns = max(len(values) for values in swept)
    pictures = _variants(run, noise, codes, swept).split([len(values) for values in swept])
    blank = [x.new_full((columns - len(x), *x.shape[1:]), LIGHT / 255) for x in pictures]
    x = torch.cat([part for pair in zip(pictures, blank, strict=True) for part in pair])
    at = [_nearest(values, c) for values, c in zip(swept, codes, strict=True)]
    return _framed(grid(x, columns, PAD), x.shape[-1], range(len(spec)), at)


def strips(run: Run, noise: Tensor, codes: Codes) -> dict[int, np.ndarray]:
    """For each categorical code what its categories make of the setting, side by side: uint8 [H, K * W, C]."""
    spec = run.config.latents.codes
    swept = [sweep(code) if isinstance(code, Categorical) else torch.empty(0) for code in spec]
    if not any(map(len, swept)):
        return {}
    pictures = _variants(run, noise, codes, swept).split([len(values) for values in swept])
    return {i: grid(x, len(x), 0) for i, x in enumerate(pictures) if len(x)}


def back_and_forth(code: Categorical | Uniform) -> list[int] | list[float]:
    """A code's values once up and down and round to where it starts: 0 1 2 3 2 1, or 0 .. 2 .. 0 .. -2 .. -0.1."""
    up = sweep(code) if isinstance(code, Categorical) else sweep(code, TICKS)
    up = [round(value, 6) for value in up.tolist()]  # float32's -2.98e-8 is the 0 to start from
    circle = up + up[-2:0:-1]
    first = circle.index(0)
    return circle[first:] + circle[:first]


def pace(code: Categorical | Uniform) -> int:
    """Milliseconds that a value is shown for while its code plays."""
    return 500 if isinstance(code, Categorical) else 100


def animation(run: Run, noise: Tensor, codes: Codes, code: int, scale: int) -> bytes:
    """The code swept back and forth, the rest as set, as a GIF without end."""
    kind = run.config.latents.codes[code]
    values = torch.tensor(back_and_forth(kind))
    tiled = [c.expand(len(values)) for c in codes]
    tiled[code] = values
    frames = [
        show(grid(x[None]), scale, True, note_of(run)) for x in run.generate(noise.expand(len(values), -1), tiled)
    ]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=pace(kind), loop=0)
    return buffer.getvalue()


def _variants(run: Run, noise: Tensor, codes: Codes, swept: list[Tensor]) -> Tensor:
    """The setting with each code in turn set to each of its values, in one pass: [all values, C, H, W]."""
    lengths = torch.tensor([len(values) for values in swept])
    tiled = [c.repeat(int(lengths.sum())) for c in codes]
    for i, (values, end) in enumerate(zip(swept, lengths.cumsum(0).tolist(), strict=True)):
        tiled[i][end - len(values) : end] = values
    return run.generate(noise.expand(int(lengths.sum()), -1), tiled)


def _nearest(values: Tensor, code: Tensor) -> int:
    return int((values.double() - code.double()).abs().argmin())


def _framed(cells: np.ndarray, side: int, rows: range, columns: list[int]) -> np.ndarray:
    """The sheet with a coloured frame around one cell of each row."""
    cells = np.pad(
        np.broadcast_to(cells, (*cells.shape[:2], 3)), ((PAD, PAD), (PAD, PAD), (0, 0)), constant_values=LIGHT
    )
    for row, column in zip(rows, columns, strict=True):
        y, x = (PAD + k * (side + PAD) for k in (row, column))
        inside = cells[y : y + side, x : x + side].copy()
        cells[y - PAD : y + side + PAD, x - PAD : x + side + PAD] = MARK
        cells[y : y + side, x : x + side] = inside
    return cells

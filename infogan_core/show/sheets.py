"""Sheets, strips and animations around one setting of the codes, a tensor [1] each, for the Explorer."""

import io
from functools import lru_cache, partial
from itertools import zip_longest

import numpy as np
import torch
from PIL import Image, ImageColor, ImageDraw
from torch import Tensor

from infogan_core.model.latents import Categorical, Uniform
from infogan_core.runs import Run
from infogan_core.show.figures import INK, LIGHT, grid, note_of, show, sweep, vary

PAD = 2  # pixels between the pictures of a sheet
FONT = 13  # of labels, in pixels
FRAME = ImageColor.getrgb("#e8590c")  # around the setting of the controls
PACE = {Categorical: 500, Uniform: 100}  # milliseconds for which a value is shown while its code plays


def sheet(run: Run, noise: Tensor, codes: list[Tensor], code: int) -> np.ndarray:
    """One row per noise [R, noise_dim], one column per value of the code -> uint8 [H', W', 3], the setting framed."""
    values = sweep(run.config.latents.codes[code])
    x = run.generate(*vary(noise, codes, code, values))
    return _framed(grid(x, len(values), PAD), x.shape[-1], [_nearest(values, codes[code])] * len(noise))


def all_codes(run: Run, noise: Tensor, codes: list[Tensor]) -> np.ndarray:
    """One row per code, swept around the setting -> uint8 [H', W', 3], the setting framed. noise [1, noise_dim]."""
    swept = [sweep(code) for code in run.config.latents.codes]
    rows = [run.generate(*vary(noise, codes, i, values)) for i, values in enumerate(swept)]
    columns = max(map(len, rows))
    full = [torch.cat([x, x.new_full((columns - len(x), *x.shape[1:]), LIGHT / 255)]) for x in rows]
    return _framed(grid(torch.cat(full), columns, PAD), rows[0].shape[-1], list(map(_nearest, swept, codes)))


def column_labels(codes: list[Categorical | Uniform]) -> list[str]:
    """What stands above each column where these codes are swept: "3", or "0.4", or both, one above the other."""
    kinds = {type(code): sweep(code).tolist() for code in sorted(codes, key=lambda code: getattr(code, "k", 0))}
    texts = [[f"{v}" if kind is Categorical else f"{v:z.1f}" for v in kinds[kind]] for kind in PACE if kind in kinds]
    return ["\n".join(lines) for lines in zip_longest(*texts, fillvalue="")]


def labelled(picture: Image.Image, columns: list[str], rows: list[str], corner: str = "") -> Image.Image:
    """A sheet's picture, enlarged as it may be, with a label above each column and at the left of each row."""
    margin = _margin(picture.size, tuple(columns), tuple(rows), corner)
    whole = margin.copy()
    whole.paste(picture, (whole.width - picture.width, whole.height - picture.height))
    return whole


@lru_cache(maxsize=4)  # it stays the same while a slider moves
def _margin(size: tuple[int, int], columns: tuple[str, ...], rows: tuple[str, ...], corner: str) -> Image.Image:
    length = ImageDraw.Draw(Image.new("RGB", (1, 1))).textlength
    left = 8 + round(max(length(text, font_size=FONT) for text in (*rows, corner)))
    top, step = 8 + FONT * (1 + columns[0].count("\n")), size[0] / len(columns)  # a sheet's pictures are square
    margin = Image.new("RGB", (left + size[0], top + size[1]), (LIGHT,) * 3)
    pen = partial(ImageDraw.Draw(margin).text, fill=INK, font_size=FONT)
    pen((4, top - 4), corner, anchor="ls")
    for i, text in enumerate(columns):
        pen((left + (i + 0.5) * step, top / 2), text, anchor="mm", align="center")
    for i, text in enumerate(rows):
        pen((left - 4, top + (i + 0.5) * step), text, anchor="rm")
    return margin


def strips(run: Run, noise: Tensor, codes: list[Tensor]) -> dict[int, np.ndarray]:
    """For each categorical code the setting in each of its categories, side by side: uint8 [H, K * W, C]."""
    categorical = {i: code for i, code in enumerate(run.config.latents.codes) if isinstance(code, Categorical)}
    return {i: grid(run.generate(*vary(noise, codes, i, sweep(c))), c.k, 0) for i, c in categorical.items()}


def back_and_forth(code: Categorical | Uniform) -> list[int] | list[float]:
    """A code's values once up and down, as it plays, a continuous one's in steps of 0.1: 0 1 2 3 2 1."""
    up = sweep(code) if isinstance(code, Categorical) else sweep(code, 41)
    up = [round(value, 6) for value in up.tolist()]  # float32's -2.98e-8 is the 0 where a slider stands
    return up + up[-2:0:-1]


def animation(run: Run, noise: Tensor, codes: list[Tensor], code: int, scale: int) -> bytes:
    """The code swept back and forth around the setting, as a GIF without end."""
    kind = run.config.latents.codes[code]
    x = run.generate(*vary(noise, codes, code, torch.tensor(back_and_forth(kind))))
    first, *others = [show(grid(picture[None]), scale, True, note_of(run)) for picture in x]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=PACE[type(kind)], loop=0)
    return buffer.getvalue()


def _nearest(values: Tensor, code: Tensor) -> int:
    return int((values.double() - code.double()).abs().argmin())


def _framed(cells: np.ndarray, side: int, columns: list[int]) -> np.ndarray:
    """The sheet in colour, with a frame around one picture of each row: the one in that column."""
    edge = ((PAD, PAD), (PAD, PAD), (0, 0))
    cells = np.pad(np.broadcast_to(cells, (*cells.shape[:2], 3)), edge, constant_values=LIGHT)
    border = np.pad(np.zeros((side, side), bool), PAD, constant_values=True)
    for row, column in enumerate(columns):
        y, x = row * (side + PAD), column * (side + PAD)
        cells[y : y + side + 2 * PAD, x : x + side + 2 * PAD][border] = FRAME
    return cells

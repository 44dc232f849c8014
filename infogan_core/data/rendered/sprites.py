"""dSprites (Matthey et al. 2017) rendered by its published recipe: one white shape on black, five known factors."""

import numpy as np

from infogan_core.data.images import ImageSet
from infogan_core.data.rendered.factors import SIDE, Factor, sample

POINTS = 4  # along each axis of a pixel, whose value is their mean
CHUNK = 64
LARGEST = 5.5  # pixels, half a sprite at scale 1: the square and its turns stay inside the picture wherever it is
FROM, TO, BOX = 8, 24, 16  # pixels: where a sprite's middle may be, and the square around it


def _even(n: int, low: float, high: float) -> Factor:
    return Factor(kinds=tuple(f"{value:.3g}" for value in np.linspace(low, high, n)))


FACTORS = {  # 3 x 6 x 40 x 32 x 32 pictures in all, as there
    "shape": Factor(kinds=("square", "ellipse", "heart")),  # also the label
    "scale": _even(6, 0.5, 1),
    "orientation": _even(40, 0, 351),  # in degrees, clockwise
    "x": _even(32, FROM, TO),  # of the middle, pixels from the left
    "y": _even(32, FROM, TO),  # of the middle, pixels from the top
}


def sprites(n: int, seed: int = 0) -> ImageSet:
    """n sprites uint8 [n, 1, 32, 32] whose attributes are the FACTORS' indices; picture i does not depend on n."""
    values, note = sample(FACTORS, n, seed), "rendered, not the dSprites file"
    name, shapes = f"sprites ({note}; {n:,} pictures)", values[:, 0].astype(np.int64)
    return ImageSet(render(values), shapes, name, None, values, tuple(FACTORS), "sprites", note)


def render(values: np.ndarray) -> np.ndarray:
    """Indices float32 [N, 5], in the order of FACTORS -> pictures uint8 [N, 1, 32, 32]. Pure: same in, same out."""
    pictures = np.zeros((len(values), 1, SIDE, SIDE), np.uint8)
    for i in range(0, len(values), CHUNK):
        _draw(values[i : i + CHUNK].astype(np.float64), pictures[i : i + CHUNK, 0])
    return pictures


def _draw(values: np.ndarray, pictures: np.ndarray) -> None:
    """Each sprite into the BOX around it, the only pixels that it can reach."""
    shape, scale, orientation = values[:, :3].T[:, :, None, None]
    middle = FROM + (TO - FROM) / 31 * values[:, 3:]  # (x, y), pixels
    corner = middle.astype(int) - BOX // 2
    points = (np.arange(BOX * POINTS) + 0.5) / POINTS
    x, y = (points + corner[:, :, None] - middle[:, :, None]).transpose(1, 0, 2)
    size, turn = LARGEST * (0.5 + 0.1 * scale), np.deg2rad(9 * orientation)
    u, v = x[:, None, :] / size, y[:, :, None] / size
    u, v = np.cos(turn) * u + np.sin(turn) * v, np.cos(turn) * v - np.sin(turn) * u
    square = np.maximum(np.abs(u), np.abs(v)) <= 0.8
    ellipse = u**2 + (v / 0.6) ** 2 <= 1.1
    a, b = (1.15 * u) ** 2, -1.15 * v
    heart = (a + b**2 - 1) ** 3 <= a * b**3  # (x^2 + y^2 - 1)^3 = x^2 y^3, its point at the bottom
    inside = np.choose(shape.astype(int), (square, ellipse, heart))
    covered = np.round(255 * inside.reshape(len(values), BOX, POINTS, BOX, POINTS).mean(axis=(2, 4)))
    for picture, (left, top), sprite in zip(pictures, corner, covered, strict=True):
        picture[top : top + BOX, left : left + BOX] = sprite

"""What rendered pictures share: their factors, and the arithmetic of soft-edged shapes.

All arithmetic on pixels is float32 and exactly rounded (no exp, no sin, no sum whose order a processor may choose), so
that every machine renders the same bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SIDE = 32  # pixels
CHUNK = 16  # pictures rendered at once, few enough to stay in the processor's cache
Columns = dict[str, np.ndarray]  # factors by name, each [n, 1, 1, 1]
THIRDS = np.array([0, 2 / 3, 1 / 3], np.float32).reshape(1, 3, 1, 1)


@dataclass(frozen=True)
class Factor:
    """One thing that varies: a number from `low` to `high`, or one of `kinds`, stored as its index."""

    low: float = 0.0
    high: float = 1.0
    kinds: tuple[str, ...] = ()


def sample(factors: dict[str, Factor], n: int, seed: int) -> np.ndarray:
    """Independent uniform factors, float32 [n, F], row by row from RandomState, whose stream NumPy keeps for ever."""
    values = np.random.RandomState(seed).random_sample((n, len(factors)))
    for column, factor in zip(values.T, factors.values(), strict=True):
        number = factor.low + (factor.high - factor.low) * column
        column[:] = np.floor(column * len(factor.kinds)) if factor.kinds else number
    return values.astype(np.float32)


def in_chunks(
    values: np.ndarray, factors: dict[str, Factor], paint: Callable[[Columns], np.ndarray], side: int = SIDE
) -> np.ndarray:
    """Factors float32 [N, F] -> uint8 [N, 3, side, side]; `paint` gives a few of them, [n, 3, side, side] in 0..1."""
    result = np.empty((len(values), 3, side, side), np.uint8)
    for start in range(0, len(values), CHUNK):
        columns = values[start : start + CHUNK].T[..., None, None, None]
        scene = paint(dict(zip(factors, columns, strict=True)))
        result[start : start + CHUNK] = np.clip(scene, 0, 1) * 255 + 0.5
    return result


def pixels(side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """x [1, 1, 1, side] and y [1, 1, side, 1] of the pixels' middles, -1..1 from edge to edge, y down."""
    middles = (np.arange(side, dtype=np.float32) * 2 + 1) / side - 1
    return middles[None, None, None], middles[None, None, :, None]


def rotated(x: np.ndarray, y: np.ndarray, degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates in a frame turned clockwise (y points down)."""
    turn = np.deg2rad(degrees.astype(np.float64))
    cos, sin = np.cos(turn).astype(np.float32), np.sin(turn).astype(np.float32)
    return x * cos + y * sin, y * cos - x * sin


def cover(distance: np.ndarray, sharpness: float | np.ndarray) -> np.ndarray:
    """How much of a pixel lies inside, 0..1, from the signed distance to the edge, positive inside."""
    return np.clip(distance * sharpness + 0.5, 0, 1)


def colour(hue: np.ndarray, saturation: np.ndarray, tone: np.ndarray) -> np.ndarray:
    """RGB [n, 3, 1, 1] whose luminance is `tone`, whatever the hue (in turns)."""
    pure = np.clip(np.abs((hue + THIRDS) % 1 * 6 - 3) - 1, 0, 1)
    grey = 0.3 * pure[:, :1] + 0.6 * pure[:, 1:2] + 0.1 * pure[:, 2:]
    return tone * (1 + saturation * (pure - grey))

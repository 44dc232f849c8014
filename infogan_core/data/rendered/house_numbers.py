"""Rendered stand-ins for SVHN: house numbers with known factors, for which nothing has to be downloaded."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import distance_transform_edt

from infogan_core.data.images import ImageSet
from infogan_core.data.rendered.factors import SIDE, Columns, Factor, colour, cover, in_chunks, pixels, rotated, sample

HEIGHT, CELL = 48, 72  # of a digit, and of the square around it, in the table of signed distances
FONTS = {  # what matplotlib ships
    "sans": "DejaVuSans",
    "sans bold": "DejaVuSans-Bold",
    "sans bold oblique": "DejaVuSans-BoldOblique",
    "serif bold": "DejaVuSerif-Bold",
    "mono bold": "DejaVuSansMono-Bold",
    "times bold": "STIXGeneralBol",
    "times bold italic": "STIXGeneralBolIta",
    "typewriter": "cmtt10",
}
DIGITS, NO_YES = tuple("0123456789"), ("no", "yes")
FACTORS = {
    "digit": Factor(kinds=DIGITS),  # the digit in the middle, also the label
    "font": Factor(kinds=tuple(FONTS)),  # its typeface
    "hue": Factor(),  # of the digits, in turns: 0 red, 1/3 green, 2/3 blue
    "background hue": Factor(),  # of the wall or plate behind them, in turns
    "saturation": Factor(0.0, 0.6),  # of both colours: 0 grey
    "polarity": Factor(kinds=("dark digits", "light digits")),  # which of the two is darker
    "contrast": Factor(0.3, 0.75),  # between the two, as a share of white
    "brightness": Factor(0.4, 1.2),  # of the light on everything
    "light x": Factor(-0.35, 0.35),  # how much brighter the right edge is than the middle
    "light y": Factor(-0.35, 0.35),  # how much brighter the lower edge is than the middle
    "context": Factor(kinds=("wall", "plate", "oval plate", "siding", "bricks")),  # what the digits are on
    "shadow": Factor(0.0, 0.6),  # that the digits cast to the lower right: 0 none
    "left": Factor(kinds=NO_YES),  # whether a digit stands on the left, cut off by the edge
    "left digit": Factor(kinds=DIGITS),  # which, if it does
    "right": Factor(kinds=NO_YES),  # whether a digit stands on the right, cut off by the edge
    "right digit": Factor(kinds=DIGITS),  # which, if it does
    "x": Factor(-2.5, 2.5),  # of the digit's middle, pixels to the right
    "y": Factor(-2.0, 2.0),  # of the digit's middle, pixels down
    "rotation": Factor(-12.0, 12.0),  # clockwise, in degrees
    "scale": Factor(18.0, 26.0),  # the digit's height, in pixels
    "width": Factor(0.65, 0.95),  # stretch of the digits, across
    "blur": Factor(),  # of the camera: 0 sharp
    "noise": Factor(0.0, 0.12),  # of the camera, as a share of white
    "grain": Factor(),  # which noise: every number has its own
}


def house_numbers(n: int, seed: int = 0) -> ImageSet:
    """n house numbers whose attributes are the FACTORS, independent and uniform; picture i does not depend on n."""
    values, note = sample(FACTORS, n, seed), "rendered, not SVHN"
    name, digits = f"house numbers ({note}; {n:,} pictures)", values[:, 0].astype(np.int64)
    return ImageSet(render(values), digits, name, None, values, tuple(FACTORS), "svhn", note)


def render(values: np.ndarray) -> np.ndarray:
    """Factors float32 [N, F], in the order of FACTORS -> pictures uint8 [N, 3, 32, 32]. Pure: same in, same out."""
    return in_chunks(values, FACTORS, _pictures)


@cache
def _glyphs() -> tuple[np.ndarray, np.ndarray]:
    """Signed distances to the edge, positive inside, [font, digit, CELL, CELL], and advances [font], in heights."""
    folder = Path(find_spec("matplotlib").origin).parent / "mpl-data" / "fonts" / "ttf"
    table = np.empty((len(FONTS), 10, CELL, CELL), np.float32)
    advances = np.empty(len(FONTS), np.float32)
    for i, file in enumerate(FONTS.values()):
        font = ImageFont.truetype(folder / f"{file}.ttf", 100, layout_engine=ImageFont.Layout.BASIC)
        _, top, _, bottom = font.getbbox("0", anchor="ls")
        font = font.font_variant(size=round(100 * 2 * HEIGHT / (bottom - top)))  # at twice the table's size
        advances[i] = font.getlength("0") / (2 * HEIGHT)
        for digit in range(10):
            cell = Image.new("L", (2 * CELL, 2 * CELL))
            ImageDraw.Draw(cell).text((CELL, CELL + HEIGHT), str(digit), 255, font, anchor="ms")
            inside = np.asarray(cell) > 127
            distance = distance_transform_edt(inside) - distance_transform_edt(~inside)
            table[i, digit] = (distance[::2, ::2] + distance[1::2, 1::2]) / (4 * HEIGHT)
    return table, advances


def _pictures(f: Columns) -> np.ndarray:
    """Factors by name -> pictures [n, 3, 32, 32] in 0..1: digits on their ground, then light, noise and blur."""
    x, y = pixels()
    u, v = rotated(x * 16 - f["x"], y * 16 - f["y"], f["rotation"])
    u, v = u / (f["scale"] * f["width"]), v / f["scale"]  # in digit heights
    ink = _digits(f, u, v)
    sign = f["polarity"] - 0.5
    scene = _ground(f, u, v, 0.5 - sign * f["contrast"])
    scene[..., 1:, 1:] *= 1 - f["shadow"] * ink[..., :-1, :-1]
    scene += ink * (colour(f["hue"], f["saturation"], 0.5 + sign * f["contrast"]) - scene)
    scene = scene * f["brightness"] * (1 + f["light x"] * x + f["light y"] * y)
    return _blurred(np.clip(scene, 0, 1) + f["noise"] * _grain(f["grain"]), f["blur"])


def _digits(f: Columns, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Coverage [n, 1, 32, 32] by up to three digits, at u, v in digit heights from the middle of the middle one."""
    table, advances = _glyphs()
    font = f["font"].astype(np.intp)
    slot = np.clip(np.rint(u / advances[font]), -f["left"], f["right"])  # -1, 0, 1: whose place this pixel is in
    digit = np.where(slot < 0, f["left digit"], np.where(slot > 0, f["right digit"], f["digit"])).astype(np.intp)
    column = np.clip((u - slot * advances[font]) * HEIGHT + (CELL - 1) / 2, 0, CELL - 1.01)
    row = np.clip(v * HEIGHT + (CELL - 1) / 2, 0, CELL - 1.01)
    i, j = row.astype(np.intp), column.astype(np.intp)
    flat, corner = table.ravel(), ((font * 10 + digit) * CELL + i) * CELL + j
    row, column = row - i, column - j
    upper = flat[corner] * (1 - column) + flat[corner + 1] * column
    lower = flat[corner + CELL] * (1 - column) + flat[corner + CELL + 1] * column
    return cover(upper * (1 - row) + lower * row, f["scale"])


def _ground(f: Columns, u: np.ndarray, v: np.ndarray, tone: np.ndarray) -> np.ndarray:
    """What the digits are on, [n, 3, 32, 32]."""
    own = colour(f["background hue"], f["saturation"], tone)
    wall = colour(f["background hue"] + 0.5, f["saturation"] * 0.6, 0.25 + 0.4 * (tone < 0.5))
    beyond = np.abs(u - (f["right"] - f["left"]) * 0.4) - (f["right"] + f["left"]) * 0.4
    plate = np.minimum(0.68 - np.abs(v), 0.62 - beyond)
    oval = 0.78 - np.sqrt(v * v + np.maximum(beyond, 0) ** 2)
    inside = np.where(f["context"] == 1, plate, np.where(f["context"] == 2, oval, 9))
    ground = wall + cover(inside, f["scale"]) * (own - wall)
    ground *= 1 - 0.35 * cover(0.04 - np.abs(inside), f["scale"])  # the rim
    board = v / 0.7 + 0.5
    board -= np.floor(board)
    course = np.floor(v / 0.36 + 0.5)
    joint = u / 0.8 + course * 0.5
    joint = np.minimum(np.abs(joint - np.rint(joint)) * 0.8, np.abs(v / 0.36 + 0.5 - np.rint(v / 0.36 + 0.5)) * 0.36)
    siding = (f["context"] == 3) * (0.12 - 0.4 * cover(0.1 - board, 6) - 0.1 * board)
    bricks = (f["context"] == 4) * (0.3 * cover(0.035 - joint, f["scale"]) - 0.05 - 0.06 * (course % 2))
    return ground * (1 + siding + bricks)


def _grain(grain: np.ndarray) -> np.ndarray:
    """Noise [n, 3, 32, 32] in -1..1, mostly grey, each picture's from its own stream."""
    streams = (np.random.RandomState(int(number * 2**24)) for number in grain.ravel())
    noise = np.stack([np.frombuffer(stream.bytes(4 * SIDE * SIDE), np.uint8) for stream in streams])
    noise = noise.reshape(-1, 4, SIDE, SIDE).astype(np.float32) / 127.5 - 1
    return 0.65 * noise[:, :1] + 0.35 * noise[:, 1:]


def _blurred(scene: np.ndarray, blur: np.ndarray) -> np.ndarray:
    """Three passes of (blur, 3 - 2 blur, blur) / 3 along both axes, the edge pixels repeated."""
    for _ in range(6):
        scene = scene.swapaxes(2, 3)
        padded = np.pad(scene, [(0, 0), (0, 0), (0, 0), (1, 1)], "edge")
        scene = scene + blur / 3 * (padded[..., :-2] + padded[..., 2:] - 2 * scene)
    return scene

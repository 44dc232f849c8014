"""Rendered stand-ins for CelebA: faces with known factors, painted onto a head that turns."""

import numpy as np

from infogan_core.data.images import ImageSet
from infogan_core.data.rendered.factors import SIDE, Columns, Factor, colour, cover, in_chunks, pixels, rotated, sample

FINE = 2  # sub-pixels along each axis of a pixel
EDGE = SIDE * FINE / 2  # sub-pixels in a unit; the picture is 2 units wide
MIDDLE = np.s_[..., 20:62, 6:58]  # the sub-pixels where a face can be
RX, RY = 0.56, 0.68  # half axes of the head, in units
SKINS = np.array([[255, 224, 204], [238, 188, 152], [198, 138, 96], [122, 78, 52]], np.float32) / 255
HAIR_COLOURS = {
    "black": (34, 28, 32),
    "brown": (96, 60, 38),
    "blond": (226, 184, 104),
    "red": (184, 80, 36),
    "grey": (200, 200, 206),
    "pink": (226, 112, 160),
}
HAIRS = np.array(list(HAIR_COLOURS.values()), np.float32) / 255
BLUSH, LIPS, RED, DARK_RED = (  # the first two are shares of the skin's colour
    np.array([[1.12, 0.72, 0.74], [0.9, 0.6, 0.6], [0.84, 0.12, 0.2], [0.3, 0.07, 0.09]], np.float32)[..., None, None]
)
STYLE_FIELDS = ("volume", "end", "hairline", "slope", "arch", "curl", "bun")  # in units, down; slope and arch across
STYLES = {
    "bald": (0.98, -2.0, -2.0, 0.0, 0.0, 0.0, 0.0),
    "short": (1.10, 0.02, -0.34, 0.0, 0.10, 0.0, 0.0),
    "side part": (1.17, 0.10, -0.34, 0.34, 0.25, 0.0, 0.0),
    "bangs": (1.20, 0.50, -0.22, 0.0, 0.04, 0.0, 0.0),
    "long": (1.22, 1.40, -0.50, 0.0, 0.45, 0.0, 0.0),
    "curls": (1.50, 0.50, -0.36, 0.0, 0.12, 1.0, 0.0),
    "bun": (1.08, 0.06, -0.42, 0.0, 0.20, 0.0, 1.0),
}
FACTORS = {
    "azimuth": Factor(-50, 50),  # of the head, in degrees: negative to the left of the picture, positive to the right
    "tilt": Factor(-9.0, 9.0),  # of the head, in degrees clockwise
    "size": Factor(0.96, 1.12),  # of the head, as a share of the usual one
    "hair colour": Factor(kinds=tuple(HAIR_COLOURS)),  # of hair, brows and beard
    "hair style": Factor(kinds=tuple(STYLES)),  # how it is worn
    "glasses": Factor(kinds=("none", "clear", "sunglasses")),  # which
    "smile": Factor(-0.4, 1.0),  # the mouth's curve: negative sad
    "mouth": Factor(),  # how far it is open: 0 closed
    "lips": Factor(),  # their redness
    "beard": Factor(kinds=("none", "moustache", "full")),  # which
    "brow": Factor(-1.0, 1.0),  # the brows' slope: negative worried, positive stern
    "gaze": Factor(-1.0, 1.0),  # of the eyes, relative to the head: negative left, positive right
    "eyes": Factor(0.07, 0.62),  # their hue, in turns, from brown over green to blue
    "skin": Factor(),  # tone: 0 light, 1 dark
    "background": Factor(),  # its hue, in turns
    "background tone": Factor(0.2, 0.95),  # its luminance
    "clothes": Factor(),  # their hue, in turns
    "light": Factor(-1.0, 1.0),  # where it comes from: -1 left, 1 right
    "brightness": Factor(0.7, 1.1),  # of the light on everything
}


def faces(n: int, seed: int = 0, size: int = SIDE) -> ImageSet:
    """n faces of 32x32 or 64x64 pixels whose attributes are the FACTORS, independent and uniform; picture i does not
    depend on n."""
    values, note = sample(FACTORS, n, seed), "rendered, not CelebA"
    name = f"faces ({note}; {n:,} pictures)"
    return ImageSet(render(values, size), None, name, None, values, tuple(FACTORS), "celeba", note)


def render(values: np.ndarray, size: int = SIDE) -> np.ndarray:
    """Factors float32 [N, F], in the order of FACTORS -> pictures uint8 [N, 3, size, size], 32 or 64 pixels.

    Pure: same in, same out. A picture of 32x32 is that of 64x64 before cutting off and rounding, averaged.
    """
    return in_chunks(values, FACTORS, _pictures if size == SIDE * FINE else lambda f: _halved(_pictures(f)), size)


def _pictures(f: Columns) -> np.ndarray:
    """Paints from back to front: [n, 3, 64, 64]."""
    f = _with_derived(f)
    x, y = pixels(SIDE * FINE)
    scene = colour(f["background"], 0.35, f["background tone"]) * (1.05 - 0.12 * y - 0.15 * (x * x + y * y))
    clothes = colour(f["clothes"], 0.6, 0.45) * (1 - 0.3 * x * x)
    _paint(scene, clothes, _ellipse(x - 0.06 * f["sin"], y - 1.22, 0.86, 0.5))
    x, y = rotated(x, y - 0.7, f["tilt"])  # about the neck
    x, y = x / f["size"], (y + 0.62) / f["size"]
    mane = _mane(f, x + 0.12 * f["sin"], y)
    _paint(scene, f["hair"] * 0.62, mane)
    p, q, skin = _head(scene, f, x, y)
    middle, unrolled = scene[MIDDLE], (p[MIDDLE] * RX, y[MIDDLE], cover(q[MIDDLE], 5) * skin[MIDDLE])
    _face(middle, f, *unrolled)
    _mouth(middle, f, *unrolled)
    _nose(middle, f, x[MIDDLE], y[MIDDLE])
    _glasses(middle, f, *unrolled)
    face = np.minimum((0.9 - np.abs(p)) * RX, q * 0.5)  # between the temples, in front, and below the hairline:
    face = np.minimum(face, y - f["hairline"] - f["slope"] * p - f["arch"] * p * p)
    _paint(scene, _strands(f, x, y, p, q), mane * (1 - cover(face, EDGE)))
    scene *= f["brightness"] * (1 + 0.12 * f["light"] * x)
    return scene


def _halved(scene: np.ndarray) -> np.ndarray:
    """The mean of each 2x2 sub-pixels."""
    scene = scene[..., ::2, :] + scene[..., 1::2, :]
    return (scene[..., ::2] + scene[..., 1::2]) / 4


def _with_derived(f: Columns) -> Columns:
    """The factors, and what follows from them: sine and cosine of the azimuth, colours, the hair style's numbers."""
    turn = np.deg2rad(f["azimuth"].astype(np.float64))
    place = f["skin"] * (len(SKINS) - 1)
    styles = np.array(list(STYLES.values()), np.float32)
    style = styles[f["hair style"].astype(np.intp).ravel()].T[..., None, None, None]
    return f | {
        "sin": np.sin(turn).astype(np.float32),
        "cos": np.cos(turn).astype(np.float32),
        "tone": sum(np.maximum(1 - np.abs(place - i), 0) * skin[:, None, None] for i, skin in enumerate(SKINS)),
        "hair": HAIRS[f["hair colour"].astype(np.intp).ravel()][:, :, None, None],
        **dict(zip(STYLE_FIELDS, style, strict=True)),
    }


def _paint(scene: np.ndarray, rgb: np.ndarray | float, alpha: np.ndarray) -> None:
    """Lays a colour over the scene, in place; one number is a grey."""
    scene += alpha * (rgb - scene)


def _ellipse(x: np.ndarray, y: np.ndarray, rx: float, ry: float, soft: float = 1.0) -> np.ndarray:
    """Coverage of an ellipse around 0 with these half axes, its edge `soft` sub-pixels wide."""
    return cover(min(rx, ry) * (1 - np.sqrt((x / rx) ** 2 + (y / ry) ** 2)), EDGE / soft)


def _bar(x: np.ndarray, y: np.ndarray, rx: float, ry: float) -> np.ndarray:
    """Coverage of an upright rectangle around 0 with these half sides."""
    return cover(np.minimum(rx - np.abs(x), ry - np.abs(y)), EDGE)


def _head(scene: np.ndarray, f: Columns, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Paints neck, ears and skull; returns each pixel's place on it: the longitude's sine and cosine (0 and 1 in the
    middle of the face), and how much of the pixel it covers."""
    sin, cos, tone = f["sin"], f["cos"], f["tone"]
    _paint(scene, tone * 0.74, _bar(x + 0.05 * sin, y - 0.75, 0.21, 0.36))
    for side in (-1, 1):
        _paint(scene, tone * 0.86, _ellipse(x - side * 0.57 * cos, y - 0.02, 0.1, 0.15))
    jaw = 1 - 0.14 * np.clip(y, 0, 1) - 0.1 * np.clip(y - 0.3, 0, 1)
    radius = RX * jaw * np.sqrt(np.maximum(1 - (y / RY) ** 2, 0.2))
    skull = _ellipse(x + 0.1 * sin, y + 0.12, RX, 0.56)
    skin = cover(RX * (1 - np.sqrt((x / (RX * jaw)) ** 2 + (y / RY) ** 2)), EDGE)
    s = np.clip(x / radius, -1, 1)
    c = np.sqrt(1 - s * s)
    shade = 1.04 + 0.1 * f["light"] * s - 0.2 * s * s * s * s - 0.1 * np.clip(y - 0.2, 0, 1)
    _paint(scene, tone * 0.9, skull)
    _paint(scene, tone * shade, skin)
    near = np.where(sin > 0, -1, 1).astype(np.float32)
    ear = np.clip(np.abs(sin) * 4 - 1, 0, 1)
    _paint(scene, tone * 0.86, ear * _ellipse(x - near * 0.55 * cos, y - 0.02, 0.09, 0.14))
    _paint(scene, tone * 0.66, ear * _ellipse(x - near * 0.55 * cos, y - 0.02, 0.04, 0.08))
    return s * cos - c * sin, c * cos + s * sin, skin


def _face(scene: np.ndarray, f: Columns, x: np.ndarray, y: np.ndarray, seen: np.ndarray) -> None:
    """Paints cheeks, eyes, brows and beard on the unrolled face; |x| makes one shape serve both sides."""
    away = np.abs(x) - 0.235  # from the middle of the nearer eye
    _paint(scene, f["tone"] * BLUSH, 0.5 * seen * _ellipse(np.abs(x) - 0.3, y - 0.2, 0.14, 0.1, 5))
    beard = cover(y - 0.27 + 0.7 * x * x, EDGE / 4) * (f["beard"] == 2)
    moustache = _ellipse(x, y - 0.28 - 1.2 * x * x, 0.19, 0.055) * (f["beard"] >= 1)
    _paint(scene, f["hair"] * 0.8, 0.85 * seen * np.maximum(beard, moustache))
    lid = _ellipse(away, y + 0.055, 0.13, 0.085)
    _paint(scene, f["tone"] * 0.3, seen * lid)
    white = seen * _ellipse(away, y + 0.03, 0.115, 0.085)
    _paint(scene, 0.97, white)
    look = f["gaze"] * 0.05
    away = np.abs(x - look) - 0.235
    _paint(scene, colour(f["eyes"], 0.9, 0.32), white * _ellipse(away, y + 0.03, 0.068, 0.075))
    _paint(scene, 0.04, white * _ellipse(away, y + 0.03, 0.036, 0.042))
    _paint(scene, 1.0, white * _ellipse(np.abs(x - look + 0.022) - 0.235, y + 0.06, 0.024, 0.024))
    away = np.abs(x) - 0.235
    brow = 0.024 - np.abs(y + 0.225 + f["brow"] * 0.4 * away - 1.6 * away * away)
    _paint(scene, f["hair"] * 0.7, seen * cover(np.minimum(brow, 0.13 - np.abs(away)), EDGE))


def _mouth(scene: np.ndarray, f: Columns, x: np.ndarray, y: np.ndarray, seen: np.ndarray) -> None:
    """Paints lips, the dark between them, and teeth, all between parabolas."""
    half = 0.2 + 0.04 * np.maximum(f["smile"], 0)
    bow = 1 - (x / half) ** 2
    middle = y - 0.39 - 0.11 * f["smile"] * (bow - 0.5)
    open_ = 0.2 * f["mouth"] * np.maximum(bow, 0)
    above, below = middle + 0.3 * open_, 0.7 * open_ - middle  # distances from the edges, positive between the lips
    ends = half - np.abs(x)
    lips = f["tone"] * LIPS * (1 - f["lips"]) + RED * f["lips"]
    thick = 0.018 + 0.022 * np.clip(bow, 0, 1)
    _paint(scene, lips, seen * cover(np.minimum(np.minimum(above + thick, below + 1.4 * thick), ends + 0.01), EDGE))
    between = np.minimum(above, below)
    _paint(scene, DARK_RED, seen * cover(np.minimum(between + 0.012, ends), EDGE))
    teeth = np.minimum(np.minimum(above, 0.5 * open_ - above), ends - 0.04)
    _paint(scene, 0.97, seen * cover(teeth, EDGE))


def _nose(scene: np.ndarray, f: Columns, x: np.ndarray, y: np.ndarray) -> None:
    """Paints the nose where it stands out from the face, which the turn moves most."""
    x = x - 0.66 * f["sin"]
    _paint(scene, f["tone"] * 0.62, 0.8 * _ellipse(x, y - 0.18, 0.085, 0.05, 2))
    _paint(scene, f["tone"] * 0.8, 0.5 * _ellipse(x + 0.07 * f["light"], y - 0.08, 0.05, 0.14, 3))
    _paint(scene, f["tone"] * 1.1, 0.8 * _ellipse(x - 0.02 * f["light"], y - 0.1, 0.05, 0.11, 3))


def _glasses(scene: np.ndarray, f: Columns, x: np.ndarray, y: np.ndarray, seen: np.ndarray) -> None:
    """Paints frames, and lenses: clear with a gleam, or dark."""
    dark, some = f["glasses"] == 2, f["glasses"] >= 1
    away = np.abs(x) - 0.245
    lens = seen * some * _ellipse(away, y + 0.01, 0.17, 0.15)
    inner = seen * some * _ellipse(away, y + 0.01, 0.135, 0.115)
    side = cover(np.minimum(np.abs(x) - 0.38, 0.02 - np.abs(y + 0.05)), EDGE)
    bridge = _bar(x, y + 0.04, 0.1, 0.02)
    frame = np.maximum(lens - inner, np.maximum(side, bridge) * seen * some)
    _paint(scene, 0.14 + 0.2 * y, lens * dark)
    _paint(scene, 0.9, inner * cover(0.03 - np.abs(away + y + 0.06), EDGE) * np.where(dark, 0.45, 0.25))
    _paint(scene, 0.1, frame)


def _mane(f: Columns, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coverage of the hair's outline: half an ellipse, then straight down to a rounded end."""
    width, height, bend = RX * f["volume"], RY * f["volume"], 0.2 + 0.3 * f["curl"]
    up, down = np.minimum(y, 0) / height, np.maximum(y - f["end"] + bend, 0) / bend
    distance = width * (1 - np.sqrt((x / width) ** 2 + up * up + down * down))
    curls = f["curl"] * 0.1 * _wave(4 * x / (np.abs(x) + np.abs(y) + 0.01))
    return np.maximum(cover(distance - curls, EDGE), f["bun"] * _ellipse(x, y + 0.78, 0.26, 0.2))


def _strands(f: Columns, x: np.ndarray, y: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The hair's colour [n, 3, ...], with strands or curls and a gleam."""
    gleam = 0.3 * q * np.maximum(1 - ((y + 0.45 + 0.2 * p * p) / 0.16) ** 2, 0)
    curls = 0.5 * f["curl"] * (_wave(3 * x + 2 * y) + _wave(3 * x - 2 * y) - 0.5)
    shade = 0.9 + 0.14 * f["light"] * p + 0.16 * _wave(p * 5 + 2 * y) + gleam + curls
    return f["hair"] * shade + 0.16 * gleam


def _wave(x: np.ndarray) -> np.ndarray:
    """A zigzag of period 1 from 0, at whole numbers, to 0.5."""
    return np.abs(x - np.rint(x))

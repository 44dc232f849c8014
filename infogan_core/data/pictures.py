"""One picture of any kind: which files are pictures, and their pixels as the networks take them."""

import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from infogan_core.data.reading import TooLarge, one_line

NO_PICTURES = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "PDF", "WMF"}  # need other programs, or are no pictures
EIGHT_BITS = {"BMP", "GIF", "JPEG", "WEBP"}  # never have more
MOST_PIXELS = 89_478_485  # as Pillow's default; a picture of so many takes 1.0 to 1.3 GiB while it is decoded
STRETCHED = 2**14  # above this, 16 bits are taken to be used in full; cameras and scanners have 10, 12 or 14

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # such are refused, in one line


@cache
def picture_formats() -> dict[str, str]:
    """Pillow's name of a format by each suffix that the installed Pillow reads, the common formats first."""
    Image.preinit()
    Image.init()
    known = Image.registered_extensions().items()
    return {suffix: name for suffix, name in known if name in Image.OPEN and name not in NO_PICTURES}


def _open(file: str | Path | BinaryIO) -> Image.Image:
    """A picture whose header was read. Raises TooLarge by the header, and whatever Pillow raises."""
    with suppress(Image.DecompressionBombError):  # at twice as many
        picture = Image.open(file, formats=list(dict.fromkeys(picture_formats().values())))
        if picture.width * picture.height <= MOST_PIXELS:
            return picture
        picture.close()
    raise TooLarge(f"its header promises more than {MOST_PIXELS:,} pixels")


def read_picture(file: str | Path | BinaryIO, size: int, white: float = 0) -> np.ndarray:
    """The central square of a picture, upright: uint8 [size, size, 3]. `white` is the brightest of 16 bits; 0: its own.

    Where it is transparent it stands on white, or on black if what is seen of it is light. Only grey has 16 bits: of
    colours Pillow reads the upper 8.
    Raises TooLarge by the header, and for what does not decode whatever Pillow raises.
    """
    square = size, size
    with _open(file) as picture:
        ImageOps.exif_transpose(picture, in_place=True)  # a copy would take memory
        if picture.mode[0] in "IF":  # more than 8 bits, which Pillow's convert() clips to white
            values = np.nan_to_num(np.asarray(picture, np.float32))
            white = white or values.max()
            values = np.asarray(ImageOps.fit(Image.fromarray(values), square))
            values = values * (255 / (white if 0 < white < STRETCHED else 65_535))
            picture = Image.fromarray(np.rint(values).clip(0, 255).astype(np.uint8))
        if picture.has_transparency_data:
            picture = ImageOps.fit(picture.convert("RGBA"), square)
            picture = Image.alpha_composite(Image.new("RGBA", square, _ground(picture)), picture)
        if picture.mode not in ("L", "RGB"):
            picture = picture.convert("RGB")
        return np.asarray(ImageOps.fit(picture, square).convert("RGB"))


def brightest(file: str | Path | BinaryIO) -> float:
    """The largest value in a picture of 16 bits or of floats; 0 for another, and for what does not decode."""
    with suppress(Exception), _open(file) as picture:
        if picture.mode[0] in "IF":
            return float(np.nan_to_num(np.asarray(picture)).max())
    return 0


def _ground(picture: Image.Image) -> str:
    """What an RGBA picture is seen on: "black" where its ink is light, else "white"."""
    rgba = np.asarray(picture, np.float32)
    seen = rgba[..., 3].sum()
    return "black" if (rgba[..., :3].mean(axis=2) * rgba[..., 3]).sum() > 127.5 * seen else "white"


def what_is_wrong(error: Exception) -> str:
    """Why a picture cannot be used, in one line; a file that may not be read is not called damaged."""
    if isinstance(error, UnidentifiedImageError):  # its own words are an address in memory
        return "cannot be used (no picture)"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror})"
    return f"cannot be used ({one_line(error)})"

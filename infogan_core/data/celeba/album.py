"""CelebA's aligned pictures, in a zip that is never unpacked or in a folder: found, listed, cropped and reduced."""

import contextlib
import io
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from infogan_core.data.images import at_least_two, one_line
from infogan_core.data.own_images import FORMATS

ZIP = "img_align_celeba.zip"
ALIGNED = (178, 218)  # width and height of every picture
NAMED = re.compile(r"([0-9]{6})\.jpg")
Box = tuple[int, int, int, int]  # left, top, right and bottom, the latter two excluded


@dataclass(frozen=True)
class Album:
    """The pictures in a zip, which is never unpacked, or in a folder: their names by number, ascending."""

    path: Path
    names: dict[int, str]
    strays: tuple[str, ...]  # pictures that are not named like 000001.jpg, or there twice
    archive: zipfile.ZipFile | None

    def open(self, number: int) -> io.BytesIO | Path:
        """What PIL opens. Raises ValueError, or what zipfile raises, for a damaged entry."""
        name = self.names[number]
        if self.archive is None:
            return self.path / name
        if self.archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("neither stored nor deflated")  # Python unpacks the other kinds whole, whatever their size
        with self.archive.open(name) as entry:  # ZipFile.read() would inflate all, whatever size the zip declares
            return io.BytesIO(entry.read(1 << 20))  # bytes: CelebA's have about 7 KB


def find_album(source: Path) -> Path | None:
    """The zip or the folder of pictures that a path means: itself, or what lies in it or in its folder "celeba"."""
    if not source.is_dir():
        return source if source.suffix.lower() == ".zip" and source.is_file() else None
    for folder in (source, source / "celeba"):
        if (folder / ZIP).is_file():
            return folder / ZIP
        below = folder / "img_align_celeba"
        for inner in (folder, below, below / "img_align_celeba"):
            if inner.is_dir() and _holds_faces(inner):
                return inner
    return None


def _holds_faces(folder: Path) -> bool:
    """Whether these are CelebA's and not somebody's own: most are named like 000001.jpg, and the first have its size.

    One of the first ten is enough: the others may be damaged, which is for the loader to say.
    """
    names = _pictures(os.listdir(folder))
    named = sorted(name for name in names if NAMED.fullmatch(name))
    if 2 * len(named) <= len(names):
        return False
    for name in named[:10]:
        with contextlib.suppress(Exception), Image.open(folder / name, formats=["JPEG"]) as picture:
            if picture.size == ALIGNED:
                return True
    return False


def _pictures(entries: Iterable[str]) -> list[str]:
    """Those that are pictures by their names, without the hidden files that macOS leaves in zips and folders."""
    shown = [name for name in entries if not name.rpartition("/")[2].startswith(".")]
    return [name for name in shown if os.path.splitext(name)[1].lower() in FORMATS]


@contextlib.contextmanager
def open_album(path: Path) -> Iterator[Album]:
    """Lists the pictures of a zip or folder. Raises ValueError for a damaged zip, or one without CelebA's pictures."""
    try:
        archive = None if path.is_dir() else zipfile.ZipFile(path)
    except Exception as error:  # zipfile, struct and the operating system each raise their own
        raise ValueError(f"{path}: is no whole zip, copy or download it again ({one_line(error)})") from None
    with archive or contextlib.nullcontext():
        names, strays = {}, []
        for entry in _pictures(archive.namelist() if archive else os.listdir(path)):
            named = NAMED.fullmatch(entry.rpartition("/")[2])
            if named is None or int(named[1]) in names:
                strays.append(entry)
            else:
                names[int(named[1])] = entry
        if not names:
            raise ValueError(f"{path}: holds no pictures named like 000001.jpg, this is not img_align_celeba")
        at_least_two(len(names), path)
        yield Album(path, dict(sorted(names.items())), tuple(sorted(strays)), archive)


def shrink(file: BinaryIO | Path, box: Box, size: int) -> np.ndarray:
    """The box of an aligned JPEG as uint8 [3, size, size]: the mean over each pixel's area.

    Raises ValueError for a picture of another size or kind, whatever PIL raises for one that does not decode.
    """
    with Image.open(file, formats=["JPEG"]) as picture:  # reads the header only
        if picture.size != ALIGNED:
            raise ValueError(f"{picture.width}x{picture.height} pixels, not 178x218")
        if picture.mode != "RGB":
            raise ValueError(f"{picture.mode}, not RGB")
        side = box[2] - box[0]
        if side % size == 0:
            return np.asarray(picture.reduce(side // size, box)).transpose(2, 0, 1)
        pixels = np.asarray(picture.crop(box), np.float32).transpose(2, 0, 1)
    weights = _weights(side, size)  # PIL's BOX would take a pixel at an edge wholly or not at all
    return np.floor(weights @ pixels @ weights.T + 0.5).astype(np.uint8)


@cache
def _weights(side: int, size: int) -> np.ndarray:
    """float32 [size, side]: how much each of `side` pixels in a row counts in each of `size` equal areas."""
    edges, pixels = np.arange(size + 1)[:, None] * side / size, np.arange(side)
    overlap = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return (overlap.clip(0) * size / side).astype(np.float32)

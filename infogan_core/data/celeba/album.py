"""CelebA's aligned pictures in a zip, which is never unpacked, or in a folder: listed, checked, cropped and reduced."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from infogan_core.data.images import at_least_two, one_line
from infogan_core.data.own_images import FORMATS

ALIGNED = (178, 218)  # width and height of every picture
NAMED = re.compile(r"([0-9]{6})\.jpg")
LIMIT = 1 << 20  # bytes that a picture may unpack to: the JPEGs have about 7 KB, and 178x218 raw RGB pixels 116 KB
RATIO = 100  # by which a zip of JPEGs may unpack: they hardly do


@dataclass(frozen=True)
class Album:
    """The pictures in a zip, which is never unpacked, or in a folder: their names by number, ascending."""

    path: Path
    names: dict[int, str]
    strays: tuple[str, ...]  # pictures that are not named like 000001.jpg, or there twice
    archive: zipfile.ZipFile | None

    def open(self, number: int) -> io.BytesIO | Path:
        """What PIL opens."""
        name = self.names[number]
        if self.archive is None:
            return self.path / name
        with self.archive.open(name) as entry:  # ZipFile.read() would inflate all, whatever size the zip declares
            return io.BytesIO(entry.read(LIMIT))


def pictures(entries: Iterable[str]) -> list[str]:
    """Those that are pictures by their names, without the hidden files that macOS leaves in zips and folders."""
    shown = [name for name in entries if not name.rpartition("/")[2].startswith(".")]
    return [name for name in shown if os.path.splitext(name)[1].lower() in FORMATS]


@contextmanager
def open_album(path: Path) -> Iterator[Album]:
    """Lists the pictures. Raises ValueError for a zip that is damaged, not to be trusted, or without pictures."""
    if path.is_dir():
        yield _album(path, os.listdir(path), None)
        return
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # zipfile, struct and the operating system each raise their own
        raise ValueError(f"{path}: is no whole zip, copy or download it again ({one_line(error)})") from None
    with archive:
        _distrust(path, archive.infolist())
        yield _album(path, [entry.filename for entry in archive.infolist()], archive)


def _distrust(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Raise ValueError for what no zip of CelebA holds: entries that lead outside, or that unpack to absurd sizes."""
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        if re.match("/|[A-Za-z]:", name) or ".." in name.split("/"):
            raise ValueError(f"{path}: {entry.filename!r} would unpack outside, this is not img_align_celeba.zip")
        if entry.file_size > LIMIT and pictures([name]):
            raise ValueError(f"{path}: {entry.filename} would unpack to {entry.file_size:,} bytes, not a face's JPEG")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # the others unpack without limit
            raise ValueError(f"{path}: {entry.filename} is not stored or deflated, this is not img_align_celeba.zip")
    total = sum(entry.file_size for entry in entries)
    if total > RATIO * path.stat().st_size:
        raise ValueError(f"{path}: would unpack to {total:,} bytes, this is not img_align_celeba.zip")


def _album(path: Path, entries: list[str], archive: zipfile.ZipFile | None) -> Album:
    names, strays = {}, []
    for entry in pictures(entries):
        named = NAMED.fullmatch(entry.rpartition("/")[2])
        if named is None or int(named[1]) in names:
            strays.append(entry)
        else:
            names[int(named[1])] = entry
    if not names:
        raise ValueError(f"{path}: holds no pictures named like 000001.jpg, this is not img_align_celeba")
    at_least_two(len(names), path)
    return Album(path, dict(sorted(names.items())), tuple(sorted(strays)), archive)


def shrink(file: BinaryIO | Path, box: tuple[int, int, int, int], size: int) -> np.ndarray:
    """The box (left, top, right, bottom) of an aligned JPEG as uint8 [3, size, size]: the mean over each pixel's area.

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

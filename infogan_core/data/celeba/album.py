"""CelebA's aligned pictures, in a zip that is never unpacked or in a folder: found, listed, cropped and reduced."""

import contextlib
import io
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from infogan_core.data.images import at_least_two, one_line
from infogan_core.data.pictures import picture_formats

ZIP = "img_align_celeba.zip"
# A given folder has its pictures in one of FOLDERS, as one of PICTURES: the first that is there.
FOLDERS = ("", "Img", "img", "celeba", "celeba/Img", "CelebA", "CelebA/Img")
PICTURES = (ZIP, "", "img_align_celeba", "img_align_celeba/img_align_celeba", "img_align_celeba_png", "images")
SIGNS = ("img_align_celeba", "img_celeba", "list_attr_celeba", "list_eval_partition")  # CelebA's names start with these
ALIGNED = (178, 218)  # width and height of every picture
NAMED = re.compile(r"([0-9]{6})\.(?:jpg|png)", re.IGNORECASE)
KINDS = ["JPEG", "PNG"]  # the official pictures come as either
Box = tuple[int, int, int, int]  # left, top, right and bottom, the latter two excluded


@dataclass(frozen=True)
class Album:
    """The pictures in a zip, which is never unpacked, or in a folder: their names by number, ascending."""

    path: Path
    names: dict[int, str]
    strays: tuple[str, ...]  # pictures that are not named like 000001.jpg, or there twice
    lists: dict[str, str]  # entries of the zip that are CelebA's lists, by their file names
    archive: zipfile.ZipFile | None

    def open(self, number: int) -> io.BytesIO:
        """A picture's bytes, of which CelebA's have about 7,000. Raises as `read`."""
        return io.BytesIO(self.read(self.names[number], 1 << 20))

    def read(self, entry: str | Path, most: int) -> bytes:
        """The first `most` bytes of an entry, or of a file anywhere.

        Raises ValueError, or what zipfile raises, for a damaged entry and for what is no regular file.
        """
        beside = self.archive is None or isinstance(entry, Path)
        if beside and not os.path.isfile(self.path / entry):
            raise ValueError("no regular file")  # a FIFO would be waited for without end
        if not beside and self.archive.getinfo(entry).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("neither stored nor deflated")  # Python unpacks the other kinds whole, whatever their size
        with open(self.path / entry, "rb") if beside else self.archive.open(entry) as file:
            return file.read(most)  # ZipFile.read() would inflate all, whatever size the zip declares


def find_album(source: Path) -> Path | None:
    """The zip or the folder of pictures that a path means; None for a path that holds other files."""
    if not source.is_dir():
        return source if source.suffix.lower() == ".zip" and os.path.isfile(source) else None
    places = [source / folder / below for folder in FOLDERS for below in PICTURES]
    return next((p for p in places if (p.name == ZIP and os.path.isfile(p)) or _holds_faces(p)), None)


def refuse_celebas_names(source: Path) -> None:
    """Raise ValueError for a folder without CelebA's aligned pictures where names say that it is CelebA's."""
    folders = [source / folder for folder in FOLDERS if (source / folder).is_dir()]
    names = [name for folder in folders for name in (folder.name, *os.listdir(folder))]
    names = [name for name in names if name.lower().startswith(SIGNS)]
    if names:
        wanted = "give the zip itself, or the folder of its pictures 000001.jpg and so on, 178x218 pixels each"
        raise ValueError(
            f"{source}: has CelebA's name {one_line(names[0])}, but no aligned pictures where they belong; {wanted}"
        )


def has_faces_below(source: Path) -> bool:
    """Whether some folder in a folder, of the first twenty, has CelebA's pictures: somebody has sorted them."""
    below = (folder for pattern in ("*/", "*/*/") for folder in source.glob(pattern))
    return any(map(_holds_faces, islice(below, 20)))


def _holds_faces(folder: Path) -> bool:
    """Whether these are CelebA's and not somebody's own: most are named like 000001.jpg, and the first have its size.

    One of the first ten that open is enough: the others may be damaged, which is for the loader to say.
    """
    names = _pictures(os.listdir(folder)) if folder.is_dir() else []
    named = sorted(name for name in names if NAMED.fullmatch(name))
    sizes = (size for name in named if (size := _size(folder / name)))
    return 2 * len(named) > len(names) and ALIGNED in islice(sizes, 10)


def _size(file: Path) -> tuple[int, int] | None:
    """Width and height by a picture's header; None for what is no picture."""
    with contextlib.suppress(Exception):
        if os.path.isfile(file):
            with Image.open(file, formats=KINDS) as picture:
                return picture.size
    return None


def _pictures(entries: Iterable[str]) -> list[str]:
    """Those that are pictures by their names, without the hidden files that macOS leaves in zips and folders."""
    shown = [name for name in entries if not name.rpartition("/")[2].startswith(".")]
    return [name for name in shown if os.path.splitext(name)[1].lower() in picture_formats()]


@contextlib.contextmanager
def open_album(path: Path) -> Iterator[Album]:
    """Lists the pictures of a zip or folder. Raises ValueError for a damaged zip, or one without CelebA's pictures."""
    try:
        archive = None if path.is_dir() else zipfile.ZipFile(path)
    except Exception as error:  # zipfile, struct and the operating system each raise their own
        raise ValueError(f"{path}: is no whole zip, copy or download it again ({one_line(error)})") from None
    with archive or contextlib.nullcontext():
        names, strays, entries = {}, [], archive.namelist() if archive else os.listdir(path)
        for entry in _pictures(entries):
            named = NAMED.fullmatch(entry.rpartition("/")[2])
            if named is None or int(named[1]) in names:
                strays.append(entry)
            else:
                names[int(named[1])] = entry
        if not names:
            found = f"it holds {one_line(entries[0])}" if entries else "it is empty"
            raise ValueError(f"{path}: holds no pictures named like 000001.jpg, this is not img_align_celeba ({found})")
        at_least_two(len(names), path)
        lists = {name: entry for entry in entries if (name := entry.rpartition("/")[2]).startswith("list_")}
        yield Album(path, dict(sorted(names.items())), tuple(sorted(strays)), lists if archive else {}, archive)


def shrink(file: io.BytesIO | Path, box: Box, size: int) -> np.ndarray:
    """The box of an aligned picture as uint8 [3, size, size]: the mean over each pixel's area.

    Raises ValueError for a picture of another size or kind, whatever PIL raises for one that does not decode.
    """
    with Image.open(file, formats=KINDS) as picture:  # reads the header only
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

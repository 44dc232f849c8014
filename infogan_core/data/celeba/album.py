"""CelebA's aligned pictures, in a zip that is never unpacked or in a folder, and the lists of all of them.

These are their 40 attributes and the official partition, by file name.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from infogan_core.data.images import LEAVE_OUT, at_least_two
from infogan_core.data.pictures import picture_formats
from infogan_core.data.reading import check_packing, one_line, reading

if TYPE_CHECKING:
    import pandas as pd  # slow to import

ZIP = "img_align_celeba.zip"
# A given folder has its pictures in one of FOLDERS, as one of PICTURES: the first that is there.
FOLDERS = ("", "Img", "img", "celeba", "celeba/Img", "CelebA", "CelebA/Img")
PICTURES = (ZIP, "", "img_align_celeba", "img_align_celeba/img_align_celeba", "img_align_celeba_png", "images")
SIGNS = ("img_align_celeba", "img_celeba", "list_attr_celeba", "list_eval_partition")  # CelebA's names start with these
ALIGNED = (178, 218)  # width and height of every picture
NAMED = re.compile(r"([0-9]{6})\.(?:jpg|png)", re.IGNORECASE)
KINDS = ["JPEG", "PNG"]  # the official pictures come as either
STRAY = -1  # the number of a picture that is not named like 000001.jpg, or there twice
ATTRIBUTES, PARTITION = "list_attr_celeba", "list_eval_partition"  # the lists, each .txt or .csv
VALUES = {ATTRIBUTES: (-1, 0, 1), PARTITION: (0, 1, 2)}  # of the partition: training, validation, test
PLACES = ("", "..", "../Anno", "../Eval", "../..", "../../Anno", "../../Eval", "../../../Anno", "../../../Eval")
MOST_BYTES = 64 << 20  # the official attributes have 26 MB
Box = tuple[int, int, int, int]  # left, top, right and bottom, the latter two excluded


@dataclass(frozen=True)
class Album:
    """The pictures in a zip or a folder: the number of each by its name, ascending."""

    path: Path
    numbers: dict[str, int]
    lists: dict[str, str]  # entries of the zip that are CelebA's lists, by their file names
    archive: zipfile.ZipFile | None

    def read(self, entry: str | Path, most: int) -> bytes:
        """The first `most` bytes of an entry, or of a file anywhere.

        Raises ValueError, or what zipfile raises, for a damaged entry and for what is no regular file.
        """
        beside = self.archive is None or isinstance(entry, Path)
        if beside and not os.path.isfile(self.path / entry):
            raise ValueError("no regular file")  # a FIFO would be waited for without end
        if not beside:
            check_packing(self.archive.getinfo(entry))
        with open(self.path / entry, "rb") if beside else self.archive.open(entry) as file:
            return file.read(most)  # ZipFile.read() would inflate all, whatever size the zip declares


def find_album(source: Path) -> Path | None:
    """The zip or the folder of pictures that a path means; None for a path that holds other files."""
    if not source.is_dir():
        return source if source.suffix.lower() == ".zip" else None
    places = [source / folder / below for folder in FOLDERS for below in PICTURES]
    return next((p for p in places if (p.name == ZIP and p.is_file()) or _holds_faces(p)), None)


def refuse_celebas_names(source: Path) -> None:
    """Raise ValueError for a folder without CelebA's aligned pictures where names say that it is CelebA's."""
    folders = [source / folder for folder in FOLDERS if (source / folder).is_dir()]
    names = [name for folder in folders for name in (folder.name, *os.listdir(folder))]
    if names := [name for name in names if name.lower().startswith(SIGNS)]:
        found = f"has CelebA's name {one_line(names[0])}, but no aligned pictures where they belong"
        wanted = "give the zip itself, or the folder of its pictures 000001.jpg and so on, 178x218 pixels each"
        raise ValueError(f"{source}: {found}; {wanted}")


def _holds_faces(folder: Path) -> bool:
    """Whether these are CelebA's and not somebody's own: most are named like 000001.jpg, and the first have its size.

    One of the first ten that open is enough: the others may be damaged, which is for the loader to say.
    """
    names = _pictures(os.listdir(folder)) if folder.is_dir() else []
    named = sorted(filter(NAMED.fullmatch, names))
    sizes = filter(None, (_size(folder / name) for name in named))
    return 2 * len(named) > len(names) and ALIGNED in islice(sizes, 10)


def _size(file: Path) -> tuple[int, int] | None:
    """Width and height by a picture's header; None for what is no picture."""
    with contextlib.suppress(Exception):
        if file.is_file():
            with Image.open(file, formats=KINDS) as picture:
                return picture.size
    return None


def _pictures(entries: Iterable[str]) -> list[str]:
    """Those that are pictures by their names, without the hidden files that macOS leaves in zips and folders."""
    shown = [name for name in entries if not name.rpartition("/")[2].startswith(".")]
    return [name for name in shown if os.path.splitext(name)[1].lower() in picture_formats()]


def open_album(path: Path) -> Album:
    """Lists the pictures of a zip or folder. Raises ValueError for a damaged zip, or one without CelebA's pictures."""
    archive = None
    if not path.is_dir():
        with reading(path, "is no whole zip, copy or download it again"):
            archive = zipfile.ZipFile(path)
    entries, numbers, seen = archive.namelist() if archive else os.listdir(path), {}, set()
    for entry in _pictures(entries):
        named = NAMED.fullmatch(entry.rpartition("/")[2])
        number = int(named[1]) if named else STRAY
        numbers[entry] = STRAY if number in seen else number
        seen.add(number)
    n = len(seen - {STRAY})
    if not n:
        found = f"it holds {one_line(entries[0])}" if entries else "it is empty"
        raise ValueError(f"{path}: holds no pictures named like 000001.jpg, this is not img_align_celeba ({found})")
    at_least_two(n, path)
    numbers = dict(sorted(numbers.items(), key=lambda item: (item[1], item[0])))
    lists = {name: entry for entry in entries if (name := entry.rpartition("/")[2]).startswith("list_")}
    return Album(path, numbers, lists if archive else {}, archive)


def find_list(path: Path, kind: str) -> Path | None:
    """The nearest list to a zip or folder of pictures: first the one whose name ends as theirs does."""
    ends = [own + suffix for own in (path.stem.removeprefix("img_align_celeba"), "") for suffix in (".txt", ".csv")]
    files = (Path(os.path.abspath(path / place / f"{kind}{end}")) for place in PLACES for end in ends)
    return next(filter(os.path.isfile, files), None)


def read_list(album: Album, kind: str) -> pd.DataFrame | None:
    """The list in the album's zip or near it: whole numbers by the pictures' numbers, ascending, called after its file.

    Comma-separated or not; the first lines may be the number of rows, the names of the columns, both or neither.
    Raises ValueError for another form.
    """
    import pandas as pd

    entry = next((album.lists[name] for name in (f"{kind}.txt", f"{kind}.csv") if name in album.lists), None)
    if (entry := entry or find_list(album.path, kind)) is None:
        return None
    try:
        data = album.read(entry, MOST_BYTES)
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig").replace(",", " ")
        rows, header = re.match(r"[ \t]*(\d+)[ \t\r]*\n", text), None if NAMED.match(text) else 0
        table = pd.read_csv(io.BytesIO(text.encode()), sep=r"\s+", skiprows=int(rows is not None), header=header)
        if isinstance(table.index, pd.RangeIndex):  # else the file names, without a heading, are the index already
            table = table.set_index(table.columns[0])
        named = [NAMED.fullmatch(str(name)) for name in table.index.tolist()]
        if None in named:
            raise ValueError(f"{str(table.index[named.index(None)])[:40]} is no such name")
        table.index = pd.Index([int(name[1]) for name in named], name=os.path.basename(entry))
        fits = table.size and table.isin(VALUES[kind]).all(axis=None) and table.index.is_unique
        if not fits or len(data) == MOST_BYTES or (rows and len(table) != int(rows[1])):
            raise ValueError(f"found {len(table):,} rows" + (f" and {rows[1]} in line 1" if rows else ""))
    except Exception as error:  # pandas, zipfile and zlib raise their own
        values = ", ".join(map(str, VALUES[kind]))
        form = f"a row must be a name like 000001.jpg, there once, and for each heading one of {values}"
        raise ValueError(f"{album.path / entry}: {form}; copy it again ({one_line(error)})") from None
    return table.astype(np.int8).sort_index()


def check_listed(listed: pd.DataFrame, path: Path, numbers: np.ndarray, skip_bad: bool, may_lack: bool) -> None:
    """Raise ValueError where the zip or folder at `path` has pictures that are not listed, or lacks some that are.

    `skip_bad` allows both, but not that most are not listed: the list is then another's. `may_lack` allows the second.
    """
    file, known = listed.index.name, listed.index.to_numpy()
    extra, missing = np.setdiff1d(numbers, known), np.setdiff1d(known, numbers)
    if len(extra) and not (skip_bad and 2 * len(extra) < len(numbers)):
        problem = f"{len(extra):,} of its {len(numbers):,} pictures are not in {file}, {extra[0]:06d}.jpg first"
    elif len(missing) and not (skip_bad or may_lack):
        problem = f"lacks {len(missing):,} pictures of {file}, {missing[0]:06d}.jpg first"
    else:
        return
    raise ValueError(f"{path}: {problem}; give both as they belong together" + f", or {LEAVE_OUT}" * (not skip_bad))


def shrink(data: bytes, box: Box, size: int) -> np.ndarray:
    """The box of an aligned picture as uint8 [3, size, size]: the mean over each pixel's area.

    Raises ValueError for a picture of another size or kind, whatever PIL raises for one that does not decode.
    """
    with Image.open(io.BytesIO(data), formats=KINDS) as picture:  # reads the header only
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

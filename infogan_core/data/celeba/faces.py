"""CelebA (Liu et al. 2015), aligned faces: the official zip or folder, or faces rendered instead of them."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from infogan_core.data.celeba.album import ALIGNED, NAMED, open_album, pictures
from infogan_core.data.celeba.cache import LEAVE_OUT, Faces, cache_key, read_cache, write_cache
from infogan_core.data.images import ImageSet, one_line
from infogan_core.files import removed_on_failure

CROP = (89, 121, 128)  # centre and side, in pixels of 178x218: the face and most of the hair
FIRST_TEST = 182_638  # number of the first picture of the official test split, which shares no person with the others
RENDERED = 20_000  # pictures, the last tenth of them held out
ZIP, LIST = "img_align_celeba.zip", "list_attr_celeba.txt"


@dataclass(frozen=True)
class Listed:
    """An attribute file: `numbers` int64 [N] of its pictures, ascending, `values` uint8 [N, A] of 0 and 1, `names`."""

    path: Path
    numbers: np.ndarray
    values: np.ndarray
    names: tuple[str, ...]


def load_celeba(
    source: str | Path, root: Path, size: int = 32, crop: tuple[int, int, int] | None = None, skip_bad: bool = False
) -> ImageSet | None:
    """CelebA's faces from any source; None for a path that is neither its zip nor a folder with its pictures.

    Every picture is cut to the square `crop`, (x, y, side) with (x, y) its centre in pixels of 178x218, and reduced to
    size x size by the mean over each pixel's area; this is kept in one file in `root`, mapped into memory the next
    time. Attributes come from list_attr_celeba*.txt beside the zip or folder, by file name. The official test split
    is held out where it is a fair part of the pictures, else their last tenth. `skip_bad` leaves out and counts
    pictures that do not decode or have another form or name, and those listed but missing.
    "embedded" is rendered, 32x32, without a crop.
    Raises ValueError or FileNotFoundError, naming the file, OSError for a full disk, RuntimeError without a download.
    """
    box = _box(crop or CROP, size)
    if source == "embedded":
        from infogan_core.data.rendered.faces import faces

        return faces(RENDERED, seed=0).hold_out_last(RENDERED // 10)
    if source == "download":
        source = root / "celeba"
        _download(source)
    path = find_album(source)
    if path is None:
        return None
    list_file = _find_list(path)
    listed = None if list_file is None else read_list(list_file)
    faces = _faces(path, root, box, size, skip_bad, listed)
    return _image_set(path, faces, crop or CROP, listed, skip_bad)


def _box(crop: tuple[int, int, int], size: int) -> tuple[int, int, int, int]:
    """The square (left, top, right, bottom), right and bottom excluded."""
    try:
        x, y, side = crop
        left, top = x - side // 2, y - side // 2
        whole = all(isinstance(number, int) for number in crop)
    except (TypeError, ValueError):
        whole = False
    if not whole or left < 0 or top < 0 or left + side > ALIGNED[0] or top + side > ALIGNED[1] or side < size:
        raise ValueError(f"crop must be whole (x, y, side), within 178x218 and no smaller than {size}, found {crop!r}")
    return left, top, left + side, top + side


def _download(folder: Path) -> None:
    """The zip and the attributes, where they are missing, through torchvision, which checks their MD5; 1.4 GB."""
    missing = [ZIP] * (find_album(folder) is None) + [LIST] * (not (folder / LIST).is_file())
    if not missing:
        return
    from torchvision.datasets import CelebA
    from torchvision.datasets.utils import download_file_from_google_drive

    with removed_on_failure(folder, folder.parent):
        try:
            for number, md5, name in CelebA.file_list:
                if name in missing:
                    download_file_from_google_drive(number, folder, name, md5)
                    missing.remove(name)
        except Exception as error:  # Google Drive's client raises its own
            (folder / missing[0]).unlink(missing_ok=True)  # what arrived instead of it
            raise RuntimeError(
                f"CelebA could not be downloaded, its host often refuses: fetch {' and '.join(missing)} by hand from "
                f"https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html into {folder}, "
                f'or use source="embedded" (rendered) or source=PATH ({one_line(error)})'
            ) from None


def find_album(source: Path) -> Path | None:
    """The zip or the folder of pictures that a path means: itself, or what lies in it or in its folder "celeba"."""
    if not source.is_dir():
        return source if source.suffix.lower() == ".zip" and source.is_file() else None
    for folder in (source, source / "celeba"):
        zips = sorted(folder.glob("img_align_celeba*.zip"))
        if len(zips) > 1 and folder / ZIP not in zips:
            raise ValueError(f"{folder}: holds {' and '.join(file.name for file in zips)}, give the path of one")
        if zips:
            return folder / ZIP if folder / ZIP in zips else zips[0]
        below = folder / "img_align_celeba"
        for inner in (folder, below, below / "img_align_celeba"):
            if inner.is_dir() and _holds_faces(inner):
                return inner
    return None


def _holds_faces(folder: Path) -> bool:
    """Whether these are CelebA's and not somebody's own: most are named like 000001.jpg, and the first have its size.

    One of the first ten is enough: the others may be damaged, which is to be said and not taken for another folder.
    """
    names = pictures(os.listdir(folder))
    named = sorted(name for name in names if NAMED.fullmatch(name))
    if 2 * len(named) <= len(names):
        return False
    for name in named[:10]:
        with contextlib.suppress(Exception), Image.open(folder / name, formats=["JPEG"]) as picture:
            if picture.size == ALIGNED:
                return True
    return False


def _find_list(path: Path) -> Path | None:
    """The attribute file beside a zip or folder; of several the one whose name ends as the zip's does."""
    outer = path.parent.parent if path.parent.name == path.name else path.parent
    files = sorted(outer.glob("list_attr_celeba*.txt"))
    end = path.stem.removeprefix("img_align_celeba")
    files = [file for file in files if file.stem == f"list_attr_celeba{end}"] or files
    if len(files) > 1:
        raise ValueError(f"{outer}: holds {' and '.join(file.name for file in files)}, keep the one for {path.name}")
    return files[0] if files else None


def read_list(path: Path) -> Listed:
    """The official format: a line with the number of rows, one with the names, rows "000001.jpg -1 1 ...".

    Raises ValueError, naming the file and the line.
    """
    data = path.read_bytes().rstrip()
    try:
        n, names = int(data.split(b"\n", 1)[0]), tuple(data.split(b"\n", 2)[1].decode().split())
    except (ValueError, IndexError):
        raise ValueError(f"{path}: line 1 must be the number of rows, line 2 the names of the attributes") from None
    form = re.compile(rb"([0-9]{6})\.jpg([01]{%d})" % len(names))
    short = data.replace(b"-1", b"0").translate(None, b" \t\r")  # all at once: three times as fast for 202,599 rows
    numbers, rows = [], []
    for i, line in enumerate(short.split(b"\n")[2:], start=3):
        row = form.fullmatch(line)
        if row is None:
            raise ValueError(f"{path}: line {i} must be a name like 000001.jpg and {len(names)} times 1 or -1")
        numbers.append(int(row[1]))
        rows.append(row[2])
    if len(rows) != n or not names:
        raise ValueError(f"{path}: line 1 says {n:,} rows, found {len(rows):,} of {len(names)} values; copy it again")
    numbers, order = np.unique(np.array(numbers), return_index=True)
    if len(numbers) != n:
        raise ValueError(f"{path}: lists {n - len(numbers):,} pictures twice; copy it again")
    values = np.frombuffer(b"".join(rows), np.uint8).reshape(n, len(names))[order] - ord("0")
    return Listed(path, numbers, values, names)


def _faces(
    path: Path, root: Path, box: tuple[int, int, int, int], size: int, skip_bad: bool, listed: Listed | None
) -> Faces:
    """From the cache file, which is made where it is missing or was made from something else."""
    file = root / f"{path.name}_{size}_{'_'.join(map(str, box))}.uint8"
    key = cache_key(path, box, size)
    faces = read_cache(file, key)
    if faces is None:
        with open_album(path) as album:
            if listed is not None:
                numbers = np.array(list(album.names))
                _check_listed(path, numbers, listed, skip_bad, album.strays)  # before minutes of decoding
            write_cache(file, key, album, skip_bad)
        faces = read_cache(file, key)
        if faces is None:
            raise OSError(f"{file}: changed while it was written, or {path} did; try again")
    if faces.skipped and not skip_bad:
        raise ValueError(f"{path}: {faces.first_bad}; repair it, or {LEAVE_OUT}")
    return faces


def _check_listed(
    path: Path, numbers: np.ndarray, listed: Listed, skip_bad: bool, strays: tuple[str, ...] = ()
) -> np.ndarray:
    """Which of the pictures are listed: bool [N]. Raises ValueError where some are not, or listed ones are missing.

    `skip_bad` allows both, but not that most are not listed: the list is then another's.
    """
    known, missing = np.isin(numbers, listed.numbers), np.setdiff1d(listed.numbers, numbers)
    if not known.all() and not (skip_bad and 2 * known.sum() > len(numbers)):
        ways = "give the file that belongs to them, or remove it" + f", or {LEAVE_OUT}" * (not skip_bad)
        raise ValueError(
            f"{listed.path}: does not match {path}, it lacks {(~known).sum():,} of its {len(numbers):,} pictures, "
            f"{numbers[~known][0]:06d}.jpg first; {ways}"
        )
    if len(missing) and not skip_bad:
        instead = f" (there is {strays[0]})" if strays else ""
        raise ValueError(
            f"{path}: lacks {len(missing):,} of the {len(listed.numbers):,} pictures in {listed.path.name}, "
            f"{missing[0]:06d}.jpg first{instead}; add them, or {LEAVE_OUT}"
        )
    return known


def _image_set(path: Path, faces: Faces, crop: tuple[int, int, int], listed: Listed | None, skip_bad: bool) -> ImageSet:
    pixels, numbers, said = (
        faces.pixels,
        faces.numbers,
        [f"{faces.skipped:,} bad pictures skipped"] * bool(faces.skipped),
    )
    attributes, names = None, ()
    if listed is not None:
        known = _check_listed(path, numbers, listed, skip_bad)
        if not known.all():
            said.append(f"{(~known).sum():,} that are not listed")
            pixels, numbers = pixels[known], numbers[known]
        if missing := len(listed.numbers) - len(numbers):
            said.append(f"{missing:,} of {len(listed.numbers):,} listed missing")
        values = listed.values[np.searchsorted(listed.numbers, numbers)]
        attributes, names = torch.from_numpy(values.astype(np.float32)), listed.names
    n, (x, y, side) = len(numbers), crop
    about = ", ".join([f"{n:,} faces from {path.name}, {side}x{side} at ({x}, {y})", *said])
    images = ImageSet(
        torch.from_numpy(pixels), None, f"CelebA ({about})", attributes=attributes, attribute_names=names, kind="celeba"
    )
    test = int((numbers >= FIRST_TEST).sum())
    return images.hold_out_last(test if n // 20 < test < n else max(1, n // 10))

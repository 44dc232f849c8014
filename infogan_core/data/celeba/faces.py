"""CelebA (Liu et al. 2015), aligned faces: the official zip or folder, or faces rendered instead of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from infogan_core.data.cache import Pictures, decode
from infogan_core.data.celeba import album as albums
from infogan_core.data.celeba.album import ALIGNED, ATTRIBUTES, PARTITION, ZIP, Album, Box
from infogan_core.data.images import ImageSet, at_least_two
from infogan_core.data.reading import downloading

if TYPE_CHECKING:
    import pandas as pd

CROP = (89, 121, 128)  # centre and side, in pixels of 178x218: the face and most of the hair
FIRST_VALIDATION, FIRST_TEST = 162_771, 182_638  # numbers; the three official parts share no person
RENDERED = 20_000  # pictures, the last tenth of them held out
SIGNS = {"Eyeglasses", "Male", "Smiling"}  # attributes by which an .npz is known to hold CelebA


def load_celeba(
    source: str | Path, root: Path, size: int, crop: tuple[int, int, int] | None, skip_bad: bool
) -> ImageSet | None:
    """CelebA's faces from any source; None for a path that holds other files.

    Every picture is cut to the square `crop` and reduced to size x size by the mean over each pixel's area. Attributes
    and the official partition come from CelebA's lists near the zip or folder, or in the zip, by file name; see
    `_partition` for what is held out. `skip_bad` leaves out and counts pictures that do not decode or have another
    form or name, and those listed but missing.
    """
    crop = crop or CROP
    box = _box(crop, size)
    if source == "embedded":
        from infogan_core.data.rendered.faces import faces

        return faces(RENDERED, size=size).hold_out_last(RENDERED // 10)
    if source == "download":
        source = root / "celeba"
        _download(source)
    path = albums.find_album(source)
    if path is None:
        return albums.refuse_celebas_names(source)
    x, y, side = crop
    album = albums.open_album(path)
    lists = {kind: listed for kind in (ATTRIBUTES, PARTITION) if (listed := albums.read_list(album, kind)) is not None}
    pixels, numbers, skipped = _decode(album, root, box, size, skip_bad, lists)
    about = f"from {path.name}, {side}x{side} at ({x}, {y})"
    if skipped:
        about += f", {skipped:,} bad pictures skipped"
    return _image_set(pixels, numbers, about, lists)


def recognise_celeba(images: ImageSet, _: Path) -> ImageSet:
    """The same, called CelebA where its attributes are."""
    known = {"kind": "celeba"} if set(images.attribute_names) >= SIGNS else {}
    return replace(images, **known, held_out=replace(images.held_out, **known))


def _box(crop: tuple[int, int, int], size: int) -> Box:
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
    album, attributes = albums.find_album(folder), f"{ATTRIBUTES}.txt"
    missing = [ZIP] * (album is None) + [attributes] * (albums.find_list(album or folder / ZIP, ATTRIBUTES) is None)
    for name in missing:
        from torchvision.datasets import CelebA
        from torchvision.datasets.utils import download_file_from_google_drive

        page = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
        here = " and ".join(missing[missing.index(name) :])
        ways = f'fetch {here} by hand from {page} into {folder}, or use source="embedded" (rendered) or source=PATH'
        number, md5 = next((number, md5) for number, md5, file in CelebA.file_list if file == name)
        with downloading("CelebA", f"its host often refuses: {ways}"):
            try:
                download_file_from_google_drive(number, folder, name, md5)
            except BaseException:
                (folder / name).unlink(missing_ok=True)  # what arrived instead of it
                raise


def _decode(
    album: Album, root: Path, box: Box, size: int, skip_bad: bool, lists: dict[str, pd.DataFrame]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Pixels uint8 [N, 3, S, S] of the faces, their numbers, ascending, and how many were skipped.

    Raises ValueError where they do not match the lists.
    """

    def check(numbers: np.ndarray) -> None:
        for kind, listed in lists.items():  # a part of the pictures may come with the partition of all
            albums.check_listed(listed, album.path, numbers, skip_bad, may_lack=kind == PARTITION)

    def read(name: str, _: None) -> np.ndarray:
        if album.numbers[name] == albums.STRAY:
            raise ValueError("not named like 000001.jpg, or there twice")
        return albums.shrink(album.read(name, 1 << 20), box, size)  # CelebA's have about 7,000 bytes

    numbers = np.array(list(album.numbers.values()))  # strays come first and are refused at once
    if skip_bad or albums.STRAY not in numbers:
        check(numbers[numbers != albums.STRAY])  # before minutes of decoding
    pictures = Pictures(album.path, list(album.numbers), read, size, skip_bad)
    decoded = decode(pictures, root, "_".join(map(str, box)))
    numbers = numbers[decoded.used]
    check(numbers)
    return decoded.pixels, numbers, len(decoded.bad)


def _image_set(pixels: np.ndarray, numbers: np.ndarray, about: str, lists: dict[str, pd.DataFrame]) -> ImageSet:
    """The faces that are listed, with their attributes, in the parts of the partition."""
    attributes, names = None, ()
    known = np.all([np.isin(numbers, listed.index) for listed in lists.values()], axis=0)
    if not known.all():
        about += f", {(~known).sum():,} that are not listed"
        pixels, numbers = pixels[known], numbers[known]
    if (listed := lists.get(ATTRIBUTES)) is not None:
        if missing := len(listed) - len(numbers):
            about += f", {missing:,} of {len(listed):,} listed missing"
        attributes, names = (listed.loc[numbers] > 0).to_numpy(np.float32), tuple(map(str, listed.columns))
    at_least_two(len(numbers), f"CelebA {about}")
    parts, which, notes = _partition(numbers, lists.get(PARTITION))
    name = f"CelebA ({len(numbers):,} faces {about}, {which})"
    return ImageSet(pixels, None, name, None, attributes, names, "celeba", notes=notes).split(parts)


def _partition(numbers: np.ndarray, listed: pd.DataFrame | None) -> tuple[np.ndarray, str, tuple[str, ...]]:
    """The part of each picture (0 training, 1 validation, 2 test), what this split is called, and notes.

    It is the official one: that of the list, or without a list that of the numbers if half of the pictures or more are
    then for training, and a twentieth for the test. Else the last tenth is for the test, and the others for training.
    """
    n, notes = len(numbers), ()
    parts = np.searchsorted((FIRST_VALIDATION, FIRST_TEST), numbers, side="right")
    if listed is not None:
        parts = listed.loc[numbers].iloc[:, 0].to_numpy()
    train, test = (parts == 0).sum(), (parts == 2).sum()
    if (train and test) if listed is not None else (2 * train >= n and 20 * test >= n):
        return parts, "official split", notes
    if listed is not None:
        found = f"has {train:,} of these pictures for training and {test:,} for the test"
        notes = (f"{listed.index.name} {found}: the last tenth is held out instead.",)
    return np.where(np.arange(n) < n - max(1, n // 10), 0, 2), "last tenth held out", notes

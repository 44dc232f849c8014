"""CelebA (Liu et al. 2015), aligned faces: the official zip or folder, or faces rendered instead of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from infogan_core.data.arrays import read_arrays
from infogan_core.data.celeba.album import ALIGNED, ZIP, Box, find_album, open_album
from infogan_core.data.celeba.attributes import LIST, check_listed, find_list, read_list
from infogan_core.data.celeba.cache import Faces, cache_file, read_cache, write_cache
from infogan_core.data.download import downloading
from infogan_core.data.images import LEAVE_OUT, ImageSet

if TYPE_CHECKING:
    import pandas as pd

CROP = (89, 121, 128)  # centre and side, in pixels of 178x218: the face and most of the hair
FIRST_TEST = 182_638  # number of the first picture of the official test split, which shares no person with the others
RENDERED = 20_000  # pictures, the last tenth of them held out
SIGNS = {"Eyeglasses", "Male", "Smiling"}  # attributes by which an .npz is known to hold CelebA


def load_celeba(
    source: str | Path, root: Path, size: int, crop: tuple[int, int, int] | None, skip_bad: bool
) -> ImageSet | None:
    """CelebA's faces from any source; None for a path that holds other files.

    Every picture is cut to the square `crop` and reduced to size x size by the mean over each pixel's area; the result
    is kept in `root`, and mapped into memory the next time. Attributes come from list_attr_celeba*.txt beside the zip
    or folder, by file name. The official test split is held out where it is a fair part of the pictures, else their
    last tenth. `skip_bad` leaves out and counts pictures that do not decode or have another form or name, and those
    listed but missing. An .npz is CelebA where its attributes are.
    """
    crop = crop or CROP
    box = _box(crop, size)
    if source == "embedded":
        from infogan_core.data.rendered.faces import faces

        return faces(RENDERED).hold_out_last(RENDERED // 10)
    if source == "download":
        source = root / "celeba"
        _download(source)
    if source.suffix.lower() == ".npz" and source.is_file():
        images = read_arrays(source)
        known = {"kind": "celeba"} if set(images.attribute_names) >= SIGNS else {}
        return replace(images, **known, held_out=replace(images.held_out, **known))
    path = find_album(source)
    if path is None:
        return None
    list_file = find_list(path)
    listed = None if list_file is None else read_list(list_file)
    x, y, side = crop
    about = f"from {path.name}, {side}x{side} at ({x}, {y})"
    return _image_set(_faces(path, root, box, size, skip_bad, listed), about, listed)


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
    missing = [ZIP] * (find_album(folder) is None) + [LIST] * (not (folder / LIST).is_file())
    for name in missing:
        from torchvision.datasets import CelebA
        from torchvision.datasets.utils import download_file_from_google_drive

        page = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
        here = " and ".join(missing[missing.index(name) :])
        ways = f'fetch {here} by hand from {page} into {folder}, or use source="embedded" (rendered) or source=PATH'
        number, md5 = next((number, md5) for number, md5, file in CelebA.file_list if file == name)
        with downloading("CelebA", folder, f"its host often refuses: {ways}"):
            try:
                download_file_from_google_drive(number, folder, name, md5)
            except BaseException:
                (folder / name).unlink(missing_ok=True)  # what arrived instead of it
                raise


def _faces(path: Path, root: Path, box: Box, size: int, skip_bad: bool, listed: pd.DataFrame | None) -> Faces:
    """The faces of a zip or folder, from the cache or into it. Raises ValueError where they do not match the list."""
    file = cache_file(path, root, box, size)
    faces = read_cache(file)
    if faces is None:
        with open_album(path) as album:
            if listed is not None and (skip_bad or not album.strays):  # before minutes of decoding
                check_listed(listed, path, np.array(list(album.names)), skip_bad)
            faces = write_cache(file, album, box, size, skip_bad)  # refuses strays
    if faces.skipped and not skip_bad:
        raise ValueError(f"{path}: {faces.first_bad}; repair it, or {LEAVE_OUT}")
    if listed is not None:
        check_listed(listed, path, faces.numbers, skip_bad)
    return faces


def _image_set(faces: Faces, about: str, listed: pd.DataFrame | None) -> ImageSet:
    """The faces that are listed, with their attributes, and some held out."""
    pixels, numbers, attributes, names = faces.pixels, faces.numbers, None, ()
    if faces.skipped:
        about += f", {faces.skipped:,} bad pictures skipped"
    if listed is not None:
        known = np.isin(numbers, listed.index)
        if not known.all():
            about += f", {(~known).sum():,} that are not listed"
            pixels, numbers = pixels[known], numbers[known]
        if missing := len(listed) - len(numbers):
            about += f", {missing:,} of {len(listed):,} listed missing"
        attributes, names = listed.loc[numbers].to_numpy(np.float32), tuple(listed.columns)
    n, test = len(numbers), int((numbers >= FIRST_TEST).sum())
    images = ImageSet(pixels, None, f"CelebA ({n:,} faces {about})", None, attributes, names, "celeba")
    return images.hold_out_last(test if n // 20 < test < n else max(1, n // 10))

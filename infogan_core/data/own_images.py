"""Somebody's own images: an .npz or .npy, or a folder of pictures of any size."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from infogan_core.data.arrays import read_arrays
from infogan_core.data.images import LEAVE_OUT, ImageSet, at_least_two, image_set, one_line

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".bmp": "BMP", ".gif": "GIF", ".webp": "WEBP"}


def load_own_images(path: Path, size: int, skip_bad: bool = False) -> ImageSet:
    """Somebody's own images, a fifth of them, at most 10,000, held out.

    A folder's pictures are cropped to their central square and reduced to size x size; `skip_bad` leaves out those that
    do not decode, and counts them in the name. An .npz or .npy is taken as it is.
    Raises ValueError, naming the file, for what cannot be used.
    """
    if path.is_dir():
        return _read_folder(path, size, skip_bad).hold_out_fifth()
    if path.suffix.lower() in (".npz", ".npy"):
        return read_arrays(path)
    raise ValueError(f"{path}: cannot be used; give an .npz or .npy, or a folder with pictures or the official files")


def _read_folder(folder: Path, size: int, skip_bad: bool) -> ImageSet:
    """Pictures size x size, grey where every picture is, their labels from subfolders where there are any."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in FORMATS and path.is_file())
    paths = [path for path in paths if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    if not paths:
        raise ValueError(f"{folder}: holds no pictures ({', '.join(FORMATS)}) and none of the dataset's official files")
    images, good = np.empty((len(paths), size, size, 3), np.uint8), []
    for path in paths:
        try:
            images[len(good)] = read_picture(path, size)
            good.append(path)
        except ValueError as error:
            if not skip_bad:
                raise ValueError(f"{error}, or {LEAVE_OUT}") from None
    images, skipped = images[: len(good)], len(paths) - len(good)
    at_least_two(len(good), f"{folder}, {skipped} bad pictures skipped" if skipped else folder)
    if all((image == image[..., :1]).all() for image in images):  # grey, however it was stored
        images = images[..., :1]
    name = f"own images ({len(good):,} from {folder.name}{f', {skipped} bad pictures skipped' if skipped else ''})"
    classes = sorted({path.parent for path in good})
    if len(classes) < 2 or any(subfolder.parent != folder for subfolder in classes):
        return image_set(images, None, name)
    return image_set(images, np.array([classes.index(path.parent) for path in good]), name)


def read_picture(file: Path | BinaryIO, size: int) -> np.ndarray:
    """The central square of a picture, upright, on white where it is transparent: uint8 [size, size, 3].

    Raises ValueError, naming it, for what does not decode.
    """
    try:
        with Image.open(file, formats=sorted(set(FORMATS.values()))) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode.startswith("I;16"):  # PIL's convert() clips 16 bits to white
                picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
            if picture.has_transparency_data:
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
            return np.asarray(ImageOps.fit(picture.convert("RGB"), (size, size)))
    except Exception as error:  # each decoder raises its own
        raise ValueError(f"{file}: does not decode ({one_line(error)}); repair or remove it") from None

"""Somebody's own images: an .npz, or a folder of pictures of any size."""

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from infogan_core.data.images import LEAVE_OUT, SIZES, ImageSet, at_least_two, image_set, one_line

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".bmp": "BMP", ".gif": "GIF", ".webp": "WEBP"}


def load_own_images(path: Path, size: int, skip_bad: bool = False) -> ImageSet:
    """Somebody's own images, a fifth of them, at most 10,000, held out.

    A folder's pictures are cropped to their central square and reduced to size x size; `skip_bad` leaves out those that
    do not decode, and counts them in the name. An .npz is taken as it is.
    Raises ValueError, naming the file, for what cannot be used.
    """
    if path.is_dir():
        images = _read_folder(path, size, skip_bad)
    elif path.suffix.lower() == ".npz":
        images = read_npz(path)
    else:
        raise ValueError(f"{path}: cannot be used; give an .npz, or a folder with pictures or the official files")
    return images.hold_out_fifth()


def read_npz(path: Path) -> ImageSet:
    """An .npz, never unpickled: `images`, and `labels`, `attributes` and `attribute_names` where it has them.

    Labels become 0, 1, ... in their order.
    """
    try:
        # ZipFile first: np.load takes whatever is not a zip for a pickle, and would say so of a file cut off
        with zipfile.ZipFile(path), np.load(path, allow_pickle=False) as archive:
            wanted = ("images", "labels", "attributes", "attribute_names")
            keys, arrays = archive.files, {key: np.asarray(archive[key]) for key in wanted if key in archive}
    except Exception as error:  # NumPy, zipfile, zlib and struct each raise their own
        raise ValueError(f"{path}: cannot be read, write plain arrays with np.savez ({one_line(error)})") from None
    if "images" not in arrays:
        raise ValueError(f"{path}: needs an array named 'images', found {', '.join(keys) or 'no arrays'}")
    images = arrays["images"]
    if images.dtype != np.uint8:
        raise ValueError(f"{path}: images must be uint8 in 0..255, found {images.dtype}; scale, round and convert them")
    if images.ndim == 3:
        images = images[..., None]
    if images.shape[1:] not in [(side, side, channels) for side in SIZES for channels in (1, 3)]:
        form = f"[N, H, W] or [N, H, W, C], {', '.join(f'{side}x{side}' for side in SIZES)}, C 1 or 3"
        raise ValueError(f"{path}: images must be {form}, found {arrays['images'].shape}; transpose or resize them")
    at_least_two(len(images), path)
    own = image_set(images, arrays.get("labels"), f"own images ({len(images):,} from {path.name})")
    if own.labels is not None:
        own = replace(own, labels=own.labels.unique(return_inverse=True)[1])
    if "attributes" in arrays:
        names = arrays.get("attribute_names", np.array([])).ravel()
        own = replace(own, attributes=arrays["attributes"], attribute_names=tuple(map(str, names)))
    return own


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

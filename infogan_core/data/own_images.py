"""Somebody's own images: an .npz or .npy, or a folder of pictures of any size."""

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from infogan_core.data.arrays import read_arrays
from infogan_core.data.images import LEAVE_OUT, ImageSet, at_least_two, natural, one_line

NO_PICTURES = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "PDF", "WMF"}  # need other programs, or are no pictures
PARTS = {"train": "train", "training": "train", "val": "validation", "valid": "validation"}
PARTS |= {"validation": "validation", "test": "test", "testing": "test"}  # names of folders
BLOCK = 1024  # pictures that wait in memory at most
SHOW_BAR = 2_000  # pictures


@cache
def picture_formats() -> dict[str, str]:
    """Pillow's name of a format by each suffix that the installed Pillow reads."""
    Image.init()
    known = Image.registered_extensions().items()
    return {suffix: name for suffix, name in known if name in Image.OPEN and name not in NO_PICTURES}


def load_own_images(path: Path, size: int, skip_bad: bool = False) -> ImageSet:
    """Somebody's own images. What is in a folder test/ beside train/ is held out, else a fifth, at most 10,000.

    A folder's pictures are cropped to their central square and reduced to size x size; `skip_bad` leaves out those that
    do not decode, and counts them in the name. Folders in it are classes. An .npz or .npy is taken as it is.
    Raises ValueError, naming the file, for what cannot be used.
    """
    if path.is_dir():
        return _read_folder(path, size, skip_bad)
    if path.suffix.lower() in (".npz", ".npy"):
        return read_arrays(path)
    raise ValueError(f"{path}: cannot be used; give an .npz or .npy, or a folder with pictures or the official files")


def _read_folder(folder: Path, size: int, skip_bad: bool) -> ImageSet:
    """Pictures size x size, grey where every picture is, with labels and parts from the folders that they are in."""
    passed_over: Counter[str] = Counter()
    paths = list(_pictures_in(folder, passed_over))
    if not paths:
        found = f"; passed over: {_counts(passed_over)}" if passed_over else ""
        raise ValueError(f"{folder}: holds no pictures (.png, .jpg ...) and no official files of the data set{found}")
    parts = [PARTS.get(path.relative_to(folder).parts[0].lower()) for path in paths]
    if "train" in parts and len(set(parts) - {None}) > 1:
        passed_over["pictures outside train, validation and test"] = parts.count(None)
        paths, parts = zip(*((path, part) for path, part in zip(paths, parts, strict=True) if part), strict=True)
    else:
        parts = [None] * len(paths)
    classes = _classes(
        [path.relative_to(folder).parts[bool(part) : -1] for path, part in zip(paths, parts, strict=True)]
    )
    if classes is not None and None in classes:
        passed_over["pictures outside the folders of the classes"] = classes.count(None)
    keep = [classes is None or name is not None for name in classes or paths]
    paths = [path for path, kept in zip(paths, keep, strict=True) if kept]
    parts = np.array([part or "" for part, kept in zip(parts, keep, strict=True) if kept])
    white = _brightest_of_16_bits(paths)
    pixels, good, skipped = _decode(paths, size, white, skip_bad)
    where = f"{folder}, {skipped} bad pictures skipped" if skipped else str(folder)
    at_least_two(len(pixels), where)
    if all((pixels[i : i + BLOCK] == pixels[i : i + BLOCK, :1]).all() for i in range(0, len(pixels), BLOCK)):
        pixels = pixels[:, :1]  # grey, however it was stored
    names = sorted({name for name in classes or () if name is not None}, key=natural)
    labels = np.array([names.index(name) for name in classes if name is not None])[good] if names else None
    notes = [f"Passed over: {_counts(passed_over)}."] if +passed_over else []
    if 0 < white < 2**12:
        notes.append(f"Their 16-bit values reach {white:,}; they are stretched to 0 to 255.")
    skips = f", {skipped} bad pictures skipped" if skipped else ""
    name = one_line(f"own images ({len(pixels):,} from {folder.resolve().name}{skips})")
    images = ImageSet(pixels, labels, name, label_names=tuple(map(one_line, names)), notes=tuple(notes))
    return _with_parts(images, parts[good], where)


def _with_parts(images: ImageSet, parts: np.ndarray, where: str) -> ImageSet:
    """The pictures of "test" held out, or those of "validation" where there are none; without parts a fifth."""
    if not parts.any():
        return images.hold_out_fifth()
    of = {part: np.flatnonzero(parts == part) for part in ("train", "validation", "test")}
    at_least_two(len(of["train"]), f"{where}, its folder train")
    picked = {part: images.pick(which, f"{images.name}, {part}") for part, which in of.items() if len(which)}
    held_out = picked.get("test") or picked.get("validation")
    if held_out is None:
        return picked["train"].hold_out_fifth()
    validation = picked.get("validation") if "test" in picked else None
    return replace(picked["train"], name=images.name, held_out=held_out, validation=validation)


def _pictures_in(folder: Path, passed_over: Counter[str]) -> Iterator[Path]:
    """The pictures below a folder in the order of their names; links are followed once, and nothing is opened."""
    seen = set()
    for top, below, files in os.walk(
        folder, followlinks=True, onerror=lambda _: passed_over.update(["folders unread"])
    ):
        about = os.stat(top)
        if (about.st_dev, about.st_ino) in seen:
            below.clear()
            continue
        seen.add((about.st_dev, about.st_ino))
        below[:] = sorted((name for name in below if not name.startswith(".")), key=natural)
        for path in (Path(top, name) for name in sorted(files, key=natural) if not name.startswith(".")):
            if not path.is_file():
                passed_over["links to nothing, pipes and devices"] += 1
            elif path.suffix.lower() in picture_formats():
                yield path
            else:
                passed_over[one_line(path.suffix.lower()) if path.suffix else "without a suffix"] += 1


def _classes(folders: list[tuple[str, ...]]) -> list[str | None] | None:
    """The class of each picture by the folders it is in; None for all where most are not one folder deep, or in one."""
    names = [folder[0] if len(folder) == 1 else None for folder in folders]
    if len({*names} - {None}) < 2 or max(map(len, folders)) > 1 or 2 * names.count(None) >= len(names):
        return None
    return names


def _counts(passed_over: Counter[str]) -> str:
    """What was passed over, the most first."""
    counts = sorted(passed_over.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{n:,} {what}" for what, n in counts if n)


def _brightest_of_16_bits(paths: list[Path]) -> int:
    """The largest value in the pictures of 16 bits, of all of them; 0 where there are none."""
    white = 0
    for path in paths:
        with suppress(Exception), Image.open(path, formats=sorted(set(picture_formats().values()))) as picture:
            if picture.mode.startswith("I"):
                white = max(white, int(np.asarray(picture).max()))
    return white


def _decode(paths: list[Path], size: int, white: int, skip_bad: bool) -> tuple[np.ndarray, list[int], int]:
    """Pixels uint8 [n, 3, size, size] of those that decode, which of the paths they are, and how many are not."""
    pixels, good = np.empty((len(paths), 3, size, size), np.uint8), []
    bar = tqdm(total=len(paths), desc=paths[0].parent.name, unit=" pictures", disable=len(paths) < SHOW_BAR)
    with ThreadPoolExecutor(os.cpu_count()) as pool, bar:
        for start in range(0, len(paths), BLOCK):
            found = pool.map(partial(_picture_or_error, size=size, white=white), paths[start : start + BLOCK])
            for i, picture in enumerate(found, start):
                if isinstance(picture, np.ndarray):
                    pixels[len(good)] = picture.transpose(2, 0, 1)
                    good.append(i)
                elif not skip_bad:
                    raise ValueError(f"{picture}, or {LEAVE_OUT}")
                bar.update()
    return pixels[: len(good)], good, len(paths) - len(good)


def _picture_or_error(path: Path, size: int, white: int) -> np.ndarray | str:
    try:
        return read_picture(path, size, white)
    except ValueError as error:
        return str(error)


def read_picture(file: Path | BinaryIO, size: int, white: int = 0) -> np.ndarray:
    """The central square of a picture, upright: uint8 [size, size, 3]. `white` is the brightest of 16 bits; 0: its own.

    Where it is transparent it stands on white, or on black if what is seen of it is light.
    Raises ValueError, naming it, for what does not decode.
    """
    what = one_line(repr(str(file))[1:-1] if isinstance(file, Path) else file)
    try:
        with Image.open(file, formats=sorted(set(picture_formats().values()))) as opened:  # reads the header only
            if opened.width * opened.height > (Image.MAX_IMAGE_PIXELS or float("inf")):  # PIL bears twice as many
                raise ValueError(f"{opened.width:,} x {opened.height:,} pixels: a decompression bomb, or too large")
            picture = ImageOps.exif_transpose(opened)
            if picture.mode.startswith("I"):  # PIL's convert() clips 16 bits to white
                values = np.asarray(picture).astype(np.float32).clip(0)
                white = white or values.max()
                values *= 255 / (white if 0 < white < 2**12 else 65_535)
                picture = Image.fromarray(np.rint(values).clip(0, 255).astype(np.uint8))
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, _ground(picture)), picture)
            return np.asarray(ImageOps.fit(picture.convert("RGB"), (size, size)))
    except PermissionError as error:
        raise ValueError(f"{what}: cannot be read ({error.strerror}); change its permissions or move it away") from None
    except Exception as error:  # each decoder raises its own
        raise ValueError(f"{what}: does not decode ({one_line(error)}); repair or remove it") from None


def _ground(picture: Image.Image) -> str:
    """What an RGBA picture is seen on: "black" where its ink is light, else "white"."""
    rgba = np.asarray(picture, np.float32)
    seen = rgba[..., 3].sum()
    return "black" if (rgba[..., :3].mean(axis=2) * rgba[..., 3]).sum() > 127.5 * seen else "white"

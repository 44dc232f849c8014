"""Somebody's own images: an .npz or .npy, or a folder of pictures of any size."""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from infogan_core.data.arrays import read_arrays
from infogan_core.data.cache import BLOCK, cached_pixels, on_all_cores
from infogan_core.data.images import ImageSet, at_least_two, fifth_last, natural, one_line
from infogan_core.data.pictures import EIGHT_BITS, STRETCHED, brightest, picture_formats, read_picture

PARTS = {"train": "train", "training": "train", "val": "validation", "valid": "validation"}
PARTS |= {"validation": "validation", "test": "test", "testing": "test"}  # names of folders
ORDER = ("", "train", "validation", "test")
MANY = 1_000  # pictures: they are kept in the cache, and decoded with a bar; of fewer nothing is written


def load_own_images(path: Path, root: Path, size: int, skip_bad: bool = False) -> ImageSet:
    """Somebody's own images. What is in a folder test/ beside train/ is held out, else a fifth, at most 10,000.

    A folder's pictures are cropped to their central square and reduced to size x size; `skip_bad` leaves out those that
    do not decode, and counts them in the name; many are kept in `root`. Folders in it are classes. An .npz or .npy is
    taken as it is. Raises ValueError, naming the file, for what cannot be used.
    """
    if path.is_dir():
        return _read_folder(path, root, size, skip_bad)
    if path.suffix.lower() in (".npz", ".npy"):
        return read_arrays(path)
    raise ValueError(f"{path}: cannot be used; give an .npz or .npy, or a folder with pictures or the official files")


def _read_folder(folder: Path, root: Path, size: int, skip_bad: bool) -> ImageSet:
    """Pictures size x size, grey where every picture is, with labels and parts from the folders that they are in."""
    passed_over: Counter[str] = Counter()
    files = dict(_pictures_in(folder, passed_over))
    if not files:
        found = f"; passed over: {_counts(passed_over)}" if passed_over else ""
        holds = "holds no pictures (.png, .jpg ...) and no official files of the data set"
        raise ValueError(f"{one_line(folder)}: {holds}{found}")
    homes = Counter(map(os.path.dirname, files))
    places = _parts_and_classes(homes, passed_over)
    names = [name for name in files if os.path.dirname(name) in places]

    @cache
    def range_of_set() -> float:
        return _brightest(folder, names)

    def read(name: str) -> np.ndarray:
        return read_picture(os.path.join(folder, name), size, range_of_set()).transpose(2, 0, 1)

    stats = [files[name] for name in names]
    where = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:8]  # many folders are called "train"
    kept_in = root if len(names) >= MANY else None
    cached = cached_pixels(folder, kept_in, names, read, size, stats, skip_bad, where, range_of_set)
    parts, classes = zip(*(places[os.path.dirname(names[i])] for i in cached.kept), strict=True)
    order = np.argsort([ORDER.index(part) for part in parts], kind="stable")
    if not any(parts):
        order = fifth_last(len(parts))[0].numpy()
    pixels, white = cached.take(order), cached.survey
    if all((pixels[i : i + BLOCK] == pixels[i : i + BLOCK, :1]).all() for i in range(0, len(pixels), BLOCK)):
        pixels = pixels[:, :1].copy()  # grey, however it was stored
    called = sorted({*classes} - {""}, key=natural)
    numbers = {name: i for i, name in enumerate(called)}
    labels = np.array([numbers[name] for name in classes])[order] if called else None
    notes = [f"Passed over: {_counts(passed_over)}."] if +passed_over else []
    if 0 < white < STRETCHED:
        notes.append(f"Values of more than 8 bits reach {white:,.6g}; they are stretched to 0 to 255.")
    if not called and len(homes) > 2:
        notes.append("Their folders are no classes: half of the pictures or more are not one folder deep.")
    skips = f", {cached.skipped} bad pictures skipped" if cached.skipped else ""
    name = one_line(f"own images ({len(pixels):,} from {folder.resolve().name}{skips})")
    if untrained := {*classes} - {of for part, of in zip(parts, classes, strict=True) if part in ("", "train")}:
        notes.append(f"No pictures to train on: {', '.join(sorted(map(one_line, untrained), key=natural))}.")
    images = ImageSet(pixels, labels, name, label_names=tuple(map(one_line, called)), notes=tuple(notes))
    return _with_parts(images, Counter(parts), one_line(folder))


def _with_parts(images: ImageSet, n: Counter[str], where: str) -> ImageSet:
    """The pictures of "test" held out, or those of "validation" where there are none; without parts the last fifth.

    The pictures of each part lie side by side, in ORDER; `n` has their numbers.
    """
    if n[""]:
        return images.hold_out_last(fifth_last(len(images))[1])
    at_least_two(n["train"], f"{where}, its folder train")
    ends = np.cumsum([n[part] for part in ORDER])
    spans = {part: slice(end - n[part], end) for part, end in zip(ORDER, ends, strict=True) if n[part]}
    picked = {part: images.pick(span, f"{images.name}, {part}") for part, span in spans.items()}
    held_out = picked.get("test") or picked.get("validation")
    if held_out is None:
        return replace(picked["train"], name=images.name).hold_out_fifth()  # those of the others are bad
    validation = picked.get("validation") if "test" in picked else None
    return replace(picked["train"], name=images.name, held_out=held_out, validation=validation)


def _pictures_in(folder: Path, passed_over: Counter[str]) -> Iterator[tuple[str, tuple[int, int]]]:
    """The pictures below a folder in the order of their names, with their bytes and times.

    Links are followed once, and nothing is opened.
    """
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
        home = os.path.relpath(top, folder).removeprefix(".")
        for name in sorted((name for name in files if not name.startswith(".")), key=natural):
            suffix = os.path.splitext(name)[1].lower()
            try:
                about = os.stat(os.path.join(top, name))
            except OSError:
                about = None
            if about is None or not stat.S_ISREG(about.st_mode):
                passed_over["links to nothing, pipes and devices"] += 1
            elif suffix in picture_formats():
                yield os.path.join(home, name), (about.st_size, about.st_mtime_ns)
            else:
                passed_over[one_line(suffix) if suffix else "without a suffix"] += 1


def _parts_and_classes(homes: Counter[str], passed_over: Counter[str]) -> dict[str, tuple[str, str]]:
    """The part and the class ("": none) of the pictures in each folder; pictures in other folders are left out.

    `homes` has the number of pictures by folder. There are parts where something is beside a folder train, and classes
    where most pictures are one folder deep, in two folders or more. Folders that all pictures are in do not count.
    """
    top = os.path.commonpath(homes)
    below = {home: Path(home).relative_to(top).parts for home in homes}
    parts = {home: PARTS.get(steps[0].lower(), "") if steps else "" for home, steps in below.items()}
    if {"train"} < {*parts.values()} - {""}:
        outside = [home for home in homes if not parts[home]]
        passed_over["pictures outside train, validation and test"] = sum(homes[home] for home in outside)
        below = {home: steps[1:] for home, steps in below.items() if parts[home]}
    else:
        parts = dict.fromkeys(homes, "")
    classes = {home: steps[0] if len(steps) == 1 else "" for home, steps in below.items()}
    strays = sum(homes[home] for home, name in classes.items() if not name)
    if len({*classes.values()} - {""}) < 2 or 2 * strays >= sum(homes[home] for home in classes):
        return {home: (parts[home], "") for home in classes}
    passed_over["pictures outside the folders of the classes"] = strays
    return {home: (parts[home], name) for home, name in classes.items() if name}


def _counts(passed_over: Counter[str]) -> str:
    """What was passed over, the most first."""
    counts = sorted(passed_over.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{n:,} {what}" for what, n in counts if n)


def _brightest(folder: Path, names: list[str]) -> float:
    """The largest value in all the pictures of 16 bits; 0 where there are none."""
    formats = picture_formats()
    paths = [os.path.join(folder, n) for n in names if formats[os.path.splitext(n)[1].lower()] not in EIGHT_BITS]
    bar = f"{one_line(folder.resolve().name)}: range of values" if len(paths) >= MANY else ""
    return max(on_all_cores(brightest, paths, bar), default=0)

"""Somebody's own pictures: a folder of any size and kind."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from infogan_core.data.cache import BLOCK, Pictures, decode, on_all_cores
from infogan_core.data.images import ImageSet, at_least_two, fifth_last, natural
from infogan_core.data.pictures import EIGHT_BITS, STRETCHED, brightest, picture_formats, read_picture
from infogan_core.data.reading import one_line

PARTS = {"train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "test": 2, "testing": 2}  # by folders


def load_own_images(folder: Path, root: Path, size: int, skip_bad: bool = False) -> ImageSet:
    """Pictures size x size, grey where every picture is, with labels and parts from the folders that they are in.

    They are cropped to their central square and reduced; `skip_bad` leaves out those that do not decode, and counts
    them in the name; many are kept in `root`. Folders in a folder are classes. What is in a folder test/ beside train/
    is held out, else a fifth, at most 10,000. Raises ValueError, naming the file, for what cannot be used.
    """
    where = one_line(folder)
    if not folder.is_dir():
        ways = "give an .npz or .npy, or a folder with pictures or the official files"
        raise ValueError(f"{where}: cannot be used; {ways}")
    passed_over: Counter[str] = Counter()
    files = list(_pictures_in(folder, passed_over))
    if not files:
        found = f"; passed over: {_counts(passed_over)}" if passed_over else ""
        holds = "holds no pictures (.png, .jpg ...) and no official files of the data set"
        raise ValueError(f"{where}: {holds}{found}")
    homes = Counter(map(os.path.dirname, files))
    places = _parts_and_classes(homes, passed_over)
    names = [name for name in files if os.path.dirname(name) in places]

    def read(name: str, white: float) -> np.ndarray:
        return read_picture(os.path.join(folder, name), size, white).transpose(2, 0, 1)

    pictures = Pictures(folder, names, read, size, skip_bad, partial(_brightest, folder, names))
    variant = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:8]  # many folders are called "train"
    decoded = decode(pictures, root, variant)
    white, used = decoded.survey, [places[os.path.dirname(names[i])] for i in decoded.used]
    parts, classes = np.array([part for part, _ in used]), [name for _, name in used]
    called = sorted({*classes} - {""}, key=natural)
    notes = [f"Passed over: {_counts(passed_over)}."] if +passed_over else []
    if 0 < white < STRETCHED:
        notes.append(f"Values of more than 8 bits reach {white:,.6g}; they are stretched to 0 to 255.")
    if not called and len(homes) > 2:
        notes.append("Their folders are no classes: half of the pictures or more are not one folder deep.")
    if untrained := {*called} - {name for part, name in used if part == 0}:
        notes.append(f"No pictures to train on: {', '.join(sorted(map(one_line, untrained), key=natural))}.")
    skips = f", {len(decoded.bad)} bad pictures skipped" if decoded.bad else ""
    name = one_line(f"own images ({len(parts):,} from {folder.resolve().name}{skips})")
    at_least_two((parts == 0).sum(), f"{where}, its pictures to train on")
    order, parts = _order(parts)
    pixels = decoded.take(order)
    if all((pixels[i : i + BLOCK] == pixels[i : i + BLOCK, :1]).all() for i in range(0, len(pixels), BLOCK)):
        pixels = pixels[:, :1].copy()  # grey, however it was stored
    number_of = {name: number for number, name in enumerate(called)}
    labels = np.array([number_of[classes[i]] for i in order]) if called else None
    images = ImageSet(pixels, labels, name, label_names=tuple(map(one_line, called)), notes=tuple(notes))
    return images.split(parts)


def _order(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An order in which the pictures of each part lie side by side, and their parts in it.

    Those of the validation are held out where there is no test, and a fifth where there is neither.
    """
    if not parts.any():
        order, n = fifth_last(len(parts))
        return order.numpy(), np.where(np.arange(len(parts)) < len(parts) - n, 0, 2)
    if 2 not in parts:
        parts = parts * 2
    return np.argsort(parts, kind="stable"), np.sort(parts)


def _pictures_in(folder: Path, passed_over: Counter[str]) -> Iterator[str]:
    """The pictures below a folder in the order of their names. Links are followed once, and nothing is opened."""
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
            if not os.path.isfile(os.path.join(top, name)):
                passed_over["links to nothing, pipes and devices"] += 1
            elif suffix in picture_formats():
                yield os.path.join(home, name)
            else:
                passed_over[one_line(suffix) if suffix else "without a suffix"] += 1


def _parts_and_classes(homes: Counter[str], passed_over: Counter[str]) -> dict[str, tuple[int, str]]:
    """The part and the class ("": none) of the pictures in each folder; pictures in other folders are left out.

    `homes` has the number of pictures by folder. There are parts where something is beside a folder train, and classes
    where most pictures are one folder deep, in two folders or more. Folders that all pictures are in do not count.
    """
    top = os.path.commonpath(homes)
    below = {home: Path(home).relative_to(top).parts for home in homes}
    parts = {home: PARTS[steps[0].lower()] for home, steps in below.items() if steps and steps[0].lower() in PARTS}
    if {0} < {*parts.values()}:
        passed_over["pictures outside train, validation and test"] = sum(homes[home] for home in {*homes} - {*parts})
        below = {home: below[home][1:] for home in parts}
    else:
        parts = dict.fromkeys(homes, 0)
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


def _brightest(folder: Path, names: list[str], bar: str) -> float:
    """The largest value in all the pictures of 16 bits; 0 where there are none."""
    formats = picture_formats()
    paths = [os.path.join(folder, n) for n in names if formats[os.path.splitext(n)[1].lower()] not in EIGHT_BITS]
    return max(on_all_cores(brightest, paths, bar and f"{bar}, range of values"), default=0)

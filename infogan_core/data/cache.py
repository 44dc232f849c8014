"""Pictures decoded once on every core and kept as an .npy in `root`, which later starts map into memory."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.lib.format import open_memmap, write_array_header_1_0
from tqdm import tqdm

from infogan_core.data.images import LEAVE_OUT, at_least_two, one_line
from infogan_core.data.pictures import what_is_wrong
from infogan_core.files import new_file, require_space, write_whole

VERSION = 4  # to be raised when the same picture gives other pixels
BLOCK = 1024  # pictures that wait in memory at most: 12 MiB at 64x64


@dataclass(frozen=True)
class Cached:
    """Pixels uint8 [N, 3, S, S], mapped copy-on-write, and what is known of them."""

    pixels: np.ndarray
    kept: np.ndarray  # int64 [N], ascending: which of the names they are
    skipped: int
    first_bad: str  # what was wrong with the first of those skipped
    survey: Any  # what was found in all pictures before one was decoded

    def take(self, order: np.ndarray) -> np.ndarray:
        """All pixels in another order, copied into memory. The file's pages are given back on the way."""
        taken, places = np.empty(self.pixels.shape, np.uint8), np.argsort(order)
        for i in range(0, len(order), BLOCK):
            mapped = isinstance(self.pixels, np.memmap)
            pixels = open_memmap(self.pixels.filename, mode="r") if mapped else self.pixels
            taken[places[i : i + BLOCK]] = pixels[i : i + BLOCK]
        return taken


@dataclass(frozen=True)
class Pictures:
    """Pictures of a zip or folder that are to be decoded to size x size."""

    path: Path
    names: Sequence[str]
    read: Callable[[str], np.ndarray]  # a name's pixels uint8 [3, size, size], or raises with what is wrong
    size: int
    skip_bad: bool
    survey: Callable[[], Any]

    def decode(self, bad: dict[int, str], show_bar: bool = True) -> Iterator[np.ndarray]:
        """The pixels of each that can be used. The others go into `bad`, or raise ValueError; so do too few."""
        bar = f"{one_line(self.path.resolve().name)} to {self.size}x{self.size}" if show_bar else ""
        for i, found in enumerate(on_all_cores(partial(_pixels_or_problem, self.read), self.names, bar)):
            if isinstance(found, np.ndarray):
                yield found
                continue
            bad[i] = f"{one_line(self.path / self.names[i])}: {found}"
            self.refuse(bad[i])
        skipped = f", {len(bad)} bad pictures skipped" if bad else ""
        at_least_two(len(self.names) - len(bad), f"{one_line(self.path)}{skipped}")

    def refuse(self, problem: str) -> None:
        if not self.skip_bad:
            raise ValueError(f"{problem}; repair it, or {LEAVE_OUT}")


def cached_pixels(
    path: Path,
    root: Path | None,
    names: Sequence[str],
    read: Callable[[str], np.ndarray],
    size: int,
    key: object,
    skip_bad: bool,
    variant: str = "",
    survey: Callable[[], Any] = lambda: None,
) -> Cached:
    """The named pictures of a zip or folder, from the cache in `root` or decoded into it; without `root` into memory.

    read(name) gives uint8 [3, size, size], or raises with what is wrong. `key` is what the pixels depend on besides
    names and size, with the bytes and times of the files: when it changes, the old cache of this path and `variant`
    goes. What `survey()` finds before anything is decoded is kept, too; it is plain JSON.
    Of several processes one decodes, and the others wait.
    Raises ValueError, naming it, for a picture that cannot be used, unless `skip_bad`; OSError where the disk is full.
    """
    pictures = Pictures(path, names, read, size, skip_bad, survey)
    if root is None:
        found, bad = survey(), {}
        pixels = np.stack(list(pictures.decode(bad, show_bar=False)))
        return Cached(pixels, _others(len(names), bad), len(bad), next(iter(bad.values()), ""), found)
    digest = hashlib.sha256(repr((VERSION, key, list(names))).encode(errors="surrogateescape")).hexdigest()
    called = path.resolve().name[:60]  # a file's name has 255 bytes at most
    file = root / "_".join(filter(None, (called, str(size), variant))) / f"{digest[:16]}.npy"
    cached = _read(file, len(names)) or _make(file, pictures)
    if cached.skipped:
        pictures.refuse(cached.first_bad)
    return cached


def on_all_cores(f: Callable, items: Sequence, bar: str) -> Iterator:
    """f of each item, in their order, a few of them ahead; with a bar of that name on stderr, "" for none."""
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        tqdm(total=len(items), desc=bar, unit=" pictures", mininterval=0.5, disable=not bar) as progress,
    ):
        for start in range(0, len(items), BLOCK):
            for result in pool.map(f, items[start : start + BLOCK]):
                yield result
                progress.update()


def _pixels_or_problem(read: Callable[[str], np.ndarray], name: str) -> np.ndarray | str:
    try:
        return read(name)
    except Exception as error:  # zipfile, zlib and each decoder raise their own
        return what_is_wrong(error)


def _others(n: int, bad: Sequence[int] | dict[int, str]) -> np.ndarray:
    return np.delete(np.arange(n), list(bad))


def _read(file: Path, n: int) -> Cached | None:
    """What is in the cache file of n pictures; None where it is absent or damaged."""
    try:
        notes = json.loads(file.with_suffix(".json").read_bytes())
        kept, pixels = _others(n, notes["bad"]), open_memmap(file, mode="c")
        cached = Cached(pixels, kept, len(notes["bad"]), notes["first_bad"], notes["survey"])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None
    return cached if pixels.dtype == np.uint8 and len(pixels) == len(kept) else None


def _make(file: Path, pictures: Pictures) -> Cached:
    """The cache file, made by whoever comes first.

    The notes about the pixels are written last: without them there is no cache, wherever the writer was stopped.
    """
    folder, root = file.parents[:2]
    n, size = len(pictures.names), pictures.size
    require_space(root, n * 3 * size * size, "root")
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):  # stays there, empty
        if _read(file, n) is None:  # else the process that had the lock before made it
            for old in folder.glob("*.*"):  # of files that have changed since, or by a process that was killed
                old.unlink()
            bad, header = {}, {"descr": "|u1", "fortran_order": False}
            found = pictures.survey()
            with new_file(file) as out, closing(pictures.decode(bad)) as decoded:
                write_array_header_1_0(out, header | {"shape": (n, 3, size, size)})
                for pixels in decoded:
                    out.write(pixels.tobytes())
                out.seek(0)  # a header has room for any number of pictures
                write_array_header_1_0(out, header | {"shape": (n - len(bad), 3, size, size)})
            first_bad = next(iter(bad.values()), "")[:400]
            notes = {"bad": list(bad), "first_bad": first_bad, "survey": found}
            write_whole(file.with_suffix(".json"), json.dumps(notes).encode())
        return _read(file, n)

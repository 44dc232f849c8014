"""Pictures decoded on every core; many are kept in `root`, from which later starts map them into memory."""

import hashlib
import io
import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from filelock import FileLock
from tqdm import tqdm

from infogan_core.data.images import LEAVE_OUT, at_least_two
from infogan_core.data.pictures import what_is_wrong
from infogan_core.data.reading import one_line
from infogan_core.files import new_file, require_space, write_whole

VERSION = 5  # to be raised when the same picture gives other pixels, or the files have another form
BLOCK = 1024  # pictures that wait in memory at most: 12 MiB at 64x64
MANY = 1_000  # pictures: they are kept, and decoded with a bar; of fewer nothing is written


@dataclass(frozen=True)
class Decoded:
    """Pixels uint8 [n, 3, S, S] of the pictures that can be used, mapped copy-on-write if they are kept in a file."""

    pixels: np.ndarray
    bad: dict[int, str]  # what is wrong with the others, by their place among the names
    survey: Any  # what was found in all pictures before one was decoded

    @property
    def used(self) -> np.ndarray:
        """The places of the usable pictures among the names, ascending."""
        return np.delete(np.arange(len(self.pixels) + len(self.bad)), list(self.bad))

    def take(self, order: np.ndarray) -> np.ndarray:
        """All pixels in another order, copied into memory. A file is mapped anew for each block, to free its pages."""
        taken, places, pixels = np.empty(self.pixels.shape, np.uint8), np.argsort(order), self.pixels
        for i in range(0, len(order), BLOCK):
            if isinstance(self.pixels, np.memmap):
                pixels = np.memmap(self.pixels.filename, np.uint8, "r", shape=self.pixels.shape)
            taken[places[i : i + BLOCK]] = pixels[i : i + BLOCK]
        return taken


@dataclass(frozen=True)
class Pictures:
    """Pictures of a zip or folder that are to be decoded to size x size."""

    path: Path
    names: Sequence[str]
    read: Callable[[str, Any], np.ndarray]  # name, survey -> uint8 [3, size, size], or raises with what is wrong
    size: int
    skip_bad: bool
    survey: Callable[[str], Any] = lambda bar: None  # plain JSON: what is found in all of them before one is decoded

    def write_pixels(self, out: BinaryIO, bar: str = "") -> tuple[dict[int, str], Any]:
        """Write the pixels of those that can be used. Returns what is wrong with the others, and the survey."""
        survey, bad = self.survey(bar), {}
        with closing(on_all_cores(partial(self._pixels_or_problem, survey), self.names, bar)) as results:
            for i, result in enumerate(results):
                if isinstance(result, np.ndarray):
                    out.write(result.tobytes())
                else:
                    bad[i] = f"{one_line(self.path / self.names[i])}: {result}"
                    self.refuse(bad)
        skipped = f", {len(bad)} bad pictures skipped" if bad else ""
        at_least_two(len(self.names) - len(bad), f"{one_line(self.path)}{skipped}")
        return bad, survey

    def _pixels_or_problem(self, survey: Any, name: str) -> np.ndarray | str:
        try:
            return self.read(name, survey)
        except Exception as error:  # zipfile, zlib and each decoder raise their own
            return what_is_wrong(error)

    def refuse(self, bad: dict[int, str]) -> None:
        if bad and not self.skip_bad:
            raise ValueError(f"{next(iter(bad.values()))}; repair it, or {LEAVE_OUT}")


def decode(pictures: Pictures, root: Path, variant: str) -> Decoded:
    """The pictures, from the cache in `root` or decoded into it, if they are MANY. Of several processes one decodes.

    `variant` is what the pixels depend on besides files and size. When a file changes, or its name, the old cache of
    this path, size and variant is deleted.
    Raises ValueError, naming it, for a picture that cannot be used, unless `skip_bad`; OSError where the disk is full.
    """
    n, size = len(pictures.names), pictures.size
    if n < MANY:
        out = io.BytesIO()
        bad, survey = pictures.write_pixels(out)
        return Decoded(np.frombuffer(out.getbuffer(), np.uint8).reshape(-1, 3, size, size), bad, survey)
    files = [pictures.path / name for name in pictures.names] if pictures.path.is_dir() else [pictures.path]
    key = VERSION, list(pictures.names), list(map(_stamp, files))
    digest = hashlib.sha256(repr(key).encode(errors="surrogateescape")).hexdigest()
    called = pictures.path.resolve().name
    file = root / f"{called[:60]}_{size}_{variant}" / f"{digest[:16]}.pixels"  # a name has 255 bytes at most
    found = _read(file, n, size)
    if found is None:
        require_space(root, n * 3 * size * size, "root")
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_name("lock")):  # stays there, empty
            found = _read(file, n, size)  # by the process that had the lock before
            if found is None:
                for old in file.parent.glob("*.*"):  # of files that have changed, or by a process that was killed
                    old.unlink()
                with new_file(file) as out:
                    notes = pictures.write_pixels(out, f"{one_line(called)} to {size}x{size}")
                write_whole(file.with_suffix(".json"), json.dumps(notes).encode())  # without it there is no cache
                found = _read(file, n, size)
    pictures.refuse(found.bad)
    return found


def _stamp(file: Path) -> tuple[int, int] | None:
    """A file's bytes and time; None for a link to nothing."""
    with suppress(OSError):
        about = os.stat(file)
        return about.st_size, about.st_mtime_ns


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


def _read(file: Path, n: int, size: int) -> Decoded | None:
    """What is in the cache file of n pictures; None where it is absent or damaged."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        bad, survey = json.loads(file.with_suffix(".json").read_bytes())
        bad, shape = {int(i): str(problem) for i, problem in bad.items()}, (n - len(bad), 3, size, size)
        if file.stat().st_size == math.prod(shape):
            return Decoded(np.memmap(file, np.uint8, "c", shape=shape), bad, survey)

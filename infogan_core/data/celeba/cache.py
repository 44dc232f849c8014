"""CelebA's pictures as one file of uint8: made on every core, whole or not at all, mapped into memory afterwards."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import UnidentifiedImageError

from infogan_core.data.celeba.album import Album, shrink
from infogan_core.data.images import at_least_two, one_line
from infogan_core.files import require_space

LEAVE_OUT = "leave such out with skip_bad=True (make: SKIP_BAD=True; a command: --skip-bad)"
HEADER = 4096  # bytes of JSON before the pixels
CHUNK = 256  # pictures per job: many enough that threads seldom meet, and under 4 MiB


@dataclass(frozen=True)
class Faces:
    """What a cache file holds: `pixels` uint8 [N, 3, S, S] mapped copy-on-write, `numbers` int32 [N], ascending."""

    pixels: np.ndarray
    numbers: np.ndarray
    skipped: int
    first_bad: str  # what was wrong with the first of those skipped


def cache_key(path: Path, box: tuple[int, int, int, int], size: int) -> dict[str, Any]:
    """What the pixels depend on: box, size and name; bytes and time of the zip, or of each file in the folder."""
    about, key = path.stat(), {"version": 2, "source": path.name, "box": list(box), "size": size}
    if path.is_dir():
        stats = sorted(
            (entry.name, (of := entry.stat(follow_symlinks=False)).st_size, of.st_mtime_ns)
            for entry in os.scandir(path)
        )
        return key | {"listing": hashlib.sha256(repr(stats).encode(errors="surrogateescape")).hexdigest()}
    return key | {"mtime": about.st_mtime_ns, "bytes": about.st_size}


def read_cache(file: Path, key: dict[str, Any]) -> Faces | None:
    """The faces in a cache file; None where it is absent, cut short, or made from something else."""
    try:
        with open(file, "rb") as opened:
            header = json.loads(opened.read(HEADER))
        n, form = header["n"], (3, header["key"]["size"], header["key"]["size"])
        per_face = form[1] * form[2] * 3
        if header["key"] != key or file.stat().st_size != HEADER + n * (per_face + 4):
            return None
        pixels = np.memmap(file, np.uint8, "c", HEADER, (n, *form))
        numbers = np.fromfile(file, "<i4", offset=HEADER + n * per_face)
        return Faces(pixels, numbers, header["skipped"], header["first_bad"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def write_cache(file: Path, key: dict[str, Any], album: Album, skip_bad: bool) -> None:
    """Decode, crop and reduce every picture of the album into a cache file, with a progress bar on stderr.

    Raises ValueError, naming it, for a picture that cannot be used, unless `skip_bad`; OSError where the disk is full.
    """
    from tqdm import tqdm

    problems = [f"{one_line(name)} is not named like 000001.jpg, or is there twice" for name in album.strays]
    numbers, kept, size = list(album.names), [], key["size"]
    require_space(file.parent, HEADER + len(numbers) * (3 * size * size + 4), "root")
    workers = os.cpu_count() or 1
    with (
        _whole_file(file) as out,
        ThreadPoolExecutor(workers) as pool,
        tqdm(total=len(numbers), desc=f"{album.path.name} to {size}x{size}", unit=" faces", mininterval=0.5) as bar,
    ):
        out.write(bytes(HEADER))
        for done, pixels, bad in _in_order(pool, 2 * workers, album, numbers, tuple(key["box"]), size):
            problems += bad
            if problems and not skip_bad:
                raise ValueError(f"{album.path}: {problems[0]}; repair it, or {LEAVE_OUT}")
            kept += done
            out.write(pixels)
            bar.update(len(done) + len(bad))
        at_least_two(len(kept), f"{album.path}, {len(problems)} bad pictures skipped")
        out.write(np.array(kept, "<i4"))
        first = problems[0][:200] if problems else ""
        header = {"key": key, "n": len(kept), "skipped": len(problems), "first_bad": first}
        out.seek(0)
        out.write(json.dumps(header).encode().ljust(HEADER))


def _in_order(
    pool: ThreadPoolExecutor, ahead: int, album: Album, numbers: list[int], box: tuple[int, int, int, int], size: int
) -> Iterator[tuple[list[int], np.ndarray, list[str]]]:
    """_shrink_chunk's results in the order of the numbers; at most `ahead` chunks wait in memory."""
    jobs: deque = deque()
    for start in range(0, len(numbers), CHUNK):
        jobs.append(pool.submit(_shrink_chunk, album, numbers[start : start + CHUNK], box, size))
        if len(jobs) > ahead:
            yield jobs.popleft().result()
    while jobs:
        yield jobs.popleft().result()


def _shrink_chunk(
    album: Album, numbers: list[int], box: tuple[int, int, int, int], size: int
) -> tuple[list[int], np.ndarray, list[str]]:
    """(the numbers that could be used, uint8 [N, 3, size, size], what is wrong with each of the others)."""
    pixels, good, bad = np.empty((len(numbers), 3, size, size), np.uint8), [], []
    for number in numbers:
        try:
            pixels[len(good)] = shrink(album.open(number), box, size)
            good.append(number)
        except UnidentifiedImageError:  # its own words are an address in memory
            bad.append(f"{album.names[number]} cannot be used (no JPEG)")
        except Exception as error:  # zipfile, zlib and each decoder raise their own
            bad.append(f"{album.names[number]} cannot be used ({one_line(error)})")
    return good, pixels[: len(good)], bad


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """A new file, renamed to `path` once it is whole and on the disk. After an error nothing of it is left."""
    created = not path.parent.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    for other in path.parent.glob(f".{path.name}.*.tmp"):
        with suppress(OSError), open(other, "rb") as left:  # by a process that was killed, unless its writer holds it
            fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            other.unlink()
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(beside, "wb") as file:
            with suppress(OSError):  # a disk that knows no locks
                fcntl.flock(file, fcntl.LOCK_EX)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if created:
            with suppress(OSError):
                path.parent.rmdir()
        if isinstance(error, OSError):
            raise OSError(error.errno, f"{error.strerror}; nothing was written", str(path)) from None
        raise

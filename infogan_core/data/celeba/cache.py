"""CelebA's pictures, reduced once on every core and kept as an .npy in `root`, which later starts map into memory."""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.lib.format import open_memmap, write_array_header_1_0
from PIL import UnidentifiedImageError
from tqdm import tqdm

from infogan_core.data.celeba.album import Album, Box, shrink
from infogan_core.data.images import LEAVE_OUT, at_least_two, one_line
from infogan_core.files import new_file, require_space, write_whole

VERSION = 3  # to be raised when the same picture gives other pixels
BLOCK = 1024  # pictures that wait in memory at most: 12 MiB at 64x64


@dataclass(frozen=True)
class Faces:
    """What the cache holds: `pixels` uint8 [N, 3, S, S] mapped copy-on-write, `numbers` int32 [N], ascending."""

    pixels: np.ndarray
    numbers: np.ndarray
    skipped: int
    first_bad: str  # what was wrong with the first of those skipped


def cache_file(path: Path, root: Path, box: Box, size: int) -> Path:
    """Where the pixels of a zip or folder are kept; its name changes with the bytes and times of the files."""
    files = os.scandir(path) if path.is_dir() else [path.resolve()]
    stats = [(file.name, file.stat(follow_symlinks=False)) for file in files]
    key = VERSION, sorted((name, of.st_size, of.st_mtime_ns) for name, of in stats)
    digest = hashlib.sha256(repr(key).encode(errors="surrogateescape")).hexdigest()
    return root / f"{path.name}_{size}_{'_'.join(map(str, box))}" / f"{digest[:16]}.npy"


def read_cache(file: Path) -> Faces | None:
    """The faces in a cache file; None where it is absent or damaged."""
    try:
        notes = json.loads(file.with_suffix(".json").read_bytes())
        numbers, pixels = np.array(notes["numbers"], np.int32), open_memmap(file, mode="c")
        faces = Faces(pixels, numbers, notes["skipped"], notes["first_bad"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return faces if pixels.dtype == np.uint8 and len(pixels) == len(numbers) else None


def write_cache(file: Path, album: Album, box: Box, size: int, skip_bad: bool) -> Faces:
    """Decode, crop and reduce every picture of the album into a cache file, with a progress bar on stderr.

    Of several processes one does this, and the others wait. The notes about the pixels are written last: without them
    there is no cache, wherever the writer was stopped.
    Raises ValueError, naming it, for a picture that cannot be used, unless `skip_bad`; OSError where the disk is full.
    """
    folder, root = file.parents[:2]
    require_space(root, len(album.names) * 3 * size * size, "root")
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):  # stays there, empty
        if read_cache(file) is None:  # else the process that had the lock before made it
            for old in folder.glob("*.*"):  # of a zip that has changed since, or by a process that was killed
                old.unlink()
            _write(file, album, box, size, skip_bad)
        return read_cache(file)


def _write(file: Path, album: Album, box: Box, size: int, skip_bad: bool) -> None:
    """The .npy, and then its notes."""

    def note(problem: str) -> None:
        if not skip_bad:
            raise ValueError(f"{album.path}: {problem}; repair it, or {LEAVE_OUT}")
        problems.append(problem)

    problems, kept, numbers = [], [], list(album.names)
    for name in album.strays:
        note(f"{one_line(name)} is not named like 000001.jpg, or is there twice")
    with (
        new_file(file) as out,
        ThreadPoolExecutor(os.cpu_count()) as pool,
        tqdm(total=len(numbers), desc=f"{album.path.name} to {size}x{size}", unit=" faces", mininterval=0.5) as bar,
    ):
        header = {"descr": "|u1", "fortran_order": False}
        write_array_header_1_0(out, header | {"shape": (len(numbers), 3, size, size)})
        for start in range(0, len(numbers), BLOCK):
            block = numbers[start : start + BLOCK]
            for number, face in zip(block, pool.map(partial(_face, album, box, size), block), strict=True):
                if isinstance(face, str):
                    note(face)
                else:
                    out.write(face)
                    kept.append(number)
                bar.update()
        at_least_two(len(kept), f"{album.path}, {len(problems)} bad pictures skipped")
        out.seek(0)  # a header has room for any number of pictures
        write_array_header_1_0(out, header | {"shape": (len(kept), 3, size, size)})
    notes = {"numbers": kept, "skipped": len(problems), "first_bad": problems[0][:200] if problems else ""}
    write_whole(file.with_suffix(".json"), json.dumps(notes).encode())


def _face(album: Album, box: Box, size: int, number: int) -> bytes | str:
    """A picture's pixels [3, size, size], or what is wrong with it."""
    try:
        return shrink(album.open(number), box, size).tobytes()
    except UnidentifiedImageError:  # its own words are an address in memory
        why = "no JPEG"
    except Exception as error:  # zipfile, zlib and each decoder raise their own
        why = one_line(error)
    return f"{album.names[number]} cannot be used ({why})"

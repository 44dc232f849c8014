"""CelebA's list_attr_celeba.txt: 40 attributes of every picture, by file name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infogan_core.data.images import LEAVE_OUT


@dataclass(frozen=True)
class Attributes:
    """An attribute file: `numbers` int64 [N] of its pictures, ascending, `values` uint8 [N, A] of 0 and 1, `names`."""

    path: Path
    numbers: np.ndarray
    values: np.ndarray
    names: tuple[str, ...]


def find_list(path: Path) -> Path | None:
    """The attribute file beside a zip or folder; of several the one whose name ends as the zip's does."""
    outer = path.parent.parent if path.parent.name == path.name else path.parent
    files = sorted(outer.glob("list_attr_celeba*.txt"))
    end = path.stem.removeprefix("img_align_celeba")
    files = [file for file in files if file.stem == f"list_attr_celeba{end}"] or files
    if len(files) > 1:
        raise ValueError(f"{outer}: holds {' and '.join(file.name for file in files)}, keep the one for {path.name}")
    return files[0] if files else None


def read_list(path: Path) -> Attributes:
    """The official format: a line with the number of rows, one with the names, rows "000001.jpg -1 1 ...".

    Raises ValueError, naming the file and the line.
    """
    data = path.read_bytes().rstrip()
    try:
        n, names = int(data.split(b"\n", 1)[0]), tuple(data.split(b"\n", 2)[1].decode().split())
    except (ValueError, IndexError):
        raise ValueError(f"{path}: line 1 must be the number of rows, line 2 the names of the attributes") from None
    form = re.compile(rb"([0-9]{6})\.jpg([01]{%d})" % len(names))
    short = data.replace(b"-1", b"0").translate(None, b" \t\r")  # all at once: three times as fast for 202,599 rows
    numbers, rows = [], []
    for i, line in enumerate(short.split(b"\n")[2:], start=3):
        row = form.fullmatch(line)
        if row is None:
            raise ValueError(f"{path}: line {i} must be a name like 000001.jpg and {len(names)} times 1 or -1")
        numbers.append(int(row[1]))
        rows.append(row[2])
    if len(rows) != n or not names:
        raise ValueError(f"{path}: line 1 says {n:,} rows, found {len(rows):,} of {len(names)} values; copy it again")
    numbers, order = np.unique(np.array(numbers), return_index=True)
    if len(numbers) != n:
        raise ValueError(f"{path}: lists {n - len(numbers):,} pictures twice; copy it again")
    values = np.frombuffer(b"".join(rows), np.uint8).reshape(n, len(names))[order] - ord("0")
    return Attributes(path, numbers, values, names)


def check_listed(listed: Attributes, path: Path, numbers: np.ndarray, strays: tuple[str, ...], skip_bad: bool) -> None:
    """Raise ValueError where the zip or folder at `path` has pictures that are not listed, or lacks some that are.

    `skip_bad` allows both, but not that most are not listed: the list is then another's.
    """
    known, missing = np.isin(numbers, listed.numbers), np.setdiff1d(listed.numbers, numbers)
    if not known.all() and not (skip_bad and 2 * known.sum() > len(numbers)):
        ways = "give the file that belongs to them, or remove it" + f", or {LEAVE_OUT}" * (not skip_bad)
        raise ValueError(
            f"{listed.path}: does not match {path}, it lacks {(~known).sum():,} of its {len(numbers):,} pictures, "
            f"{numbers[~known][0]:06d}.jpg first; {ways}"
        )
    if len(missing) and not skip_bad:
        instead = f" (there is {strays[0]})" if strays else ""
        raise ValueError(
            f"{path}: lacks {len(missing):,} of the {len(listed.numbers):,} pictures in {listed.path.name}, "
            f"{missing[0]:06d}.jpg first{instead}; add them, or {LEAVE_OUT}"
        )

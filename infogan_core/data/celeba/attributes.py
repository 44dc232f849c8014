"""CelebA's list_attr_celeba.txt: 40 attributes of every picture, by file name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infogan_core.data.celeba.album import NAMED
from infogan_core.data.images import LEAVE_OUT, one_line


@dataclass(frozen=True)
class Attributes:
    """An attribute file: `numbers` int64 [N] of its pictures, ascending, `values` bool [N, A], `names`."""

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

    Raises ValueError, naming the file.
    """
    import pandas as pd  # slow to import

    form = "line 1 must be the number of rows, line 2 the names, and a row a name like 000001.jpg and as many 1 and -1"
    try:
        n = int(path.read_bytes().split(b"\n", 1)[0])
        table = pd.read_csv(path, sep=r"\s+", skiprows=1)  # the file names, without a heading, become the index
        numbers = np.array([int(NAMED.fullmatch(name)[1]) for name in table.index])
        values = table.to_numpy(np.float32)
    except Exception as error:  # pandas raises its own
        raise ValueError(f"{path}: {form}; copy it again ({one_line(error)})") from None
    if len(table) != n or not values.size or not (np.abs(values) == 1).all() or not table.index.is_unique:
        raise ValueError(f"{path}: {form}, found {len(table):,} rows and {n:,} in line 1; copy it again")
    order = numbers.argsort()
    return Attributes(path, numbers[order], values[order] > 0, tuple(table.columns))


def check_listed(listed: Attributes, path: Path, numbers: np.ndarray, strays: tuple[str, ...], skip_bad: bool) -> None:
    """Raise ValueError where the zip or folder at `path` has pictures that are not listed, or lacks some that are.

    `skip_bad` allows both, but not that most are not listed: the list is then another's.
    """
    extra, missing = np.setdiff1d(numbers, listed.numbers), np.setdiff1d(listed.numbers, numbers)
    if len(extra) and not (skip_bad and 2 * len(extra) < len(numbers)):
        problem = f"{len(extra):,} of its {len(numbers):,} pictures are not in {listed.path.name}, {extra[0]:06d}.jpg"
    elif len(missing) and not skip_bad:
        problem = f"lacks {len(missing):,} pictures of {listed.path.name}, {missing[0]:06d}.jpg"
    else:
        return
    instead = f" (there is {strays[0]})" if strays else ""
    ways = "give both as they belong together" + f", or {LEAVE_OUT}" * (not skip_bad)
    raise ValueError(f"{path}: {problem} first{instead}; {ways}")

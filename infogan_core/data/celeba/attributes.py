"""CelebA's list_attr_celeba.txt: 40 attributes of every picture, by file name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from infogan_core.data.celeba.album import NAMED
from infogan_core.data.images import LEAVE_OUT, one_line

if TYPE_CHECKING:
    import pandas as pd  # slow to import

LIST = "list_attr_celeba.txt"


def find_list(path: Path) -> Path | None:
    """The attribute file beside a zip or folder: the one whose name ends as the zip's does, or the official one."""
    outer = path.parent.parent if path.parent.name == path.name else path.parent
    own = outer / f"list_attr_celeba{path.stem.removeprefix('img_align_celeba')}.txt"
    return next((file for file in (own, outer / LIST) if file.is_file()), None)


def read_list(path: Path) -> pd.DataFrame:
    """The official format: a line with the number of rows, one with the names, rows "000001.jpg -1 1 ...".

    A table of bools by the pictures' numbers, ascending, its index called after the file.
    """
    import pandas as pd

    try:
        with path.open() as file:
            n = int(file.readline())
        table = pd.read_csv(path, sep=r"\s+", skiprows=1)  # the file names, without a heading, become the index
        table.index = pd.Index([int(NAMED.fullmatch(name)[1]) for name in table.index], name=path.name)
        if len(table) != n or not table.size or not table.isin((-1, 1)).all(axis=None) or not table.index.is_unique:
            raise ValueError(f"found {len(table):,} rows and {n:,} in line 1")
    except Exception as error:  # pandas raises its own
        form = "line 1 must be the number of rows, line 2 the names, a row a name like 000001.jpg and as many 1 and -1"
        raise ValueError(f"{path}: {form}; copy it again ({one_line(error)})") from None
    return (table > 0).sort_index()


def check_listed(listed: pd.DataFrame, path: Path, numbers: np.ndarray, skip_bad: bool) -> None:
    """Raise ValueError where the zip or folder at `path` has pictures that are not listed, or lacks some that are.

    `skip_bad` allows both, but not that most are not listed: the list is then another's.
    """
    file, known = listed.index.name, listed.index.to_numpy()
    extra, missing = np.setdiff1d(numbers, known), np.setdiff1d(known, numbers)
    if len(extra) and not (skip_bad and 2 * len(extra) < len(numbers)):
        problem = f"{len(extra):,} of its {len(numbers):,} pictures are not in {file}, {extra[0]:06d}.jpg first"
    elif len(missing) and not skip_bad:
        problem = f"lacks {len(missing):,} pictures of {file}, {missing[0]:06d}.jpg first"
    else:
        return
    raise ValueError(f"{path}: {problem}; give both as they belong together" + f", or {LEAVE_OUT}" * (not skip_bad))

"""CelebA's lists of all pictures, by file name: their 40 attributes, and the official partition."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from infogan_core.data.celeba.album import NAMED, Album
from infogan_core.data.images import LEAVE_OUT, one_line

if TYPE_CHECKING:
    import pandas as pd  # slow to import

ATTRIBUTES, PARTITION = "list_attr_celeba", "list_eval_partition"  # the lists, each .txt or .csv
VALUES = {ATTRIBUTES: (-1, 0, 1), PARTITION: (0, 1, 2)}  # of the partition: training, validation, test
PLACES = ("", "..", "../Anno", "../Eval", "../..", "../../Anno", "../../Eval", "../../../Anno", "../../../Eval")
MOST_BYTES = 64 << 20  # the official attributes have 26 MB


def find_list(path: Path, kind: str) -> Path | None:
    """The nearest list to a zip or folder of pictures: first the one whose name ends as theirs does."""
    ends = [own + suffix for own in (path.stem.removeprefix("img_align_celeba"), "") for suffix in (".txt", ".csv")]
    files = (Path(os.path.abspath(path / place / f"{kind}{end}")) for place in PLACES for end in ends)
    return next(filter(os.path.isfile, files), None)


def read_list(album: Album, kind: str) -> pd.DataFrame | None:
    """The list in the album's zip or near it: whole numbers by the pictures' numbers, ascending, called after its file.

    Comma-separated or not; the first lines may be the number of rows, the names of the columns, both or neither.
    Raises ValueError for another form.
    """
    import pandas as pd

    entry = next((album.lists[name] for name in (f"{kind}.txt", f"{kind}.csv") if name in album.lists), None)
    if (entry := entry or find_list(album.path, kind)) is None:
        return None
    try:
        data = album.read(entry, MOST_BYTES)
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig").replace(",", " ")
        rows, header = re.match(r"[ \t]*(\d+)[ \t\r]*\n", text), None if NAMED.match(text) else 0
        table = pd.read_csv(io.BytesIO(text.encode()), sep=r"\s+", skiprows=int(rows is not None), header=header)
        if isinstance(table.index, pd.RangeIndex):  # else the file names, without a heading, are the index already
            table = table.set_index(table.columns[0])
        named = [NAMED.fullmatch(str(name)) for name in table.index.tolist()]
        if None in named:
            raise ValueError(f"{str(table.index[named.index(None)])[:40]} is no such name")
        table.index = pd.Index([int(name[1]) for name in named], name=os.path.basename(entry))
        fits = table.size and table.isin(VALUES[kind]).all(axis=None) and table.index.is_unique
        if not fits or len(data) == MOST_BYTES or (rows and len(table) != int(rows[1])):
            raise ValueError(f"found {len(table):,} rows" + (f" and {rows[1]} in line 1" if rows else ""))
    except Exception as error:  # pandas, zipfile and zlib raise their own
        values = ", ".join(map(str, VALUES[kind]))
        form = f"a row must be a name like 000001.jpg, there once, and for each heading one of {values}"
        raise ValueError(f"{album.path / entry}: {form}; copy it again ({one_line(error)})") from None
    return table.astype(np.int8).sort_index()


def check_listed(listed: pd.DataFrame, path: Path, numbers: np.ndarray, skip_bad: bool, may_lack: bool) -> None:
    """Raise ValueError where the zip or folder at `path` has pictures that are not listed, or lacks some that are.

    `skip_bad` allows both, but not that most are not listed: the list is then another's. `may_lack` allows the second.
    """
    file, known = listed.index.name, listed.index.to_numpy()
    extra, missing = np.setdiff1d(numbers, known), np.setdiff1d(known, numbers)
    if len(extra) and not (skip_bad and 2 * len(extra) < len(numbers)):
        problem = f"{len(extra):,} of its {len(numbers):,} pictures are not in {file}, {extra[0]:06d}.jpg first"
    elif len(missing) and not (skip_bad or may_lack):
        problem = f"lacks {len(missing):,} pictures of {file}, {missing[0]:06d}.jpg first"
    else:
        return
    raise ValueError(f"{path}: {problem}; give both as they belong together" + f", or {LEAVE_OUT}" * (not skip_bad))

"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: str | Path, data: bytes) -> None:
    """Write beside it, fsync, rename: after a crash or a full disk the file is the old one or the new one, never half.

    Raises OSError, naming the file; the old file stays.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.tmp")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        folder = os.open(path.parent, os.O_RDONLY)  # the rename itself must reach the disk, too
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OSError(error.errno, f"{error.strerror}; the old file, if any, is untouched", str(path)) from None
    except BaseException:
        beside.unlink(missing_ok=True)
        raise

"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PUBLISHED = PROJECT / "outputs" / "published"


def require_space(path: Path, n_bytes: int, what: str) -> None:
    """Raise OSError, before anything is written, if `path` cannot be made or has no room; `what` says whose it is."""
    home = next(p for p in (path, *path.absolute().parents) if p.exists())
    if not home.is_dir():
        raise NotADirectoryError(f"{what}={str(path)!r}: {home} is a file, not a directory; choose another {what}")
    if not os.access(home, os.W_OK | os.X_OK):
        raise PermissionError(f"{what}={str(path)!r}: {home} is not writable; choose another {what}")
    if (free := shutil.disk_usage(home).free) < n_bytes:
        need = f"{free >> 20} MiB free, {n_bytes >> 20} MiB needed"
        raise OSError(f"{what}={str(path)!r}: {need}; make room or choose another {what}")


@contextlib.contextmanager
def removed_on_failure(*folders: Path) -> Iterator[None]:
    """Where what is done within fails, remove those folders, innermost first, that it made and left empty."""
    made = [folder for folder in folders if not folder.exists()]
    try:
        yield
    except BaseException:
        for folder in made:
            with contextlib.suppress(OSError):  # not empty: what has arrived serves the next try
                folder.rmdir()
        raise


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

"""Files that appear whole or not at all."""

import contextlib
import fcntl
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PROJECT = Path(__file__).resolve().parents[1]
PUBLISHED = PROJECT / "outputs" / "published"


def require_space(path: Path, n_bytes: int, what: str) -> None:
    """Raise OSError if `path` cannot be made there or has no room for n_bytes; `what` is its parameter."""
    home = next(p for p in (path, *path.absolute().parents) if p.exists())
    if not home.is_dir():
        raise NotADirectoryError(f"{what}={str(path)!r}: {home} is a file, not a directory; choose another {what}")
    if not os.access(home, os.W_OK | os.X_OK):
        raise PermissionError(f"{what}={str(path)!r}: {home} is not writable; choose another {what}")
    if (free := shutil.disk_usage(home).free) < n_bytes:
        need = f"{free >> 20} MiB free, {n_bytes >> 20} MiB needed"
        raise OSError(f"{what}={str(path)!r}: {need}; make room or choose another {what}")


@contextlib.contextmanager
def new_file(path: str | Path) -> Iterator[BinaryIO]:
    """A file to write, which appears at `path` when the block ends: after a crash `path` is the old file or the new.

    It is written beside `path`, under a name that no other process uses, and removed where the block fails.
    Raises OSError, naming the file; the old file stays.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with open(beside, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException as error:  # Ctrl-C, too
        with contextlib.suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError):
            what = error.strerror or error
            raise OSError(error.errno, f"{what}; the old file, if any, is untouched", str(path)) from None
        raise


def write_whole(path: str | Path, data: bytes) -> None:
    with new_file(path) as file:
        file.write(data)


@contextlib.contextmanager
def only_process_in(folder: Path) -> Iterator[None]:
    """For the time of the block no other process may work in the folder. Raises OSError where one does."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)  # goes with the process, also after kill -9
        except BlockingIOError:
            raise OSError(f"{folder} is in use by another process: wait for it, or choose another out") from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(opened)

"""Files that appear whole or not at all, and that say so when they were changed since."""

import contextlib
import errno
import hashlib
import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

PROJECT = Path(__file__).resolve().parents[1]
PUBLISHED = PROJECT / "outputs" / "published"
NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}  # what a file system without locks says
SUMS = "SHA256SUMS"  # of the files beside it, as `sha256sum -c` reads it


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
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:16]}.tmp")  # hosts may share the folder
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


def write_summed(path: Path, data: bytes) -> None:
    """write_whole, with the file's checksum in SUMS beside it.

    SUMS names the new file before that appears, and keeps the old one in a comment. So at every moment, also after
    kill -9, the file that is there is one of the two. Processes that write into one folder wait for each other.
    """
    with only_process_in(path.parent, "write", wait=60):
        sums = {name: digests for name, digests in _read_sums(path.parent).items() if (path.parent / name).is_file()}
        sums[path.name] = [hashlib.sha256(data).hexdigest()]
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as old:
            sums[path.name] += {hashlib.file_digest(old, "sha256").hexdigest()} - {*sums[path.name]}
        lines = [f"{'# ' * (i > 0)}{digest}  {name}" for name, of in sums.items() for i, digest in enumerate(of)]
        write_whole(path.parent / SUMS, _headed("\n".join(lines).encode() + b"\n"))
        write_whole(path, data)


def check_sums(folder: Path) -> None:
    """Raise ValueError, naming it, for a file that is not as SUMS says; it need not be there, nor be in SUMS."""
    for name in _read_sums(folder):
        with contextlib.suppress(FileNotFoundError):
            _check_sum(folder, name)


def _check_sum(folder: Path, name: str) -> None:
    with open(folder / name, "rb") as file:
        expected = _read_sums(folder).get(name)  # after open: the checksum is written before its file
        if expected and hashlib.file_digest(file, "sha256").hexdigest() not in expected:
            if not os.path.samestat(os.fstat(file.fileno()), os.stat(folder / name)):
                return _check_sum(folder, name)  # another process has written a newer one
            what = f"{folder / name} was damaged or changed since it was written: restore it"
            raise ValueError(f"{what}, or, if the change is yours, delete {folder / SUMS}")


def _read_sums(folder: Path) -> dict[str, list[str]]:
    """Per name in SUMS its checksums, the new one first; nothing where there is no SUMS."""
    sums: dict[str, list[str]] = {}
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        content = (folder / SUMS).read_bytes()
        lines = content.partition(b"\n")[2]
        if content != _headed(lines):
            raise ValueError(f"{folder / SUMS} was damaged or changed since it was written: delete it to load the run")
        for line in lines.decode().splitlines():
            digest, name = line.removeprefix("# ").split("  ", 1)
            sums.setdefault(name, []).append(digest)
    return sums


def _headed(lines: bytes) -> bytes:
    """The contents of SUMS: its own checksum, then a line per file."""
    return f"# {hashlib.sha256(lines).hexdigest()} of the lines below\n".encode() + lines


class InUse(OSError):
    """Another process works in a folder."""


@contextlib.contextmanager
def only_process_in(folder: Path, work: str, wait: float = 0.2) -> Iterator[None]:
    """For the time of the block no other process does this work in the folder; one that is killed counts no more.

    Raises InUse, naming the process, where one does for longer than `wait` seconds. 0.2 let a holder write its name, or
    leave.
    """
    file = folder / f".{work}.lock"

    def write_holder(opened: int) -> None:
        start = time.strftime("%Y-%m-%d %H:%M:%S")
        os.truncate(opened, 0)  # what a killed process left
        with contextlib.suppress(OSError):  # no space: the file that has none is named later
            os.write(opened, f"host {socket.gethostname()}, process {os.getpid()}, since {start}".encode())

    lock = FileLock(file, timeout=wait, on_acquired=write_holder)
    try:
        lock.acquire()
    except Timeout:
        holder = file.read_text(errors="replace") if file.exists() else "it has just ended"
        raise InUse(f"{folder} is in use by another {work} ({holder}): wait for it, or choose another out") from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink()  # before the release: then it is nobody else's
        lock.release()

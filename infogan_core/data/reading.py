"""Files and hosts that fail: one line that says what failed, and what to do instead."""

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path


def one_line(error: object) -> str:
    """The words of an error, or a file's name, in one line of UTF-8, whatever library raised it."""
    return " ".join(str(error).encode(errors="backslashreplace").decode().split()) or type(error).__name__


class TooLarge(ValueError):
    """What a header promises is more than is read."""


@contextlib.contextmanager
def reading(path: Path | zipfile.Path, advice: str = "damaged, copy it again") -> Iterator[None]:
    """What any library says of a file that it cannot read, as one ValueError that names the file.

    Only a regular file is opened: a FIFO would be waited for without end.
    """
    if not path.exists():
        raise FileNotFoundError(f"no such file: {path}")
    if not path.is_file():
        raise ValueError(f"{path}: is no regular file")
    try:
        yield
    except (PermissionError, TooLarge):
        raise
    except Exception as error:  # NumPy, SciPy, zipfile, zlib and struct each raise their own
        raise ValueError(f"{path}: {advice} ({one_line(error)})") from None


def check_packing(info: zipfile.ZipInfo) -> None:
    """Raise ValueError for an entry that Python unpacks whole, whatever its size: neither stored nor deflated."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("neither stored nor deflated")


@contextlib.contextmanager
def downloading(title: str, instead: str) -> Iterator[None]:
    """Where the block fails, RuntimeError that says what to do instead, and why the download failed."""
    try:
        yield
    except Exception as error:  # urllib, torchvision and Google Drive's client each raise their own
        raise RuntimeError(f"{title} could not be downloaded: {instead} ({one_line(error)})") from None

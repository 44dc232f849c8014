"""What a failed download leaves behind: nothing, and one line that names the other ways."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from infogan_core.data.images import one_line


@contextlib.contextmanager
def downloading(title: str, *folders: Path, instead: str) -> Iterator[None]:
    """Where the block fails, remove those of the folders, given innermost first, that it made and left empty.

    Raises RuntimeError that says what to do instead, and why the download failed.
    """
    made = [folder for folder in folders if not folder.exists()]
    try:
        yield
    except BaseException as error:  # Ctrl-C, too
        for folder in made:
            with contextlib.suppress(OSError):  # not empty: what has arrived serves the next try
                folder.rmdir()
        if isinstance(error, Exception):  # urllib, torchvision and Google Drive's client each raise their own
            raise RuntimeError(f"{title} could not be downloaded: {instead} ({one_line(error)})") from None
        raise

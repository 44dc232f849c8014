"""What a failed download leaves behind: nothing, and one line that names the other ways."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from infogan_core.data.images import one_line


@contextlib.contextmanager
def downloading(title: str, folder: Path, instead: str) -> Iterator[None]:
    """Where the block fails, remove what it made of the folder and those around it, where they are empty.

    Raises RuntimeError that says what to do instead, and why the download failed.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    except BaseException as error:  # Ctrl-C, too
        for path in made:
            with contextlib.suppress(OSError):  # not empty: what has arrived serves the next try
                path.rmdir()
        if isinstance(error, Exception):  # urllib, torchvision and Google Drive's client each raise their own
            raise RuntimeError(f"{title} could not be downloaded: {instead} ({one_line(error)})") from None
        raise

"""Names that a user may misspell."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def check_known(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise ValueError for a name that is not among the known ones; it suggests the nearest, or else lists them all."""
    known = list(known)
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
            raise ValueError(f"unknown {what} {name!r}: {hint}")

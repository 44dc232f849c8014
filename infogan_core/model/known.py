"""Names that a user may misspell; without torch, so that a refusal is quick."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable


def check_known(what: str, names: Iterable[str], known: Collection[str]) -> None:
    """Raise ValueError for a name that is not known: with the nearest one or two, else with all of them."""
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=2, cutoff=0.7)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(known)}"
            raise ValueError(f"unknown {what} {name!r}: {hint}")

"""The cell of a notebook that papermill fills: what it holds, and which values fit."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

MOST_RUNS = 10_000  # of one batch


def read_notebook(notebook: Path) -> tuple[list[Any], dict[str, Any]]:
    """(source, tags) of its code cells, and its defaults: the values in the cell tagged "parameters"."""
    try:  # not by nbformat, which takes a second to import; papermill checks the rest
        cells = [cell for cell in json.loads(notebook.read_bytes())["cells"] if cell["cell_type"] == "code"]
        code = [("".join(cell["source"]), cell["metadata"].get("tags", [])) for cell in cells]
        tagged = [source for source, tags in code if "parameters" in tags]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"cannot read the notebook {notebook} ({type(error).__name__})") from error
    if not tagged:
        raise ValueError(f'{notebook} has no code cell tagged "parameters"')
    try:  # not by papermill's inspect_notebook: its defaults are text, cut by a regex that stumbles over "=" and "#"
        return code, dict(map(read_literal, ast.parse(tagged[0]).body))
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{notebook}: the parameters cell may hold only name = literal, found {error}") from error


def read_literal(statement: ast.stmt) -> tuple[str, Any]:
    """`seed: int = 0` -> ("seed", 0)."""
    with suppress(ValueError):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(ast.Name(id=name), value=value):
                return name, ast.literal_eval(value)
    raise ValueError(ast.unparse(statement))


def check_number(n: int, what: str) -> None:
    if n > MOST_RUNS:
        raise ValueError(f"{what} makes {n:,} runs of at most {MOST_RUNS:,}: give fewer values")


def check(name: str, values: Sequence[Any], default: Any) -> None:
    """Refuse values that are not of the default's type; a float also takes an int, None takes anything."""
    kind = type(default)
    if not values:
        raise ValueError(f"parameter {name} has no value")
    for value in values:
        if default is not None and type(value) is not kind and (kind, type(value)) != (float, int):
            raise ValueError(f"parameter {name} is {kind.__name__}, such as {default!r}; found {value!r}")

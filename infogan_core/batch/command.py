"""`python -m infogan_core batch`."""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

import click

from infogan_core.batch.notebook_parameters import check_number, read_notebook


class ManyValues(click.Command):
    """Takes `-p seed 0 1`, which click would write `-p seed 0 -p seed 1`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words, rest = [], list(args)
        while rest:
            words.append(rest.pop(0))
            if words[-1] == "-p":
                found = list(takewhile(_is_value, rest))
                if len(found) < 2:
                    raise click.UsageError(f"{' '.join(['-p', *found])} has no value: write -p NAME VALUE")
                words[-1:] = [word for value in found[1:] for word in ("-p", found[0], value)]
                del rest[: len(found)]
        return super().parse_args(ctx, words)


def _is_value(word: str) -> bool:
    return word != "-p" and not word.startswith("--")


def parse_value(text: str, default: Any = None) -> list[Any]:
    """The text itself where the default is text. Else 0..4 is 0, 1, 2, 3, 4, and a literal is what it says.

    Any other word is text, which plan() takes or refuses.
    """
    if isinstance(default, str):
        return [text]
    if bounds := re.fullmatch(r"(-?\d{1,20})\.\.(-?\d{1,20})", text):
        first, last = map(int, bounds.groups())
        if first > last:
            raise ValueError(f"the range {text} is empty: write {last}..{first}")
        check_number(last - first + 1, f"the range {text}")
        return list(range(first, last + 1))
    with suppress(ValueError, SyntaxError):
        value = ast.literal_eval(text)
        if value is None or isinstance(value, (int, float, str)):
            return [value]
    return [text]


@click.command(cls=ManyValues)
@click.argument("notebook")
@click.option(
    "-p",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE...",
    help="A parameter and its values: words, numbers, or a range with both ends, such as 0..4.",
)
@click.option("--out", required=True, metavar="DIR", help="Gets a folder for each run, and the table runs.csv.")
@click.option("--scheduler", metavar="ADDRESS", help="A running Dask cluster, such as tcp://host:8786.")
@click.option("--traceback", is_flag=True, help="Print the whole traceback of a run that fails.")
def batch(
    notebook: str, parameters: tuple[tuple[str, str], ...], out: str, scheduler: str | None, traceback: bool
) -> None:
    """Run NOTEBOOK once per combination of parameter values.

    The notebook has a cell tagged "parameters". Finished runs are skipped. The exit code is 1 if a run fails.

    Example: batch notebooks/mnist.ipynb -p seed 0..4 -p profile quick --out outputs/seeds
    """
    from infogan_core.batch.jobs import plan

    grid: dict[str, list[Any]] = {}
    defaults = read_notebook(Path(notebook))[1]
    for name, word in parameters:
        grid.setdefault(name, []).extend(parse_value(word, defaults.get(name)))
    plan(notebook, grid, out, remote=scheduler is not None)  # refuses in a second what run() would refuse in five
    from infogan_core.batch.run import run

    rows = run(notebook, grid, out, scheduler, traceback)
    click.get_current_context().exit(int(any(row["status"] == "failed" for row in rows)))

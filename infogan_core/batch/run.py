"""Strict papermill runs: one per combination of values, finished ones skipped, one table of all at the end.

python -m infogan_core.batch.run notebooks/mnist.ipynb -p seed 0..4 -p profile quick --out outputs/seeds

Several runs share the cores on a Dask cluster of this machine; --scheduler tcp://host:port takes another's.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import hashlib
import itertools
import json
import logging
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TextIO
from urllib.parse import quote

import nbformat
import pandas as pd
import papermill
from traitlets.config import Config

from infogan_core.batch.notebook_parameters import check, read_notebook
from infogan_core.batch.pool import Printed, each
from infogan_core.device import BATCH
from infogan_core.files import PROJECT, write_whole

MARK = "infogan_batch"  # notebook metadata that only a finished run has
SHOWN = ("accuracy", "error", "nmi", "mi")  # the metrics that a terminal shows, the first ones first
LAYOUT = {"na_rep": "", "float_format": "{:.4g}".format}


@dataclass(frozen=True)
class Job:
    """One run, as plain data; `key` is a hash of the notebook's code and of all its parameters."""

    notebook: Path
    executed: Path
    varying: dict[str, Any]
    parameters: dict[str, Any]
    key: str

    @property
    def name(self) -> str:
        return ",".join(f"{name}={value}" for name, value in self.varying.items()) or self.notebook.stem


def plan(notebook: str | Path, grid: Mapping[str, Any], out: str | Path) -> list[Job]:
    """One job per combination of the grid's values. Raises ValueError for what cannot run; writes nothing."""
    notebook, out = Path(notebook), Path(out)
    cells, defaults = read_notebook(notebook)
    code = [cell for cell in cells if cell[0] == "code"]  # another sentence makes no other numbers
    for name in grid:
        if name not in defaults:
            near = difflib.get_close_matches(name, defaults, n=1) or defaults
            raise ValueError(f"{notebook} has no parameter {name}; did you mean {' or '.join(near)}?")
    values = {name: check(name, given, defaults[name]) for name, given in grid.items()}
    if (varies := [name for name in values if len(values[name]) > 1]) and "out" in values:
        raise ValueError("-p out would be shared by several runs; --out gives each run a folder of its own")
    jobs = []
    for combination in itertools.product(*values.values()):
        parameters = dict(zip(values, combination, strict=True))
        varying = {name: parameters[name] for name in varies}
        folder = out / ",".join(f"{name}={quote(str(value), '')}" for name, value in varying.items())  # holds no slash
        if "out" in defaults:
            parameters.setdefault("out", str(folder))
        key = hashlib.sha256(json.dumps([code, defaults | parameters], sort_keys=True, default=repr).encode())
        jobs.append(Job(notebook, folder / notebook.name, varying, parameters, key.hexdigest()))
    if len({job.executed for job in jobs}) < len(jobs):
        raise ValueError(f"two runs would share a folder in {out}: a value is given twice")
    if any(job.executed.resolve() == notebook.resolve() for job in jobs):
        raise ValueError(f"--out {out} would overwrite {notebook} with its executed copy")
    return jobs


def run_job(job: Job, output: TextIO | None = None) -> dict[str, Any]:
    """A row: the varying parameters, status (done, skipped or failed) and minutes, then the metrics or the error."""
    start = time.monotonic()
    try:
        metadata, status = read_finished(job), "skipped"
        if not metadata:
            metadata, status = execute(job, output or sys.stdout), "done"
        row = {**job.varying, "status": status, "minutes": round(metadata["papermill"]["duration"] / 60, 2)}
        return row | read_metrics(job) | row  # a metric that is named like a parameter does not replace it
    except Exception as error:  # whatever a notebook raises, the other runs go on
        name, value = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", error)
        minutes, text = round((time.monotonic() - start) / 60, 2), " ".join(f"{name}: {value}".split())
        return {**job.varying, "status": "failed", "minutes": minutes, "error": text}


def on_worker(job: Job) -> dict[str, Any]:
    """run_job on a worker of a Dask cluster: what it prints is seen where the batch was started."""
    return run_job(job, Printed(job.name))


def execute(job: Job, output: TextIO) -> dict[str, Any]:
    """Runs the notebook in this interpreter's kernel, from the current directory; what it prints is seen live."""
    paths = [str(PROJECT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, paths)))  # infogan_core may not be installed
    os.environ[BATCH] = "1"
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # else a "python3" kernel in the home folder may win over this one
    logging.getLogger("papermill").setLevel(logging.ERROR)  # it warns of parameters its regex cannot read
    job.executed.parent.mkdir(parents=True, exist_ok=True)
    notebook = papermill.execute_notebook(
        *(str(path).replace("{", "{{").replace("}", "}}") for path in (job.notebook, job.executed)),  # format strings
        parameters=job.parameters,
        kernel_name="python3",
        language="python",
        progress_bar=False,
        stdout_file=output,
        stderr_file=sys.stderr if output is sys.stdout else output,
        # after Ctrl-C nbclient interrupts the kernel, gives it half of these seconds for a checkpoint, then kills it
        config=Config(KernelManager={"shutdown_wait_time": 120}),
        extra_arguments=["--log-level=CRITICAL"],  # no "running over TCP without encryption" at every start
    )
    notebook.metadata[MARK] = job.key  # papermill's own metadata call an interrupted run completed
    write_whole(job.executed, nbformat.writes(notebook).encode())
    return notebook.metadata


def read_finished(job: Job) -> dict[str, Any] | None:
    """The metadata of the executed copy, if that run has the same code and parameters and has finished."""
    with suppress(OSError, ValueError, KeyError):
        metadata = json.loads(job.executed.read_text(encoding="utf-8"))["metadata"]
        return metadata if metadata[MARK] == job.key else None
    return None


def read_metrics(job: Job) -> dict[str, float]:
    """The numbers in metrics.json, nested names joined by dots: codes.c1.mi."""
    path = Path(job.parameters.get("out", job.executed.parent), "metrics.json")
    report = json.loads(path.read_text()) if path.is_file() else {}
    return pd.json_normalize([report]).select_dtypes("number").to_dict("records")[0]


def to_text(rows: list[dict[str, Any]], width: int) -> str:
    """The table, with the metrics that fit, then mean and range over the n finished runs."""
    table = pd.DataFrame(rows)
    first = list(table.columns[: table.columns.get_loc("minutes") + 1])
    metrics = [name for end in SHOWN for name in table.columns if name.endswith(f".{end}") and name not in first]
    while metrics and table[first + metrics].to_string(**LAYOUT, index=False).index("\n") > width:
        metrics.pop()
    text = table[[*first, *metrics, *table.columns.intersection(["error"])]].to_string(**LAYOUT, index=False)
    finished = table.loc[table.status != "failed", ["minutes", *metrics]]
    if len(finished) >= 2:
        text += "\n\n" + finished.agg(["count", "mean", "min", "max"]).T.to_string(**LAYOUT)
    return text


def run(
    notebook: str | Path, grid: Mapping[str, Any], out: str | Path, scheduler: str | None = None
) -> list[dict[str, Any]]:
    """Runs what is not finished, prints the table, writes `out`/runs.csv. Raises ValueError before anything runs.

    One run is run here, several on Dask: see `workers.each`. Rows are in the order of the grid.
    """
    jobs = plan(notebook, grid, out)
    try:
        os.makedirs(out, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        raise ValueError(f"cannot write to {out}: {error.strerror}") from error
    finished: dict[int, dict[str, Any]] = {}
    try:
        here = len(jobs) == 1 and scheduler is None
        for number, row in enumerate(map(run_job, jobs)) if here else each(on_worker, jobs, scheduler):
            if isinstance(row, Exception):  # its workers died one after another
                row = {**jobs[number].varying, "status": "failed", "minutes": 0.0, "error": " ".join(str(row).split())}
            finished[number] = row
            said = f"[{len(finished)}/{len(jobs)}] {jobs[number].executed}: {row['status']}"
            print(said, row.get("error", ""), flush=True)
    except KeyboardInterrupt:
        print(f"\ninterrupted after {len(finished)} of {len(jobs)} runs; the same command goes on", file=sys.stderr)
        raise
    finally:
        rows = [finished[number] for number in sorted(finished)]
        if rows:
            write_whole(Path(out, "runs.csv"), pd.DataFrame(rows).convert_dtypes().to_csv(index=False).encode())
            print(f"\n{to_text(rows, shutil.get_terminal_size().columns)}\n\nall numbers: {Path(out, 'runs.csv')}")
    return rows


def parse_value(text: str) -> list[Any]:
    """0..4 -> [0, 1, 2, 3, 4]; a number, True, False, None or a quoted text -> that; any other word is text."""
    if bounds := re.fullmatch(r"(-?\d+)\.\.(-?\d+)", text):
        return list(range(int(bounds[1]), int(bounds[2]) + 1))
    with suppress(ValueError, SyntaxError):
        value = ast.literal_eval(text)
        if value is None or isinstance(value, (int, float, str)):
            return [value]
    return [text]


class Parser(argparse.ArgumentParser):
    """argparse without its usage block: main() prints one line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0 if all runs are finished, 1 if one failed, 2 if the command is wrong, 130 after Ctrl-C."""
    parser = Parser("python -m infogan_core.batch.run", description="Runs a notebook once per combination of values.")
    parser.add_argument("notebook", help="with a cell tagged parameters")
    many = {"nargs": "+", "action": "append", "default": [], "metavar": ("NAME", "VALUE")}
    parser.add_argument("-p", **many, help="a parameter and its values: literals, or an inclusive range: 0..4")
    parser.add_argument("--out", required=True, metavar="DIR", help="gets a folder for each run, and runs.csv")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a running Dask cluster, such as tcp://host:8786")
    try:
        args = parser.parse_args(argv)
        grid = {name: [value for word in words for value in parse_value(word)] for name, *words in args.p}
        if len(grid) < len(args.p):
            raise ValueError("a parameter is given twice; write all its values after one -p")
        rows = run(args.notebook, grid, args.out, args.scheduler)
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1
    return int(any(row["status"] == "failed" for row in rows))

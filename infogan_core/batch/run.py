"""Strict papermill runs: one per combination of values, finished ones skipped, one table of all at the end."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from traceback import format_exc
from typing import Any, TextIO

import nbformat
import pandas as pd
import papermill
from traitlets.config import Config

from infogan_core.batch.jobs import Job, plan
from infogan_core.batch.pool import JobOutput, each
from infogan_core.device import BATCH
from infogan_core.files import PROJECT, InUse, only_process_in, write_whole

KEY = "infogan_batch"  # notebook metadata that only a finished run has
ENDINGS = ("accuracy", "error", "nmi", "mi")  # of the metrics that a terminal shows, the first ones first
FINISHED = ("done", "skipped")
LAYOUT = {"na_rep": "", "float_format": "{:.4g}".format}


def run(
    notebook: str | Path, grid: Mapping[str, Any], out: str | Path, scheduler: str | None = None, trace: bool = False
) -> list[dict[str, Any]]:
    """Run what is not finished, print the table, write `out`/runs.csv. Rows are in the order of the grid.

    One job runs here, several run on Dask, see pool.py. `trace` prints the traceback of a run that fails.
    A run that another batch has in hand is left to it: "running elsewhere", unless it has finished at the end of this.
    Raises as plan() before anything runs, ConnectionAbortedError where the scheduler goes in the middle, and
    KeyboardInterrupt with a message after Ctrl-C.
    """
    jobs = plan(notebook, grid, out, remote=scheduler is not None)
    here = len(jobs) == 1 and scheduler is None
    finished: dict[int, dict[str, Any]] = {}
    try:
        for number, result in enumerate(map(run_job, jobs)) if here else each(run_on_worker, jobs, scheduler):
            if isinstance(result, Exception):  # its workers died one after another
                result = {"status": "failed", "minutes": 0.0, "error": " ".join(str(result).split())}
            if (text := result.pop("traceback", "")) and trace:
                print(text, file=sys.stderr)
            finished[number] = jobs[number].varying | result | jobs[number].varying  # first, whatever a metric's name
            line = f"[{len(finished)}/{len(jobs)}] {jobs[number].executed}: {result['status']}"
            print(line, result.get("error", ""), flush=True)
    except KeyboardInterrupt:
        message = f"interrupted after {len(finished)} of {len(jobs)} runs; the same command goes on"
        raise KeyboardInterrupt(message) from None
    except ConnectionAbortedError:
        finished = {n: job.varying | {"status": "lost", "minutes": 0.0} for n, job in enumerate(jobs)} | finished
        raise
    finally:
        for number, row in finished.items():
            if row["status"] in ("running elsewhere", "lost"):
                row |= read_row(jobs[number]) or {}
        rows = [finished[number] for number in sorted(finished)]
        if rows:
            Path(out).mkdir(parents=True, exist_ok=True)
            write_whole(Path(out, "runs.csv"), pd.DataFrame(rows).convert_dtypes().to_csv(index=False).encode())
            print(f"\n{to_text(rows, shutil.get_terminal_size().columns)}\n\nall numbers: {Path(out, 'runs.csv')}")
    return rows


def run_job(job: Job, output: TextIO | None = None) -> dict[str, Any]:
    """The job's status (done, skipped, failed, running elsewhere), minutes, and its metrics, or error and traceback."""
    start = time.monotonic()
    try:
        job.executed.parent.mkdir(parents=True, exist_ok=True)
        with only_process_in(job.executed.parent, "run"):
            if row := read_row(job):
                return row
            execute(job, output or sys.stdout)
            return read_row(job) | {"status": "done"}
    except InUse:
        return {"status": "running elsewhere", "minutes": 0.0}
    except Exception as error:  # whatever a notebook raises, the other runs go on
        name, value = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", error)
        text = str(error) if hasattr(error, "ename") else format_exc()  # the first is the kernel's traceback
        row = {"status": "failed", "minutes": round((time.monotonic() - start) / 60, 2)}
        return row | {"error": " ".join(f"{name}: {value}".split()), "traceback": text}


def run_on_worker(job: Job) -> dict[str, Any]:
    """run_job on a worker of a Dask cluster: what it prints is seen where the batch was started."""
    return run_job(job, JobOutput(job.executed.parent.name))


def execute(job: Job, output: TextIO) -> None:
    """Run the notebook in this interpreter's kernel, from the current directory; what it prints is seen live."""
    logging.getLogger("papermill").setLevel(logging.ERROR)  # it warns of parameters its regex cannot read
    before = dict(os.environ)
    path = os.pathsep.join(filter(None, [str(PROJECT), before.get("PYTHONPATH")]))  # infogan_core may not be installed
    # without the last, a "python3" kernel in the home folder may win over this one
    os.environ |= {"PYTHONPATH": path, BATCH: "1", "JUPYTER_PREFER_ENV_PATH": "1"}
    try:
        notebook = papermill.execute_notebook(
            *(str(path).replace("{", "{{").replace("}", "}}") for path in (job.notebook, job.executed)),  # formats
            parameters=job.parameters,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            stdout_file=output,
            stderr_file=sys.stderr if output is sys.stdout else output,
            # after Ctrl-C nbclient interrupts the kernel, gives it half of these seconds for a checkpoint, then kills
            config=Config(KernelManager={"shutdown_wait_time": 120}),
            extra_arguments=["--log-level=CRITICAL"],  # no "running over TCP without encryption" at every start
        )
    finally:
        os.environ.clear()
        os.environ.update(before)
    notebook.metadata[KEY] = job.key  # papermill's own metadata call an interrupted run completed
    write_whole(job.executed, nbformat.writes(notebook).encode())


def read_row(job: Job) -> dict[str, Any] | None:
    """Status "skipped", minutes, and the numbers in metrics.json, nested names joined by dots (codes.c1.mi).

    None without an executed copy of the same key, which a run has that has finished.
    """
    try:
        metadata = json.loads(job.executed.read_text(encoding="utf-8"))["metadata"]
        if metadata[KEY] != job.key:
            return None
        row = {"status": "skipped", "minutes": round(metadata["papermill"]["duration"] / 60, 2)}
    except (OSError, ValueError, KeyError):
        return None
    path = Path(job.parameters.get("out", job.executed.parent), "metrics.json")
    report = json.loads(path.read_text()) if path.is_file() else {}
    return row | pd.json_normalize([report]).select_dtypes("number").to_dict("records")[0] | row


def to_text(rows: list[dict[str, Any]], width: int) -> str:
    """The table, with the metrics that fit, then mean and range over the n finished runs."""
    table = pd.DataFrame(rows)
    first = list(table.columns[: table.columns.get_loc("minutes") + 1])
    metrics = [name for end in ENDINGS for name in table.columns if name.endswith(f".{end}") and name not in first]
    while metrics and table[first + metrics].to_string(**LAYOUT, index=False).index("\n") > width:
        metrics.pop()
    text = table[[*first, *metrics, *table.columns.intersection(["error"])]].to_string(**LAYOUT, index=False)
    finished = table.loc[table.status.isin(FINISHED), ["minutes", *metrics]]
    if len(finished) >= 2:
        text += "\n\n" + finished.agg(["count", "mean", "min", "max"]).T.to_string(**LAYOUT)
    return text

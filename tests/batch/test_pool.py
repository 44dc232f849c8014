"""Several runs at once on Dask: what they print, a worker that is killed, somebody's own cluster."""

import csv
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager, redirect_stdout
from io import StringIO

import pytest
from dask.system import CPU_COUNT

from helpers import ROOT
from infogan_core.batch import pool
from tiny_notebook import batch, write_notebook

KILLED = """
import os, pathlib, signal, time
print("threads", os.environ["OMP_NUM_THREADS"])
checkpoint = pathlib.Path(out, "checkpoint")
if not checkpoint.exists():
    checkpoint.touch()
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
pathlib.Path(out, "metrics.json").write_text('{"went": {"on": 1}}')
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Two runs, each of which kills its worker in the middle: (exit code, what was printed, the table)."""
    folder = tmp_path_factory.mktemp("killed")
    notebook = write_notebook(folder / "killed.ipynb", work=KILLED)
    with redirect_stdout(StringIO()) as text:
        code = batch(notebook, "-p", "seed", "1..2", "--out", str(folder / "runs"))
    return code, text.getvalue(), list(csv.DictReader((folder / "runs" / "runs.csv").open()))


def test_a_run_whose_worker_is_killed_is_done_again_and_finds_its_checkpoint(killed):
    code, _, table = killed
    assert code == 0
    assert [(row["seed"], row["status"], row["went.on"]) for row in table] == [("1", "done", "1"), ("2", "done", "1")]


def test_what_a_run_prints_is_seen_with_its_name(killed):
    """And the two have half of the cores each."""
    threads = max(1, CPU_COUNT // 2)
    assert f"seed=1: threads {threads}\n" in killed[1]
    assert f"seed=2: threads {threads}\n" in killed[1]


def test_a_cluster_of_ones_own_runs_the_jobs(tmp_path):
    from distributed import LocalCluster

    notebook = write_notebook(tmp_path / "tiny.ipynb")
    with LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        with redirect_stdout(StringIO()):
            assert batch(notebook, "-p", "seed", "2", "--out", str(tmp_path / "runs"), "--scheduler", address) == 0
    assert (tmp_path / "runs" / "metrics.json").is_file()


def test_a_worker_with_several_threads_does_one_job_at_a_time(tmp_path):
    from distributed import LocalCluster

    folder = f"import pathlib, time\nbusy = pathlib.Path({str(tmp_path / 'busy')!r})"
    work = f"{folder}\nbusy.touch(exist_ok=False)\ntime.sleep(0.5)\nbusy.unlink()"
    notebook = write_notebook(tmp_path / "tiny.ipynb", work=work)
    with LocalCluster(n_workers=1, threads_per_worker=2, host="127.0.0.1", dashboard_address=None) as cluster:
        rest = ["--out", str(tmp_path / "runs"), "--scheduler", cluster.scheduler_address]
        with redirect_stdout(StringIO()) as text:
            assert batch(notebook, "-p", "seed", "1..2", *rest) == 0, text.getvalue()


def test_an_address_without_scheduler_is_refused_in_a_line(tmp_path, capsys):
    notebook = write_notebook(tmp_path / "tiny.ipynb")
    rest = ["--out", str(tmp_path / "runs"), "--scheduler", "tcp://127.0.0.1:9"]
    assert batch(notebook, *rest) == 2
    assert "tcp://127.0.0.1:9" in capsys.readouterr().err


GONE = """
import os, pathlib, signal
if seed == 2:
    os.kill(int(pathlib.Path({pid!r}).read_text()), signal.SIGKILL)
"""


def test_a_scheduler_that_goes_in_the_middle_is_a_line_and_the_table_is_written(tmp_path, capsys):
    """Seed 1 is done, seed 2 ends with the scheduler, and seed 3 does not begin."""
    work = GONE.format(pid=str(tmp_path / "pid"))
    notebook = write_notebook(tmp_path / "tiny.ipynb", work=work)
    with own_cluster(tmp_path) as address:
        rest = ["--out", str(tmp_path / "runs"), "--scheduler", address]
        assert batch(notebook, "-p", "seed", "1..3", *rest) == 2
    error = capsys.readouterr().err
    assert address in error
    assert error.count("\n") == 1
    with (tmp_path / "runs" / "runs.csv").open() as table:
        first, second, third = (row["status"] for row in csv.DictReader(table))
    assert (first, third) == ("done", "lost")
    assert second in ("lost", "skipped")  # its worker may still have finished it


@contextmanager
def own_cluster(folder):
    """The address of a scheduler, its process number in `pid`, and a worker, each a process."""
    dask = [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT}
    with subprocess.Popen([*scheduler, "--scheduler-file", str(folder / "file")], **quiet) as first:
        (folder / "pid").write_text(str(first.pid))
        worker = [*dask, "worker", "--scheduler-file", str(folder / "file"), "--nthreads", "1", "--no-dashboard"]
        with subprocess.Popen([*worker, "--death-timeout", "30"], **quiet) as second:
            try:
                while not (folder / "file").exists() or not (folder / "file").read_text():
                    time.sleep(0.1)
                yield json.loads((folder / "file").read_text())["address"]
            finally:
                first.kill()
                second.kill()


def test_a_script_that_does_not_guard_its_call_gets_advice(tmp_path):
    """Each worker imports it again, and would start workers of its own."""
    notebook = write_notebook(tmp_path / "tiny.ipynb")
    (tmp_path / "script.py").write_text(
        f"from infogan_core.batch.run import run\nrun({notebook!r}, {{'seed': [2, 3]}}, {str(tmp_path / 'runs')!r})"
    )
    command = [sys.executable, str(tmp_path / "script.py")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.splitlines()[-1].startswith("ValueError: ")
    assert "if __name__ ==" in done.stderr.splitlines()[-1]
    assert done.stderr.count("Traceback") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("processors", "jobs", "workers", "threads"), [(1, 8, 1, "1"), (4, 2, 2, "2"), (8, 3, 3, "2")])
def test_workers_are_as_many_as_the_container_may_use(monkeypatch, processors, jobs, workers, threads):
    """CPU_COUNT is Dask's, which reads the quota of the container."""

    def client(**words):
        assert pool.dask.config.get("distributed.nanny.environ")["OMP_NUM_THREADS"] == threads
        assert words["n_workers"] == workers

    monkeypatch.setattr(pool, "CPU_COUNT", processors)
    monkeypatch.setattr(pool, "Client", client)
    pool._client(None, jobs)

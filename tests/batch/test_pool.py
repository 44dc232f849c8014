"""Several runs at once on Dask: what they print, a worker that is killed, somebody's own cluster."""

import csv
import os
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO

import pytest
from dask.system import CPU_COUNT
from distributed import LocalCluster

from helpers import ROOT
from infogan_core.batch import pool
from tiny_notebook import batch, write_notebook

# of ones own: scheduler and worker in one process, which others reach as they reach any
CLUSTER = {"n_workers": 1, "processes": False, "protocol": "tcp://", "host": "127.0.0.1", "dashboard_address": None}

KILLED = """
import os, pathlib, signal, time
print("threads", os.environ["OMP_NUM_THREADS"])
checkpoint = pathlib.Path(out, "checkpoint")
if seed == 1 and not checkpoint.exists():
    checkpoint.touch()
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
pathlib.Path(out, "metrics.json").write_text('{"went": {"on": 1}}')
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Two runs, the first of which kills its worker in the middle: (exit code, what was printed, the table)."""
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


def test_a_cluster_of_ones_own_does_one_job_at_a_time_on_each_worker(tmp_path):
    """However many threads a worker has."""
    folder = f"import pathlib, time\nbusy = pathlib.Path({str(tmp_path / 'busy')!r})"
    work = f"{folder}\nbusy.touch(exist_ok=False)\ntime.sleep(0.5)\nbusy.unlink()"
    notebook = write_notebook(tmp_path / "tiny.ipynb", work=work)
    with LocalCluster(**CLUSTER, threads_per_worker=2) as cluster, redirect_stdout(StringIO()) as text:
        rest = ["--out", str(tmp_path / "runs"), "--scheduler", cluster.scheduler_address]
        assert batch(notebook, "-p", "seed", "1..2", *rest) == 0, text.getvalue()
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["runs.csv", "seed=1", "seed=2"]


def test_an_address_without_scheduler_is_refused_in_a_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pool, "PATIENCE", 1)
    notebook = write_notebook(tmp_path / "tiny.ipynb")
    rest = ["--out", str(tmp_path / "runs"), "--scheduler", "tcp://127.0.0.1:9"]
    assert batch(notebook, *rest) == 2
    assert "tcp://127.0.0.1:9" in capsys.readouterr().err


GONE = """
import os, signal
if seed == 2:
    os.kill(os.getppid(), signal.SIGKILL)
"""


def test_a_scheduler_that_goes_in_the_middle_is_a_line_and_the_table_is_written(tmp_path, capsys):
    """Seed 1 is done, seed 2 ends with the scheduler, and seed 3 does not begin."""
    notebook = write_notebook(tmp_path / "tiny.ipynb", work=GONE)
    program = f"from distributed import LocalCluster\ncluster = LocalCluster(**{CLUSTER}, threads_per_worker=1)\n"
    command = [sys.executable, "-c", f"{program}print(cluster.scheduler_address, flush=True)\ninput()"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(command, **pipes) as cluster:
        address = cluster.stdout.readline().strip()
        rest = ["--out", str(tmp_path / "runs"), "--scheduler", address]
        assert batch(notebook, "-p", "seed", "1..3", *rest) == 2
    error = capsys.readouterr().err
    assert address in error
    assert error.count("\n") == 1
    with (tmp_path / "runs" / "runs.csv").open() as table:
        assert [row["status"] for row in csv.DictReader(table)] == ["done", "lost", "lost"]


def test_a_script_that_does_not_guard_its_call_gets_advice(tmp_path):
    """Each worker, here one, imports it again, and would start workers of its own."""
    notebook = write_notebook(tmp_path / "tiny.ipynb")
    (tmp_path / "script.py").write_text(
        "from infogan_core.batch import pool\nfrom infogan_core.batch.run import run\npool.CPU_COUNT = 1\n"
        f"run({notebook!r}, {{'seed': [2, 3]}}, {str(tmp_path / 'runs')!r})"
    )
    command = [sys.executable, str(tmp_path / "script.py")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
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

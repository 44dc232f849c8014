"""Several runs at once on Dask: what they print, a worker that is killed, somebody's own cluster."""

import csv
import os
from contextlib import redirect_stdout
from io import StringIO

import pytest

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
    threads = max(1, len(os.sched_getaffinity(0)) // 2)
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

"""Batches: what they refuse, plan, run, skip and report. This starts five kernels; keep it at that."""

from __future__ import annotations

import csv
import json
import os
import pickle
import re
import signal
import threading
import time
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from types import SimpleNamespace

import nbformat
import pytest

from helpers import ROOT
from infogan_core.batch import jobs
from infogan_core.batch.command import parse_value
from infogan_core.batch.jobs import plan
from infogan_core.batch.run import run, to_text
from infogan_core.files import only_process_in
from tiny_notebook import WORK, batch, write_notebook

SLOW = """\
import pathlib, time
try:
    pathlib.Path(out, "started").touch()
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(3)  # longer than jupyter_client's own patience, 2.5 s
    pathlib.Path(out, "checkpoint").touch()
    raise
"""


@pytest.fixture
def notebook(tmp_path):
    return write_notebook(tmp_path / "tiny.ipynb")


# ---- refused, before anything is written


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("-p sed 0", "'sed': did you mean 'seed'?"),
        ("-p zebra 0", "'zebra': known: profile, seed, rate, flag, device, out"),
        ("-p seed 0.5", "parameter seed is int, such as 0; found 0.5"),
        ("-p seed True", "parameter seed is int, such as 0; found True"),
        ("-p seed zero", "parameter seed is int, such as 0; found 'zero'"),
        ("-p seed None", "parameter seed is int, such as 0; found None"),
        ("-p rate fast", "parameter rate is float, such as 0.1; found 'fast'"),
        ("-p flag 1", "parameter flag is bool, such as False; found 1"),
        ("-p seed", "-p seed has no value"),
        ("-p", "-p has no value"),
        ("-p seed 4..0", "the range 4..0 is empty: write 0..4"),
        ("-p seed 0..99999999999", "the range 0..99999999999 makes 100,000,000,000 runs of at most 10,000"),
        ("-p seed 0..999 -p rate 0..999", "the product of all values makes 1,000,000 runs of at most 10,000"),
        ("-p profile a\udcff", "is not UTF-8"),
        ("-p seed 0 0", "a value is given twice"),
        ("-p seed 0 -p seed 0", "a value is given twice"),
        ("-p seed 0..1 -p out here", "-p out would be shared by several runs"),
        ("--what", "No such option"),
    ],
)
def test_bad_arguments_are_one_line_and_nothing_is_written(notebook, tmp_path, capsys, words, complaint):
    """Every wrong -p is told before anything runs."""
    assert batch(notebook, *words.split(), "--out", str(tmp_path / "runs")) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert complaint in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out
    assert os.listdir(tmp_path) == ["tiny.ipynb"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "cannot read the notebook"),
        ("not json", "cannot read the notebook"),
        ("{}", "cannot read the notebook"),
        ("[]", "cannot read the notebook"),
    ],
)
def test_what_is_no_notebook_is_named(tmp_path, capsys, text, complaint):
    """A misspelled path, and files that hold something else."""
    path = tmp_path / "mnits.ipynb"
    if text is not None:
        path.write_text(text)
    assert batch(str(path), "--out", str(tmp_path / "runs")) == 2
    assert capsys.readouterr().err.startswith(f"error: {complaint} {path}")
    assert not (tmp_path / "runs").exists()


def test_a_notebook_without_parameters_cell_is_refused(tmp_path):
    """papermill would put the values at its top, where the notebook's own override them."""
    path = write_notebook(tmp_path / "tiny.ipynb", tags=())
    with pytest.raises(ValueError, match='no code cell tagged "parameters"'):
        plan(path, {}, tmp_path / "runs")


@pytest.mark.parametrize("line", ["seed = int(3)", "seed += 1", "seed: int", "a = b = 1", "import os"])
def test_the_parameters_cell_holds_literals_only(tmp_path, line):
    """Whatever else stands there is quoted."""
    path = write_notebook(tmp_path / "tiny.ipynb", parameters=f"profile = 'quick'\n{line}\n")
    with pytest.raises(ValueError, match=re.escape(f"only name = literal, found {line}")):
        plan(path, {}, tmp_path / "runs")


def test_out_that_cannot_be_a_folder_is_refused(notebook, tmp_path, capsys):
    """A file stands where the folder should be."""
    (tmp_path / "runs").touch()
    assert batch(notebook, "--out", str(tmp_path / "runs")) == 2
    assert f"{tmp_path / 'runs'} is a file" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["file/runs", "/proc"])
def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs(tmp_path, capsys, out):
    """Not even root makes a file in /proc. A notebook that ran would leave `ran`."""
    (tmp_path / "file").touch()
    ran = tmp_path / "ran"
    notebook = write_notebook(tmp_path / "tiny.ipynb", work=f"open({str(ran)!r}, 'w')")
    assert batch(notebook, "--out", str(tmp_path / out)) == 2
    assert capsys.readouterr().err.startswith("error: --out=")
    assert not ran.exists()


MEANINGLESS = {
    "profile quikc": "unknown profile of mnist 'quikc': did you mean 'quick'?",
    "profile smoke quikc": "did you mean 'quick'?",
    "device tpu": "unknown device 'tpu'",
    "device cuda": "torch finds",
    "seed -1": "seed must",
    "seed -1..1": "seed must",
}


@pytest.mark.parametrize("words", MEANINGLESS)
def test_what_the_suites_own_notebooks_would_refuse_is_refused_before_they_run(tmp_path, capsys, words):
    """Their parameters have a known meaning; the tests' machine has no GPU, see conftest."""
    notebook = str(ROOT / "notebooks" / "mnist.ipynb")
    assert batch(notebook, "-p", *words.split(), "--out", str(tmp_path / "runs")) == 2
    captured = capsys.readouterr().err
    assert MEANINGLESS[words] in captured
    assert captured.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_another_machine_may_have_the_gpu_that_this_one_lacks(tmp_path):
    notebook = ROOT / "notebooks" / "mnist.ipynb"
    assert len(plan(notebook, {"device": "cuda"}, tmp_path, remote=True)) == 1
    with pytest.raises(ValueError, match="unknown device"):
        plan(notebook, {"device": "tpu"}, tmp_path, remote=True)


def test_other_notebooks_give_their_parameters_any_meaning(notebook):
    assert len(plan(notebook, {"profile": "mine", "seed": -1, "device": "tpu"}, "runs")) == 1


def test_the_notebook_itself_is_never_overwritten(notebook, tmp_path):
    """`--out notebooks` would put the executed copy over the source."""
    with pytest.raises(ValueError, match="would overwrite"):
        plan(notebook, {}, tmp_path)


# ---- planned


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0..4", [0, 1, 2, 3, 4]),
        ("-1..1", [-1, 0, 1]),
        ("3..3", [3]),
        ("7", [7]),
        ("1e-4", [0.0001]),
        ("True", [True]),
        ("-2", [-2]),
        ("-1e-4", [-0.0001]),
        ("None", [None]),
        ("quick", ["quick"]),
        ("'3'", ["3"]),
        ("../shared/data", ["../shared/data"]),
        ("1..2..3", ["1..2..3"]),
        ("(1, 2)", ["(1, 2)"]),
    ],
)
def test_a_word_of_the_command_line_is_a_literal_or_text(text, values):
    """Ranges hold both ends."""
    found = parse_value(text)
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


@pytest.mark.parametrize("text", ["2021", "None", "1e5", "0..4", "'3'", "-x", '$HOME `id` "é数"'])
def test_a_parameter_whose_default_is_text_takes_text(notebook, tmp_path, monkeypatch, text):
    """Whatever the text looks like."""
    found = []
    monkeypatch.setattr("infogan_core.batch.run.run", lambda notebook, grid, *rest: found.append(grid) or [])
    assert batch(notebook, "-p", "profile", text, "-p", "seed", "-2..-1", "--out", str(tmp_path / "runs")) == 0
    assert found == [{"profile": [text], "seed": [-2, -1]}]


def test_each_combination_gets_a_folder_named_by_what_varies(notebook):
    """`rate` does not vary, so it is in no name."""
    jobs = plan(notebook, {"seed": range(2), "rate": 1, "profile": ["quick", "paper"]}, "runs")
    assert [str(job.executed.parent) for job in jobs] == [
        "runs/seed=0,profile=quick",
        "runs/seed=0,profile=paper",
        "runs/seed=1,profile=quick",
        "runs/seed=1,profile=paper",
    ]


def test_a_single_job_runs_in_out_itself(notebook):
    """outputs/mnist/mnist.ipynb."""
    (job,) = plan(notebook, {"profile": "paper"}, "outputs/tiny")
    assert str(job.executed) == "outputs/tiny/tiny.ipynb"
    assert job.parameters == {"profile": "paper", "out": "outputs/tiny"}


def test_folders_of_odd_values_stay_apart_and_inside(notebook, tmp_path):
    """A slash, its replacement, its percent-encoding and dots."""
    jobs = plan(notebook, {"profile": ["../a", "..%2Fa", "..", ".._a", "{seed}"]}, tmp_path)
    assert len({job.executed.parent for job in jobs}) == 5
    assert all(job.executed.parent.resolve().parent == tmp_path.resolve() for job in jobs)


def test_folders_of_long_values_end_in_a_short_hash(notebook, tmp_path):
    """A folder's name has 255 bytes."""
    jobs = plan(notebook, {"profile": ["数" * 300, "数" * 299 + "a", "short"], "seed": [0, 1]}, tmp_path)
    names = {job.executed.parent.name for job in jobs}
    assert len(names) == 6
    assert max(map(len, names)) <= 255
    assert "profile=short,seed=0" in names


def test_one_job_may_be_given_its_own_out(notebook):
    """The executed copy goes to --out, the run to `out`."""
    (job,) = plan(notebook, {"out": "elsewhere"}, "runs")
    assert job.parameters["out"] == "elsewhere"


def test_a_parameter_whose_default_is_none_takes_anything(notebook):
    """None says nothing about the type."""
    assert [job.parameters["device"] for job in plan(notebook, {"device": [None, "cpu", 0]}, "runs")] == [
        None,
        "cpu",
        0,
    ]


def test_a_job_is_plain_data(notebook):
    """A scheduler may send it to another process."""
    jobs = plan(notebook, {"seed": range(2)}, "runs")
    assert pickle.loads(pickle.dumps(jobs)) == jobs


def test_a_default_that_is_written_out_is_the_same_job(notebook):
    """The key is of all parameters, given or not."""
    assert plan(notebook, {"seed": 0}, "runs")[0].key == plan(notebook, {}, "runs")[0].key


def test_other_code_is_another_job_and_another_sentence_is_not(notebook, tmp_path):
    """A notebook with edited code is run again; one with edited text has the same numbers."""
    before = plan(notebook, {}, "runs")[0].key
    told = nbformat.read(notebook, as_version=4)
    told.cells.append(nbformat.v4.new_markdown_cell("a sentence more"))
    nbformat.write(told, notebook)
    assert plan(notebook, {}, "runs")[0].key == before
    write_notebook(tmp_path / "tiny.ipynb", work=WORK + "# edited\n")
    assert plan(notebook, {}, "runs")[0].key != before


def test_the_order_in_which_keys_are_written_makes_no_other_job(tmp_path):
    options = write_notebook(tmp_path / "tiny.ipynb", parameters="options = {'a': 1, 'b': 2}")
    (first,) = plan(options, {"options": {"a": 1, "b": 2}}, "runs")
    (second,) = plan(options, {"options": {"b": 2, "a": 1}}, "runs")
    assert first.key == second.key


def test_other_code_of_the_package_is_another_job(notebook, tmp_path, monkeypatch):
    """After a fix a run is done again. Only source counts, whatever else lies beside it."""
    package = tmp_path / "infogan_core" / "model"
    package.mkdir(parents=True)
    (package / "losses.py").write_text("right = False")
    monkeypatch.setattr(jobs, "PROJECT", tmp_path)
    before = plan(notebook, {}, "runs")[0].key
    (package / "losses.pyc").write_text("compiled")
    assert plan(notebook, {}, "runs")[0].key == before
    (package / "losses.py").write_text("right = True")
    assert plan(notebook, {}, "runs")[0].key != before


# ---- run: one command, given twice


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Seed 1 fails, seed 2 works; then the same command again. Three kernels."""
    folder = tmp_path_factory.mktemp("batch")
    notebook, out = write_notebook(folder / "tiny.ipynb"), folder / "runs"
    found = SimpleNamespace(out=out, codes=[], texts=[], tables=[])
    for _ in range(2):
        with redirect_stdout(StringIO()) as text:
            found.codes.append(batch(notebook, "-p", "seed", "1..2", "--out", str(out)))
        found.texts.append(text.getvalue())
        found.tables.append(list(csv.DictReader(StringIO((out / "runs.csv").read_text()))))
    return found


def test_a_failing_run_makes_the_exit_code_1(runs):
    """Whichever run it was."""
    assert runs.codes == [1, 1]


def test_a_failing_run_leaves_its_executed_copy(runs):
    """With the traceback in it."""
    cells = nbformat.read(runs.out / "seed=1" / "tiny.ipynb", as_version=4).cells
    assert [
        o.evalue for cell in cells if cell.cell_type == "code" for o in cell.outputs if o.output_type == "error"
    ] == ["seed 1 diverged"]


def test_the_runs_after_a_failing_one_go_on(runs):
    """Seed 2 comes after seed 1."""
    assert [row["status"] for row in runs.tables[0]] == ["failed", "done"]


def test_the_table_names_the_error(runs):
    """As the last line of a traceback does."""
    assert "RuntimeError: seed 1 diverged" in runs.texts[0].partition("held_out.accuracy")[2]
    assert runs.tables[0][0]["error"] == "RuntimeError: seed 1 diverged"


def test_what_the_notebook_prints_is_seen(runs):
    """Without cell numbers or times, and with the run's name where there are several."""
    assert "seed=2: training with seed 2\n" in runs.texts[0]


def test_the_csv_holds_the_numbers_of_metrics_json(runs):
    """Flattened by dots; words, lists and what failed leave no number."""
    failed, done = runs.tables[0]
    assert {*done} == {"seed", "status", "minutes", "codes.c1.mi", "held_out.accuracy", "held_out.n", "error"}
    assert [done[name] for name in ("seed", "codes.c1.mi", "held_out.accuracy", "held_out.n")] == [
        "2",
        "2.25",
        "0.75",
        "7",
    ]
    assert failed["held_out.accuracy"] == ""


def test_a_finished_run_is_skipped(runs):
    """Only what failed runs again, and the skipped one keeps its numbers."""
    first, second = runs.tables
    assert [row["status"] for row in second] == ["failed", "skipped"]
    assert {**second[1], "status": "done"} == first[1]
    assert "training with seed 2" not in runs.texts[1]


def test_a_run_that_another_batch_has_in_hand_is_left_to_it(tmp_path, capsys):
    """No kernel is started here; the table says how that run ended, if it has by then."""
    notebook, out = write_notebook(tmp_path / "tiny.ipynb"), tmp_path / "runs"
    out.mkdir()
    with only_process_in(out, "run"):
        assert batch(notebook, "--out", str(out)) == 0
    assert "tiny.ipynb: running elsewhere" in capsys.readouterr().out
    assert [row["status"] for row in csv.DictReader((out / "runs.csv").open())] == ["running elsewhere"]
    assert [file.name for file in out.iterdir()] == ["runs.csv"]


# ---- in a session


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """run() of a notebook with a bug: (the environment before, the environment after, what was printed)."""
    folder = tmp_path_factory.mktemp("session")
    notebook = write_notebook(folder / "tiny.ipynb", work="def divide(n):\n    return 1 / n\n\ndivide(0)")
    before = dict(os.environ)
    with redirect_stdout(StringIO()) as text, redirect_stderr(text):
        run(notebook, {}, folder / "runs", trace=True)
    return before, dict(os.environ), text.getvalue()


def test_the_environment_of_the_session_is_put_back(session):
    """Else a training that is started later believes that it is part of a batch."""
    before, after, _ = session
    assert after == before


def test_a_traceback_is_printed_where_it_is_asked_for(session):
    """The function that failed, and a line that names the executed notebook."""
    assert "divide(n)" in session[2]
    assert "runs/tiny.ipynb: failed ZeroDivisionError" in session[2]


def test_a_traceback_is_not_printed_otherwise(runs):
    assert "Traceback" not in runs.texts[0]


# ---- interrupted


def test_ctrl_c_lets_the_cell_write_its_checkpoint(tmp_path, capsys):
    """The interrupt reaches the kernel, which is given time, and the run does not count as finished."""
    notebook, out = write_notebook(tmp_path / "slow.ipynb", work=SLOW), tmp_path / "runs"

    def interrupt_once_started():
        end = time.monotonic() + 60
        while not (out / "started").exists():
            if time.monotonic() > end:
                return
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt_once_started, daemon=True)
    thread.start()
    assert batch(notebook, "--out", str(out)) == 130
    thread.join()
    assert (out / "checkpoint").exists()
    assert "infogan_batch" not in json.loads((out / "slow.ipynb").read_text())["metadata"]
    assert "interrupted after 0 of 1 runs; the same command goes on" in capsys.readouterr().err


# ---- the printed table

ROWS = [
    {"seed": 0, "status": "done", "minutes": 4.0, "codes.c1.mi": 2.2, "held_out.accuracy": 0.8, "held_out.n": 1000},
    {"seed": 1, "status": "failed", "minutes": 0.1, "error": "ValueError: no"},
    {"seed": 2, "status": "skipped", "minutes": 5.0, "codes.c1.mi": 2.3, "held_out.accuracy": 0.9, "held_out.n": 1000},
]


def test_the_printed_table_averages_finished_runs_and_says_how_many():
    """Two of three finished."""
    summary = [line.split() for line in to_text(ROWS, width=100).splitlines()]
    assert ["count", "mean", "min", "max"] in summary
    assert ["held_out.accuracy", "2", "0.85", "0.8", "0.9"] in summary


def test_one_run_has_no_mean():
    """Of one number there is none."""
    assert "mean" not in to_text(ROWS[:2], width=100)


def test_a_narrow_terminal_keeps_the_accuracy():
    """It comes first, counts are left to the CSV."""
    header = to_text(ROWS[:1], width=42).splitlines()[0]
    assert header.split() == ["seed", "status", "minutes", "held_out.accuracy"]

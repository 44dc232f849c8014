"""A study from its configs to its file: what goes on, what is refused, what fails alone."""

import dataclasses
import json
from functools import partial
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

import infogan_core as ig
from helpers import tiny
from infogan_core.studies import run as studies
from infogan_core.studies.command import study


@pytest.fixture
def toy(monkeypatch, tmp_path):
    """A study of two seeds of a tiny config, in this process, with everything that it writes below tmp_path."""
    monkeypatch.setattr(studies, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(studies, "EVIDENCE", tmp_path / "evidence")
    monkeypatch.setattr(studies, "each", lambda call, jobs, scheduler: enumerate(map(call, jobs)))
    monkeypatch.setattr(studies, "evaluate", partial(ig.evaluate, samples=200))
    entry = studies.Study((tiny().replace(profile="toy"),), studies.digits, seeds=(0, 1), source="embedded")
    monkeypatch.setattr(studies, "STUDIES", {"toy": entry})
    return entry


def test_a_study_trains_measures_writes_and_then_only_loads(toy, tmp_path, monkeypatch):
    file = studies.make("toy", "nowhere")
    report = json.loads(file.read_text())
    assert [(r["profile"], r["seed"], r["steps"]) for r in report["runs"]] == [("toy", 0, 12), ("toy", 1, 12)]
    assert all(0 <= r["accuracy"] <= 1 and len(r["mi"]) == 3 for r in report["runs"])
    assert report["conditions"]["n_images"] == 4000
    monkeypatch.setattr(studies, "evaluate", lambda *_, **__: pytest.fail("measured again"))
    runs = list(tmp_path.glob("runs/toy/*/weights.safetensors"))
    before = [path.stat().st_mtime_ns for path in runs]
    assert json.loads(studies.make("toy", "nowhere").read_text()) == report
    assert [path.stat().st_mtime_ns for path in runs] == before
    assert len(before) == 2


def test_a_stopped_run_goes_on_and_an_unmeasured_one_is_measured(toy, digits, tmp_path):
    config = toy.configs[0].replace(seed=1).for_images(digits)
    ig.train(config, digits, tmp_path / "runs" / "toy" / "toy,seed=1", until=5)
    ig.train(config.replace(seed=0), digits, tmp_path / "runs" / "toy" / "toy,seed=0")
    runs = json.loads(studies.make("toy", "").read_text())["runs"]
    assert [r["seed"] for r in runs] == [0, 1]
    steps = [r["step"] for r in ig.load_run(tmp_path / "runs" / "toy" / "toy,seed=1").records]
    assert steps == [4, 8, 12]


def test_a_finished_run_of_other_settings_is_refused_and_the_others_are_made(toy, digits, tmp_path, capsys):
    other = toy.configs[0].replace(slope=0.3).for_images(digits)
    ig.train(other, digits, tmp_path / "runs" / "toy" / "toy,seed=0")
    with pytest.raises(RuntimeError, match=r"1 of 2 runs failed.*toy,seed=0: .*slope is 0\.3 there, 0\.1 here"):
        studies.make("toy", "")
    assert (tmp_path / "runs" / "toy" / "toy,seed=1" / "metrics.json").is_file()
    assert not (tmp_path / "evidence").exists()


def test_a_bug_in_a_job_is_not_taken_for_a_failed_run(toy, monkeypatch):
    monkeypatch.setattr(studies, "each", lambda *_: [(0, TypeError("a bug"))])
    with pytest.raises(TypeError, match="a bug"):
        studies.make("toy", "")


@pytest.mark.parametrize("error", [ValueError, OSError, RuntimeError, FloatingPointError])
def test_a_study_that_fails_does_not_keep_the_others_from_being_made(monkeypatch, error):
    made = []

    def make(name, source):
        if name == "ablations":
            raise error("a run failed")
        made.append((name, source))
        return name

    monkeypatch.setattr(studies, "make", make)
    done = CliRunner().invoke(study, ["--source", "path"])
    assert done.exit_code == 1
    assert made == [(name, "path") for name in studies.STUDIES if name != "ablations"]
    assert "error: ablations: a run failed" in done.output.splitlines()


def test_the_command_says_how_it_ended(monkeypatch):
    monkeypatch.setattr(studies, "make", lambda name, source: name)
    assert CliRunner().invoke(study, ["sprites"]).exit_code == 0
    refused = CliRunner().invoke(study, ["figure1", "figure9"])
    assert isinstance(refused.exception, ValueError)
    assert "unknown study 'figure9': did you mean 'figure1'?" in str(refused.exception)
    monkeypatch.setattr(studies, "make", lambda name, source: (_ for _ in ()).throw(KeyboardInterrupt))
    assert CliRunner().invoke(study, []).exit_code == 130


def test_help_names_every_study():
    text = CliRunner().invoke(study, ["--help"]).output
    assert all(name in text for name in studies.STUDIES)


def test_l_i_over_training_is_read_from_every_seed():
    def run(profile, line):
        records = [{"step": 50 * (i + 1), "mi": [mi, 0.0, 0.0]} for i, mi in enumerate(line)]
        return SimpleNamespace(config=SimpleNamespace(profile=profile), records=records)

    runs = [run("infogan", [1.0, 2.0, 2.2]), run("infogan", [1.5, 2.26, 2.3]), run("gan", [0.6, 0.3, 0.1])]
    found = studies.mi_over_training(runs, None)["read"]
    assert found["infogan"]["within_100"] == pytest.approx({"mean": 2.13, "min": 2.0, "max": 2.26, "n": 2})
    assert found["infogan"]["last"] == pytest.approx({"mean": 2.25, "min": 2.2, "max": 2.3, "n": 2})
    assert (found["gan"]["peak"]["max"], found["gan"]["last"]["mean"]) == (0.6, 0.1)


def test_signals_are_judged_by_the_accuracy_of_what_they_choose(smoke_run, digits, tmp_path):
    """Two runs that read alike and differ in what is said of them: the one with more information errs more."""
    report = ig.evaluate(dataclasses.replace(smoke_run), digits, tmp_path, samples=200)
    worse = report | {"held_out": report["held_out"] | {"accuracy": 0.25}}
    worse["real"] = report["real"] | {"mi": report["real"]["mi"] + 1}
    better = report | {"held_out": report["held_out"] | {"accuracy": 0.75}}
    found = studies.signals([dataclasses.replace(smoke_run, report=of) for of in (better, worse)], digits)["signals"]
    assert found["agreement"]["values"] == pytest.approx([1.0, 1.0])
    assert found["information"]["values"] == [better["real"]["mi"], worse["real"]["mi"]]
    assert (found["information"]["spearman"], found["information"]["regret"]) == pytest.approx((-1, 0.5))


def test_conditions_that_differ_stand_beside_each_other():
    env = dict.fromkeys(("data", "note", "n_images", "device", "precision", "threads", "torch"), 1)
    found = studies.conditions([SimpleNamespace(env=env), SimpleNamespace(env=env | {"threads": 2})])
    assert found == env | {"threads": "1 or 2"}

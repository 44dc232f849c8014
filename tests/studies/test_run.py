"""The studies: which runs they are, what is read from them, and the tables that say so."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest

import infogan_core as ig
from infogan_core.studies import run as evidence
from infogan_core.studies import study_tables
from infogan_core.studies.plots import codes_sheet, figure1, judged, seeds_sheet


def run(seed, line):
    records = [{"step": 50 * (i + 1), "mi": [mi, 0.0, 0.0]} for i, mi in enumerate(line)]
    return SimpleNamespace(config=SimpleNamespace(seed=seed), records=records)


def test_figure_1_is_read_from_every_seed():
    runs = {"infogan": [run(0, [1.0, 2.0, 2.2]), run(1, [1.5, 2.26, 2.3])], "gan": [run(0, [0.6, 0.3, 0.1])]}
    figure, numbers = figure1(runs)
    assert numbers["infogan"]["within_100"] == pytest.approx({"mean": 2.13, "min": 2.0, "max": 2.26, "n": 2})
    assert numbers["infogan"]["last"] == pytest.approx({"mean": 2.25, "min": 2.2, "max": 2.3, "n": 2})
    assert numbers["gan"]["peak"]["max"] == 0.6
    assert numbers["gan"]["last"]["mean"] == 0.1
    assert numbers["infogan"]["seeds"] == [0, 1]
    assert len(figure.axes[0].lines) == 3 + 1  # the seeds, and the ceiling


@pytest.mark.parametrize("name", evidence.STUDIES)
def test_a_study_is_a_run_per_profile_and_seed(name):
    study = evidence.STUDIES[name]
    jobs = evidence.batch.plan(*study.plan(Path("out"), "path/to/mnist"))
    assert len(jobs) == len(study.profiles) * len(study.seeds)
    assert all(ig.preset(study.dataset, profile).profile == profile for profile in study.profiles)
    assert {job.parameters["weights"] for job in jobs} == {"train"}
    assert {job.parameters["source"] for job in jobs} == {study.source or "path/to/mnist"}


def test_an_unknown_study_is_refused_before_anything_runs(capsys):
    assert evidence.main(["figure9"]) == 2
    assert "unknown study 'figure9': did you mean 'figure1'?" in capsys.readouterr().err


def test_a_study_that_fails_does_not_keep_the_others_from_being_made(monkeypatch, capsys):
    made = []

    def make(name, source):
        if name == "choices":
            raise RuntimeError("a run of it failed")
        made.append(name)

    monkeypatch.setattr(evidence, "make", make)
    assert evidence.main([]) == 1
    assert made == [name for name in evidence.EVIDENCE if name != "choices"]
    assert "error: choices: a run of it failed" in capsys.readouterr().err


def test_a_finished_run_of_other_settings_is_not_passed_off_as_todays():
    today = ig.preset("mnist", "quick", seed=3, batch=100)  # few pictures: a small batch
    run = {"path": "outputs/seed=3", "env": {"n_images": 100}}
    evidence.check_settings(SimpleNamespace(config=today, **run))
    for other in (today.replace(slope=0.3), today.replace(batch=64)):
        with pytest.raises(RuntimeError, match="outputs/seed=3 was made by an earlier quick: move it away"):
            evidence.check_settings(SimpleNamespace(config=other, **run))


def finished(profile, seed, accuracy):
    real = {"mi": accuracy, "confidence": 1.0, "balance": 2.3, "stability": 0.9}
    base = {"profile": profile, "seed": seed, "steps": 3000, "batch": 128, "minutes": 4.0, "mi": [2.3, -0.3, -0.3]}
    return (
        base
        | {"nmi": 0.8, "n": 10000}
        | {"accuracy": accuracy, "slant": 1.0, "thickness": 0.9, "width": 0.8, "frechet": 30.0, "real": real}
    )


CONDITIONS = {"data": "digits", "n_images": 60000, "device": "CPU", "precision": "float32", "threads": 1, "torch": "2"}


def test_the_table_of_choices_gives_mean_range_and_the_share_of_good_seeds():
    runs = [finished("open", 0, 0.95), finished("open", 1, 0.85), finished("open-no-ema", 0, 0.5)]
    text = study_tables.choices({"conditions": CONDITIONS, "runs": runs})
    assert "| average of G | decay 0.99 | 2 | 10.0% (5.0% to 15.0%) | 1 of 2 | 0.80 | 2.300 | -0.300 | -0.300 |" in text
    assert "|  | none | 1 | 50.0% | 0 of 1 |" in text
    assert "3 runs of 3,000 steps; digits; CPU, float32, 1 thread(s), torch 2; 4.0 minutes" in text


def test_the_page_of_seeds_gives_the_mean_and_every_seed():
    signals = {"information": {"spearman": 1.0, "regret": 0.0}}
    runs = [finished("quick", 0, 0.97), finished("quick", 1, 0.87)]
    text = study_tables.seeds({"conditions": CONDITIONS, "runs": runs, "signals": signals})
    assert "Mean error 8.0% (asked: 10%); 1 of 2 seeds at 90% or better" in text
    assert "| 1 | 13.0% | 0.80 | 2.300 | 1.00 | 0.90 | 0.80 | 4.0 |" in text
    assert "| information | 1.00 | 0.0% |" in text


def test_the_table_of_digits_gives_every_seed_its_share():
    runs = [finished("quick", 0, 0.97), finished("quick", 1, 0.87)]
    row = study_tables.digits_row("`quick`", {"conditions": CONDITIONS, "runs": runs})
    assert row[:6] == ["`quick`", "60,000", "0 to 1", "3,000 x 128, 4", "**8.0% (3.0% to 13.0%)** of 10,000", "1 of 2"]
    assert row[6:] == ["2.300", "1.00", "0.90", "0.80"]
    assert len(row) == len(study_tables.DIGIT_HEADS)


def test_the_table_of_parts_names_what_was_taken_out():
    runs = [
        {"profile": p, "frechet": f, "score": 0.5, "categorical": 9.0, "digit": 0.1, "minutes": 6.0, "steps": 9}
        for p, f in (("short", 20.0), ("short", 24.0), ("without-average", 40.0))
    ]
    text = study_tables.parts({"conditions": CONDITIONS, "runs": runs})
    assert "| taken out | n | Frechet, times real | score, of real |" in text
    assert "| nothing | 2 | 22.0 (20.0 to 24.0) | 50% | 9.00 | 0.10 | 6.0 |" in text
    assert "| average of G | 1 | 40.0 | 50% | 9.00 | 0.10 | 6.0 |" in text


LATENTS = SimpleNamespace(codes=(ig.Categorical(10), ig.Categorical(10), ig.Uniform()))


def test_a_run_on_house_numbers_says_what_the_tables_need():
    codes = {"c1": {"mi": 2.0}, "c2": {"mi": 2.1}, "c3": {"mi": 0.4, "brightness": -0.9}}
    read = {"c1": {"mi": {"digit": 0.3}}, "c2": {"mi": {"digit": 0.1}}, "c3": {"mi": {"digit": 0.0}}}
    numbers = {"codes": codes, "quality": {"ratio": 20.0, "score": {"share": 0.5}}, "meaning": {"codes": read}}
    found = evidence.pictures(SimpleNamespace(config=SimpleNamespace(latents=LATENTS), report=numbers))
    expected = {"frechet": 20.0, "score": 0.5, "light": 0.9, "digit": 0.3}
    assert found == expected | {"categorical": pytest.approx(4.1)}


def test_a_run_on_faces_says_what_the_tables_need():
    numbers = {"codes": {"c1": {"mi": 2.0}, "c2": {"mi": 2.1}, "c3": {"mi": 0.4}}}
    numbers |= {"quality": {"ratio": 20.0}, "meaning": {"families": {"n": 3}}}
    found = evidence.pictures(SimpleNamespace(config=SimpleNamespace(latents=LATENTS), report=numbers))
    assert found == {"frechet": 20.0, "categorical": pytest.approx(4.1), "families": 3}


def test_known_truths_stand_beside_what_the_literature_says_of_sprites():
    runs = [{"steps": 9, "minutes": 1.0} | dict.fromkeys(study_tables.SCORES, score) for score in (0.25, 0.75)]
    text = study_tables.truth({"sprites": {"conditions": CONDITIONS, "runs": runs}})
    assert "| digits | 2 | 0.50 (0.25 to 0.75) |" in text
    assert "| InfoGAN as tuned by Lin et al. 2020, 50 runs |  | 0.82 | 0.22 | 0.60 |" in text


@pytest.fixture(scope="module")
def measured(smoke_run, digits, tmp_path_factory):
    """The smoke run as evaluate() leaves it; the shared one is not changed."""
    run = dataclasses.replace(smoke_run)
    ig.evaluate(run, digits, tmp_path_factory.mktemp("measured"), samples=200)
    return run


def test_a_run_says_what_the_tables_need(measured):
    found = evidence.common(measured) | evidence.digits(measured)
    assert found["accuracy"] == measured.report["held_out"]["accuracy"]
    assert found["slant"] == max(abs(measured.report["codes"][code]["slant"]) for code in ("c2", "c3"))
    assert found["frechet"] == measured.report["quality"]["ratio"] > 1
    assert len(found["mi"]) == 3
    assert evidence.conditions([measured, measured])["data"] == measured.env["data"]
    assert study_tables.choices({"conditions": evidence.conditions([measured]), "runs": [found]})


def test_signals_are_judged_by_the_accuracy_that_they_choose(measured, digits):
    """Two runs that read alike and differ in what is said of them: the one that tells more errs more."""
    report = measured.report
    worse = report | {"held_out": report["held_out"] | {"accuracy": 0.25}}
    worse["real"] = report["real"] | {"mi": report["real"]["mi"] + 1}
    better = report | {"held_out": report["held_out"] | {"accuracy": 0.75}}
    found = judged([dataclasses.replace(measured, report=of) for of in (better, worse)], digits)
    assert found["agreement"]["values"] == pytest.approx([1.0, 1.0])
    assert found["information"]["values"] == [better["real"]["mi"], worse["real"]["mi"]]
    assert (found["information"]["spearman"], found["information"]["regret"]) == pytest.approx((-1, 0.5))


def test_all_seeds_are_in_one_picture_with_their_errors(smoke_run):
    runs = [dataclasses.replace(smoke_run, report={"held_out": {"error": error}}) for error in (0.5, 0.02, 0.1)]
    titles = [axes.get_title() for axes in seeds_sheet(runs).axes if axes.get_title()]
    assert titles == ["seed 0: 50.0% error", "seed 0: 2.0% error", "seed 0: 10.0% error"]


def test_every_code_of_every_seed_is_in_one_picture_that_says_rendered(smoke_run):
    runs = [dataclasses.replace(smoke_run, env={"note": "rendered, not the dSprites file"})] * 2
    figure = codes_sheet(runs)
    assert [axes.get_title() for axes in figure.axes] == ["seed 0", "seed 0"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["c1", "c2", "c3"]
    assert figure.axes[0].images[0].get_array().shape[:2] == (3 * 30 - 2, 10 * 30 - 2)
    assert figure.get_supxlabel() == "each row turns one code, all else held; rendered, not the dSprites file"

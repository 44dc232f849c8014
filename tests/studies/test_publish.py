"""A published set from nothing: what is trained, measured, copied and said, and what is refused."""

import dataclasses
import json
import re
import shutil
from functools import partial

import pytest

import infogan_core as ig
from helpers import ROOT, tiny
from infogan_core.__main__ import main
from infogan_core.device import environment
from infogan_core.files import check_sums
from infogan_core.measure.evaluate import evaluate
from infogan_core.recipes.presets import PUBLISHED_RUNS
from infogan_core.recipes.profile import Profile
from infogan_core.runs import read_config
from infogan_core.studies import publish as publishing
from infogan_core.studies import run as studies
from infogan_core.studies.card import card, read_notes
from infogan_core.training import train as training

EARLIER = {  # folders that an earlier recipe or an earlier env.json made; whoever trains one anew takes it out
    "mnist/noise=uniform": "config is not that of profile paper",
}
FOLDERS = sorted(
    str(file.parent.relative_to(ROOT / "outputs" / "published"))
    for file in (ROOT / "outputs" / "published").glob("*/**/config.json")
)
HERE = {"commit": "c" * 40, "dirty": False, "torch": "2", "device": "CPU"}


def lay_out(root, patch):
    """A published set of two seeds that train in a second, from a clean checkout; all is written below `root`."""
    config, folder = tiny(checkpoint_every=6).replace(profile="toy"), root / "published" / "toy"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        (folder / "notes.md").write_text("What is ours.\n\n---\n\n- What fails.\n")
    patch.setitem(ig.PRESETS["mnist"], "toy", Profile(config, "a second", {"held_out.accuracy": 0.99}))
    patch.setattr(publishing, "PUBLISHED_RUNS", {"toy": ("mnist", "toy", (0, 1))})
    patch.setattr(publishing, "RUNS", root / "runs")
    patch.setattr(publishing, "PUBLISHED", folder.parent)
    patch.setattr(studies, "evaluate", partial(evaluate, samples=200))
    for module in (publishing, training):
        patch.setattr(module, "environment", lambda *about: environment(*about) | HERE)
    return folder


@pytest.fixture
def toy(monkeypatch, tmp_path):
    """Nothing is trained yet."""
    return lay_out(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What one call leaves, not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        folder = lay_out(tmp_path_factory.mktemp("made"), patch)
        assert publishing.make("toy", "embedded") == folder
    return folder.parents[1]


@pytest.fixture
def set_of_two(made, monkeypatch, tmp_path):
    """A copy of that."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return lay_out(tmp_path, monkeypatch)


def change_env(folder, **changes):
    """What planting a fault in a run takes: its env.json, with no checksum to tell."""
    (folder / "SHA256SUMS").unlink(missing_ok=True)
    env = json.loads((folder / "env.json").read_text())
    (folder / "env.json").write_text(json.dumps(env | changes))


def test_a_set_is_trained_measured_copied_and_described(set_of_two):
    for folder, seed in ((set_of_two, 0), (set_of_two / "seed=1", 1)):
        run = ig.load_run(folder)
        check_sums(folder)
        publishing.check_run(folder)
        assert (run.config.seed, run.records[-1]["step"], run.report["held_out"]["n"]) == (seed, 12, 1000)
        assert not (folder / "checkpoint.pt").exists()
        for picture in ("samples.png", "curves.png", "traversals/c1.png", "traversals/c3.png"):
            assert (folder / picture).is_file()


def test_the_cards_numbers_and_links_are_those_of_the_files(set_of_two):
    text = (set_of_two / "README.md").read_text()
    for folder in (set_of_two, set_of_two / "seed=1"):
        report = json.loads((folder / "metrics.json").read_text())
        assert f"{report['held_out']['accuracy']:.1%} (missed)" in text
        assert f"{report['quality']['noise']:.1%}" in text
        assert all(f"{code['mi']:.3f}" in text for code in report["codes"].values())
    assert HERE["commit"][:12] in text
    assert "What is ours." in text
    assert text.rstrip().endswith("- What fails.")
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (set_of_two / link).is_file() or link.startswith("../features/"), link
    assert len(text.split()) < 650
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {5, 7}  # of the numbers, and of the codes


def test_a_second_call_trains_nothing_and_takes_new_notes(set_of_two, monkeypatch):
    monkeypatch.setattr(studies, "train", lambda *_, **__: pytest.fail("trained again"))
    (set_of_two / "notes.md").write_text("Ours.\n---\n- Seen by eye.\n")
    before = (set_of_two / "weights.safetensors").read_bytes()
    publishing.make("toy", "no source is needed")
    assert (set_of_two / "weights.safetensors").read_bytes() == before
    assert "- Seen by eye." in (set_of_two / "README.md").read_text()


def test_a_stopped_training_goes_on_and_a_failed_one_publishes_nothing(toy, made, digits, monkeypatch):
    def measure(run, images, out):  # from what was measured before
        if run.config.seed == 0 and broken:
            raise FloatingPointError("it broke")
        shutil.copy(made / "runs" / "toy" / out.name / "metrics.json", out)

    monkeypatch.setattr(studies, "evaluate", measure)
    ig.train(ig.preset("mnist", "toy", seed=1), digits, publishing.RUNS / "toy" / "seed=1", until=6)
    broken = True
    with pytest.raises(RuntimeError, match=r"1 of 2 runs failed.*it broke"):
        publishing.make("toy", "embedded")
    assert [path.name for path in toy.iterdir()] == ["notes.md"]
    broken = False
    publishing.make("toy", "embedded")
    stretches = json.loads((toy / "seed=1" / "env.json").read_text())["stretches"]
    assert [(of["from"], of["to"]) for of in stretches] == [(0, 6), (6, 12)]


@pytest.mark.parametrize("name", PUBLISHED_RUNS)
def test_a_published_set_is_one_experiment_and_its_card_is_made_from_its_files(name):
    """Whoever changes a run, its notes or the card by hand is told here: `make results`."""
    folder = ROOT / "outputs" / "published" / name
    folders = [folder, *folder.glob("seed=*")]
    assert sorted(read_config(of).seed for of in folders) == sorted(PUBLISHED_RUNS[name][2])
    publishing.check_set(folders)
    assert (folder / "README.md").read_text() == card(folder)


@pytest.mark.parametrize(
    ("here", "complaint"),
    [({"dirty": True}, "differs from its commit"), ({"commit": None, "dirty": None}, "needs a git checkout")],
)
def test_a_checkout_that_env_json_cannot_name_is_refused_before_training(toy, monkeypatch, capsys, here, complaint):
    monkeypatch.setattr(publishing, "environment", lambda *_: HERE | here)
    assert main(["publish", "toy", "embedded"]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
    assert not publishing.RUNS.exists()


def test_pictures_of_ones_own_stand_ins_and_sets_without_notes_are_refused(toy, tmp_path):
    images = ig.load_images("mnist")
    for wrong in ({"kind": "own"}, {"stand_in_note": "rendered, not MNIST"}):
        with pytest.raises(ValueError, match="genuine data set"):
            publishing.check_genuine(dataclasses.replace(images, **wrong), tiny().replace(profile="toy"))
    with pytest.raises(ValueError, match="60,000 pictures or more"):
        publishing.check_genuine(images, ig.preset("mnist", "paper"))
    (toy / "notes.md").unlink()
    with pytest.raises(ValueError, match=r"notes\.md must hold"):
        publishing.make("toy", "embedded")
    with pytest.raises(ValueError, match="unknown published data set 'tooy': did you mean 'toy'"):
        publishing.make("tooy", "embedded")


def test_a_run_begun_at_another_commit_is_refused_before_it_goes_on(toy, digits):
    begun = publishing.RUNS / "toy" / "seed=0"
    run = ig.train(ig.preset("mnist", "toy"), digits, begun, until=6)
    change_env(begun, stretches=[of | {"commit": "d" * 40} for of in run.env["stretches"]])
    with pytest.raises(ValueError, match=r"seed=0 and this checkout differ in commit"):
        publishing.make("toy", "embedded")
    assert ig.load_run(begun).records[-1]["step"] == 4


@pytest.fixture
def finished(set_of_two):
    return ig.load_run(publishing.RUNS / "toy" / "seed=0")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"dirty": True}, "code that differs"),
        ({"dirty": None}, "code that differs"),
        ({"from": 4}, "not trained from step 0"),
        ({"to": 8}, "not trained from step 0 to 12"),
    ],
)
def test_a_run_of_changed_code_or_of_an_earlier_run_is_refused(finished, change, complaint):
    change_env(finished.path, stretches=[finished.env["stretches"][0] | change])
    with pytest.raises(ValueError, match=complaint):
        publishing.check_run(finished.path)


@pytest.mark.parametrize("key", publishing.SAME_IN_A_SET)
def test_a_run_of_two_commits_machines_or_precisions_is_refused(finished, key):
    first = finished.env["stretches"][0] | {"to": 6}
    change_env(finished.path, stretches=[first, first | {"from": 6, "to": 12}])
    publishing.check_run(finished.path)
    change_env(finished.path, stretches=[first, first | {"from": 6, "to": 12, key: "another"}])
    with pytest.raises(ValueError, match=f"has one {key}"):
        publishing.check_run(finished.path)


def test_a_run_of_another_config_than_its_profiles_is_refused(finished):
    (finished.path / "config.json").write_text(finished.config.replace(slope=0.2).to_json())
    with pytest.raises(ValueError, match="not that of profile toy"):
        publishing.check_run(finished.path)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_published_run_is_what_its_profile_gives_from_step_0(folder):
    path = ROOT / "outputs" / "published" / folder
    if folder in EARLIER:
        with pytest.raises(ValueError, match=EARLIER[folder]):
            publishing.check_run(path)
    else:
        publishing.check_run(path)


def test_each_published_set_has_its_notes():
    for name in publishing.PUBLISHED_RUNS:
        assert all(read_notes(publishing.PUBLISHED / name / "notes.md"))

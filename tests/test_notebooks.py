"""The notebooks: valid, thin, stripped, of one skeleton; and executed, by papermill and by nbval."""

import ast
import base64
import inspect
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import nbformat
import numpy as np
import pytest
from PIL import Image

import infogan_core as ig
from helpers import ROOT
from infogan_core.batch import notebook_parameters
from pictures import refused

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DATASETS = [path for path in NOTEBOOKS if path.stem != "gallery"]  # the gallery has sliders and nothing else
PARAMETERS = ["profile", "weights", "source", "skip_bad", "seed", "device", "out"]
IDS = ["imports", "parameters", "preset", "data", "networks", "updates", "train", "curves", "samples", "numbers"]
IDS += ["sheets", "explorer", "save"]
BOUND = ["bound", "log-q"]  # the source behind the derivation, which mnist.ipynb alone has
WORDS = 120  # of text between two code cells


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def execute(name, out, **parameters):
    """A notebook through the command of the Makefile."""
    command = [sys.executable, "-m", "infogan_core.batch", f"notebooks/{name}.ipynb", "--out", str(out)]
    for key, value in parameters.items():
        command += ["-p", key, str(value)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def test_it_is_valid_and_stripped(notebook):
    nbformat.validate(notebook)
    assert all(not cell.outputs and cell.execution_count is None for cell in code_cells(notebook))


def test_it_is_thin(notebook):
    """At most 15 code cells of 15 lines. They define nothing and import only the suite."""
    assert len(code_cells(notebook)) <= 15
    for cell in code_cells(notebook):
        assert cell.source.count("\n") < 15
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda))
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                assert ast.unparse(node) == "import infogan_core as ig"


@pytest.mark.parametrize("notebook", DATASETS, ids=lambda path: path.stem, indirect=True)
def test_its_parameters_are_literals_of_the_agreed_names(notebook):
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    names = [notebook_parameters.read_literal(statement)[0] for statement in ast.parse(cell.source).body]
    assert names == PARAMETERS


@pytest.mark.parametrize("notebook", DATASETS, ids=lambda path: path.stem, indirect=True)
def test_its_code_cells_are_the_skeletons(notebook):
    ids = [cell.id for cell in code_cells(notebook)]
    assert [name for name in ids if name not in BOUND] == IDS


def test_a_student_reads_little_between_two_code_cells(notebook):
    words = 0
    for cell in notebook.cells:
        words = 0 if cell.cell_type == "code" else words + len(cell.source.split())
        assert words <= WORDS, cell.id


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_links_to_a_heading_lead_there(path):
    """In JupyterLab a heading's anchor is its text with hyphens for spaces."""
    targets = re.findall(r"\]\((\w+\.ipynb)?#([^)]+)\)", path.read_text())
    assert targets or path.stem == "gallery"
    for name, anchor in targets:
        text = "\n".join(cell.source for cell in nbformat.read(path.parent / (name or path.name), as_version=4).cells)
        assert anchor in [heading.replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.M)]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The MNIST notebook in the smoke profile, as make mnist PROFILE=smoke executes it."""
    out = tmp_path_factory.mktemp("executed")
    done = execute("mnist", out, profile="smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    return out, done.stdout


def test_papermill_leaves_a_whole_run(executed):
    out, _ = executed
    names = {
        "config.json",
        "env.json",
        "metrics.jsonl",
        "metrics.json",
        "checkpoint.pt",
        "weights.safetensors",
        "SHA256SUMS",
    }
    assert names | {"mnist.ipynb", "runs.csv", "traversals"} == {path.name for path in out.iterdir()}
    assert {path.name for path in (out / "traversals").iterdir()} == {"c1.png", "c2.png", "c3.png"}


def test_its_numbers_are_sane(executed):
    out, _ = executed
    report = json.loads((out / "metrics.json").read_text())
    assert report["held_out"]["n"] == 1000
    assert 0.1 <= report["held_out"]["accuracy"] < 0.8  # 60 steps teach next to nothing
    assert report["codes"]["c1"]["mi"] < report["codes"]["c1"]["ceiling"] == pytest.approx(2.3026, abs=1e-4)
    records = [json.loads(line) for line in (out / "metrics.jsonl").open()]
    assert records[0]["loss_d"] == pytest.approx(2 * 0.6931, abs=0.05)  # D starts blind
    assert records[-1]["mi"][0] > records[0]["mi"][0] + 0.05


def test_a_batch_run_prints_about_20_rows_and_where_to_look(executed):
    out, printed = executed
    assert 10 <= len(re.findall(r"^ +\d+ +\d+\.\d ", printed, re.M)) <= 25
    assert "c1 on 1,000 held-out images" in printed
    assert str(out) in printed


def test_the_executed_copy_shows_pictures_where_widgets_do_not_run(executed):
    out, _ = executed
    outputs = {cell.id: cell.outputs for cell in code_cells(nbformat.read(out / "mnist.ipynb", as_version=4))}
    shown = [(cell, o.data) for cell, outs in outputs.items() for o in outs if "data" in o]
    stills = [(cell, data) for cell, data in shown if "image/png" in data]
    assert list(dict.fromkeys(cell for cell, _ in stills)) == ["data", "curves", "samples", "sheets", "explorer"]
    assert [cell for cell, _ in stills].count("sheets") == 3
    for _, data in stills:
        picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
        assert picture.convert("L").getextrema()[0] < picture.convert("L").getextrema()[1]
    assert not any("Box(children" in data.get("text/plain", "") for _, data in shown)


def test_the_finished_run_opens_again_under_nbval(executed, tmp_path):
    """Every cell of a copy that loads the finished run executes without an error."""
    out, _ = executed
    notebook = nbformat.read(ROOT / "notebooks" / "mnist.ipynb", as_version=4)
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    cell.source = cell.source.replace('profile = "quick"', 'profile = "smoke"')
    cell.source = cell.source.replace('weights = "train"', f"weights = {str(out)!r}")
    nbformat.write(notebook, tmp_path / "copy.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider", "copy.ipynb"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert f"{len(code_cells(notebook))} passed" in done.stdout


@pytest.mark.parametrize(
    ("weights", "profile", "message"),
    [
        ("publishd", "quick", 'weights must be "train", "published" or a run directory, found \'publishd\''),
        ("published", "quik", "quik"),
        ("published", "paper", 'published svhn run has profile "quick": set profile = "quick" .* weights = "train"'),
    ],
)
def test_what_cannot_be_loaded_is_refused_in_words(weights, profile, message):
    with refused((ValueError, FileNotFoundError), message):
        ig.config_for(weights, "svhn", profile, 0)


def test_a_loaded_run_of_another_seed_says_so(capsys):
    ig.config_for("published", "celeba", "quick", 0)
    assert not capsys.readouterr().out
    assert ig.config_for("published", "celeba", "quick", 3).seed == 0
    assert 'profile "quick" and seed 0' in capsys.readouterr().out


def test_the_default_profile_takes_what_is_published(capsys):
    assert ig.config_for("published", "mnist", "quick", 0).profile == "paper"
    assert 'profile "paper" and seed 2' in capsys.readouterr().out


def test_another_published_profile_is_loaded_by_its_name(capsys):
    assert ig.config_for("published", "celeba", "quick64", 0).image_size == 64
    assert not capsys.readouterr().out


def test_a_run_directory_of_another_profile_says_so(capsys, smoke_run):
    assert ig.config_for(str(smoke_run.path), "mnist", "quick", 0).profile == "smoke"
    assert 'profile "smoke" and seed 0' in capsys.readouterr().out


def test_the_data_line_names_what_a_loaded_run_was_trained_on(blobs, digits, smoke_run):
    config, path = smoke_run.config, str(smoke_run.path)
    assert "trained on them" in ig.about_data(digits, path, config)
    assert digits.name in ig.about_data(blobs, path, config)
    assert 'weights = "train"' in ig.about_data(blobs, path, config)
    assert ig.about_data(blobs, "train", config) == "noise: 256 to train on."
    assert "stand-ins" in ig.about_data(replace(blobs, stand_in_note="rendered, not SVHN"), "train", config)


def test_source_is_the_code_itself_from_the_left_margin():
    assert ig.source(ig.mi_bound).data == inspect.getsource(ig.mi_bound)
    assert ig.source(ig.Uniform.log_q).data.startswith("def log_q(self")


def test_own_colour_pictures_train_with_the_same_notebook(tmp_path):
    """32x32 RGB in an .npz, without labels: the paper's other table, and no accuracy to claim."""
    np.savez(tmp_path / "own.npz", images=np.random.default_rng(0).integers(256, size=(80, 32, 32, 3), dtype=np.uint8))
    done = execute("mnist", tmp_path / "out", profile="smoke", source=tmp_path / "own.npz")
    assert done.returncode == 0, done.stdout + done.stderr
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (config["image_size"], config["channels"]) == (32, 3)
    assert "held_out" not in json.loads((tmp_path / "out" / "metrics.json").read_text())


def test_a_colour_notebook_trains_on_rendered_pictures_that_say_so(tmp_path):
    done = execute("celeba", tmp_path, profile="smoke", weights="train")
    assert done.returncode == 0, done.stdout + done.stderr
    codes = json.loads((tmp_path / "config.json").read_text())["latents"]["codes"]
    assert len(list((tmp_path / "traversals").iterdir())) == len(codes)
    assert json.loads((tmp_path / "env.json").read_text())["note"].startswith("rendered, not ")
    assert json.loads((tmp_path / "metrics.json").read_text())["codes"]["c1"]["mi"] < 2.3026


@pytest.mark.parametrize("name", [path.stem for path in DATASETS])
def test_published_weights_need_no_training(name, tmp_path):
    config = json.loads((ROOT / "outputs" / "published" / name / "config.json").read_text())
    done = execute(name, tmp_path, weights="published", profile=config["profile"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.ipynb", "runs.csv"}
    shown = nbformat.read(tmp_path / f"{name}.ipynb", as_version=4)
    (data,) = [cell for cell in shown.cells if cell.id == "data"]
    env = json.loads((ROOT / "outputs" / "published" / name / "env.json").read_text())
    assert f"The loaded run was trained on: {env['data']}" in data.outputs[0].text

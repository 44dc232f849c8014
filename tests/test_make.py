"""The Makefile: what each target would run. Nothing is installed: make only prints, or calls a program that prints."""

import json
import os
import re
import subprocess
import sys

import pytest

from helpers import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
VARIABLES = ["PYTHON", "SKIP_BAD", "ARGS", *re.findall(r"\$\$\{?([A-Z_]+)", MAKEFILE)]


def make(*words, dry="-n", **environment):
    """The exit code, and the lines that `make -n` prints, joined where a command goes on."""
    inherited = {name: value for name, value in os.environ.items() if "MAKE" not in name and name not in VARIABLES}
    command = ["make", *filter(None, [dry]), *words]
    done = subprocess.run(command, cwd=ROOT, env=inherited | environment, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).replace("\\\n", "")


@pytest.fixture
def program(tmp_path):
    """A target's call: the words that the suite's program gets, and what make prints after it."""
    for name in ("python", "jupyter"):
        (tmp_path / name).write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv))")
        (tmp_path / name).chmod(0o755)

    def call(*words, **environment):
        old = [f"--old-file=.venv/installed{kind}" for kind in ("", "-show", "-site")]  # else make would install
        code, text = make("-s", *old, f"BIN={tmp_path}", *words, dry="", **environment)
        first, _, rest = text.partition("\n")
        assert code == 0, text
        return json.loads(first)[1:], rest

    return call


def test_bare_make_prints_help_and_runs_nothing():
    code, text = make()
    assert code == 0
    assert "/python" not in text
    assert "pip" not in text


def test_help_names_every_target_and_every_variable():
    _, text = make("help")
    _, _, rules = MAKEFILE.partition("endef")
    targets = set(re.findall(r"[a-z][\w-]*", " ".join(re.findall(r"^([a-z][\w -]*):(?!.*=)", rules, re.M)))) - {"help"}
    targets |= set(re.search(r"^NOTEBOOKS := (.+)$", rules, re.M)[1].split())
    assert {"mnist", "share", "bench-sliders"} <= targets
    assert {name for name in targets if not re.search(rf"^make {name} ", text, re.M)} == set()
    assert {"SOURCE", "OUT", "PYTHON"} <= set(VARIABLES)
    assert {name for name in VARIABLES if f"{name}=" not in text} == set()


@pytest.mark.parametrize(
    ("words", "weights", "out", "run"),
    [
        ("mnist", "train", "outputs/mnist", "outputs/mnist"),
        ("mnist WEIGHTS=published", "published", "outputs/mnist-loaded", "outputs/published/mnist"),
        ("mnist PROFILE=paper", "train", "outputs/mnist-paper", "outputs/mnist-paper"),
        ("svhn", "published", "outputs/svhn-loaded", "outputs/published/svhn"),
        ("svhn SEED=0", "published", "outputs/svhn-loaded", "outputs/published/svhn"),
        ("svhn PROFILE=paper", "train", "outputs/svhn-paper", "outputs/svhn-paper"),
        ("celeba SOURCE=my/faces", "train", "outputs/celeba", "outputs/celeba"),
        ("celeba SOURCE=my/faces WEIGHTS=published", "published", "outputs/celeba-loaded", "outputs/published/celeba"),
        ("celeba PROFILE=quick64", "train", "outputs/celeba-quick64", "outputs/celeba-quick64"),
        (
            "celeba PROFILE=quick64 WEIGHTS=published",
            "published",
            "outputs/celeba-loaded",
            "outputs/published/celeba64",
        ),
        ("svhn WEIGHTS=some/run", "some/run", "outputs/svhn-loaded", "some/run"),
        ("svhn PROFILE=paper WEIGHTS=some/run", "some/run", "outputs/svhn-loaded", "some/run"),
        ("svhn OUT=mine PROFILE=smoke", "train", "mine", "mine"),
    ],
)
def test_a_source_or_profile_that_is_named_is_trained_and_what_is_there_is_named(program, words, weights, out, run):
    found, text = program(*words.split())
    assert found[found.index("weights") + 1] == weights
    assert found[found.index("--out") + 1] == out
    assert f"make share RUN='{run}'," in text


def test_variables_of_the_environment_count_as_named(program):
    found, _ = program("celeba", SOURCE="my/faces", OUT="mine")
    assert [found[found.index(name) + 1] for name in ("weights", "source", "--out")] == ["train", "my/faces", "mine"]


def test_share_takes_the_run_that_is_named(program):
    assert program("share", "RUN=outputs/published/svhn")[0][-2:] == ["outputs/published/svhn", "svhn.html"]
    assert program("share", "RUN=mine/", "OUT=a.html")[0][-2:] == ["mine/", "a.html"]


def test_studies_take_all_of_mnist_unless_told(program):
    assert program("study")[0][2:] == ["study", "--source", "download"]
    assert program("study", "STUDY=seeds", "SOURCE=mine")[0][2:] == ["study", "seeds", "--source", "mine"]


ODD = 'my "dir" $HOME `id` $(id) it\'s é数 #x \\n'


@pytest.mark.parametrize("given", ["command", "environment"])
@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("mnist", "SOURCE OUT WEIGHTS"),
        ("share", "RUN OUT"),
        ("share", "RUN"),
        ("site", "OUT"),
        ("features", "DATASET SOURCE OUT"),
        ("study", "STUDY SOURCE"),
    ],
)
def test_what_is_given_reaches_the_program_as_it_is(program, target, names, given):
    """Neither make nor the shell looks into it."""
    odd = dict.fromkeys(names.split(), ODD)
    words, text = program(target, **odd) if given == "environment" else program(target, *map("=".join, odd.items()))
    assert words.count(ODD) == len(odd)
    assert target != "mnist" or f"RUN='{ODD}'" in text


def test_the_flags_of_lab_are_split_as_a_shell_does_and_nothing_else(tmp_path, program):
    """The program that splits them is python itself."""
    (tmp_path / "python").unlink()
    (tmp_path / "python").symlink_to(sys.executable)
    words, _ = program("lab", "ARGS=--allow-root '--a=b c' $HOME `id`", f"NOTEBOOK={ODD}")
    assert words[:2] == ["lab", f"notebooks/{ODD}.ipynb"]
    assert words[-4:] == ["--allow-root", "--a=b c", "$HOME", "`id`"]


@pytest.mark.parametrize(
    ("user", "flags", "code"), [("0", "", 2), ("0", "--allow-root --no-browser", 0), ("1000", "", 0)]
)
def test_lab_says_what_root_needs_and_passes_flags_on(tmp_path, user, flags, code):
    (tmp_path / "id").write_text(f"#!/bin/sh\necho {user}\n")
    (tmp_path / "id").chmod(0o755)
    found, text = make("lab", f"ARGS={flags}", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert found == code
    assert ("make lab ARGS=--allow-root" in text) == (code == 2)


def test_installing_says_how_much_is_fetched_and_is_not_silent():
    _, text = make("-B", "mnist")
    assert "GB to download" in text
    assert "--quiet" not in text


def test_whatever_is_installed_has_the_version_of_the_lock():
    _, text = make("-B", "gallery", "test")
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert len(installs) == 3
    assert [line for line in installs if " -c requirements.lock " not in line] == []

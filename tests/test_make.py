"""The Makefile's defaults: what each target would run. Nothing is installed or run, `make -n` only prints."""

import os
import re
import subprocess

import pytest

from helpers import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
VARIABLES = re.findall(r"^(?:[\w ]+: )?([A-Z_]+) \?=", MAKEFILE, re.M)


def make(*words, **environment):
    """The lines that `make -n` prints, joined where a command goes on."""
    inherited = {name: value for name, value in os.environ.items() if "MAKE" not in name and name not in VARIABLES}
    command = ["make", "-n", *words]
    done = subprocess.run(command, cwd=ROOT, env=inherited | environment, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).replace("\\\n", "")


def last(*words, **environment):
    """The suite's command that a target runs, and what it says after it."""
    code, text = make(*words, **environment)
    assert code == 0, text
    return text[text.rindex("-m infogan_core ") :]


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
        ("svhn WEIGHTS=some/run", "some/run", "outputs/svhn-loaded", "some/run"),
        ("svhn PROFILE=paper WEIGHTS=some/run", "some/run", "outputs/svhn-loaded", "some/run"),
        ("svhn OUT=mine PROFILE=smoke", "train", "mine", "mine"),
    ],
)
def test_a_source_or_profile_that_is_named_is_trained_and_what_is_there_is_named(words, weights, out, run):
    text = last(*words.split())
    assert f'-p weights "{weights}"' in text
    assert f'--out "{out}"' in text
    assert f"make share RUN={run}," in text


def test_variables_of_the_environment_count_as_named():
    text = last("celeba", SOURCE="my/faces", OUT="mine")
    assert '-p weights "train"' in text
    assert '-p source "my/faces"' in text
    assert '--out "mine"' in text


def test_share_takes_the_run_that_is_named():
    assert last("share", "RUN=outputs/published/svhn").split("\n")[0].endswith('"outputs/published/svhn" "svhn.html"')
    assert last("share", "RUN=mine/", "OUT=a.html").split("\n")[0].endswith('"mine/" "a.html"')


def test_studies_take_all_of_mnist_unless_told():
    assert re.search(r' study +--source "download"$', last("study").split("\n")[0])
    assert last("study", "STUDY=seeds", "SOURCE=mine").split("\n")[0].endswith('study seeds --source "mine"')


@pytest.mark.parametrize(
    ("user", "flags", "code"), [("0", "", 2), ("0", "--allow-root --no-browser", 0), ("1000", "", 0)]
)
def test_lab_says_what_root_needs_and_passes_flags_on(tmp_path, user, flags, code):
    (tmp_path / "id").write_text(f"#!/bin/sh\necho {user}\n")
    (tmp_path / "id").chmod(0o755)
    found, text = make("lab", f"ARGS={flags}", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert found == code
    assert ("make lab ARGS=--allow-root" in text) == (code == 2)
    assert flags in text.splitlines()[-1]


def test_installing_says_how_much_is_fetched_and_is_not_silent():
    _, text = make("-B", "mnist")
    assert "GB to download" in text
    assert "--quiet" not in text

"""python -m infogan_core: its help is quick and whole, and its errors are one line."""

import subprocess
import sys
from importlib import import_module

import click
import pytest

from helpers import ROOT
from infogan_core import __main__ as command_line
from infogan_core.__main__ import COMMANDS, main

SLOW = {"torch", "pandas", "papermill", "distributed", "matplotlib", "ipywidgets"}
HERE = tuple(COMMANDS)


def loaded(name):
    module, attribute = COMMANDS[name][0].split(":")
    return getattr(import_module(f"infogan_core.{module}"), attribute)


@pytest.mark.parametrize("name", HERE)
def test_every_option_has_help(name):
    assert loaded(name).help
    assert [p.name for p in loaded(name).params if isinstance(p, click.Option) and not p.help] == []


REFUSED = ["batch", "notebooks/mnist.ipynb", "-p", "sed", "0", "--out", "x"]


@pytest.mark.parametrize("words", [["--help"], ["batch", "--help"], ["train", "--help"], REFUSED], ids=" ".join)
def test_help_and_refusals_import_nothing_slow(words):
    code = f"import sys; from infogan_core.__main__ import main; main({words!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()} & SLOW == set()


def test_help_without_a_command_names_every_command(capsys):
    assert main([]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text and summary in text for name, (_, summary) in COMMANDS.items())


def raising(monkeypatch, error, module="infogan_core.somewhere"):
    """`python -m infogan_core train` in which a module raises."""
    names = {"__name__": module, "error": error}
    exec("def train():\n    raise error", names)
    train = click.command()(names["train"])
    monkeypatch.setattr(command_line, "import_module", lambda _: type("Module", (), {"train": train}))


@pytest.mark.parametrize("kind", [ValueError, OSError, RuntimeError, FloatingPointError])
def test_an_error_of_ours_is_one_line(monkeypatch, capsys, kind):
    raising(monkeypatch, kind("the disk\nis full"))
    assert main(["train"]) == 2
    assert capsys.readouterr().err == "error: the disk is full\n"


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(monkeypatch, capsys):
    raising(monkeypatch, ModuleNotFoundError("No module named 'onnx'"))
    assert main(["train"]) == 2
    assert capsys.readouterr().err.startswith("error: No module named 'onnx': install it with pip install -r ")


@pytest.mark.parametrize(
    ("error", "module"),
    [(KeyError("codes"), "infogan_core.somewhere"), (ValueError("shapes"), "numpy"), (RecursionError(), "torch")],
)
def test_a_bug_keeps_its_traceback(monkeypatch, error, module):
    """An error that no line of ours raised in words is one, too."""
    raising(monkeypatch, error, module)
    with pytest.raises(type(error)):
        main(["train"])


@pytest.mark.parametrize(("message", "printed"), [("the same command goes on", "the same command goes on"), ("", "")])
def test_after_ctrl_c_the_exit_code_is_130(monkeypatch, capsys, message, printed):
    raising(monkeypatch, KeyboardInterrupt(message))
    assert main(["train"]) == 130
    assert capsys.readouterr().err.strip() == printed


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["trian"], "No such command 'trian'. Did you mean 'train'?"),
        (["train"], "Missing option '--preset'"),
        (["train", "--preset", "mnist", "--sed", "1"], "No such option"),
        (["train", "--preset", "mnist", "--seed", "one"], "'one' is not a valid integer"),
        (["train", "--preset", "mnits"], "did you mean 'mnist'?"),
        (["train", "--preset", "mnist", "--profile", "quikc"], "did you mean 'quick'?"),
        (["train", "--preset", "mnist", "--seed", "-1"], "seed must"),
        (["train", "--preset", "mnist", "--device", "tpu"], "unknown device 'tpu'"),
        (["train", "--preset", "mnist", "--profile", "smoke", "--source", "no/such"], "no/such"),
    ],
)
def test_a_wrong_command_is_refused_in_a_line(capsys, words, complaint):
    assert main([*words, *(["--out", "/proc/no"] if "--preset" in words else [])]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert complaint in captured.err
    assert captured.err.count("\n") == 1


def test_train_goes_on_where_it_was(tmp_path, capsys):
    words = ["train", "--preset", "mnist", "--profile", "smoke", "--steps", "12", "--out", str(tmp_path)]
    assert main(words) == 0
    weights = (tmp_path / "weights.safetensors").read_bytes()
    assert main(words) == 0
    assert (tmp_path / "weights.safetensors").read_bytes() == weights
    assert f"{tmp_path}: 12 steps on " in capsys.readouterr().out


@pytest.mark.parametrize("folder", ["batch", "training"])
def test_the_commands_that_people_have_in_scripts_go_on_working(folder):
    command = [sys.executable, "-m", f"infogan_core.{folder}", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"python -m infogan_core {'train' if folder == 'training' else folder} [OPTIONS]" in done.stdout

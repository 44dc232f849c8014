"""The pages that people read: README's example runs, every link leads somewhere, every command exists."""

import re
import subprocess

import pytest

import infogan_core as ig
from helpers import ROOT

README = (ROOT / "README.md").read_text()
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("outputs/published/**/*.md")]


def test_the_example_in_python_runs(tmp_path):
    (program,) = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    out = str(tmp_path / "run")
    quick = program.replace('profile="quick"', 'profile="smoke"').replace('out="outputs/mnist"', f"out={out!r}")
    quick = quick.replace("evaluate(run, images", "evaluate(run, images, samples=200")
    names = {}
    exec(quick, names)
    assert names["x"].shape == (64, 1, 28, 28)
    assert names["c1"].shape == (64, 10)
    assert ig.load_run(out, "cpu").report["held_out"]["n"] == 1_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in links if not (page.parent / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if "make " in page.read_text()], ids=lambda page: page.name)
def test_every_make_command_is_a_target(page):
    commands = re.findall(r"(?:^|`)make ([a-z][\w-]*)", page.read_text(), flags=re.M)
    rules = subprocess.run(["make", "-pRrq", "-C", ROOT], capture_output=True, text=True).stdout
    assert set(commands) <= set(re.findall(r"^([\w-]+):", rules, flags=re.M))

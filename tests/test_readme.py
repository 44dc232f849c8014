"""README's example is a program that runs."""

import re

import infogan_core as ig
from helpers import ROOT


def test_the_example_in_python_runs(tmp_path):
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.S)
    out = str(tmp_path / "run")
    quick = program.replace('profile="quick"', 'profile="smoke"').replace('out="outputs/mnist"', f"out={out!r}")
    quick = quick.replace("evaluate(run, images", "evaluate(run, images, samples=200")
    names = {}
    exec(quick, names)
    assert names["x"].shape == (64, 1, 28, 28)
    assert names["c1"].shape == (64, 10)
    assert ig.load_run(out, "cpu").report["held_out"]["n"] == 1_000

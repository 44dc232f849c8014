"""A notebook of two cells, for the tests of batches."""

from pathlib import Path

import nbformat

from infogan_core.__main__ import main

PARAMETERS = """\
profile: str = "quick"  # not a=b, "#"
seed = 0
rate = 0.1
flag = False
device = None
out = "nowhere"
"""

WORK = """\
import json, pathlib
print(f"training with seed {seed}")
if seed == 1:
    raise RuntimeError("seed 1 diverged")
report = {"codes": {"c1": {"mi": 2.25, "kind": "categorical"}}, "held_out": {"accuracy": 0.75, "n": 7}, "sweep": [1, 2]}
pathlib.Path(out, "metrics.json").write_text(json.dumps(report))
"""


def write_notebook(path: Path, work: str = WORK, parameters: str = PARAMETERS, tags: tuple = ("parameters",)) -> str:
    """A notebook of two cells."""
    cells = [nbformat.v4.new_code_cell(parameters, metadata={"tags": list(tags)}), nbformat.v4.new_code_cell(work)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return str(path)


def batch(*words: str) -> int:
    """The exit code of `python -m infogan_core batch`."""
    return main(["batch", *words])

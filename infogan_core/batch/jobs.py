"""What a batch will run: one job per combination of values, checked before anything runs."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infogan_core.batch.notebook_parameters import check, check_number, read_notebook
from infogan_core.files import PROJECT, require_space
from infogan_core.model.known import check_known


@dataclass(frozen=True)
class Job:
    """One run, as plain data; `key` is a digest of all that its numbers depend on: notebook, parameters, package."""

    notebook: Path
    executed: Path
    varying: dict[str, Any]
    parameters: dict[str, Any]
    key: str


def plan(notebook: str | Path, grid: Mapping[str, Any], out: str | Path, remote: bool = False) -> list[Job]:
    """One job per combination of the grid's values; `remote` ones may use a GPU that this machine lacks.

    Writes nothing. Raises ValueError, RuntimeError or OSError for what cannot run.
    """
    notebook, out = Path(notebook), Path(out)
    code, defaults = read_notebook(notebook)
    check_known(f"parameter of {notebook}", grid, defaults)
    values = {name: given if isinstance(given, (list, tuple, range)) else [given] for name, given in grid.items()}
    check_number(math.prod(map(len, values.values())), "the product of all values")
    for name, given in values.items():
        check(name, given, defaults[name])
    for text in (str(notebook), str(out), *(value for given in values.values() for value in map(str, given))):
        if text.encode(errors="replace").decode() != text:
            raise ValueError(f"{text!r} is not UTF-8, which a notebook cannot hold: give it another name")
    if (varies := [name for name in values if len(values[name]) > 1]) and "out" in values:
        raise ValueError("-p out would be shared by several runs; --out gives each run a folder of its own")
    package = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(PROJECT.glob("infogan_core/**/*.py"))]
    jobs = []
    for combination in itertools.product(*values.values()):
        parameters = dict(zip(values, combination, strict=True))
        varying = {name: parameters[name] for name in varies}
        folder = out / ",".join(folder_name(*item, len(varying)) for item in varying.items())
        if "out" in defaults:
            parameters.setdefault("out", str(folder))
        key = json.dumps([package, code, defaults | parameters], sort_keys=True, default=repr).encode()
        jobs.append(Job(notebook, folder / notebook.name, varying, parameters, hashlib.sha256(key).hexdigest()))
        if jobs[-1].executed.resolve() == notebook.resolve():
            raise ValueError(f"--out {out} would overwrite {notebook} with its executed copy")
    if len({job.executed for job in jobs}) < len(jobs):
        raise ValueError(f"two runs would share a folder in {out}: a value is given twice")
    require_space(out, 1 << 20, "--out")
    if meaning := grid.keys() & {"profile", "seed", "device"}:
        for job in jobs:
            check_meaning(notebook.stem, {name: job.parameters[name] for name in meaning}, remote)
    return jobs


def folder_name(name: str, value: Any, n: int) -> str:
    """`seed=0`, without slashes; of n such names one folder's is made, so a long value ends in a short hash."""
    text, room = quote(str(value), ""), max(240 // n - len(name) - 2, 20)
    if len(text) > room:
        text = f"{text[: room - 9]}~{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return f"{name}={text}"


def check_meaning(dataset: str, given: dict[str, Any], remote: bool) -> None:
    """Raise ValueError or RuntimeError for a profile, seed or device that a data set's own notebook would refuse."""
    from infogan_core.device import resolve_device
    from infogan_core.recipes.presets import PRESETS, preset

    if dataset not in PRESETS:
        return
    preset(dataset, given.get("profile", "quick"), seed=given.get("seed", 0))
    try:
        resolve_device(given.get("device", "auto"))
    except RuntimeError:  # no such GPU here
        if not remote:
            raise

"""What the Explorer's page is made of and what it needs to know of a run, in a notebook as in a shared file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from infogan_core.runs import Run
from infogan_core.show.figures import category_label, category_name, code_title, note_of, on_paper

HERE = Path(__file__).parent
PARTS = ("pictures.js", "explorer.js", "controls.js", "films.js", "bring.js")  # one module, in this order
STYLE = (HERE / "explorer.css").read_text(encoding="utf-8")


def script(*more: str) -> str:
    """The page's module, and after it `more` files: what runs its networks."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in (*PARTS, *more))


def about(runs: Sequence[Run], seed: int = 0) -> dict[str, Any]:
    """The first run's codes and names, and of each run what its pictures and its noise are."""
    run, spec = runs[0], runs[0].config.latents
    codes = []
    for i, code in enumerate(spec.codes):
        labels = [_category(run, i, k) for k in range(getattr(code, "k", 0))]
        names = [category_name(run, i, k) for k in range(len(labels))]
        title = code_title(run, i)
        about_code = {"symbol": spec.name(i), "title": title, "k": len(labels), "labels": labels, "names": names}
        codes.append(about_code | {"sigma": getattr(code, "sigma", None)})
    return {
        "dataset": run.config.dataset,
        "name": run.path.name,
        "dark": not on_paper(run.generate(*spec.sample(8, torch.Generator().manual_seed(0)))),
        "codes": codes,
        "given": run.own_names,
        "start": spec.start(),
        "seed": seed,
        "runs": [_about_run(r, runs) for r in runs],
    }


def _category(run: Run, i: int, k: int) -> str:
    """A category in words: "category 7: digit 3 in 94% of its pictures"."""
    number, _, name = category_label(run, i, k).partition(" ")
    name = re.sub(r" (\d+%)$", r" in \1 of its pictures", name)
    return f"category {number}: {name}" if name else f"category {number}"


def _about_run(run: Run, runs: Sequence[Run]) -> dict[str, Any]:
    c, spec = run.config, run.config.latents
    weights = " ".join(f"{weight:g}" for weight in dict.fromkeys(c.lambda_info))
    caption = f"{run.path.name}: {c.dataset} {c.profile}, seed {c.seed}, lambda {weights}"
    if noise_of(run) != noise_of(runs[0]):
        caption += f" (its noise is of another kind, {noise_of(run)}: compare the codes alone)"
    return {
        "caption": caption if len(runs) > 1 else "",
        "note": note_of(run),
        "size": c.image_size,
        "channels": c.channels,
        "noise_dim": spec.noise_dim,
        "normal": spec.noise == "normal",
    }


def noise_of(run: Run) -> str:
    """What z is: "62 normal values"."""
    return f"{run.config.latents.noise_dim} {run.config.latents.noise} values"

"""What the studies of evidence.py found, as Markdown: read from the JSON that each left, one function per study."""

from __future__ import annotations

import statistics
from typing import Any

from infogan_core.choices import QUESTIONS

Report = dict[str, Any]
GOOD = 0.9  # the accuracy of c1 that a seed is asked to reach


def markdown(heads: list[str], rows: list[list[str]]) -> str:
    """A table; a row per entry."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows])


def figure1(report: Report) -> str:
    """L_I(c1) of both sides against the paper's figure 1."""
    claims = {"within_100": "above 2.25 | not given", "peak": "| near 0.6", "last": "just under 2.30 | about 0.1"}
    words = {"within_100": "highest within 100 steps", "peak": "highest of all", "last": "at the end"}
    rows = []
    for key, claim in claims.items():
        said = [part.strip() for part in claim.split("|")]
        rows.append([words[key], *(_range(report["read"][side][key]) for side in ("infogan", "gan")), *said])
    heads = ["L_I(c1), nats: mean (lowest to highest)", "InfoGAN", "GAN", "the paper's InfoGAN", "its GAN"]
    text = "The paper (section 7.1): InfoGAN maximises L_I(c1) quickly, a GAN with Q on the side does not."
    return f"{text}\n\n![L_I(c1) over training](evidence/figure1.png)\n\n{markdown(heads, rows)}\n\n{ran(report)}"


def choices(report: Report) -> str:
    """What the paper leaves open: a block of rows per question; all of them start from the same profile, `open`."""
    heads = ["question", "answer", "n", "error of c1", "seeds at 90%", "NMI", "L_I(c1)", "slant", "width"]
    heads += ["Frechet, times real", "minutes"]
    rows = []
    for question, answers in QUESTIONS.items():
        for i, (answer, profile) in enumerate(answers.items()):
            runs = [run for run in report["runs"] if run["profile"] == profile]
            rows.append([question if i == 0 else "", answer, *_measures(runs)])
    text = "One thing is changed at a time, the rest is as in `open`; mean (lowest to highest) over all seeds."
    return f"{text}\n\n{markdown(heads, rows)}\n\n{ran(report)}"


def seeds(report: Report) -> str:
    """The recipe over its seeds, and how well each signal ranks them without labels."""
    runs = report["runs"]
    heads = ["seed", "error of c1", "NMI", "L_I(c1)", "slant", "thickness", "width", "minutes"]
    rows = [
        [str(run["seed"]), f"{1 - run['accuracy']:.1%}", f"{run['nmi']:.2f}", f"{run['mi'][0]:.3f}"]
        + [f"{run[what]:.2f}" for what in ("slant", "thickness", "width")]
        + [f"{run['minutes']:.1f}"]
        for run in runs
    ]
    error, good = statistics.fmean(1 - run["accuracy"] for run in runs), sum(run["accuracy"] >= GOOD for run in runs)
    asked = f"**Mean error {error:.1%} (asked: 10%); {good} of {len(runs)} seeds at 90% or better (asked: 7 of 10).**"
    ranks = [[name, f"{s['spearman']:.2f}", f"{s['regret']:.1%}"] for name, s in report["signals"].items()]
    signals = markdown(["signal, no labels", "Spearman with accuracy", "what its choice loses to the best seed"], ranks)
    picture = "![c1 of every seed](evidence/seeds.png)"
    return f"{asked}\n\n{picture}\n\n{markdown(heads, rows)}\n\nChoosing a run:\n\n{signals}\n\n{ran(report)}"


def ran(report: Report) -> str:
    """The conditions of a study, in one line."""
    known, runs = report["conditions"], report["runs"]
    steps = " or ".join(f"{steps:,}" for steps in sorted({run["steps"] for run in runs}))
    where = f"{known['device']}, {known['precision']}, {known['threads']} thread(s), torch {known['torch']}"
    return (
        f"*{len(runs)} runs of {steps} steps; {known['data']}; {where}; {_range_of(runs, 'minutes', '.1f')} minutes.*"
    )


def _measures(runs: list[Report]) -> list[str]:
    if not runs:
        return ["0", *[""] * 8]
    errors = [{"error": 1 - run["accuracy"], "mi": run["mi"][0]} for run in runs]
    share = sum(run["accuracy"] >= GOOD for run in runs)
    cells = [
        str(len(runs)),
        _range_of(errors, "error", ".1%"),
        f"{share} of {len(runs)}",
        _range_of(runs, "nmi", ".2f"),
    ]
    cells += [_range_of(errors, "mi", ".3f"), _range_of(runs, "slant", ".2f"), _range_of(runs, "width", ".2f")]
    return [*cells, _range_of(runs, "frechet", ".0f"), _range_of(runs, "minutes", ".1f")]


def _range_of(runs: list[Report], key: str, form: str) -> str:
    values = [run[key] for run in runs]
    return _range({"mean": statistics.fmean(values), "min": min(values), "max": max(values)}, form)


def _range(spread: dict[str, float], form: str = ".2f") -> str:
    return f"{spread['mean']:{form}} ({spread['min']:{form}} to {spread['max']:{form}})"

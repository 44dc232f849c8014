"""What the studies show: L_I(c1) over training, every seed in one picture, every code of every seed in one picture."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

from infogan_core.runs import Run
from infogan_core.show.curves import dress
from infogan_core.show.figures import DPI, INK, LIGHT, QUIET, note_of, show, showable, traversal, traversal_figure

SIDES = {"infogan": ("InfoGAN", "#0072B2"), "gan": ("GAN, with Q beside it", "#D55E00")}  # by profile


def figure1(runs: list[Run]) -> dict[str, Figure]:
    """Figure 1 of Chen et al. 2016, L_I(c1) in nats over training of all seeds, and c1 of the first plain GAN swept."""
    figure = Figure((7, 3.2), dpi=DPI, facecolor="white", layout="constrained")
    axes = figure.subplots()
    for side, (label, colour) in SIDES.items():
        for n, run in enumerate(run for run in runs if run.config.profile == side):
            line = [(record["step"], record["mi"][0]) for record in run.records]
            axes.plot(*zip(*line, strict=True), color=colour, lw=1.2, label=label if n == 0 else None)
    axes.axhline(math.log(10), color=INK, lw=1, ls=(0, (5, 3)))
    axes.annotate("H(c) = ln 10", (0.01, math.log(10)), (0, 3), ("axes fraction", "data"), "offset points", fontsize=8)
    dress(axes, "$L_I(c_1)$ on MNIST, all seeds", "nats")
    axes.legend(fontsize=8, frameon=False, labelcolor=INK)
    plain = next(run for run in runs if run.config.profile == "gan")
    return {"figure1": showable(figure), "gan-c1": traversal_figure(plain, 0)}


def seeds(runs: list[Run]) -> dict[str, Figure]:
    """c1 of every run, the failures too: per seed five rows of noise, one column per category."""
    titles = [f"seed {run.config.seed}: {run.report['held_out']['error']:.1%} error" for run in runs]
    return {"seeds": _panels(titles, [traversal(run, 0, rows=5) for run in runs], rows=4)}


def sprites(runs: list[Run]) -> dict[str, Figure]:
    """Every code of every run: a row for each code, swept from left to right."""
    spec, line = runs[0].config.latents, ((2, 0), (0, 0), (0, 0))  # as between the pictures of a grid
    codes = range(len(spec.codes))
    rows = [[np.pad(traversal(run, i, 1, 10), line, constant_values=LIGHT) for i in codes] for run in runs]
    foot = f"each row sweeps one code, {spec.name(0)} at the top, all else is held; {note_of(runs[0])}"
    return {"sprites": _panels([f"seed {run.config.seed}" for run in runs], list(map(np.concatenate, rows)), 1, foot)}


def _panels(titles: list[str], sheets: list[np.ndarray], rows: int, foot: str = "") -> Figure:
    columns = math.ceil(len(sheets) / rows)
    tall = max(len(sheet) / sheet.shape[1] for sheet in sheets)
    size = 2.4 * columns, (2.4 * tall + 0.4) * rows + 0.2 * bool(foot)
    figure = Figure(size, dpi=DPI, facecolor="white", layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.axis("off")
    for axes, title, sheet in zip(panels, titles, sheets, strict=False):
        axes.imshow(show(sheet, 1).convert("RGB"))
        axes.set_title(title, fontsize=8, color=INK)
    figure.supxlabel(foot, fontsize=8, color=QUIET)
    return showable(figure)

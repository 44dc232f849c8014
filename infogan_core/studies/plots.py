"""What is read from the runs of a study: figure 1 of the paper, all seeds in one picture, signals judged."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from infogan_core.data.images import ImageSet
from infogan_core.measure.context import random_images as draw
from infogan_core.measure.labels import read_categories as read
from infogan_core.measure.select import SIGNALS, consensus, judge
from infogan_core.runs import Run
from infogan_core.show.curves import dress
from infogan_core.show.figures import DPI, INK, LIGHT, QUIET, note_of, show, showable, traversal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDES = {"infogan": ("InfoGAN", "#0072B2"), "gan": ("GAN, with Q on the side", "#D55E00")}
EARLY = 100  # iterations within which the paper's L_I passes 2.25 nats


def figure1(runs: Mapping[str, list[Run]]) -> tuple[Figure, dict[str, Any]]:
    """Figure 1 of Chen et al. 2016 and what can be read from it: L_I(c1) over training, nats, per side, all seeds.

    runs  side ("infogan", "gan") to its runs, one per seed
    """
    from matplotlib.figure import Figure

    figure = Figure((7, 3.2), dpi=DPI, facecolor="white", layout="constrained")
    axes, numbers = figure.subplots(), {}
    for side, (label, colour) in SIDES.items():
        for n, run in enumerate(runs[side]):
            line = [(record["step"], record["mi"][0]) for record in run.records]
            axes.plot(*zip(*line, strict=True), color=colour, lw=1.2, label=label if n == 0 else None)
        numbers[side] = {
            "seeds": [run.config.seed for run in runs[side]],
            "within_100": spread([max(r["mi"][0] for r in run.records if r["step"] <= EARLY) for run in runs[side]]),
            "peak": spread([max(r["mi"][0] for r in run.records) for run in runs[side]]),
            "last": spread([run.records[-1]["mi"][0] for run in runs[side]]),
        }
    axes.axhline(math.log(10), color=INK, lw=1, ls=(0, (5, 3)))
    axes.annotate("H(c) = ln 10", (0.01, math.log(10)), (0, 3), ("axes fraction", "data"), "offset points", fontsize=8)
    dress(axes, "$L_I(c_1)$ on MNIST, all seeds", "nats")
    axes.legend(fontsize=8, frameon=False, labelcolor=INK)
    return showable(figure), numbers


def spread(values: list[float]) -> dict[str, Any]:
    """Mean, range and number."""
    return {"mean": statistics.fmean(values), "min": min(values), "max": max(values), "n": len(values)}


def seeds_sheet(runs: list[Run]) -> Figure:
    """c1 of every run in one picture, the failures too: per seed five rows of noise, one column per category."""
    titles = [f"seed {run.config.seed}: {run.report['held_out']['error']:.1%} error" for run in runs]
    return _panels(titles, [traversal(run, 0, rows=5) for run in runs], rows=2)


def codes_sheet(runs: list[Run]) -> Figure:
    """Every code of every run in one picture: a row for each code, turned from left to right."""
    names = [runs[0].config.latents.name(i) for i in range(len(runs[0].config.latents.codes))]
    sheets = [[traversal(run, i, 1, 10) for i in range(len(names))] for run in runs]
    line = ((2, 0), (0, 0), (0, 0))  # as between a grid's pictures
    spaced = [np.concatenate([np.pad(row, line, constant_values=LIGHT) for row in rows])[2:] for rows in sheets]
    figure = _panels([f"seed {run.config.seed}" for run in runs], spaced, rows=1)
    height = len(spaced[0]) / len(names)
    figure.axes[0].set_yticks([height * (i + 0.5) for i in range(len(names))], names, fontsize=7, color=QUIET)
    figure.supxlabel(f"each row turns one code, all else held; {note_of(runs[0])}", fontsize=8, color=QUIET)
    return figure


def _panels(titles: list[str], sheets: list[np.ndarray], rows: int) -> Figure:
    from matplotlib.figure import Figure

    columns = math.ceil(len(sheets) / rows)
    tall = max(len(sheet) / sheet.shape[1] for sheet in sheets)
    figure = Figure((2.4 * columns, (2.4 * tall + 0.4) * rows), dpi=DPI, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(w_pad=0.05, h_pad=0.08)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(sheets) :]:
        axes.axis("off")
    for axes, title, sheet in zip(panels, titles, sheets, strict=False):
        axes.imshow(show(sheet, 1).convert("RGB"))
        axes.set_title(title, fontsize=8, color=INK)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    return showable(figure)


def judged(runs: list[Run], images: ImageSet) -> dict[str, dict[str, float]]:
    """Per label-free signal of selection.py, and for the agreement between the runs: how well it ranks c1's accuracy.

    The agreement is measured on held-out images.
    """
    accuracy = [run.report["held_out"]["accuracy"] for run in runs]
    signals = {name: [signal(run.report) for run in runs] for name, signal in SIGNALS.items()}
    pixels, _ = draw(images.held_out, seed=0)
    signals["agreement"] = consensus([_categories(run, pixels) for run in runs])
    return {name: {**judge(values, accuracy), "values": values} for name, values in signals.items()}


@torch.no_grad()
def _categories(run: Run, pixels: Tensor) -> Tensor:
    return read(run, pixels)[0].argmax(dim=1)

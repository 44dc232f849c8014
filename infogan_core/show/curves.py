"""The curves of a training: L_I of each code against its ceiling, both losses, and D's output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infogan_core.model.latents import Categorical, Uniform
from infogan_core.runs import Run
from infogan_core.show.figures import DPI, INK, QUIET, as_run, note_of, number, showable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RULE = "#BBBBBB"
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
COLOURS = (*OKABE_ITO, "#8C6D31", "#6A3D9A", "#E31A1C")


def curves(run: Run) -> Figure:
    """Figure 1 of Chen et al. 2016: L_I of each code against its ceiling; then the losses and D's output.

    A categorical code's ceiling is H(c) = ln K. A continuous code's is not H(c): with Q's sigma fixed it is L_I at no
    error, H(c) - ln(2 pi sigma^2) / 2; with a learned sigma there is none. Raises ValueError if there are no records.
    """
    from matplotlib.figure import Figure

    run = as_run(run)
    if not run.records:
        raise ValueError("curves: this run has no records of its training (metrics.jsonl)")
    spec = run.config.latents
    kinds = [[i for i, c in enumerate(spec.codes) if isinstance(c, kind)] for kind in (Categorical, Uniform)]
    kinds = [codes for codes in kinds if codes]
    rows, columns = (2, 2) if len(kinds) == 2 else (1, 3)
    figure = Figure((9, 2.9 * rows), dpi=DPI, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    panels = figure.subplots(rows, columns).ravel()
    for axes, codes in zip(panels, kinds, strict=False):
        _draw_bound(axes, run, codes)
    losses, output = panels[len(kinds) :]
    hinge = run.config.objective == "hinge"  # D's output is a score then, of which a sigmoid was recorded
    _draw_pair(losses, run, {"loss_d": "D", "loss_g": "G"}, "losses", "score" if hinge else "nats")
    title = ("sigmoid of D's score", "0 to 1") if hinge else ("D's output", "probability")
    _draw_pair(output, run, {"d_real": "real", "d_fake": "generated"}, *title)
    output.set_ylim(0, 1)
    if note_of(run):
        figure.supxlabel(note_of(run), fontsize=8, color=QUIET)
    last = run.records[-1]
    ends = ", ".join(f"{spec.name(i)} {number(value, 2)}" for i, value in enumerate(last["mi"]))
    game = f"D rates real pictures {last['d_real']:.2f} and generated ones {last['d_fake']:.2f}"
    return showable(figure, f"Curves of the training. After {last['step']} steps L_I in nats is {ends}; {game}.")


def _draw_bound(axes: Axes, run: Run, codes: list[int]) -> None:
    """L_I of codes of a kind over the steps, with its ceilings, if it has any, as dashed lines."""
    spec, steps, mi = run.config.latents, [r["step"] for r in run.records], np.array([r["mi"] for r in run.records])
    kind = "categorical" if isinstance(spec.codes[codes[0]], Categorical) else "continuous"
    dress(axes, f"$L_I$ of {kind} codes", "nats")
    for i in codes:
        axes.plot(steps, mi[:, i], label=spec.name(i), color=COLOURS[i % len(COLOURS)], lw=1.4)
    for height, why in sorted({_ceiling(spec.codes[i]) for i in codes if spec.codes[i].ceiling is not None}):
        axes.axhline(height, color=INK, lw=1, ls=(0, (5, 3)), label="_ceiling")
        axes.annotate(why, (0.01, height), (0, 3), ("axes fraction", "data"), "offset points", fontsize=8, color=INK)
    axes.margins(y=0.12)
    if kind == "continuous" or len(codes) == 1:
        axes.legend(fontsize=8, frameon=False, labelcolor=INK)
        return
    # categorical ones coincide: a panel in the empty space beneath them enlarges the last half, labelled at the ends
    inset, half = axes.inset_axes([0.34, 0.06, 0.52, 0.64]), len(steps) // 2
    dress(inset, "the last half, enlarged", "")
    inset.set(xlabel="", xticks=[])
    inset._left_title.set(fontsize=8, color=QUIET)
    for height, i in enumerate(sorted(codes, key=lambda i: mi[-1, i])):
        colour = COLOURS[i % len(COLOURS)]
        inset.plot(steps[half:], mi[half:, i], color=colour, lw=1)
        label_at = (1.12, (height + 0.5) / len(codes))
        line = {"arrowstyle": "-", "color": colour, "lw": 0.6, "shrinkA": 0, "shrinkB": 0}
        text = {"fontsize": 7, "color": colour, "va": "center", "arrowprops": line, "annotation_clip": False}
        inset.annotate(spec.name(i), (steps[-1], mi[-1, i]), label_at, textcoords="axes fraction", **text)


def _ceiling(code: Categorical | Uniform) -> tuple[float, str]:
    """The most that L_I can be for a code, in nats, and why."""
    if isinstance(code, Categorical):
        return code.ceiling, f"ceiling: H(c) = ln {code.k} = {number(code.ceiling, 2)}"
    return code.ceiling, f"ceiling: {number(code.ceiling, 3)} (error 0 at sigma = {code.sigma:g})"


def _draw_pair(axes: Axes, run: Run, lines: dict[str, str], title: str, unit: str) -> None:
    dress(axes, title, unit)
    for (key, label), colour in zip(lines.items(), COLOURS, strict=False):
        axes.plot([r["step"] for r in run.records], [r[key] for r in run.records], color=colour, lw=1.2, label=label)
    axes.legend(fontsize=8, frameon=False, labelcolor=INK)


def dress(axes: Axes, title: str, unit: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.set_xlabel("step", fontsize=9, color=QUIET)
    axes.set_ylabel(unit, fontsize=9, color=QUIET)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(RULE)
    axes.tick_params(labelsize=8, labelcolor=QUIET, color=RULE)

"""The curves of a training: L_I of each code against its ceiling, both losses, and D's output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infogan_core.model.latents import Categorical, Uniform
from infogan_core.show.figures import DPI, INK, QUIET, Run, code_title, note_of, number, showable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RULE = "#BBBBBB"
MANY = 5  # codes of a kind; the legend of more names them without their meanings, which the sheets have
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")  # Okabe and Ito's


def curves(run: Run) -> Figure:
    """Figure 1 of Chen et al. 2016 for each kind of code, L_I against its ceiling; then the losses and D's output.

    The ceiling of a categorical code is H(c) = ln K. A continuous code's is not H(c): with Q's sigma fixed it is L_I at
    no error, H(c) - ln(2 pi sigma^2) / 2; with a learned sigma there is none. ValueError if there are no records.
    """
    from matplotlib.figure import Figure

    if not run.records:
        raise ValueError("curves: this run has no records to draw")
    kinds = [kind for kind in (Categorical, Uniform) if any(isinstance(c, kind) for c in run.config.latents.codes)]
    rows, columns = (2, 2) if len(kinds) == 2 else (1, 3)
    figure = Figure((9, 2.9 * rows), dpi=DPI, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    panels = figure.subplots(rows, columns).ravel()
    for axes, kind in zip(panels, kinds, strict=False):
        _draw_bound(axes, run, kind)
    losses, output = panels[len(kinds) :]
    hinge = run.config.objective == "hinge"  # D's output is a score then, of which a sigmoid was recorded
    _draw_pair(losses, run, {"loss_d": "D", "loss_g": "G"}, "losses", "score" if hinge else "nats")
    said = ("D's score, its sigmoid", "0 to 1") if hinge else ("D's output", "probability")
    _draw_pair(output, run, {"d_real": "D(x)", "d_fake": "D(G)"}, *said)
    output.set_ylim(0, 1)
    if note_of(run):
        figure.supxlabel(note_of(run), fontsize=8, color=QUIET)
    return showable(figure)


def _draw_bound(axes: Axes, run: Run, kind: type) -> None:
    """L_I of each code of a kind over the steps, with its ceiling, if it has one, as a dashed line."""
    codes = [(i, code) for i, code in enumerate(run.config.latents.codes) if isinstance(code, kind)]
    dress(axes, f"$L_I$ of {'categorical' if kind is Categorical else 'continuous'} codes", "nats")
    for i, _ in codes:
        style = {"color": COLOURS[i % len(COLOURS)], "ls": "-" if i < len(COLOURS) else ":", "lw": 1.4}
        label = (code_title(run, i) if len(codes) <= MANY else run.config.latents.name(i)).replace("$", r"\$")
        axes.plot([r["step"] for r in run.records], [r["mi"][i] for r in run.records], label=label, **style)
    for height, why in sorted({_ceiling(code) for _, code in codes} - {None}):
        axes.axhline(height, color=INK, lw=1, ls=(0, (5, 3)), label="_ceiling")
        axes.annotate(why, (0.01, height), (0, 3), ("axes fraction", "data"), "offset points", fontsize=8, color=INK)
    axes.margins(y=0.12)
    axes.legend(fontsize=8, frameon=False, labelcolor=INK, ncols=1 + (len(codes) > MANY))


def _ceiling(code: Categorical | Uniform) -> tuple[float, str] | None:
    """The most that L_I can be for a code, in nats, and why; None for a learned sigma, which has no such limit."""
    if code.ceiling is None:
        return None
    if isinstance(code, Categorical):
        return code.ceiling, f"H(c) = ln {code.k} = {number(code.ceiling, 2)}"
    return code.ceiling, f"MSE = 0: {number(code.ceiling, 3)} (sigma fixed at {code.sigma:g})"


def _draw_pair(axes: Axes, run: Run, lines: dict[str, str], title: str, unit: str) -> None:
    dress(axes, title, unit)
    for (key, label), colour in zip(lines.items(), COLOURS, strict=False):
        axes.plot([r["step"] for r in run.records], [r[key] for r in run.records], color=colour, lw=1.2, label=label)
    beside_title = {
        "loc": "lower right",
        "bbox_to_anchor": (1, 1),
        "borderaxespad": 0.3,
        "ncols": 2,
        "columnspacing": 1,
    }
    axes.legend(**beside_title, fontsize=8, frameon=False, labelcolor=INK, handlelength=1.2)


def dress(axes: Axes, title: str, unit: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.set_xlabel("step", fontsize=9, color=QUIET)
    axes.set_ylabel(unit, fontsize=9, color=QUIET)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(RULE)
    axes.tick_params(labelsize=8, labelcolor=QUIET, color=RULE)

"""The paper's claims, measured again: its figures and their numbers, from runs that infogan_core.batch makes.

python -m infogan_core.evidence figure1      figure1.png and figure1.json in outputs/published/evidence
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infogan_core import batch
from infogan_core.curves import dress
from infogan_core.figures import DPI, INK, save_png, showable
from infogan_core.files import write_whole
from infogan_core.runs import Run, load_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS, PUBLISHED = Path("outputs/evidence"), Path("outputs/published/evidence")
SEEDS = [0, 1, 2]
SIDES = {"infogan": ("InfoGAN", "#0072B2"), "gan": ("GAN, with Q on the side", "#D55E00")}
EARLY = 100  # iterations within which the paper's L_I passes 2.25 nats
CLAIM = "L_I(c1) passes 2.25 nats within 100 iterations, ends just under 2.30; a GAN peaks near 0.6, falls to 0.1"


def figure1(runs: dict[str, list[Run]]) -> tuple[Figure, dict[str, Any]]:
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
            "within_100": _range([max(r["mi"][0] for r in run.records if r["step"] <= EARLY) for run in runs[side]]),
            "peak": _range([max(r["mi"][0] for r in run.records) for run in runs[side]]),
            "last": _range([run.records[-1]["mi"][0] for run in runs[side]]),
            "steps": runs[side][0].config.steps,
            "minutes": _range([run.env["minutes"] for run in runs[side]]),
        }
    axes.axhline(math.log(10), color=INK, lw=1, ls=(0, (5, 3)))
    axes.annotate("H(c) = ln 10", (0.01, math.log(10)), (0, 3), ("axes fraction", "data"), "offset points", fontsize=8)
    dress(axes, "$L_I(c_1)$ on MNIST, all seeds", "nats")
    axes.legend(fontsize=8, frameon=False, labelcolor=INK)
    env = runs["infogan"][0].env
    conditions = {key: env[key] for key in ("data", "device", "precision", "torch")}
    return showable(figure), {"claim": CLAIM, "conditions": conditions, **numbers}


def _range(values: list[float]) -> dict[str, Any]:
    return {"mean": statistics.fmean(values), "min": min(values), "max": max(values), "n": len(values)}


def make_figure1(source: str) -> None:
    """Train what is missing of the six runs, and write figure and numbers."""
    out = RUNS / "figure1"
    rows = batch.run("notebooks/mnist.ipynb", {"profile": list(SIDES), "seed": SEEDS, "source": source}, out)
    if any(row["status"] == "failed" for row in rows):
        raise RuntimeError("a run failed; the same command goes on")
    runs = {side: [load_run(out / f"profile={side},seed={seed}", "cpu") for seed in SEEDS] for side in SIDES}
    figure, numbers = figure1(runs)
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    save_png(PUBLISHED / "figure1.png", figure)
    write_whole(PUBLISHED / "figure1.json", json.dumps(numbers, indent=1).encode())
    print(f"{PUBLISHED / 'figure1.png'}: {json.dumps({side: numbers[side]['last'] for side in SIDES})}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m infogan_core.evidence", description="Measures a claim of the paper.")
    parser.add_argument("what", choices=["figure1"])
    parser.add_argument("--source", default="download", help="all of MNIST: download, or a path")
    args = parser.parse_args(arguments)
    try:
        make_figure1(args.source)
    except (ValueError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

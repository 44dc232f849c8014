"""Choosing a run without labels: what can be known of runs that no label was shown to, and which signal to trust."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scipy.stats import spearmanr
from sklearn.metrics import normalized_mutual_info_score
from torch import Tensor

from infogan_core.runs import Run

Report = dict[str, Any]  # of evaluate()
SIGNALS: dict[str, Callable[[Report], float]] = {  # none of them has seen a label; higher should be better
    "L_I(c1)": lambda report: report["codes"]["c1"]["mi"],
    "confidence": lambda report: report["real"]["confidence"],
    "balance": lambda report: report["real"]["balance"],
    "information": lambda report: report["real"]["mi"],
    "stability": lambda report: report["real"]["stability"],
}
CHOSEN = "information"  # the signal of select_run: over ten seeds on MNIST its choice lost least, see RESULTS.md


def select_run(runs: Sequence[Run]) -> Run:
    """The run whose Q(c1|x) tells most of real pictures: the highest H(mean Q) - mean H(Q), sure and balanced at once.

    No label is used. The runs must be evaluated on the same pictures. Raises ValueError for none, or for one that has
    not been evaluated or has no categorical code.
    """
    if not runs:
        raise ValueError("select_run: no runs to choose from")
    for run in runs:
        if "real" not in run.report:
            raise ValueError(f"{run.path}: select_run needs a run with a categorical code that evaluate() has measured")
    if len(data := {run.report["conditions"]["data"] for run in runs}) > 1:
        raise ValueError(f"select_run: the runs were measured on different pictures: {'; '.join(sorted(data))}")
    return max(runs, key=lambda run: SIGNALS[CHOSEN](run.report))


def consensus(categories: Sequence[Tensor]) -> list[float]:
    """Of each run, how far it agrees with the others on the same pictures: its mean NMI with them.

    categories  per run, which one Q reads in each picture, int64 [N]. Raises ValueError for fewer than two runs.
    """
    if len(categories) < 2:
        raise ValueError(f"consensus: agreement needs two runs or more, found {len(categories)}")
    nmi = [[normalized_mutual_info_score(a, b) for b in categories] for a in categories]
    return [(sum(row) - 1) / (len(row) - 1) for row in nmi]


def judge(signal: Sequence[float], accuracy: Sequence[float]) -> dict[str, float]:
    """How well a signal ranks runs: Spearman's rho with their accuracies, and what its choice loses to the best."""
    chosen = max(range(len(signal)), key=lambda i: signal[i])
    constant = len(set(signal)) == 1 or len(set(accuracy)) == 1
    rho = 0.0 if constant else spearmanr(signal, accuracy).statistic
    return {"spearman": float(rho), "regret": max(accuracy) - accuracy[chosen]}

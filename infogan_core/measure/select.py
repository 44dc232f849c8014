"""Choosing a run without labels: which signals can be known of a run, and how far each can be trusted."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from scipy.stats import spearmanr
from sklearn.metrics import normalized_mutual_info_score
from torch import Tensor

from infogan_core.measure.code_names import class_code
from infogan_core.runs import Run, load_run

Report = dict[str, Any]  # of evaluate()
SIGNALS: dict[str, Callable[[Report], float]] = {  # none of them has seen a label; higher should be better
    "L_I(c1)": lambda report: report["codes"][class_code(report)]["mi"],
    "confidence": lambda report: report["real"]["confidence"],
    "balance": lambda report: report["real"]["balance"],
    "information": lambda report: report["real"]["mi"],
    "stability": lambda report: report["real"]["stability"],
}
BEST_SIGNAL = "information"  # RESULTS.md says what its choice loses to the best seed


def select_run(runs: Sequence[Run | str | os.PathLike]) -> Run:
    """Choose the run whose Q tells real pictures apart best, by H(mean Q) - mean H(Q): sure, with all categories.

    Runs or their folders, evaluated on the same pictures; Q of the first categorical code. Raises ValueError for no
    runs, for different pictures, or for a run that has not been evaluated or has no categorical code.
    """
    if isinstance(runs, (str, os.PathLike)) or not len(runs):
        raise ValueError(f"select_run: give a list of runs or of their folders to choose from, found {runs!r}")
    runs = [load_run(run) if isinstance(run, (str, os.PathLike)) else run for run in runs]
    for run in runs:
        if "real" not in run.report:
            raise ValueError(f"{run.path}: select_run needs a run with a categorical code that evaluate() has measured")
    if len(data := {run.report["conditions"]["data"] for run in runs}) > 1:
        raise ValueError(f"select_run: the runs were measured on different pictures: {'; '.join(sorted(data))}")
    return max(runs, key=lambda run: SIGNALS[BEST_SIGNAL](run.report))


def consensus(categories: Sequence[Tensor]) -> list[float]:
    """Per run, its mean NMI with the others on the same pictures, by the category that Q reads in each, int64 [N]."""
    nmi = [[normalized_mutual_info_score(a, b) for b in categories] for a in categories]
    return [(sum(row) - 1) / (len(row) - 1) for row in nmi]


def judge(signal: Sequence[float], accuracy: Sequence[float]) -> dict[str, float]:
    """How well a signal ranks runs: Spearman's rho with their accuracies, and what its choice loses to the best."""
    _, chosen = max(zip(signal, accuracy, strict=True), key=lambda pair: pair[0])
    constant = len(set(signal)) == 1 or len(set(accuracy)) == 1
    rho = 0.0 if constant else spearmanr(signal, accuracy).statistic
    return {"spearman": float(rho), "regret": max(accuracy) - chosen}

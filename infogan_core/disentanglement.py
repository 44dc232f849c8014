"""How well codes separate the true factors of pictures: the field's six scores, each by its published definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC
from torch import Tensor

from infogan_core.latents import Uniform

if TYPE_CHECKING:
    from infogan_core.images import ImageSet
    from infogan_core.runs import Run

PICTURES = 5_000  # held out, at most so many are read
VALUES, PARTS = 40, 10  # a factor of more values than that is cut into equal parts
BINS = 20  # of a code, where mutual information is counted
VOTES, GROUP = 800, 64  # of the FactorVAE score: votes, and pictures that share a factor's value in each
DEAD = 0.05  # a code whose deviation is below this much of the largest takes no part in the FactorVAE score


def measure(run: Run, images: ImageSet, seed: int = 0) -> dict[str, float]:
    """`scores` of what Q reads in held-out pictures whose attributes are the factors that they were drawn from.

    A continuous code counts as Q's mean, a categorical one as K codes, its probabilities. Raises ValueError for
    pictures of which no factors are known, or none are held out.
    """
    shown = images.held_out
    if shown is None or shown.attributes is None:
        raise ValueError(f"{images.name}: disentanglement is measured on held-out pictures with known attributes")
    factors = np.stack([_indices(column) for column in shown.attributes[:PICTURES].T], axis=1)
    return scores(_read(run, shown.pixels[:PICTURES]), factors, seed)


def _read(run: Run, pixels: Tensor) -> np.ndarray:
    """Codes [N, J]: see measure."""
    read = zip(run.config.latents.codes, run.infer(pixels.float() / 255), strict=True)
    columns = [q[0][:, None] if isinstance(code, Uniform) else q for code, q in read]
    return torch.cat(columns, dim=1).double().cpu().numpy()


def _indices(column: Tensor) -> np.ndarray:
    """A factor's values as 0, 1, ...; many values in PARTS of about as many pictures each."""
    values = column.double().numpy()
    if len(np.unique(values)) > VALUES:
        values = np.digitize(values, np.quantile(values, np.linspace(0, 1, PARTS + 1)[1:-1]))
    return np.unique(values, return_inverse=True)[1]


def scores(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> dict[str, float]:
    """All six, each in 0..1, higher is better. codes float [N, J]: what Q reads; factors int [N, K]: 0, 1, ... each.

    Raises ValueError where the shapes do not fit, or a factor has one value only.
    """
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors):
        raise ValueError(f"scores need codes [N, J] and factors [N, K], found {codes.shape} and {factors.shape}")
    if any(len(np.unique(f)) < 2 for f in factors.T):
        raise ValueError("a factor that never changes cannot be told from anything: leave it out")
    information = mutual_information(codes, factors)
    return {
        "factor_vae": factor_vae(codes, factors, seed),
        "mig": mig(information, factors),
        "dci": dci(importances(codes, factors, seed)),
        "sap": sap(codes, factors, seed),
        "modularity": modularity(information),
        "explicitness": explicitness(codes, factors, seed),
    }


def mutual_information(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """I(code; factor) in nats, [J, K]; a code's range is cut into BINS bins of equal width."""
    edges = [np.linspace(c.min(), c.max(), BINS + 1)[1:-1] for c in codes.T]
    binned = [np.digitize(c, e) for c, e in zip(codes.T, edges, strict=True)]
    return np.array([[mutual_info_score(b, f) for f in factors.T] for b in binned])


def entropies(factors: np.ndarray) -> np.ndarray:
    """H(factor) in nats, [K]."""
    return np.array([mutual_info_score(f, f) for f in factors.T])


def mig(information: np.ndarray, factors: np.ndarray) -> float:
    """Mutual information gap (Chen et al. 2018, equation 6): the best code's lead over the second, per factor's H."""
    best = np.sort(information, axis=0)[::-1]
    second = best[1] if len(best) > 1 else 0
    return float(np.mean((best[0] - second) / entropies(factors)))


def modularity(information: np.ndarray) -> float:
    """Ridgeway and Mozer 2018, section 3: 1 where each code tells of one factor alone; a silent code counts as 0."""
    if information.shape[1] < 2:
        return 1.0
    squares = np.clip(information, 0, None) ** 2
    top = squares.max(axis=1)
    spread = (squares.sum(axis=1) - top) / np.maximum(top, 1e-12) / (information.shape[1] - 1)
    return float(np.mean(np.where(top > 1e-12, 1 - spread, 0)))


def factor_vae(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> float:
    """Kim and Mnih 2018, section 4: how often the code that varies least, in its deviations, where one factor is fixed
    names that factor by a majority vote; the vote is learned on half of the votes and scored on the other."""
    rng = np.random.default_rng(seed)
    deviation = codes.std(axis=0)
    alive = np.flatnonzero(deviation > DEAD * deviation.max())
    table = np.zeros((2, len(alive), factors.shape[1]))
    for vote in range(2 * VOTES):
        k = rng.integers(factors.shape[1])
        same = np.flatnonzero(factors[:, k] == factors[rng.integers(len(factors)), k])
        group = codes[rng.choice(same, GROUP)][:, alive] / deviation[alive]
        table[vote % 2, group.var(axis=0).argmin(), k] += 1
    return float(table[1, np.arange(len(alive)), table[0].argmax(axis=1)].sum() / table[1].sum())


def importances(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> np.ndarray:
    """How much each code helps boosted trees to tell each factor, as Locatello et al. 2019 have it, [J, K]; columns
    sum to 1. Boosting ends where the loss on a tenth of the pictures no longer falls, before it learns noise."""
    boosted = GradientBoostingClassifier(n_iter_no_change=5, random_state=seed)
    return np.stack([boosted.fit(codes, f).feature_importances_ for f in factors.T], axis=1)


def dci(importance: np.ndarray) -> float:
    """Disentanglement (Eastwood and Williams 2018, section 2): 1 less the entropy of what a code is important for, in
    units of ln K, the codes weighted by their importance."""
    share = importance / np.maximum(importance.sum(axis=1, keepdims=True), 1e-12)
    entropy = -(share * np.log(np.maximum(share, 1e-12))).sum(axis=1) / np.log(importance.shape[1])
    return float(((1 - entropy) * importance.sum(axis=1)).sum() / importance.sum())


def sap(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> float:
    """Separated attribute predictability (Kumar et al. 2018, section 3): the lead, in held-out accuracy, of the code
    from which a linear classifier tells a factor best over the second."""
    train, test = train_test_split(np.arange(len(codes)), random_state=seed)
    accuracy = np.zeros((codes.shape[1], factors.shape[1]))
    for j, c in enumerate(codes.T):
        c = ((c - c.mean()) / max(c.std(), 1e-12))[:, None]
        for k, f in enumerate(factors.T):
            linear = LinearSVC(C=0.01, class_weight="balanced", dual=False, random_state=seed)
            accuracy[j, k] = linear.fit(c[train], f[train]).score(c[test], f[test])
    best = np.sort(accuracy, axis=0)[::-1]
    return float(np.mean(best[0] - (best[1] if len(best) > 1 else 0)))


def explicitness(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> float:
    """Ridgeway and Mozer 2018, section 3: the area under the ROC curve of one-against-rest logistic regressions from
    all codes, held out, averaged over values and factors, from 0.5 .. 1 to 0 .. 1."""
    train, test = train_test_split(np.arange(len(codes)), random_state=seed)
    scaled = (codes - codes.mean(axis=0)) / np.maximum(codes.std(axis=0), 1e-12)
    areas = []
    for f in factors.T:
        for value in np.unique(f):
            model = LogisticRegression(class_weight="balanced").fit(scaled[train], f[train] == value)
            areas.append(roc_auc_score(f[test] == value, model.decision_function(scaled[test])))
    return float(np.mean(2 * np.array(areas) - 1))

"""How well codes separate the true factors of pictures: the field's six scores, each by its published definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC
from torch import Tensor

from infogan_core.model.latents import Uniform

if TYPE_CHECKING:
    from infogan_core.data.images import ImageSet
    from infogan_core.runs import Run

MAX_PICTURES = 5_000  # held-out ones that are read
MAX_VALUES, N_PARTS = 40, 10  # a factor of more values is cut into so many equal parts
MIN_PICTURES = 10  # per value of a factor; with fewer no score can be told
BINS = 20  # of a continuous code, where mutual information is counted
VOTES, GROUP = 800, 64  # of the FactorVAE score: votes, and pictures that share a factor's value in each
MIN_DEVIATION = 0.05  # of the largest: a code that varies less takes no part in the FactorVAE score
Codes = Sequence[np.ndarray]  # what Q reads of each code: float [N], the mean, or [N, K], a category's probabilities


def measure(run: Run, images: ImageSet, seed: int = 0) -> dict[str, float]:
    """`scores` of what Q reads in held-out pictures whose attributes are their true factors.

    Raises ValueError for pictures of which no factors are known, or none are held out, or that `scores` refuses.
    """
    shown = images.held_out
    if shown is None or shown.attributes is None:
        raise ValueError(f"{images.name}: disentanglement is measured on held-out pictures with known attributes")
    factors = np.stack([_indices(column) for column in shown.attributes[:MAX_PICTURES].T], axis=1)
    read = zip(run.config.latents.codes, run.infer(shown.pixels[:MAX_PICTURES].float() / 255), strict=True)
    codes = [(q[0] if isinstance(code, Uniform) else q).double().cpu().numpy() for code, q in read]
    return scores(codes, factors, seed)


def _indices(column: Tensor) -> np.ndarray:
    """A factor's values as 0, 1, ...; many values in N_PARTS of about as many pictures each."""
    values = column.double().numpy()
    if len(np.unique(values)) > MAX_VALUES:
        values = np.digitize(values, np.quantile(values, np.linspace(0, 1, N_PARTS + 1)[1:-1]))
    return np.unique(values, return_inverse=True)[1]


def scores(codes: Codes, factors: np.ndarray, seed: int = 0) -> dict[str, float]:
    """All six, each from about 0 to 1, higher is better. factors int [N, K]: 0, 1, ... each.

    A categorical code is one code, whatever its number of categories. Raises ValueError where the shapes do not fit,
    no code varies, a code is not finite, or a factor has one value only or a value that fewer than MIN_PICTURES show.
    """
    _check(codes, factors)
    information = mutual_information(codes, factors)
    return {
        "factor_vae": factor_vae(codes, factors, seed),
        "mig": mig(information, factors),
        "dci": dci(importances(codes, factors, seed)),
        "sap": sap(codes, factors, seed),
        "modularity": modularity(information),
        "explicitness": explicitness(codes, factors, seed),
    }


def _check(codes: Codes, factors: np.ndarray) -> None:
    if factors.ndim != 2 or {len(c) for c in codes} != {len(factors)} or {c.ndim for c in codes} - {1, 2}:
        found = f"{[c.shape for c in codes]} and {factors.shape}"
        raise ValueError(f"scores need codes, each [N] or [N, K], and factors [N, K], found {found}")
    if not all(np.isfinite(c).all() for c in codes):
        raise ValueError("a code is not finite")
    if not any(np.ptp(c, axis=0).any() for c in codes):
        raise ValueError("no code varies from picture to picture: there is nothing to score")
    for k, f in enumerate(factors.T):
        counts = np.unique(f, return_counts=True)[1]
        if len(counts) < 2:
            raise ValueError(f"factor {k} never changes, and cannot be told from anything: leave it out")
        if counts.min() < MIN_PICTURES:
            n = f"{counts.min()} pictures show: give {MIN_PICTURES} or more of each"
            raise ValueError(f"factor {k} has a value that {n}")


def _index(code: np.ndarray) -> np.ndarray:
    """A continuous code as it is, a categorical one as its likeliest category: [N]."""
    return code if code.ndim == 1 else code.argmax(axis=1)


def _columns(code: np.ndarray) -> np.ndarray:
    """[N, 1] or [N, K], each column in its own deviations."""
    columns = code.reshape(len(code), -1)
    return (columns - columns.mean(axis=0)) / np.maximum(columns.std(axis=0), 1e-12)


def mutual_information(codes: Codes, factors: np.ndarray) -> np.ndarray:
    """I(code; factor) in nats, [J, K]; a continuous code's range is cut into BINS bins of equal width."""
    binned = [
        np.digitize(c, np.linspace(c.min(), c.max(), BINS + 1)[1:-1]) if c.ndim == 1 else _index(c) for c in codes
    ]
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


def factor_vae(codes: Codes, factors: np.ndarray, seed: int = 0) -> float:
    """Kim and Mnih 2018, section 4: how often the code that varies least, for its variance, where one factor is fixed
    names that factor by a majority vote; the vote is learned on half of the votes and scored on the other.

    A category's variance is the sum of its probabilities' variances.
    """
    rng = np.random.default_rng(seed)
    variance = np.array([_variance(c) for c in codes])
    alive = np.flatnonzero(variance > MIN_DEVIATION**2 * variance.max())
    table = np.zeros((2, len(alive), factors.shape[1]))
    for vote in range(2 * VOTES):
        k = rng.integers(factors.shape[1])
        same = np.flatnonzero(factors[:, k] == factors[rng.integers(len(factors)), k])
        group = rng.choice(same, GROUP)
        table[vote % 2, np.argmin([_variance(codes[j][group]) / variance[j] for j in alive]), k] += 1
    return float(table[1, np.arange(len(alive)), table[0].argmax(axis=1)].sum() / table[1].sum())


def _variance(code: np.ndarray) -> float:
    return float(code.reshape(len(code), -1).var(axis=0).sum())


def importances(codes: Codes, factors: np.ndarray, seed: int = 0) -> np.ndarray:
    """How much each code helps boosted trees to tell each factor, as Locatello et al. 2019 have it, [J, K]; columns
    sum to 1."""
    boosted, read = GradientBoostingClassifier(random_state=seed), np.stack([_index(c) for c in codes], axis=1)
    return np.stack([boosted.fit(read, f).feature_importances_ for f in factors.T], axis=1)


def dci(importance: np.ndarray) -> float:
    """Disentanglement (Eastwood and Williams 2018, section 2): 1 less the entropy of what a code is important for, in
    units of ln K, the codes weighted by their importance."""
    if importance.shape[1] < 2:
        return 1.0
    share = importance / np.maximum(importance.sum(axis=1, keepdims=True), 1e-12)
    entropy = -(share * np.log(np.maximum(share, 1e-12))).sum(axis=1) / np.log(importance.shape[1])
    return float(((1 - entropy) * importance.sum(axis=1)).sum() / importance.sum())


def sap(codes: Codes, factors: np.ndarray, seed: int = 0) -> float:
    """Separated attribute predictability (Kumar et al. 2018, section 3): the lead, in held-out accuracy, of the code
    from which a linear classifier tells a factor best over the second."""
    train, test = train_test_split(np.arange(len(factors)), random_state=seed)
    accuracy = np.zeros((len(codes), factors.shape[1]))
    for j, c in enumerate(map(_columns, codes)):
        for k, f in enumerate(factors.T):
            linear = LinearSVC(C=0.01, class_weight="balanced", dual=False, random_state=seed)
            accuracy[j, k] = linear.fit(c[train], f[train]).score(c[test], f[test])
    best = np.sort(accuracy, axis=0)[::-1]
    return float(np.mean(best[0] - (best[1] if len(best) > 1 else 0)))


def explicitness(codes: Codes, factors: np.ndarray, seed: int = 0) -> float:
    """Ridgeway and Mozer 2018, section 3: the area under the ROC curve of one-against-rest logistic regressions from
    all codes, held out, averaged over a factor's values, then over the factors, from 0.5 .. 1 to 0 .. 1."""
    read, areas = np.concatenate([_columns(c) for c in codes], axis=1), []
    for f in factors.T:
        train, test = train_test_split(np.arange(len(f)), random_state=seed, stratify=f)
        of_values = []
        for value in np.unique(f):
            model = LogisticRegression(class_weight="balanced").fit(read[train], f[train] == value)
            of_values.append(roc_auc_score(f[test] == value, model.decision_function(read[test])))
        areas.append(np.mean(of_values))
    return float(np.mean(2 * np.array(areas) - 1))

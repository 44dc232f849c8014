"""How well codes separate the true factors of pictures: the field's six scores, each by its published definition."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC
from torch import Tensor

from infogan_core.data.images import ImageSet
from infogan_core.model.latents import Uniform
from infogan_core.runs import Run

MAX_PICTURES = 5_000  # held-out ones that are read
MAX_VALUES, N_PARTS = 40, 10  # a factor of more values is cut into so many equal parts
MIN_PICTURES = 10  # per value of a factor; with fewer no score can be told
BINS = 20  # of a continuous code, where mutual information is counted
VOTES, GROUP = 800, 64  # of the FactorVAE score: votes, and pictures that share a factor's value in each
MIN_DEVIATION = 0.05  # of the largest: a code that varies less takes no part in the FactorVAE score


def measure(run: Run, images: ImageSet, seed: int = 0) -> dict[str, float]:
    """`scores` of what Q reads in held-out pictures whose attributes are their true factors."""
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


def scores(codes: list[np.ndarray], factors: np.ndarray, seed: int = 0) -> dict[str, float]:
    """All six, each from about 0 to 1, higher is better. factors int [N, F]: 0, 1, ... each.

    codes: what Q reads of each, a continuous one's mean [N] or a categorical one's probabilities [N, K]; either is one
    code. Raises ValueError where no code varies, or where a factor has one value or a value that few pictures show.
    """
    if not any(np.ptp(c, axis=0).any() for c in codes):
        raise ValueError("no code varies from picture to picture: there is nothing to score")
    for k, f in enumerate(factors.T):
        counts = np.bincount(f)
        if len(counts) < 2 or counts.min() < MIN_PICTURES:
            found = f"its values are shown by {counts.tolist()} pictures"
            raise ValueError(f"factor {k} needs two values or more, each in {MIN_PICTURES} pictures or more; {found}")
    values = [c if c.ndim == 1 else c.argmax(axis=1) for c in codes]
    bins = [v if v.dtype == int else np.digitize(v, np.linspace(v.min(), v.max(), BINS + 1)[1:-1]) for v in values]
    information = np.array([[mutual_info_score(b, f) for f in factors.T] for b in bins])
    columns = [c.reshape(len(c), -1) for c in codes]
    scaled = [(c - c.mean(axis=0)) / np.maximum(c.std(axis=0), 1e-12) for c in columns]
    return {
        "factor_vae": factor_vae(columns, factors, seed),
        "mig": mig(information, factors),
        "dci": dci(np.stack(values, axis=1), factors, seed),
        "sap": sap(scaled, factors, seed),
        "modularity": modularity(information),
        "explicitness": explicitness(np.concatenate(scaled, axis=1), factors, seed),
    }


def mig(information: np.ndarray, factors: np.ndarray) -> float:
    """Mutual information gap (Chen et al. 2018, equation 6): the best code's lead over the second, per factor's H."""
    return float(np.mean(_lead(information) / [mutual_info_score(f, f) for f in factors.T]))


def _lead(table: np.ndarray) -> np.ndarray:
    """By how much the best code is ahead of the second, or of 0 where it is alone: [J, F] -> [F]."""
    second, first = np.sort(np.vstack([np.zeros_like(table[:1]), table]), axis=0)[-2:]
    return first - second


def modularity(information: np.ndarray) -> float:
    """Ridgeway and Mozer 2018, section 3: 1 where each code tells of one factor alone; a silent code counts as 0."""
    squares = np.clip(information, 0, None) ** 2
    top = squares.max(axis=1)
    spread = (squares.sum(axis=1) - top) / np.maximum(top, 1e-12) / max(1, information.shape[1] - 1)
    return float(np.mean(np.where(top > 1e-12, 1 - spread, 0)))


def factor_vae(codes: list[np.ndarray], factors: np.ndarray, seed: int) -> float:
    """Kim and Mnih 2018, section 4: how often the code that varies least, for its variance, where one factor is fixed
    names that factor by a majority vote; the vote is learned on half of the votes and scored on the other.

    A category's variance is the sum of its probabilities' variances.
    """
    rng = np.random.default_rng(seed)
    variance = np.array([c.var(axis=0).sum() for c in codes])
    alive = np.flatnonzero(variance > MIN_DEVIATION**2 * variance.max())
    table = np.zeros((2, len(alive), factors.shape[1]))
    for vote in range(2 * VOTES):
        k = rng.integers(factors.shape[1])
        same = np.flatnonzero(factors[:, k] == factors[rng.integers(len(factors)), k])
        group = rng.choice(same, GROUP)
        table[vote % 2, np.argmin([codes[j][group].var(axis=0).sum() / variance[j] for j in alive]), k] += 1
    return float(table[1, np.arange(len(alive)), table[0].argmax(axis=1)].sum() / table[1].sum())


def dci(codes: np.ndarray, factors: np.ndarray, seed: int) -> float:
    """Disentanglement (Eastwood and Williams 2018, section 2): 1 less the entropy of what a code is important for, in
    units of ln F, the codes weighted by their importance. It is that in boosted trees (Locatello et al. 2019)."""
    boosted = GradientBoostingClassifier(random_state=seed)
    importance = np.stack([boosted.fit(codes, f).feature_importances_ for f in factors.T], axis=1)
    share = importance / np.maximum(importance.sum(axis=1, keepdims=True), 1e-12)
    entropy = -(share * np.log(np.maximum(share, 1e-12))).sum(axis=1) / np.log(max(2, importance.shape[1]))
    return float(((1 - entropy) * importance.sum(axis=1)).sum() / importance.sum())


def sap(codes: list[np.ndarray], factors: np.ndarray, seed: int) -> float:
    """Separated attribute predictability (Kumar et al. 2018, section 3): the lead, in held-out accuracy, of the code
    from which a linear classifier tells a factor best over the second."""
    train, test = train_test_split(np.arange(len(factors)), random_state=seed)
    linear = LinearSVC(C=0.01, class_weight="balanced", dual=False, random_state=seed)
    accuracy = [[linear.fit(c[train], f[train]).score(c[test], f[test]) for f in factors.T] for c in codes]
    return float(np.mean(_lead(np.array(accuracy))))


def explicitness(codes: np.ndarray, factors: np.ndarray, seed: int) -> float:
    """Ridgeway and Mozer 2018, section 3: the area under the ROC curve of one-against-rest logistic regressions from
    all codes, held out, averaged over a factor's values, then over the factors, from 0.5 .. 1 to 0 .. 1."""
    areas = []
    for f in factors.T:
        train, test = train_test_split(np.arange(len(f)), random_state=seed, stratify=f)
        of_values = []
        for value in range(f.max() + 1):
            model = LogisticRegression(class_weight="balanced").fit(codes[train], f[train] == value)
            of_values.append(roc_auc_score(f[test] == value, model.decision_function(codes[test])))
        areas.append(np.mean(of_values))
    return float(np.mean(2 * np.array(areas) - 1))

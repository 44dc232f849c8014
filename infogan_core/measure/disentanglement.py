"""How well codes separate the true factors of pictures: the field's scores, each named with its estimator.

The estimators are those of disentanglement_lib (Locatello et al. 2019) and, where it differs, of InfoGAN-CR (Lin et al.
2020). Both libraries' own code gives the same scores of the same codes to 0.02; the tests hold the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression
from sklearn.metrics import mutual_info_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC
from torch import Tensor

from infogan_core.data.images import ImageSet
from infogan_core.model.latents import Uniform
from infogan_core.runs import Run

MAX_PICTURES = 10_000  # held-out ones that are read
MAX_VALUES, N_PARTS = 40, 10  # a factor of more values is cut into so many equal parts
MIN_PICTURES = 10  # per value of a factor; with fewer no score can be told
BINS = 20  # of a continuous code, where mutual information is counted
VOTES_TO_LEARN, VOTES_TO_SCORE = 10_000, 5_000  # of the FactorVAE score
GROUP = 64  # pictures in each vote, which share a factor's value
MIN_DEVIATION = 0.05  # of the largest: a code that varies less takes no part in the FactorVAE score
ALPHA = 0.02  # of the Lasso: Eastwood and Williams' and InfoGAN-CR's
NOISE = 0.3  # deviations, of the ceiling's codes: each then explains 92% of its factor's variance
Halves = list[tuple[np.ndarray, np.ndarray]]  # per factor the pictures to fit on and those to score on


def measure(run: Run, images: ImageSet, seed: int = 0) -> dict[str, float]:
    """`scores` of what Q reads in held-out pictures whose attributes are their true factors."""
    factors, classes = true_factors(images)
    return scores(read_codes(run, images.held_out.pixels[:MAX_PICTURES].float() / 255), factors, classes, seed)


def read_codes(run: Run, x: Tensor) -> list[np.ndarray]:
    """What Q reads of each code in pictures x [N, C, H, W]: a continuous one's mean [N], a categorical one's
    probabilities [N, K]."""
    read = zip(run.config.latents.codes, run.infer(x), strict=True)
    return [(q[0] if isinstance(code, Uniform) else q).double().cpu().numpy() for code, q in read]


def model_centrality(runs: Sequence[Run], seed: int = 0) -> list[float]:
    """ModelCentrality (Lin et al. 2020): how far each run's codes are those of the others, which needs no
    labels. Of two runs one's codes are the factors of its own pictures, the other's Q reads them, and both ways the
    FactorVAE score is taken; of a run, the mean with all others. Raises ValueError for fewer than two runs, and where
    the Q of one reads nothing.
    """
    if len(runs) < 2:
        raise ValueError(f"ModelCentrality compares runs with each other: give two or more, found {len(runs)}")
    table = np.zeros((len(runs), len(runs)))
    for i, of in enumerate(runs):
        noise, codes = of.config.latents.sample(MAX_PICTURES, generator=torch.Generator().manual_seed(seed))
        x, factors = of.generate(noise, codes), np.stack([_indices(c) for c in codes], axis=1)
        for j in (j for j in range(len(runs)) if j != i):
            table[i, j] = factor_vae([c.reshape(len(c), -1) for c in read_codes(runs[j], x)], factors, seed)
    return ((table + table.T).sum(axis=1) / 2 / (len(runs) - 1)).tolist()


def bounds(images: ImageSet, seed: int = 0) -> dict[str, dict[str, float]]:
    """The `scores` to compare a run's with, of as many codes as factors. "ceiling": each code is one factor with noise
    of NOISE deviations, as no code is read without error. "floor": random numbers."""
    factors, classes = true_factors(images)
    noise = np.random.default_rng(seed).normal(size=factors.shape)
    codes = {"ceiling": _standardise(factors) + NOISE * noise, "floor": noise}
    return {name: scores(list(of.T), factors, classes, seed) for name, of in codes.items()}


def true_factors(images: ImageSet) -> tuple[np.ndarray, list[int]]:
    """The held-out pictures' factors as 0, 1, ..., int [N, F], and which of them are classes without an order: those
    that are the pictures' labels. Raises ValueError where no factors are known."""
    shown = images.held_out
    if shown is None or shown.attributes is None:
        raise ValueError(f"{images.name}: disentanglement is measured on held-out pictures with known attributes")
    columns = shown.attributes[:MAX_PICTURES].T
    labels = None if shown.labels is None else shown.labels[:MAX_PICTURES].float()
    classes = [k for k, column in enumerate(columns) if labels is not None and column.equal(labels)]
    return np.stack([_indices(column) for column in columns], axis=1), classes


def _indices(column: Tensor) -> np.ndarray:
    """A factor's values as 0, 1, ...; many values in N_PARTS of about as many pictures each."""
    values = column.double().numpy()
    if len(np.unique(values)) > MAX_VALUES:
        values = np.digitize(values, np.quantile(values, np.linspace(0, 1, N_PARTS + 1)[1:-1]))
    return np.unique(values, return_inverse=True)[1]


def scores(
    codes: list[np.ndarray], factors: np.ndarray, classes: Sequence[int] = (), seed: int = 0
) -> dict[str, float]:
    """All scores, each at most 1, higher is better. factors int [N, F]: 0, 1, ...; classes: those without an order.

    codes: what Q reads of each, a continuous one's mean [N] or a categorical one's probabilities [N, K]; either is one
    code. What is fitted is fitted on half of the pictures and scored on the other. Raises ValueError where no code
    varies, or where a factor has one value or a value that few pictures show.
    """
    for k, f in enumerate(factors.T):
        counts = np.bincount(f)
        if len(counts) < 2 or counts.min() < MIN_PICTURES:
            found = f"its values are shown by {counts.tolist()} pictures"
            raise ValueError(f"factor {k} needs two values or more, each in {MIN_PICTURES} pictures or more; {found}")
    values = [c if c.ndim == 1 else c.argmax(axis=1) for c in codes]
    bins = [v if v.dtype == int else np.digitize(v, np.linspace(v.min(), v.max(), BINS + 1)[1:-1]) for v in values]
    information = np.array([[mutual_info_score(b, f) for f in factors.T] for b in bins])
    columns = [c.reshape(len(c), -1) for c in codes]
    scaled = [_standardise(c) for c in columns]
    halves = [train_test_split(np.arange(len(f)), test_size=0.5, random_state=seed, stratify=f) for f in factors.T]
    return {
        "factor_vae": factor_vae(columns, factors, seed),
        "mig": mig(information, factors),
        **trees(np.stack(values, axis=1), factors, halves, seed),
        **lasso(scaled, _standardise(factors), halves),
        "sap": sap(columns, factors, range(factors.shape[1]), halves),
        "sap_correlation": sap(columns, factors, classes, halves),
        "modularity": modularity(information),
        "explicitness": explicitness(np.concatenate(scaled, axis=1), factors, halves),
    }


def _standardise(columns: np.ndarray) -> np.ndarray:
    return (columns - columns.mean(axis=0)) / np.maximum(columns.std(axis=0), 1e-12)


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
    names that factor by a majority vote, on votes that the majority was not learned from.

    A category's variance is the sum of its probabilities' variances. Raises ValueError where no code varies.
    """
    if not any(np.ptp(c, axis=0).any() for c in codes):
        raise ValueError("no code varies from picture to picture: there is nothing to score")
    rng = np.random.default_rng(seed)
    fixed = rng.integers(factors.shape[1], size=VOTES_TO_LEARN + VOTES_TO_SCORE)
    groups = np.empty((len(fixed), GROUP), int)
    for k, f in enumerate(factors.T):
        votes, order, counts = np.flatnonzero(fixed == k), np.argsort(f), np.bincount(f)
        value = f[rng.integers(len(f), size=len(votes))]
        nth = (rng.random((len(votes), GROUP)) * counts[value, None]).astype(int)  # of the pictures that show the value
        groups[votes] = order[(np.cumsum(counts) - counts)[value, None] + nth]
    variance = np.array([c.var(axis=0).sum() for c in codes])
    alive = np.flatnonzero(variance > MIN_DEVIATION**2 * variance.max())
    least = np.argmin([codes[j][groups].var(axis=1).sum(axis=1) / variance[j] for j in alive], axis=0)
    table = np.zeros((2, len(alive), factors.shape[1]))
    np.add.at(table, ((np.arange(len(fixed)) >= VOTES_TO_LEARN).astype(int), least, fixed), 1)
    return float(table[1, np.arange(len(alive)), table[0].argmax(axis=1)].sum() / VOTES_TO_SCORE)


def trees(codes: np.ndarray, factors: np.ndarray, halves: Halves, seed: int) -> dict[str, float]:
    """DCI of boosted trees (Locatello et al. 2019). A code's importance is what the trees gain by it, informativeness
    their accuracy. The scores grow with the number of pictures."""
    model = GradientBoostingClassifier(random_state=seed)
    importance, accuracy = [], []
    for f, (fit, test) in zip(factors.T, halves, strict=True):
        importance.append(model.fit(codes[fit], f[fit]).feature_importances_)
        accuracy.append(model.score(codes[test], f[test]))
    return dci("trees", np.stack(importance, axis=1), accuracy)


def lasso(codes: list[np.ndarray], factors: np.ndarray, halves: Halves) -> dict[str, float]:
    """DCI of the Lasso (Eastwood and Williams 2018, section 4; Lin et al. 2020), which takes a factor as a number. A
    code's importance is its coefficient's size, on all pictures as there; informativeness is R^2, held out. Of codes
    that tell nothing a chance coefficient or two may survive: the other two scores then mean nothing."""
    model = Lasso(ALPHA)
    x, starts = np.concatenate(codes, axis=1), np.cumsum([0] + [c.shape[1] for c in codes[:-1]])
    importance = [np.add.reduceat(np.abs(model.fit(x, y).coef_), starts) for y in factors.T]
    halved = zip(factors.T, halves, strict=True)
    explained = [model.fit(x[fit], y[fit]).score(x[test], y[test]) for y, (fit, test) in halved]
    return dci("lasso", np.stack(importance, axis=1), explained)


def dci(name: str, importance: np.ndarray, informativeness: list[float]) -> dict[str, float]:
    """Eastwood and Williams 2018, section 2, from an estimator's importance of codes for factors, [J, F].

    Disentanglement: 1 less the entropy of what a code is important for, in units of ln F, the codes weighted by their
    importance. Completeness: 1 less the entropy of which codes are important for a factor, in units of ln J, the mean
    over the factors. Informativeness: how well factors are told on pictures that nothing was fitted on, their mean.
    """
    weight = importance.sum(axis=1) / max(importance.sum(), 1e-12)
    return {
        f"dci_{name}_disentanglement": float(weight @ _concentration(importance)),
        f"dci_{name}_completeness": float(np.mean(_concentration(importance.T))),
        f"dci_{name}_informativeness": float(np.mean(informativeness)),
    }


def _concentration(importance: np.ndarray) -> np.ndarray:
    """1 less each row's entropy in units of the highest, 0 for a row of zeros: [A, B] -> [A]."""
    total = importance.sum(axis=1, keepdims=True)
    share = importance / np.maximum(total, 1e-12)
    entropy = -(share * np.log(np.maximum(share, 1e-12))).sum(axis=1) / np.log(max(2, importance.shape[1]))
    return np.where(total[:, 0] > 0, 1 - entropy, 0)


def sap(codes: list[np.ndarray], factors: np.ndarray, classes: Sequence[int], halves: Halves) -> float:
    """Separated attribute predictability (Kumar et al. 2018, section 3): the lead of the best code over the second.

    How good a code is: for one of the classes, the held-out accuracy of a linear classifier; for any other factor, its
    squared correlation with the code. disentanglement_lib takes all factors as classes, InfoGAN-CR the shape alone.
    Codes have the scale in which Q reads them, as there; the classifier's regulariser depends on it.
    """
    linear, line = LinearSVC(C=0.01, class_weight="balanced", dual=False), LinearRegression()
    table = np.zeros((len(codes), factors.shape[1]))
    for k, (f, (fit, test)) in enumerate(zip(factors.T, halves, strict=True)):
        for j, c in enumerate(codes):
            accurate = k in classes
            table[j, k] = linear.fit(c[fit], f[fit]).score(c[test], f[test]) if accurate else line.fit(c, f).score(c, f)
    return float(np.mean(_lead(table)))


def explicitness(codes: np.ndarray, factors: np.ndarray, halves: Halves) -> float:
    """Ridgeway and Mozer 2018, section 3: the area under the ROC curve of each of a factor's values, from a multinomial
    logistic regression on all codes, held out, averaged over the values, then over the factors: 0.5 for guessing."""
    areas = []
    for f, (fit, test) in zip(factors.T, halves, strict=True):
        chance = LogisticRegression(max_iter=300).fit(codes[fit], f[fit]).predict_proba(codes[test])
        areas.append(np.mean([roc_auc_score(f[test] == value, p) for value, p in enumerate(chance.T)]))
    return float(np.mean(areas))

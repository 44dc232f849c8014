"""How far generated pictures are from real ones, in the features of the project's own classifier."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from infogan_core.measure.classifier import Classifier

NEIGHBOURS = 3  # k of Kynkaanniemi et al. 2019
MANIFOLD = 5_000  # at most so many of each set make up a manifold
SUBSETS, SUBSET = 50, 1_000  # of the kernel distance: how many, and of how many pictures
SHUFFLES = 10
SCORED = ("digit", "class")  # the classifier score is of one label per picture, not of CelebA's 40 attributes


def quality(features: Classifier, generated: Tensor, train: Tensor, held_out: Tensor | None, seed: int = 0) -> dict:
    """Classifier [N, F] of generated pictures against those of real ones, and of real ones against each other.

    held_out, train  generated against these: see `compare`
    real             train against held_out, what a perfect generator would reach; "frechet_shuffled" is the mean of
                     SHUFFLES more with the two sets mixed and dealt again, what chance alone makes: clearly less than
                     "frechet" where the classifier remembers its training pictures, and "ratio" flatters
    ratio            Frechet distance to held_out of as many generated pictures as `train` has ("ratio_n"), over that
                     of train: sets of one size, because the distance falls with the number of pictures
    score            `classifier_score` of each set, and "share": that of generated pictures over that of held-out ones,
                     or of train; absent without a label (CelebA's attributes are not one distribution)
    n                how many pictures each set has

    Without held-out pictures only "train" and "score" are there. Plain numbers, the same for the same seed.
    """
    report = {"n": {"generated": len(generated), "train": len(train)}, "train": compare(generated, train, seed)}
    if held_out is not None:
        n = min(len(generated), len(train))
        real = compare(train, held_out, seed) | {"frechet_shuffled": shuffled(train, held_out, seed)}
        report["n"]["held_out"] = len(held_out)
        report |= {"held_out": compare(generated, held_out, seed), "real": real}
        report |= {"ratio": frechet(generated[:n], held_out) / frechet(train[:n], held_out), "ratio_n": n}
    label = next((head.name for head in features.heads if head.name in SCORED), None)
    if label is not None:
        sets = {"generated": generated, "train": train, "held_out": held_out}
        score = {k: classifier_score(features.classify(h)[label]) for k, h in sets.items() if h is not None}
        report["score"] = score | {"share": score["generated"] / score.get("held_out", score["train"])}
    return report


def shuffled(a: Tensor, b: Tensor, seed: int = 0) -> float:
    """Mean Frechet distance of sets as large as a and b, dealt at random from both: that of one distribution."""
    mixed, generator = torch.cat([a, b]), torch.Generator().manual_seed(seed)
    orders = [torch.randperm(len(mixed), generator=generator) for _ in range(SHUFFLES)]
    return sum(frechet(mixed[order[: len(a)]], mixed[order[len(a) :]]) for order in orders) / SHUFFLES


def compare(a: Tensor, b: Tensor, seed: int = 0) -> dict[str, float]:
    """Classifier a [N, F] against real ones b [M, F]: distances, and precision and recall of a."""
    kernel, stderr = kernel_distance(a, b, seed)
    precision, recall = precision_recall(a, b)
    distances = {"frechet": frechet(a, b), "kernel": kernel, "kernel_stderr": stderr}
    return distances | {"precision": precision, "recall": recall}


def frechet(a: Tensor, b: Tensor) -> float:
    """Frechet distance of the Gaussians with the sets' means and covariances (Heusel et al. 2017): [N, F], [M, F].

    |mean_a - mean_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)), in float64, by torchmetrics. Biased upwards for few
    pictures: two draws of 2,000 from one distribution are not at 0.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance

    as_they_are = nn.Identity()
    as_they_are.num_features = a.shape[1]
    metric = FrechetInceptionDistance(as_they_are)
    metric.update(a.double(), real=False)
    metric.update(b.double(), real=True)
    return metric.compute().item()


def kernel_distance(a: Tensor, b: Tensor, seed: int = 0) -> tuple[float, float]:
    """KID (Binkowski et al. 2018) of features [N, F] and [M, F], with its standard error; float64, by torchmetrics.

    The unbiased MMD^2 with the kernel (x.y / F + 1)^3, averaged over SUBSETS random subsets of SUBSET pictures: about 0
    (and as often below) for two draws of one distribution. The error is the subsets' standard deviation over the root
    of how many of them would be disjoint.
    """
    from torchmetrics.image.kid import KernelInceptionDistance

    fewest = min(len(a), len(b))
    size = min(SUBSET, fewest)
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.filterwarnings("ignore", message=".*will save all extracted features in buffer")
        torch.manual_seed(seed)  # of torchmetrics' subsets
        metric = KernelInceptionDistance(nn.Identity(), subsets=SUBSETS, subset_size=size)
        metric.update(a.double(), real=False)
        metric.update(b.double(), real=True)
        mean, std = (value.item() for value in metric.compute())
    return mean, std / math.sqrt(min(SUBSETS, fewest // size))


def precision_recall(a: Tensor, b: Tensor) -> tuple[float, float]:
    """Kynkaanniemi et al. 2019: the share of a within b's manifold, and of b within a's. Classifier [N, F], [M, F].

    A manifold is the balls around a set's points that reach to their NEIGHBOURS-th nearest neighbour in it. Of both
    sets as many points, at most MANIFOLD, because either share grows with the number.
    """
    n = min(len(a), len(b), MANIFOLD)
    a, b = a[:n].double(), b[:n].double()
    return _covered(a, b), _covered(b, a)


def _covered(points: Tensor, manifold: Tensor) -> float:
    """Share of points [N, F] within the manifold of [M, F]."""
    k = min(NEIGHBOURS, len(manifold) - 1) + 1  # the nearest is the point itself
    radius = torch.cat([torch.cdist(part, manifold).kthvalue(k).values for part in manifold.split(1000)])
    inside = torch.cat([(torch.cdist(part, manifold) <= radius).any(dim=1) for part in points.split(1000)])
    return inside.double().mean().item()


def classifier_score(p: Tensor) -> float:
    """exp of the mean KL from the marginal, 1 to K (Salimans et al. 2016, on the project's classifier): p [N, K].

    K if each picture is surely of one class and all classes are alike; 1 if all pictures read the same.
    """
    p = p.double()
    return math.exp(torch.special.entr(p.mean(dim=0)).sum() - torch.special.entr(p).sum(dim=1).mean())


def inception_distance(generated: Tensor, real: Tensor) -> float:
    """The standard FID, on Inception's 2048 features: pictures uint8 [N, C, H, W]; minutes, and a download of 91 MiB.

    Raises RuntimeError where torch-fidelity, which brings Inception, or its weights cannot be had.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance

    try:
        metric = FrechetInceptionDistance(2048)
    except (ModuleNotFoundError, OSError) as error:
        how = "`pip install torch-fidelity`, and a network for its weights"
        raise RuntimeError(f"the standard FID needs {how} ({' '.join(str(error).split())})") from None
    for pictures, are_real in ((generated, False), (real, True)):
        for part in pictures.split(50):
            metric.update(part.expand(-1, 3, -1, -1), real=are_real)
    return metric.compute().item()

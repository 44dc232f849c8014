"""How far generated pictures are from real ones, in the features of the project's own classifier."""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics.image import fid, kid

from infogan_core.data.load import DATASETS
from infogan_core.device import seeded
from infogan_core.measure.context import Context, as_pixels

NEIGHBOURS = 3  # k of Kynkaanniemi et al. 2019
MANIFOLD_POINTS = 5_000  # at most so many of each set
SUBSETS, SUBSET_SIZE = 50, 1_000  # of the kernel distance
SHUFFLES = 10
RATIO_PICTURES = 2_000  # of each set: real pictures' own distance falls as the number grows, so the ratio rises


def quality(context: Context) -> dict[str, Any]:
    """{"quality": the classifier's features of generated pictures against those of real ones; {} without a classifier}.

    held_out, train  generated against these: see `compare`
    real             train against held_out: what a perfect generator would reach. "frechet_shuffled" is that of both
                     sets mixed, so chance alone; it is clearly less where the classifier remembers what it learnt on
    ratio            see `against_real`, with "excess" and "ratio_n", or "no_ratio", the reason why there is none
    score            `classifier_score` of each set, and the "share" of generated over held-out pictures (or train);
                     absent without a label (CelebA's attributes are not one distribution)
    n                pictures per set; without held-out ones there are only "n", "train" and "score"
    """
    if context.features is None:
        return {}
    sets, seed = context.features, context.seed
    generated, train, held_out = sets["generated"], sets["train"], sets.get("held_out")
    report = {"n": {name: len(h) for name, h in sets.items()}, "train": compare(generated, train, seed)}
    if held_out is not None:
        real = compare(train, held_out, seed) | {"frechet_shuffled": shuffled(train, held_out, seed)}
        report |= {"held_out": compare(generated, held_out, seed), "real": real} | against_real(sets, seed)
    labels = {"class", *(row.label for row in DATASETS.values())}
    label = next((head.name for head in context.classifier.heads if head.name in labels), None)
    if label is not None:
        score = {name: classifier_score(context.classifier.classify(h)[label]) for name, h in sets.items()}
        report["score"] = score | {"share": score["generated"] / score.get("held_out", score["train"])}
    return {"quality": report}


def against_real(sets: dict[str, Tensor], seed: int = 0) -> dict[str, Any]:
    """Frechet distance to held-out pictures of generated ones, over that of training pictures ("ratio") and above it.

    Always of RATIO_PICTURES of each set ("ratio_n"), because the ratio is mostly a matter of their number: real
    pictures are apart by chance alone, and less so the more there are. CelebA's run of 0.1.0 has a ratio of 1.5
    with 500, of 3.9 with 2,000 and of 12.3 with all, and an "excess" over chance of 1.2, 1.5 and 1.4. Both distances
    are means over SHUFFLES draws: one draw's ratio may be half of another's. With fewer pictures: "no_ratio", why.
    """
    few = [f"{len(h):,} {name}" for name, h in sets.items() if len(h) < RATIO_PICTURES]
    if few:
        return {"no_ratio": f"the ratio is of {RATIO_PICTURES:,} pictures of each set, found {', '.join(few)}"}
    generator, distance, real = torch.Generator().manual_seed(seed), 0.0, 0.0
    for _ in range(SHUFFLES):
        drawn = {name: h[torch.randperm(len(h), generator=generator)[:RATIO_PICTURES]] for name, h in sets.items()}
        distance += frechet(drawn["generated"], drawn["held_out"]) / SHUFFLES
        real += frechet(drawn["train"], drawn["held_out"]) / SHUFFLES
    return {"ratio": distance / real, "excess": distance - real, "ratio_n": RATIO_PICTURES}


def shuffled(a: Tensor, b: Tensor, seed: int = 0) -> float:
    """Mean Frechet distance of SHUFFLES pairs of sets as large as a and b, dealt at random from both."""
    mixed, generator = torch.cat([a, b]), torch.Generator().manual_seed(seed)
    orders = [torch.randperm(len(mixed), generator=generator) for _ in range(SHUFFLES)]
    return sum(frechet(mixed[order[: len(a)]], mixed[order[len(a) :]]) for order in orders) / SHUFFLES


def compare(a: Tensor, b: Tensor, seed: int = 0) -> dict[str, float]:
    """Features a [N, F] against real ones b [M, F]: distances, and precision and recall of a."""
    kernel, stderr = kernel_distance(a, b, seed)
    precision, recall = precision_recall(a, b)
    distances = {"frechet": frechet(a, b), "kernel": kernel, "kernel_stderr": stderr}
    return distances | {"precision": precision, "recall": recall}


def frechet(a: Tensor, b: Tensor) -> float:
    """Frechet distance of the Gaussians with the sets' means and covariances (Heusel et al. 2017): [N, F], [M, F].

    In float64. Biased upwards for few pictures: two draws of 2,000 from one distribution are not at 0.
    """
    as_they_are = nn.Identity()
    as_they_are.num_features = a.shape[1]
    return _measured(fid.FrechetInceptionDistance(as_they_are), a, b).item()


def kernel_distance(a: Tensor, b: Tensor, seed: int = 0) -> tuple[float, float]:
    """KID (Binkowski et al. 2018) of features [N, F] and [M, F], with its standard error, in float64.

    The unbiased MMD^2 with the kernel (x.y / F + 1)^3, averaged over random subsets: about 0 (and as often below) for
    two draws of one distribution. The error is the subsets' deviation over the root of how many would be disjoint.
    """
    fewest = min(len(a), len(b))
    size = min(SUBSET_SIZE, fewest)
    with warnings.catch_warnings(), seeded(seed):  # torchmetrics draws its subsets from the global generator
        warnings.filterwarnings("ignore", message=".*will save all extracted features in buffer")
        mean, std = _measured(kid.KernelInceptionDistance(nn.Identity(), subsets=SUBSETS, subset_size=size), a, b)
    return mean.item(), std.item() / math.sqrt(min(SUBSETS, fewest // size))


def _measured(metric: Any, a: Tensor, b: Tensor) -> Any:
    metric.update(a.double(), real=False)
    metric.update(b.double(), real=True)
    return metric.compute()


def precision_recall(a: Tensor, b: Tensor) -> tuple[float, float]:
    """Kynkaanniemi et al. 2019: the share of a within b's manifold, and of b within a's. Features [N, F], [M, F].

    A manifold is the balls around a set's points that reach to their NEIGHBOURS-th nearest neighbour in it.
    """
    n = min(len(a), len(b), MANIFOLD_POINTS)  # of both as many: either share grows with the number
    a, b = a[:n].double(), b[:n].double()
    return _covered(a, b), _covered(b, a)


def _covered(points: Tensor, manifold: Tensor) -> float:
    k = min(NEIGHBOURS, len(manifold) - 1) + 1  # the nearest is the point itself
    radius = torch.cat([torch.cdist(part, manifold).kthvalue(k).values for part in manifold.split(1000)])
    inside = torch.cat([(torch.cdist(part, manifold) <= radius).any(dim=1) for part in points.split(1000)])
    return inside.double().mean().item()


def classifier_score(p: Tensor) -> float:
    """exp of the mean KL from the marginal, 1 to K (Salimans et al. 2016, on the project's classifier): p [N, K]."""
    p = p.double()
    return math.exp(torch.special.entr(p.mean(dim=0)).sum() - torch.special.entr(p).sum(dim=1).mean())


def inception(context: Context) -> dict[str, Any]:
    """{"conditions": {"inception": the standard FID, on Inception's 2048 features, and "n"}}, where it is asked for.

    It takes minutes and a download of 91 MiB; RuntimeError where torch-fidelity or its weights cannot be had.
    """
    if not context.inception:
        return {}
    try:
        metric = fid.FrechetInceptionDistance(2048)
    except (ModuleNotFoundError, OSError) as error:
        how = "`pip install torch-fidelity`, and a network for its weights"
        raise RuntimeError(f"the standard FID needs {how} ({' '.join(str(error).split())})") from None
    generated = as_pixels(context.generated[1])
    real, _ = context.real.get("held_out", context.real["train"])
    for pictures, are_real in ((generated, False), (real, True)):
        for part in pictures.split(50):
            metric.update(part.expand(-1, 3, -1, -1), real=are_real)
    return {"conditions": {"inception": {"frechet": metric.compute().item(), "n": [len(generated), len(real)]}}}

"""How well Q's categorical codes tell real images apart: against labels, and by what can be told without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from torch import Tensor

from infogan_core.model.latents import Categorical

if TYPE_CHECKING:
    from infogan_core.data.images import ImageSet
    from infogan_core.runs import Run

REAL_IMAGES = 10_000  # at most so many of a split are read, drawn at random: MNIST's whole test set
SHIFTED_IMAGES = 1_000  # as many of these are shifted for "stability"


def recognition(run: Run, images: ImageSet, seed: int) -> dict:
    """{"real": `certainty` and `stability` of c1, "held_out" or "train": `agreement` of a code with the labels}.

    The code ("c1"), of several the one with the highest NMI, and the matching of its categories to labels are fitted on
    training images. Without labels there is no agreement.
    """
    split, shown = ("train", images) if images.held_out is None else ("held_out", images.held_out)
    pixels, labels = draw(shown, seed)
    q, few = read(run, pixels), pixels[:SHIFTED_IMAGES]
    report = {"real": {"split": split, "n": len(pixels), **certainty(q[0]), "stability": stability(run, few)}}
    if labels is not None and images.labels is not None:
        fit_pixels, fit_labels = draw(images, seed)
        fit = [p.argmax(dim=1) for p in read(run, fit_pixels)]
        best = max(range(len(fit)), key=lambda i: normalized_mutual_info_score(fit_labels, fit[i]))
        matching = match_categories(fit[best], fit_labels, q[best].shape[1])
        names = [
            run.config.latents.name(i) for i, c in enumerate(run.config.latents.codes) if isinstance(c, Categorical)
        ]
        fitted = {"code": names[best], "fitted_on": len(fit_pixels)}
        report[split] = agreement(q[best].argmax(dim=1), labels, matching) | fitted
    return report


def draw(images: ImageSet, seed: int) -> tuple[Tensor, Tensor | None]:
    """At most REAL_IMAGES (pixels, labels), at random: files are often sorted by class."""
    chosen = torch.randperm(len(images.pixels), generator=torch.Generator().manual_seed(seed))[:REAL_IMAGES]
    return images.pixels[chosen], None if images.labels is None else images.labels[chosen]


def read(run: Run, pixels: Tensor) -> list[Tensor]:
    """Q(c|x) of real images, per categorical code: uint8 [N, C, H, W] -> probabilities [N, K] each."""
    codes = zip(run.config.latents.codes, run.infer(pixels.float() / 255), strict=True)
    return [q.float().cpu() for code, q in codes if isinstance(code, Categorical)]


def certainty(q: Tensor) -> dict[str, float]:
    """How sure Q(c1|x) [N, K] is of real images: mean highest probability ("confidence") and, in nats, mean entropy.

    "balance" is the entropy of the mean, ln K when all categories are used alike; "mi" what lies between the two.
    """
    entropy, balance = (torch.special.entr(p).sum(dim=-1).mean().item() for p in (q.double(), q.double().mean(dim=0)))
    return {"confidence": q.amax(dim=1).mean().item(), "entropy": entropy, "balance": balance, "mi": balance - entropy}


def stability(run: Run, pixels: Tensor) -> float:
    """Share of image-direction pairs whose category survives a shift by one pixel, the border repeated."""
    category = read(run, pixels)[0].argmax(dim=1)
    moved = [(torch.arange(pixels.shape[-1]) + step).clamp(0, pixels.shape[-1] - 1) for step in (-1, 1)]
    shifted = [pixels[:, :, rows] for rows in moved] + [pixels[..., columns] for columns in moved]
    return torch.stack([read(run, x)[0].argmax(dim=1) == category for x in shifted]).double().mean().item()


def match_categories(categories: Tensor, labels: Tensor, k: int) -> Tensor:
    """The one-to-one matching with the most hits (Hungarian method, Kuhn 1955): int64 [k], category -> label.

    A category with no label left gets -1; with fewer categories than labels, some labels are never named.
    """
    classes = int(labels.max()) + 1
    hits = torch.bincount(categories * classes + labels, minlength=k * classes).view(k, classes)
    matched, names = linear_sum_assignment(hits.numpy(), maximize=True)
    matching = torch.full((k,), -1)
    matching[matched] = torch.from_numpy(names)
    return matching


def agreement(categories: Tensor, labels: Tensor, matching: Tensor) -> dict:
    """Accuracy under `matching` [K], and two scores that need none: NMI and ARI. Categories and labels int64 [N]."""
    right = (matching[categories] == labels).double().mean().item()
    nmi, ari = (float(score(labels, categories)) for score in (normalized_mutual_info_score, adjusted_rand_score))
    report = {"n": len(labels), "accuracy": right, "error": 1 - right, "nmi": nmi, "ari": ari}
    return report | {"matching": matching.tolist()}

"""How well Q's categorical codes tell real images apart: against labels, and by what can be told without them."""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from torch import Tensor

from infogan_core.data.images import ImageSet
from infogan_core.measure.code_names import contingency
from infogan_core.measure.context import Context
from infogan_core.model.latents import Categorical
from infogan_core.runs import Run

SHIFTED_IMAGES = 1_000  # so many are shifted for "stability"


def recognition(context: Context) -> dict:
    """{"real": `certainty` and `stability` of the first categorical code, "held_out" or "train": `agreement`}.

    Two choices are made on training images alone: the code that is compared with the labels (the one with the highest
    NMI), and the label of each of its categories. Without labels there is no agreement. Where the labels have
    names, the matching has them, and "names" those of categories, see `name_categories`.
    """
    run, spec = context.run, context.run.config.latents
    names = [spec.name(i) for i, code in enumerate(spec.codes) if isinstance(code, Categorical)]
    if not names:
        return {}
    split = "held_out" if "held_out" in context.real else "train"
    pixels, labels = context.real[split]
    q, stable = read_categories(run, pixels), stability(run, pixels[:SHIFTED_IMAGES])
    report = {"real": {"split": split, "n": len(pixels), **certainty(q[0]), "stability": stable}}
    fit_pixels, fit_labels = context.real["train"]
    if labels is not None and fit_labels is not None:
        fit = [p.argmax(dim=1) for p in read_categories(run, fit_pixels)]
        best = max(range(len(fit)), key=lambda i: normalized_mutual_info_score(fit_labels, fit[i]))
        matching = match_categories(fit[best], fit_labels, q[best].shape[1])
        report[split] = agreement(q[best].argmax(dim=1), labels, matching)
        report[split] |= {"code": names[best], "fitted_on": len(fit_pixels)}
        if called := context.images.label_names:
            report[split]["matching"] = [None if label < 0 else called[label] for label in matching.tolist()]
            report["names"] = name_categories(names[best], fit[best], fit_labels, context.images)
    return report


def overfitting(context: Context) -> dict:
    """{"overfitting": D's mean output for "train", "held_out" and "generated" pictures, and "r_v" of them}.

    r_v = (D(train) - D(held out)) / (D(train) - D(G)), equation 1 of Karras et al. 2020: 0 where D rates unseen real
    pictures like those that it was trained on, 1 where it rates them like generated ones, and absent where it rates
    training pictures no higher than generated ones. Nothing is said where no pictures are held out.
    """
    if "held_out" not in context.real:
        return {}
    pictures = {split: pixels.float() / 255 for split, (pixels, _) in context.real.items()}
    pictures["generated"] = context.generated[1]
    means = {name: context.run.d_logits(x).mean().item() for name, x in pictures.items()}
    margin = means["train"] - means["generated"]
    r_v = {"r_v": (means["train"] - means["held_out"]) / margin} if margin > 0 else {}
    return {"overfitting": means | r_v}


def read_categories(run: Run, pixels: Tensor) -> list[Tensor]:
    """Q(c|x) of real images, per categorical code: uint8 [N, C, H, W] -> probabilities [N, K] each."""
    codes = zip(run.config.latents.codes, run.infer(pixels.float() / 255), strict=True)
    return [q.float().cpu() for code, q in codes if isinstance(code, Categorical)]


def certainty(q: Tensor) -> dict[str, float]:
    """How sure Q(c|x) [N, K] is of real images: mean highest probability ("confidence") and, in nats, mean entropy.

    "balance" is the entropy of the mean, ln K when all categories are used alike; "mi" what lies between the two.
    """
    entropy, balance = (torch.special.entr(p).sum(dim=-1).mean().item() for p in (q.double(), q.double().mean(dim=0)))
    return {"confidence": q.amax(dim=1).mean().item(), "entropy": entropy, "balance": balance, "mi": balance - entropy}


def stability(run: Run, pixels: Tensor) -> float:
    """How often the category survives a shift by one pixel, the border repeated: a share of images x 4 directions."""
    category = read_categories(run, pixels)[0].argmax(dim=1)
    shifts = [(torch.arange(pixels.shape[-1]) + step).clamp(0, pixels.shape[-1] - 1) for step in (-1, 1)]
    shifted = [pixels[:, :, rows] for rows in shifts] + [pixels[..., columns] for columns in shifts]
    return torch.stack([read_categories(run, x)[0].argmax(dim=1) == category for x in shifted]).double().mean().item()


def match_categories(categories: Tensor, labels: Tensor, k: int) -> Tensor:
    """The one-to-one matching with the most hits (Hungarian method, Kuhn 1955): int64 [k], category -> label or -1."""
    seen, index = labels.unique(return_inverse=True)  # a label may be 10**12
    matched, best = linear_sum_assignment(contingency(categories, index, k, len(seen)).numpy(), maximize=True)
    matching = torch.full((k,), -1)
    matching[matched] = seen[best]
    return matching


def name_categories(code: str, categories: Tensor, labels: Tensor, images: ImageSet) -> dict[str, str]:
    """Each category after the label that more than half of its images bear: {"c1=7": "class cat 94%"}."""
    table = contingency(categories, labels, int(categories.max()) + 1, len(images.label_names)).double()
    shares, most = (table / table.sum(dim=1, keepdim=True).clamp_min(1)).max(dim=1)
    found = enumerate(zip(shares.tolist(), most.tolist(), strict=True))
    return {
        f"{code}={k}": f"class {images.label_names[label]} {share:.0%}" for k, (share, label) in found if share > 0.5
    }


def agreement(categories: Tensor, labels: Tensor, matching: Tensor) -> dict:
    """Accuracy under `matching` [K], and two scores that need none: NMI and ARI. Categories and labels int64 [N]."""
    right = (matching[categories] == labels).double().mean().item()
    nmi, ari = (float(score(labels, categories)) for score in (normalized_mutual_info_score, adjusted_rand_score))
    found = {"n": len(labels), "accuracy": right, "error": 1 - right, "nmi": nmi, "ari": ari}
    return found | {"matching": matching.tolist()}

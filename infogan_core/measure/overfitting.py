"""Whether D has learnt its training pictures by heart: it then takes held-out ones for generated ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infogan_core.measure.labels import draw

if TYPE_CHECKING:
    from torch import Tensor

    from infogan_core.data.images import ImageSet
    from infogan_core.runs import Run


def overfitting(run: Run, images: ImageSet, x: Tensor, seed: int) -> dict[str, float]:
    """D's mean output for training, held-out and generated pictures x, float [N, C, H, W] in 0..1, and "r_v" of them.

    r_v = (D(train) - D(held out)) / (D(train) - D(G)), equation 1 of Karras et al. 2020: 0 where D makes no difference
    between pictures that it was trained on and others, 1 where it takes the others for drawn ones. It is left out
    where D scores training pictures no higher than drawn ones.
    """
    real = {"train": images, "held_out": images.held_out}
    means = {name: run.d_logits(draw(shown, seed)[0].float() / 255).mean().item() for name, shown in real.items()}
    means["generated"] = run.d_logits(x).mean().item()
    margin = means["train"] - means["generated"]
    return means | ({"r_v": (means["train"] - means["held_out"]) / margin} if margin > 0 else {})

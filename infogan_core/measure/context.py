"""What the measurements of one run share: generated and real pictures, and a classifier's features of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from infogan_core.data.images import ImageSet
from infogan_core.measure.classifier import Classifier
from infogan_core.runs import Run

REAL_IMAGES = 10_000  # at most so many of a split are read: MNIST's whole test set


@dataclass(eq=False)
class Context:
    """A run and the images that it is measured on; each shared part is made once, when it is first needed."""

    run: Run
    images: ImageSet
    samples: int = 10_000
    seed: int = 0
    classifier: Classifier | None = None
    inception: bool = False
    part: str = "held_out"  # of the images: what "held_out" means to all measurements
    report: dict[str, Any] = field(default_factory=dict)  # what has been measured so far

    @cached_property
    def generated(self) -> tuple[list[Tensor], Tensor]:
        """New samples: one tensor [N] per code, and their pictures, float [N, C, H, W] in 0..1."""
        noise, codes = self.run.config.latents.sample(self.samples, torch.Generator().manual_seed(self.seed))
        return codes, self.run.generate(noise, codes).float().cpu()

    @cached_property
    def real(self) -> dict[str, tuple[Tensor, Tensor | None]]:
        """Pixels and labels of "train" and, where there are any, of "held_out" pictures, which `part` names."""
        real = {}
        for name, split in (("train", self.images), ("held_out", getattr(self.images, self.part))):
            if split is not None:
                # at random, because files are often sorted by class
                chosen = torch.randperm(len(split), generator=torch.Generator().manual_seed(self.seed))[:REAL_IMAGES]
                real[name] = split.pixels[chosen], None if split.labels is None else split.labels[chosen]
        return real

    @cached_property
    def features(self) -> dict[str, Tensor] | None:
        """The classifier's features [N, F] of "generated", "train" and "held_out" pictures, of two or more each."""
        if self.classifier is None or any(len(pixels) < 2 for pixels, _ in self.real.values()):
            return None
        pictures = {"generated": as_pixels(self.generated[1])} | {name: x for name, (x, _) in self.real.items()}
        return {name: self.classifier.penultimate(x) for name, x in pictures.items()}


def as_pixels(x: Tensor) -> Tensor:
    """Pictures in 0..1 as uint8."""
    return (x * 255).round().to(torch.uint8)

"""A run with a hand-made G and Q, and pictures whose measurements are known."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from infogan_core.data.images import ImageSet
from infogan_core.model.latents import Categorical, LatentSpec, Uniform

MNIST = (Categorical(10), Uniform(), Uniform())


class FakeRun:
    """A run with a hand-made G, Q and D: `draw(codes)` gives the pictures, `see(x)` Q's outputs, D says their mean."""

    def __init__(self, draw, see, codes=MNIST, path=None, threads=1):
        self.config = SimpleNamespace(latents=LatentSpec(2, codes), threads=threads)
        self.generate, self.q_params, self.path = lambda _, codes: draw(codes), see, path
        self.env, self.report, self.own_names = {}, {}, {}

    def d_logits(self, x: Tensor) -> Tensor:
        return x.mean(dim=(1, 2, 3))

    def infer(self, x: Tensor) -> list:
        return self.config.latents.read(self.q_params(x))


def note(codes: list[Tensor]) -> Tensor:
    """Pictures that carry their codes in their first pixels: a category / 10, a continuous code from -2..2 as 0..1."""
    x = torch.zeros(len(codes[0]), 1, 28, 28)
    for i, c in enumerate(codes):
        x[:, 0, 0, i] = (c + 2) / 4 if c.is_floating_point() else c / 10
    return x


def perfect(x: Tensor) -> list[Tensor]:
    """The Q that reads the note without error."""
    c1, c2, c3 = x[:, 0, 0, :3].unbind(1)
    return [100.0 * one_hot((c1 * 10).round().long(), 10), 4 * c2[:, None] - 2, 4 * c3[:, None] - 2]


def blind(x: Tensor) -> list[Tensor]:
    """The Q that says the same of every picture."""
    return [torch.zeros(len(x), 10), torch.zeros(len(x), 1), torch.zeros(len(x), 1)]


def bars(slant: Tensor | float, thickness: float = 3.0) -> Tensor:
    """Soft-edged bars over the whole height, leaning by `slant` px to the right per px up -> [N, 1, 28, 28]."""
    y, x = torch.meshgrid(torch.arange(28) - 13.5, torch.arange(28) - 13.5, indexing="ij")
    return (thickness / 2 + 0.5 - (x + torch.as_tensor(slant).reshape(-1, 1, 1) * y).abs()).clamp(0, 1)[:, None]


def leaning(codes: list[Tensor]) -> Tensor:
    """Bars whose slant is c2 / 10; c3 moves nothing."""
    return bars(codes[1] / 10)


def grey_digits(labels: bool = True, held_out: bool = True, off: int = 0) -> ImageSet:
    """40 pictures whose brightness says their digit, as `perfect` reads it; held-out labels are `off` by so many."""
    y = torch.arange(40) % 10
    x = (25.5 * y).round().to(torch.uint8)[:, None, None, None].expand(-1, 1, 28, 28).clone()
    other = ImageSet(x, (y + off) % 10 if labels else None, "others") if held_out else None
    return ImageSet(x, y if labels else None, "digits", other)

"""G, D and Q: the tables of appendix C of Chen et al. 2016, one per image size, and one for 64x64."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from infogan_core.model.latents import LatentSpec

Q_HIDDEN = 128  # "FC128-batchnorm-lReLU-FC.output for Q", the same in every table
INIT_STD = 0.02  # weights ~ N(0, 0.02), batch norm's gamma ~ N(1, 0.02), as in the paper's code


@dataclass(frozen=True)
class Table:
    """A table of appendix C: (channels, batch norm?) per 4x4 stride-2 convolution, and the fully connected layers."""

    trunk: tuple[tuple[int, bool], ...]
    trunk_fc: int | None
    g_fc: int | None
    g_start: tuple[int, int]  # (channels, height = width) of the first feature map of G
    g: tuple[tuple[int, bool], ...]
    output: type[nn.Module]  # maps G's last layer to the pixel range that D sees


C1 = Table(((64, False), (128, True)), 1024, 1024, (128, 7), ((64, True),), nn.Sigmoid)  # MNIST
C2 = Table(  # SVHN, and C.3 for CelebA
    ((64, False), (128, True), (256, True)), None, None, (448, 2), ((256, True), (128, False), (64, False)), nn.Tanh
)
TABLES = {28: C1, 32: C2, 64: replace(C2, trunk=(*C2.trunk, (512, True)), g_start=(448, 4))}  # 64: not in the paper


def table(size: int) -> Table:
    """The table for pictures of size x size pixels. Raises ValueError for a size without one."""
    if size not in TABLES:
        raise ValueError(f"no network for pictures of {size}x{size}: there are tables for {sorted(TABLES)} pixels")
    return TABLES[size]


def _norm_act(norm: nn.Module | None, act: nn.Module, after: bool) -> list[nn.Module]:
    return [act] if norm is None else [act, norm] if after else [norm, act]


class Blur(nn.Module):
    """The binomial filter (1, 2, 1) / 4 in both directions: [n, C, H, W] -> the same shape and range.

    It is 0 at the highest frequency, where a transposed convolution leaves chequered patterns (Odena et al. 2016).
    """

    def forward(self, x: Tensor) -> Tensor:
        x = pad(x, (1, 1, 1, 1), mode="replicate")
        x = (x[..., :-2] + 2 * x[..., 1:-1] + x[..., 2:]) / 4
        return (x[..., :-2, :] + 2 * x[..., 1:-1, :] + x[..., 2:, :]) / 4


class Generator(nn.Module):
    """G(z, c) of appendix C: [n, spec.width] -> [n, channels, size, size], in 0..1 (28 px) or -1..1 (32 and 64 px).

    `width` scales every hidden layer; 1 is the paper's. `norm_every` puts batch norm into every hidden block,
    `norm_after` behind the activations. `blur` adds a Blur.
    """

    def __init__(
        self,
        spec: LatentSpec,
        size: int = 28,
        channels: int = 1,
        width: float = 1.0,
        norm_every: bool = False,
        norm_after: bool = False,
        blur: bool = False,
    ) -> None:
        super().__init__()
        t = table(size)
        seed_channels, seed_size = int(t.g_start[0] * width), t.g_start[1]
        layers: list[nn.Module] = []
        n = spec.width
        for out in ([int(t.g_fc * width)] if t.g_fc else []) + [seed_channels * seed_size**2]:
            layers += [nn.Linear(n, out, bias=False), *_norm_act(nn.BatchNorm1d(out), nn.ReLU(), norm_after)]
            n = out
        layers.append(nn.Unflatten(1, (seed_channels, seed_size, seed_size)))
        n = seed_channels
        for out, norm in [(int(c * width), norm or norm_every) for c, norm in t.g]:
            layers.append(nn.ConvTranspose2d(n, out, 4, 2, 1, bias=not norm))
            layers += _norm_act(nn.BatchNorm2d(out) if norm else None, nn.ReLU(), norm_after)
            n = out
        last = [t.output(), Blur()] if blur else [t.output()]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(n, channels, 4, 2, 1), *last)
        self.apply(_initialise)

    def forward(self, zc: Tensor) -> Tensor:
        return self.layers(zc)


class Discriminator(nn.Module):
    """D(x) and Q(c|x) of appendix C on one trunk. x: [n, channels, size, size] in G's range.

    `slope` of the leaky ReLU is 0.1 in the paper's text and 0.01 in its code. `width` scales the
    trunk; `norm_after` is as of Generator. `overclusters` are the categories of a second head, which only reads real
    pictures during training.
    """

    def __init__(
        self,
        spec: LatentSpec,
        size: int = 28,
        channels: int = 1,
        width: float = 1.0,
        slope: float = 0.1,
        norm_after: bool = False,
        overclusters: int = 0,
    ) -> None:
        super().__init__()
        self.spec = spec
        t = table(size)
        layers: list[nn.Module] = []
        n, pixels = channels, size
        for out, norm in [(int(c * width), norm) for c, norm in t.trunk]:
            layers.append(nn.Conv2d(n, out, 4, 2, 1, bias=not norm))
            layers += _norm_act(nn.BatchNorm2d(out) if norm else None, nn.LeakyReLU(slope), norm_after)
            n, pixels = out, pixels // 2
        layers.append(nn.Flatten())
        n *= pixels**2
        if t.trunk_fc:
            out = int(t.trunk_fc * width)
            layers += [nn.Linear(n, out, bias=False), *_norm_act(nn.BatchNorm1d(out), nn.LeakyReLU(slope), norm_after)]
            n = out
        self.trunk = nn.Sequential(*layers)
        self.d_head = nn.Linear(n, 1)
        self.q_head = nn.Sequential(
            nn.Linear(n, Q_HIDDEN, bias=False),
            *_norm_act(nn.BatchNorm1d(Q_HIDDEN), nn.LeakyReLU(slope), norm_after),
            nn.Linear(Q_HIDDEN, sum(spec.q_widths)),
        )
        self.apply(_initialise)
        self.over_head = nn.Linear(n, overclusters) if overclusters else None  # last: the rest starts as without it

    def d(self, features: Tensor) -> Tensor:
        """The logit of D(x): features [n, F] -> float32 [n]. D(x) = sigmoid(logit)."""
        return self.d_head(features).squeeze(1).float()

    def q(self, features: Tensor) -> list[Tensor]:
        """Q's parameters per code, float32: features [n, F] -> logits [n, K] or (mean, raw sigma) [n, 1 or 2]."""
        return self.spec.split(self.q_head(features).float())

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """D's logit and Q's parameters."""
        features = self.trunk(x)
        return self.d(features), self.q(features)


def to_network_range(x: Tensor | float, size: int) -> Tensor | float:
    """Pictures in 0..1 -> the range of G's output: 0..1 (28 px, sigmoid) or -1..1 (32 and 64 px, tanh)."""
    return x * 2 - 1 if table(size).output is nn.Tanh else x


def to_unit_range(x: Tensor, size: int) -> Tensor:
    """G's output -> 0..1."""
    return (x + 1) / 2 if table(size).output is nn.Tanh else x


@torch.no_grad()
def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, INIT_STD)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
        nn.init.normal_(module.weight, 1.0, INIT_STD)

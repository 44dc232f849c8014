"""The latent code c and the noise z: what is sampled, what Q predicts, and how many nats each code holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Generator, Tensor
from torch.nn.functional import log_softmax, one_hot, softplus

MAX_WIDTH = 20_000  # inputs of G: 88 times the paper's most, and its first layer still fits into memory
BINS = 10  # of a continuous code, to estimate mutual information
SIGMA_FLOOR = 0.05  # without a floor a learned sigma runs to 0 and its log-density, log(1 / sigma), to infinity


@dataclass(frozen=True)
class Categorical:
    """A uniform categorical code, c ~ Cat(K, p = 1/K) (section 7.1 of Chen et al. 2016)."""

    k: int

    def __post_init__(self) -> None:
        if isinstance(self.k, bool) or not isinstance(self.k, int) or self.k < 2:
            raise ValueError(f"Categorical: k must be a whole number of 2 or more, found {self.k!r}")

    @property
    def entropy(self) -> float:
        """H(c) = ln K, in nats."""
        return math.log(self.k)

    ceiling = entropy  # the most L_I can be, in nats: H(c), when Q is always right and sure

    @property
    def width(self) -> int:
        """Inputs of G: one-hot."""
        return self.k

    q_width = width  # outputs of Q: one logit per category

    def sample(self, n: int, generator: Generator | None = None, device: str | torch.device = "cpu") -> Tensor:
        """int64 [n], each category equally likely."""
        return torch.randint(self.k, (n,), generator=generator, device=device)

    def encode(self, c: Tensor) -> Tensor:
        """int64 [n] -> float [n, K]."""
        return one_hot(c, self.k).float()

    def log_q(self, logits: Tensor, c: Tensor) -> Tensor:
        """log Q(c|x) in nats: logits [n, K], c int64 [n] -> [n]."""
        return log_softmax(logits, dim=1).gather(1, c[:, None]).squeeze(1)

    def bins(self, c: Tensor) -> tuple[Tensor, int]:
        """The group that each sample counts in, int64 [n], and the number of groups: the categories."""
        return c, self.k

    def read(self, logits: Tensor) -> Tensor:
        """Q(c|x) as probabilities [n, K]."""
        return logits.softmax(dim=1)


@dataclass(frozen=True)
class Uniform:
    """A continuous code, c ~ Unif(-1, 1), read by a Gaussian Q (section 6 of Chen et al. 2016).

    `sigma` is the standard deviation of Q: a number fixes it (1 in the paper's code, which makes log Q the negative of
    MSE / 2 plus a constant); None lets Q learn it, never below SIGMA_FLOOR.
    """

    sigma: float | None = 1.0
    # Differential entropy H(c), in nats: log Q(c|x) is a density and may exceed 0, so L_I may exceed H(c).
    entropy: ClassVar[float] = math.log(2)
    width: ClassVar[int] = 1  # inputs of G

    def __post_init__(self) -> None:
        number = type(self.sigma) in (int, float) and SIGMA_FLOOR <= self.sigma < math.inf
        if self.sigma is not None and not number:
            raise ValueError(f"Uniform: sigma must be None (learned) or at least {SIGMA_FLOOR}, found {self.sigma!r}")

    @property
    def ceiling(self) -> float | None:
        """The most L_I can be, in nats: H(c) - ln(2 pi sigma^2) / 2, at MSE 0. None where sigma is learned."""
        return None if self.sigma is None else self.entropy - 0.5 * math.log(2 * math.pi * self.sigma**2)

    @property
    def q_width(self) -> int:
        """Outputs of Q: the mean and, where learned, the standard deviation before its softplus."""
        return 1 if self.sigma is not None else 2

    def sample(self, n: int, generator: Generator | None = None, device: str | torch.device = "cpu") -> Tensor:
        """float32 [n] in [-1, 1)."""
        return torch.rand(n, generator=generator, device=device) * 2 - 1

    def encode(self, c: Tensor) -> Tensor:
        """float [n] -> [n, 1]."""
        return c.float()[:, None]

    def log_q(self, params: Tensor, c: Tensor) -> Tensor:
        """Gaussian log-density log Q(c|x) in nats: params [n, q_width], c float [n] -> [n]."""
        mean, sigma = self.read(params)
        return -((c - mean) ** 2) / (2 * sigma**2) - sigma.log() - 0.5 * math.log(2 * math.pi)

    def bins(self, c: Tensor) -> tuple[Tensor, int]:
        """The group that each sample counts in, int64 [n], and the number of groups: BINS of equal width."""
        return ((c + 1) / 2 * BINS).long().clamp(0, BINS - 1), BINS

    def read(self, params: Tensor) -> tuple[Tensor, Tensor]:
        """Q(c|x) as (mean [n], standard deviation [n])."""
        mean = params[:, 0]
        if self.sigma is not None:
            return mean, torch.full_like(mean, self.sigma)
        return mean, softplus(params[:, 1]) + SIGMA_FLOOR


@dataclass(frozen=True)
class LatentSpec:
    """The input of G, [z, c1, c2, ...]: the one description that sampling, Q, the losses, figures and sliders follow.

    `noise` is the distribution of z: "uniform" on (-1, 1), as in the paper's code, or "normal".
    """

    noise_dim: int = 62
    codes: tuple[Categorical | Uniform, ...] = field(default=(Categorical(10), Uniform(), Uniform()))
    noise: str = "uniform"

    def __post_init__(self) -> None:
        if isinstance(self.noise_dim, bool) or not isinstance(self.noise_dim, int) or self.noise_dim < 1:
            raise ValueError(f"LatentSpec: noise_dim must be a whole number of 1 or more, found {self.noise_dim!r}")
        if self.noise not in ("uniform", "normal"):
            raise ValueError(f'LatentSpec: noise must be "uniform" or "normal", found {self.noise!r}')
        object.__setattr__(self, "codes", tuple(self.codes) if isinstance(self.codes, (list, tuple)) else ())
        if not self.codes or not all(isinstance(code, (Categorical, Uniform)) for code in self.codes):
            raise ValueError("LatentSpec: codes must be one or more of Categorical and Uniform, in a tuple")
        if self.width > MAX_WIDTH:
            raise ValueError(f"LatentSpec: noise_dim and codes make {self.width} inputs of G, the limit is {MAX_WIDTH}")

    @property
    def width(self) -> int:
        """Inputs of G: 62 + 10 + 1 + 1 = 74 for MNIST."""
        return self.noise_dim + sum(code.width for code in self.codes)

    @property
    def q_widths(self) -> list[int]:
        """Outputs of Q per code."""
        return [code.q_width for code in self.codes]

    def name(self, code: int) -> str:
        """The paper's symbol of a code: c1, c2, ..."""
        return f"c{code + 1}"

    def sample_noise(self, n: int, generator: Generator | None = None, device: str | torch.device = "cpu") -> Tensor:
        """z: float32 [n, noise_dim]."""
        of = torch.randn if self.noise == "normal" else torch.rand
        z = of(n, self.noise_dim, generator=generator, device=device)
        return z if self.noise == "normal" else z * 2 - 1

    def sample(
        self, n: int, generator: Generator | None = None, device: str | torch.device = "cpu"
    ) -> tuple[Tensor, list[Tensor]]:
        """(noise [n, noise_dim], one tensor [n] per code), as in training."""
        noise = self.sample_noise(n, generator, device)
        return noise, [code.sample(n, generator, device) for code in self.codes]

    def start(self) -> list[float]:
        """Where sliders stand at first: a fixed random category of each categorical code, 0 for a continuous one.

        The corner where all codes are at their first category may look like no sample; with this seed each published
        run shows a whole picture.
        """
        _, codes = self.sample(1, torch.Generator().manual_seed(5))
        pairs = zip(self.codes, codes, strict=True)
        return [c.item() if isinstance(code, Categorical) else 0.0 for code, c in pairs]

    def encode(self, noise: Tensor, codes: list[Tensor]) -> Tensor:
        """G's input: noise [n, noise_dim], one tensor [n] per code -> float [n, width]."""
        return torch.cat([noise, *(code.encode(c) for code, c in zip(self.codes, codes, strict=True))], dim=1)

    def vary(self, noise: Tensor, codes: list[Tensor], code: int, values: Tensor) -> tuple[Tensor, list[Tensor]]:
        """N settings, each with one code at all V values in turn: noise [N * V, noise_dim], codes [N * V] each."""
        varied = [c.repeat_interleave(len(values)) for c in codes]
        varied[code] = values.repeat(len(noise))
        return noise.repeat_interleave(len(values), dim=0), varied

    def check(self, noise: Tensor, codes: list[Tensor]) -> None:
        """Raise ValueError unless noise is [n, noise_dim] and codes are one tensor [n] per code, in its categories."""
        if noise.dim() != 2 or noise.shape[1] != self.noise_dim:
            raise ValueError(f"noise must be [n, {self.noise_dim}], found {list(noise.shape)}")
        if len(codes) != len(self.codes):
            raise ValueError(f"this model has {len(self.codes)} codes, found {len(codes)}")
        for i, (code, c) in enumerate(zip(self.codes, codes, strict=True)):
            if c.shape != noise.shape[:1]:
                raise ValueError(f"{self.name(i)} must be [{len(noise)}], as noise is, found {list(c.shape)}")
            whole = not c.is_floating_point() and c.dtype is not torch.bool
            if isinstance(code, Categorical) and not (whole and ((c >= 0) & (c < code.k)).all()):
                raise ValueError(f"{self.name(i)} must hold whole numbers from 0 to {code.k - 1}")
            if not c.isfinite().all():
                raise ValueError(f"{self.name(i)} must hold finite numbers")

    def split(self, q_output: Tensor) -> list[Tensor]:
        """Q's output [n, sum of q_widths] -> one tensor per code."""
        return list(q_output.split(self.q_widths, dim=1))

    def read(self, q_params: list[Tensor]) -> list[Tensor | tuple[Tensor, Tensor]]:
        """Q(c|x) per code: probabilities [n, K], or (mean, standard deviation) [n]."""
        return [code.read(params) for code, params in zip(self.codes, q_params, strict=True)]

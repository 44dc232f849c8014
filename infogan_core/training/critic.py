"""A second discriminator for G, on fixed features that are learnt from the training pictures alone.

As in Projected GAN (Sauer et al. 2021), whose features come from ImageNet. These come from SimCLR (Chen et al. 2020),
without labels: two views of one picture shall be alike, views of different ones not. The features learn to ignore what
a view may change (place, light, colour, light on dark); shape is left to tell pictures apart.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from infogan_core.data.augment import affine_maps, recolor, warp_pictures
from infogan_core.device import seeded
from infogan_core.model.config import Config
from infogan_core.model.losses import ADVERSARIAL
from infogan_core.model.networks import Discriminator, to_network_range

FEATURES, PROJECTED = 256, 128  # of a picture; of their linear projection, which NT-Xent compares
STEPS = 2_000  # of learning the features, or a tenth of the run's, whichever is less
MOST_PICTURES = 20_000  # that standardise the features
TEMPERATURE = 0.2  # tau of NT-Xent
LEARNING_RATE = 1e-3  # of Adam, for the features and then for the critic's head
WARP, SHIFT = 0.2, 5  # of a view: each entry of its affine map is off by up to so much, and so many pixels


class Critic(nn.Module):
    """Pictures in G's range [n, C, H, W] -> scores, float32 [n]: a trunk like D's that does not train, and a head."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        d = Discriminator(config.latents, config.image_size, config.channels, config.width)
        self.trunk = nn.Sequential(d.trunk, nn.Linear(d.d_head.in_features, FEATURES), nn.ReLU())
        layers = [nn.Linear(FEATURES, FEATURES), nn.LeakyReLU(0.1), nn.Linear(FEATURES, FEATURES), nn.LeakyReLU(0.1)]
        self.head = nn.Sequential(*layers, nn.Linear(FEATURES, 1))
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.ones(FEATURES))
        self.trunk.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.head((self.trunk(x).float() - self.mean) * self.scale).squeeze(1).float()

    @torch.no_grad()
    def standardise(self, pictures: Iterable[Tensor]) -> None:
        """Give each feature mean 0 and deviation 1, or just below, over these batches in G's range.

        A feature that is 0 on all of them is left out.
        """
        features = torch.cat([self.trunk(part).float() for part in pictures])
        deviation = features.std(dim=0)
        self.mean.copy_(features.mean(dim=0))
        self.scale.copy_((deviation > 0) / (deviation + 1e-3))


def new_critic(config: Config) -> Critic:
    """An untrained critic, seeded by config.seed, as a place for saved weights."""
    with seeded(config.seed):
        return Critic(config)


def loss(config: Config, scores: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """What the critic's head minimises: D's own loss, without L_I and R1. Pictures [n, C, H, W] -> scalar."""
    return ADVERSARIAL[config.objective][0](*scores(torch.cat([real, fake])).chunk(2))


def train_critic(
    config: Config,
    pixels: Tensor,
    autocast: Callable[[], contextlib.AbstractContextManager],
    stop: Callable[[], bool] = lambda: False,
    quiet: bool = True,
) -> Critic | None:
    """A critic with features of pixels, uint8 [N, C, H, W], on their device, seeded by config.seed; its head is new.

    None as soon as `stop()` says so, which is asked before every step. Shows a bar unless `quiet`.
    """
    from tqdm.auto import tqdm

    device, generator = pixels.device, torch.Generator(pixels.device).manual_seed(config.seed)
    with seeded(config.seed):
        critic, projection = Critic(config), nn.Linear(FEATURES, PROJECTED)
    critic, projection = critic.to(device, memory_format=torch.channels_last), projection.to(device)
    trunk = critic.trunk.train().requires_grad_(True)
    optimiser = torch.optim.Adam([*trunk.parameters(), *projection.parameters()], LEARNING_RATE)
    steps = range(min(STEPS, max(1, config.steps // 10)))
    for _ in tqdm(steps, "features for the critic", unit="step", leave=False, disable=quiet):
        if stop():
            return None
        index = torch.randint(len(pixels), (2 * config.batch,), generator=generator, device=device)
        pictures = to_network_range(pixels[index].float() / 255, config.image_size)
        views = [simclr_view(pictures, generator, config.image_size) for _ in range(2)]
        with autocast():
            a, b = (projection(trunk(view)).float() for view in views)
        optimiser.zero_grad()
        nt_xent(a, b).backward()
        optimiser.step()
    trunk.eval().requires_grad_(False)
    some = pixels[:: -(-len(pixels) // MOST_PICTURES)]
    critic.standardise(to_network_range(part.float() / 255, config.image_size) for part in some.split(500))
    return critic


def simclr_view(x: Tensor, generator: torch.Generator, size: int) -> Tensor:
    """Pictures [n, C, H, W] in G's range, moved, their colours changed and exchanged, half of them negative."""

    def uniform(*shape: int) -> Tensor:
        return torch.rand(len(x), *shape, generator=generator, device=x.device) * 2 - 1

    black, white = (to_network_range(value, size) for value in (0.0, 1.0))
    x = warp_pictures(x - black, affine_maps(uniform(2, 3), WARP, SHIFT, x.shape[-1])) + black
    order = uniform(x.shape[1]).argsort(dim=1)[:, :, None, None]
    x = recolor(x.gather(1, order.expand_as(x)), uniform(3), white - black)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * uniform(1, 1, 1).sign()


def nt_xent(a: Tensor, b: Tensor) -> Tensor:
    """Equation 1 of Chen et al. 2020 over two views of n pictures, a, b [n, F] -> scalar, in nats: the cross-entropy of
    finding a picture's other view among all 2n - 1 others by cosine similarity. ln(2n - 1) where all are alike."""
    z = normalize(torch.cat([a, b]), dim=1)
    similarity = z @ z.T / TEMPERATURE
    similarity.fill_diagonal_(float("-inf"))
    return cross_entropy(similarity, torch.arange(len(z), device=z.device).roll(len(a)))

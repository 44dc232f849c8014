"""A second discriminator for G, on features that are learnt of the training pictures alone and then stand still.

As in Projected GAN (Sauer et al. 2021), whose features come from ImageNet. These come from SimCLR (Chen et al. 2020),
without labels: two views of one picture shall be alike, views of different ones not. What a view may change (place,
light, colour, light on dark) the features learn to disregard; what is left to tell pictures apart by is shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from infogan_core.data.augment import recolor, warp_pictures
from infogan_core.model.config import Config
from infogan_core.model.networks import Discriminator, to_network_range

FEATURES, PROJECTED = 256, 128  # of a picture; of their linear projection, which NT-Xent compares
STEPS = 2_000  # of learning the features, or a tenth of the run's, whichever is less
ENOUGH = 20_000  # pictures, to standardise features
TEMPERATURE = 0.2  # tau of NT-Xent
RATE = 1e-3  # of Adam, of the features and then of the critic's head
WARP, SHIFT = 0.2, 5  # of a view: each entry of its affine map is off by up to so much, and so many pixels


class Critic(nn.Module):
    """Pictures in G's range [n, C, H, W] -> scores, float32 [n]: a trunk like D's that stands still, and a head."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        d = Discriminator(config.latents, config.image_size, config.channels, config.width)
        self.trunk = nn.Sequential(d.trunk, nn.Linear(d.d_head.in_features, FEATURES), nn.ReLU())
        layers = [nn.Linear(FEATURES, FEATURES), nn.LeakyReLU(0.1), nn.Linear(FEATURES, FEATURES), nn.LeakyReLU(0.1)]
        self.head = nn.Sequential(*layers, nn.Linear(FEATURES, 1))
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("deviation", torch.ones(FEATURES))
        self.trunk.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.head((self.trunk(x).float() - self.mean) / self.deviation).squeeze(1).float()

    @torch.no_grad()
    def standardise(self, pictures: Iterable[Tensor]) -> None:
        """From now on each feature has mean 0 and deviation 1, or just under, over these batches, in G's range.

        One that is 0 in all of them, as a third may be, counts a thousandfold where another picture wakes it.
        """
        features = torch.cat([self.trunk(part).float() for part in pictures])
        self.mean.copy_(features.mean(dim=0))
        self.deviation.copy_(features.std(dim=0) + 1e-3)


def new_critic(config: Config) -> Critic:
    """An untrained one, as a place for saved weights. The global random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        return Critic(config)


def learned(
    config: Config,
    pixels: Tensor,
    autocast: Callable[[], torch.autocast],
    stop: Callable[[], bool] = lambda: False,
    quiet: bool = True,
) -> Critic | None:
    """A critic with features of pixels, uint8 [N, C, H, W], on their device, seeded by config.seed; its head is new.

    None as soon as `stop()` says so, which is asked before every step. Shows a bar unless `quiet`.
    """
    from tqdm.auto import tqdm

    device, generator = pixels.device, torch.Generator(pixels.device).manual_seed(config.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        critic, projection = Critic(config), nn.Linear(FEATURES, PROJECTED)
    critic, projection = critic.to(device, memory_format=torch.channels_last), projection.to(device)
    trunk = critic.trunk.train().requires_grad_(True)
    optimiser = torch.optim.Adam([*trunk.parameters(), *projection.parameters()], RATE)
    steps = range(min(STEPS, max(1, config.steps // 10)))
    for _ in tqdm(steps, "features for the critic", unit="step", leave=False, disable=quiet):
        if stop():
            return None
        index = torch.randint(len(pixels), (2 * config.batch,), generator=generator, device=device)
        pictures = to_network_range(pixels[index].float() / 255, config.image_size)
        views = [view(pictures, generator, to_network_range(0.0, config.image_size)) for _ in range(2)]
        with autocast():
            a, b = (projection(trunk(of)).float() for of in views)
        optimiser.zero_grad()
        nt_xent(a, b).backward()
        optimiser.step()
    trunk.eval().requires_grad_(False)
    some = pixels[:: -(-len(pixels) // ENOUGH)]
    critic.standardise(to_network_range(part.float() / 255, config.image_size) for part in some.split(500))
    return critic


def view(x: Tensor, generator: torch.Generator, black: float) -> Tensor:
    """Pictures [n, C, H, W] moved, their colours changed and exchanged, half of them negative."""

    def uniform(*shape: int) -> Tensor:
        return torch.rand(len(x), *shape, generator=generator, device=x.device) * 2 - 1

    reach = torch.tensor([WARP, WARP, 2 * SHIFT / x.shape[-1]], device=x.device)
    x = warp_pictures(x - black, torch.eye(2, 3, device=x.device) + reach * uniform(2, 3)) + black
    order = uniform(x.shape[1]).argsort(dim=1)[:, :, None, None]
    x = recolor(x.gather(1, order.expand_as(x)), uniform(3))
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * uniform(1, 1, 1).sign()


def nt_xent(a: Tensor, b: Tensor) -> Tensor:
    """Equation 1 of Chen et al. 2020 over two views of n pictures, a, b [n, F] -> scalar, in nats: the cross-entropy of
    finding a picture's other view among all 2n - 1 others by cosine similarity. ln(2n - 1) where all are alike."""
    z = normalize(torch.cat([a, b]), dim=1)
    similarity = z @ z.T / TEMPERATURE
    similarity.fill_diagonal_(float("-inf"))
    return cross_entropy(similarity, torch.arange(len(z), device=z.device).roll(len(a)))

"""One training step, as a function of everything random in it."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from infogan_core.data.augment import recolor, warp_pictures
from infogan_core.model.config import Config
from infogan_core.model.latents import Categorical
from infogan_core.model.losses import ADVERSARIAL, info_loss, mi_bound, r1_penalty, shared_information
from infogan_core.model.networks import Discriminator, Generator, to_network_range
from infogan_core.training.critic import RATE, Critic

TERMS = ("loss_d", "loss_g", "d_real", "d_fake", "mi_real")  # of a step, before L_I of each code
LEAST = 0.2  # of the instance noise stays to the end


class Batch(NamedTuple):
    """Everything random in one step, on the device."""

    index: Tensor  # int64 [n]: which real pictures
    draws: list[tuple[Tensor, list[Tensor]]]  # (noise, codes) of D's update, then, with fresh_fakes, of G's
    warps: Tensor  # float32 [V, n, 2, 3]: affine maps of D's real and fake pictures, of G's, and of real ones again
    colors: Tensor  # float32 [V, n, 3], or [0]: changes of their brightness, saturation and contrast, in -1..1
    noise: Tensor  # float32 [V, n, C, H, W], or [0]: N(0, 1), what is added to them

    def tensors(self) -> list[Tensor]:
        draws = (t for noise, codes in self.draws for t in (noise, *codes))
        return [self.index, self.warps, self.colors, self.noise, *draws]


class Batches:
    """An endless stream of batches. An epoch is a permutation of the pictures, without a last, incomplete batch."""

    def __init__(self, config: Config, n_images: int, device: torch.device) -> None:
        self.config, self.n_images, self.device = config, n_images, device
        self.generator = torch.Generator(device).manual_seed(config.seed)
        reach = [config.warp, config.warp, 2 * config.shift / config.image_size]  # affine_grid: a picture is 2 wide
        self.reach, self.identity = torch.tensor(reach, device=device), torch.eye(2, 3, device=device)
        self.order = torch.empty(0, dtype=torch.int64, device=device)
        self.position, self.moved = 0, config.moved

    def set_moved(self, done: float) -> None:
        """The share of the pictures that is moved after a share of the steps."""
        grows = self.config.moved_grows
        self.moved = self.config.moved * (min(1.0, done / grows) if grows else 1.0)

    def __next__(self) -> Batch:
        c, g = self.config, self.generator
        if self.position + c.batch > len(self.order):
            self.order, self.position = torch.randperm(self.n_images, generator=g, device=self.device), 0
        index = self.order[self.position : self.position + c.batch]
        self.position += c.batch
        draws = [c.latents.sample(c.batch, g, self.device) for _ in range(1 + c.fresh_fakes)]
        jitter = torch.rand(3 + bool(c.lambda_real), c.batch, 2, 3, generator=g, device=self.device) * 2 - 1
        if c.moved < 1 or c.moved_grows:
            jitter *= torch.rand(len(jitter), c.batch, 1, 1, generator=g, device=self.device) < self.moved
        warps = self.identity + self.reach * jitter
        if c.flip:  # of the real pictures only: a code may still tell left from right
            mirror = torch.randint(2, (c.batch, 1), generator=g, device=self.device) * 2 - 1
            warps[0::3, :, 0] *= mirror
        colors = torch.empty(0, device=self.device)
        if c.color:
            colors = c.color * (torch.rand(len(warps), c.batch, 3, generator=g, device=self.device) * 2 - 1)
        noise = torch.empty(0, device=self.device)
        if c.instance_noise:
            shape = (len(warps), c.batch, c.channels, c.image_size, c.image_size)
            noise = torch.randn(shape, generator=g, device=self.device)
        return Batch(index, draws, warps, colors, noise)

    def state_dict(self) -> dict[str, Any]:
        state = {"rng": self.generator.get_state(), "order": self.order, "position": self.position}
        return state | {"device": self.device.type}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises ValueError on another kind of device, whose random numbers are others."""
        if state["device"] != self.device.type:
            raise ValueError(f"a training that began on {state['device']} cannot go on on {self.device.type}")
        self.generator.set_state(state["rng"].cpu())
        self.order, self.position = state["order"].to(self.device), state["position"]


class Step:
    """One update of D and Q, then one of G (equation 6 of Chen et al. 2016). Returns [TERMS, L_I per code], detached:
    nothing in here waits for the device."""

    def __init__(
        self, config: Config, nets: tuple[Generator, Discriminator], ema: Generator, pixels: Tensor, dtype: torch.dtype
    ) -> None:
        self.config, self.pixels, self.device, self.dtype = config, pixels, pixels.device, dtype
        self.G, self.D = (net.to(self.device, memory_format=torch.channels_last).train() for net in nets)
        self.ema = ema.to(self.device, memory_format=torch.channels_last).requires_grad_(False)
        self.opt_d = self._adam(self.D, config.lr_d)
        self.opt_g = self._adam(self.G, config.lr_g)
        live, kept = (net.state_dict().values() for net in (self.G, self.ema))
        pairs = [(k, v) for k, v in zip(kept, live, strict=True) if v.is_floating_point()]
        self.ema_tensors, self.live_tensors = (list(column) for column in zip(*pairs, strict=True))
        self.average = get_ema_multi_avg_fn(config.ema)
        self.deviation = torch.tensor(config.instance_noise, device=self.device)  # as a tensor: see _adam
        self.critic: Critic | None = None

    def _adam(self, net: torch.nn.Module, lr: float) -> torch.optim.Adam:
        cuda = self.device.type == "cuda"
        rate = torch.tensor(lr, device=self.device) if cuda else lr  # a tensor, so that a CUDA graph sees it change
        return torch.optim.Adam(net.parameters(), rate, betas=(self.config.beta1, 0.999), fused=True, capturable=cuda)

    def add_critic(self, critic: Critic) -> None:
        """From now on G is also judged by it, and its head is trained."""
        self.critic = critic.to(self.device, memory_format=torch.channels_last)
        self.opt_critic = self._adam(critic.head, RATE)

    def set_rates(self, done: float) -> None:
        """Learning rates after a share of the steps: constant, or falling linearly to 0 over the second half.

        Instance noise falls linearly from the start, to LEAST of what it was: a code could hide without any.
        """
        self.deviation.fill_(self.config.instance_noise * max(1 - done, LEAST))
        factor = min(1.0, 2 * (1 - done)) if self.config.lr_decay else 1.0
        for optimiser, lr in ((self.opt_d, self.config.lr_d), (self.opt_g, self.config.lr_g)):
            for group in optimiser.param_groups:
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(lr * factor)
                else:
                    group["lr"] = lr * factor

    def fake(self, noise: Tensor, codes: list[Tensor]) -> Tensor:
        """G(z, c)."""
        return self.G(self.config.latents.encode(noise, codes))

    def _seen(self, x: Tensor, batch: Batch, view: int) -> Tensor:
        """What D and Q see of pictures: warped, recoloured and noisy ones, if the config says so."""
        c = self.config
        if c.shift or c.warp or c.flip:
            black = to_network_range(0.0, c.image_size)
            x = warp_pictures(x - black, batch.warps[view]) + black
        x = recolor(x, batch.colors[view]) if c.color else x
        return x + self.deviation * batch.noise[view] if c.instance_noise else x

    def d_objective(
        self, real: Tensor, fake: Tensor, codes: list[Tensor], again: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """What D and Q minimise: equation 1, or the hinge loss, minus lambda L_I, plus R1 if the config says so.

        Returns (loss, [loss of D without R1, D(x), D(G(z, c)), I(c; c')]).

        With `again`, the real pictures under another warp, also minus lambda_real I(c; c').
        """
        c, n = self.config, len(real)
        of_real, of_fake, *of_again = self.D.features(real, fake, *([] if again is None else [again])).split(n)
        real_logits, fake_logits = self.D.d(of_real), self.D.d(of_fake)
        adversarial = ADVERSARIAL[c.objective][0](real_logits, fake_logits)
        q_params = self.D.q(of_fake if c.info_trains_trunk else of_fake.detach())
        loss = adversarial + info_loss(mi_bound(c.latents, q_params, codes), c.lambda_info)
        loss = loss + c.r1 * self._r1(real) if c.r1 else loss
        shared = self._shared_information(of_real, *of_again) if of_again else torch.zeros_like(adversarial)
        means = [adversarial, real_logits.sigmoid().mean(), fake_logits.sigmoid().mean(), shared]
        return loss - c.lambda_real * shared, torch.stack(means).detach()

    def _r1(self, real: Tensor) -> Tensor:
        """R1 at real pictures. D's batch norm sees them once more for it."""
        x = real.detach().requires_grad_()
        return r1_penalty(self.D.d(self.D.features(x)), x)

    def _shared_information(self, of_real: Tensor, of_again: Tensor) -> Tensor:
        """I(c; c') of all categorical codes."""
        codes = zip(self.config.latents.codes, self.D.q(of_real), self.D.q(of_again), strict=True)
        read = [(c.read(p), c.read(q)) for c, p, q in codes if isinstance(c, Categorical)]
        return sum((shared_information(p, q, self.mean) for p, q in read), start=of_real.new_zeros(()))

    def mean(self, of_batch: Tensor) -> Tensor:
        """Of a mean over this process's pictures, the mean over all of the batch: the same, in one process."""
        return of_batch

    def g_objective(self, fake: Tensor, codes: list[Tensor]) -> tuple[Tensor, Tensor]:
        """What G minimises: -log D, or -D, minus lambda L_I. Returns (loss, [loss of G, L_I of each code])."""
        fake_logits, q_params = self.D(fake)
        adversarial = ADVERSARIAL[self.config.objective][1](fake_logits)
        mi = mi_bound(self.config.latents, q_params, codes)
        loss = adversarial + info_loss(mi, self.config.lambda_info) if self.config.info_trains_g else adversarial
        if self.critic is not None:
            loss = loss + self.config.critic * ADVERSARIAL[self.config.objective][1](self.critic(fake))
        return loss, torch.cat([adversarial[None], mi]).detach()

    def critic_objective(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the critic's head minimises: D's own loss, without L_I and R1."""
        return ADVERSARIAL[self.config.objective][0](self.critic(real), self.critic(fake))

    def __call__(self, batch: Batch) -> Tensor:
        c = self.config
        with self.autocast():
            real = to_network_range(self.pixels[batch.index].float() / 255, c.image_size)
            fake, codes = self.fake(*batch.draws[0]), batch.draws[0][1]
            again = self._seen(real, batch, 3) if c.lambda_real else None
            seen = self._seen(real, batch, 0), self._seen(fake.detach(), batch, 1)
            loss, of_d = self.d_objective(*seen, codes, again)
            of_critic = self.critic_objective(*seen) if self.critic is not None else None
        self._update(self.opt_d, self.D, loss)
        if self.critic is not None:
            self._update(self.opt_critic, self.critic.head, of_critic)
        with self.autocast():
            if c.fresh_fakes:
                fake, codes = self.fake(*batch.draws[1]), batch.draws[1][1]
            loss, of_g = self.g_objective(self._seen(fake, batch, 2), codes)
        self._update(self.opt_g, self.G, loss)
        if c.ema:
            self.average(self.ema_tensors, self.live_tensors, None)
        return torch.cat([of_d[:1], of_g[:1], of_d[1:], of_g[1:]])

    def _update(self, optimiser: torch.optim.Adam, net: torch.nn.Module, loss: Tensor) -> None:
        """One Adam step of `net` alone: backward computes no gradient for any other weight."""
        optimiser.zero_grad()
        loss.backward(inputs=list(net.parameters()))
        optimiser.step()

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype is torch.bfloat16)

    def nets(self) -> dict[str, torch.nn.Module]:
        nets = {"generator": self.G, "discriminator": self.D, "ema": self.ema}
        return nets if self.critic is None else nets | {"critic": self.critic}

    def optimisers(self) -> list[torch.optim.Adam]:
        return [self.opt_d, self.opt_g] if self.critic is None else [self.opt_d, self.opt_g, self.opt_critic]

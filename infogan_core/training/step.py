"""Both updates of InfoGAN, and their compiled and CUDA-graph forms."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils._pytree import tree_leaves, tree_map_only

from infogan_core.data.augment import recolor, warp_pictures
from infogan_core.device import PRECISIONS
from infogan_core.model.config import Config
from infogan_core.model.latents import Categorical
from infogan_core.model.losses import ADVERSARIAL, info_loss, mi_bound, mode_seeking, r1_penalty, shared_information
from infogan_core.model.networks import Discriminator, Generator, to_network_range
from infogan_core.training import critic
from infogan_core.training.batches import Augmentation, Batch
from infogan_core.training.schedules import Schedule, schedule

TERMS = ("loss_d", "loss_g", "d_real", "d_fake", "mi_real", "mi")  # of a step: scalars, and L_I [codes]
WARMUP = 3  # eager steps before a CUDA graph is recorded, so that lazy initialisation stays out of it
Terms = dict[str, Tensor]


class Step:
    """One update of D and Q, then one of G (equation 6 of Chen et al. 2016)."""

    def __init__(self, config: Config, nets: tuple[Generator, Discriminator], pixels: Tensor, precision: str) -> None:
        self.config, self.pixels, self.device, self.precision = config, pixels, pixels.device, precision
        self.G, self.D = (net.to(self.device, memory_format=torch.channels_last).train() for net in nets)
        self.ema = copy.deepcopy(self.G).requires_grad_(False)
        self.opt_d, self.opt_g = self._adam(self.D, config.lr_d), self._adam(self.G, config.lr_g)
        self.generate = self.wrap(self.G)
        self.d_objective = self.wrap(DObjective(config, self.D, self.mean_over_processes))
        self.g_objective = self.wrap(GObjective(config, self.D))
        self.critic: critic.Critic | None = None
        self.average = get_ema_multi_avg_fn(config.ema)
        self.ema_tensors, self.g_tensors = map(_floats, (self.ema, self.G))
        self.instance_noise = torch.tensor(0.0, device=self.device)  # a tensor: a CUDA graph must see it change
        self.now: Schedule | None = None
        self.set_schedule(schedule(config, 0))

    def __call__(self, batch: Batch) -> Terms:
        """Both updates and the average of G. Returns TERMS, detached; nothing in here waits for the device."""
        fake, of_d = self.update_d(batch)
        of_g = self.update_g(batch, fake)
        if self.config.ema:
            self.average(self.ema_tensors, self.g_tensors, None)
        return of_d | of_g

    def update_d(self, batch: Batch) -> tuple[Tensor, Terms]:
        """D learns to tell real from generated pictures, Q to read the codes of the generated ones."""
        noise, codes = batch.for_d
        with self.autocast():
            pictures = self.real(batch.index)
            with torch.set_grad_enabled(batch.for_g is None):  # else G's update has pictures of its own
                fake = self.generate(self.config.latents.encode(noise, codes))
            real_seen, fake_seen = self.augment(pictures, batch.real), self.augment(fake.detach(), batch.fake)
            again = None if batch.real_again is None else self.augment(pictures, batch.real_again)
            loss, terms = self.d_objective(real_seen, fake_seen, codes, again)
        self._descend(self.opt_d, self.D, loss)
        if self.critic is not None:
            with self.autocast():
                loss = critic.loss(self.config, self.critic_scores, real_seen, fake_seen)
            self._descend(self.opt_critic, self.critic.head, loss)
        return fake, terms

    def update_g(self, batch: Batch, fake: Tensor) -> Terms:
        """G learns to generate pictures that D takes for real and whose codes Q can read."""
        noise, codes = batch.for_g or batch.for_d
        with self.autocast():
            if batch.for_g is not None:
                fake = self.generate(self.config.latents.encode(noise, codes))
            seen = self.augment(fake, batch.fake_for_g)
            loss, terms = self.g_objective(seen, codes)
            if self.config.lambda_noise:
                loss = loss + self.config.lambda_noise * mode_seeking(fake.float(), noise, self.mean_over_processes)
            if self.critic is not None:
                loss = loss + self.config.critic * ADVERSARIAL[self.config.objective][1](self.critic(seen))
        self._descend(self.opt_g, self.G, loss)
        return terms

    def real(self, index: Tensor) -> Tensor:
        """The pictures at index, int64 [n], in the range of G's."""
        return to_network_range(self.pixels[index].float() / 255, self.config.image_size)

    def augment(self, x: Tensor, how: Augmentation) -> Tensor:
        """What D and Q see of pictures: warped, recoloured and noisy ones, where the config says so."""
        black, white = (to_network_range(value, self.config.image_size) for value in (0.0, 1.0))
        if how.maps is not None:
            x = warp_pictures(x - black, how.maps) + black
        if how.colors is not None:
            x = recolor(x, how.colors, white - black)
        return x if how.noise is None else x + self.instance_noise * how.noise

    def set_schedule(self, now: Schedule) -> None:
        """Learning rates and instance noise from here on."""
        if now == self.now:
            return
        self.now = now
        self.instance_noise.fill_(now.instance_noise)
        for optimiser, lr in ((self.opt_d, self.config.lr_d), (self.opt_g, self.config.lr_g)):
            for group in optimiser.param_groups:
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(lr * now.lr_factor)
                else:
                    group["lr"] = lr * now.lr_factor

    def add_critic(self, new: critic.Critic) -> None:
        """From now on G is also judged by it, and its head is trained."""
        self.critic = new.to(self.device, memory_format=torch.channels_last)
        self.critic_scores = self.wrap(self.critic)
        self.opt_critic = self._adam(self.critic.head, critic.LEARNING_RATE)

    def wrap(self, module: Callable[..., Any]) -> Callable[..., Any]:
        """How G and the objectives are called: as they are, compiled, or on several processes."""
        return module

    def mean_over_processes(self, mean: Tensor) -> Tensor:
        """Of a mean over this process's pictures, that over the whole batch: the same, in one process."""
        return mean

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, PRECISIONS[self.precision] is torch.bfloat16)

    def nets(self) -> dict[str, nn.Module]:
        nets = {"generator": self.G, "discriminator": self.D, "ema": self.ema}
        return nets if self.critic is None else nets | {"critic": self.critic}

    def optimisers(self) -> list[torch.optim.Adam]:
        return [self.opt_d, self.opt_g] if self.critic is None else [self.opt_d, self.opt_g, self.opt_critic]

    def _adam(self, net: nn.Module, lr: float) -> torch.optim.Adam:
        cuda = self.device.type == "cuda"
        rate = torch.tensor(lr, device=self.device) if cuda else lr  # a tensor: a CUDA graph must see it change
        return torch.optim.Adam(net.parameters(), rate, betas=(self.config.beta1, 0.999), fused=True, capturable=cuda)

    def _descend(self, optimiser: torch.optim.Adam, net: nn.Module, loss: Tensor) -> None:
        """One Adam step of `net` alone: backward computes no gradient for any other weight."""
        optimiser.zero_grad()
        loss.backward(inputs=list(net.parameters()))
        optimiser.step()


class DObjective(nn.Module):
    """What D and Q minimise: the negative of equation 1, or the hinge loss, minus lambda L_I, plus R1, minus IIC's."""

    def __init__(self, config: Config, D: Discriminator, mean_over_processes: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.config, self.D, self.mean_over_processes = config, D, mean_over_processes

    def forward(
        self, real: Tensor, fake: Tensor, codes: list[Tensor], real_again: Tensor | None = None
    ) -> tuple[Tensor, Terms]:
        """Pictures [n, C, H, W] as D sees them, the codes of the fakes -> (loss, terms)."""
        c, D = self.config, self.D
        real = real.detach().requires_grad_(c.r1 > 0)
        of_real, of_fake = D.trunk(real), D.trunk(fake)
        real_logits, fake_logits = D.d(of_real), D.d(of_fake)
        adversarial = ADVERSARIAL[c.objective][0](real_logits, fake_logits)
        q_params = D.q(of_fake if c.info_trains_trunk else of_fake.detach())
        loss = adversarial + info_loss(mi_bound(c.latents, q_params, codes), c.lambda_info)
        if c.r1:
            loss = loss + c.r1 * r1_penalty(real_logits, real)
        mi_real = adversarial.new_zeros(())
        if real_again is not None:
            of_again = D.trunk(real_again)
            mi_real = self._information_of_real(of_real, of_again)
            loss = loss - c.lambda_real * mi_real
            if D.over_head is not None:
                p, q = (D.over_head(features).float().softmax(dim=1) for features in (of_real, of_again))
                loss = loss - c.lambda_real * shared_information(p, q, self.mean_over_processes)
        terms = {"loss_d": adversarial, "d_real": real_logits.sigmoid().mean(), "d_fake": fake_logits.sigmoid().mean()}
        return loss, {name: t.detach() for name, t in (terms | {"mi_real": mi_real}).items()}

    def _information_of_real(self, features: Tensor, again: Tensor) -> Tensor:
        """I(c; c') of all categorical codes, read twice (IIC, Ji et al. 2019)."""
        pairs = zip(self.config.latents.codes, self.D.q(features), self.D.q(again), strict=True)
        read = [(c.read(p), c.read(q)) for c, p, q in pairs if isinstance(c, Categorical)]
        return sum((shared_information(p, q, self.mean_over_processes) for p, q in read), start=features.new_zeros(()))


class GObjective:
    """What G minimises: -log D, or -D, minus lambda L_I."""

    def __init__(self, config: Config, D: Discriminator) -> None:
        self.config, self.D = config, D

    def __call__(self, fake: Tensor, codes: list[Tensor]) -> tuple[Tensor, Terms]:
        """Generated pictures [n, C, H, W] as D sees them, their codes -> (loss, terms)."""
        c = self.config
        fake_logits, q_params = self.D(fake)
        adversarial = ADVERSARIAL[c.objective][1](fake_logits)
        mi = mi_bound(c.latents, q_params, codes)
        loss = adversarial + info_loss(mi, c.lambda_info) if c.info_trains_g else adversarial
        return loss, {"loss_g": adversarial.detach(), "mi": mi.detach()}


class CompiledStep(Step):
    """The same step with G and both objectives compiled; with R1, which is differentiated twice, D's is not."""

    def wrap(self, module: Callable[..., Any]) -> Callable[..., Any]:
        return module if isinstance(module, DObjective) and self.config.r1 else torch.compile(module)


class GraphedStep(Step):
    """The same step as one CUDA graph: after WARMUP eager steps its kernels are recorded once and replayed."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.stream, self.calls, self.graph = torch.cuda.Stream(), 0, torch.cuda.CUDAGraph()

    def add_critic(self, new: critic.Critic) -> None:
        super().add_critic(new)
        self.calls, self.graph = 0, torch.cuda.CUDAGraph()  # recorded anew

    def __call__(self, batch: Batch) -> Terms:
        self.calls += 1
        if self.calls <= WARMUP:
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                terms = super().__call__(batch)
            torch.cuda.current_stream().wait_stream(self.stream)
            return terms
        if self.calls == WARMUP + 1:
            self.static = tree_map_only(Tensor, torch.clone, batch)
            with torch.cuda.graph(self.graph):  # records, does not run
                self.terms = super().__call__(self.static)
        for static, new in zip(tree_leaves(self.static), tree_leaves(batch), strict=True):
            if new is not None:
                static.copy_(new)
        self.graph.replay()
        return self.terms


def step_of(config: Config, nets: tuple[Generator, Discriminator], pixels: Tensor, precision: str) -> Step:
    """The step in the config's form; "auto" is a graph on CUDA, eager elsewhere. ValueError for a graph elsewhere."""
    on_cuda, form = pixels.device.type == "cuda", config.step_form
    if form == "graph" and not on_cuda:
        raise ValueError(f'step_form="graph" needs a CUDA device, found {pixels.device}: use "auto"')
    forms = {"auto": GraphedStep if on_cuda else Step, "eager": Step, "compile": CompiledStep, "graph": GraphedStep}
    return forms[form](config, nets, pixels, precision)


def _floats(net: nn.Module) -> list[Tensor]:
    return [t for t in net.state_dict().values() if t.is_floating_point()]

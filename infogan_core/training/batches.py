"""Everything random in a training step, sampled on the device."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from infogan_core.data.augment import affine_maps
from infogan_core.model.config import Config

Latents = tuple[Tensor, list[Tensor]]  # noise [n, noise_dim], and one tensor [n] per code


class Augmentation(NamedTuple):
    """How n pictures are changed before D and Q see them; None where the config changes nothing of that kind."""

    maps: Tensor | None  # float32 [n, 2, 3], affine
    colors: Tensor | None  # float32 [n, 3], changes of brightness, saturation and contrast in -1..1
    noise: Tensor | None  # float32 [n, C, H, W], N(0, 1)


class Batch(NamedTuple):
    """Everything random in one step of n pictures."""

    index: Tensor  # int64 [n], which real pictures
    for_d: Latents
    for_g: Latents | None  # None: G's update reuses those of D's
    real: Augmentation
    fake: Augmentation
    fake_for_g: Augmentation
    real_again: Augmentation | None  # for lambda_real: Q reads the real pictures twice


class Batches:
    """An endless stream of batches. An epoch is a permutation of the pictures, without a last, incomplete batch."""

    def __init__(self, config: Config, n_images: int, device: torch.device) -> None:
        self.config, self.n_images, self.device = config, n_images, device
        self.generator = torch.Generator(device).manual_seed(config.seed)
        self.order = torch.empty(0, dtype=torch.int64, device=device)
        self.position, self.augment_share = 0, config.augment_share

    def __next__(self) -> Batch:
        c, n, on_device = self.config, self.config.batch, {"generator": self.generator, "device": self.device}
        if self.position + n > len(self.order):
            self.order, self.position = torch.randperm(self.n_images, **on_device), 0
        index = self.order[self.position : self.position + n]
        self.position += n
        latents = [c.latents.sample(n, self.generator, self.device) for _ in range(1 + c.new_fakes_for_g)]
        if c.lambda_noise:
            latents = [(noise, [_twice(code) for code in codes]) for noise, codes in latents]
        augmentations = self._augmentations(3 + bool(c.lambda_real))
        for_g = latents[1] if c.new_fakes_for_g else None
        return Batch(index, latents[0], for_g, *augmentations[:3], augmentations[3] if c.lambda_real else None)

    def _augmentations(self, n: int) -> list[Augmentation]:
        """Of the real pictures, of D's fakes, of G's and, if there are four, of the real ones again."""
        c, on_device = self.config, {"generator": self.generator, "device": self.device}
        jitter = torch.rand(n, c.batch, 2, 3, **on_device) * 2 - 1
        if c.augment_share < 1 or c.augment_warmup:
            jitter *= torch.rand(n, c.batch, 1, 1, **on_device) < self.augment_share
        none = [None] * n
        maps = list(affine_maps(jitter, c.warp, c.shift, c.image_size)) if c.shift or c.warp or c.flip else none
        if c.flip:  # real pictures only: a code may still tell left from right
            mirror = torch.randint(2, (c.batch, 1), **on_device) * 2 - 1
            for of_real in maps[0::3]:
                of_real[:, 0] *= mirror
        colors = list(c.color * (torch.rand(n, c.batch, 3, **on_device) * 2 - 1)) if c.color else none
        shape = n, c.batch, c.channels, c.image_size, c.image_size
        noise = list(torch.randn(shape, **on_device)) if c.instance_noise else none
        return [Augmentation(*of) for of in zip(maps, colors, noise, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        state = {"rng": self.generator.get_state(), "order": self.order, "position": self.position}
        return state | {"device": self.device.type}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises ValueError on another kind of device, whose random numbers differ."""
        if state["device"] != self.device.type:
            raise ValueError(f"a training that began on {state['device']} cannot go on on {self.device.type}")
        self.generator.set_state(state["rng"].cpu())
        self.order, self.position = state["order"].to(self.device), state["position"]


def _twice(code: Tensor) -> Tensor:
    """[n] whose second half repeats its first."""
    half = len(code) // 2
    return torch.cat([code[:half], code[:half], code[2 * half :]])

"""What changes over the steps of a training."""

from __future__ import annotations

from typing import NamedTuple

from infogan_core.model.config import Config

NOISE_FLOOR = 0.2  # of the instance noise; with none at the end, G could hide codes in invisible patterns


class Schedule(NamedTuple):
    """The settings of one step."""

    lr_factor: float  # of both learning rates
    instance_noise: float  # its deviation
    augment_share: float  # of the pictures that are warped
    critic: bool  # whether the critic judges


def schedule(config: Config, done: float) -> Schedule:
    """The settings after a share `done` of the steps, in 0..1; each is explained in Config."""
    warmup = config.augment_warmup
    return Schedule(
        lr_factor=min(1.0, 2 * (1 - done)) if config.lr_decay else 1.0,
        instance_noise=config.instance_noise * max(1 - done, NOISE_FLOOR),
        augment_share=config.augment_share * (min(1.0, done / warmup) if warmup else 1.0),
        critic=config.critic > 0 and done >= config.critic_from,
    )

"""What the last step of some configs did in each process: torchrun tests/ddp_steps.py JOBS FOLDER cpu|cuda."""

import json
import sys
from pathlib import Path

import torch
from torch import distributed

import infogan_core as ig
from infogan_core.data.images import image_set
from infogan_core.training.critic import train_critic
from infogan_core.training.ddp import processes
from infogan_core.training.train import Trainer


def last_step(dataset, changes, device="cpu"):
    """The terms, gradients and states after `steps` steps of the smoke profile with these changes."""
    config, device = ig.preset(dataset, "smoke", **changes), torch.device(device)
    shape = (64, config.image_size, config.image_size, config.channels)
    pixels = torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(5))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        trainer = Trainer(config, image_set(pixels.numpy(), None, "noise"), None, device, "fp32", 1)
        critic = train_critic(config, trainer.step.pixels, trainer.step.autocast)
        if distributed.is_initialized() and distributed.get_rank():
            critic.mean += 1  # the first process's counts
        trainer.step.add_critic(critic)
        with torch.no_grad():
            trainer.step.D.q_head[-1].weight *= 20  # a Q that is sure: I(c; c') is not the mean of its processes' own
        for _ in range(config.steps):
            terms = trainer.step(next(trainer.batches))
    nets = trainer.step.nets()
    live = (nets["generator"], nets["discriminator"], nets["critic"].head)
    return {
        "terms": torch.cat([term.view(-1) for term in terms.values()]),
        "gradients": {f"{i}.{k}": p.grad for i, net in enumerate(live) for k, p in net.named_parameters()},
        "states": {f"{name}.{k}": v for name, net in nets.items() for k, v in net.state_dict().items()},
    }


if __name__ == "__main__":
    jobs, folder, kind = json.loads(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    with processes(kind) as device:
        for number, (dataset, changes) in enumerate(jobs):
            torch.save(last_step(dataset, changes, device), folder / f"{number}.{distributed.get_rank()}")

"""One model on several processes: DistributedDataParallel over the same step, on the same joined batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel
from torch.utils._pytree import tree_map_only

from infogan_core.device import resolve_device
from infogan_core.model.config import Config
from infogan_core.model.networks import Discriminator, Generator
from infogan_core.training.batches import Batch
from infogan_core.training.critic import Critic
from infogan_core.training.step import Step, Terms


class DistributedStep(Step):
    """Step on this process's share of each batch; gradients are averaged over all processes, batch norm is joint.

    Every process samples the same batches of `config.batch` pictures and takes every n-th of each, so that n processes
    do what one does. Raises ValueError for a batch that n does not divide, or not into the pairs that lambda_noise
    compares, one of fewer than two pictures a process, or a `step_form` other than "auto" and "eager".
    """

    def __init__(self, config: Config, nets: tuple[Generator, Discriminator], pixels: Tensor, precision: str) -> None:
        self.rank, self.n = distributed.get_rank(), distributed.get_world_size()
        if config.batch % self.n or config.batch < 2 * self.n:
            raise ValueError(f"a batch of {config.batch} cannot be dealt to {self.n} processes, two pictures each")
        if config.lambda_noise and config.batch % (2 * self.n):
            raise ValueError(f"a batch of {config.batch} cannot be dealt to {self.n} processes in pairs: lambda_noise")
        if config.step_form not in ("auto", "eager"):
            raise ValueError(f'step_form={config.step_form!r} is for one process: with several give "auto" or "eager"')
        super().__init__(config, tuple(join_batch_norms(net, config.r1 > 0) for net in nets), pixels, precision)

    def __call__(self, batch: Batch) -> Terms:
        """The terms are means over all processes."""
        mine = slice(self.rank, None, self.n)
        terms = super().__call__(tree_map_only(Tensor, lambda t: t[mine], batch))
        for term in terms.values():
            distributed.all_reduce(term)
        return {name: term / self.n for name, term in terms.items()}

    def wrap(self, module: Callable[..., Any]) -> Callable[..., Any]:
        return DistributedDataParallel(module, broadcast_buffers=False) if isinstance(module, nn.Module) else module

    def mean_over_processes(self, mean: Tensor) -> Tensor:
        return all_reduce(mean) / self.n

    def add_critic(self, new: Critic) -> None:
        """The first process's, for all; it has no batch norm that learns, and so none to join."""
        super().add_critic(new)
        for tensor in new.state_dict().values():
            distributed.broadcast(tensor, 0)


class JointBatchNorm(_BatchNorm):
    """Batch norm over all processes' pictures, where nn.SyncBatchNorm does not do: on a CPU, and under R1, which
    needs second derivatives."""

    def forward(self, x: Tensor) -> Tensor:
        over, channel = [0, *range(2, x.dim())], [1, -1] + [1] * (x.dim() - 2)
        n = x.numel() / x.shape[1] * distributed.get_world_size()
        centred = x.float()
        mean = all_reduce(centred.sum(over)) / n
        centred = centred - mean.view(channel)
        var = all_reduce(centred.square().sum(over)) / n
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * n / (n - 1), self.momentum)
            self.num_batches_tracked += 1
        scale = self.weight * (var + self.eps).rsqrt()
        return (centred * scale.view(channel) + self.bias.view(channel)).to(x.dtype)


def join_batch_norms(net: nn.Module, twice: bool) -> nn.Module:
    """The net with every batch norm taken over all processes: nn.SyncBatchNorm on CUDA, JointBatchNorm elsewhere and
    where it is differentiated twice."""
    if distributed.get_backend() == "nccl" and not twice:
        return nn.SyncBatchNorm.convert_sync_batchnorm(net)
    for parent in list(net.modules()):
        for name, norm in list(parent.named_children()):
            if isinstance(norm, _BatchNorm):
                joint = JointBatchNorm(norm.num_features)
                joint.load_state_dict(norm.state_dict())
                setattr(parent, name, joint)
    return net


@contextmanager
def processes(device: str) -> Iterator[torch.device]:
    """Join the group that torchrun made, NCCL on GPUs and gloo elsewhere; yields this process's device.

    `device` is "auto", "cpu" or "cuda": each process takes a GPU of its own. Raises ValueError for another, or one
    GPU by its number, RuntimeError where there are fewer GPUs than processes.
    """
    if resolve_device(device).index is not None:
        raise ValueError(f'device {device!r} is one GPU for all processes: give "cuda", and each takes its own')
    on_gpu, local = resolve_device(device).type == "cuda", int(os.environ["LOCAL_RANK"])
    if on_gpu and local >= torch.cuda.device_count():
        raise RuntimeError(f"process {local} has no GPU of its own: torch finds {torch.cuda.device_count()}")
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        if on_gpu:
            torch.cuda.set_device(local)
        yield torch.device("cuda", local) if on_gpu else torch.device("cpu")
    finally:
        distributed.destroy_process_group()

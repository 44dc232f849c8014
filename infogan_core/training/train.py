"""train(): from a Config and images to a run on disk; it goes on by itself from what an earlier call left there.

python -m infogan_core.training.train --preset mnist      the same from a terminal, and on several processes by
torchrun --nproc-per-node 2 -m infogan_core.training.train --preset mnist
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from infogan_core.data.images import ImageSet
from infogan_core.device import BATCH, cuda_settings, environment, resolve_device, resolve_precision
from infogan_core.files import require_space, write_whole
from infogan_core.model.config import Config
from infogan_core.runs import CHECKPOINT_VERSION, Run, build, load_run, load_state, read_checkpoint, read_config
from infogan_core.training.critic import learned, new_critic
from infogan_core.training.ddp import DistributedStep
from infogan_core.training.forms import in_form
from infogan_core.training.interruption import interruptible
from infogan_core.training.step import TERMS, Batches, Step


def train(
    config: Config,
    images: ImageSet,
    out: str | Path,
    device: str | torch.device = "auto",
    on_log: Callable[[dict[str, Any]], None] | None = None,
    until: int | None = None,
) -> Run:
    """Train an InfoGAN by equation 6 of Chen et al. 2016 into the run directory `out`, and return the run.

    Called again it goes on from the last checkpoint, bit for bit; a finished run is only loaded. Ctrl-C ends it after
    the step in hand, with a checkpoint. `on_log` gets every record of metrics.jsonl. `until` stops at that step, for a
    look at a run before finishing it. In a process group it is one model for all of them: see distributed.py.
    Raises ValueError for images or an `out` that do not fit the config, OSError when `out` cannot be written, and
    FloatingPointError, naming step and term, when a loss or weight stops being finite.
    """
    out, device = Path(out).expanduser(), resolve_device(device)
    _check_images(config, images)
    _check_out(config, images, out)
    if (out / "weights.safetensors").is_file():
        return load_run(out, device)
    dtype = resolve_precision(config.precision, device)
    trainer = Trainer(config, images, out, device, dtype)
    require_space(out, 2 * trainer.checkpoint_bytes(), "out")  # a checkpoint, and the next one or the weights beside it
    if (out / "checkpoint.pt").is_file():
        trainer.resume()
    env = environment(images, device, dtype)
    if trainer.writes:
        out.mkdir(parents=True, exist_ok=True)
        (out / "metrics.json").unlink(missing_ok=True)  # of the weights before
        write_whole(out / "config.json", config.to_json().encode())
        write_whole(out / "env.json", json.dumps(env, indent=1).encode())
    with cuda_settings(device):
        trainer.run(on_log or (lambda record: None), config.steps if until is None else min(until, config.steps))
    if trainer.done == config.steps:
        trainer.finish(env)
    if distributed.is_initialized():
        distributed.barrier()  # until the first process has written
    return load_run(out, device)


class Trainer:
    """The state of a training, how it is saved, and the loop."""

    def __init__(self, config: Config, images: ImageSet, out: Path, device: torch.device, dtype: torch.dtype) -> None:
        self.config, self.out = config, out
        parts = (config, build(config), build(config)[0], images.pixels.to(device), dtype)
        if distributed.is_initialized():
            self.step = DistributedStep(*parts)
            self.update, self.writes = self.step, self.step.rank == 0
        else:
            self.step = Step(*parts)
            self.update, self.writes = in_form(self.step, config.step_form), True
        self.batches = Batches(config, len(images), device)
        self.done, self.seconds, self.records = 0, 0.0, []
        n_terms = len(TERMS) + len(config.latents.codes)
        self.trace = torch.zeros(config.log_every, n_terms, device=device)  # the steps since the last log

    def run(self, on_log: Callable[[dict[str, Any]], None], until: int) -> None:
        config, started = self.config, time.monotonic() - self.seconds
        with interruptible() as interrupted:
            while self.done < until:
                share = self.done / config.steps
                self.step.set_rates(share)
                self.batches.set_moved(share)
                if config.critic and self.step.critic is None and share >= config.critic_from:
                    self._add_critic(interrupted)
                self.trace[self.done % config.log_every] = self.update(next(self.batches))
                self.done += 1
                self.seconds = time.monotonic() - started
                last = self.done == config.steps
                if self.done % config.log_every == 0 or last:
                    on_log(self._log())
                if interrupted():
                    self._interrupt()
                if self.done % config.checkpoint_every == 0 or self.done == until:
                    self.save()

    def _add_critic(self, interrupted: Callable[[], bool]) -> None:
        quiet = BATCH in os.environ or not self.writes
        critic = learned(self.config, self.step.pixels, self.step.autocast, interrupted, quiet)
        if critic is None:
            self._interrupt()
        self.step.add_critic(critic)

    def _interrupt(self) -> None:
        self.save()
        raise KeyboardInterrupt(f"stopped at step {self.done}; the same call goes on from there")

    def _log(self) -> dict[str, Any]:
        """The mean of each term since the last log, kept and written; raises where one is not finite."""
        n = (self.done - 1) % self.config.log_every + 1
        self._check_finite(n)
        means = self.trace[:n].mean(dim=0).tolist()
        record = {"step": self.done, "seconds": round(self.seconds, 1), **dict(zip(TERMS, means, strict=False))}
        record["mi"] = means[len(TERMS) :]
        self.records.append(record)
        self._write_records()
        return record

    def _check_finite(self, n: int) -> None:
        bad = (~self.trace[:n].isfinite()).nonzero().tolist()
        if bad:
            names = [*TERMS, *(f"L_I({self.config.latents.name(i)})" for i in range(len(self.config.latents.codes)))]
            row, column = bad[0]
            self._stop(self.done - n + row + 1, f"{names[column]} is {self.trace[row, column].item()}")

    def _stop(self, step: int, what: str) -> None:
        kept = "its last good checkpoint stays" if (self.out / "checkpoint.pt").is_file() else "no checkpoint yet"
        advice = "try another seed, or a lower lr_g, in another out"
        raise FloatingPointError(f"training broke at step {step}: {what}. In {self.out} {kept}; {advice}")

    def _write_records(self) -> None:
        if self.writes:
            write_whole(self.out / "metrics.jsonl", "".join(json.dumps(r) + "\n" for r in self.records).encode())

    def state_dict(self) -> dict[str, Any]:
        return {
            "version": CHECKPOINT_VERSION,
            "config": self.config.to_json(),
            "nets": {name: net.state_dict() for name, net in self.step.nets().items()},
            "optimisers": [optimiser.state_dict() for optimiser in self.step.optimisers()],
            "batches": self.batches.state_dict(),
            "trace": self.trace,
            "done": self.done,
            "seconds": self.seconds,
            "records": json.dumps(self.records),
        }

    def checkpoint_bytes(self) -> int:
        """About: the weights of all networks, the critic to come among them, and Adam's two moments of G, D and Q."""
        moments = {"generator": 2, "discriminator": 2, "ema": 0, "critic": 0}
        nets = {**({"critic": new_critic(self.config)} if self.config.critic else {}), **self.step.nets()}.items()
        return 4 * sum((1 + moments[name]) * sum(p.numel() for p in net.parameters()) for name, net in nets)

    def save(self) -> None:
        """checkpoint.pt. Raises FloatingPointError, and keeps the old one, when a loss or weight is not finite."""
        self._check_finite((self.done - 1) % self.config.log_every + 1)
        for name, net in self.step.nets().items():
            for key, t in net.state_dict().items():
                if not t.isfinite().all():
                    self._stop(self.done, f"{name}.{key} is not finite")
        if not self.writes:
            return
        buffer = io.BytesIO()
        torch.save(self.state_dict(), buffer)
        write_whole(self.out / "checkpoint.pt", buffer.getbuffer())

    def finish(self, env: dict[str, Any]) -> None:
        """env.json with the minutes it took, and weights.safetensors last: the mark of a finished run."""
        if not self.writes:
            return
        env = env | {"minutes": round(self.seconds / 60, 2)}
        write_whole(self.out / "env.json", json.dumps(env, indent=1).encode())
        generator = self.step.ema if self.config.ema else self.step.G
        run = Run(self.config, generator, self.step.D, self.out, self.step.device)
        run.save_weights(self.out / "weights.safetensors")

    def resume(self) -> None:
        """Load checkpoint.pt. Raises ValueError when it is cut short or belongs to something else."""
        file = self.out / "checkpoint.pt"
        state = read_checkpoint(file, self.config)
        self.batches.load_state_dict(state["batches"])
        if "critic" in state["nets"]:
            self.step.add_critic(new_critic(self.config))
        for name, net in self.step.nets().items():
            load_state(net, state["nets"][name], file)
        for optimiser, own in zip(self.step.optimisers(), state["optimisers"], strict=True):
            # its state only: a learning rate that is a tensor would come back on the CPU, where no CUDA graph sees it
            optimiser.load_state_dict({**own, "param_groups": optimiser.state_dict()["param_groups"]})
        self.trace.copy_(state["trace"])
        self.done, self.seconds = state["done"], state["seconds"]
        self.records = json.loads(state["records"])
        self._write_records()  # those after the checkpoint are about to be made again


def _check_images(config: Config, images: ImageSet) -> None:
    wanted, found = (config.image_size, config.channels), (images.size, images.channels)
    if wanted != found:
        raise ValueError(
            f"the config is for {wanted[0]}x{wanted[0]} pictures of {wanted[1]} channels, {images.name} is "
            f"{found[0]}x{found[0]} of {found[1]}: use config.for_images(images)"
        )
    if len(images) < config.batch:
        raise ValueError(f"{images.name} has {len(images)} pictures, fewer than one batch of {config.batch}")


def _check_out(config: Config, images: ImageSet, out: Path) -> None:
    """Refuse a run directory of another config or other images. Raises ValueError, naming the differences."""
    if (out / "config.json").is_file():
        old, new = (json.loads(c.to_json()) for c in (read_config(out), config))
        differences = [f"{key} is {old[key]!r} there, {new[key]!r} here" for key in new if old[key] != new[key]]
        if differences:
            raise ValueError(f"{out} holds a run of another config ({'; '.join(differences)}): choose another out")
    elif any((out / name).is_file() for name in ("checkpoint.pt", "weights.safetensors")):
        raise ValueError(f"{out} holds weights but no config.json, so they cannot be told apart: choose another out")
    if (out / "env.json").is_file():
        try:
            sha = json.loads((out / "env.json").read_text()).get("sha256")
        except (ValueError, AttributeError):
            raise ValueError(f"{out / 'env.json'} is not JSON: restore it, or choose another out") from None
        if sha != images.sha256:
            raise ValueError(f"{out} holds a run on other images than {images.name}: choose another out")

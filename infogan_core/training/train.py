"""train(): from a Config and images to a run on disk; it goes on by itself from what an earlier call left there."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import distributed

from infogan_core.data.images import ImageSet
from infogan_core.data.load import DATASETS
from infogan_core.device import (
    BATCH,
    about_images,
    cuda_settings,
    environment,
    resolve_device,
    resolve_precision,
    threads_for,
    using_threads,
)
from infogan_core.files import check_sums, only_process_in, require_space, write_summed
from infogan_core.model.config import Config, check_known
from infogan_core.model.latents import Categorical
from infogan_core.runs import FORMAT_VERSION, Run, build, load_run, load_state, read_checkpoint, read_config, read_json
from infogan_core.training.batches import Batches
from infogan_core.training.critic import new_critic, train_critic
from infogan_core.training.ddp import DistributedStep
from infogan_core.training.schedules import schedule
from infogan_core.training.step import TERMS, step_of

MAX_STARTS = 4
NEXT_START = 10**9  # added to the seed for each start that was given up
OnLog = Callable[[dict[str, Any]], None]


def train(
    config: Config,
    images: ImageSet,
    out: str | Path,
    device: str | torch.device = "auto",
    on_log: OnLog | None = None,
    until: int | None = None,
) -> Run:
    """Train an InfoGAN by equation 6 of Chen et al. 2016 into the run directory `out`, and return the run.

    Called again it goes on from the last checkpoint, on a CPU bit for bit, in the precision and on the number of
    threads that it began with; on CUDA, which sums in no fixed order, to the last digits. A finished run is only
    loaded. Ctrl-C ends it after the step in hand, with a checkpoint.
    `on_log` gets every record of metrics.jsonl, and before them those of starts that `restart_below` gave up. `until`
    stops at that step, for a look at a run before finishing it. In a process group it is one model for all processes:
    see ddp.py.
    Raises ValueError for images or an `out` that do not fit the config, OSError when `out` cannot be written, and
    FloatingPointError, naming step and term, when a loss or weight stops being finite.
    """
    if not (isinstance(config, Config) and isinstance(images, ImageSet) and isinstance(out, (str, os.PathLike))):
        found = ", ".join(type(given).__name__ for given in (config, images, out))
        raise ValueError(
            f"train() takes a Config, as of preset(), an ImageSet, as of load_images(), and a path: {found}"
        )
    if until is not None and (type(until) is not int or until < 1):
        raise ValueError(f"until must be a step, a whole number of 1 or more, found {until!r}")
    out, device = Path(out).expanduser(), resolve_device(device)
    check_known("dataset of the config", [config.dataset], DATASETS)
    _check_images(config, images)
    until = config.steps if until is None else min(until, config.steps)
    finished = (out / "weights.safetensors").is_file
    with contextlib.nullcontext() if finished() else _claim(config, out):
        _check_out(config, images, out)
        if finished():
            return load_run(out, device)
        state = read_checkpoint(out / "checkpoint.pt", config) if (out / "checkpoint.pt").is_file() else None
        if state is not None and until <= state["done"] < config.steps:
            return load_run(out, device)
        here = {"precision": resolve_precision(config.precision, device), "threads": threads_for(config)}
        began = {key: state[key] for key in here if state and key in state}  # as the run began
        here |= began
        with using_threads(here["threads"]), cuda_settings(device):
            trainer = Trainer(config, images, out, device, **here)
            if state is not None:
                trainer.load_state_dict(state)
            trainer.begin()
            trainer.run(on_log or (lambda record: None), until)
            if trainer.done == config.steps:
                trainer.finish()
    if distributed.is_initialized():
        distributed.barrier()  # until the first process has written
    return load_run(out, device)


class Trainer:
    """The state of a training, how it is saved, and the loop."""

    def __init__(
        self, config: Config, images: ImageSet, out: Path, device: torch.device, precision: str, threads: int
    ) -> None:
        self.config, self.out, self.precision, self.threads = config, out, precision, threads
        self.about_images, self.environment = about_images(images), environment(device, precision, threads)
        self.pixels, self.device, self.writes = images.pixels.to(device), device, _writes()
        self.seconds, self.given_up = 0.0, []
        self._start()
        about = ("device", "precision", "threads", "torch", "commit", "dirty")
        self.stretches = [{"from": 0, "to": 0, **{key: self.environment[key] for key in about}}]
        n_terms = len(TERMS) - 1 + len(config.latents.codes)
        self.trace = torch.zeros(config.log_every, n_terms, device=device)  # the steps since the last log

    def _start(self) -> None:
        """Step 0, with new weights and batches: the seed's own, or others where earlier starts were given up."""
        config = self.config.replace(seed=(self.config.seed + len(self.given_up) * NEXT_START) % 2**63)
        make = DistributedStep if distributed.is_initialized() else step_of
        self.step = make(config, build(config), self.pixels, self.precision)
        self.batches = Batches(config, len(self.pixels), self.device)
        self.done, self.records = 0, []

    def begin(self) -> None:
        """Leave config.json, env.json and the records in the run directory."""
        if self.writes:
            (self.out / "metrics.json").unlink(missing_ok=True)  # of the weights before
            write_summed(self.out / "config.json", self.config.to_json().encode())
            self._write_env()
            self._write_records()  # without those after the checkpoint, which are about to be made again

    def run(self, on_log: OnLog, until: int) -> None:
        config, started = self.config, time.monotonic() - self.seconds
        with interruptible() as interrupted:
            while self.done < until:
                now = schedule(config, self.done / config.steps)
                self.step.set_schedule(now)
                self.batches.augment_share = now.augment_share
                if now.critic and self.step.critic is None:
                    self._add_critic(interrupted)
                terms = self.step(next(self.batches))
                self.trace[self.done % config.log_every] = torch.cat([terms[name].view(-1) for name in TERMS])
                self.done += 1
                self.seconds = time.monotonic() - started
                if self.done % config.log_every == 0 or self.done == config.steps:
                    on_log(self._log())
                    if self._is_bad_start():
                        self.given_up.append(self.records[-1]["mi_real"])
                        self._start()
                        continue
                if self._all_stop(interrupted):
                    self._interrupt()
                if self.done % config.checkpoint_every == 0 or self.done == until:
                    self.save()

    def _is_bad_start(self) -> bool:
        """Whether Q tells too little of real pictures after two thirds of the steps, as where it merged classes.

        The last of MAX_STARTS goes on anyway. I(c; c') needs no labels.
        """
        config = self.config
        before = self.records[-2]["step"] if len(self.records) > 1 else 0
        at_check = before < config.steps * 2 // 3 <= self.done and config.lambda_real > 0
        ceiling = sum(code.entropy for code in config.latents.codes if isinstance(code, Categorical))
        bad = at_check and self.records[-1]["mi_real"] < config.restart_below * ceiling
        return bad and len(self.given_up) < MAX_STARTS - 1

    def _all_stop(self, interrupted: Callable[[], bool]) -> bool:
        """Whether Ctrl-C was pressed; of several processes all stop at one log step, whichever was told first."""
        if not distributed.is_initialized():
            return interrupted()
        if self.done % self.config.log_every:
            return False
        pressed = torch.tensor(float(interrupted()), device=self.step.device)
        distributed.all_reduce(pressed)
        return bool(pressed.item())

    def _add_critic(self, interrupted: Callable[[], bool]) -> None:
        quiet = BATCH in os.environ or not self.writes
        stop = (lambda: False) if distributed.is_initialized() else interrupted
        critic = train_critic(self.config, self.step.pixels, self.step.autocast, stop, quiet)
        if critic is None:
            self._interrupt()
        self.step.add_critic(critic)

    def _interrupt(self) -> NoReturn:
        self.save()
        raise KeyboardInterrupt(f"stopped at step {self.done}; the same call goes on from there")

    def _log(self) -> dict[str, Any]:
        """The mean of each term since the last log, kept and written; raises where one is not finite."""
        n = (self.done - 1) % self.config.log_every + 1
        self._check_finite(n)
        means = self.trace[:n].mean(dim=0).tolist()
        record = {"step": self.done, "seconds": round(self.seconds, 1), **dict(zip(TERMS, means, strict=False))}
        record["mi"] = means[len(TERMS) - 1 :]
        self.records.append(record)
        self._write_records()
        return record

    def _check_finite(self, n: int) -> None:
        bad = (~self.trace[:n].isfinite()).nonzero().tolist()
        if bad:
            codes = range(len(self.config.latents.codes))
            names = [*TERMS[:-1], *(f"L_I({self.config.latents.name(i)})" for i in codes)]
            row, column = bad[0]
            self._stop(self.done - n + row + 1, f"{names[column]} is {self.trace[row, column].item()}")

    def _stop(self, step: int, what: str) -> None:
        kept = "its last good checkpoint stays" if (self.out / "checkpoint.pt").is_file() else "no checkpoint yet"
        advice = "try another seed, or a lower lr_g, in another out"
        raise FloatingPointError(f"training broke at step {step}: {what}. In {self.out} {kept}; {advice}")

    def _write_records(self) -> None:
        if self.writes:
            write_summed(self.out / "metrics.jsonl", "".join(json.dumps(r) + "\n" for r in self.records).encode())

    def _write_env(self, **more: Any) -> None:
        env = self.environment | self.about_images | {"stretches": self.stretches, "given_up": self.given_up} | more
        write_summed(self.out / "env.json", json.dumps(env, indent=1).encode())

    def state_dict(self) -> dict[str, Any]:
        return {
            "version": FORMAT_VERSION,
            "config": self.config.to_json(),
            "nets": {name: net.state_dict() for name, net in self.step.nets().items()},
            "optimisers": [optimiser.state_dict() for optimiser in self.step.optimisers()],
            "batches": self.batches.state_dict(),
            "trace": self.trace,
            "done": self.done,
            "seconds": self.seconds,
            "records": json.dumps(self.records),
            "given_up": json.dumps(self.given_up),
            "precision": self.precision,
            "threads": self.threads,
            "stretches": json.dumps(self.stretches),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint. Raises ValueError when it does not fit."""
        if given_up := json.loads(state.get("given_up", "[]")):
            self.given_up = given_up
            self._start()
        self.batches.load_state_dict(state["batches"])
        if "critic" in state["nets"]:
            self.step.add_critic(new_critic(self.config))
        for name, net in self.step.nets().items():
            load_state(net, state["nets"][name], self.out / "checkpoint.pt")
        for optimiser, own in zip(self.step.optimisers(), state["optimisers"], strict=True):
            # its state only: a learning rate that is a tensor would come back on the CPU, where no CUDA graph sees it
            optimiser.load_state_dict({**own, "param_groups": optimiser.state_dict()["param_groups"]})
        self.trace.copy_(state["trace"])
        self.done, self.seconds = state["done"], state["seconds"]
        self.records = json.loads(state["records"])
        here = self.stretches[0] | {"from": self.done, "to": self.done}
        self.stretches = [*json.loads(state.get("stretches", "[]")), here]

    def save(self) -> None:
        """checkpoint.pt. Raises FloatingPointError, and keeps the old one, when a loss or weight is not finite."""
        self._check_finite((self.done - 1) % self.config.log_every + 1)
        tensors = {f"{name}.{key}": t for name, net in self.step.nets().items() for key, t in net.state_dict().items()}
        finite = torch.stack([t.isfinite().all() for t in tensors.values()]).tolist()  # waits for the device once
        if not all(finite):
            self._stop(self.done, f"{[*tensors][finite.index(False)]} is not finite")
        self.stretches[-1]["to"] = self.done
        if self.writes:
            buffer = io.BytesIO()
            torch.save(self.state_dict(), buffer)
            write_summed(self.out / "checkpoint.pt", buffer.getbuffer())
            self._write_env()

    def finish(self) -> None:
        """env.json with the minutes it took, and weights.safetensors last: the mark of a finished run."""
        if self.writes:
            self._write_env(minutes=round(self.seconds / 60, 2))
            generator = self.step.ema if self.config.ema else self.step.G
            run = Run(self.config, generator, self.step.D, self.out, self.step.device)
            run.save_weights(self.out / "weights.safetensors")


@contextlib.contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl-C sets a flag instead of breaking a step in two; a second one interrupts at once."""
    pressed = []

    def handler(signum: int, frame: Any) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(True)

    try:
        before = signal.signal(signal.SIGINT, handler)
    except ValueError:  # not the main thread: Python leaves its signals alone
        yield lambda: False
        return
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


def _writes() -> bool:
    """Whether this process writes the run: of several the first."""
    return not distributed.is_initialized() or distributed.get_rank() == 0


def _claim(config: Config, out: Path) -> contextlib.AbstractContextManager[None]:
    """Owns the run directory for the time of the block. Raises OSError where it has no room or another training."""
    if not _writes():
        return contextlib.nullcontext()
    with torch.device("meta"):  # a checkpoint is at most the weights of all networks and Adam's two moments of each
        nets = [*build(config), build(config)[0], *([new_critic(config)] if config.critic else [])]
    n_bytes = 4 * 3 * sum(p.numel() for net in nets for p in net.parameters())
    require_space(out, 2 * n_bytes, "out")  # and what is written beside it
    out.mkdir(parents=True, exist_ok=True)
    return only_process_in(out, "training")


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
    """Refuse a directory that is damaged or of another config or images. Raises ValueError, naming the differences."""
    check_sums(out)
    if (out / "config.json").is_file():
        old, new = (json.loads(c.to_json()) for c in (read_config(out), config))
        differences = [f"{key} is {old[key]!r} there, {new[key]!r} here" for key in new if old[key] != new[key]]
        if differences:
            raise ValueError(f"{out} holds a run of another config ({'; '.join(differences)}): choose another out")
    elif any((out / name).is_file() for name in ("checkpoint.pt", "weights.safetensors")):
        raise ValueError(f"{out} holds weights but no config.json, so they cannot be told apart: choose another out")
    if any(env.get("sha256") != images.sha256 for env in read_json(out / "env.json")):
        raise ValueError(f"{out} holds a run on other images than {images.name}: choose another out")

"""Where a computation runs: device, precision, threads and seeds, and what its numbers depend on beside the config."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from infogan_core.files import PROJECT

if TYPE_CHECKING:
    from infogan_core.data.images import ImageSet
    from infogan_core.model.config import Config

BATCH = "INFOGAN_BATCH"  # set by infogan_core.batch for the notebooks that it runs
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """ "auto" is CUDA where there is one. Raises ValueError for an unknown device, RuntimeError for an absent one."""
    if str(device) == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError:
        raise ValueError(f'unknown device {device!r}: give "auto", "cpu" or "cuda"') from None
    if resolved.type not in ("cpu", "cuda"):
        raise ValueError(f'device {device!r} is not supported: give "auto", "cpu" or "cuda"')
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        n = torch.cuda.device_count()
        raise RuntimeError(f'device={str(device)!r}, but torch finds {n} CUDA GPUs here: use device="cpu" or "auto"')
    return resolved


def resolve_precision(precision: str, device: torch.device) -> str:
    """ "fp32" or "bf16"; "auto" is bf16 autocast where the device computes it natively, else fp32."""
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    cpu = torch.cpu.get_capabilities()
    return "bf16" if cpu.get("avx512_bf16") or cpu.get("amx_bf16") else "fp32"


def threads_for(config: Config) -> int:
    """How many threads the networks of a config get, unless `config.threads` says it.

    One for networks narrower than the paper's: a second one stalls them as soon as another process is busy. For wide
    ones all cores but one, or OMP_NUM_THREADS where that is set.
    """
    if config.threads or config.width < 1:
        return config.threads or 1
    limit = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]  # OpenMP takes a list
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(limit) if limit.isdigit() else cores - 1)


@contextlib.contextmanager
def using_threads(n: int) -> Iterator[None]:
    """For the time of a computation torch works on n threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """For the time of a computation the CPU's global generator is seeded; no other generator is touched."""
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before)


@contextlib.contextmanager
def cuda_settings(device: torch.device) -> Iterator[None]:
    """For the time of a training on CUDA: that GPU is the current one, fp32 products may use TF32, and cuDNN takes the
    convolutions that are fastest for these shapes."""
    before, benchmark = torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark
    torch.set_float32_matmul_precision("high" if device.type == "cuda" else before)
    torch.backends.cudnn.benchmark = device.type == "cuda" or benchmark
    try:
        with torch.cuda.device(device) if device.type == "cuda" else contextlib.nullcontext():
            yield
    finally:
        torch.set_float32_matmul_precision(before)
        torch.backends.cudnn.benchmark = benchmark


def environment(device: torch.device, precision: str, threads: int) -> dict[str, Any]:
    """What a number depends on beside config and pictures. `dirty`: the code differs from its commit."""
    cpu = f"{platform.machine()} CPU ({torch.backends.cpu.get_cpu_capability()})"
    commit = _git("rev-parse", "HEAD")
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else cpu,
        "threads": threads,
        "cores": os.cpu_count(),
        "precision": str(PRECISIONS[precision]).removeprefix("torch."),
        "commit": commit or None,
        "dirty": bool(_git("status", "--porcelain", "--", ".")) if commit else None,
    }


def about_images(images: ImageSet) -> dict[str, Any]:
    """What env.json says of the pictures that a run is trained on."""
    about = {"data": images.name, "kind": images.kind, "note": images.stand_in_note, "notes": list(images.notes)}
    return about | {"n_images": len(images), "sha256": images.sha256}


def _git(*words: str) -> str:
    """What git says of the package's own folder; nothing without git or a repository of its own."""
    if not (PROJECT / ".git").exists():
        return ""
    try:
        command = ["git", *words]
        return subprocess.run(command, cwd=PROJECT / "infogan_core", capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""

"""Where a training runs: device, precision, and what its numbers depend on beside the config."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from infogan_core.data.images import ImageSet

BATCH = "INFOGAN_BATCH"  # set by infogan_core.batch for the notebooks that it runs


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


@contextlib.contextmanager
def cuda_settings(device: torch.device) -> Iterator[None]:
    """For the time of a training on CUDA: that GPU is the current one, and fp32 products may use TF32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if device.type == "cuda" else before)
    try:
        with torch.cuda.device(device) if device.type == "cuda" else contextlib.nullcontext():
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def resolve_precision(precision: str, device: torch.device) -> torch.dtype:
    """ "auto" is bf16 autocast where the device computes it natively, else fp32."""
    if precision != "auto":
        return {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        cpu = torch.cpu.get_capabilities()
        native = bool(cpu.get("avx512_bf16") or cpu.get("amx_bf16"))
    return torch.bfloat16 if native else torch.float32


@contextlib.contextmanager
def using_threads(n: int) -> Iterator[None]:
    """For the time of a computation torch works on n threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def environment(images: ImageSet, device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """What a number depends on beside the config: env.json."""
    here = Path(__file__).parent
    try:
        git = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False).stdout
    except OSError:  # no git on this machine
        git = ""
    cpu = f"{platform.machine()} CPU ({torch.backends.cpu.get_cpu_capability()})"
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else cpu,
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "precision": str(dtype).removeprefix("torch."),
        "commit": git.strip() or None,
        "data": images.name,
        "note": images.stand_in_note,
        "n_images": len(images),
        "sha256": images.sha256,
    }

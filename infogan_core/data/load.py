"""load_images: every dataset's loader, and somebody's own images for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infogan_core.data.celeba.faces import load_celeba
from infogan_core.data.images import SIZES, ImageSet
from infogan_core.data.mnist import load_mnist
from infogan_core.data.own_images import load_own_images
from infogan_core.data.rendered.sprites import sprites
from infogan_core.data.svhn import load_svhn


@dataclass(frozen=True)
class DataSet:
    """What the suite knows of a data set: a new one is a row of DATASETS, a loader, a recipe and a notebook."""

    title: str
    load: Callable[..., ImageSet | None]
    size: int  # of its pictures, unless another is asked for
    label: str = "class"  # what a label says
    augment: Mapping[str, float] = field(default_factory=dict)  # for its classifier: what leaves the answer as it is


DATASETS = {
    "mnist": DataSet("MNIST", load_mnist, 28, "digit", {"warp": 0.1, "shift": 2.0}),
    "svhn": DataSet("SVHN", load_svhn, 32, "digit", {"warp": 0.2, "shift": 3.0, "colour": 0.25, "negative": True}),
    "celeba": DataSet("CelebA", load_celeba, 32, "class", {"warp": 0.05, "shift": 1.0, "colour": 0.1, "flip": True}),
}
SPRITES = 50_000


def load_images(
    dataset: str,
    source: str | os.PathLike = "embedded",
    *,
    root: str | os.PathLike = "data",
    size: int | None = None,
    crop: tuple[int, int, int] | None = None,
    skip_bad: bool = False,
) -> ImageSet:
    """The images of a dataset, with some held out: the official test set, or a fixed split that no seed changes.

    `source` is "embedded" (in the installed packages, or rendered), "download" (the official files, into `root`),
    "dsprites" (rendered sprites), or a path: the official files or a folder that holds them (for CelebA,
    img_align_celeba.zip or its folder, and list_attr_celeba.txt beside it), an .npz with `images` uint8 [N, H, W] or
    [N, H, W, C], 28x28, 32x32 or 64x64, and optional integer `labels` [N], `attributes` [N, A], `attribute_names`, or a
    folder of pictures, cropped to their central squares, subfolders' names, sorted, being labels. CelebA and a folder's
    pictures are reduced to `size` pixels; CelebA's first to `crop`, centre and side (x, y, side) in pixels of 178x218
    (None: (89, 121, 128)), and kept in a file in `root`. SVHN's extra_32x32.mat is added where it lies in a folder
    or, of "download", in root/svhn. `skip_bad` leaves out, and counts in the name, what cannot be used.
    Raises ValueError or OSError for what cannot be used, RuntimeError where the download fails.
    """
    if dataset not in DATASETS:
        raise ValueError(f"unknown dataset {dataset!r}: choose from {', '.join(map(repr, DATASETS))}")
    of = DATASETS[dataset]
    if (size := of.size if size is None else size) not in SIZES:
        raise ValueError(f"size must be 28, 32 or 64, the networks' image sizes, found {size!r}")
    if crop and dataset != "celeba":
        raise ValueError(f"crop is for CelebA's aligned pictures, found crop={crop!r} for {dataset!r}")
    if source not in ("embedded", "download", "dsprites"):
        words = 'source must be "embedded", "download" or a path to your files'
        if not isinstance(source, (str, os.PathLike)) or not os.fspath(source):
            raise ValueError(f"{words}, found {source!r}")
        source = Path(source).expanduser()
        if not source.exists():
            raise FileNotFoundError(f"no such file or folder: {source}; {words}")
    if source == "dsprites":
        return sprites(SPRITES).hold_out_last(SPRITES // 5)
    options = {"size": size, "crop": crop, "skip_bad": skip_bad} if dataset == "celeba" else {}
    images = of.load(source, Path(root).expanduser(), **options)
    images = load_own_images(source, size, skip_bad) if images is None else images
    faces = dataset == "celeba" and "Smiling" in images.attribute_names  # CelebA in an .npz, by its attributes
    return images.of_kind("celeba") if faces else images

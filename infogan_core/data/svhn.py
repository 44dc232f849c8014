"""SVHN (Netzer et al. 2011), cropped digits: the official .mat files, or house numbers rendered instead of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from infogan_core.data.download import downloading
from infogan_core.data.images import ImageSet, at_least_two, image_set, one_line

TRAIN, TEST, EXTRA = "train_32x32.mat", "test_32x32.mat", "extra_32x32.mat"
RENDERED = 20_000  # pictures, the last tenth of them held out


def load_svhn(source: str | Path, root: Path, **_: object) -> ImageSet | None:
    """SVHN from any source; None for a path without .mat files.

    "embedded" is rendered. "download" and a folder: train_32x32.mat to train on, together with extra_32x32.mat where
    that has been put beside it (531,131 easier digits, 1.3 GB), and test_32x32.mat held out. A path to any .mat of
    that format: test_32x32.mat beside a train_32x32.mat held out, else a fixed fifth, at most 10,000.
    """
    if source == "embedded":
        from infogan_core.data.rendered.house_numbers import house_numbers

        return house_numbers(RENDERED).hold_out_last(RENDERED // 10)
    if source == "download":
        folder = root / "svhn"
        _download(folder)
        return _read(folder / TRAIN, "the official files")
    if source.suffix.lower() == ".mat" and source.is_file():
        return _read(source, f"from {source.name}", extra=False)
    for folder in (source, source / "svhn"):
        if any((folder / name).is_file() for name in (TRAIN, TEST, EXTRA)):
            return _read(folder / TRAIN, f"from {folder.name}")
    return None


def _download(folder: Path) -> None:
    """The official files, where they are missing or damaged (MD5), through torchvision; about 250 MB."""
    from torchvision.datasets import SVHN
    from torchvision.datasets.utils import download_url

    instead = f'put {TRAIN} and {TEST} into {folder}, or use source="embedded" (rendered) or source=PATH'
    with downloading("SVHN", folder, instead):
        for part in ["train", "test"] + ["extra"] * (folder / EXTRA).is_file():
            url, name, md5 = SVHN.split_list[part]
            download_url(url, folder, name, md5)


def _read(path: Path, where: str, extra: bool = True) -> ImageSet:
    """One .mat, with its official companions beside it where it is the official train_32x32.mat."""
    images = _read_mat(path)
    n = f"{len(images):,} digits"
    test, more = path.with_name(TEST), path.with_name(EXTRA)
    if path.name == TRAIN and extra and more.is_file():
        added = _read_mat(more)
        n += f", {len(added):,} extra digits"
        pixels, labels = torch.cat([images.pixels, added.pixels]), torch.cat([images.labels, added.labels])
        images = replace(images, pixels=pixels, labels=labels)
    if path.name != TRAIN or not test.is_file():
        return replace(images, name=f"SVHN ({n}, {where})").hold_out_fifth()
    held_out = _read_mat(test)
    name = f"SVHN ({n} and {len(held_out):,} test digits, {where})"
    return replace(images, name=name, held_out=replace(held_out, name=f"{name}, held out"))


def _read_mat(path: Path) -> ImageSet:
    """The official format: `X` uint8 [32, 32, 3, N] and `y` N digits, 1..9 and 10 for 0."""
    from scipy.io import loadmat

    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}, which must lie beside the others")
    try:
        arrays = loadmat(path, appendmat=False, variable_names=["X", "y"])
        pictures, digits = arrays["X"], np.ravel(arrays["y"])
    except Exception as error:  # SciPy, zlib and struct each raise their own
        form = "a .mat of version 4 to 7 with X and y, the pictures and their digits"
        raise ValueError(f"{path}: damaged, or not {form}; copy it again ({one_line(error)})") from None
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[:3] != (32, 32, 3):
        raise ValueError(f"{path}: X must be uint8 [32, 32, 3, N], found {pictures.dtype} {pictures.shape}")
    n = pictures.shape[3]
    at_least_two(n, path)
    if digits.shape != (n,) or not np.isin(digits, np.arange(1, 11)).all():
        raise ValueError(f"{path}: y must be {n} digits 1..10, one per picture, where 10 is the digit 0")
    return image_set(pictures.transpose(3, 0, 1, 2), digits.astype(np.int64) % 10, str(path), "svhn")

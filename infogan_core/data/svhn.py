"""SVHN (Netzer et al. 2011), cropped digits: the official .mat files, or house numbers rendered instead of them."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from infogan_core.data.arrays import check_unpacked, read_arrays, read_headers
from infogan_core.data.download import downloading
from infogan_core.data.images import ImageSet, at_least_two, image_set, one_line

TRAIN, TEST, EXTRA = "train_32x32.mat", "test_32x32.mat", "extra_32x32.mat"
FORMAT_1 = ("digitStruct.mat", "train.tar.gz", "test.tar.gz", "extra.tar.gz")
NUMBERS = {"double", "single", *(f"{sign}int{bits}" for sign in ("u", "") for bits in (8, 16, 32, 64))}  # MATLAB's
RENDERED = 20_000  # pictures, the last tenth of them held out


def load_svhn(source: str | Path, root: Path, **_: object) -> ImageSet | None:
    """SVHN from any source; None for a path without its files.

    "embedded" is rendered. "download" and a folder: train_32x32.mat to train on, together with extra_32x32.mat where
    that has been put beside it (531,131 easier digits, 1.3 GB), and test_32x32.mat held out. A path to any .mat of
    that format: test_32x32.mat beside a train_32x32.mat held out, else a fixed fifth, at most 10,000. An .npz is SVHN
    with the same X and y, where X may be [N, 32, 32, 3]. Format 1, whole house numbers, is refused.
    """
    if source == "embedded":
        from infogan_core.data.rendered.house_numbers import house_numbers

        return house_numbers(RENDERED).hold_out_last(RENDERED // 10)
    if source == "download":
        folder = root / "svhn"
        _download(folder)
        return _read(folder / TRAIN, "the official files")
    if source.suffix.lower() == ".npz" and not source.is_dir():
        return _recognise(read_arrays(source), source)
    if source.suffix.lower() == ".mat" and source.is_file() and source.name not in FORMAT_1:
        return _read(source, f"from {source.name}", extra=False)
    for folder in (source, *sorted(source.glob("*/"))):
        if any((folder / name).is_file() for name in (TRAIN, TEST, EXTRA)):
            return _read(folder / TRAIN, f"from {folder.name}")
    if source.name in FORMAT_1 or any([*source.glob(name), *source.glob(f"*/{name}")] for name in FORMAT_1):
        found = f"{source}: SVHN's format 1, pictures of whole house numbers"
        raise ValueError(f"{found}; give the 32x32 digits of format 2, {TRAIN} and {TEST}")
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


def _recognise(images: ImageSet, path: Path) -> ImageSet:
    """The pictures of an .npz, called SVHN where X and y have the form of its .mat files, with 10 for the digit 0."""
    names = images.label_names
    known = {"X", "y"} <= read_headers(path).keys() and "10" in names and {*names} <= {*map(str, range(1, 11))}
    if not known or images.pixels.shape[1:] != (3, 32, 32):
        return images
    digits, n = torch.tensor([int(name) % 10 for name in names]), len(images) + len(images.held_out)
    name = f"SVHN ({n:,} digits, from {path.name})"
    images, held_out = (
        replace(part, labels=digits[part.labels], label_names=(), kind="svhn", name=name)
        for part in (images, images.held_out)
    )
    return replace(images, held_out=replace(held_out, name=f"{name}, held out"))


def _read_mat(path: Path) -> ImageSet:
    """The official format: `X` uint8 [32, 32, 3, N] and `y` N digits, 1..9 and 10 for 0."""
    from scipy.io import loadmat, whosmat

    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}, which must lie beside the others")
    with _named(path):
        headers = {name: (kind, shape) for name, shape, kind in whosmat(path, appendmat=False)}
        (kind, shape), (y_kind, y_shape) = headers["X"], headers["y"]
    if kind != "uint8" or len(shape) != 4 or shape[:3] != (32, 32, 3):
        raise ValueError(f"{path}: X must be uint8 [32, 32, 3, N], found {kind} {shape}")
    n = shape[3]
    at_least_two(n, path)
    check_unpacked(path, math.prod(shape), path.stat().st_size)
    must = f"{path}: y must be {n} digits 1..10, one per picture, where 10 is the digit 0"
    if y_kind not in NUMBERS or math.prod(y_shape) != n:
        raise ValueError(must)
    with _named(path):
        arrays = loadmat(path, appendmat=False, variable_names=["X", "y"])
    digits = np.ravel(arrays["y"])
    if not np.isin(digits, np.arange(1, 11)).all():
        raise ValueError(must)
    return image_set(arrays["X"].transpose(3, 0, 1, 2), digits.astype(np.int64) % 10, str(path), "svhn")


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """What SciPy says of a .mat that it cannot read, as one ValueError that names the file."""
    try:
        yield
    except PermissionError:
        raise
    except NotImplementedError:
        raise ValueError(f"{path}: is of MATLAB's version 7.3 (HDF5); save it with -v7, or use {TRAIN}") from None
    except Exception as error:  # SciPy, zlib and struct each raise their own
        form = "a .mat of version 4 to 7 with X and y, the pictures and their digits"
        raise ValueError(f"{path}: damaged, or not {form}; copy it again ({one_line(error)})") from None

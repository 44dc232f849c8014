"""SVHN (Netzer et al. 2011), cropped digits: the official .mat files, or house numbers rendered instead of them."""

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from infogan_core.data.arrays import check_unpacked, most_unpacked
from infogan_core.data.images import ImageSet, at_least_two, image_set
from infogan_core.data.reading import downloading, reading

TRAIN, TEST, EXTRA = "train_32x32.mat", "test_32x32.mat", "extra_32x32.mat"
FORMAT_1 = ("digitStruct.mat", "train.tar.gz", "test.tar.gz", "extra.tar.gz")
COMPRESSED = 15  # the type of an element, in MATLAB's format 5
RENDERED = 20_000  # pictures, the last tenth of them held out


def load_svhn(source: str | Path, root: Path, **_: object) -> ImageSet | None:
    """SVHN from any source; None for a path without its files.

    "embedded" is rendered. "download" and a folder: train_32x32.mat to train on, together with extra_32x32.mat where
    that has been put beside it (531,131 easier digits, 1.3 GB), and test_32x32.mat held out. A path to any .mat of
    that format: test_32x32.mat beside a train_32x32.mat held out, else a fixed fifth, at most 10,000. Format 1, whole
    house numbers, is refused.
    """
    if source == "embedded":
        from infogan_core.data.rendered.house_numbers import house_numbers

        return house_numbers(RENDERED).hold_out_last(RENDERED // 10)
    if source == "download":
        folder = root / "svhn"
        _download(folder)
        return _read(folder / TRAIN, "the official files")
    if source.suffix.lower() == ".mat" and not source.is_dir() and source.name not in FORMAT_1:
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
    with downloading("SVHN", instead):
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


def recognise_svhn(images: ImageSet, path: Path) -> ImageSet:
    """The pictures of an .npz, called SVHN where X and y have the form of its .mat files, with 10 for the digit 0."""
    names = images.label_names
    if not ("10" in names and {*names} <= {*map(str, range(1, 11))} and images.pixels.shape[1:] == (3, 32, 32)):
        return images
    if not {"X", "y"} <= {*np.load(path, allow_pickle=False)}:
        return images
    digits, name = torch.tensor([int(name) % 10 for name in names]), images.name.replace("own images", "SVHN")
    train, held_out = (
        replace(part, labels=digits[part.labels], label_names=(), kind="svhn", name=name + end)
        for part, end in ((images, ""), (images.held_out, ", held out"))
    )
    return replace(train, held_out=held_out)


def _read_mat(path: Path) -> ImageSet:
    """The official format: `X` uint8 [32, 32, 3, N] and `y` N digits, 1..9 and 10 for 0."""
    from scipy.io import loadmat

    form = f"a .mat of version 5 to 7 with X and y, pictures and digits; save it with -v7, or use {TRAIN}"
    with reading(path, f"damaged, or not {form}"):
        arrays = loadmat(_unpack(path), variable_names=["X", "y"])
        pictures, digits = arrays["X"], arrays["y"]
    if not isinstance(pictures, np.ndarray) or pictures.dtype != np.uint8 or pictures.shape[:-1] != (32, 32, 3):
        found = f"{getattr(pictures, 'dtype', type(pictures))} {pictures.shape}"
        raise ValueError(f"{path}: X must be uint8 [32, 32, 3, N], found {found}")
    n = pictures.shape[3]
    at_least_two(n, path)
    numbers = isinstance(digits, np.ndarray) and digits.dtype.kind in "buif"
    if not numbers or digits.size != n or not np.isin(digits, np.arange(1, 11)).all():
        raise ValueError(f"{path}: y must be {n} digits 1..10, one per picture, where 10 is the digit 0")
    return image_set(pictures.transpose(3, 0, 1, 2), digits.ravel().astype(np.int64) % 10, str(path), "svhn")


def _unpack(path: Path) -> io.BytesIO:
    """A .mat with its elements unpacked, so that SciPy cannot read more than there is, whatever their sizes say."""
    stored, out = path.stat().st_size, io.BytesIO()
    with path.open("rb") as file:
        header = file.read(128)
        if header[124:] not in (b"\0\1IM", b"\1\0MI"):
            raise ValueError("another version")
        out.write(header)
        while tag := file.read(8):
            kind, n = struct.unpack("<2I" if header.endswith(b"IM") else ">2I", tag)
            if n > stored:
                raise ValueError("cut off")
            element = file.read(n)
            if kind == COMPRESSED:
                unpacking = zlib.decompressobj()
                tag, element = b"", unpacking.decompress(element, most_unpacked(stored) + 1)
                check_unpacked(path, out.tell() + len(element), stored)
                if not unpacking.eof:
                    raise ValueError("cut off")
            out.write(tag + element)
    out.seek(0)
    return out

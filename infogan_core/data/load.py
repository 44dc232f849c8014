"""load_images: the pictures of every data set, and a user's own for all of them."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infogan_core.data.arrays import read_arrays
from infogan_core.data.celeba.faces import load_celeba, recognise_celeba
from infogan_core.data.images import SIZES, ImageSet
from infogan_core.data.mnist import load_mnist, recognise_mnist
from infogan_core.data.own_images import load_own_images
from infogan_core.data.svhn import load_svhn, recognise_svhn


@dataclass(frozen=True)
class DataSet:
    """What the suite knows of a data set: a new one is a row of DATASETS, a loader, a recipe and a notebook.

    `load(source, root, size=, crop=, skip_bad=)` gives the pictures of a source; None if it does not recognise a path.
    `recognise(images, path)` gives the pictures of an .npz or .npy their kind, where they are this data set's.
    """

    title: str
    load: Callable[..., ImageSet | None]
    sizes: tuple[int, ...]  # of its stand-ins; the first is that of all its pictures unless another is asked for
    label: str = "class"  # what a label says
    augment: Mapping[str, float] = field(default_factory=dict)  # of its classifier: what keeps the label
    more_sources: tuple[str, ...] = ()  # besides "embedded", "download" and paths
    recognise: Callable[[ImageSet, Path], ImageSet] = lambda images, path: images


MNIST_AUGMENT = {"warp": 0.1, "shift": 2.0}
SVHN_AUGMENT = {"warp": 0.2, "shift": 3.0, "colour": 0.25, "negative": True}
CELEBA_AUGMENT = {"warp": 0.05, "shift": 1.0, "colour": 0.1, "flip": True}
DATASETS = {
    "mnist": DataSet("MNIST", load_mnist, (28,), "digit", MNIST_AUGMENT, ("dsprites",), recognise_mnist),
    "svhn": DataSet("SVHN", load_svhn, (32,), "digit", SVHN_AUGMENT, (), recognise_svhn),
    "celeba": DataSet("CelebA", load_celeba, (32, 64), "class", CELEBA_AUGMENT, (), recognise_celeba),
}


def load_images(
    dataset: str,
    source: str | os.PathLike = "embedded",
    *,
    root: str | os.PathLike = "data",
    size: int | None = None,
    crop: tuple[int, int, int] | None = None,
    skip_bad: bool = False,
) -> ImageSet:
    """Pictures to train on, and some held out: the official test set, or a part that is the same for every seed.

    dataset: "mnist", "svhn" or "celeba"

    source:
        "embedded"   needs no network: 5,000 MNIST digits; house numbers and faces are rendered, and say so
        "download"   the official files, kept in `root`
        "dsprites"   of "mnist" only: rendered sprites with five known factors
        a path       the official files as they come, packed or not, or a folder that holds them, or other data in
                     files of that form (Fashion-MNIST), whose kind is then "own";
                     a folder of your pictures, any size: central squares, and subfolders' names are the labels;
                     1,000 pictures or more, CelebA's too, are kept in `root`, decoded, for the next start;
                     an .npz: `images` [N, H, W] or [N, H, W, C], 28x28, 32x32 or 64x64, of 0..255, 0..1 or -1..1, and,
                     if you like, `labels` [N] (whole numbers or words), `attributes` [N, A] and `attribute_names` [A];
                     the names of Keras, MedMNIST and dSprites are known, too, and an .npy holds images alone

    size: 28, 32 or 64, to which CelebA and folders of pictures are reduced; without: 28 for MNIST, 32 for SVHN and
        CelebA. An .npz and sprites are taken as they are; of SVHN and of stand-ins another size is refused,
        but for faces of 64
    crop: for CelebA, (x, y, side) of the square to keep, (x, y) its centre, in pixels of 178x218
    skip_bad: leave out pictures that cannot be used; the name of the ImageSet counts them

    Raises ValueError or OSError for what cannot be used, and RuntimeError where the download fails.
    """
    row = DATASETS.get(dataset)
    if row is None:
        raise ValueError(f"unknown dataset {dataset!r}: choose from {', '.join(map(repr, DATASETS))}")
    if size is not None and size not in SIZES:
        raise ValueError(f"size must be 28, 32 or 64, the networks' image sizes, found {size!r}")
    if crop and dataset != "celeba":
        raise ValueError(f"crop is for CelebA's aligned pictures, found crop={crop!r} for {dataset!r}")
    words = ("embedded", "download", *row.more_sources)
    if source not in words:
        source = _existing(source, words)
    if source == "embedded":
        _check_size(row.sizes, size, dataset, source)  # before they are rendered
    root, wanted = Path(root).expanduser(), int(size or row.sizes[0])
    if isinstance(source, Path) and source.suffix.lower() in (".npz", ".npy") and not source.is_dir():
        images = row.recognise(read_arrays(source), source)
    else:
        images = row.load(source, root, size=wanted, crop=crop, skip_bad=skip_bad)
    if images is None:
        return load_own_images(source, root, wanted, skip_bad)
    if images.kind == dataset:
        _check_size((images.size,), size, dataset, source)
    return images


def _existing(source: str | os.PathLike, words: tuple[str, ...]) -> Path:
    """The path that a source is, where it is none of the words."""
    must = "source must be " + ", ".join(f'"{word}"' for word in words) + " or a path to your files"
    if not isinstance(source, (str, os.PathLike)) or not os.fspath(source):
        raise ValueError(f"{must}, found {source!r}")
    path = Path(source).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"no such file or folder: {path}; {must}")
    return path


def _check_size(found: tuple[int, ...], size: int | None, dataset: str, source: str | Path) -> None:
    """Raise ValueError where the pictures of a source do not come in the size asked for."""
    if size not in (None, *found):
        pictures = f'the pictures of {dataset} from "{source}" are {" or ".join(f"{n}x{n}" for n in found)}'
        raise ValueError(f"{pictures} and come in no other size, found size={size}: leave it out")

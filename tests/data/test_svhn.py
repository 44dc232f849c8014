"""SVHN's official .mat files: read, split and downloaded, and one clear line for everything that is none."""

import hashlib
import resource
import struct
import zlib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
from scipy.io import savemat
from scipy.sparse import csc_array

from helpers import SHARED
from infogan_core.data.load import load_images
from pictures import noise, refused


def write_mat(path: Path, n: int, **arrays) -> Path:
    """n pictures in the official format, picture i full of i, its digit i mod 10 written as 1..10."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = np.broadcast_to(np.arange(n, dtype=np.uint8), (32, 32, 3, n))
    digits = ((np.arange(n)[:, None] - 1) % 10 + 1).astype(np.uint8)
    savemat(path, {"X": pictures, "y": digits} | arrays, do_compression=True)
    return path


def write_official(folder: Path) -> Path:
    write_mat(folder / "train_32x32.mat", 30)
    write_mat(folder / "test_32x32.mat", 12)
    return folder


Y = r"y must be 5 digits 1\.\.10, one per picture, where 10 is the digit 0"


def values(images) -> torch.Tensor:
    """What each picture is full of."""
    assert (images.pixels == images.pixels[:, :1, :1, :1]).all()
    return images.pixels[:, 0, 0, 0].long()


def test_ten_is_the_digit_zero(tmp_path):
    images = load_images("svhn", write_mat(tmp_path / "own.mat", 40))
    for part in (images, images.held_out):
        assert torch.equal(values(part) % 10, part.labels)


def test_pictures_stand_upright(tmp_path):
    pictures = noise(32, 32, 3, 5)
    images = load_images("svhn", write_mat(tmp_path / "own.mat", 5, X=pictures, y=np.arange(1, 6)))
    for pixels, digit in zip(images.pixels, images.labels, strict=True):
        assert np.array_equal(pixels.permute(1, 2, 0), pictures[..., digit - 1])
    assert images.pixels.is_contiguous()


def test_any_mat_holds_out_a_fifth(tmp_path):
    images = load_images("svhn", write_mat(tmp_path / "own.mat", 40))
    assert (len(images), len(images.held_out)) == (32, 8)
    assert sorted([*values(images).tolist(), *values(images.held_out).tolist()]) == list(range(40))
    assert (images.kind, images.held_out.kind, images.name) == ("svhn", "svhn", "SVHN (40 digits, from own.mat)")


def test_crops_of_another_size_are_refused(tmp_path):
    with refused(ValueError, r"own\.mat\" are 32x32 and come in no other size, found size=64: leave it out"):
        load_images("svhn", write_mat(tmp_path / "own.mat", 40), size=64)


@pytest.mark.parametrize("source", ["svhn", "svhn/train_32x32.mat", "."])
def test_official_files_hold_out_the_test_digits(tmp_path, source):
    write_official(tmp_path / "svhn")
    images = load_images("svhn", tmp_path / source)
    assert values(images).tolist() == list(range(30))
    assert values(images.held_out).tolist() == list(range(12))
    assert "SVHN (30 digits and 12 test digits, from" in images.name


def test_train_without_test_holds_out_a_fifth(tmp_path):
    write_mat(tmp_path / "train_32x32.mat", 30)
    images = load_images("svhn", tmp_path)
    assert (len(images), len(images.held_out)) == (24, 6)


def test_test_alone_asks_for_train(tmp_path):
    write_mat(tmp_path / "test_32x32.mat", 30)
    with refused(FileNotFoundError, "no such file: .*/train_32x32.mat"):
        load_images("svhn", tmp_path)


def test_extra_is_trained_on_where_it_is(tmp_path):
    write_mat(write_official(tmp_path) / "extra_32x32.mat", 7)
    images = load_images("svhn", tmp_path)
    assert values(images).tolist() == [*range(30), *range(7)]
    assert "30 digits, 7 extra digits and 12 test digits" in images.name


@pytest.mark.parametrize(
    "digits", [np.arange(1, 6), np.arange(1, 6)[:, None], np.arange(1.0, 6), np.arange(1, 6)[None]]
)
def test_digits_of_any_form(tmp_path, digits):
    images = load_images("svhn", write_mat(tmp_path / "own.mat", 5, y=digits))
    assert torch.equal((values(images) + 1) % 10, images.labels)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": np.zeros((32, 32, 3, 5))}, r"X must be uint8 \[32, 32, 3, N\], found float64"),
        ({"X": noise(5, 32, 32, 3)}, r"X must be uint8 .*found uint8 \(5, 32, 32, 3\)"),
        ({"X": noise(32, 32, 3)}, r"X must be uint8 .*found uint8 \(32, 32, 3\)"),
        ({"X": noise(32, 32, 5)}, r"X must be uint8 .*found uint8 \(32, 32, 5\)"),
        ({"X": np.array([["text"]], dtype=object)}, "X must be uint8 .*found object"),
        ({"y": np.arange(1, 5)}, Y),
        ({"y": np.ones((5, 5))}, Y),
        ({"y": csc_array(np.ones((5, 1)))}, Y),
        ({"y": np.array(["a"] * 5)}, Y),
        ({"y": np.arange(5)}, Y),
        ({"y": np.arange(7, 12)}, Y),
        ({"y": np.full(5, 1.5)}, Y),
        ({"y": np.full(5, np.nan)}, Y),
    ],
)
def test_mat_that_cannot_be_used(tmp_path, arrays, message):
    path = write_mat(tmp_path / "own.mat", 5, **arrays)
    with refused(ValueError, f"{path}: {message}"):
        load_images("svhn", path)


@pytest.mark.parametrize("missing", ["X", "y"])
def test_mat_without_what_is_needed(tmp_path, missing):
    savemat(tmp_path / "own.mat", {name: noise(2, 2) for name in ("X", "y", "z") if name != missing})
    with refused(ValueError, rf"own\.mat: damaged, or not a \.mat .* with X and y.*'{missing}'"):
        load_images("svhn", tmp_path / "own.mat")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:-3],
        lambda data: data[:400] + b"\x00\xff" * 50 + data[500:],
        lambda data: b"",
        lambda data: b"plain text" * 100,
    ],
    ids=["cut in half", "three bytes short", "overwritten", "empty", "text"],
)
def test_damaged_mat_is_named(tmp_path, damage):
    path = write_mat(tmp_path / "own.mat", 40, X=noise(32, 32, 3, 40))
    path.write_bytes(damage(path.read_bytes()))
    with refused(ValueError, f"{path}: damaged, or not a .mat of version 5 to 7"):
        load_images("svhn", path)


def test_version_7_3_is_named(tmp_path):
    (tmp_path / "own.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF" * 99)
    with refused(ValueError, r"own\.mat: .*version 5 to 7.*save it with -v7"):
        load_images("svhn", tmp_path / "own.mat")


@pytest.mark.parametrize("hidden", [False, True])
def test_mat_that_unpacks_to_gigabytes_is_refused(tmp_path, monkeypatch, hidden):
    """Also where its header promises two pictures."""
    monkeypatch.setattr("infogan_core.data.arrays.SMALL", 1 << 20)
    path = write_mat(tmp_path / "own.mat", 2000, X=np.zeros((32, 32, 3, 2000), np.uint8))
    if hidden:
        rewrite_first_element(path, lambda data: data.replace(struct.pack("<I", 2000), struct.pack("<I", 2), 1))
    with refused(ValueError, r"own\.mat: says that it holds"):
        load_images("svhn", path)


def rewrite_first_element(path: Path, change) -> None:
    """Unpacks X, changes it, and packs it again."""
    data = path.read_bytes()
    (n,) = struct.unpack("<I", data[132:136])
    packed = zlib.compress(change(zlib.decompress(data[136 : 136 + n])))
    path.write_bytes(data[:132] + struct.pack("<I", len(packed)) + packed + data[136 + n :])


@pytest.mark.parametrize("at", [4, 28, 44, 60])  # sizes of the array, of its shape and of its numbers; 44: its N
def test_mat_whose_sizes_lie_is_named(tmp_path, at):
    path = write_mat(tmp_path / "own.mat", 5)
    rewrite_first_element(path, lambda data: data[:at] + b"\xf8\xff\xff\x7f" + data[at + 4 :])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with refused(ValueError, r"own\.mat: "):
        load_images("svhn", path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10  # KiB


def test_mat_whose_element_is_longer_than_the_file_is_named(tmp_path):
    path = write_mat(tmp_path / "own.mat", 5)
    data = path.read_bytes()
    path.write_bytes(data[:132] + b"\xff\xff\xff\xff" + data[136:])
    with refused(ValueError, r"own\.mat: damaged, .*cut off"):
        load_images("svhn", path)


@pytest.mark.parametrize(
    ("files", "source"),
    [
        (("train/1.png", "train/digitStruct.mat"), "train"),
        (("train/1.png", "train/digitStruct.mat"), "train/digitStruct.mat"),
        (("train/1.png", "train/digitStruct.mat"), "."),
        (("train.tar.gz",), "train.tar.gz"),
        (("test.tar.gz",), "."),
    ],
)
def test_format_1_is_refused_in_words(tmp_path, files, source):
    (tmp_path / "train").mkdir()
    for file in files:
        (tmp_path / file).write_bytes(b"?")
    with refused(ValueError, r"format 1.*32x32 digits.*train_32x32\.mat"):
        load_images("svhn", tmp_path / source)


# ---- an .npz


@pytest.mark.parametrize(
    ("axes", "digits", "kind"),
    [
        ((0, 1, 2, 3), np.arange(20) % 10 + 1, "svhn"),
        ((3, 0, 1, 2), np.arange(20)[:, None] % 10 + 1, "svhn"),
        ((3, 0, 1, 2), np.arange(20) % 10, "own"),
        ((3, 0, 1, 2), np.arange(20) % 12 + 1, "own"),
    ],
)
@pytest.mark.parametrize("keys", ["X y", "images labels"])
def test_npz_is_svhn_with_its_keys_and_digits(tmp_path, axes, digits, kind, keys):
    pictures = np.broadcast_to(np.ravel(digits).astype(np.uint8), (32, 32, 3, 20)).transpose(axes)
    np.savez(tmp_path / "own.npz", **dict(zip(keys.split(), (pictures, digits), strict=True)))
    images = load_images("svhn", tmp_path / "own.npz")
    kind = kind if keys == "X y" else "own"
    for part in (images, images.held_out):
        assert part.kind == kind
        names = [int(part.label_names[label] if part.label_names else label) for label in part.labels.tolist()]
        assert names == [int(value) % 10 if kind == "svhn" else int(value) for value in values(part)]


# ---- download


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A folder that torchvision takes for SVHN's host, with small files and their checksums."""
    from torchvision.datasets import SVHN

    folder, entries = write_official(tmp_path / "host"), {}
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        for part in ("train", "test"):
            file = folder / f"{part}_32x32.mat"
            url = f"http://127.0.0.1:{server.server_port}/{file.name}"
            entries[part] = [url, file.name, hashlib.md5(file.read_bytes()).hexdigest()]
        monkeypatch.setattr(SVHN, "split_list", entries)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield folder
        server.shutdown()


def test_download_fetches_train_and_test(tmp_path, host):
    images = load_images("svhn", "download", root=tmp_path / "data")
    assert images.name == "SVHN (30 digits and 12 test digits, the official files)"
    assert sorted(file.name for file in (tmp_path / "data/svhn").iterdir()) == ["test_32x32.mat", "train_32x32.mat"]


def test_download_fetches_again_only_what_is_damaged(tmp_path, host):
    load_images("svhn", "download", root=tmp_path / "data")
    file = tmp_path / "data/svhn/train_32x32.mat"
    file.write_bytes(file.read_bytes()[:-9])
    (host / "test_32x32.mat").unlink()
    assert len(load_images("svhn", "download", root=tmp_path / "data")) == 30


def test_what_is_not_the_official_file_is_refused(tmp_path, host):
    write_mat(host / "train_32x32.mat", 31)
    with refused(RuntimeError, r"SVHN could not be downloaded: .*corrupted"):
        load_images("svhn", "download", root=tmp_path / "data")


def test_failed_download_names_the_other_ways_and_the_next_may_succeed(tmp_path, host):
    kept = {file: file.read_bytes() for file in host.iterdir()}
    for file in kept:
        file.unlink()
    ways = r'put train_32x32\.mat and test_32x32\.mat into .*/data/svhn, or use source="embedded".*source=PATH'
    with refused(RuntimeError, ways):
        load_images("svhn", "download", root=tmp_path / "data")
    for file, data in kept.items():
        file.write_bytes(data)
    assert len(load_images("svhn", "download", root=tmp_path / "data")) == 30


# ---- genuine crops


def test_10000_genuine_crops_are_read_as_torchvision_reads_them(tmp_path, monkeypatch):
    path = SHARED / "svhn" / "svhn_10k_32x32.mat"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    from torchvision.datasets import SVHN

    (tmp_path / "train_32x32.mat").symlink_to(path)
    monkeypatch.setattr(SVHN, "_check_integrity", lambda self: True)
    theirs = SVHN(tmp_path, split="train")
    images = load_images("svhn", path)
    order = np.random.RandomState(0).permutation(10_000)
    assert np.array_equal(images.held_out.pixels, theirs.data[order[:2000]])
    assert np.array_equal(images.pixels, theirs.data[order[2000:]])
    assert np.array_equal(images.labels, theirs.labels[order[2000:]])

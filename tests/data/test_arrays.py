"""An .npz or .npy: read as what it is, or one clear line, before memory is taken and without unpickling."""

import io
import os
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import SHARED
from infogan_core.data.images import ImageSet
from infogan_core.data.load import load_images
from pictures import as_array, as_sorted_rows, noise, refused

RAMP = np.arange(12, dtype=np.uint8)  # what each picture is full of
FULL = np.broadcast_to(RAMP[:, None, None], (12, 28, 28))
RGB = np.broadcast_to(RAMP[:, None, None, None], (12, 32, 32, 3))
TEST, VAL = FULL[:5] + 100, FULL[:3] + 200


def save(path: Path, **arrays) -> Path:
    np.savez(path, **arrays)
    return path


def full_of(images: ImageSet) -> list[int]:
    """What each picture is full of."""
    assert (images.pixels == images.pixels[:, :1, :1, :1]).all()
    return images.pixels[:, 0, 0, 0].tolist()


# ---- what an array looks like


@pytest.mark.parametrize("shape", [(28, 28), (32, 32), (64, 64), (28, 28, 1), (32, 32, 3), (64, 64, 3)])
def test_bytes_are_kept_as_they_are(tmp_path, shape):
    array = noise(10, *shape)
    images = load_images("mnist", save(tmp_path / "own.npz", images=array))
    assert as_sorted_rows(as_array(images)) == as_sorted_rows(array)
    assert images.pixels.is_contiguous()
    assert images.notes == ()


@pytest.mark.parametrize(
    ("images", "expected", "note"),
    [
        (FULL.astype(np.int64), RAMP, "int64"),
        (FULL.astype(np.float32), RAMP, "float32"),
        (FULL / 255, RAMP, "float64 from 0 to 1"),
        ((FULL / 127.5 - 1).astype(np.float16), RAMP, "float16 from -1 to 1"),
        (FULL % 2, RAMP % 2 * 255, "uint8 from 0 to 1"),
        (FULL % 2 == 1, RAMP % 2 * 255, "bool from 0 to 1"),
        (RGB.transpose(0, 3, 1, 2), RAMP, "NCHW"),
        (FULL[:, None], RAMP, "NCHW"),
        (RGB.transpose(1, 2, 3, 0), RAMP, "last axis"),
        (FULL.reshape(12, 784), RAMP, "rows of 784 pixels"),
    ],
)
@pytest.mark.parametrize("suffix", ["npz", "npy"])
def test_other_forms_are_converted_and_that_is_said(tmp_path, images, expected, note, suffix):
    path = tmp_path / f"own.{suffix}"
    save(path, images=images) if suffix == "npz" else np.save(path, images)
    read = load_images("mnist", path)
    assert sorted(full_of(read) + full_of(read.held_out)) == sorted(expected.tolist())
    assert note in " ".join(read.notes)


@pytest.mark.parametrize(
    ("labels", "expected", "names"),
    [
        (RAMP, RAMP, ()),
        (RAMP[:, None], RAMP, ()),
        (RAMP.astype(">u8"), RAMP, ()),
        (RAMP.astype(np.float32), RAMP, ()),
        (RAMP % 2 == 1, RAMP % 2, ()),
        (np.where(RAMP % 2, 7, 3), RAMP % 2, ("3", "7")),
        (RAMP % 3 - np.int64(1), RAMP % 3, ("-1", "0", "1")),
        (np.where(RAMP % 2, 10**12, 5), RAMP % 2, ("5", "1000000000000")),
        (np.where(RAMP % 2, "10", "9"), RAMP % 2, ("9", "10")),
        (np.where(RAMP % 2, b"dog", b"cat"), RAMP % 2, ("cat", "dog")),
    ],
)
def test_labels_keep_their_values_as_names(tmp_path, labels, expected, names):
    images = load_images("mnist", save(tmp_path / "own.npz", images=FULL, labels=labels))
    for part in (images, images.held_out):
        assert part.labels.tolist() == expected[full_of(part)].tolist()
        assert part.label_names == names


# ---- whose keys are known


@pytest.mark.parametrize(
    ("arrays", "sizes", "names"),
    [
        ({"images": FULL, "labels": RAMP}, (10, 0, 2), ()),
        ({"X": FULL, "Y": RAMP}, (10, 0, 2), ()),
        ({"arr_0": FULL}, (10, 0, 2), ()),
        ({"x_train": FULL, "y_train": RAMP, "x_test": TEST, "y_test": RAMP[:5]}, (12, 0, 5), ()),
        ({"X_train": FULL, "y_train": RAMP % 2 + 3, "X_test": TEST, "y_test": RAMP[:5] * 0 + 5}, (12, 0, 5), "345"),
        ({"train_images": FULL, "val_images": VAL, "test_images": TEST}, (12, 3, 5), ()),
        ({"train_images": FULL, "train_labels": RAMP[:, None], "val_images": VAL}, (10, 3, 2), ()),
    ],
)
def test_parts_of_well_known_files(tmp_path, arrays, sizes, names):
    images = load_images("mnist", save(tmp_path / "own.npz", **arrays))
    assert tuple(len(part or ()) for part in (images, images.validation, images.held_out)) == sizes
    assert (images.kind, images.label_names) == ("own", tuple(names))
    assert images.notes == ()


def test_all_parts_are_converted_by_one_rule(tmp_path):
    arrays = {"x_train": FULL.astype(np.float32), "x_test": np.ones((4, 28, 28))}
    assert full_of(load_images("mnist", save(tmp_path / "own.npz", **arrays)).held_out) == [1] * 4


def test_dsprites_factors_are_attributes_and_its_pickle_stays_closed(tmp_path):
    classes = np.stack([RAMP * 0, *[RAMP + i for i in range(5)]], axis=1)
    metadata = np.array({"title": Bomb(tmp_path / "unpickled")}, dtype=object)
    arrays = {"metadata": metadata, "imgs": FULL % 2, "latents_classes": classes, "latents_values": classes / 2}
    images = load_images("mnist", save(tmp_path / "dsprites.npz", **arrays))
    assert images.attribute_names == ("shape", "scale", "orientation", "posX", "posY")
    assert torch.equal(images.pixels[:, 0, 0, 0], (images.attributes[:, 0] % 2 * 255).byte())
    assert images.notes[-1] == "Not read: metadata, latents_values."
    assert not (tmp_path / "unpickled").exists()


def test_attributes_stay_with_their_images(tmp_path):
    values = np.arange(12)
    arrays = {"attributes": np.stack([values, -values / 2], axis=1), "attribute_names": np.array(["up", "down"])}
    images = load_images("celeba", save(tmp_path / "own.npz", images=FULL, **arrays))
    assert images.attribute_names == images.held_out.attribute_names == ("up", "down")
    for part in (images, images.held_out):
        value = part.pixels[:, 0, 5, 5].float()
        assert torch.equal(part.attributes, torch.stack([value, -value / 2], dim=1))


@pytest.mark.parametrize(
    ("dataset", "names", "kind"),
    [
        ("celeba", ["Eyeglasses", "Male", "Smiling"], "celeba"),
        ("celeba", ["Male", "Smiling", "tall"], "own"),
        ("mnist", ["Eyeglasses", "Male", "Smiling"], "own"),
    ],
)
def test_an_npz_is_celeba_by_its_attributes_where_celeba_is_loaded(tmp_path, dataset, names, kind):
    arrays = {"images": noise(5, 32, 32, 3), "attributes": np.eye(5, 3), "attribute_names": np.array(names)}
    images = load_images(dataset, save(tmp_path / "a.npz", **arrays))
    assert (images.kind, images.held_out.kind) == (kind, kind)


def test_36000_celeba_faces_keep_their_attributes():
    path = SHARED / "celeba" / "celeba_32_36k.npz"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    images = load_images("celeba", path)
    assert (len(images), len(images.held_out), images.attributes.shape[1]) == (28_800, 7_200, 40)
    assert (images.kind, images.held_out.kind) == ("celeba", "celeba")
    assert 0.05 < images.attributes[:, images.attribute_names.index("Eyeglasses")].mean() < 0.08  # 6.5% of CelebA


# ---- what is held out


@pytest.mark.parametrize(("n", "held_out"), [(2, 1), (9, 1), (10, 2), (60_000, 10_000)])
def test_own_images_hold_out_a_fifth(tmp_path, n, held_out):
    images = load_images("mnist", save(tmp_path / "own.npz", images=np.zeros((n, 28, 28), np.uint8)))
    assert (len(images), len(images.held_out)) == (n - held_out, held_out)


def test_own_images_are_split_the_same_way_again(tmp_path):
    path = save(tmp_path / "own.npz", images=noise(10, 28, 28))
    torch.manual_seed(1)
    first = load_images("mnist", path)
    torch.manual_seed(2)
    assert load_images("mnist", path).sha256 == first.sha256


def test_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    save(tmp_path / "own.npz", images=noise(5, 28, 28))
    assert load_images("mnist", "~/own.npz").name == "own images (5 from own.npz)"


# ---- what is refused


class Bomb:
    """Unpickled, it makes a folder."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


FEW = noise(4, 28, 28)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": FEW, "y": np.arange(4)}, "needs an array named 'images' .*found pictures, y"),
        ({}, "found no arrays"),
        ({"images": FEW - 300.0}, "images must be in .*0..1 or -1..1, found float64 from -300 to"),
        ({"images": FEW * 257.0}, "images must be in .*found float64"),
        ({"images": FEW.astype(np.float32) + 0.5}, "images .*found float32 from 0.5 to 255.5"),
        ({"images": FEW / 2}, "must be whole numbers.*float64; round"),
        ({"images": np.full((4, 28, 28), np.nan)}, "found float64 from nan to nan"),
        ({"images": np.where(FEW.max() == FEW, np.inf, 0.5)}, "found float64 from 0.5 to inf"),
        ({"images": FEW.astype(complex)}, "must be numbers, found complex128"),
        ({"images": np.full((4, 28, 28), "a")}, "must be numbers, found <U1"),
        ({"images": noise(28, 28)}, r"images must be .*found \(28, 28\)"),
        ({"images": noise(4, 28, 32)}, r"28x28, 32x32, 64x64.*found \(4, 28, 32\)"),
        ({"images": noise(4, 48, 48, 3)}, r"28x28, 32x32, 64x64.*found \(4, 48, 48, 3\)"),
        ({"images": noise(4, 28, 28, 2)}, r"C 1 or 3.*found \(4, 28, 28, 2\)"),
        ({"images": noise(0, 28, 28)}, "holds 0 images"),
        ({"images": noise(1, 28, 28)}, "holds 1 images"),
        ({"x_train": FEW, "x_test": noise(0, 28, 28)}, "holds 0 images"),
        ({"x_train": FEW, "x_test": noise(4, 32, 32)}, "all pictures must have one size"),
        ({"images": FEW, "labels": np.arange(3)}, r"labels must be whole numbers \[4\].*\[3\]"),
        ({"images": FEW, "labels": np.eye(4, dtype=int)}, r"labels must be whole numbers \[4\].*4, 4.*one-hot"),
        ({"images": FEW, "labels": np.full(4, 1.5)}, "labels must be whole numbers.*float64"),
        ({"images": FEW, "labels": np.full(4, 2**63, np.uint64)}, "labels must be whole numbers.*uint64"),
        ({"images": FEW, "labels": np.full(4, np.nan)}, "labels must be whole numbers.*float64"),
        ({"images": FEW, "labels": np.full(4, 1e300)}, "labels must be whole numbers.*float64"),
        ({"images": FEW, "attributes": np.ones((3, 2))}, r"attributes must be numbers \[4, 0\].*\[3, 2\]"),
        ({"images": FEW, "attributes": np.ones(4)}, r"attributes must be numbers \[4, 0\].*\[4\]"),
        ({"images": FEW, "attributes": np.full((4, 1), np.nan), "attribute_names": ["a"]}, "must be finite"),
        ({"images": FEW, "attributes": np.full((4, 1), "a"), "attribute_names": ["a"]}, "must be an array of numbers"),
        ({"images": FEW, "attributes": np.ones((4, 2))}, r"numbers \[4, 0\], one column"),
        ({"images": FEW, "attributes": np.ones((4, 2)), "attribute_names": ["a"]}, r"numbers \[4, 1\], one column"),
    ],
)
def test_npz_that_cannot_be_used(tmp_path, arrays, message):
    with refused(ValueError, rf"own\.npz.*: .*{message}"):
        load_images("mnist", save(tmp_path / "own.npz", **arrays))


@pytest.mark.parametrize("key", ["images", "labels", "attributes", "attribute_names"])
def test_pickled_array_is_refused(tmp_path, key):
    arrays = {"images": FEW, "attributes": np.ones((4, 1)), key: np.array([Bomb(tmp_path / "unpickled")] * 4)}
    with refused(ValueError, r"own\.npz: cannot be read, write plain arrays with np\.savez \(Object arrays"):
        load_images("mnist", save(tmp_path / "own.npz", **arrays))
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:2000] + b"\x00\xff" * 50 + data[2100:],
        lambda data: b"",
        lambda data: b"plain text",
        lambda data: b"PK",
    ],
    ids=["cut off", "bits flipped", "empty", "text", "two letters"],
)
def test_damaged_npz_is_named(tmp_path, damage):
    path = tmp_path / "own.npz"
    np.savez_compressed(path, images=noise(10, 28, 28))
    path.write_bytes(damage(path.read_bytes()))
    with refused(ValueError, r"/own\.npz: cannot be read(?!.*pickle)"):
        load_images("mnist", path)


def test_npy_cut_off_is_named(tmp_path):
    np.save(tmp_path / "own.npy", FEW)
    os.truncate(tmp_path / "own.npy", 2000)
    with refused(ValueError, r"/own\.npy: cannot be read"):
        load_images("mnist", tmp_path / "own.npy")


def test_zip_of_something_else_is_no_npz(tmp_path):
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("images", b"not an array")
    with refused(ValueError, r"/own\.npz: images must be numbers"):
        load_images("mnist", tmp_path / "own.npz")


def header_only(descr: str, shape: tuple[int, ...], n_zeros: int = 0) -> bytes:
    """The first bytes of an .npy, and as many zeros as are asked for."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue() + bytes(n_zeros)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"images": ("|u1", (4000, 28, 28), 4000 * 784)}, "says that it holds"),
        ({"images": ("|u1", (10**9, 64, 64), 0)}, "cannot be read"),
        ({"images": ("|u1", (-2, -28, 28), 1568)}, "cannot be read"),
        ({"images": ("|u1", (2, 28, 28), 1568), "labels": ("<i8", (2, 6 * 10**4), 960_000)}, "labels must be"),
        (
            {
                "images": ("|u1", (2, 28, 28), 1568),
                "attributes": ("<f4", (2, 1), 8),
                "attribute_names": ("<U0", (10**12,), 0),
            },
            "one column per name",
        ),
    ],
)
def test_what_unpacks_to_gigabytes_takes_no_memory(tmp_path, monkeypatch, members, message):
    with zipfile.ZipFile(tmp_path / "own.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, form in members.items():
            archive.writestr(f"{name}.npy", header_only(*form))
    monkeypatch.setattr("infogan_core.data.arrays.SMALL", 1 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with refused(ValueError, rf"own\.npz.*: .*{message}"):
        load_images("mnist", tmp_path / "own.npz")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10  # KiB


def test_npy_whose_header_lies_is_named(tmp_path):
    (tmp_path / "own.npy").write_bytes(header_only("|u1", (10**9, 64, 64), 1568))
    with refused(ValueError, r"/own\.npy: cannot be read"):
        load_images("mnist", tmp_path / "own.npy")


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_packing_that_python_cannot_unpack_in_part_is_refused(tmp_path, packing):
    array = io.BytesIO()
    np.save(array, np.zeros((100, 28, 28, 1), np.uint8))
    with zipfile.ZipFile(tmp_path / "own.npz", "w", packing) as archive:
        archive.writestr("images.npy", array.getvalue())
    with refused(ValueError, "neither stored nor deflated"):
        load_images("mnist", tmp_path / "own.npz")

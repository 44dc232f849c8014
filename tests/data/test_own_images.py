"""Somebody's own images: kept as they are where they fit, one clear line where they do not."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from helpers import SHARED
from infogan_core.data.load import load_images
from pictures import as_array, as_sorted_rows, noise, refused, write_picture

# ---- .npz


@pytest.mark.parametrize("shape", [(28, 28), (32, 32), (64, 64), (28, 28, 1), (32, 32, 3), (64, 64, 3)])
def test_npz_is_kept_whole(tmp_path, shape):
    array = noise(10, *shape)
    np.savez(tmp_path / "own.npz", images=array)
    assert as_sorted_rows(as_array(load_images("mnist", tmp_path / "own.npz"))) == as_sorted_rows(array)


def test_npz_labels_stay_with_their_images(tmp_path):
    labels = np.arange(10, dtype=np.uint8)
    np.savez(tmp_path / "own.npz", images=np.broadcast_to(labels[:, None, None], (10, 28, 28)), labels=labels)
    images = load_images("mnist", tmp_path / "own.npz")
    assert torch.equal(images.pixels[:, 0, 5, 5].long(), images.labels)
    assert torch.equal(images.held_out.pixels[:, 0, 5, 5].long(), images.held_out.labels)


@pytest.mark.parametrize(("n", "held_out"), [(2, 1), (9, 1), (10, 2), (60_000, 10_000)])
def test_own_images_hold_out_a_fifth(tmp_path, n, held_out):
    np.savez(tmp_path / "own.npz", images=np.zeros((n, 28, 28), np.uint8))
    images = load_images("mnist", tmp_path / "own.npz")
    assert (len(images), len(images.held_out)) == (n - held_out, held_out)


def test_own_images_are_split_the_same_way_again(tmp_path):
    np.savez(tmp_path / "own.npz", images=noise(10, 28, 28))
    torch.manual_seed(1)
    first = load_images("mnist", tmp_path / "own.npz")
    torch.manual_seed(2)
    assert load_images("mnist", tmp_path / "own.npz").sha256 == first.sha256


def test_npz_attributes_stay_with_their_images(tmp_path):
    values = np.arange(10)
    arrays = {"images": np.broadcast_to(values.astype(np.uint8)[:, None, None], (10, 28, 28))}
    arrays |= {"attributes": np.stack([values, -values / 2], axis=1), "attribute_names": np.array(["up", "down"])}
    np.savez(tmp_path / "own.npz", **arrays, image_id=values)
    images = load_images("celeba", tmp_path / "own.npz")
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
    np.savez(tmp_path / "a.npz", images=noise(5, 32, 32, 3), attributes=np.eye(5, 3), attribute_names=np.array(names))
    images = load_images(dataset, tmp_path / "a.npz")
    assert (images.kind, images.held_out.kind) == (kind, kind)


def test_npz_without_attributes_has_none(tmp_path):
    np.savez(tmp_path / "own.npz", images=noise(5, 28, 28), attribute_names=np.array(["a"]))
    images = load_images("mnist", tmp_path / "own.npz")
    assert (images.attributes, images.attribute_names) == (None, ())


def test_npz_pixels_are_contiguous(tmp_path):
    np.savez(tmp_path / "own.npz", images=noise(10, 32, 32, 3))
    images = load_images("svhn", tmp_path / "own.npz")
    assert images.pixels.is_contiguous()
    assert images.held_out.pixels.is_contiguous()


def test_36000_celeba_faces_keep_their_attributes():
    path = SHARED / "celeba" / "celeba_32_36k.npz"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    images = load_images("celeba", path)
    assert (len(images), len(images.held_out), images.attributes.shape[1]) == (28_800, 7_200, 40)
    assert (images.kind, images.held_out.kind) == ("celeba", "celeba")
    assert 0.05 < images.attributes[:, images.attribute_names.index("Eyeglasses")].mean() < 0.08  # 6.5% of CelebA


def test_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    np.savez(tmp_path / "own.npz", images=noise(5, 28, 28))
    assert load_images("mnist", "~/own.npz").name == "own images (5 from own.npz)"


class Bomb:
    """Unpickled, it makes a folder."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": noise(4, 28, 28), "y": np.arange(4)}, "needs an array named 'images', found x, y"),
        ({}, "found no arrays"),
        ({"images": np.zeros((4, 28, 28))}, "must be uint8.*float64"),
        ({"images": noise(28, 28)}, r"images must be .*found \(28, 28\)"),
        ({"images": noise(4, 1, 28, 28)}, r"images must be .*found \(4, 1, 28, 28\)"),
        ({"images": noise(4, 28, 32)}, r"28x28, 32x32, 64x64.*found \(4, 28, 32\)"),
        ({"images": noise(4, 48, 48, 3)}, r"28x28, 32x32, 64x64.*found \(4, 48, 48, 3\)"),
        ({"images": noise(4, 28, 28, 2)}, r"C 1 or 3.*found \(4, 28, 28, 2\)"),
        ({"images": noise(0, 28, 28)}, "holds 0 images"),
        ({"images": noise(1, 28, 28)}, "holds 1 images"),
        ({"images": noise(4, 28, 28), "labels": np.arange(3)}, r"labels must be whole numbers \[4\].*\[3\]"),
        ({"images": noise(4, 28, 28), "labels": np.eye(4, dtype=int)}, r"labels must be whole numbers \[4\].*4, 4"),
        ({"images": noise(4, 28, 28), "labels": np.ones(4)}, "labels must be whole numbers.*float64"),
        ({"images": noise(4, 28, 28), "labels": np.array(["a"] * 4)}, "labels must be an array of numbers"),
        ({"images": noise(4, 28, 28), "attributes": np.ones((3, 2))}, r"attributes must be numbers \[4, 0\].*\[3, 2\]"),
        ({"images": noise(4, 28, 28), "attributes": np.ones(4)}, r"attributes must be numbers \[4, 0\].*\[4\]"),
        (
            {"images": noise(4, 28, 28), "attributes": np.full((4, 1), np.nan), "attribute_names": ["a"]},
            "must be finite",
        ),
        ({"images": noise(4, 28, 28), "attributes": np.full((4, 2), "a")}, "attributes must be an array of numbers"),
        (
            {"images": noise(4, 28, 28), "attributes": np.ones((4, 2))},
            r"numbers \[4, 0\], one column",
        ),
        (
            {"images": noise(4, 28, 28), "attributes": np.ones((4, 2)), "attribute_names": np.array(["a"])},
            r"attributes must be numbers \[4, 1\], one column",
        ),
    ],
)
def test_npz_that_cannot_be_used(tmp_path, arrays, message):
    np.savez(tmp_path / "own.npz", **arrays)
    with refused(ValueError, rf"own\.npz.*: .*{message}"):
        load_images("mnist", tmp_path / "own.npz")


@pytest.mark.parametrize("key", ["images", "labels", "attributes", "attribute_names"])
def test_pickled_array_is_refused(tmp_path, key):
    arrays = {"images": noise(2, 28, 28), key: np.array([Bomb(tmp_path / "unpickled")] * 2)}
    np.savez(tmp_path / "own.npz", **arrays)
    with refused(ValueError, r"own\.npz: cannot be read, write plain arrays.*Object arrays"):
        load_images("mnist", tmp_path / "own.npz")
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:2000] + b"\x00\xff" * 50 + data[2100:],
        lambda data: b"",
        lambda data: b"plain text",
    ],
    ids=["cut off", "bits flipped", "empty", "text"],
)
def test_damaged_npz_is_named(tmp_path, damage):
    path = tmp_path / "own.npz"
    np.savez_compressed(path, images=noise(10, 28, 28))
    path.write_bytes(damage(path.read_bytes()))
    with refused(ValueError, r"/own\.npz: cannot be read(?!.*pickle)"):
        load_images("mnist", path)


def test_zip_of_something_else_is_no_npz(tmp_path):
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("images", b"not an array")
    with refused(ValueError, r"/own\.npz: images must be uint8"):
        load_images("mnist", tmp_path / "own.npz")


# ---- a folder of pictures


def test_picture_of_the_right_size_is_kept_exactly(tmp_path):
    arrays = noise(3, 28, 28, 3)
    for i, array in enumerate(arrays):
        write_picture(tmp_path / f"{i}.png", array)
    assert as_sorted_rows(as_array(load_images("mnist", tmp_path))) == as_sorted_rows(arrays)


def test_picture_is_cropped_to_its_central_square(tmp_path):
    array = np.zeros((56, 156), np.uint8)
    array[:, 50:106] = 200  # the central square
    for i in range(2):
        write_picture(tmp_path / f"{i}.png", array)
    assert as_array(load_images("mnist", tmp_path)).min() > 180  # PIL's filter reaches a little beyond the edge


@pytest.mark.parametrize("size", [28, 32, 64])
def test_pictures_of_any_size_are_brought_to_one(tmp_path, size):
    for i, shape in enumerate([(10, 20), (300, 40), (1, 1)]):
        write_picture(tmp_path / f"{i}.png", noise(*shape))
    assert load_images("mnist", tmp_path, size=size).pixels.shape == (2, 1, size, size)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".bmp", ".gif", ".webp"])
def test_picture_formats(tmp_path, suffix):
    for i in range(2):
        write_picture(tmp_path / f"{i}{suffix}", np.full((40, 40, 3), 90, np.uint8))
    assert np.abs(as_array(load_images("mnist", tmp_path)).astype(int) - 90).max() <= 1


def test_grey_stored_as_rgb_is_grey(tmp_path):
    for i in range(2):
        write_picture(tmp_path / f"{i}.png", np.repeat(noise(28, 28, 1), 3, axis=2))
    assert load_images("mnist", tmp_path).channels == 1


def test_one_colour_picture_makes_the_set_rgb(tmp_path):
    write_picture(tmp_path / "grey.png", noise(28, 28))
    write_picture(tmp_path / "colour.png", noise(28, 28, 3))
    assert load_images("mnist", tmp_path).channels == 3


def test_16_bit_grey_keeps_its_range(tmp_path):
    for i in range(2):
        write_picture(tmp_path / f"{i}.png", np.full((28, 28), 100 * 256, np.uint16))
    assert (as_array(load_images("mnist", tmp_path)) == 100).all()


def test_transparent_is_white(tmp_path):
    for i in range(2):
        write_picture(tmp_path / f"{i}.png", np.zeros((28, 28, 4), np.uint8))
    assert (as_array(load_images("mnist", tmp_path)) == 255).all()


def test_picture_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3  # orientation: upside down
    array = np.zeros((28, 28), np.uint8)
    array[:14] = 255
    for i in range(2):
        write_picture(tmp_path / f"{i}.png", array, exif=exif)
    assert (as_array(load_images("mnist", tmp_path))[:, 14:] == 255).all()


def test_subfolders_become_labels(tmp_path):
    for label, name in enumerate(["cat", "dog"]):
        for i in range(5):
            write_picture(tmp_path / name / f"{i}.png", np.full((28, 28), label, np.uint8))
    images = load_images("mnist", tmp_path)
    assert torch.equal(images.pixels[:, 0, 0, 0].long(), images.labels)


@pytest.mark.parametrize("names", ["a/0.png 1.png", "a/0.png a/1.png", "a/0.png b/x/1.png"])
def test_other_folders_give_no_labels(tmp_path, names):
    for name in names.split():
        write_picture(tmp_path / name, noise(28, 28))
    assert load_images("mnist", tmp_path).labels is None


def test_hidden_files_are_no_pictures(tmp_path):
    for name in ("0.png", "1.png", ".ipynb_checkpoints/1.png"):
        write_picture(tmp_path / name, noise(28, 28))
    (tmp_path / "._0.png").write_bytes(b"what macOS leaves beside a picture")
    images = load_images("mnist", tmp_path)
    assert len(images) + len(images.held_out) == 2


def test_folder_without_pictures(tmp_path):
    (tmp_path / "notes.txt").write_text("none here")
    with refused(ValueError, rf"{tmp_path}: holds no pictures \(\.png"):
        load_images("mnist", tmp_path)


def test_folder_with_one_picture(tmp_path):
    write_picture(tmp_path / "0.png", noise(28, 28))
    with refused(ValueError, r"holds 1 images"):
        load_images("mnist", tmp_path)


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:200], lambda data: b"", lambda data: b"P5 1 1 255\n\x00"],
    ids=["cut off", "empty", "of another kind"],
)
def test_picture_that_does_not_decode_is_named(tmp_path, damage):
    write_picture(tmp_path / "a" / "good.png", noise(28, 28))
    bad = write_picture(tmp_path / "b" / "bad.png", noise(28, 28))
    bad.write_bytes(damage(bad.read_bytes()))
    with refused(ValueError, f"{bad}: does not decode .*skip_bad=True .make: SKIP_BAD=True; a command: --skip-bad"):
        load_images("mnist", tmp_path)


def test_picture_that_does_not_decode_is_skipped_and_counted(tmp_path):
    for i in range(4):
        write_picture(tmp_path / "ab"[i % 2] / f"{i}.png", np.full((28, 28), i % 2, np.uint8))
    (tmp_path / "a" / "bad.png").write_bytes(b"")
    images = load_images("mnist", tmp_path, skip_bad=True)
    assert images.name == f"own images (4 from {tmp_path.name}, 1 bad pictures skipped)"
    assert torch.equal(images.pixels[:, 0, 0, 0].long(), images.labels)


def test_folder_whose_pictures_are_all_bad(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    with refused(ValueError, r"1 bad pictures skipped: holds 0 images"):
        load_images("mnist", tmp_path, skip_bad=True)


def test_decompression_bomb_does_not_decode(tmp_path, monkeypatch):
    path = write_picture(tmp_path / "bomb.png", noise(28, 28))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with refused(ValueError, f"{path}: does not decode.*decompression bomb"):
        load_images("mnist", tmp_path)

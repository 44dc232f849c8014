"""Somebody's own images: kept as they are where they fit, one clear line where they do not."""

import numpy as np
import pytest
import torch
from PIL import Image

from infogan_core.data.load import load_images
from pictures import as_array, as_sorted_rows, noise, refused, write_picture

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

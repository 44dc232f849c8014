"""Somebody's own images: kept as they are where they fit, one clear line where they do not."""

import os

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from infogan_core.data import cache
from infogan_core.data.load import load_images
from pictures import as_array, as_sorted_rows, large_png, noise, refused, write_picture

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


@pytest.mark.parametrize(
    "names", ["a/0.png 1.png", "a/0.png a/1.png", "a/0.png b/x/1.png", "a/0.png b/0.png 1.png 2.png"]
)
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
    [lambda data: data[:200], lambda data: b"", lambda data: b"%PDF-1.7"],
    ids=["cut off", "empty", "of another kind"],
)
def test_picture_that_does_not_decode_is_named(tmp_path, damage):
    write_picture(tmp_path / "a" / "good.png", noise(28, 28))
    bad = write_picture(tmp_path / "b" / "bad.png", noise(28, 28))
    bad.write_bytes(damage(bad.read_bytes()))
    with refused(ValueError, f"{bad}: cannot be used .*skip_bad=True .make: SKIP_BAD=True; a command: --skip-bad"):
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


@pytest.mark.parametrize("bits", [1, 16])
@pytest.mark.parametrize("side", [13_000, 14_000])  # Pillow itself refuses the second
def test_small_file_of_too_many_pixels_is_refused_by_its_header(tmp_path, monkeypatch, bits, side):
    path = tmp_path / "bomb.png"
    path.write_bytes(large_png(side, bits))
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decodes"))
    with refused(ValueError, f"{path}: .*header promises more than"):
        load_images("mnist", tmp_path)


# ---- folders as people have them


def make_folder(folder, names):
    """A grey picture per name, each a step lighter than the one before."""
    for i, name in enumerate(names.split()):
        write_picture(folder / name, np.full((28, 28), i, np.uint8))
    return folder


@pytest.mark.parametrize("suffix", [".tif", ".jfif", ".ppm", ".tga", ".avif"])
def test_every_suffix_that_pillow_reads_is_a_picture(tmp_path, suffix):
    for name in [f"{i}{suffix}" for i in range(8)] + ["8.png", "9.png"]:
        write_picture(tmp_path / name, np.full((28, 28, 3), 90, np.uint8))
    images = load_images("mnist", tmp_path)
    assert len(images) + len(images.held_out) == 10


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "RGBA", "I;16", "F"])
def test_every_mode_is_read(tmp_path, mode):
    for name in ("a.tif", "b.tif"):
        Image.new("L", (28, 28), 255).convert(mode).save(tmp_path / name)
    assert (as_array(load_images("mnist", tmp_path)) == 255).all()


def test_first_picture_of_an_animation_is_taken(tmp_path):
    frames = [Image.new("L", (28, 28), value) for value in (50, 200)]
    for i in range(2):
        frames[0].save(tmp_path / f"{i}.gif", save_all=True, append_images=frames[1:])
    assert (as_array(load_images("mnist", tmp_path)) == 50).all()


def test_what_is_passed_over_is_counted_by_suffix(tmp_path):
    make_folder(tmp_path, "0.png 1.png")
    for name in ("a.txt", "b.txt", "c.pdf", "README"):
        (tmp_path / name).write_text("words")
    assert load_images("mnist", tmp_path).notes == ("Passed over: 2 .txt, 1 .pdf, 1 without a suffix.",)


@pytest.mark.parametrize("last", ["test", "Test", "val", "validation"])
def test_folder_beside_train_is_held_out(tmp_path, last):
    make_folder(tmp_path, f"train/2/a.png train/10/a.png train/2/b.png {last}/10/a.png {last}/2/a.png")
    images = load_images("mnist", tmp_path)
    assert (len(images), len(images.held_out), images.label_names) == (3, 2, ("2", "10"))
    assert sorted(images.labels.tolist()) == [0, 0, 1]
    assert sorted(images.held_out.labels.tolist()) == [0, 1]


def test_validation_is_apart_where_there_is_a_test(tmp_path):
    images = load_images("mnist", make_folder(tmp_path, "train/a.png train/b.png val/a.png test/a.png test/b.png"))
    assert (len(images), len(images.validation), len(images.held_out), images.labels) == (2, 1, 2, None)


def test_folders_that_all_pictures_are_in_do_not_count(tmp_path):
    make_folder(tmp_path / "mine" / "train", "cat/a.png cat/b.png dog/a.png")
    images = load_images("mnist", tmp_path)
    assert (len(images), len(images.held_out), images.label_names) == (2, 1, ("cat", "dog"))


def test_class_without_training_pictures_is_said(tmp_path):
    images = load_images("mnist", make_folder(tmp_path, "train/2/a.png train/3/b.png test/2/a.png test/5/a.png"))
    assert (images.label_names, images.notes) == (("2", "3", "5"), ("No pictures to train on: 5.",))


def test_names_of_classes_stay_as_they_are(tmp_path):
    images = load_images("mnist", make_folder(tmp_path, "10/a.png 3/a.png 7/a.png 3/b.png 10/b.png"))
    assert images.label_names == ("3", "7", "10")


@pytest.mark.parametrize("stray", ["stray.png", "dog/old/stray.png"])
def test_stray_picture_is_left_out_and_said(tmp_path, stray):
    images = load_images("mnist", make_folder(tmp_path, f"cat/a.png cat/b.png dog/a.png dog/b.png {stray}"))
    assert len(images) + len(images.held_out) == 4
    assert images.label_names == ("cat", "dog")
    assert images.notes == ("Passed over: 1 pictures outside the folders of the classes.",)


def test_folders_that_are_no_classes_are_said(tmp_path):
    images = load_images("mnist", make_folder(tmp_path, "cat/a.png cat/old/b.png dog/old/a.png"))
    assert images.labels is None
    assert "no classes" in images.notes[0]


def test_names_that_are_not_utf_8_appear_in_messages_and_notes(tmp_path):
    names = [os.fsdecode(name) for name in (b"caf\xe9/a.png", b"caf\xe9/b.png", b"dog/a.png", b"dog/b.png", b"x.\xe9")]
    make_folder(tmp_path, " ".join(names[:-1]))
    (tmp_path / names[-1]).touch()
    images = load_images("mnist", tmp_path)
    assert images.label_names == ("caf\\udce9", "dog")
    assert images.notes == ("Passed over: 1 .\\udce9.",)
    (tmp_path / names[0]).write_bytes(b"")
    with refused(ValueError, r"caf\\udce9/a\.png: cannot be used"):
        load_images("mnist", tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_not_called_damaged(tmp_path):
    make_folder(tmp_path, "a.png b.png c.png away/a.png")
    (tmp_path / "away").chmod(0)
    assert load_images("mnist", tmp_path).notes == ("Passed over: 1 folders unread.",)
    (tmp_path / "a.png").chmod(0)
    with refused(ValueError, r"a\.png: cannot be read \(Permission denied\)"):
        load_images("mnist", tmp_path)
    (tmp_path / "away").chmod(0o700)


@pytest.fixture
def four_are_many(monkeypatch):
    monkeypatch.setattr(cache, "MANY", 4)


def test_few_pictures_are_not_kept(tmp_path):
    load_images("mnist", make_folder(tmp_path / "mine", "a.png b.png c.png"), root=tmp_path / "root")
    assert not (tmp_path / "root").exists()


def test_many_pictures_are_kept_until_one_changes(tmp_path, four_are_many, monkeypatch):
    mine = make_folder(tmp_path / "mine", "cat/a.png cat/b.png cat/c.png dog/a.png")
    write_picture(mine / "dog" / "b.png", np.full((28, 28), 4_000, np.uint16))
    (mine / "dog" / "c.png").write_bytes(b"")
    first = load_images("mnist", mine, root=tmp_path / "root", skip_bad=True)
    with monkeypatch.context() as patched:
        patched.setattr(Image, "open", lambda *args, **options: pytest.fail("opens again"))
        second = load_images("mnist", mine, root=tmp_path / "root", skip_bad=True)
    assert "1 bad" in first.name
    assert "4,000" in first.notes[0]
    for field in ("sha256", "name", "notes", "label_names"):
        assert getattr(second, field) == getattr(first, field)
    assert torch.equal(first.labels, second.labels)
    write_picture(mine / "dog" / "c.png", np.zeros((28, 28), np.uint8))
    assert "bad" not in load_images("mnist", mine, root=tmp_path / "root", skip_bad=True).name


def test_folders_of_one_name_have_caches_of_their_own(tmp_path, four_are_many):
    for name in "ab":
        load_images("mnist", make_folder(tmp_path / name / "mine", "a.png b.png c.png d.png"), root=tmp_path / "root")
    assert len(list((tmp_path / "root").rglob("*.pixels"))) == 2


def test_links_are_followed_once_and_pipes_never_opened(tmp_path):
    away, folder = make_folder(tmp_path / "away", "a.png b.png"), make_folder(tmp_path / "mine", "cat/a.png cat/b.png")
    (folder / "dog").symlink_to(away)
    (folder / "cat" / "loop").symlink_to(folder)
    (folder / "cat" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(folder / "cat" / "pipe.png")
    images = load_images("mnist", folder)
    assert len(images) + len(images.held_out) == 4
    assert images.label_names == ("cat", "dog")
    assert images.notes == ("Passed over: 2 links to nothing, pipes and devices.",)


@pytest.mark.parametrize(("ink", "ground"), [(255, 0), (0, 255)])
def test_ink_on_a_transparent_ground_is_seen(tmp_path, ink, ground):
    rgba = np.full((28, 28, 4), ink, np.uint8)
    rgba[..., 3] = 0
    rgba[8:20, 8:20, 3] = 255
    for i in range(2):
        write_picture(tmp_path / f"{i}.png", rgba)
    pixels = as_array(load_images("mnist", tmp_path))
    assert (pixels[:, 0, 0] == ground).all()
    assert (pixels[:, 14, 14] == ink).all()


def test_16_bit_pictures_that_use_12_are_stretched_by_the_range_of_the_set(tmp_path):
    for i, value in enumerate([4_000, 2_000]):
        write_picture(tmp_path / f"{i}.png", np.full((28, 28), value, np.uint16))
    images = load_images("mnist", tmp_path)
    assert sorted([images.pixels.max().item(), images.held_out.pixels.max().item()]) == [128, 255]
    assert "4,000" in images.notes[0]

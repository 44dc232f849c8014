"""load_images: what it takes, and one clear line for everything else."""

import numpy as np
import pytest

from infogan_core.data import svhn
from infogan_core.data.celeba import faces
from infogan_core.data.load import DATASETS, load_images
from infogan_core.data.rendered import faces as rendered_faces
from infogan_core.data.rendered import house_numbers
from pictures import noise, refused, write_picture


@pytest.mark.parametrize("name", ["cifar", "MNIST", None])
def test_unknown_dataset_names_the_known(name):
    with refused(ValueError, r"unknown dataset .*choose from 'mnist', 'svhn', 'celeba'"):
        load_images(name)


@pytest.mark.parametrize("source", ["embeded", "no/such/folder"])
def test_missing_path_lists_the_words_too(source):
    with refused(FileNotFoundError, f'{source}.*"embedded".*"download"'):
        load_images("mnist", source)


@pytest.mark.parametrize("source", ["", None, 3])
def test_source_of_another_type(source):
    with refused(ValueError, r'"embedded", "download".* or a path.*found'):
        load_images("mnist", source)


@pytest.mark.parametrize("size", [0, 48, "28"])
def test_size_the_networks_do_not_take(size):
    with refused(ValueError, r"size must be 28, 32 or 64"):
        load_images("mnist", size=size)


@pytest.mark.parametrize("name", ["digits.mat", "digit.png", "digits.idx3"])
def test_file_of_another_kind(tmp_path, name):
    (tmp_path / name).write_bytes(b"?")
    with refused(ValueError, rf"/{name}: cannot be used; give an \.npz or \.npy, or a folder"):
        load_images("mnist", tmp_path / name)


@pytest.mark.parametrize("dataset", DATASETS)
def test_own_pictures_train_with_every_dataset(tmp_path, dataset):
    for i in range(5):
        write_picture(tmp_path / f"{i}.png", noise(40, 50, 3))
    images = load_images(dataset, tmp_path)
    assert (images.size, images.channels) == (DATASETS[dataset].sizes[0], 3)
    assert (images.kind, images.name) == ("own", f"own images (5 from {tmp_path.name})")


@pytest.mark.parametrize(
    ("dataset", "size", "found"),
    [("mnist", 32, "28x28"), ("svhn", 64, "32x32"), ("svhn", 28, "32x32"), ("celeba", 28, "32x32 or 64x64")],
)
def test_embedded_pictures_of_another_size_are_refused_at_once(monkeypatch, dataset, size, found):
    monkeypatch.setattr(house_numbers, "house_numbers", lambda *args, **options: pytest.fail("renders"))
    monkeypatch.setattr(rendered_faces, "faces", lambda *args, **options: pytest.fail("renders"))
    with refused(ValueError, rf'{dataset} from "embedded" are {found} and come in no other .*size={size}'):
        load_images(dataset, size=size)


@pytest.mark.parametrize("dataset", DATASETS)
def test_an_npz_is_taken_as_it_is_whatever_size_the_profile_has(tmp_path, dataset):
    np.savez(tmp_path / "own.npz", images=noise(5, 64, 64))
    for size in (None, 32, 64):
        assert load_images(dataset, tmp_path / "own.npz", size=size).size == 64


@pytest.mark.parametrize("dataset", ["svhn", "celeba"])
def test_sprites_are_mnists(dataset):
    with refused(FileNotFoundError, 'file or folder: dsprites; source must be "embedded", "download" or a path'):
        load_images(dataset, "dsprites")


@pytest.mark.parametrize("dataset", ["mnist", "svhn"])
def test_crop_is_for_celeba(dataset):
    with refused(ValueError, r"crop is for CelebA's aligned pictures.*\(89, 121, 100\)"):
        load_images(dataset, crop=(89, 121, 100))


@pytest.mark.parametrize(("dataset", "factor"), [("svhn", "digit"), ("celeba", "azimuth")])
def test_embedded_stand_ins_are_rendered_and_say_so(tmp_path, monkeypatch, dataset, factor):
    monkeypatch.setattr({"svhn": svhn, "celeba": faces}[dataset], "RENDERED", 50)
    images = load_images(dataset, root=tmp_path / "data")
    assert images.pixels.shape == (45, 3, 32, 32)
    assert len(images.held_out) == 5
    assert factor in images.attribute_names
    assert "rendered" in images.stand_in_note
    assert (images.kind, images.held_out.kind, images.stand_in) == (dataset, dataset, True)
    assert images.held_out.stand_in_note == images.stand_in_note
    assert list(tmp_path.iterdir()) == []

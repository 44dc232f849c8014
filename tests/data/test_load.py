"""load_images: what it takes, and one clear line for everything else."""

import pytest

from infogan_core.data import svhn
from infogan_core.data.celeba import faces
from infogan_core.data.load import DATASETS, load_images
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
    with refused(ValueError, r'"embedded", "download" or a path.*found'):
        load_images("mnist", source)


@pytest.mark.parametrize("size", [0, 48, "28"])
def test_size_the_networks_do_not_take(size):
    with refused(ValueError, r"size must be 28, 32 or 64"):
        load_images("mnist", size=size)


@pytest.mark.parametrize("name", ["digits.mat", "digit.png", "train-images-idx3-ubyte"])
def test_file_of_another_kind(tmp_path, name):
    (tmp_path / name).write_bytes(b"?")
    with refused(ValueError, rf"/{name}: cannot be used; give an \.npz, or a folder"):
        load_images("mnist", tmp_path / name)


@pytest.mark.parametrize("dataset", DATASETS)
def test_own_pictures_train_with_every_dataset(tmp_path, dataset):
    for i in range(5):
        write_picture(tmp_path / f"{i}.png", noise(40, 50, 3))
    images = load_images(dataset, tmp_path)
    assert (images.size, images.channels) == (DATASETS[dataset][1], 3)
    assert images.name == f"own images (5 from {tmp_path.name})"


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
    assert images.held_out.stand_in_note == images.stand_in_note
    assert list(tmp_path.iterdir()) == []

"""What cannot be read or downloaded: one line, and nothing waited for."""

import os

import pytest

from infogan_core.data.load import load_images
from infogan_core.data.reading import downloading
from pictures import refused


def test_download_that_fails_says_what_to_do_instead():
    with (
        refused(RuntimeError, r"^toys could not be downloaded: use another \(no network\)$"),
        downloading("toys", "use another"),
    ):
        raise OSError("no\nnetwork")
    with pytest.raises(KeyboardInterrupt), downloading("toys", "use another"):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("mnist", "a.npz"),
        ("celeba", "a.npy"),
        ("svhn", "a.mat"),
        ("celeba", "a.zip"),
        ("mnist", "a.zip"),
        ("mnist", "train-images-idx3-ubyte"),
        ("mnist", "a.png"),
    ],
)
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["FIFO", "device"])
def test_only_a_regular_file_is_opened(tmp_path, dataset, name, make):
    make(tmp_path / name)
    with refused(ValueError, f"{tmp_path}/{name}: (is no regular file|cannot be used)"):
        load_images(dataset, tmp_path / name)

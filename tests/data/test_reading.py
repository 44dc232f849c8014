"""What cannot be read or downloaded: one line, nothing waited for, and no empty folders."""

import os

import pytest

from infogan_core.data.load import load_images
from infogan_core.data.reading import downloading
from pictures import refused


@pytest.mark.parametrize("error", [OSError("no\nnetwork"), KeyboardInterrupt()])
def test_only_folders_that_were_made_in_vain_are_removed(tmp_path, error):
    def fail():
        with downloading("toys", tmp_path / "new" / "empty", "use another"):
            (tmp_path / "new" / "empty").mkdir(parents=True)
            (tmp_path / "new" / "kept").touch()
            raise error

    if isinstance(error, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            fail()
    else:
        with refused(RuntimeError, r"^toys could not be downloaded: use another \(no network\)$"):
            fail()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["kept"]


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

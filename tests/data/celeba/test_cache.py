"""CelebA's cache: every picture named, skipped or kept, and a file that is whole or not there."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections import namedtuple

import numpy as np
import pytest

from helpers import ROOT
from infogan_core.data.celeba import cache
from infogan_core.data.celeba.album import open_album
from infogan_core.data.celeba.cache import BLOCK, cache_file, read_cache, write_cache
from pictures import FACE_BOX, blocks, face_files, jpeg, noise, refused, shrunk, write_zip


@pytest.fixture
def faces_zip(tmp_path):
    return write_zip(tmp_path / "celeba.zip", face_files())


def cached(path, root, size=32, box=FACE_BOX, skip_bad=False):
    """The faces of a zip or folder through the cache in `root`."""
    file = cache_file(path, root, box, size)
    if (faces := read_cache(file)) is None:
        with open_album(path) as album:
            faces = write_cache(file, album, box, size, skip_bad)
    return faces


def names(folder):
    """All files below a folder; of those that are called after a checksum the suffix."""
    return sorted(file.suffix or file.name for file in folder.rglob("*") if file.is_file())


CACHE = [".json", ".npy", "lock"]


def not_again(*args):
    pytest.fail("decodes again")


# ---- pictures that cannot be used


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (jpeg(noise(218, 177, 3)), "177x218 pixels, not 178x218"),
        (jpeg(noise(218, 178, 3), "L"), "L, not RGB"),
        (jpeg(noise(218, 178, 3))[:9000], "truncated"),
        (b"?", "no JPEG"),
    ],
    ids=["narrow", "grey", "cut off", "no picture"],
)
def test_picture_that_cannot_be_used_is_named_or_skipped(tmp_path, data, message):
    path = write_zip(tmp_path / "celeba.zip", face_files(below="") | {"000003.jpg": data})
    with refused(ValueError, rf"{path}: 000003\.jpg cannot be used \(.*{message}.*skip_bad=True"):
        cached(path, tmp_path / "root")
    assert names(tmp_path / "root") == ["lock"]
    faces = cached(path, tmp_path / "root", skip_bad=True)
    assert faces.numbers.tolist() == [1, 2, *range(4, 11)]
    assert np.array_equal(faces.pixels[2], shrunk(4))
    assert (faces.skipped, "000003.jpg cannot be used" in faces.first_bad) == (1, True)


def test_bad_pictures_are_skipped_in_every_chunk(tmp_path):
    good, n = jpeg(blocks(0)), 2 * BLOCK + 50
    pictures = {f"{number:06d}.jpg": b"?" if number % 100 == 0 else good for number in range(n)}
    faces = cached(write_zip(tmp_path / "celeba.zip", pictures), tmp_path / "root", skip_bad=True)
    assert faces.numbers.tolist() == [number for number in range(n) if number % 100]
    assert (faces.pixels == shrunk(0)).all()
    assert faces.skipped == 21


def test_stray_is_named_or_skipped(tmp_path):
    path = write_zip(tmp_path / "celeba.zip", face_files() | {"face.jpg": jpeg(blocks(0))})
    with refused(ValueError, rf"{path}: face\.jpg is not named like 000001\.jpg, or is there twice"):
        cached(path, tmp_path / "root")
    faces = cached(path, tmp_path / "root", skip_bad=True)
    assert (len(faces.numbers), faces.skipped) == (10, 1)


def test_zip_whose_faces_are_nearly_all_bad(tmp_path):
    path = write_zip(tmp_path / "celeba.zip", face_files() | dict.fromkeys(face_files(range(2, 11)), b"?"))
    with refused(ValueError, "9 bad pictures skipped: holds 1 images"):
        cached(path, tmp_path / "root", skip_bad=True)
    assert names(tmp_path / "root") == ["lock"]


# ---- the cache file


def test_pixels_and_numbers_come_back_as_they_went_in(tmp_path, faces_zip):
    faces = cached(faces_zip, tmp_path / "root")
    assert np.array_equal(faces.pixels, [shrunk(number) for number in range(1, 11)])
    assert faces.numbers.tolist() == list(range(1, 11))
    assert faces.skipped == 0


def test_second_start_decodes_nothing(tmp_path, faces_zip, monkeypatch):
    first = cached(faces_zip, tmp_path / "root")
    monkeypatch.setattr(cache, "shrink", not_again)
    monkeypatch.setattr(zipfile, "ZipFile", not_again)
    again = cached(faces_zip, tmp_path / "root")
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.numbers, again.numbers)


def test_it_is_an_npy_and_a_json_and_nothing_else(tmp_path, faces_zip):
    cached(faces_zip, tmp_path / "root")
    assert names(tmp_path / "root") == CACHE
    assert np.load(next(tmp_path.rglob("*.npy")), allow_pickle=False).shape == (10, 3, 32, 32)


def test_progress_is_shown_on_stderr_and_only_while_decoding(tmp_path, faces_zip, capfd):
    cached(faces_zip, tmp_path / "root")
    out, err = capfd.readouterr()
    assert out == ""
    assert "celeba.zip to 32x32: 100%" in err
    assert "10/10" in err
    cached(faces_zip, tmp_path / "root")
    assert capfd.readouterr().err == ""


def test_writing_into_the_pixels_does_not_reach_the_file(tmp_path, faces_zip):
    cached(faces_zip, tmp_path / "root").pixels[:] = 0
    assert cached(faces_zip, tmp_path / "root").pixels.any()


@pytest.mark.parametrize("suffix", [".npy", ".json"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:20],
        lambda data: b"",
        lambda data: bytes(len(data)),
        lambda data: b"[1]",
        lambda data: b"\xff" * len(data),
        lambda data: b"PK\x03\x04" + data[4:],
        None,
    ],
    ids=["cut", "in its header", "empty", "zeros", "other JSON", "ones", "a zip", "gone"],
)
def test_damaged_cache_is_made_again(tmp_path, faces_zip, suffix, damage):
    pixels = cached(faces_zip, tmp_path / "root").pixels.copy()
    file = next(tmp_path.rglob(f"*{suffix}"))
    whole = file.read_bytes()
    if damage:
        file.write_bytes(damage(whole))
    else:
        file.unlink()
    assert np.array_equal(cached(faces_zip, tmp_path / "root").pixels, pixels)
    assert file.read_bytes() == whole


def test_notes_of_other_pixels_are_not_taken(tmp_path, faces_zip):
    cached(faces_zip, tmp_path / "root")
    file = next(tmp_path.rglob("*.json"))
    file.write_text(json.dumps(json.loads(file.read_text()) | {"numbers": [1, 2]}))
    assert cached(faces_zip, tmp_path / "root").numbers.tolist() == list(range(1, 11))


@pytest.mark.parametrize("change", [{"size": 64}, {"box": (26, 57, 154, 185)}, {"box": (41, 73, 137, 169)}])
def test_cache_of_other_settings_is_another(tmp_path, faces_zip, change):
    cached(faces_zip, tmp_path / "root")
    again, fresh = cached(faces_zip, tmp_path / "root", **change), cached(faces_zip, tmp_path / "fresh", **change)
    assert np.array_equal(again.pixels, fresh.pixels)


def test_cache_of_a_zip_that_changed_is_made_again_and_the_old_one_goes(tmp_path, faces_zip):
    cached(faces_zip, tmp_path / "root")
    write_zip(faces_zip, face_files(range(11, 21)))
    assert cached(faces_zip, tmp_path / "root").numbers.tolist() == list(range(11, 21))
    assert names(tmp_path / "root") == CACHE
    os.utime(faces_zip, ns=(0, 0))
    assert read_cache(cache_file(faces_zip, tmp_path / "root", FACE_BOX, 32)) is None


def test_cache_of_a_folder_that_changed_is_made_again(tmp_path):
    def file():
        return cache_file(tmp_path, tmp_path / "root", FACE_BOX, 32)

    for name, data in face_files(below="").items():
        (tmp_path / name).write_bytes(data)
    first = file()
    (tmp_path / "000001.jpg").rename(tmp_path / "000020.jpg")
    renamed = file()
    (tmp_path / "000002.jpg").write_bytes(jpeg(blocks(2)))  # repaired: the folder's own time stays
    assert len({first, renamed, file()}) == 3


def test_full_disk_is_noticed_before_anything_is_written(tmp_path, faces_zip, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(1 << 30, 1 << 30, 30_000))
    with refused(OSError, r"root='.*/root': 0 MiB free, 0 MiB needed; make room or choose another root"):
        cached(faces_zip, tmp_path / "root")
    assert not (tmp_path / "root").exists()


def test_disk_that_fills_up_leaves_nothing(tmp_path, faces_zip):
    """The system itself refuses bytes beyond the 20,000th."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with refused(OSError, r"untouched: '.*/root/.*\.npy'"):
            cached(faces_zip, tmp_path / "root", size=64)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path / "root") == ["lock"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_interrupted_leaves_nothing_and_no_thread(tmp_path, faces_zip, monkeypatch, error):
    def interrupted(*args):
        raise error

    monkeypatch.setattr(cache, "_face", interrupted)
    threads = threading.active_count()
    with pytest.raises(error):
        cached(faces_zip, tmp_path / "root")
    assert names(tmp_path / "root") == ["lock"]
    assert threading.active_count() <= threads + 1  # tqdm's monitor stays


SLOWLY = """
import sys, time
from pathlib import Path
from infogan_core.data.celeba import cache
from infogan_core.data.celeba.album import open_album

def shrink(*args, whole=cache.shrink):
    Path(sys.argv[2]).touch()
    time.sleep(float(sys.argv[3]))
    return whole(*args)

cache.shrink = shrink
path, box = Path(sys.argv[1]), (25, 57, 153, 185)
with open_album(path) as album:
    cache.write_cache(cache.cache_file(path, path.parent / "root", box, 32), album, box, 32, False)
"""


def start(faces_zip, began, seconds):
    """Another process that makes the cache, so many seconds a picture."""
    words = [sys.executable, "-c", SLOWLY, str(faces_zip), str(began), str(seconds)]
    return subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)


def wait_for(file):
    deadline = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_of_two_processes_at_once_one_makes_it(tmp_path, faces_zip, monkeypatch):
    other = start(faces_zip, tmp_path / "began", 0.05)
    wait_for(tmp_path / "began")
    monkeypatch.setattr(cache, "shrink", not_again)
    assert cached(faces_zip, tmp_path / "root").numbers.tolist() == list(range(1, 11))
    assert other.wait(30) == 0
    assert names(tmp_path / "root") == CACHE


def test_what_a_killed_process_left_is_no_cache_and_is_cleared_away(tmp_path, faces_zip):
    other = start(faces_zip, tmp_path / "began", 60)
    wait_for(tmp_path / "began")
    other.send_signal(signal.SIGKILL)
    other.wait(30)
    assert names(tmp_path / "root") == [".tmp", "lock"]
    assert cached(faces_zip, tmp_path / "root").numbers.tolist() == list(range(1, 11))
    assert names(tmp_path / "root") == CACHE


def test_root_that_cannot_be_made(tmp_path, faces_zip):
    (tmp_path / "file").write_bytes(b"")
    with refused(OSError, "root='.*/file': .*/file is a file, not a directory; choose another root"):
        cached(faces_zip, tmp_path / "file")

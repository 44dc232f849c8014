"""CelebA's cache: every picture named, skipped or kept, and a file that is whole or not there."""

import errno
import fcntl
import os
import resource
import threading
import zipfile
from collections import namedtuple

import numpy as np
import pytest

from infogan_core.data.celeba import cache
from infogan_core.data.celeba.album import open_album
from infogan_core.data.celeba.cache import CHUNK, cache_key, read_cache, write_cache
from pictures import FACE_BOX, blocks, face_files, jpeg, noise, refused, shrunk, write_zip


@pytest.fixture
def faces_zip(tmp_path):
    return write_zip(tmp_path / "celeba.zip", face_files())


def cached(path, file, size=32, box=FACE_BOX, skip_bad=False):
    """The faces of a zip or folder through a cache file."""
    key = cache_key(path, box, size)
    if (faces := read_cache(file, key)) is None:
        with open_album(path) as album:
            write_cache(file, key, album, skip_bad)
        faces = read_cache(file, key)
    return faces


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
        cached(path, tmp_path / "root" / "cache")
    assert not (tmp_path / "root").exists()
    faces = cached(path, tmp_path / "root" / "cache", skip_bad=True)
    assert faces.numbers.tolist() == [1, 2, *range(4, 11)]
    assert np.array_equal(faces.pixels[2], shrunk(4))
    assert (faces.skipped, "000003.jpg cannot be used" in faces.first_bad) == (1, True)


def test_bad_pictures_are_skipped_in_every_chunk(tmp_path):
    good, n = jpeg(blocks(0)), 2 * CHUNK + 50
    pictures = {f"{number:06d}.jpg": b"?" if number % 100 == 0 else good for number in range(n)}
    faces = cached(write_zip(tmp_path / "celeba.zip", pictures), tmp_path / "cache", skip_bad=True)
    assert faces.numbers.tolist() == [number for number in range(n) if number % 100]
    assert (faces.pixels == shrunk(0)).all()
    assert faces.skipped == 6


def test_stray_is_named_or_skipped(tmp_path):
    path = write_zip(tmp_path / "celeba.zip", face_files() | {"face.jpg": jpeg(blocks(0))})
    with refused(ValueError, rf"{path}: face\.jpg is not named like 000001\.jpg, or is there twice"):
        cached(path, tmp_path / "cache")
    faces = cached(path, tmp_path / "cache", skip_bad=True)
    assert (len(faces.numbers), faces.skipped) == (10, 1)


def test_zip_whose_faces_are_nearly_all_bad(tmp_path):
    path = write_zip(tmp_path / "celeba.zip", face_files() | dict.fromkeys(face_files(range(2, 11)), b"?"))
    with refused(ValueError, "9 bad pictures skipped: holds 1 images"):
        cached(path, tmp_path / "root" / "cache", skip_bad=True)
    assert not (tmp_path / "root").exists()


# ---- the cache file


def test_pixels_and_numbers_come_back_as_they_went_in(tmp_path, faces_zip):
    faces = cached(faces_zip, tmp_path / "cache")
    assert np.array_equal(faces.pixels, [shrunk(number) for number in range(1, 11)])
    assert faces.numbers.tolist() == list(range(1, 11))
    assert faces.skipped == 0


def test_second_start_decodes_nothing(tmp_path, faces_zip, monkeypatch):
    first = cached(faces_zip, tmp_path / "cache")
    monkeypatch.setattr(cache, "shrink", not_again)
    monkeypatch.setattr(zipfile, "ZipFile", not_again)
    again = cached(faces_zip, tmp_path / "cache")
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.numbers, again.numbers)


def test_streaming_leaves_nothing_but_the_cache_file(tmp_path, faces_zip):
    cached(faces_zip, tmp_path / "root" / "cache")
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")) == [
        "celeba.zip",
        "root",
        "root/cache",
    ]
    assert (tmp_path / "root" / "cache").stat().st_size == 4096 + 10 * (3 * 32 * 32 + 4)


def test_progress_is_shown_on_stderr_and_only_while_decoding(tmp_path, faces_zip, capfd):
    cached(faces_zip, tmp_path / "cache")
    out, err = capfd.readouterr()
    assert out == ""
    assert "celeba.zip to 32x32: 100%" in err
    assert "10/10" in err
    cached(faces_zip, tmp_path / "cache")
    assert capfd.readouterr().err == ""


def test_writing_into_the_pixels_does_not_reach_the_file(tmp_path, faces_zip):
    cached(faces_zip, tmp_path / "cache").pixels[:] = 0
    assert cached(faces_zip, tmp_path / "cache").pixels.any()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:4096],
        lambda data: data[:100],
        lambda data: data + b"?",
        lambda data: b"",
        lambda data: bytes(len(data)),
        lambda data: b"[1]".ljust(4096) + data[4096:],
        lambda data: b"\xff" * len(data),
        lambda data: data.replace(b'"version": 2', b'"version": 1'),
    ],
    ids=["cut", "header only", "in its header", "too long", "empty", "zeros", "other JSON", "ones", "other version"],
)
def test_damaged_cache_is_made_again(tmp_path, faces_zip, damage):
    file = tmp_path / "cache"
    pixels = cached(faces_zip, file).pixels.copy()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert np.array_equal(cached(faces_zip, file).pixels, pixels)
    assert file.read_bytes() == whole


@pytest.mark.parametrize("change", [{"size": 64}, {"box": (26, 57, 154, 185)}, {"box": (41, 73, 137, 169)}])
def test_cache_of_other_settings_is_made_again(tmp_path, faces_zip, change):
    cached(faces_zip, tmp_path / "cache")
    again, fresh = cached(faces_zip, tmp_path / "cache", **change), cached(faces_zip, tmp_path / "fresh", **change)
    assert np.array_equal(again.pixels, fresh.pixels)


def test_cache_of_a_zip_that_changed_is_made_again(tmp_path, faces_zip):
    cached(faces_zip, tmp_path / "cache")
    write_zip(faces_zip, face_files(range(11, 21)))
    assert cached(faces_zip, tmp_path / "cache").numbers.tolist() == list(range(11, 21))
    os.utime(faces_zip, ns=(0, 0))
    assert read_cache(tmp_path / "cache", cache_key(faces_zip, FACE_BOX, 32)) is None


def test_cache_of_a_folder_that_changed_is_made_again(tmp_path):
    for name, data in face_files(below="").items():
        (tmp_path / name).write_bytes(data)
    key = cache_key(tmp_path, FACE_BOX, 32)
    (tmp_path / "000001.jpg").rename(tmp_path / "000020.jpg")
    renamed = cache_key(tmp_path, FACE_BOX, 32)
    (tmp_path / "000002.jpg").write_bytes(jpeg(blocks(2)))  # repaired: the folder's own time stays
    assert len({str(k) for k in (key, renamed, cache_key(tmp_path, FACE_BOX, 32))}) == 3


def test_full_disk_is_noticed_before_anything_is_written(tmp_path, faces_zip, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(1 << 30, 1 << 30, 30_000))
    with refused(OSError, r"root='.*/root': 0 MiB free, 0 MiB needed; make room or choose another root"):
        cached(faces_zip, tmp_path / "root" / "cache")
    assert not (tmp_path / "root").exists()


def test_disk_that_fills_up_leaves_the_old_cache(tmp_path, faces_zip):
    """The system itself refuses bytes beyond the 20,000th."""
    cached(faces_zip, tmp_path / "cache")
    before = (tmp_path / "cache").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with refused(OSError, r"nothing was written: '.*/cache'"):
            cached(faces_zip, tmp_path / "cache", size=64)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "cache").read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cache", "celeba.zip"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_interrupted_leaves_nothing_and_no_thread(tmp_path, faces_zip, monkeypatch, error):
    def interrupted(*args):
        raise error

    monkeypatch.setattr(cache, "_shrink_chunk", interrupted)
    threads = threading.active_count()
    with pytest.raises(error):
        cached(faces_zip, tmp_path / "root" / "cache")
    assert not (tmp_path / "root").exists()
    assert threading.active_count() <= threads + 1  # tqdm's monitor stays


def test_what_a_killed_process_left_is_cleared_away(tmp_path, faces_zip):
    dead, alive = tmp_path / ".cache.99999.tmp", tmp_path / ".cache.99998.tmp"
    dead.write_bytes(b"?")
    with open(alive, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as its writer does
        cached(faces_zip, tmp_path / "cache")
    assert (dead.exists(), alive.exists()) == (False, True)


def test_root_that_cannot_be_made(tmp_path, faces_zip):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file") as caught:
        cached(faces_zip, tmp_path / "file" / "cache")
    assert caught.value.errno in (errno.ENOTDIR, errno.EEXIST)

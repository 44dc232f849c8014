"""The cache of decoded pictures: each named, skipped or kept, and a file that is whole or not there."""

import multiprocessing
import os
import resource
import threading
import time
from collections import namedtuple

import numpy as np
import pytest
from PIL import UnidentifiedImageError

from infogan_core.data import cache
from infogan_core.data.cache import BLOCK, Pictures, decode
from pictures import refused


@pytest.fixture(autouse=True)
def few_are_kept(monkeypatch):
    monkeypatch.setattr(cache, "MANY", 1)


@pytest.fixture
def album(tmp_path):
    """Ten files, of which the cache keeps what `read` makes of them."""
    folder = tmp_path / "album"
    folder.mkdir()
    for i in range(1, 11):
        (folder / str(i)).write_bytes(bytes([i]))
    return folder


def cached(album, home, size=32, skip_bad=False, variant="", read=None, survey=lambda bar: None, numbers=range(1, 11)):
    """The pictures of an album through the cache in `home`: i is all i."""
    read = read or (lambda name, _: np.full((3, size, size), (album / name).read_bytes()[0], np.uint8))
    return decode(Pictures(album, [str(i) for i in numbers], read, size, skip_bad, survey), home, variant)


def names(folder):
    """All files below a folder; of those that are called after a checksum the suffix."""
    return sorted(file.suffix or file.name for file in folder.rglob("*") if file.is_file())


CACHE = [".json", ".pixels", "lock"]


def not_again(*args):
    pytest.fail("decodes again")


def reading(bad):
    """A reader to which some pictures are bad, and what each then raises; the others are all 7."""

    def read(name, _):
        if name in bad:
            raise bad[name]
        return np.full((3, 32, 32), 7, np.uint8)

    return read


# ---- pictures that cannot be used


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("L, not RGB"), r"cannot be used \(L, not RGB\)"),
        (OSError("image file is\ntruncated"), r"cannot be used \(image file is truncated\)"),
        (UnidentifiedImageError("at 0x7f"), r"cannot be used \(no picture\)"),
        (PermissionError(13, "Permission denied"), r"cannot be read \(Permission denied\)"),
    ],
    ids=["other", "cut off", "no picture", "not permitted"],
)
def test_picture_that_cannot_be_used_is_named_or_skipped(tmp_path, album, error, message):
    read = reading({"3": error})
    with refused(ValueError, rf"{album}/3: {message}; .*skip_bad=True"):
        cached(album, tmp_path / "kept", read=read)
    assert names(tmp_path / "kept") == ["lock"]
    for _ in range(2):  # then from the cache
        found = cached(album, tmp_path / "kept", skip_bad=True, read=read)
        assert found.used.tolist() == [0, 1, *range(3, 10)]
        assert (found.pixels.shape, len(found.bad)) == ((9, 3, 32, 32), 1)
        assert f"{album}/3" in found.bad[2]
    with refused(ValueError, f"{album}/3"):  # what the cache leaves out is not forgotten
        cached(album, tmp_path / "kept", read=read)


def test_bad_pictures_are_skipped_in_every_block(tmp_path, album):
    n = 2 * BLOCK + 50
    bad = {str(i): ValueError("bad") for i in range(0, n, 100)}
    found = cached(album, tmp_path / "kept", read=reading(bad), numbers=range(n), skip_bad=True)
    assert found.used.tolist() == [i for i in range(n) if i % 100]
    assert (found.pixels == 7).all()
    assert len(found.bad) == 21


def test_album_whose_pictures_are_nearly_all_bad(tmp_path, album):
    bad = {str(i): ValueError("bad") for i in range(2, 11)}
    with refused(ValueError, "9 bad pictures skipped: holds 1 images"):
        cached(album, tmp_path / "kept", skip_bad=True, read=reading(bad))
    assert names(tmp_path / "kept") == ["lock"]


def test_of_few_pictures_nothing_is_written(tmp_path, album, monkeypatch):
    monkeypatch.setattr(cache, "MANY", 11)
    bad = reading({"3": ValueError("bad")})
    found = cached(album, tmp_path / "kept", read=bad, skip_bad=True, survey=lambda bar: 5)
    assert (found.used.tolist(), len(found.bad), found.survey) == ([0, 1, *range(3, 10)], 1, 5)
    assert (found.pixels == 7).all()
    assert sorted(tmp_path.iterdir()) == [album]


# ---- the cache file


def test_pixels_come_back_as_they_went_in(tmp_path, album):
    found = cached(album, tmp_path / "kept")
    assert found.pixels.shape == (10, 3, 32, 32)
    assert (found.pixels == np.arange(1, 11).reshape(10, 1, 1, 1)).all()
    assert (found.used.tolist(), found.bad) == (list(range(10)), {})


def test_second_start_decodes_nothing(tmp_path, album):
    first = cached(album, tmp_path / "kept", survey=lambda bar: 4000.0)
    again = cached(album, tmp_path / "kept", read=not_again, survey=not_again)
    assert np.array_equal(first.pixels, again.pixels)
    assert first.survey == again.survey == 4000


def test_it_is_the_pixels_and_a_json_and_nothing_else(tmp_path, album):
    cached(album, tmp_path / "kept")
    assert names(tmp_path / "kept") == CACHE
    assert next(tmp_path.rglob("*.pixels")).stat().st_size == 10 * 3 * 32 * 32


def test_progress_is_shown_on_stderr_and_only_while_decoding(tmp_path, album, capfd):
    cached(album, tmp_path / "kept")
    out, err = capfd.readouterr()
    assert out == ""
    assert "album to 32x32: 100%" in err
    assert "10/10" in err
    cached(album, tmp_path / "kept")
    assert capfd.readouterr().err == ""


def test_writing_into_the_pixels_does_not_reach_the_file(tmp_path, album):
    cached(album, tmp_path / "kept").pixels[:] = 0
    assert cached(album, tmp_path / "kept").pixels.any()


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        (".pixels", lambda data: data[:-1]),
        (".pixels", lambda data: data + b"x"),
        (".pixels", None),
        (".json", lambda data: data[:-1]),
        (".json", lambda data: bytes(len(data))),
        (".json", lambda data: b"[1]"),
        (".json", lambda data: b"[[1], null]"),
        (".json", lambda data: b"\xff" * len(data)),
        (".json", lambda data: b'[{"1": "bad", "2": "bad"}, null]'),  # of other pixels
        (".json", None),
    ],
)
def test_damaged_cache_is_made_again(tmp_path, album, suffix, damage):
    pixels = cached(album, tmp_path / "kept").pixels.copy()
    file = next(tmp_path.rglob(f"*{suffix}"))
    whole = file.read_bytes()
    if damage:
        file.write_bytes(damage(whole))
    else:
        file.unlink()
    assert np.array_equal(cached(album, tmp_path / "kept").pixels, pixels)
    assert file.read_bytes() == whole


@pytest.mark.parametrize("change", [{"size": 64}, {"variant": "left"}, {"numbers": range(2, 11)}])
def test_cache_of_other_settings_is_another(tmp_path, album, change):
    cached(album, tmp_path / "kept")
    again, fresh = cached(album, tmp_path / "kept", **change), cached(album, tmp_path / "fresh", **change)
    assert np.array_equal(again.pixels, fresh.pixels)


def test_cache_of_files_that_changed_is_made_again_and_the_old_one_goes(tmp_path, album):
    cached(album, tmp_path / "kept")
    (album / "1").write_bytes(bytes([99]))
    os.utime(album / "1", ns=(0, 0))
    assert (cached(album, tmp_path / "kept").pixels[0] == 99).all()
    assert names(tmp_path / "kept") == CACHE


def test_full_disk_is_noticed_before_anything_is_written(tmp_path, album, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(1 << 30, 1 << 30, 30_000))
    with refused(OSError, r"root='.*/kept': 0 MiB free, 0 MiB needed; make room or choose another root"):
        cached(album, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_disk_that_fills_up_leaves_nothing(tmp_path, album):
    """The system itself refuses bytes beyond the 20,000th."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with refused(OSError, r"untouched: '.*/kept/.*\.pixels'"):
            cached(album, tmp_path / "kept", size=64)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path / "kept") == ["lock"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_interrupted_leaves_nothing_and_no_thread(tmp_path, album, error):
    threads = threading.active_count()
    with pytest.raises(error):
        cached(album, tmp_path / "kept", read=reading({"5": error()}))
    assert names(tmp_path / "kept") == ["lock"]
    assert threading.active_count() <= threads + 1  # tqdm's monitor stays


def start(album, began, seconds):
    """Another process that makes the cache, so many seconds a picture; it has begun."""

    def read(name, _):
        began.touch()
        time.sleep(seconds)
        return reading({})(name, _)

    options = {"target": cached, "args": (album, album.parent / "kept"), "kwargs": {"read": read}}
    process = multiprocessing.get_context("fork").Process(**options)
    process.start()
    deadline = time.monotonic() + 30
    while not began.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def test_of_two_processes_at_once_one_makes_it(tmp_path, album):
    other = start(album, tmp_path / "began", 0.02)
    assert (cached(album, tmp_path / "kept", read=not_again).pixels == 7).all()
    other.join(30)
    assert other.exitcode == 0
    assert names(tmp_path / "kept") == CACHE


def test_what_a_killed_process_left_is_no_cache_and_is_cleared_away(tmp_path, album):
    other = start(album, tmp_path / "began", 60)
    other.kill()
    other.join(30)
    assert names(tmp_path / "kept") == [".tmp", "lock"]
    assert cached(album, tmp_path / "kept").pixels.any()
    assert names(tmp_path / "kept") == CACHE


def test_root_that_cannot_be_made(tmp_path, album):
    (tmp_path / "file").write_bytes(b"")
    with refused(OSError, "root='.*/file': .*/file is a file, not a directory; choose another root"):
        cached(album, tmp_path / "file")

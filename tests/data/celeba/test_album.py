"""CelebA's pictures: the crop exact to the pixel, and zips that are damaged or not to be trusted."""

import io
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from infogan_core.data.celeba.album import STRAY, open_album, shrink
from pictures import FACE_BOX, blocks, face_files, jpeg, noise, refused, shrunk, write_zip


@pytest.fixture(scope="module")
def face():
    data = jpeg(blocks(1))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), blocks(1))
    return data


@pytest.fixture
def faces_zip(tmp_path):
    return write_zip(tmp_path / "celeba.zip", face_files())


# ---- the crop


@pytest.mark.parametrize(("size", "factor"), [(32, 4), (64, 2)])
def test_reduction_is_the_mean_over_each_area(face, size, factor):
    crop = blocks(1)[57:185, 25:153].astype(float)
    means = crop.reshape(size, factor, size, factor, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.array_equal(shrink(face, FACE_BOX, size), np.floor(means + 0.5))


@pytest.mark.parametrize(("left", "top"), [(0, 0), (25, 57), (146, 186)])
def test_crop_is_exact_to_the_pixel(face, left, top):
    small = shrink(face, (left, top, left + 32, top + 32), 32)
    assert np.array_equal(small, blocks(1)[top : top + 32, left : left + 32].transpose(2, 0, 1))


@pytest.mark.parametrize(("side", "size"), [(108, 32), (108, 64), (178, 64), (33, 32)])
def test_sides_that_are_no_multiple_weigh_pixels_by_their_area(face, side, size):
    """Every pixel as size x size equal parts, whose mean over side x side of them is taken."""
    crop = blocks(1)[:side, :side, 0].astype(np.float32)
    parts = crop.repeat(size, axis=0)
    rows = parts.reshape(size, side, side).mean(axis=1)
    means = rows.repeat(size, axis=1).reshape(size, size, side).mean(axis=2)
    assert np.abs(shrink(face, (0, 0, side, side), size)[0] - means).max() < 0.51


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (jpeg(noise(218, 177, 3)), "177x218 pixels, not 178x218"),
        (jpeg(noise(178, 218, 3)), "218x178 pixels, not 178x218"),
        (jpeg(noise(218, 178, 3), "L"), "L, not RGB"),
        (jpeg(noise(218, 178, 3), "CMYK"), "CMYK, not RGB"),
        (jpeg(noise(218, 178, 3), format="BMP"), "cannot identify"),
        (jpeg(noise(218, 178, 3))[:9000], "truncated"),
        (b"", "cannot identify"),
    ],
    ids=["narrow", "on its side", "grey", "CMYK", "BMP", "cut off", "empty"],
)
def test_picture_that_cannot_be_used(data, message):
    with pytest.raises(Exception, match=message):
        shrink(data, FACE_BOX, 32)


def test_picture_of_absurd_size_is_not_decoded(monkeypatch):
    """20,000 x 20,000 pixels would take 1.2 GB; its header says so."""
    data = bytearray(jpeg(blocks(1)))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = (20_000).to_bytes(2, "big") * 2
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decodes"))
    with pytest.raises(Exception, match=r"20000x20000 pixels, not|decompression bomb"):
        shrink(bytes(data), FACE_BOX, 32)


# ---- what a zip or folder holds


def test_pictures_come_in_the_order_of_their_numbers(tmp_path):
    album = open_album(write_zip(tmp_path / "celeba.zip", face_files([7, 100_000, 3])))
    assert list(album.numbers.values()) == [3, 7, 100_000]
    for name, number in album.numbers.items():
        assert np.array_equal(shrink(album.read(name, 1 << 20), FACE_BOX, 32), shrunk(number))


def test_folder_is_read_as_the_zip_is(tmp_path, faces_zip):
    with zipfile.ZipFile(faces_zip) as archive:
        archive.extractall(tmp_path)
    album = open_album(tmp_path / "img_align_celeba")
    assert list(album.numbers.values()) == list(range(1, 11))
    assert np.array_equal(shrink(album.read("000004.jpg", 1 << 20), FACE_BOX, 32), shrunk(4))


def test_what_is_no_picture_is_passed_over(tmp_path):
    others = {"img_align_celeba/": b"", "__MACOSX/img_align_celeba/._000001.jpg": b"?", "readme.txt": b"?"}
    path = write_zip(tmp_path / "celeba.zip", others | face_files() | {"img_align_celeba/.DS_Store": b"?"})
    assert list(open_album(path).numbers.values()) == list(range(1, 11))


@pytest.mark.parametrize("name", ["face.jpg", "000001.png", "1.jpg", "0000001.jpg", "000001.JPG", "twice/000001.jpg"])
def test_picture_of_another_name_is_a_stray(tmp_path, name):
    album = open_album(write_zip(tmp_path / "celeba.zip", face_files() | {name: jpeg(blocks(0))}))
    assert (len(album.numbers), album.numbers[name]) == (11, STRAY)


@pytest.mark.parametrize("names", [["readme.txt"], ["a.png", "b.jpg"], []])
def test_zip_of_something_else(tmp_path, names):
    path = write_zip(tmp_path / "other.zip", dict.fromkeys(names, b"?"))
    with refused(ValueError, f"{path}: holds no pictures named like 000001.jpg"):
        open_album(path)


def test_zip_with_one_face(tmp_path):
    path = write_zip(tmp_path / "celeba.zip", face_files([1]))
    with refused(ValueError, f"{path}: holds 1 images"):
        open_album(path)


# ---- zips that are damaged or not to be trusted


@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.9999])
def test_truncated_zip_is_named(faces_zip, keep):
    data = faces_zip.read_bytes()
    faces_zip.write_bytes(data[: int(keep * len(data))])
    with refused(ValueError, f"{faces_zip}: is no whole zip, copy or download it again"):
        open_album(faces_zip)


def test_picture_that_inflates_beyond_its_declared_size_takes_no_memory(tmp_path):
    """16 MB of zeros behind a whole JPEG, and headers that declare the JPEG alone."""
    data, squeeze = jpeg(blocks(1)), zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = squeeze.compress(data) + squeeze.compress(bytes(16 << 20)) + squeeze.flush()
    path = write_zip(tmp_path / "celeba.zip", face_files([2]) | {"000001.jpg": stream})  # stored as it is
    forged = bytearray(path.read_bytes())
    for method in (forged.index(b"000001.jpg") - 22, forged.rindex(b"000001.jpg") - 36):  # local header, and central
        forged[method : method + 2] = struct.pack("<H", zipfile.ZIP_DEFLATED)
        forged[method + 6 : method + 10] = struct.pack("<I", zlib.crc32(data))
        forged[method + 14 : method + 18] = struct.pack("<I", len(data))
    path.write_bytes(forged)
    album = open_album(path)
    tracemalloc.start()
    picture = album.read("000001.jpg", 1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert picture == data
    assert peak < 8 << 20


def test_flipped_bits_are_noticed(faces_zip):
    data = bytearray(faces_zip.read_bytes())
    data[data.index(b"000004.jpg") + 800] ^= 1
    faces_zip.write_bytes(data)
    with pytest.raises(zipfile.BadZipFile, match="Bad CRC-32"):
        open_album(faces_zip).read("img_align_celeba/000004.jpg", 1 << 20)


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_packing_that_python_cannot_unpack_in_part_is_refused(tmp_path, packing):
    path = write_zip(tmp_path / "celeba.zip", {"000001.jpg": bytes(1 << 20)} | face_files([2]), compression=packing)
    with refused(ValueError, "neither stored nor deflated"):
        open_album(path).read("000001.jpg", 1 << 20)

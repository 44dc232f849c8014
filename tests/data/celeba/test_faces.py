"""CelebA from a zip, a folder or by download, its attributes by file name, and one clear line for what does not fit."""

import contextlib
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import SHARED
from infogan_core.data.celeba import cache
from infogan_core.data.celeba.album import find_album
from infogan_core.data.celeba.attributes import read_list
from infogan_core.data.load import load_images
from pictures import blocks, face_files, jpeg, noise, refused, shrunk, write_picture, write_zip

NAMES = ("Bangs", "Male", "Smiling")


def signs(number: int) -> list[int]:
    """Three attributes, the lowest bits of a picture's number, as -1 and 1."""
    return [2 * (number >> bit & 1) - 1 for bit in range(3)]


def write_list(path: Path, numbers=range(1, 11)) -> Path:
    rows = [f"{number:06d}.jpg " + " ".join(f"{sign:2d}" for sign in signs(number)) for number in numbers]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([str(len(rows)), " ".join(NAMES) + " ", *rows, ""]))
    return path


@pytest.fixture
def faces_zip(tmp_path):
    """Ten faces and their attributes."""
    write_list(tmp_path / "in" / "list_attr_celeba.txt")
    return write_zip(tmp_path / "in" / "img_align_celeba.zip", face_files())


def celeba(source, tmp_path, **options):
    return load_images("celeba", source, root=tmp_path / "root", **options)


def numbers(images) -> list[int]:
    """Which pictures these are, by what they show."""
    known = {shrunk(number).tobytes(): number for number in range(1, 41)}
    return [known[pixels.numpy().tobytes()] for pixels in images.pixels]


# ---- where it is


@pytest.mark.parametrize("source", ["img_align_celeba.zip", ".", ".."])
def test_zip_is_found(tmp_path, faces_zip, source):
    if source == "..":
        faces_zip.parent.rename(tmp_path / "celeba")
        faces_zip = tmp_path / "celeba" / faces_zip.name
    images = celeba(faces_zip.parent / source, tmp_path)
    assert numbers(images) + numbers(images.held_out) == list(range(1, 11))
    assert images.attribute_names == NAMES


@pytest.mark.parametrize("below", ["img_align_celeba/", "img_align_celeba/img_align_celeba/"])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_folder_is_found(tmp_path, below, depth):
    write_list(tmp_path / "celeba" / "list_attr_celeba.txt")
    for name, data in face_files(below=f"celeba/{below}").items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    images = celeba([tmp_path / "celeba" / below, tmp_path / "celeba", tmp_path][depth], tmp_path)
    assert numbers(images) + numbers(images.held_out) == list(range(1, 11))
    assert images.attribute_names == NAMES


def test_a_zip_of_another_name_is_found_by_its_path(tmp_path, faces_zip):
    other = faces_zip.rename(faces_zip.with_stem("img_align_celeba_2"))
    assert numbers(celeba(other, tmp_path)) == list(range(1, 10))


def test_own_pictures_named_like_celebas_are_own_pictures(tmp_path):
    """As ffmpeg names the frames of a film."""
    for i in range(1, 6):
        write_picture(tmp_path / f"{i:06d}.jpg", noise(90, 120, 3))
    assert celeba(tmp_path, tmp_path).name == f"own images (5 from {tmp_path.name})"


def test_own_pictures_of_celebas_size_are_own_pictures(tmp_path):
    for i in range(5):
        write_picture(tmp_path / f"me {i}.jpg", noise(218, 178, 3))
    assert celeba(tmp_path, tmp_path).name == f"own images (5 from {tmp_path.name})"


@pytest.mark.parametrize("damage", ["renamed", "broken"])
def test_folder_with_damage_is_still_celebas(tmp_path, damage):
    for name, data in face_files(below="").items():
        (tmp_path / name).write_bytes(data)
    if damage == "renamed":
        (tmp_path / "000001.jpg").rename(tmp_path / "me.jpg")
    else:
        (tmp_path / "000001.jpg").write_bytes(b"?")
    with refused(ValueError, "me.jpg is not named" if damage == "renamed" else "000001.jpg cannot be used"):
        celeba(tmp_path, tmp_path)


def test_file_of_another_kind_is_left_to_the_own_images(tmp_path):
    (tmp_path / "faces.npz").write_bytes(b"")
    assert find_album(tmp_path / "faces.npz") is None


# ---- what it becomes


def test_name_says_what_was_done(tmp_path, faces_zip):
    images = celeba(faces_zip, tmp_path)
    assert images.name == f"CelebA (10 faces from {faces_zip.name}, 128x128 at (89, 121))"


def test_size_and_crop(tmp_path, faces_zip):
    images = celeba(faces_zip, tmp_path, size=64, crop=(100, 110, 64))
    assert np.array_equal(images.pixels[0].permute(1, 2, 0), blocks(1)[78:142, 68:132])
    assert "64x64 at (100, 110)" in images.name


def test_no_crop_is_the_default_crop(tmp_path, faces_zip):
    assert celeba(faces_zip, tmp_path, crop=()).sha256 == celeba(faces_zip, tmp_path, crop=(89, 121, 128)).sha256
    assert [file.name for file in (tmp_path / "root").iterdir()] == ["img_align_celeba.zip_32_25_57_153_185"]


@pytest.mark.parametrize(
    "crop", [(89, 121), (89, 121, 20), (60, 121, 128), (89, 200, 128), (89, 121, 180), (89.0, 121, 128), "abc", 5]
)
def test_crop_that_does_not_fit(tmp_path, faces_zip, crop):
    with refused(ValueError, r"crop must be whole \(x, y, side\), within 178x218 and no smaller than 32, found"):
        celeba(faces_zip, tmp_path, crop=crop)


@pytest.mark.parametrize(("n", "held_out"), [(2, 1), (10, 1), (30, 3)])
def test_last_tenth_is_held_out(tmp_path, n, held_out):
    images = celeba(write_zip(tmp_path / "faces.zip", face_files(range(1, n + 1))), tmp_path)
    assert numbers(images) == list(range(1, n - held_out + 1))
    assert len(images.held_out) == held_out


def test_official_test_faces_are_held_out(tmp_path):
    """182,638 is the first of the test split, which ends with 202,599."""
    faces = {f"{number:06d}.jpg": jpeg(blocks(number % 40 + 1)) for number in range(182_625, 182_645)}
    images = celeba(write_zip(tmp_path / "faces.zip", faces), tmp_path)
    assert (len(images), len(images.held_out)) == (13, 7)
    assert numbers(images.held_out)[0] == 182_638 % 40 + 1


def test_second_start_reads_the_cache(tmp_path, faces_zip, monkeypatch):
    first = celeba(faces_zip, tmp_path)
    monkeypatch.setattr(cache, "shrink", lambda *args: pytest.fail("decodes again"))
    second = celeba(faces_zip, tmp_path)
    assert (second.sha256, second.name) == (first.sha256, first.name)
    assert torch.equal(second.attributes, first.attributes)


def test_zip_and_its_unpacked_folder_do_not_share_a_cache(tmp_path, faces_zip):
    with zipfile.ZipFile(faces_zip) as archive:
        archive.extractall(faces_zip.parent)
    for source in (faces_zip, faces_zip.with_suffix("")):
        celeba(source, tmp_path)
    assert len(list((tmp_path / "root").iterdir())) == 2


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.999])
def test_truncated_zip_leaves_nothing(tmp_path, faces_zip, keep):
    data = faces_zip.read_bytes()
    faces_zip.write_bytes(data[: int(keep * len(data))])
    with refused(ValueError, f"{faces_zip}: is no whole zip"):
        celeba(faces_zip, tmp_path)
    assert not (tmp_path / "root").exists()


def test_bad_picture_is_named_or_skipped(tmp_path, faces_zip):
    write_zip(faces_zip, face_files() | {"img_align_celeba/000004.jpg": b"?"})
    named = rf"{faces_zip}: img_align_celeba/000004\.jpg cannot be used .*skip_bad=True"
    with refused(ValueError, named):
        celeba(faces_zip, tmp_path)
    images = celeba(faces_zip, tmp_path, skip_bad=True)
    assert numbers(images) == [1, 2, 3, 5, 6, 7, 8, 9]
    assert "9 faces" in images.name
    assert "1 bad pictures skipped, 1 of 10 listed missing" in images.name
    with refused(ValueError, named):  # what the cache leaves out is not forgotten
        celeba(faces_zip, tmp_path)


# ---- attributes


def attributes_fit(images) -> bool:
    wanted = [[sign == 1 for sign in signs(number)] for number in numbers(images)]
    return torch.equal(images.attributes, torch.tensor(wanted, dtype=torch.float32))


def test_attributes_belong_to_their_pictures_by_name(tmp_path, faces_zip):
    write_list(faces_zip.parent / "list_attr_celeba.txt", [10, 3, 2, 1, 4, 9, 8, 7, 6, 5])
    images = celeba(faces_zip, tmp_path)
    assert attributes_fit(images)
    assert attributes_fit(images.held_out)


def test_without_a_list_there_are_none(tmp_path, faces_zip):
    (faces_zip.parent / "list_attr_celeba.txt").unlink()
    assert celeba(faces_zip, tmp_path).attributes is None


def test_list_whose_name_ends_as_the_zips_does_is_taken(tmp_path, faces_zip):
    faces_zip.rename(faces_zip.with_stem("img_align_celeba_10"))
    write_list(faces_zip.parent / "list_attr_celeba.txt", range(50, 90))
    write_list(faces_zip.parent / "list_attr_celeba_10.txt")
    assert attributes_fit(celeba(faces_zip.with_stem("img_align_celeba_10"), tmp_path))


def test_list_that_lacks_pictures_is_refused(tmp_path, faces_zip):
    write_list(faces_zip.parent / "list_attr_celeba.txt", [1, 2, 4, 5, 6, 7, 8, 9])
    message = r"\.zip: 2 of its 10 pictures are not in list_attr_celeba\.txt, 000003\.jpg first; .*skip_bad=True"
    with refused(ValueError, message):
        celeba(faces_zip, tmp_path)
    assert not (tmp_path / "root").exists()
    images = celeba(faces_zip, tmp_path, skip_bad=True)
    assert "8 faces" in images.name
    assert "2 that are not listed" in images.name
    assert attributes_fit(images)


def test_list_that_lacks_most_pictures_is_anothers(tmp_path, faces_zip):
    write_list(faces_zip.parent / "list_attr_celeba.txt", [1, 2, 4, 5])
    with refused(ValueError, r"6 of its 10 pictures are not in list_attr_celeba\.txt, 000003\.jpg first; (?!.*skip)"):
        celeba(faces_zip, tmp_path, skip_bad=True)


def test_renamed_picture_is_named_or_left_out(tmp_path):
    faces = face_files()
    faces["img_align_celeba/face.jpg"] = faces.pop("img_align_celeba/000005.jpg")
    path = write_zip(tmp_path / "celeba" / "img_align_celeba.zip", faces)
    write_list(path.parent / "list_attr_celeba.txt", range(1, 11))
    with refused(ValueError, r"img_align_celeba/face\.jpg is not named like 000001\.jpg.*skip_bad=True"):
        celeba(path, tmp_path)
    images = celeba(path, tmp_path, skip_bad=True)
    assert "1 bad pictures skipped, 1 of 10 listed missing" in images.name
    assert attributes_fit(images)


def test_missing_pictures_are_named_or_counted(tmp_path, faces_zip):
    write_list(faces_zip.parent / "list_attr_celeba.txt", range(1, 31))
    message = r"lacks 20 pictures of list_attr_celeba\.txt, 000011\.jpg first; .*skip_bad=True"
    with refused(ValueError, message):
        celeba(faces_zip, tmp_path)
    assert not (tmp_path / "root").exists()
    images = celeba(faces_zip, tmp_path, skip_bad=True)
    assert "20 of 30 listed missing" in images.name
    assert attributes_fit(images)
    with refused(ValueError, message):  # from the cache, too
        celeba(faces_zip, tmp_path)


GOOD = ["2", "Bangs Male", "000001.jpg -1  1", "000002.jpg  1  1"]


@pytest.mark.parametrize(("end", "last"), [("\n", ""), ("\n", "\n"), ("\r\n", "\r\n"), (" \n", " \n\n")])
def test_lines_may_end_as_they_like(tmp_path, end, last):
    (tmp_path / "list.txt").write_bytes((end.join(GOOD) + last).encode())
    listed = read_list(tmp_path / "list.txt")
    assert (listed.columns.tolist(), listed.index.tolist()) == (["Bangs", "Male"], [1, 2])
    assert listed.to_numpy().tolist() == [[0, 1], [1, 1]]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["?"],
        ["2"],
        GOOD[1:],
        [*GOOD[:3], "000002.jpg 1"],
        [*GOOD[:3], "000002.jpg 1 1 1"],
        [*GOOD[:3], "000002.jpg 1 2"],
        [*GOOD[:3], "000002.jpg 1 257"],
        [*GOOD[:3], "000002.jpg 1 0.5"],
        [*GOOD[:3], "000002.jpg 1 -"],
        [*GOOD[:3], "000002.jpg 1-1 1"],
        [*GOOD[:3], "2.jpg 1 1"],
        [*GOOD[:3], "000002.png 1 1"],
        [*GOOD[:2], "", *GOOD[3:]],
        [*GOOD[:3], "\0\1\2"],
        GOOD[:3],
        [*GOOD, "000003.jpg 1 1"],
        ["1", "", "000001.jpg"],
        [*GOOD[:3], GOOD[2]],
    ],
)
def test_malformed_list_is_refused(tmp_path, faces_zip, lines):
    path = faces_zip.parent / "list_attr_celeba.txt"
    path.write_text("\n".join(lines) + "\n")
    with refused(ValueError, f"{path}: line 1 must be the number of rows, .*; copy it again"):
        celeba(faces_zip, tmp_path)


# ---- download


@pytest.fixture
def drive(tmp_path, faces_zip, monkeypatch):
    """Google Drive as torchvision uses it, handing out small files; what it refuses is in `refuses`."""
    asked, refuses = [], set()

    def fetch(number, root, name, md5):
        asked.append(name)
        os.makedirs(root, exist_ok=True)
        if name in refuses:
            (Path(root) / name).write_text("<html>quota exceeded</html>")
            raise RuntimeError("The MD5 checksum of the download file\ndoes not match")
        (Path(root) / name).write_bytes((faces_zip.parent / name).read_bytes())

    monkeypatch.setattr("torchvision.datasets.utils.download_file_from_google_drive", fetch)
    fetch.asked, fetch.refuses = asked, refuses
    return fetch


def test_download_fetches_zip_and_attributes_once(tmp_path, drive):
    images = load_images("celeba", "download", root=tmp_path / "data")
    assert (len(images), images.attribute_names) == (9, NAMES)
    assert load_images("celeba", "download", root=tmp_path / "data").sha256 == images.sha256
    assert drive.asked == ["img_align_celeba.zip", "list_attr_celeba.txt"]


@pytest.mark.parametrize(
    ("refuses", "fetch"),
    [
        ({"img_align_celeba.zip"}, r"img_align_celeba\.zip and list_attr_celeba\.txt"),
        ({"list_attr_celeba.txt"}, r"list_attr_celeba\.txt"),
    ],
)
def test_refused_download_says_what_to_fetch_by_hand(tmp_path, drive, refuses, fetch):
    drive.refuses |= refuses
    with refused(RuntimeError, rf"often refuses: fetch {fetch} by hand from https:.* into .*/data/celeba, or .*MD5"):
        load_images("celeba", "download", root=tmp_path / "data")
    assert not any((tmp_path / "data" / "celeba" / name).exists() for name in refuses)


def test_refused_download_leaves_no_folder(tmp_path, drive):
    drive.refuses |= {"img_align_celeba.zip"}
    with contextlib.suppress(RuntimeError):
        load_images("celeba", "download", root=tmp_path / "data")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_files_fetched_by_hand_are_taken(tmp_path, faces_zip, drive):
    drive.refuses |= {"img_align_celeba.zip", "list_attr_celeba.txt"}
    (tmp_path / "data").mkdir()
    faces_zip.parent.rename(tmp_path / "data" / "celeba")
    assert len(load_images("celeba", "download", root=tmp_path / "data")) == 9
    assert drive.asked == []


# ---- genuine faces


def test_2000_genuine_faces_agree_with_the_reduced_ones(tmp_path):
    """The same crop, elsewhere reduced with another filter: off by a pixel, the median would be 0.993 at most."""
    path, reduced = SHARED / "celeba" / "img_align_celeba_2000.zip", SHARED / "celeba" / "celeba_32_36k.npz"
    if not (path.is_file() and reduced.is_file()):
        pytest.skip(f"{path} or {reduced} is not here")
    images = celeba(path, tmp_path)
    assert (len(images), len(images.held_out)) == (1800, 200)
    ours = torch.cat([images.pixels, images.held_out.pixels]).permute(0, 2, 3, 1).numpy()
    attributes = torch.cat([images.attributes, images.held_out.attributes]).numpy()
    with zipfile.ZipFile(path) as archive:
        ids = sorted(int(Path(name).stem) for name in archive.namelist() if name.endswith(".jpg"))
    with np.load(reduced, allow_pickle=False) as theirs:
        common, here, there = np.intersect1d(ids, theirs["image_id"], return_indices=True)
        assert len(common) > 1000
        pairs = np.stack([ours[here], theirs["images"][there]]).reshape(2, len(common), -1).astype(np.float32)
        assert np.array_equal(attributes[here], theirs["attributes"][there])
        assert images.attribute_names == tuple(theirs["attribute_names"])
    pairs -= pairs.mean(axis=2, keepdims=True)
    pairs /= np.linalg.norm(pairs, axis=2, keepdims=True)
    correlations = (pairs[0] * pairs[1]).sum(axis=1)
    assert correlations.min() > 0.99
    assert np.median(correlations) > 0.998

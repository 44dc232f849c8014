"""CelebA from a zip, a folder or by download, its attributes by file name, and one clear line for what does not fit."""

import functools
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import SHARED
from infogan_core.data import cache
from infogan_core.data.celeba import album
from infogan_core.data.celeba.album import Album, find_album, read_list
from infogan_core.data.load import load_images
from pictures import blocks, face_files, jpeg, noise, refused, shrunk, write_picture, write_zip

NAMES = ("Bangs", "Male", "Smiling")


def signs(number: int) -> list[int]:
    """Three attributes, the lowest bits of a picture's number, as -1 and 1."""
    return [2 * (number >> bit & 1) - 1 for bit in range(3)]


def attribute_list(numbers=range(1, 11)) -> str:
    rows = [f"{number:06d}.jpg " + " ".join(f"{sign:2d}" for sign in signs(number)) for number in numbers]
    return "\n".join([str(len(rows)), " ".join(NAMES) + " ", *rows, ""])


def write_list(path: Path, numbers=range(1, 11)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(attribute_list(numbers))
    return path


def partition_list(parts="0012000212", first=1) -> str:
    """The official form: of the ten faces, 3 and 9 are for validation, and 4, 8 and 10 for the test."""
    return "".join(f"{number:06d}.jpg {part}\n" for number, part in enumerate(parts, first))


def as_csv(text: str, heading: str = "image_id") -> str:
    """A list as data-sharing sites have it."""
    return "\n".join(",".join(line.split()) for line in [heading, *text.splitlines()]) + "\n"


ATTRIBUTES_CSV = as_csv("\n".join(attribute_list().splitlines()[2:]), "image_id " + " ".join(NAMES))
PARTITION_CSV = as_csv(partition_list(), "image_id partition")
TXT = ("list_attr_celeba.txt", attribute_list()), ("list_eval_partition.txt", partition_list())
CSV = ("list_attr_celeba.csv", ATTRIBUTES_CSV), ("list_eval_partition.csv", PARTITION_CSV)


def files_of(pictures: str, lists: tuple, attributes: str, partition: str) -> dict[str, bytes]:
    """All files of a layout: the folder of its pictures, the two lists, and the folders of these."""
    faces = face_files(below=pictures)
    if pictures.endswith("png/"):
        faces = {name.replace(".jpg", ".png"): jpeg(blocks(n), format="PNG") for n, name in enumerate(faces, 1)}
    return faces | {
        folder + name: text.encode() for folder, (name, text) in zip((attributes, partition), lists, strict=True)
    }


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def faces_zip(tmp_path):
    """Ten faces and their attributes."""
    write_list(tmp_path / "in" / "list_attr_celeba.txt")
    return write_zip(tmp_path / "in" / "img_align_celeba.zip", face_files())


def celeba(source, tmp_path, **options):
    return load_images("celeba", source, root=tmp_path / "root", **options)


@functools.cache
def known() -> dict[bytes, int]:
    return {shrunk(number).tobytes(): number for number in range(1, 41)}


@pytest.fixture
def kept(monkeypatch):
    """A few pictures are kept in `root`, too."""
    monkeypatch.setattr(cache, "MANY", 1)


def numbers(images) -> list[int]:
    """Which pictures these are, by what they show."""
    return [known()[pixels.numpy().tobytes()] for pixels in images.pixels]


# ---- where it is


@pytest.mark.parametrize("source", ["img_align_celeba.zip", ".", ".."])
def test_zip_is_found(tmp_path, faces_zip, source):
    if source == "..":
        faces_zip.parent.rename(tmp_path / "celeba")
        faces_zip = tmp_path / "celeba" / faces_zip.name
    images = celeba(faces_zip.parent / source, tmp_path)
    assert numbers(images) + numbers(images.held_out) == list(range(1, 11))
    assert images.attribute_names == NAMES


LAYOUTS = {  # folder of pictures, lists, their folders; then the places inside that may be given
    "official": (("Img/img_align_celeba/", TXT, "Anno/", "Eval/"), [".", "Img", "Img/img_align_celeba"]),
    "its parent": (("CelebA/Img/img_align_celeba/", TXT, "CelebA/Anno/", "CelebA/Eval/"), [".", "CelebA"]),
    "unpacked twice": (("Img/img_align_celeba/img_align_celeba/", TXT, "Anno/", "Anno/"), [".", "Img"]),
    "PNG": (("Img/img_align_celeba_png/", TXT, "Anno/", "Eval/"), [".", "Img", "Img/img_align_celeba_png"]),
    "data-sharing site": (
        ("img_align_celeba/img_align_celeba/", CSV, "", ""),
        [".", "img_align_celeba", "img_align_celeba/img_align_celeba"],
    ),
    "torchvision": (
        ("celeba/img_align_celeba/", TXT, "celeba/", "celeba/"),
        [".", "celeba", "celeba/img_align_celeba"],
    ),
    "other projects": (("celeba/images/", TXT, "celeba/", "celeba/"), [".", "celeba", "celeba/images"]),
    "all in one": (("", CSV, "", ""), ["."]),
}


def follows_the_partition(images) -> bool:
    parts = images, images.validation, images.held_out
    found = [numbers(part) for part in parts] == [[1, 2, 5, 6, 7], [3, 9], [4, 8, 10]]
    return found and all(map(attributes_fit, parts)) and "official split" in images.name and images.notes == ()


@pytest.mark.parametrize(
    ("name", "given"), [(name, given) for name, (_, places) in LAYOUTS.items() for given in places]
)
def test_layout_is_found_with_its_lists(tmp_path, name, given):
    folder = write_files(tmp_path / "in", files_of(*LAYOUTS[name][0]))
    assert follows_the_partition(celeba(folder / given, tmp_path))


@pytest.mark.parametrize("given", [".", "Img", "Img/img_align_celeba.zip"])
def test_official_zip_is_found_with_its_lists(tmp_path, given):
    lists = {name: data for name, data in files_of(*LAYOUTS["official"][0]).items() if "list" in name}
    write_zip(write_files(tmp_path / "in", lists) / "Img" / "img_align_celeba.zip", face_files())
    assert follows_the_partition(celeba(tmp_path / "in" / given, tmp_path))


@pytest.mark.parametrize(("name", "file"), [*((name, "archive.zip") for name in LAYOUTS), ("official", "mine (1).ZIP")])
def test_layout_in_one_zip_is_read_with_its_lists(tmp_path, name, file):
    path = write_zip(tmp_path / file, files_of(*LAYOUTS[name][0]) | {"__MACOSX/._list_attr_celeba.csv": b"?"})
    assert follows_the_partition(celeba(path, tmp_path))
    assert [child.name for child in tmp_path.iterdir()] == [file]


def test_relative_path_finds_the_lists_above(tmp_path, monkeypatch):
    monkeypatch.chdir(write_files(tmp_path, files_of(*LAYOUTS["official"][0])) / "Img" / "img_align_celeba")
    assert follows_the_partition(celeba(".", tmp_path))


@pytest.mark.parametrize(
    "name",
    [
        "img_celeba/000001.jpg",
        "Img/img_celeba/000001.jpg",
        "img_align_celeba/1.jpg",
        "IMG_ALIGN_CELEBA/1.jpg",
        "Img/img_align_celeba.7z.001",
    ],
)
def test_celebas_layout_without_its_aligned_pictures_says_so(tmp_path, name):
    """Pictures in the wild, pictures that somebody reduced, archives that nobody unpacked."""
    folder = write_files(tmp_path / "in", {name: jpeg(noise(90, 120, 3)), "a.jpg": jpeg(noise(90, 120, 3))})
    with refused(ValueError, f"(?i){folder}: has CelebA's name img_.*no aligned pictures .*; give"):
        celeba(folder, tmp_path)


def test_celebas_pictures_in_class_folders_are_own_pictures(tmp_path):
    files = face_files(range(1, 6), "a/") | face_files(range(6, 11), "b/")
    images = celeba(write_files(tmp_path / "in", files), tmp_path)
    assert (images.kind, images.labels.unique().tolist()) == ("own", [0, 1])


SPECIAL = {
    "FIFO": os.mkfifo,
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "folder": Path.mkdir,
}


@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("number", [1, 21])
def test_what_is_no_regular_file_is_a_bad_picture(tmp_path, kind, number):
    folder = write_files(tmp_path / "in", face_files(set(range(1, 31)) - {number}, below=""))
    SPECIAL[kind](folder / f"{number:06d}.jpg")
    with refused(ValueError, rf"{number:06d}\.jpg: cannot be used \(no regular file\).*skip_bad=True"):
        celeba(folder, tmp_path)
    images = celeba(folder, tmp_path, skip_bad=True)
    assert len(images) + len(images.held_out) == 29
    assert "1 bad pictures skipped" in images.name


@pytest.mark.parametrize("name", ["img_align_celeba.zip", "list_attr_celeba.txt", "000001.jpg"])
def test_a_fifo_alone_is_not_opened(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with refused(ValueError, str(tmp_path)):
        celeba(tmp_path, tmp_path)


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
    with refused(ValueError, "me.jpg: .*not named" if damage == "renamed" else "000001.jpg: cannot be used"):
        celeba(tmp_path, tmp_path)


def test_file_of_another_kind_is_left_to_the_own_images(tmp_path):
    (tmp_path / "faces.npz").write_bytes(b"")
    assert find_album(tmp_path / "faces.npz") is None


# ---- what it becomes


def test_name_says_what_was_done(tmp_path, faces_zip):
    images = celeba(faces_zip, tmp_path)
    assert images.name == f"CelebA (10 faces from {faces_zip.name}, 128x128 at (89, 121), last tenth held out)"


def test_size_and_crop(tmp_path, faces_zip):
    images = celeba(faces_zip, tmp_path, size=64, crop=(100, 110, 64))
    assert np.array_equal(images.pixels[0].permute(1, 2, 0), blocks(1)[78:142, 68:132])
    assert "64x64 at (100, 110)" in images.name


def test_no_crop_is_the_default_crop(tmp_path, faces_zip, kept):
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


@pytest.mark.parametrize(
    ("first", "split", "sizes"),
    [(182_625, "last tenth held out", (18, 0, 2)), (162_745, "official split", (26, 4, 6))],
)
def test_without_the_partition_the_numbers_tell_it(tmp_path, first, split, sizes):
    """Of the first 20 none is for training, and of the second 36 most, if six faces of the test join them."""
    faces = [*range(first, first + 20)] if first > 170_000 else [*range(first, first + 30), *range(182_638, 182_644)]
    files = {f"{number:06d}.jpg": jpeg(blocks(number % 40 + 1)) for number in faces}
    images = celeba(write_zip(tmp_path / "faces.zip", files), tmp_path)
    assert (len(images), len(images.validation or ()), len(images.held_out)) == sizes
    assert (split in images.name, split in images.held_out.name) == (True, True)
    assert numbers(images.held_out) == [number % 40 + 1 for number in faces[-sizes[2] :]]


@pytest.mark.parametrize(
    ("parts", "found"), [("0" * 10, "10 .*0 for"), ("2" * 10, "0 .*10 for"), ("1" * 10, "0 .*0 for")]
)
def test_partition_that_leaves_a_part_empty_is_not_followed(tmp_path, faces_zip, parts, found):
    (faces_zip.parent / "list_eval_partition.txt").write_text(partition_list(parts))
    images = celeba(faces_zip, tmp_path)
    assert (len(images), len(images.held_out), images.validation) == (9, 1, None)
    assert "last tenth held out" in images.name
    assert re.search(f"list_eval_partition.txt has {found} the test", " ".join(images.notes))


def test_some_of_the_pictures_follow_the_partition_of_all(tmp_path, faces_zip):
    (faces_zip.parent / "list_eval_partition.txt").write_text(partition_list("0012000212" + "012" * 20))
    assert follows_the_partition(celeba(faces_zip, tmp_path))


def test_partition_that_lacks_pictures_is_refused(tmp_path, faces_zip):
    (faces_zip.parent / "list_eval_partition.txt").write_text(partition_list("00200020"))
    with refused(ValueError, r"2 of its 10 pictures are not in list_eval_partition\.txt, 000009\.jpg first"):
        celeba(faces_zip, tmp_path)
    images = celeba(faces_zip, tmp_path, skip_bad=True)
    assert (len(images), numbers(images.held_out)) == (6, [3, 7])
    assert attributes_fit(images)


def test_official_order_shares_the_memory_of_all(tmp_path, faces_zip):
    (faces_zip.parent / "list_eval_partition.txt").write_text(partition_list("0000001122"))
    images = celeba(faces_zip, tmp_path)
    parts = images, images.validation, images.held_out
    assert len({part.pixels.untyped_storage().data_ptr() for part in parts}) == 1


def test_second_start_reads_the_cache(tmp_path, faces_zip, kept, monkeypatch):
    first = celeba(faces_zip, tmp_path)
    monkeypatch.setattr(album, "shrink", lambda *args: pytest.fail("decodes again"))
    second = celeba(faces_zip, tmp_path)
    assert (second.sha256, second.name) == (first.sha256, first.name)
    assert torch.equal(second.attributes, first.attributes)


def test_zip_and_its_unpacked_folder_do_not_share_a_cache(tmp_path, faces_zip, kept):
    with zipfile.ZipFile(faces_zip) as archive:
        archive.extractall(faces_zip.parent)
    for source in (faces_zip, faces_zip.with_suffix("")):
        celeba(source, tmp_path)
    assert len(list((tmp_path / "root").iterdir())) == 2


def test_bad_picture_is_named_or_skipped(tmp_path, faces_zip, kept):
    write_zip(faces_zip, face_files() | {"img_align_celeba/000004.jpg": b"?"})
    named = rf"{faces_zip}/img_align_celeba/000004\.jpg: cannot be used .*skip_bad=True"
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
    with refused(ValueError, r"img_align_celeba/face\.jpg: .*not named like 000001\.jpg.*skip_bad=True"):
        celeba(path, tmp_path)
    images = celeba(path, tmp_path, skip_bad=True)
    assert "1 bad pictures skipped, 1 of 10 listed missing" in images.name
    assert attributes_fit(images)


def test_missing_pictures_are_named_or_counted(tmp_path, faces_zip, kept):
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


@pytest.mark.parametrize(
    "data",
    [
        *("\n".join(GOOD) + last for last in ("", "\n", " \n\n")),
        "\r\n".join([*GOOD, ""]),
        "\n".join(GOOD).replace(" ", "   "),
        "\n".join(GOOD).replace(" ", "\t"),
        "\n".join(GOOD[1:]),
        as_csv("\n".join(GOOD[2:]), "image_id Bangs Male"),
        as_csv("\n".join(GOOD[2:]), "image_id Bangs Male").replace(",", ", "),
        as_csv("\n".join(GOOD[2:]), "image_id Bangs Male").replace("-1", "0"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_forms_of_a_list(tmp_path, data, encoding):
    (tmp_path / "list_attr_celeba.csv").write_bytes(data.encode(encoding))
    listed = read_list(Album(tmp_path, {}, {}, None), "list_attr_celeba")
    assert (listed.columns.tolist(), listed.index.tolist()) == (["Bangs", "Male"], [1, 2])
    assert (listed > 0).to_numpy().tolist() == [[0, 1], [1, 1]]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["?"],
        ["2"],
        [*GOOD[:3], "000002.jpg 1"],
        [*GOOD[:3], "000002.jpg 1 1 1"],
        [*GOOD[:3], "000002.jpg 1 2"],
        [*GOOD[:3], "000002.jpg 1 257"],
        [*GOOD[:3], "000002.jpg 1 0.5"],
        [*GOOD[:3], "000002.jpg 1 -"],
        [*GOOD[:3], "000002.jpg 1-1 1"],
        [*GOOD[:3], "2.jpg 1 1"],
        [*GOOD[:3], "000002.gif 1 1"],
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
    with refused(ValueError, f"{path}: a row must be a name like .*; copy it again"):
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
    drive.refuses.clear()
    assert len(load_images("celeba", "download", root=tmp_path / "data")) == 9


def test_download_fetches_the_zip_beside_a_list(tmp_path, drive):
    write_list(tmp_path / "data" / "celeba" / "list_attr_celeba.txt")
    assert len(load_images("celeba", "download", root=tmp_path / "data")) == 9
    assert drive.asked == ["img_align_celeba.zip"]


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

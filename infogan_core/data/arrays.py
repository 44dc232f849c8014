"""Arrays of an .npz or .npy, never unpickled: somebody's own images, and the files of well-known data sets."""

import math
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from infogan_core.data.images import SIZES, ImageSet, at_least_two, image_set, natural, one_line

PARTS = ("train", "held out", "validation")
LAYOUTS = (  # keys, in any case, of the pictures and labels of each of the PARTS; the first row that fits is read
    "images labels",
    "x_train y_train x_test y_test x_val y_val",  # Keras
    "train_images train_labels test_images test_labels val_images val_labels",  # MedMNIST
    "imgs",  # dSprites
    "x y",
    "image label",
    "data labels",
    "arr_0 arr_1",  # np.savez without names
)
DSPRITES = ("color", "shape", "scale", "orientation", "posX", "posY")  # the columns of its latents_classes
FORMS = [(side, side, channels) for side in SIZES for channels in (1, 3)]
LARGEST, SMALL, MOST_TIMES = 4 << 30, 256 << 20, 150  # dSprites: 2.8 GiB, 112 times its file
CHUNK = 4096  # pictures


@dataclass(frozen=True)
class Header:
    """What a file says of an array, before any of it is read."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


Parts = dict[str, tuple[np.ndarray | Header, np.ndarray | Header | None]]  # the pictures and labels of each part


def read_arrays(path: Path) -> ImageSet:
    """An .npz or .npy with keys of LAYOUTS; a fifth, at most 10,000, is held out where the file has no such part.

    `attributes` [N, A] with `attribute_names` [A] are read too, and dSprites' factors. Raises ValueError, naming the
    file, before memory is taken for what is too large or has another form.
    """
    headers = read_headers(path)
    keys = {key.lower(): key for key in headers}
    row = next((row.split() for row in LAYOUTS if row.split()[0] in keys), None)
    if row is None:
        others = ", ".join(row.split()[0] for row in LAYOUTS[1:])
        found = ", ".join(headers) or "no arrays"
        raise ValueError(f"{path}: needs an array named 'images' (or {others}), found {found}")
    row = [keys.get(key) for key in row] + [None] * 5
    pairs = {part: row[i : i + 2] for i, part in zip((0, 2, 4), PARTS, strict=True) if row[i]}
    table = next((key for key in ("attributes", "latents_classes") if key in headers), None)
    wanted = [key for pair in pairs.values() for key in pair if key] + ([table] if table else [])
    if table == "attributes" and "attribute_names" in headers:
        wanted.append("attribute_names")
    check_readable(path, headers, wanted)
    n = _check_parts(_look_up(pairs, headers), path)
    if table:
        names = headers.get("attribute_names", Header((0,), np.dtype("U1"))).shape
        columns = math.prod(names) if table == "attributes" else len(DSPRITES)
        if headers[table].shape != (n, columns):
            found = f"one column per name, found {list(headers[table].shape)}"
            raise ValueError(f"{path}: {table} must be numbers [{n}, {columns}], {found}")
    arrays = load_named(path, wanted)
    images = build(_look_up(pairs, arrays), path, path.name, _factors(arrays))
    left_out = [f"{key} (a pickle)" if headers[key].dtype.hasobject else key for key in headers if key not in wanted]
    return replace(images, notes=(*images.notes, *[f"Not read: {', '.join(left_out)}."] * bool(left_out)))


def _look_up(pairs: dict[str, list[str | None]], named: dict) -> Parts:
    return {part: (named[images], named.get(labels)) for part, (images, labels) in pairs.items()}


def _factors(arrays: dict[str, np.ndarray]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """What else is known of each picture, and the names of its columns."""
    if "attributes" in arrays:
        return arrays["attributes"], tuple(map(str, arrays["attribute_names"].ravel()))
    if "latents_classes" in arrays:  # all sprites are white
        return arrays["latents_classes"][:, 1:], DSPRITES[1:]
    return None, ()


def read_headers(path: Path) -> dict[str, Header]:
    """The headers of a file's arrays; an .npy's is called "images". Raises ValueError, naming the file."""
    if not path.is_file():
        raise ValueError(f"{path}: is not a plain file")
    with path.open("rb") as file:  # one that must not be read is not called damaged
        try:
            if file.peek(2)[:2] != b"PK":
                return {"images": _read_header(file, path.stat().st_size)}
            headers = {}
            with zipfile.ZipFile(file) as archive:
                for info in archive.infolist():
                    if info.filename.endswith(".npy"):
                        with archive.open(info) as member:
                            headers[info.filename.removesuffix(".npy")] = _read_header(member, info.file_size)
            return headers
        except Exception as error:  # NumPy, zipfile, zlib and struct each raise their own
            raise ValueError(f"{path}: cannot be read, write plain arrays with np.savez ({one_line(error)})") from None


def _read_header(file: BinaryIO, n_bytes: int) -> Header:
    """The header of an .npy of n_bytes. Raises ValueError where it promises another number."""
    read = npy.read_array_header_1_0 if npy.read_magic(file) == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    header = Header(shape, dtype)
    if not dtype.hasobject and (any(n < 0 for n in shape) or file.tell() + header.n_bytes != n_bytes):
        raise ValueError(f"{n_bytes:,} bytes are not the {dtype} {shape} of the header")
    return header


def check_readable(path: Path, headers: dict[str, Header], names: list[str]) -> None:
    """Raise ValueError for pickles, and for more than memory should be taken for."""
    for name in names:
        if headers[name].dtype.hasobject:
            raise ValueError(f"{path}: {name} is a pickle, which is never read; write plain arrays with np.savez")
    check_unpacked(path, sum(headers[name].n_bytes for name in names), path.stat().st_size)


class TooLarge(ValueError):
    """What a header promises is more than is read."""


def check_unpacked(where: object, n_bytes: int, stored: int) -> None:
    """Raise TooLarge for more than 4 GiB, and above 256 MiB for more than 150 times the bytes that are stored."""
    if n_bytes > LARGEST or n_bytes > max(SMALL, MOST_TIMES * stored):
        found = f"says that it holds {n_bytes / 2**30:,.2f} GiB, in {stored / 2**20:,.2f} MiB"
        raise TooLarge(f"{where}: {found}; at most 4 GiB, and {MOST_TIMES} times what is stored, are read")


def load_named(path: Path, names: list[str]) -> dict[str, np.ndarray]:
    """The arrays of these names, whose headers have been checked. Raises ValueError, naming the file."""
    try:
        loaded = np.load(path, allow_pickle=False)
        return {"images": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in names}
    except Exception as error:  # NumPy, zipfile, zlib and struct each raise their own
        raise ValueError(f"{path}: cannot be read, copy or write it again ({one_line(error)})") from None


def build(
    parts: Parts, where: Path, own: str, factors: tuple[np.ndarray | None, tuple[str, ...]] = (None, ())
) -> ImageSet:
    """The ImageSet of arrays in any form that is understood, `own` its name for people; the notes say what was done.

    Raises ValueError, naming `where`, for another form or values.
    """
    _check_parts(parts, where)
    orders, pixels = zip(*(_orders(images) for images, _ in parts.values()), strict=True)
    notes = tuple(f"The pictures are stored {order}." for order in dict.fromkeys(orders) if order)
    pixels, stretched = _to_uint8(pixels, where)
    labels, label_names = _count_classes([labels for _, labels in parts.values()], where)
    n = [f"{len(images):,}" for images in pixels]
    test = f" and {n[1]} test images" if "held out" in parts else ""
    name, sets = f"own images ({n[0]}{test} from {own})", {}
    for part, images, numbers in zip(parts, pixels, labels, strict=True):
        made = image_set(images, numbers, f"{name}, {part}" if sets else name)
        sets[part] = replace(made, label_names=() if numbers is None else label_names, notes=notes + stretched)
    images = replace(sets["train"], attributes=factors[0], attribute_names=factors[1])
    held_out = sets.get("held out")
    images = replace(images, held_out=held_out) if held_out else images.hold_out_fifth()
    return replace(images, validation=sets.get("validation"))


def _check_parts(parts: Parts, where: Path) -> int:
    """The number of training pictures. Raises ValueError where shapes or types cannot be used; no values are read."""
    forms = {}
    for part, (images, labels) in parts.items():
        if images.dtype.kind not in "buif":
            raise ValueError(f"{where}: images must be numbers, found {images.dtype}")
        view = _orders(np.broadcast_to(np.uint8(0), images.shape))[1]
        if view is None:
            form = f"[N, H, W] or [N, H, W, C], {', '.join(f'{side}x{side}' for side in SIZES)}, C 1 or 3"
            raise ValueError(f"{where}: images must be {form}, found {images.shape}; transpose or resize them")
        forms[part], n = view.shape[1:], len(view)
        if part == "train" or n == 0:
            at_least_two(n, where)
        if labels is not None and (labels.shape not in ((n,), (n, 1)) or labels.dtype.kind not in "buifUS"):
            found = f"found {labels.dtype} {list(labels.shape)}"
            raise ValueError(f"{where}: labels must be whole numbers [{n}], one per picture, {found}")
    if len(set(forms.values())) > 1:
        raise ValueError(f"{where}: all pictures must have one size and number of channels, found {forms}")
    return len(_orders(np.broadcast_to(np.uint8(0), parts["train"][0].shape))[1])


def _orders(images: np.ndarray) -> tuple[str, np.ndarray | None]:
    """How pictures are stored, if not as [N, H, W, C], and a view of them as that; None if they are none."""
    views = {}
    if images.ndim == 2 and (side := math.isqrt(images.shape[1])) ** 2 == images.shape[1]:
        views = {f"as rows of {side * side} pixels": images.reshape(len(images), side, side, 1)}
    elif images.ndim == 3:
        views = {"": images[..., None]}
    elif images.ndim == 4:
        first, last = "with their channels first (NCHW)", "along the last axis (HWCN)"
        views = {"": images, first: images.transpose(0, 2, 3, 1), last: images.transpose(3, 0, 1, 2)}
    return next(((order, view) for order, view in views.items() if view.shape[1:] in FORMS), ("", None))


def _to_uint8(pictures: tuple[np.ndarray, ...], where: Path) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """All parts in 0..255 by one rule, that their smallest and largest value decide, and what to say of it."""
    low, high = (float(f([f(images) for images in pictures])) for f in (np.min, np.max))
    kinds = sorted({str(images.dtype) for images in pictures})
    if kinds == ["uint8"] and high != 1:
        return list(pictures), ()
    if low >= 0 and high <= 1:
        scale, offset, said = 255, 0, "0 to 1 were stretched to 0 to 255"
    elif low >= -1 and high <= 1:
        scale, offset, said = 127.5, 127.5, "-1 to 1 were stretched to 0 to 255"
    elif low >= 0 and high <= 255:
        scale, offset, said = 1, 0, "0 to 255 were kept"
    else:  # NaN, too
        must = "0..255, 0..1 or -1..1"
        raise ValueError(f"{where}: images must be in {must}, found {'/'.join(kinds)} from {low:g} to {high:g}")
    converted = []
    for images in pictures:
        out = images if images.dtype == np.uint8 and images.flags.writeable else np.empty(images.shape, np.uint8)
        for i in range(0, len(images), CHUNK):
            values = images[i : i + CHUNK].astype(np.float32) * scale + offset
            if scale == 1 and (values % 1).any():
                raise ValueError(
                    f"{where}: images in 0..255 must be whole numbers, found {'/'.join(kinds)}; round them"
                )
            out[i : i + CHUNK] = np.rint(values)
        converted.append(out)
    return converted, (f"Values of type {'/'.join(kinds)} from {said}.",)


def _count_classes(parts: list[np.ndarray | None], where: Path) -> tuple[list[np.ndarray | None], tuple[str, ...]]:
    """The labels of all parts as 0, 1, ..., and what these are called where they were something else."""
    given = [labels.ravel() for labels in parts if labels is not None]
    if not given:
        return parts, ()
    everything = np.concatenate(given)
    if everything.dtype.kind in "SU":
        values, numbers = np.unique(everything, return_inverse=True)
        names = [value.decode(errors="replace") if isinstance(value, bytes) else value for value in values.tolist()]
        order = sorted(range(len(names)), key=lambda i: natural(names[i]))
    else:
        with np.errstate(invalid="ignore"):
            whole = everything.astype(np.int64)
        if (whole != everything).any():  # NaN, too
            raise ValueError(f"{where}: labels must be whole numbers, found other {everything.dtype}; round them")
        values, numbers = np.unique(whole, return_inverse=True)
        names, order = [str(value) for value in values], range(len(values))
        if (values == order).all():
            names = []
    ends = np.cumsum([len(labels) for labels in given])[:-1]
    numbers = iter(np.split(np.argsort(order)[numbers], ends))
    names = tuple(names[i] for i in order) if names else ()
    return [None if labels is None else next(numbers) for labels in parts], names

"""Arrays of an .npz or .npy, never unpickled: somebody's own images, and the files of well-known data sets."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from infogan_core.data.images import SIZES, ImageSet, at_least_two, image_set, natural
from infogan_core.data.reading import TooLarge, check_packing, reading

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
Parts = dict[str, tuple[np.ndarray, np.ndarray | None]]  # the pictures and labels of each part


def read_arrays(path: Path) -> ImageSet:
    """An .npz or .npy with keys of LAYOUTS; a fifth, at most 10,000, is held out where the file has no such part.

    `attributes` [N, A] with `attribute_names` [A] are read too, and dSprites' factors. Raises ValueError, naming the
    file, for what is too large, damaged or of another form.
    """
    with reading(path, "cannot be read, write plain arrays with np.savez"):
        with path.open("rb") as file:
            if file.read(4) not in (b"PK\3\4", b"PK\5\6", b"\x93NUM"):  # NumPy would call it a pickle
                raise ValueError("no .npz or .npy")
        arrays = np.load(path, allow_pickle=False, mmap_mode="r")
    if isinstance(arrays, np.ndarray):
        return build({"train": (arrays, None)}, path, path.name)
    keys = {key.lower(): key for key in arrays}
    row = next((row.split() for row in LAYOUTS if row.split()[0] in keys), None)
    if row is None:
        others = ", ".join(row.split()[0] for row in LAYOUTS[1:])
        found = ", ".join(arrays) or "no arrays"
        raise ValueError(f"{path}: needs an array named 'images' (or {others}), found {found}")
    row = [keys.get(key) for key in row] + [None] * 5
    pairs = {part: row[i : i + 2] for i, part in zip((0, 2, 4), PARTS, strict=True) if row[i]}
    factors = {"attributes", "attribute_names"} if "attributes" in arrays else {"latents_classes"}
    wanted = [key for key in arrays if key in factors or any(key in pair for pair in pairs.values())]
    with reading(path, "cannot be read, write plain arrays with np.savez"):
        entries = [info for info in arrays.zip.infolist() if info.filename.removesuffix(".npy") in wanted]
        for info in entries:
            check_packing(info)
        check_unpacked(path, sum(info.file_size for info in entries), path.stat().st_size)
        named = {key: np.asarray(arrays[key]) for key in wanted}
    parts = {part: (named[images], named.get(labels)) for part, (images, labels) in pairs.items()}
    images = build(parts, path, path.name, *_factors(named))
    left_out = ", ".join(key for key in arrays if key not in wanted)
    return replace(images, notes=(*images.notes, f"Not read: {left_out}.")) if left_out else images


def _factors(arrays: dict[str, np.ndarray]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """What else is known of each picture, and the names of its columns."""
    if (table := arrays.get("attributes")) is not None:
        names = arrays.get("attribute_names", np.array([])).ravel()
        return table, tuple(map(str, names[: table.size + 1]))  # empty names take no bytes, however many there are
    if (table := arrays.get("latents_classes")) is not None and table.shape[1:] == (len(DSPRITES),):
        return table[:, 1:], DSPRITES[1:]  # all sprites are white
    return None, ()


def most_unpacked(stored: int) -> int:
    """How many bytes are unpacked at most from so many that are stored."""
    return min(LARGEST, max(SMALL, MOST_TIMES * stored))


def check_unpacked(where: object, n_bytes: int, stored: int) -> None:
    """Raise TooLarge for more than 4 GiB, and above 256 MiB for more than 150 times the bytes that are stored."""
    if n_bytes > most_unpacked(stored):
        found = f"says that it holds {n_bytes / 2**30:,.2f} GiB, in {stored / 2**20:,.2f} MiB"
        raise TooLarge(f"{where}: {found}; at most 4 GiB, and {MOST_TIMES} times what is stored, are read")


def build(
    parts: Parts, where: Path, own: str, attributes: np.ndarray | None = None, attribute_names: tuple[str, ...] = ()
) -> ImageSet:
    """The ImageSet of arrays in any form that is understood, `own` its name for people; the notes say what was done.

    Raises ValueError, naming `where`, for another form or values.
    """
    _check_parts(parts, where)
    orders, pixels = zip(*(_orders(images) for images, _ in parts.values()), strict=True)
    notes = [f"The pictures are stored {order}." for order in dict.fromkeys(orders) if order]
    pixels, stretched = _to_uint8(pixels, where)
    labels, label_names = _count_classes([labels for _, labels in parts.values()], where)
    test = f" and {len(parts['held out'][0]):,} test images" if "held out" in parts else ""
    name, sets = f"own images ({len(pixels[0]):,}{test} from {own})", {}
    for part, images, numbers in zip(parts, pixels, labels, strict=True):
        made = image_set(images, numbers, f"{name}, {part}" if sets else name)
        names = () if numbers is None else label_names
        sets[part] = replace(made, label_names=names, notes=(*notes, *stretched))
    images = replace(sets["train"], attributes=attributes, attribute_names=attribute_names)
    held_out = sets.get("held out")
    images = replace(images, held_out=held_out) if held_out else images.hold_out_fifth()
    return replace(images, validation=sets.get("validation"))


def _check_parts(parts: Parts, where: Path) -> None:
    """Raise ValueError where shapes or types cannot be used; no values are read."""
    forms = {}
    for part, (images, labels) in parts.items():
        if images.dtype.kind not in "buif":
            raise ValueError(f"{where}: images must be numbers, found {images.dtype}")
        pictures = _orders(images)[1]
        if pictures is None:
            form = f"[N, H, W] or [N, H, W, C], {', '.join(f'{side}x{side}' for side in SIZES)}, C 1 or 3"
            raise ValueError(f"{where}: images must be {form}, found {images.shape}; transpose or resize them")
        forms[part], n = pictures.shape[1:], len(pictures)
        if part == "train" or n == 0:
            at_least_two(n, where)
        if labels is not None and (labels.shape not in ((n,), (n, 1)) or labels.dtype.kind not in "buifUS"):
            found = f"found {labels.dtype} {list(labels.shape)} (of one-hot labels, give labels.argmax(1))"
            raise ValueError(f"{where}: labels must be whole numbers [{n}], one per picture, {found}")
    if len(set(forms.values())) > 1:
        raise ValueError(f"{where}: all pictures must have one size and number of channels, found {forms}")


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


def _to_uint8(pictures: tuple[np.ndarray, ...], where: Path) -> tuple[list[np.ndarray], list[str]]:
    """All parts in 0..255 by one rule, that their smallest and largest value decide, and what to say of it."""
    low, high = (float(f([f(images) for images in pictures])) for f in (np.min, np.max))
    kinds = "/".join(sorted({str(images.dtype) for images in pictures}))
    if kinds == "uint8" and high != 1:
        return list(pictures), []
    if low >= 0 and high <= 1:
        scale, offset, said = 255, 0, "0 to 1 were stretched to 0 to 255"
    elif low >= -1 and high <= 1:
        scale, offset, said = 127.5, 127.5, "-1 to 1 were stretched to 0 to 255"
    elif low >= 0 and high <= 255:
        scale, offset, said = 1, 0, "0 to 255 were kept"
    else:  # NaN, too
        raise ValueError(f"{where}: images must be in 0..255, 0..1 or -1..1, found {kinds} from {low:g} to {high:g}")
    converted = []
    for images in pictures:
        out = images if images.dtype == np.uint8 and images.flags.writeable else np.empty(images.shape, np.uint8)
        for i in range(0, len(images), CHUNK):
            values = images[i : i + CHUNK].astype(np.float32) * scale + offset
            if scale == 1 and (values % 1).any():
                raise ValueError(f"{where}: images in 0..255 must be whole numbers, found {kinds}; round them")
            out[i : i + CHUNK] = np.rint(values)
        converted.append(out)
    return converted, [f"Values of type {kinds} from {said}."]


def _count_classes(parts: list[np.ndarray | None], where: Path) -> tuple[list[np.ndarray | None], tuple[str, ...]]:
    """The labels of all parts as 0, 1, ..., and what these are called where they were something else."""
    given = [labels.ravel() for labels in parts if labels is not None]
    if not given:
        return parts, ()
    everything = np.concatenate(given)
    if everything.dtype.kind == "S":
        everything = np.char.decode(everything, errors="replace")
    if is_number := everything.dtype.kind != "U":
        with np.errstate(invalid="ignore"):
            whole = everything.astype(np.int64)
        if (whole != everything).any():  # NaN, too
            raise ValueError(f"{where}: labels must be whole numbers, found other {everything.dtype}; round them")
        everything = whole
    values = sorted(set(everything.tolist()), key=None if is_number else natural)
    number_of = {value: i for i, value in enumerate(values)}
    numbers = np.array([number_of[value] for value in everything.tolist()])
    numbers = iter(np.split(numbers, np.cumsum([len(labels) for labels in given])[:-1]))
    names = () if values == list(range(len(values))) else tuple(map(str, values))
    return [None if labels is None else next(numbers) for labels in parts], names

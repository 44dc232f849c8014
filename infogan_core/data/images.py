"""ImageSet: pictures in memory as uint8, with those that are held out."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

SIZES = (28, 32, 64)  # what the networks take
LEAVE_OUT = "leave such out with skip_bad=True (make: SKIP_BAD=True; a command: --skip-bad)"


@dataclass(frozen=True, eq=False, repr=False)
class ImageSet:
    """Pictures in memory. Fields that hold tensors also take NumPy arrays and lists.

    pixels: uint8 [N, C, H, H] in 0..255, contiguous
    labels: whole numbers [N], or None
    name: what the pictures are and where they came from, for people
    held_out: pictures that are never trained on, an ImageSet or None: numbers are reported on them
    validation: others that are never trained on, to choose a recipe on: a data set's own, or see `validate_on_last`
    attributes: float32 [N, A], what else is known of each picture: CelebA's 40 as 0 or 1, or the factors of a rendering
    attribute_names: the A names
    kind: the data set that these pictures are: "mnist", "svhn", "celeba" or "sprites"; "own" for all else
    stand_in_note: what every figure of rendered pictures says ("rendered, not SVHN"); "" for real ones
    label_names: what label i is called, as somebody named it: ("cat", "dog"); (): the numbers are the names
    notes: sentences on how the files were read: what was converted, and what was left out, with its number

    Raises ValueError where these do not fit each other.
    """

    pixels: Tensor
    labels: Tensor | None
    name: str
    held_out: ImageSet | None = None
    attributes: Tensor | None = None
    attribute_names: tuple[str, ...] = ()
    kind: str = "own"
    stand_in_note: str = ""
    validation: ImageSet | None = None
    label_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = list(self._make_tensor("pixels").shape)
        square = shape[:3] + shape[2:3] if len(shape) == 4 and all(shape) else None
        columns = [*shape[:1], len(self.attribute_names)]
        for field, dtype, wanted, form in (
            ("pixels", torch.uint8, square, "uint8 [N, C, H, H]"),
            ("labels", torch.int64, shape[:1], f"whole numbers {shape[:1]}"),
            ("attributes", torch.float32, columns, f"numbers {columns}, one column per name"),
        ):
            found = self._make_tensor(field)
            if found is not None and (found.dtype != dtype or list(found.shape) != wanted):
                raise ValueError(f"{self.name}: {field} must be {form}, found {found.dtype} {list(found.shape)}")
        if self.attributes is not None and not self.attributes.isfinite().all():
            raise ValueError(f"{self.name}: attributes must be finite")
        if self.label_names and not 0 <= self.labels.min() <= self.labels.max() < len(self.label_names):
            raise ValueError(f"{self.name}: labels must be 0 to {len(self.label_names) - 1}, one per label name")

    def _make_tensor(self, field: str) -> Tensor | None:
        """Arrays and lists become tensors, which share an array's memory; labels int64, and attributes float32."""
        value = getattr(self, field)
        if value is None and field != "pixels":
            return None
        try:
            if not isinstance(value, Tensor):
                value = torch.from_numpy(np.require(value, requirements=["C", "W"]))
        except (TypeError, ValueError):  # text, rows of several lengths
            this = type(value).__name__
            raise ValueError(f"{self.name}: {field} must be an array of numbers; this {this} is not") from None
        if field == "labels" and not (value.is_floating_point() or value.dtype == torch.bool):
            value = value.long()
        value = value.float() if field == "attributes" else value.contiguous()
        object.__setattr__(self, field, value)
        return value

    def __repr__(self) -> str:
        n, (channels, size) = len(self), self.pixels.shape[1:3]
        held_out = f", {len(self.held_out):,} held out" if self.held_out else ""
        return f"ImageSet({self.name!r}, kind {self.kind!r}: {n:,} of {channels}x{size}x{size}{held_out})"

    @property
    def stand_in(self) -> bool:
        """Whether these are rendered in place of the data set that they are called after."""
        return bool(self.stand_in_note)

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def size(self) -> int:
        """H, which is W."""
        return self.pixels.shape[2]

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""
        return self.pixels.shape[1]

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the shape and the pixels, the same on every machine."""
        digest = hashlib.sha256(repr(tuple(self.pixels.shape)).encode())
        digest.update(self.pixels.cpu().numpy())
        return digest.hexdigest()

    def pick(self, which: Tensor | slice, name: str) -> ImageSet:
        """The pictures at `which`, a slice or int64 [n], with none held out; a run of neighbours is a view of all."""
        if isinstance(which, Tensor) and len(which) and (which.diff() == 1).all():
            which = slice(which[0], which[-1] + 1)
        fields = {"pixels": self.pixels, "labels": self.labels, "attributes": self.attributes}
        picked = {field: None if values is None else values[which] for field, values in fields.items()}
        return replace(self, **picked, name=name, held_out=None, validation=None)

    def split(self, parts: np.ndarray) -> ImageSet:
        """Those of part 0 to train on, 1 for validation and 2 held out: parts [N]. Raises ValueError without any 0."""
        if not (parts == 0).any():
            raise ValueError(f"{self.name}: no picture of {len(self):,} would be left to train on")
        names = (self.name, f"{self.name}, validation", f"{self.name}, held out")
        at = [torch.from_numpy(np.flatnonzero(parts == part)) for part in range(3)]
        train, validation, test = (self.pick(i, name) if len(i) else None for i, name in zip(at, names, strict=True))
        return replace(train, validation=validation, held_out=test)

    def hold_out_last(self, n: int) -> ImageSet:
        """The last n of them held out; nothing is copied."""
        return self.split(np.where(np.arange(len(self)) < len(self) - n, 0, 2))

    def validate_on_last(self, n: int) -> ImageSet:
        """The last n of them for validation, to choose a recipe on; what is held out stays for the report."""
        rest = self.split(np.where(np.arange(len(self)) < len(self) - n, 0, 1))
        return replace(rest, name=f"{self.name}, {n:,} of them kept back", held_out=self.held_out)

    def hold_out_fifth(self) -> ImageSet:
        """A fifth of them held out, at most 10,000, in an order that no seed changes."""
        order, n = fifth_last(len(self))
        return self.pick(order, self.name).hold_out_last(n)


def image_set(images: np.ndarray, labels: np.ndarray | None, name: str, kind: str = "own") -> ImageSet:
    """NumPy's uint8 [N, H, W, C] and whole-number labels [N] as an ImageSet."""
    return ImageSet(images.transpose(0, 3, 1, 2), labels, name, kind=kind)


def fixed_order(n: int) -> Tensor:
    """A fixed order of n images, int64 [n]. NumPy will never change RandomState's stream, unlike default_rng's."""
    return torch.from_numpy(np.random.RandomState(0).permutation(n))


def fifth_last(n: int) -> tuple[Tensor, int]:
    """A fixed order of n images, int64 [n], and how many at its end are to be held out: a fifth, at most 10,000."""
    held_out = min(max(1, n // 5), 10_000)
    return fixed_order(n).roll(-held_out), held_out


def natural(name: str) -> list[tuple[int, int, str]]:
    """The key by which people sort names: "2" before "10"."""
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def at_least_two(n: int, where: object) -> None:
    """Raise ValueError, naming the place, where there are too few images to hold one out."""
    if n < 2:
        raise ValueError(f"{where}: holds {n} images, at least 2 are needed (one to train on, one held out)")

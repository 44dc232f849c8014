"""ImageSet, images in memory as uint8, and how some of them are held out. sources.py says where they come from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

SIZES = (28, 32, 64)  # what the networks take


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images in memory: `pixels` uint8 [N, C, H, W] in 0..255, square, and `labels` int64 [N] or None.

    `name` says to people what they are and where they came from; `held_out` are images never trained on;
    `attributes` float32 [N, A] are what else is known of each, called `attribute_names`: CelebA's 40 as 0 or 1, or the
    factors that a picture was drawn from. `kind` is the data set that they are, "mnist", "svhn", "celeba" or "sprites",
    and "own" for all else. `stand_in_note` stands on every figure made of rendered ones ("rendered, not SVHN").
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

    def __post_init__(self) -> None:
        shape, labels, attributes = list(self.pixels.shape), self.labels, self.attributes
        if self.pixels.dtype != torch.uint8 or len(shape) != 4 or shape[2] != shape[3] or 0 in shape:
            raise ValueError(f"{self.name}: pixels must be uint8 [N, C, H, H], found {self.pixels.dtype} {shape}")
        if labels is not None and (labels.dtype != torch.int64 or list(labels.shape) != shape[:1]):
            found = f"{labels.dtype} {list(labels.shape)}"
            raise ValueError(f"{self.name}: labels must be int64 {shape[:1]}, found {found}")
        wanted = [shape[0], len(self.attribute_names)]
        if attributes is not None and (attributes.dtype != torch.float32 or list(attributes.shape) != wanted):
            found = f"{attributes.dtype} {list(attributes.shape)}"
            raise ValueError(f"{self.name}: attributes must be float32 {wanted}, one column per name, found {found}")

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
        """Hex digest over the shape and the pixels, the same on every machine."""
        digest = hashlib.sha256(repr(tuple(self.pixels.shape)).encode())
        digest.update(self.pixels.cpu().contiguous().numpy())
        return digest.hexdigest()

    def pick(self, which: Tensor | slice, name: str) -> ImageSet:
        """Those at `which`, a slice (shares this set's memory) or int64 [n] (one copy), none of them held out."""

        def rows(t: Tensor | None) -> Tensor | None:
            if t is None or isinstance(which, slice):
                return t if t is None else t[which]
            return t.index_select(0, which)  # contiguous whatever t's strides; t[which] would keep them

        pixels, labels, attributes = map(rows, (self.pixels, self.labels, self.attributes))
        return replace(self, pixels=pixels, labels=labels, attributes=attributes, name=name, held_out=None)

    def of_kind(self, kind: str) -> ImageSet:
        """The same, held-out ones as well, as a data set that they were found to be."""
        held_out = self.held_out and replace(self.held_out, kind=kind)
        return replace(self, kind=kind, held_out=held_out)

    def hold_out(self, held_out: Tensor | slice, train: Tensor | slice) -> ImageSet:
        """Those at `train`, with those at `held_out` held out."""
        return replace(self.pick(train, self.name), held_out=self.pick(held_out, f"{self.name}, held out"))

    def hold_out_fifth(self) -> ImageSet:
        """A fifth of them held out, at most 10,000, in an order that no seed changes."""
        order, n = fixed_order(len(self)), min(max(1, len(self) // 5), 10_000)
        return self.hold_out(order[:n], order[n:])

    def hold_out_last(self, n: int) -> ImageSet:
        """The last n of them held out; nothing is copied."""
        return self.hold_out(slice(len(self) - n, None), slice(len(self) - n))


def image_set(images: np.ndarray, labels: np.ndarray | None, name: str, kind: str = "own") -> ImageSet:
    """NumPy's uint8 [N, H, W, C], writable, and whole-number labels [N] as an ImageSet that shares the pixels."""
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
    return ImageSet(pixels, None if labels is None else torch.from_numpy(labels.astype(np.int64)), name, kind=kind)


def fixed_order(n: int) -> Tensor:
    """A fixed order of n images, int64 [n]. NumPy keeps RandomState's stream for ever, and default_rng's not."""
    return torch.from_numpy(np.random.RandomState(0).permutation(n))


def at_least_two(n: int, where: object) -> None:
    """Raise ValueError, naming the place, where there are too few images to hold one out."""
    if n < 2:
        raise ValueError(f"{where}: holds {n} images, at least 2 are needed (one to train on, one held out)")


def one_line(error: Exception | str) -> str:
    """What an error says, or a file is called, in one line, whatever library raised it."""
    return " ".join(str(error).split()) or type(error).__name__

"""A small classifier and its file: it reads what pictures show, and pictures are compared in its features."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from infogan_core.data.images import ImageSet
from infogan_core.files import PUBLISHED, write_whole

FOLDER = PUBLISHED / "features"
SIDE = 32  # pictures of other sizes are averaged to it
N_FEATURES = 96  # per picture: few enough that a few thousand pictures determine their covariance


@dataclass(frozen=True)
class Head:
    """One thing that is read off a picture: its `values`, and the `edges` between their numbers, one fewer."""

    name: str
    values: tuple[str, ...]  # ("no", "yes") for an attribute that is there or not
    edges: tuple[float, ...]

    def encode(self, column: Tensor) -> Tensor:
        """Numbers [N] -> the index of their value, int64 [N]."""
        return torch.bucketize(column.double(), torch.tensor(self.edges, dtype=torch.float64))


class ClassifierNet(nn.Module):
    """Four 3x3 convolutions and a layer of N_FEATURES, with batch norm: RGB [N, 3, H, H] -> logits of all heads."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        layers = []
        for before, width, pool in ((3, 32, True), (32, 64, True), (64, 128, False), (128, 128, True)):
            layers += [nn.Conv2d(before, width, 3, padding=1, bias=False), *[nn.MaxPool2d(2)] * pool]
            layers += [nn.BatchNorm2d(width), nn.ReLU()]
        self.trunk = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * (SIDE // 8) ** 2, N_FEATURES, bias=False))
        self.norm = nn.BatchNorm1d(N_FEATURES)
        self.head = nn.Sequential(nn.ReLU(), nn.Dropout(0.2), nn.Linear(N_FEATURES, outputs))
        self.to(memory_format=torch.channels_last)  # a quarter faster on a CPU

    def features(self, x: Tensor) -> Tensor:
        """[N, 3, H, H] in 0..1 -> [N, N_FEATURES], before the last ReLU: nearer to Gaussian than after it."""
        return self.norm(self.trunk(adaptive_avg_pool2d(x, SIDE) * 2 - 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


class Classifier:
    """A trained classifier: `heads` are what it reads, `about` says what it was trained on and how well it reads."""

    def __init__(self, net: ClassifierNet, heads: tuple[Head, ...], about: dict[str, Any]) -> None:
        self.net, self.heads, self.about = net.eval().requires_grad_(False), heads, about

    @torch.no_grad()
    def penultimate(self, x: Tensor) -> Tensor:
        """Pictures [N, 3 or 1, H, H], float in 0..1 or uint8 -> features [N, N_FEATURES]. ValueError for others."""
        if x.dim() != 4 or x.shape[1] not in (1, 3) or not (x.is_floating_point() or x.dtype == torch.uint8):
            found = f"{x.dtype} {list(x.shape)}"
            raise ValueError(f"this classifier reads float in 0..1 or uint8 [N, 3 or 1, H, H], found {found}")
        return torch.cat([self.net.features(rgb(part)) for part in x.split(500)])

    @torch.no_grad()
    def classify(self, features: Tensor) -> dict[str, Tensor]:
        """Features [N, N_FEATURES] -> per head the probabilities of its values [N, V]."""
        logits = self.net.head(features).split([len(head.values) for head in self.heads], dim=1)
        return {head.name: part.softmax(dim=1) for head, part in zip(self.heads, logits, strict=True)}

    def read(self, x: Tensor) -> dict[str, Tensor]:
        """Pictures, as for `penultimate` -> per head the probabilities of its values [N, V]: {"digit": [N, 10]}."""
        return self.classify(self.penultimate(x))

    def save(self, path: str | Path) -> None:
        """Weights in fp16, safetensors; the metadata holds `heads` and `about` as JSON."""
        state = {k: (t.half() if t.is_floating_point() else t).contiguous() for k, t in self.net.state_dict().items()}
        metadata = {"heads": json.dumps([asdict(head) for head in self.heads]), "about": json.dumps(self.about)}
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, save(state, metadata=metadata))


def rgb(x: Tensor) -> Tensor:
    """uint8 -> float in 0..1, float stays; grey becomes RGB."""
    return (x.float() / 255 if x.dtype == torch.uint8 else x.float()).expand(-1, 3, -1, -1)


def classifier_name(images: ImageSet) -> str:
    """Which classifier reads these: "svhn", or "svhn-rendered" for its stand-in."""
    return f"{images.kind}-rendered" if images.stand_in else images.kind


def find_classifier(images: ImageSet, path: str | os.PathLike | None = None) -> Classifier | None:
    """The classifier of such images at `path`, else the published one; None where none is published."""
    name = classifier_name(images)
    return load_classifier(name, path) if path or (FOLDER / f"{name}.safetensors").is_file() else None


def load_classifier(name: str, path: str | Path | None = None) -> Classifier:
    """The published classifier "mnist", "svhn", "celeba", "svhn-rendered" or "celeba-rendered", or the one at `path`.

    Raises FileNotFoundError where there is none, ValueError for a file that is cut short or another's.
    """
    path = FOLDER / f"{name}.safetensors" if path is None else Path(path)
    if not path.is_file():
        how = f"python -m infogan_core classifier {name.split('-')[0]} SOURCE"
        raise FileNotFoundError(f"no classifier for {name!r} at {path}: train it with `{how}`")
    try:
        with safe_open(path, framework="pt") as file:
            metadata, state = file.metadata() or {}, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        about = json.loads(metadata["about"])
        heads = tuple(Head(h["name"], tuple(h["values"]), tuple(h["edges"])) for h in json.loads(metadata["heads"]))
        net = ClassifierNet(sum(len(head.values) for head in heads))
        net.load_state_dict({k: t.float() if t.is_floating_point() else t for k, t in state.items()})
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        what = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        raise ValueError(f"{path} is cut short or no classifier of this version ({what})") from None
    if about.get("dataset") != name:
        raise ValueError(f"{path} is the classifier of {about.get('dataset')!r}, not of {name!r}")
    return Classifier(net, heads, about)

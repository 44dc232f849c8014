"""A run that paints its latents, for the tests of the explorer and its parts."""

import io
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

from infogan_core.model.latents import Categorical, LatentSpec, Uniform

MNIST = LatentSpec(3, (Categorical(10), Uniform(), Uniform()))
SPECS = {
    "mnist": MNIST,
    "svhn": LatentSpec(4, (*[Categorical(10)] * 4, *[Uniform(None)] * 4)),
    "celeba": LatentSpec(4, (Categorical(10),) * 10),
    "continuous": LatentSpec(4, (Uniform(), Uniform())),
    "binary": LatentSpec(4, (Categorical(2),)),
}


class PaintedRun:
    """Paints its latents, encoded, as columns of grey; Q believes in category 1 and in 0.25 +- 0.5."""

    def __init__(self, spec=MNIST, channels=1, names=None):
        size = {"image_size": 28, "channels": channels}
        self.config = SimpleNamespace(latents=spec, dataset="fake", objective="gan", **size)
        self.report, self.records, self.env = {"names": names or {}}, [], {}
        self.channels = channels
        self.pictures, self.broken, self.threads, self.codes = 0, None, [], None

    def generate(self, noise, codes):
        self.pictures += len(noise) == 1  # strips, sheets and samples are generated in one go
        self.threads.append(torch.get_num_threads())
        if self.broken:
            raise self.broken
        self.codes = codes if len(noise) == 1 else self.codes
        x = self.config.latents.encode(noise, codes).sigmoid()
        return x[:, None, None, :].expand(-1, self.channels, x.shape[1], -1)

    def infer(self, x):
        half = torch.full((len(x),), 0.5)
        beliefs = {Categorical: lambda c: torch.eye(c.k)[1:2] * 0.98, Uniform: lambda c: (half / 2, half)}
        return [beliefs[type(code)](code) for code in self.config.latents.codes]


def png(explorer) -> bytes:
    return bytes(explorer.picture.value)


def pixels(explorer) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png(explorer))))

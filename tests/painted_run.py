"""A run that paints its latents, for the tests of the explorer and its parts."""

from pathlib import Path
from types import SimpleNamespace

import torch

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

    def __init__(self, spec=MNIST, channels=1, names=None, path="here"):
        about = {"profile": "quick", "seed": 0, "lambda_info": (1.0, 0.5), "objective": "gan", "dataset": "fake"}
        self.config = SimpleNamespace(latents=spec, image_size=spec.width, channels=channels, **about)
        self.report, self.records, self.env, self.own_names = {"names": names or {}}, [], {}, {}
        self.path, self.broken, self.threads = Path(path), None, []

    def generate(self, noise, codes):
        return self.paint(self.config.latents.encode(noise, codes))

    def paint(self, zc):
        self.threads.append(torch.get_num_threads())
        if self.broken:
            raise self.broken
        return zc.sigmoid()[:, None, None, :].expand(-1, self.config.channels, zc.shape[1], -1)

    def infer(self, x):
        half = torch.full((len(x),), 0.5)
        beliefs = {Categorical: lambda c: torch.eye(c.k)[1:2] * 0.98, Uniform: lambda c: (half / 2, half)}
        return [beliefs[type(code)](code) for code in self.config.latents.codes]

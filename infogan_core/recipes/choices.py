"""What the paper leaves open on MNIST: a profile per answer, all else alike; `make evidence` measures them."""

from __future__ import annotations

from infogan_core.model.config import Config
from infogan_core.model.latents import Categorical, LatentSpec, Uniform

QUESTIONS = {  # each with its answers, and the profile that gives each; "open" gives the first to all of them
    "the loss of the continuous codes": {
        "sigma fixed at 1: MSE / 2": "open",
        "sigma fixed at 0.5: 2 MSE": "open-sigma-half",
        "sigma learned": "open-sigma-learned",
    },
    "lambda of the continuous codes": {"1": "open", "0.1": "open-lambda-tenth"},
    "L_I trains the trunk": {"yes": "open", "no": "open-trunk-apart"},
    "noise": {"normal": "open", "uniform": "open-noise-uniform"},
    "slope of D's leaky ReLU": {"0.1": "open", "0.01": "open-slope-0.01"},
    "batch norm": {"before the activation": "open", "after it": "open-norm-after"},
    "average of G": {"decay 0.99": "open", "none": "open-no-ema"},
    "all of them at once": {"`open`": "open", "`openai`, for as many minutes": "open-openai"},
}


def settings(base: Config, openai: Config) -> dict[str, Config]:
    """The profiles that QUESTIONS names, by name: `base` is "open", `openai` the authors' public code."""
    changes = {
        "open": {},
        "open-sigma-half": {"latents": _latents(sigma=0.5)},
        "open-sigma-learned": {"latents": _latents(sigma=None)},
        "open-lambda-tenth": {"lambda_info": (1.0, 0.1, 0.1)},
        "open-trunk-apart": {"info_trains_trunk": False},
        "open-noise-uniform": {"latents": _latents(noise="uniform")},
        "open-slope-0.01": {"slope": 0.01},
        "open-norm-after": {"norm_after": True},
        "open-no-ema": {"ema": 0.0},
    }
    profiles = {name: base.replace(profile=name, **change) for name, change in changes.items()}
    return profiles | {"open-openai": openai.replace(profile="open-openai", steps=600)}


def _latents(sigma: float | None = 1.0, noise: str = "normal") -> LatentSpec:
    return LatentSpec(62, (Categorical(10), Uniform(sigma), Uniform(sigma)), noise=noise)

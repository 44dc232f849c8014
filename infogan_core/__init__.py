"""InfoGAN (Chen et al. 2016, arXiv 1606.03657): latents, losses, networks, training, metrics and sliders."""

from importlib import import_module
from typing import Any

from infogan_core.classifier import Features, load_features
from infogan_core.config import Config
from infogan_core.curves import curves
from infogan_core.figures import grid, samples, save_png, save_traversals, show, traversal, traversal_figure
from infogan_core.images import ImageSet
from infogan_core.latents import Categorical, LatentSpec, Uniform
from infogan_core.losses import d_loss, g_loss, info_loss, mi_bound
from infogan_core.metrics import evaluate, summary
from infogan_core.networks import Discriminator, Generator
from infogan_core.presets import PRESETS, about, check_claims, preset
from infogan_core.progress import progress
from infogan_core.runs import Run, build, layers, load_run, publish
from infogan_core.selection import select_run
from infogan_core.sources import load_images

__version__ = "0.1.0"
ON_FIRST_USE = {"Explorer": "explorer", "Gallery": "gallery", "train": "training"}
ON_FIRST_USE |= dict.fromkeys(("config_for", "start_in_project", "train_or_load"), "notebook")
__all__ = [
    "PRESETS",
    "Categorical",
    "Config",
    "Discriminator",
    "Explorer",
    "Features",
    "Gallery",
    "Generator",
    "ImageSet",
    "LatentSpec",
    "Run",
    "Uniform",
    "about",
    "build",
    "check_claims",
    "config_for",
    "curves",
    "d_loss",
    "evaluate",
    "g_loss",
    "grid",
    "info_loss",
    "layers",
    "load_features",
    "load_images",
    "load_run",
    "mi_bound",
    "preset",
    "progress",
    "publish",
    "samples",
    "save_png",
    "save_traversals",
    "select_run",
    "show",
    "start_in_project",
    "summary",
    "train",
    "train_or_load",
    "traversal",
    "traversal_figure",
]


def __getattr__(name: str) -> Any:
    """What is imported on first use: ipywidgets, which takes its time, and training, which is a program as well."""
    if name in ON_FIRST_USE:
        return getattr(import_module(f"infogan_core.{ON_FIRST_USE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

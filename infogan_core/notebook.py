"""What the notebooks' parameters mean: where a notebook runs, and whether it trains or loads."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from infogan_core.data.images import ImageSet
from infogan_core.device import BATCH
from infogan_core.files import PROJECT, PUBLISHED
from infogan_core.model.config import Config
from infogan_core.recipes.presets import preset
from infogan_core.runs import Run, load_run, read_config
from infogan_core.training.progress import progress
from infogan_core.training.train import train


def start_in_project() -> None:
    """Leave notebooks/, where Jupyter starts a notebook, for the project's folder: paths are then the same for all."""
    if Path.cwd() == PROJECT / "notebooks" and BATCH not in os.environ:
        os.chdir(PROJECT)


def config_for(weights: str, dataset: str, profile: str, seed: int) -> Config:
    """The preset, for `weights` "train"; else the config of the run that `weights` names. See train_or_load.

    Says so where `profile` and `seed` ask for another run than the one that is loaded. Raises ValueError for an unknown
    profile, FileNotFoundError, with the words that `weights` takes, where there is no run.
    """
    wanted, folder = preset(dataset, profile, seed=seed), _folder(weights, dataset)
    if weights == "train":
        return wanted
    if not folder.is_dir():
        raise FileNotFoundError(f'weights must be "train", "published" or a run directory, found {weights!r}')
    found = read_config(folder)
    if (found.profile, found.seed) != (profile, seed):
        print(f'loaded: profile {found.profile}, seed {found.seed}; the parameters for these are for weights = "train"')
    return found


def train_or_load(
    weights: str, config: Config, images: ImageSet, out: str | Path, device: str | torch.device = "auto"
) -> Run:
    """What a notebook's `weights` asks for: "train" (or go on), "published", or a run directory to load.

    Raises as train() and load_run() do.
    """
    if weights == "train":
        return train(config, images, out, device, on_log=progress(config))
    return load_run(_folder(weights, config.dataset), device)


def _folder(weights: str, dataset: str) -> Path:
    return PUBLISHED / dataset if weights == "published" else Path(weights).expanduser()

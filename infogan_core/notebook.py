"""What the parameters of a notebook mean: where it runs, and whether it trains a run or loads one."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import torch

from infogan_core.data.images import ImageSet
from infogan_core.device import BATCH
from infogan_core.files import PROJECT, PUBLISHED
from infogan_core.model.config import Config
from infogan_core.recipes.presets import PUBLISHED_RUNS, preset
from infogan_core.runs import Run, load_run, read_config
from infogan_core.training.progress import progress
from infogan_core.training.train import train

if TYPE_CHECKING:
    from IPython.display import Code


def start_in_project() -> None:
    """Change from notebooks/, where Jupyter starts, to the project's folder, so that a path means the same everywhere.

    A batch run keeps its folder.
    """
    if Path.cwd() == PROJECT / "notebooks" and BATCH not in os.environ:
        os.chdir(PROJECT)


def config_for(weights: str, dataset: str, profile: str, seed: int) -> Config:
    """The Config that a notebook works with: the preset if `weights` is "train", else that of the loaded run.

    Prints a line if a loaded run has another profile or seed than the parameters say. The default profile, "quick",
    takes whatever is published.
    Raises ValueError for an unknown profile, and for "published" if another profile is asked for than the published run
    has; FileNotFoundError if `weights` names no run.
    """
    wanted, folder = preset(dataset, profile, seed=seed), _run_folder(weights, dataset, profile)
    if weights == "train":
        return wanted
    if not folder.is_dir():
        raise FileNotFoundError(f'weights must be "train", "published" or a run directory, found {weights!r}')
    found = read_config(folder)
    if weights == "published" and profile not in (found.profile, "quick"):
        raise ValueError(
            f'the published {dataset} run has profile "{found.profile}": set profile = "{found.profile}" to load it, '
            f'or weights = "train" to train "{profile}"'
        )
    if (found.profile, found.seed) != (profile, seed):
        print(
            f'The loaded run has profile "{found.profile}" and seed {found.seed}. '
            f'To train profile "{profile}" with seed {seed}, set weights = "train".'
        )
    return found


def about_data(images: ImageSet, weights: str, config: Config) -> str:
    """What the images are; if a run is loaded that was trained on others, a second line says on which.

    Raises as load_run() does.
    """
    held_out = f", {len(images.held_out):,} held out" if images.held_out else ""
    validation = f", {len(images.validation):,} for validation" if images.validation else ""
    line = " ".join([f"{images.name}: {len(images):,} to train on{validation}{held_out}.", *images.notes])
    stand_ins = "These are rendered stand-ins. " if images.stand_in else ""
    if weights == "train":
        return f"{line} {stand_ins}".strip()
    env = load_run(_run_folder(weights, config.dataset, config.profile), "cpu").env
    if env.get("sha256") == images.sha256:
        return f"{line} The loaded run was trained on them."
    return (
        f"{line}\n{stand_ins}The loaded run was trained on: {env.get('data', 'data that it does not name')}.\n"
        'The pictures below are only shown. To train on them, set weights = "train".'
    )


def train_or_load(
    weights: str, config: Config, images: ImageSet, out: str | Path, device: str | torch.device = "auto"
) -> Run:
    """Train into `out`, or go on from what is there, if `weights` is "train"; else load the run that it names.

    `weights` is "train", "published" or a run directory. Raises as train() and load_run() do.
    """
    if weights == "train":
        return train(config, images, out, device, on_log=progress(config))
    return load_run(_run_folder(weights, config.dataset, config.profile), device)


def source(thing: Callable | type) -> Code:
    """The Python source of a function, method or class, in colours. Raises TypeError for anything else."""
    from IPython.display import Code

    return Code(dedent(inspect.getsource(thing)), language="python")


def _run_folder(weights: str, dataset: str, profile: str) -> Path:
    """The directory of the run that `weights` names; it need not exist.

    "published" is the data set's run of that profile, where one is published, else its first.
    """
    names = {published[:2]: name for name, published in PUBLISHED_RUNS.items()}
    return PUBLISHED / names.get((dataset, profile), dataset) if weights == "published" else Path(weights).expanduser()

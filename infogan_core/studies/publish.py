"""`make publish`: the published runs of a data set, trained from step 0, measured, and described by a model card."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from infogan_core.batch.pool import JobOutput, each
from infogan_core.data.images import ImageSet
from infogan_core.data.load import load_images
from infogan_core.device import environment, resolve_device
from infogan_core.files import PROJECT, PUBLISHED, write_whole
from infogan_core.model.config import Config, check_known
from infogan_core.recipes.presets import PUBLISHED_RUNS, preset, profile_of
from infogan_core.runs import load_run, publish, read_config, read_json
from infogan_core.show.curves import curves
from infogan_core.show.figures import samples, save_png, save_traversals
from infogan_core.studies.card import card, read_notes
from infogan_core.studies.run import Job, finish, finish_all
from infogan_core.training.progress import progress

RUNS = PROJECT / "outputs" / "publish"
SAME_IN_A_SET = ("commit", "dirty", "torch", "device", "precision", "threads")  # of env.json


def make(name: str, source: str, jobs: int = 1) -> Path:
    """Train and measure what is missing of a published set, `jobs` seeds at once; write its folder and model card.

    Raises ValueError, before anything is trained, for a checkout that env.json could not name, for pictures that are
    not the genuine data set, and for runs in RUNS that were begun otherwise; RuntimeError when a training failed.
    """
    check_known("published data set", [name], PUBLISHED_RUNS)
    dataset, profile, seeds = PUBLISHED_RUNS[name]
    to, here = PUBLISHED / name, clean_checkout()
    read_notes(to / "notes.md")
    configs = {RUNS / name / f"seed={seed}": preset(dataset, profile, seed=seed) for seed in seeds}
    todo = [out for out in configs if not (out / "metrics.json").is_file()]
    begun = [out for out in configs if any((out / f).is_file() for f in ("checkpoint.pt", "weights.safetensors"))]
    check_set(begun, here if todo else {}, finished=False)
    if todo:
        config = configs[todo[0]]
        check_genuine(load_images(dataset, source, size=config.image_size, crop=config.crop), config)
        work = [(configs[out], source, out) for out in todo]
        finish_all(work, enumerate(map(_finish, work)) if jobs == 1 else each(_finish_on_worker, work, None, jobs))
    check_set(configs)
    runs = [load_run(out) for out in configs]
    for run in runs:
        save_traversals(run)
        save_png(run.path / "samples.png", samples(run))
        save_png(run.path / "curves.png", curves(run))
    for run in runs:
        publish(run, to if run is runs[0] else to / run.path.name)
    write_whole(to / "README.md", card(to).encode())
    return to


def check_run(folder: Path, finished: bool = True) -> None:
    """Raise ValueError where a run is not what its profile gives from step 0, by one clean commit, on one machine."""
    config, env = read_config(folder), read_json(folder / "env.json")
    stretches = env[0].get("stretches", []) if env else []
    if config != preset(config.dataset, config.profile, seed=config.seed):
        raise ValueError(f"{folder}: its config is not that of profile {config.profile}")
    if not stretches:
        raise ValueError(f"{folder}: its env.json does not say by which commit each step was made (stretches)")
    for key in SAME_IN_A_SET:
        if len(values := {str(stretch[key]) for stretch in stretches}) > 1:
            raise ValueError(f"{folder}: a published run has one {key}, this has {' and '.join(sorted(values))}")
    if stretches[0]["dirty"] is not False:
        raise ValueError(f"{folder}: it was trained by code that differs from commit {stretches[0]['commit']}")
    ends = [0, *(stretch["to"] for stretch in stretches)]
    if [stretch["from"] for stretch in stretches] != ends[:-1] or (finished and ends[-1] != config.steps):
        raise ValueError(f"{folder}: it was not trained from step 0 to {config.steps}")


def check_set(folders: Iterable[Path], here: dict[str, Any] | None = None, finished: bool = True) -> None:
    """`check_run` of each, and that all were made alike, and as `here`: the seeds of a set are one experiment."""
    made = {"this checkout": here} if here else {}
    for folder in folders:
        check_run(folder, finished)
        made[str(folder)] = read_json(folder / "env.json")[0]["stretches"][0]
        for name, other in made.items():
            if differ := [key for key in SAME_IN_A_SET if key in other and other[key] != made[str(folder)][key]]:
                raise ValueError(f"{folder} and {name} differ in {', '.join(differ)}: delete the folder to start again")


def clean_checkout() -> dict[str, Any]:
    """Commit, torch and device here. Raises ValueError without a commit, and where the code differs from it."""
    here = environment(resolve_device(), "fp32", 1)
    if here["commit"] is None:
        raise ValueError("publish needs a git checkout, whose commit env.json names; an installed package has none")
    if here["dirty"]:
        raise ValueError(f"infogan_core differs from its commit {here['commit']}: commit first, or undo the changes")
    return {key: here[key] for key in ("commit", "torch", "device")}


def check_genuine(images: ImageSet, config: Config) -> None:
    """Raise ValueError for pictures that are not the genuine data set, as many as the profile's targets are for."""
    least = profile_of(config.dataset, config.profile).least_images
    if images.kind != config.dataset or images.stand_in or len(images) < least:
        wanted = f"the genuine data set{f', {least:,} pictures or more' * bool(least)}"
        raise ValueError(f"a published run is trained on {wanted}, not on {images.name}: give another SOURCE")


def _finish(job: Job) -> str:
    return finish(job, progress(job[0]))


def _finish_on_worker(job: Job) -> str:
    with redirect_stdout(JobOutput(job[2].name)):  # rows, each with its seed
        return _finish(job)

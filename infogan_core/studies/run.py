"""The paper's claims, measured again: each study is a list of configs, what is read from their runs, and its plots.

A study leaves evidence/<name>.json, and perhaps pictures, beside the published runs; `results` makes the page of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import KilledWorker
from matplotlib.figure import Figure

from infogan_core.batch.pool import each
from infogan_core.data.images import ImageSet
from infogan_core.data.load import load_images
from infogan_core.files import PROJECT, write_whole
from infogan_core.measure.disentanglement import bounds, measure, model_centrality
from infogan_core.measure.evaluate import evaluate
from infogan_core.measure.select import SIGNALS, consensus, judge
from infogan_core.model.config import Config
from infogan_core.recipes.presets import preset
from infogan_core.runs import Run, load_run
from infogan_core.show.figures import save_png
from infogan_core.studies import ablations, plots
from infogan_core.studies.numbers import EVIDENCE, common, describe, strongest
from infogan_core.training.train import OnLog, train

RUNS = PROJECT / "outputs" / "studies"
ERRORS = (ValueError, OSError, RuntimeError, FloatingPointError)  # of ours: one line says all
Job = tuple[Config, str, Path]  # one run, its source and its folder: workers load the images themselves


def digits(run: Run, images: ImageSet) -> dict[str, Any]:
    """What the studies of MNIST compare."""
    recognised = {key: run.report["held_out"][key] for key in ("accuracy", "nmi", "n")}
    quality = run.report["quality"]  # the runs of a study are measured on the same pictures, however many these are
    recognised["frechet"] = quality["held_out"]["frechet"] / quality["real"]["frechet"]
    recognised["real"] = run.report["real"]
    return recognised | strongest(run.report["codes"])


def mi_over_training(runs: list[Run], images: ImageSet) -> dict[str, Any]:
    """Per side of figure 1: L_I(c1) in nats, the highest within 100 steps and of all, and the last."""
    read = {}
    for side in plots.SIDES:
        lines = [[(r["step"], r["mi"][0]) for r in run.records] for run in runs if run.config.profile == side]
        early = describe(max(mi for step, mi in line if step <= 100) for line in lines)
        peak, last = describe(max(mi for _, mi in line) for line in lines), describe(line[-1][1] for line in lines)
        read[side] = {"within_100": early, "peak": peak, "last": last}
    return {"read": read}


def signals(runs: list[Run], images: ImageSet) -> dict[str, Any]:
    """How well each signal that needs no labels, and the agreement of the runs on held-out images, ranks accuracy."""
    accuracy = [run.report["held_out"]["accuracy"] for run in runs]
    values = {name: [signal(run.report) for run in runs] for name, signal in SIGNALS.items()}
    x = images.held_out.pixels.float() / 255
    values["agreement"] = consensus([run.infer(x)[0].argmax(dim=1) for run in runs])
    return {"signals": {name: {**judge(of, accuracy), "values": of} for name, of in values.items()}}


def centrality(runs: list[Run], images: ImageSet) -> dict[str, Any]:
    """What the scores of runs are compared with, and the choice among the runs that needs no factors."""
    return bounds(images) | {"model_centrality": model_centrality(runs)}


@dataclass(frozen=True)
class Study:
    """Configs, each trained with every seed; what is read of a run, and of all; plots by their files' names."""

    configs: tuple[Config, ...]
    read: Callable[[Run, ImageSet], dict[str, Any]]
    plot: Callable[[list[Run]], dict[str, Figure]] = lambda runs: {}
    compare: Callable[[list[Run], ImageSet], dict[str, Any]] = lambda runs, images: {}
    seeds: tuple[int, ...] = (0, 1, 2)
    source: str = ""  # "": MNIST's, which the user names


QUICK, SPRITES = preset("mnist", "quick"), preset("mnist", "sprites")
FRESH = tuple(range(40, 60))  # seeds that chose nothing
STUDIES = {
    "figure1": Study((ablations.INFOGAN, ablations.PLAIN_GAN), digits, plots.figure1, mi_over_training),
    "ablations": Study(ablations.CONFIGS, digits),
    "paper": Study((preset("mnist", "paper").replace(profile="half", width=0.5),), digits, seeds=tuple(range(30, 35))),
    "seeds": Study((QUICK,), digits, plots.seeds, signals, seeds=FRESH),
    "embedded": Study((QUICK,), digits, seeds=FRESH, source="embedded"),
    "fp32": Study((QUICK.replace(profile="fp32", precision="fp32"),), digits, seeds=FRESH[:10], source="embedded"),
    "sprites": Study((SPRITES,), measure, plots.sprites, centrality, seeds=tuple(range(15, 20)), source="dsprites"),
}


def make(name: str, source: str) -> Path:
    """Train and measure what is missing of a study, and write what is read from its runs. Returns the file.

    Raises RuntimeError when runs failed, after the others have finished, and what load_images() raises for the source.
    """
    study = STUDIES[name]
    first, source = study.configs[0], study.source or source
    images = load_images(first.dataset, source, size=first.image_size)
    configs = [config.replace(seed=seed).for_images(images) for config in study.configs for seed in study.seeds]
    folders = [RUNS / name / f"{config.profile},seed={config.seed}" for config in configs]
    jobs = [(config, source, out) for config, out in zip(configs, folders, strict=True)]
    finish_all(jobs, each(finish, jobs, None))
    runs = [load_run(out, "cpu") for out in folders]
    report = {"conditions": conditions(runs), "runs": [common(run) | study.read(run, images) for run in runs]}
    report |= study.compare(runs, images)
    EVIDENCE.mkdir(parents=True, exist_ok=True)
    for plot, figure in study.plot(runs).items():
        save_png(EVIDENCE / f"{plot}.png", figure)
    file = EVIDENCE / f"{name}.json"
    write_whole(file, (json.dumps(report, indent=1, allow_nan=False) + "\n").encode())
    return file


def finish_all(jobs: list[Job], results: Iterable[tuple[int, str | Exception]]) -> None:
    """Print how each job ended, as it ends. Raises RuntimeError when runs failed, after the others have finished."""
    failed = []
    for done, (number, error) in enumerate(results, start=1):
        if isinstance(error, Exception) and not isinstance(error, KilledWorker):
            raise error  # a bug: its traceback says where
        _, _, out = jobs[number]
        print(f"[{done}/{len(jobs)}] {out.relative_to(out.parents[1])}: {error or 'finished'}", flush=True)
        if error:
            failed.append(f"{out.name}: {error}")
    if failed:
        many = f"{len(failed)} of {len(jobs)} runs failed"
        raise RuntimeError(f"{many}; the same command repeats only these; {failed[0]}")


def finish(job: Job, on_log: OnLog | None = None) -> str:
    """Train and measure one run, from where an earlier call stopped. Returns "", or its error in one line."""
    config, source, out = job
    try:
        images = load_images(config.dataset, source, size=config.image_size, crop=config.crop)
        run = train(config, images, out, on_log=on_log)
        if not (out / "metrics.json").is_file():
            evaluate(run, images, out=out)
    except ERRORS as error:
        return " ".join(str(error).split())
    return ""


def conditions(runs: list[Run]) -> dict[str, Any]:
    """What a study's runs were made on; values that differ stand beside each other, as text."""
    keys = ("data", "note", "n_images", "device", "precision", "threads", "torch")
    values = {key: list(dict.fromkeys(run.env[key] for run in runs)) for key in keys}
    return {key: of[0] if len(of) == 1 else " or ".join(map(str, of)) for key, of in values.items()}

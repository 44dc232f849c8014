"""The paper's claims, measured again: each study is a list of configs, what is read from their runs, and its plots.

A study leaves evidence/<name>.json, and perhaps pictures, beside the published runs; `results` makes the page of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed import KilledWorker

from infogan_core.batch.pool import each
from infogan_core.data.images import ImageSet
from infogan_core.data.load import load_images
from infogan_core.files import PROJECT, write_whole
from infogan_core.measure.disentanglement import measure
from infogan_core.measure.evaluate import evaluate
from infogan_core.measure.select import SIGNALS, consensus, judge
from infogan_core.model.config import Config
from infogan_core.recipes.presets import preset
from infogan_core.runs import Run, load_run
from infogan_core.show.figures import save_png
from infogan_core.studies import ablations, plots
from infogan_core.studies.numbers import EVIDENCE, describe, strongest
from infogan_core.training.train import train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS = PROJECT / "outputs" / "studies"
ERRORS = (ValueError, OSError, RuntimeError, FloatingPointError)  # of ours: one line says all
EARLY = 100  # steps within which the paper's L_I(c1) passes 2.25 nats


@dataclass(frozen=True)
class Job:
    """One run of a study, as plain data: workers load the images themselves."""

    config: Config
    source: str
    out: Path


def digits(run: Run, images: ImageSet) -> dict[str, Any]:
    """What the studies of MNIST compare."""
    recognised = {key: run.report["held_out"][key] for key in ("accuracy", "nmi", "n")}
    recognised |= {"frechet": run.report["quality"]["ratio"], "real": run.report["real"]}
    return recognised | strongest(run.report["codes"])


def mi_over_training(runs: list[Run], images: ImageSet) -> dict[str, Any]:
    """Per side of figure 1: L_I(c1) in nats, the highest of the first EARLY steps, the highest of all, and the last."""
    sides: dict[str, Any] = {}
    for side in plots.SIDES:
        records = [run.records for run in runs if run.config.profile == side]
        sides[side] = {
            "within_100": describe(max(r["mi"][0] for r in of if r["step"] <= EARLY) for of in records),
            "peak": describe(max(r["mi"][0] for r in of) for of in records),
            "last": describe(of[-1]["mi"][0] for of in records),
        }
    return {"read": sides}


def signals(runs: list[Run], images: ImageSet) -> dict[str, Any]:
    """How well each signal that needs no labels, and the agreement of the runs on held-out images, ranks accuracy."""
    accuracy = [run.report["held_out"]["accuracy"] for run in runs]
    values = {name: [signal(run.report) for run in runs] for name, signal in SIGNALS.items()}
    x = images.held_out.pixels.float() / 255
    values["agreement"] = consensus([run.infer(x)[0].argmax(dim=1) for run in runs])
    return {"signals": {name: {**judge(of, accuracy), "values": of} for name, of in values.items()}}


@dataclass(frozen=True)
class Study:
    """Configs, each trained with every seed; what is read of a run, and of all; plots by their files' names."""

    configs: tuple[Config, ...]
    read: Callable[[Run, ImageSet], dict[str, Any]]
    plot: Callable[[list[Run]], Mapping[str, Figure]] = lambda runs: {}
    compare: Callable[[list[Run], ImageSet], dict[str, Any]] = lambda runs, images: {}
    seeds: tuple[int, ...] = (0, 1, 2)
    source: str = ""  # "": MNIST's, which the user names


QUICK = preset("mnist", "quick")
STUDIES = {
    "figure1": Study((ablations.INFOGAN, ablations.PLAIN_GAN), digits, plots.figure1, mi_over_training),
    "ablations": Study(ablations.CONFIGS, digits),
    "seeds": Study((QUICK,), digits, plots.seeds, signals, seeds=tuple(range(10))),
    "embedded": Study((QUICK,), digits, source="embedded"),
    "sprites": Study((preset("mnist", "sprites"),), measure, plots.sprites, source="dsprites"),
}


def make(name: str, source: str) -> Path:
    """Train and measure what is missing of a study, and write what is read from its runs. Returns the file.

    Raises RuntimeError when runs failed, after the others have finished, and what load_images() raises for the source.
    """
    study = STUDIES[name]
    first, source = study.configs[0], study.source or source
    images = load_images(first.dataset, source, size=first.image_size)
    configs = [config.replace(seed=seed).for_images(images) for config in study.configs for seed in study.seeds]
    jobs = [Job(config, source, RUNS / name / f"{config.profile},seed={config.seed}") for config in configs]
    _finish_all(jobs)
    runs = [load_run(job.out, "cpu") for job in jobs]
    file, report = EVIDENCE / f"{name}.json", {"conditions": conditions(runs)}
    report["runs"] = [common(run) | study.read(run, images) for run in runs]
    report |= study.compare(runs, images)
    if file.is_file():  # what was measured of the same recipe elsewhere stays
        report |= {key: value for key, value in json.loads(file.read_text()).items() if key == "repeated"}
    EVIDENCE.mkdir(parents=True, exist_ok=True)
    for plot, figure in study.plot(runs).items():
        save_png(EVIDENCE / f"{plot}.png", figure)
    write_whole(file, (json.dumps(report, indent=1, allow_nan=False) + "\n").encode())
    return file


def _finish_all(jobs: list[Job]) -> None:
    failed = []
    for done, (number, error) in enumerate(each(finish, jobs, None), start=1):
        if isinstance(error, Exception) and not isinstance(error, KilledWorker):
            raise error  # a bug: its traceback says where
        out = jobs[number].out
        print(f"[{done}/{len(jobs)}] {out.relative_to(out.parents[1])}: {error or 'finished'}", flush=True)
        if error:
            failed.append(f"{out.name}: {error}")
    if failed:
        many = f"{len(failed)} of {len(jobs)} runs failed; the same command repeats only these"
        raise RuntimeError(f"{many}; {failed[0]}")


def finish(job: Job) -> str:
    """Train and measure one run, from where an earlier call stopped. Returns "", or its error in one line."""
    try:
        images = load_images(job.config.dataset, job.source, size=job.config.image_size)
        run = train(job.config, images, job.out)
        if not (job.out / "metrics.json").is_file():
            evaluate(run, images, out=job.out)
    except ERRORS as error:
        return " ".join(str(error).split())
    return ""


def common(run: Run) -> dict[str, Any]:
    """What every study says of a finished run."""
    mi = [code["mi"] for code in run.report["codes"].values()]
    settings = {"profile": run.config.profile, "seed": run.config.seed, "steps": run.config.steps}
    return settings | {"batch": run.config.batch, "minutes": run.env["minutes"], "mi": mi}


def conditions(runs: list[Run]) -> dict[str, Any]:
    """What a study's runs were made on; values that differ stand beside each other, as text."""
    found = {}
    for key in ("data", "note", "n_images", "device", "precision", "threads", "torch"):
        values = list(dict.fromkeys(run.env[key] for run in runs))
        found[key] = values[0] if len(values) == 1 else " or ".join(map(str, values))
    return found

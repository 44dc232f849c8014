"""All numbers of a run: nats per code, what each code changes, and how near its pictures are to real ones."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import torch
from sklearn.metrics import r2_score
from tqdm.auto import tqdm

from infogan_core.data.images import ImageSet
from infogan_core.device import BATCH, threads_for, using_threads
from infogan_core.files import require_space, write_summed
from infogan_core.measure.classifier import find_classifier
from infogan_core.measure.code_effects import SWEEP, SWEEPS_PER_CATEGORY, effects
from infogan_core.measure.code_names import meaning, names
from infogan_core.measure.context import Context
from infogan_core.measure.labels import overfitting, recognition
from infogan_core.measure.pixels import grain, noise
from infogan_core.measure.quality import inception, quality
from infogan_core.model.known import check_known
from infogan_core.model.latents import Categorical
from infogan_core.runs import Run, load_run


def mi_of_codes(context: Context) -> dict[str, Any]:
    """{"codes": equation 5 per code, in nats: L_I with its standard error and ceiling; R^2 of Q's mean}."""
    spec, (codes, x), report = context.run.config.latents, context.generated, {}
    for i, (code, q, c) in enumerate(zip(spec.codes, context.run.q_params(x), codes, strict=True)):
        q = q.float().cpu()
        bound = code.log_q(q, c).double() + code.entropy
        stderr = bound.std().item() / math.sqrt(len(x))
        numbers = {"mi": bound.mean().item(), "mi_stderr": stderr, "ceiling": code.ceiling}
        if isinstance(code, Categorical):
            report[spec.name(i)] = {"kind": "categorical", **numbers}
        else:
            sigma = "learned" if code.sigma is None else code.sigma
            r2 = float(r2_score(c.numpy(), code.read(q)[0].numpy()))
            report[spec.name(i)] = {"kind": "continuous", "sigma": sigma, **numbers, "r2": r2}
    return {"codes": report}


def conditions(context: Context) -> dict[str, Any]:
    """{"conditions": what the numbers were measured on}."""
    images, about = context.images, context.classifier.about if context.features else None
    report = {"samples": context.samples, "seed": context.seed, "noises": SWEEPS_PER_CATEGORY, "sweep": [*SWEEP]}
    report |= {"data": images.name, "part": context.part, "kind": images.kind, "stand_in": images.stand_in}
    report["n_images"] = len(images)
    report["features"] = about and {key: about[key] for key in ("dataset", "data", "sha256", "steps", "seed")}
    return {"conditions": report}


# Each takes the context and returns its part of the report, {} where it cannot be measured. A new measurement is a
# function and an entry here; `context.report` holds the parts of those before it. Those that may refuse run first:
# without Inception, and images of another shape than the run's.
MEASUREMENTS = [
    inception,
    recognition,
    mi_of_codes,
    effects,
    overfitting,
    quality,
    grain,
    noise,
    meaning,
    names,
    conditions,
]


@torch.no_grad()
def evaluate(
    run: Run | str | os.PathLike,
    images: ImageSet,
    out: str | os.PathLike | None = None,
    samples: int = 10_000,
    seed: int = 0,
    inception: bool = False,
    features: str | os.PathLike | None = None,
    part: str = "held_out",
) -> dict[str, Any]:
    """Measure a run on images: a dict of plain numbers, the same for the same seed; it takes some minutes.

    Returned, kept as `run.report`, and written to metrics.json: into `out` or, without it, into the folder of a run
    that you trained (it holds a checkpoint.pt). A published run's files stay as they are. `run` may be its folder.

    part: "held_out" reports on the held-out pictures. "validation" chooses between runs or recipes on the validation
    pictures, so that what has chosen never reports: these then stand for held-out pictures in every number, and nothing
    is written but into `out`. See `ImageSet.validate_on_last` where a data set has none of its own.

    codes       per code: L_I in nats on `samples` generated pictures ("mi"), R^2 of a continuous code, and how steadily
                the code changes slant, width, thickness, or light and colour
    held_out    how well one categorical code tells the classes apart; "train" where no images are held out
    names       what a code or a category shows, where the link is strong: {"c2": "slant", "c3=7": "eyeglasses 91%"};
                of your own classes, the one that most of a category's images are of: {"c1=0": "class cat 94%"}
    real        without labels: whether Q is sure of real images, uses all categories, and ignores a shift by a pixel
    overfitting whether D rates held-out images lower than its training images
    quality     "grain", and how much of the picture is "noise" and not codes; with a classifier: how far the pictures
                are from real ones (Frechet and kernel distance, precision...)
    meaning     with a classifier: what it reads in the pictures of each code
    conditions  what the numbers were measured on

    The classifier is the file `features`, else the published one for such images, if there is one. `inception` adds the
    standard FID. Raises ValueError below two samples, for validation pictures that are not there or where only one of
    run and images is rendered, RuntimeError where Inception cannot be had, and for the file `features` what
    `load_classifier` raises.
    """
    _check_arguments(images, samples, part)
    run = load_run(run) if isinstance(run, (str, os.PathLike)) else run
    if run.env.get("note", images.stand_in_note) != images.stand_in_note:
        data = run.env["data"]
        raise ValueError(f"evaluate: {run.path} was trained on {data}, these are {images.name}; give its source")
    if out is None and part == "held_out" and run.path is not None and (Path(run.path) / "checkpoint.pt").is_file():
        out = run.path
    if out is not None:
        require_space(Path(out), 1 << 20, "out")
    context = Context(run, images, samples, seed, find_classifier(images, features), inception, part=part)
    bar = tqdm(MEASUREMENTS, "evaluate", leave=False, disable=BATCH in os.environ)
    with using_threads(threads_for(run.config)):
        for measurement in bar:
            bar.set_postfix_str(measurement.__name__)
            context.report = merged(context.report, measurement(context))
    run.report = context.report
    if out is not None:
        Path(out).mkdir(parents=True, exist_ok=True)
        write_summed(Path(out) / "metrics.json", (json.dumps(run.report, indent=2, allow_nan=False) + "\n").encode())
    return run.report


def _check_arguments(images: ImageSet, samples: int, part: str) -> None:
    if not isinstance(images, ImageSet):
        found = type(images).__name__
        raise ValueError(f"evaluate: images must be an ImageSet, as load_images() returns one, found {found}")
    if samples < 2:
        raise ValueError(f"evaluate: samples must be at least 2 for a standard error, found {samples}")
    check_known("part", [part], ("held_out", "validation"))
    if part == "validation" and images.validation is None:
        how = "train on images.validate_on_last(n), which takes them from the training pictures"
        raise ValueError(f"evaluate: {images.name} has no validation pictures; {how}")


def merged(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """Both as one new dict; what is a dict in both is merged in the same way."""
    return a | {key: merged(a[key], of) if key in a and isinstance(of, dict) else of for key, of in b.items()}

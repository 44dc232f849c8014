"""What a run is worth, as numbers: nats per code, what each code moves, and how well c1 tells real images apart."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from scipy.stats import spearmanr
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, r2_score
from torch import Tensor

from infogan_core.files import write_whole
from infogan_core.latents import Categorical, LatentSpec, Uniform
from infogan_core.measures import slant, stroke_thickness, width

if TYPE_CHECKING:
    from infogan_core.images import ImageSet
    from infogan_core.runs import Run

MEASURES = ("slant", "width", "thickness")
NAMED = 0.8  # a code gets the name of the measurement that it moves with at least this Spearman correlation
SWEEP = (-2.0, 2.0, 11)  # first, last, steps: figure 2 sweeps twice the trained range
NOISES = 20  # sweeps per category
REAL_IMAGES = 10_000  # at most so many of a split are read, drawn at random: MNIST's whole test set
SHIFTED_IMAGES = 1_000  # as many of these are shifted for "stability"


@torch.no_grad()
def evaluate(run: Run, images: ImageSet, out: str | Path | None = None, samples: int = 10_000, seed: int = 0) -> dict:
    """All numbers of a run, also written whole to metrics.json in `out` (by default the run's own directory).

    codes       per code: L_I on `samples` fresh samples; if continuous, also R^2 and, on grey images, what it moves
    held_out    how well c1 tells the classes apart; "train" where nothing is held out; absent without labels
    names       what each continuous code means, where one of its correlations is strong: {"c2": "slant"}
    real        what can be told without labels: on the same images, is Q(c1|x) sure, balanced and stable?
    conditions  what the numbers were measured on

    c1 stands for the first categorical code; "held_out" and "real" are absent without one. Plain numbers, the same for
    the same seed; torch's global generator is left alone. Raises ValueError below two samples.
    """
    if samples < 2:
        raise ValueError(f"evaluate: samples must be at least 2 for a standard error, found {samples}")
    spec = run.config.latents
    report = {"codes": information(run, samples, seed)}
    for i, code in enumerate(spec.codes):
        if isinstance(code, Uniform) and images.channels == 1:
            report["codes"][spec.name(i)] |= movement(run, i, seed)
    if first_categorical(spec) is not None:
        report |= recognition(run, images, seed)
    report["names"] = names(report["codes"])
    report["conditions"] = {"samples": samples, "seed": seed, "data": images.name, "noises": NOISES, "sweep": [*SWEEP]}
    run.report = report
    path = Path(out or run.path) / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(report, indent=2, allow_nan=False) + "\n").encode())
    return report


def first_categorical(spec: LatentSpec) -> int | None:
    """Index of the code that stands for the class: c1 in all of the paper's experiments."""
    return next((i for i, code in enumerate(spec.codes) if isinstance(code, Categorical)), None)


def information(run: Run, samples: int, seed: int) -> dict[str, dict]:
    """Equation 5 per code, in nats, on fresh samples: L_I with its standard error and ceiling; R^2 of Q's mean."""
    spec = run.config.latents
    noise, codes = spec.sample(samples, torch.Generator().manual_seed(seed))
    q_params = [q.float().cpu() for q in run.q_params(run.generate(noise, codes))]
    report = {}
    for i, (code, q, c) in enumerate(zip(spec.codes, q_params, codes, strict=True)):
        bound = code.log_q(q, c).double() + code.entropy
        mi, stderr = bound.mean().item(), bound.std().item() / math.sqrt(samples)
        numbers = {"mi": mi, "mi_stderr": stderr, "ceiling": code.ceiling}
        if isinstance(code, Categorical):
            report[spec.name(i)] = {"kind": "categorical", **numbers}
        else:
            sigma = "learned" if code.sigma is None else code.sigma
            r2 = float(r2_score(c.numpy(), code.read(q)[0].numpy()))
            report[spec.name(i)] = {"kind": "continuous", "sigma": sigma, **numbers, "r2": r2}
    return report


def movement(run: Run, code: int, seed: int) -> dict:
    """Figure 2 (b-d) of Chen et al. 2016 as numbers: does the swept code lean, widen or thicken the picture?

    slant, width, thickness  Spearman correlation with the code along a sweep, averaged over categories and noise
    spread                   its standard deviation across categories
    ends                     the average measurement at the first and the last value, in its own unit
    """
    pictures, categories = sweep(run, code, seed)
    values = torch.linspace(*SWEEP)
    report, spread, ends = {}, {}, {}
    for name, measure in zip(MEASURES, (slant, width, stroke_thickness), strict=True):
        measured = measure(pictures).view(-1, len(values))
        rho = spearman(values, measured).view(categories, -1)
        report[name] = rho.mean().item()
        spread[name] = rho.mean(dim=1).std(correction=0).item()
        ends[name] = measured[:, [0, -1]].mean(dim=0).tolist()
    return {**report, "spread": spread, "ends": ends}


def names(codes: dict[str, dict]) -> dict[str, str]:
    """Each code that has one, by the measurement that it moves most steadily, if at least NAMED."""
    moved = {code: {m: abs(numbers[m]) for m in MEASURES if m in numbers} for code, numbers in codes.items()}
    return {code: max(rho, key=rho.get) for code, rho in moved.items() if rho and max(rho.values()) >= NAMED}


def sweep(run: Run, code: int, seed: int) -> tuple[Tensor, int]:
    """One code swept for each category of c1 and each noise: (float [categories * NOISES * steps, H, W], categories).

    The rest of G's input is drawn as in training, held along a sweep and shared by the categories.
    """
    spec, first = run.config.latents, first_categorical(run.config.latents)
    noise, codes = spec.sample(NOISES, torch.Generator().manual_seed(seed))
    values = torch.linspace(*SWEEP)
    categories = 1 if first is None else spec.codes[first].k
    rows = torch.arange(NOISES).repeat(categories).repeat_interleave(len(values))
    codes = [c[rows] for c in codes]
    if first is not None:
        codes[first] = torch.arange(categories).repeat_interleave(NOISES * len(values))
    codes[code] = values.repeat(categories * NOISES)
    return run.generate(noise[rows], codes).float().cpu().squeeze(1), categories


def spearman(values: Tensor, measured: Tensor) -> Tensor:
    """Spearman's rank correlation of `values` [steps] with each row of [rows, steps] -> [rows]; 0 if all are equal."""
    rhos = [0.0 if np.ptp(row) == 0 else spearmanr(values.numpy(), row).statistic for row in measured.numpy()]
    return torch.tensor(rhos, dtype=torch.float64)


def recognition(run: Run, images: ImageSet, seed: int) -> dict:
    """{"real": ..., "held_out" or "train": ...}; categories are matched to labels on the training images."""
    split, shown = ("train", images) if images.held_out is None else ("held_out", images.held_out)
    pixels, labels = draw(shown, seed)
    q, few = read(run, pixels), pixels[:SHIFTED_IMAGES]
    report = {"real": {"split": split, "n": len(pixels), **certainty(q), "stability": stability(run, few)}}
    if labels is not None and images.labels is not None:
        fit_pixels, fit_labels = draw(images, seed)
        matching = match_categories(read(run, fit_pixels).argmax(dim=1), fit_labels, q.shape[1])
        report[split] = agreement(q.argmax(dim=1), labels, matching) | {"fitted_on": len(fit_pixels)}
    return report


def draw(images: ImageSet, seed: int) -> tuple[Tensor, Tensor | None]:
    """At most REAL_IMAGES (pixels, labels), at random: files are often sorted by class."""
    chosen = torch.randperm(len(images.pixels), generator=torch.Generator().manual_seed(seed))[:REAL_IMAGES]
    return images.pixels[chosen], None if images.labels is None else images.labels[chosen]


def read(run: Run, pixels: Tensor) -> Tensor:
    """Q(c1|x) of real images: uint8 [N, C, H, W] -> probabilities [N, K]."""
    return run.infer(pixels.float() / 255)[first_categorical(run.config.latents)].float().cpu()


def certainty(q: Tensor) -> dict[str, float]:
    """How sure Q(c1|x) [N, K] is of real images: mean highest probability ("confidence") and, in nats, mean entropy.

    "balance" is the entropy of the mean, ln K when all categories are used alike; "mi" what lies between the two.
    """
    entropy, balance = (torch.special.entr(p).sum(dim=-1).mean().item() for p in (q.double(), q.double().mean(dim=0)))
    return {"confidence": q.amax(dim=1).mean().item(), "entropy": entropy, "balance": balance, "mi": balance - entropy}


def stability(run: Run, pixels: Tensor) -> float:
    """Share of image-direction pairs whose category survives a shift by one pixel, the border repeated."""
    category = read(run, pixels).argmax(dim=1)
    moved = [(torch.arange(pixels.shape[-1]) + step).clamp(0, pixels.shape[-1] - 1) for step in (-1, 1)]
    shifted = [pixels[:, :, rows] for rows in moved] + [pixels[..., columns] for columns in moved]
    return torch.stack([read(run, x).argmax(dim=1) == category for x in shifted]).double().mean().item()


def match_categories(categories: Tensor, labels: Tensor, k: int) -> Tensor:
    """The one-to-one matching with the most hits (Hungarian method, Kuhn 1955): int64 [k], category -> label.

    A category with no label left gets -1; with fewer categories than labels, some labels are never named.
    """
    classes = int(labels.max()) + 1
    hits = torch.bincount(categories * classes + labels, minlength=k * classes).view(k, classes)
    matched, names = linear_sum_assignment(hits.numpy(), maximize=True)
    matching = torch.full((k,), -1)
    matching[matched] = torch.from_numpy(names)
    return matching


def agreement(categories: Tensor, labels: Tensor, matching: Tensor) -> dict:
    """Accuracy under `matching` [K], and two scores that need none: NMI and ARI. Categories and labels int64 [N]."""
    right = (matching[categories] == labels).double().mean().item()
    nmi, ari = (float(score(labels, categories)) for score in (normalized_mutual_info_score, adjusted_rand_score))
    report = {"n": len(labels), "accuracy": right, "error": 1 - right, "nmi": nmi, "ari": ari}
    return report | {"matching": matching.tolist()}


def summary(report: dict) -> str:
    """The numbers of evaluate() as the few lines a person reads when a run ends; Spearman's rho per measurement."""
    lines = [f"{report['conditions']['data']}; {report['conditions']['samples']:,} samples"]
    for split in [key for key in ("held_out", "train") if key in report]:
        line = "c1 on {n:,} " + split.replace("_", "-") + " images: {accuracy:.1%} right, NMI {nmi:.2f}, ARI {ari:.2f}"
        lines.append((line + " (matched on {fitted_on:,})").format_map(report[split]))
    if "real" in report:
        line = "without labels: confidence {confidence:.3f}, balance {balance:.3f} nats, shift-stable {stability:.1%}"
        lines.append(line.format_map(report["real"]))
    lines.append(f"code{'L_I, nats':>18}{'(at most)':>11}{'R^2':>7}{'slant':>8}{'width':>8}{'thickness':>11}")
    for name, code in report["codes"].items():
        most = "" if code["ceiling"] is None else f"({code['ceiling']:.3f})"
        columns = {"r2": 7, "slant": 8, "width": 8, "thickness": 11}
        moved = "".join(f"{code[key]:>z{size}.2f}" for key, size in columns.items() if key in code)
        lines.append(f"{name:<4}{code['mi']:>z9.3f} +- {code['mi_stderr']:.3f}{most:>11}{moved}")
    return "\n".join(lines)

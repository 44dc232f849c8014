"""What a code moves that can be measured on the picture itself, and how steadily, whatever the other codes are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor

from infogan_core.measure.picture_measures import (
    border,
    brightness,
    chroma,
    contrast,
    hue,
    left_edge,
    right_edge,
    saturation,
    slant,
    stroke_thickness,
    width,
)
from infogan_core.model.latents import Categorical, LatentSpec

if TYPE_CHECKING:
    from infogan_core.runs import Run

GREY = {
    "slant": slant,
    "width": width,
    "thickness": stroke_thickness,
}
COLOUR = {
    "brightness": brightness,
    "contrast": contrast,
    "hue": hue,
    "saturation": saturation,
    "background brightness": lambda x: brightness(border(x)),
    "background hue": lambda x: hue(border(x)),
    "left edge": left_edge,
    "right edge": right_edge,
}
PLANE = {
    "hue": chroma,
    "background hue": lambda x: chroma(border(x)),
}  # angles have no mean
NAMED = 0.8  # a code is named after what it moves with at least this Spearman correlation, or correlation ratio
SHARE = 0.1  # ... if it explains at least this share of how that differs between pictures (see `shares`)
TIED = 0.01  # what is that close to the strongest is named beside it
SWEEP = (-2.0, 2.0, 11)  # first, last, steps: figure 2 sweeps twice the trained range
NOISES = 20  # sweeps per category
KEPT, SURE = 500, 0.8  # settings in which what is read should stay, and how certain a reader is then
SETTINGS = 50  # of noise and the other codes, for each of which a categorical code runs through its categories


def moves(run: Run, code: int, channels: int, seed: int) -> dict:
    """What of the picture a code moves: `movement` of a continuous one, "eta2" of a categorical one in colour."""
    if not isinstance(run.config.latents.codes[code], Categorical):
        return movement(run, code, seed)
    return {"eta2": context(run, code, seed)} if channels == 3 else {}


def movement(run: Run, code: int, seed: int) -> dict:
    """Figure 2 (b-d) of Chen et al. 2016 as numbers: what of the picture does the swept code move?

    slant, width, thickness, or the colour measures: Spearman correlation along a sweep, averaged over categories and
    noise; `spread`, its standard deviation across categories; `ends`, the average measurement at the first and the
    last value, in its own unit. A hue is an angle: it is followed around the circle along each sweep.
    """
    pictures, categories = sweep(run, code, seed)
    values = torch.linspace(*SWEEP)
    report, spread, ends = {}, {}, {}
    for name, measure in (COLOUR if pictures.dim() == 4 else GREY).items():
        measured = measure(pictures).view(-1, len(values))
        if name in PLANE:
            measured = torch.from_numpy(np.unwrap(measured.numpy(), period=1))
        rho = spearman(values, measured).view(categories, -1)
        report[name] = rho.mean().item()
        spread[name] = rho.mean(dim=1).std(correction=0).item()
        ends[name] = measured[:, [0, -1]].mean(dim=0).tolist()
    return {**report, "spread": spread, "ends": ends}


def context(run: Run, code: int, seed: int) -> dict[str, float]:
    """What of a colour picture a categorical code decides: eta^2 by measure, noise and other codes held along a row.

    The share of the variance within rows (one setting of noise and other codes, all categories) that lies between the
    categories' means: 1 where a category does the same to every picture, about 1 / SETTINGS where it does nothing.
    """
    spec, k = run.config.latents, run.config.latents.codes[code].k
    noise, codes = spec.sample(SETTINGS, torch.Generator().manual_seed(seed))
    rows, category = torch.arange(SETTINGS).repeat_interleave(k), torch.arange(k).repeat(SETTINGS)
    codes = [category if i == code else c[rows] for i, c in enumerate(codes)]
    pictures = run.generate(noise[rows], codes).float().cpu()
    return {name: eta2(PLANE.get(name, measure)(pictures).view(SETTINGS, k, -1)) for name, measure in COLOUR.items()}


def shares(spec: LatentSpec, codes: list[Tensor], x: Tensor) -> list[dict[str, dict[str, float]]]:
    """How much each code matters in colour: {"share": {measure: its share of the variance between pictures}} per code.

    codes, x: random samples, one tensor [N] per code and their pictures [N, 3, H, W] in 0..1; {} for grey ones. A code
    may move something in every picture alike, and little beside the others. A continuous code counts in ten bins.
    """
    if x.shape[1] == 1:
        return [{} for _ in spec.codes]
    found: list[dict[str, dict[str, float]]] = [{"share": {}} for _ in spec.codes]
    for name, measure in COLOUR.items():
        values = torch.cat([PLANE.get(name, measure)(part) for part in x.split(1000)])
        for share, code, c in zip(found, spec.codes, codes, strict=True):
            share["share"][name] = explained(code.bins(c)[0], values)
    return found


def explained(groups: Tensor, values: Tensor) -> float:
    """Share of the sum of squares of values [N] or [N, D] that lies between groups, int64 [N]; 0 if all are equal."""
    values = values.double().view(len(values), -1)
    centred = values - values.mean(dim=0)
    total, counts = centred.square().sum().item(), torch.bincount(groups).clamp_min(1)
    sums = centred.new_zeros(len(counts), centred.shape[1]).index_add(0, groups, centred)
    return ((sums.square().sum(dim=1) / counts).sum().item() / total) if total > 1e-12 * values.numel() else 0.0


def keeps(run: Run, code: int, read: Callable[[Tensor], Tensor], seed: int) -> dict[str, float]:
    """How often what is read in a picture stays while a continuous code goes from -1 to 1, all else held.

    read  pictures uint8 [N, C, H, W] -> probabilities of what is read, [N, V]. "share" is of KEPT settings; "sure" of
    the "n_sure" of them in which the reader is at least SURE of both ends (0 if there are none).
    """
    noise, codes = run.config.latents.sample(KEPT, torch.Generator().manual_seed(seed))
    ends = []
    for value in (-1.0, 1.0):
        x = run.generate(noise, [torch.full_like(c, value) if i == code else c for i, c in enumerate(codes)])
        ends.append(read((x.float().cpu() * 255).round().to(torch.uint8)).max(dim=1))
    (p, first), (q, last) = ends
    same, sure = (first == last).double(), torch.minimum(p, q) >= SURE
    n_sure = int(sure.sum())
    return {"share": same.mean().item(), "sure": same[sure].mean().item() if n_sure else 0.0, "n_sure": n_sure}


def eta2(values: Tensor) -> float:
    """Squared correlation ratio (Pearson 1905) of [rows, K, D] with K, each row's mean taken away; 0 if all are equal.

    Points of D dimensions, such as colours, count by their distance: sums of squares over D.
    """
    centred = values.double() - values.double().mean(dim=1, keepdim=True)
    total = centred.square().sum().item()
    between = len(values) * centred.mean(dim=0).square().sum().item()
    return between / total if total > 1e-12 * values.numel() else 0.0  # below: rounding


def names(codes: dict[str, dict]) -> dict[str, str]:
    """Each code that moves something steadily, by what it moves most: rho, or the correlation ratio, at least NAMED.

    In colour, only what it also moves by a SHARE of what lies between pictures. What else it does to a stroke,
    within TIED as steadily, is named as well: "slant and thickness".
    """
    named = {}
    for code, numbers in codes.items():
        strength = {m: abs(numbers[m]) for m in (*GREY, *COLOUR) if m in numbers}
        strength |= {m: eta2**0.5 for m, eta2 in numbers.get("eta2", {}).items()}
        strength = {m: s for m, s in strength.items() if numbers.get("share", {}).get(m, 1) >= SHARE}
        if strength and max(strength.values()) >= NAMED:
            most = max(strength, key=strength.get)
            tied = [m for m in GREY if max(NAMED, strength[most] - TIED) <= strength.get(m, 0)]
            named[code] = " and ".join(tied) if most in tied else most
    return named


def first_categorical(spec: LatentSpec) -> int | None:
    """Index of the code that stands for the class: c1 in all of the paper's experiments."""
    return next((i for i, code in enumerate(spec.codes) if isinstance(code, Categorical)), None)


def sweep(run: Run, code: int, seed: int) -> tuple[Tensor, int]:
    """One code swept for each category of c1 and each noise: (float [categories * NOISES * steps, H, W], categories).

    Colour pictures stay [..., 3, H, W]. The rest of G's input is drawn as in training, held along a sweep and shared
    by the categories.
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
    # .double(): some versions of SciPy rank float32 in float32
    ranks, order = (torch.from_numpy(rankdata(x.double().numpy(), axis=-1)) for x in (measured, values))
    ranks, order = ranks - ranks.mean(dim=-1, keepdim=True), order - order.mean()
    return ranks @ order / (ranks.norm(dim=-1) * order.norm()).clamp_min(1e-12)  # Pearson's correlation of the ranks

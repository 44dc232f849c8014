"""What each code changes that can be measured on the picture itself, and how steadily, whatever the other codes are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor

from infogan_core.measure import picture_measures as measures
from infogan_core.measure.context import Context, as_pixels
from infogan_core.model.latents import Categorical, LatentSpec, Uniform
from infogan_core.runs import Run

STROKE_MEASURES = {"slant": measures.slant, "width": measures.width, "thickness": measures.stroke_thickness}
COLOUR_MEASURES = {
    "brightness": measures.brightness,
    "contrast": measures.contrast,
    "hue": measures.hue,
    "saturation": measures.saturation,
    "background brightness": lambda x: measures.brightness(measures.border(x)),
    "background hue": lambda x: measures.hue(measures.border(x)),
    "left edge": lambda x: measures.edges(x[..., : x.shape[-1] // 5]),  # where a house number may have a neighbour
    "right edge": lambda x: measures.edges(x[..., -(x.shape[-1] // 5) :]),
}
HUES = {"hue": measures.chroma, "background hue": lambda x: measures.chroma(measures.border(x))}  # as points
COLOUR_POINTS = COLOUR_MEASURES | HUES
MIN_RHO_FOR_NAME = 0.8  # Spearman correlation, or correlation ratio, with which a measure names a code
MIN_SHARE_FOR_NAME = 0.1  # ... if the code explains at least this share of how it differs between pictures
TIE_MARGIN = 0.01  # a measure of strokes that is this close to the strongest one is named beside it
SWEEP = (-2.0, 2.0, 11)  # first, last, steps: figure 2 sweeps twice the trained range
SWEEPS_PER_CATEGORY = 20


def effects(context: Context) -> dict[str, Any]:
    """{"codes": per code `sweep_effects` of a continuous one, "eta2" of a categorical one, and in colour "share"}.

    Of a continuous code "digit_kept" as well, where there is a classifier that reads digits; see `kept`.
    """
    run, spec, (codes, x), seed = context.run, context.run.config.latents, context.generated, context.seed
    colour = x.shape[1] == 3
    reads_digits = context.features is not None and any(head.name == "digit" for head in context.classifier.heads)
    share = shares(spec, codes, x) if colour else []
    report: dict[str, Any] = {}
    for i, code in enumerate(spec.codes):
        numbers = report[spec.name(i)] = {}
        if isinstance(code, Uniform):
            numbers |= sweep_effects(run, i, seed)
        elif colour:
            numbers["eta2"] = category_effects(run, i, seed)
        if colour:
            numbers["share"] = share[i]
        if isinstance(code, Uniform) and reads_digits:
            numbers["digit_kept"] = kept(run, i, lambda x: context.classifier.read(x)["digit"], seed)
    return {"codes": report}


def sweep_effects(run: Run, code: int, seed: int) -> dict[str, Any]:
    """Figure 2 (b-d) of Chen et al. 2016 as numbers: what of the picture does the swept code change?

    Per measure: Spearman correlation along a sweep, averaged over categories and noise; `spread`, its standard
    deviation across categories; `ends`, the average measurement at the first and the last value. A hue, an angle, is
    followed around the circle.
    """
    pictures, categories = sweep(run, code, seed)
    values = torch.linspace(*SWEEP)
    report, spread, ends = {}, {}, {}
    for name, measure in (COLOUR_MEASURES if pictures.dim() == 4 else STROKE_MEASURES).items():
        measured = measure(pictures).view(-1, len(values))
        if name in HUES:
            measured = torch.from_numpy(np.unwrap(measured.numpy(), period=1))
        rho = spearman(values, measured).view(categories, -1)
        report[name] = rho.mean().item()
        spread[name] = rho.mean(dim=1).std(correction=0).item()
        ends[name] = measured[:, [0, -1]].mean(dim=0).tolist()
    return {**report, "spread": spread, "ends": ends}


def category_effects(run: Run, code: int, seed: int) -> dict[str, float]:
    """What of a colour picture a categorical code decides: `eta2` by measure, over settings of noise and other codes.

    1 where a category does the same to every picture, about 1/50 where it does nothing.
    """
    spec, k, n = run.config.latents, run.config.latents.codes[code].k, 50
    settings = spec.sample(n, torch.Generator().manual_seed(seed))
    pictures = run.generate(*spec.vary(*settings, code, torch.arange(k))).float().cpu()
    return {name: eta2(measure(pictures).view(n, k, -1)) for name, measure in COLOUR_POINTS.items()}


def shares(spec: LatentSpec, codes: list[Tensor], x: Tensor) -> list[dict[str, float]]:
    """Per code and measure, its share of the variance between random colour pictures x [N, 3, H, W] of `codes`.

    A code may change something in every picture alike, and little beside the others. A continuous code counts in bins.
    """
    groups = [code.bins(c)[0] for code, c in zip(spec.codes, codes, strict=True)]
    measured = {name: torch.cat([of(part) for part in x.split(1000)]) for name, of in COLOUR_POINTS.items()}
    return [{name: explained(of, values) for name, values in measured.items()} for of in groups]


def explained(groups: Tensor, values: Tensor) -> float:
    """Share of the sum of squares of values [N] or [N, D] that lies between groups, int64 [N]; 0 if all are equal."""
    values = values.double().view(len(values), -1)
    centred = values - values.mean(dim=0)
    total, counts = centred.square().sum().item(), torch.bincount(groups).clamp_min(1)
    sums = centred.new_zeros(len(counts), centred.shape[1]).index_add(0, groups, centred)
    return ((sums.square().sum(dim=1) / counts).sum().item() / total) if total > 1e-12 * values.numel() else 0.0


def eta2(values: Tensor) -> float:
    """Squared correlation ratio (Pearson 1905) of [rows, K, D] with K, each row's mean taken away; 0 if all agree."""
    centred = values.double() - values.double().mean(dim=1, keepdim=True)
    total, between = centred.square().sum().item(), len(values) * centred.mean(dim=0).square().sum().item()
    return between / total if total > 1e-12 * values.numel() else 0.0  # below: rounding


def kept(run: Run, code: int, read: Callable[[Tensor], Tensor], seed: int) -> dict[str, float]:
    """How often what is read in a picture stays while a continuous code goes from -1 to 1, all else held.

    read: pictures -> probabilities of what is read, [N, V]. "share" is of 500 settings; "sure" of the "n_sure" of them
    whose ends are both read with a probability of 0.8 or more (0 if there are none).
    """
    spec = run.config.latents
    settings = spec.sample(500, torch.Generator().manual_seed(seed))
    pictures = run.generate(*spec.vary(*settings, code, torch.tensor([-1.0, 1.0]))).float().cpu()
    p, value = read(as_pixels(pictures)).max(dim=1)
    same, sure = (value[::2] == value[1::2]).double(), p.view(-1, 2).amin(dim=1) >= 0.8
    n_sure = int(sure.sum())
    return {"share": same.mean().item(), "sure": same[sure].mean().item() if n_sure else 0.0, "n_sure": n_sure}


def names_of_effects(codes: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Each code that changes something steadily, and in colour much, by what it changes most; codes as in `effects`.

    What else it does to a stroke as steadily, within TIE_MARGIN, is named as well: "slant and thickness".
    """
    names = {}
    for code, numbers in codes.items():
        strength = {m: abs(numbers[m]) for m in (*STROKE_MEASURES, *COLOUR_MEASURES) if m in numbers}
        strength |= {m: ratio**0.5 for m, ratio in numbers.get("eta2", {}).items()}
        strength = {m: s for m, s in strength.items() if numbers.get("share", {}).get(m, 1) >= MIN_SHARE_FOR_NAME}
        if strength and max(strength.values()) >= MIN_RHO_FOR_NAME:
            most = max(strength, key=strength.get)
            least = max(MIN_RHO_FOR_NAME, strength[most] - TIE_MARGIN)
            tied = [m for m in STROKE_MEASURES if strength.get(m, 0) >= least]
            names[code] = " and ".join(tied) if most in tied else most
    return names


def sweep(run: Run, code: int, seed: int) -> tuple[Tensor, int]:
    """One code swept for each category of the first categorical code and each noise, which the categories share.

    Returns (float [categories * noises * steps, H, W], in colour [..., 3, H, W], categories).
    """
    spec, n = run.config.latents, SWEEPS_PER_CATEGORY
    noise, codes = spec.sample(n, torch.Generator().manual_seed(seed))
    first = next((i for i, of in enumerate(spec.codes) if isinstance(of, Categorical)), None)
    categories = 1 if first is None else spec.codes[first].k
    noise, codes = noise.repeat(categories, 1), [c.repeat(categories) for c in codes]
    if first is not None:
        codes[first] = torch.arange(categories).repeat_interleave(n)
    pictures = run.generate(*spec.vary(noise, codes, code, torch.linspace(*SWEEP))).float().cpu()
    return pictures.squeeze(1), categories


def spearman(values: Tensor, measured: Tensor) -> Tensor:
    """Spearman's rank correlation of `values` [steps] with each row of [rows, steps] -> [rows]; 0 if all are equal."""
    # .double(): some versions of SciPy rank float32 in float32
    ranks, order = (torch.from_numpy(rankdata(x.double().numpy(), axis=-1)) for x in (measured, values))
    ranks, order = ranks - ranks.mean(dim=-1, keepdim=True), order - order.mean()
    return ranks @ order / (ranks.norm(dim=-1) * order.norm()).clamp_min(1e-12)  # Pearson's correlation of the ranks

"""What the pixels of generated pictures say without a classifier: grain, and what noise changes beside the codes."""

from __future__ import annotations

import numpy as np
import torch
from scipy.fft import dctn
from torch import Tensor

from infogan_core.measure.context import Context, as_pixels

NOISE_PAIRS = 2_000  # at most so many pairs of pictures with the same codes


def grain(context: Context) -> dict:
    """{"quality": {"grain": `highest_frequencies` of generated pictures, as a multiple of that of real ones}}.

    About 1 for pictures as fine as real ones, more where the generator leaves grain or a checkerboard. The real ones
    are held-out pictures, or training pictures where none are held out. Generated pictures are rounded to 8 bits first,
    as real ones are and as they are shown: rounding alone has power 1/12, which SVHN's crops hardly exceed. Absent
    where the real ones have no such frequencies at all.
    """
    pixels, _ = context.real.get("held_out", context.real["train"])
    real = highest_frequencies(pixels)
    if real < 1e-12:  # rounding of float64
        return {}
    return {"quality": {"grain": highest_frequencies(as_pixels(context.generated[1])) / real}}


def highest_frequencies(pixels: Tensor) -> float:
    """Median over pictures, uint8 [N, C, H, H], of their mean power in the last H // 8 rows and columns of the DCT.

    The orthonormal DCT-II of each channel in units of 1/255; the squares of those coefficients that lie in such a row
    and in such a column (28 to 31 of 32) are averaged over the channels.
    """
    last = slice(-(pixels.shape[-1] // 8), None)
    spectra = (dctn(part.numpy(), axes=(-2, -1), norm="ortho")[..., last, last] for part in pixels.split(1000))
    return float(np.median(np.concatenate([np.square(part).mean(axis=(1, 2, 3)) for part in spectra])))


def noise(context: Context) -> dict:
    """{"quality": {"noise": the share of the variance of pixels that noise makes while the codes stay}}.

    E_c[Var(x | c)] / Var(x), the law of total variance, summed over pixels and channels: 0 where the codes decide the
    whole picture, about 1 where they change nothing. The first is half the mean squared difference of two pictures with
    the same codes and other noise. Absent where all pictures are the same.
    """
    codes, x = context.generated
    spec, n = context.run.config.latents, min(len(x), NOISE_PAIRS)
    other, _ = spec.sample(n, torch.Generator().manual_seed(context.seed + 1))
    difference = context.run.generate(other, [c[:n] for c in codes]).float().cpu() - x[:n]
    within, total = difference.double().square().sum().item() / (2 * n), x.var(dim=0).double().sum().item()
    return {"quality": {"noise": within / total}} if total > 1e-12 * x[0].numel() else {}

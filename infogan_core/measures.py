"""What is measured on a picture of one bright thing on black: slant, width and stroke thickness."""

from __future__ import annotations

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn.functional import interpolate


def moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Second central moments (mu20, mu11, mu02) of brightness, x to the right, y DOWN: [N, H, W] -> 3 x [N], px^2.

    A pixel is a square and adds its own variance, 1/12, so that a bar w px wide has mu20 = w^2 / 12 exactly.
    """
    weights = x.double() / x.double().sum(dim=(1, 2), keepdim=True).clamp_min(1e-12)  # a black picture stays 0
    rows, columns = (torch.arange(size, dtype=torch.float64) for size in x.shape[1:])
    by_row, by_column = weights.sum(dim=2), weights.sum(dim=1)
    dy, dx = rows - (by_row @ rows)[:, None], columns - (by_column @ columns)[:, None]
    mu11 = torch.einsum("nhw,nh,nw->n", weights, dy, dx)
    return (by_column * dx**2).sum(dim=1) + 1 / 12, mu11, (by_row * dy**2).sum(dim=1) + 1 / 12


def slant(x: Tensor) -> Tensor:
    """-mu11 / mu02, the shear of OpenCV's digit deskewing: px to the right per px up, so that "/" is positive."""
    _, mu11, mu02 = moments(x)
    return -mu11 / mu02


def width(x: Tensor) -> Tensor:
    """Width in px of the bar with the horizontal variance that is left when the slant is sheared away."""
    mu20, mu11, mu02 = moments(x)
    return (12 * (mu20 - mu11**2 / mu02)).sqrt()


def stroke_thickness(x: Tensor, upsample: int = 4) -> Tensor:
    """4 x the mean distance to the stroke's edge, in px: a long bar w px thick has mean distance w / 4; 0 without edge.

    Upsampled and cut at half the brightest pixel, after Morpho-MNIST (Castro et al. 2019), without its skeleton.
    """
    thickness = []
    for part in x.float().split(500):
        fine = interpolate(part[:, None], scale_factor=upsample, mode="bilinear")[:, 0]
        for stroke in (fine > fine.amax(dim=(1, 2), keepdim=True) / 2).numpy():
            # distances end at the centre of the nearest dark pixel, half a pixel past the edge
            edged = stroke.any() and not stroke.all()
            thickness.append(4 * (distance_transform_edt(stroke)[stroke].mean() - 0.5) / upsample if edged else 0.0)
    return torch.tensor(thickness, dtype=torch.float64)

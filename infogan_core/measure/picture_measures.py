"""What is measured on pictures in 0..1, one number each: of a bright thing on black [N, H, W], of RGB [N, 3, H, W]."""

from __future__ import annotations

import math

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate


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
    """The shear of OpenCV's digit deskewing: px to the right per px up, so that "/" is positive."""
    _, mu11, mu02 = moments(x)
    return -mu11 / mu02


def width(x: Tensor) -> Tensor:
    """Width in px of the bar with the horizontal variance that is left when the slant is sheared away."""
    mu20, mu11, mu02 = moments(x)
    return (12 * (mu20 - mu11**2 / mu02)).sqrt()


def stroke_thickness(x: Tensor) -> Tensor:
    """4 x the mean distance to the stroke's edge, in px: a long bar w px thick has mean distance w / 4; 0 without edge.

    Upsampled and cut at half the brightest pixel, after Morpho-MNIST (Castro et al. 2019), without its skeleton.
    """
    thickness, upsample = [], 4
    for part in x.float().split(500):
        fine = interpolate(part[:, None], scale_factor=upsample, mode="bilinear")[:, 0]
        for stroke in (fine > fine.amax(dim=(1, 2), keepdim=True) / 2).numpy():
            # distances end at the centre of the nearest dark pixel, half a pixel past the edge
            edged = stroke.any() and not stroke.all()
            thickness.append(4 * (distance_transform_edt(stroke)[stroke].mean() - 0.5) / upsample if edged else 0.0)
    return torch.tensor(thickness, dtype=torch.float64)


def luma(x: Tensor) -> Tensor:
    """Brightness of each pixel as the eye weighs it (ITU-R BT.601): [N, 3, H, W] -> [N, H, W]."""
    return torch.einsum("nchw,c->nhw", x.double(), torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64))


def brightness(x: Tensor) -> Tensor:
    """Mean luma, 0..1."""
    return luma(x).mean(dim=(1, 2))


def contrast(x: Tensor) -> Tensor:
    """Standard deviation of luma over the picture (RMS contrast, Peli 1990), 0..0.5."""
    return luma(x).std(dim=(1, 2), correction=0)


def saturation(x: Tensor) -> Tensor:
    """HSV's (max - min) / max of the channels, each pixel weighing as it is bright, 0..1."""
    highest, lowest = x.double().amax(dim=1), x.double().amin(dim=1)
    return (highest - lowest).sum(dim=(1, 2)) / highest.sum(dim=(1, 2)).clamp_min(1e-12)


def chroma(x: Tensor) -> Tensor:
    """Mean colour as a point [N, 2] of HSV's hexagon, in which grey is 0 and hue the angle."""
    r, g, b = x.double().mean(dim=(2, 3)).unbind(dim=1)
    return torch.stack([r - (g + b) / 2, (g - b) * math.sqrt(3) / 2], dim=1)


def hue(x: Tensor) -> Tensor:
    """Hue of the mean colour in turns, an angle: red 0, green 1/3, blue 2/3."""
    across, up = chroma(x).unbind(dim=1)
    return (torch.atan2(up, across) / (2 * math.pi)) % 1


def border(x: Tensor) -> Tensor:
    """The outermost eighth on each side, which a centred digit or face leaves to its background: -> [N, 3, 1, P]."""
    edge, mask = x.shape[-1] // 8, torch.ones(x.shape[-2:], dtype=torch.bool)
    mask[edge:-edge, edge:-edge] = False
    return x[:, :, mask][:, :, None]


def edges(x: Tensor) -> Tensor:
    """Mean step of luma from each pixel to the next on its right, 0..1; strokes have much."""
    return luma(x).diff(dim=2).abs().mean(dim=(1, 2))


def mirror_axis(x: Tensor, reach: int = 5, half: int = 10, sharpness: float = 8.0) -> Tensor:
    """Pose of an aligned face: where the picture's lower half is most like its mirror image, in 32nds of the width.

    In -reach..reach, 0 in the middle. The eyes of aligned faces stay put, and so the nose, the mouth and the cheeks of
    a head that turns to the right of the picture leave its axis to the left. For each column c within reach, the `half`
    columns left of it are correlated with those right of it, mirrored; the answer is the mean of c, weighted by
    exp(sharpness x correlation). Light from the side is no pose: it multiplies, so log(luma) is compared, less its
    slope about c.
    """
    # without 0.1 the logarithm would see little but the darkest pixels
    y = torch.log(luma(adaptive_avg_pool2d(x.double(), 32))[:, 16:28] + 0.1)
    shifts = torch.arange(-reach, reach + 0.5, 0.5, dtype=torch.float64)
    scores = []
    for c in (15.5 + shifts).tolist():
        left, right = (math.floor(c) - torch.arange(half), math.ceil(c) + torch.arange(half))
        distance = torch.arange(half, dtype=torch.float64) + c % 1
        a, b = y[..., left], y[..., right]
        mean = (a + b).mean(dim=(1, 2), keepdim=True) / 2
        slope = ((b - a) * distance).mean(dim=(1, 2), keepdim=True) / (2 * distance.square().mean())
        a, b = a - mean + slope * distance, b - mean - slope * distance
        energy = (a.square() + b.square()).sum(dim=(1, 2))
        scores.append(2 * (a * b).sum(dim=(1, 2)) / energy.clamp_min(1e-12))
    return (sharpness * torch.stack(scores, dim=1)).softmax(dim=1) @ shifts

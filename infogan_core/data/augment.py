"""What D and Q see of pictures, real and fake alike: DiffAugment (Zhao et al. 2020), and affine maps beside it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


def warped(x: Tensor, warps: Tensor) -> Tensor:
    """Each picture under its own affine map: x [n, C, H, W], warps [n, 2, 3] as of affine_grid.

    What moves in from outside is 0, a digit's black ground, or, for colour, the nearest pixel of the picture.

    Real and fake alike, and differentiable, so that D cannot take the warp for a sign of either (Zhao et al. 2020,
    DiffAugment). What c means to Q must then survive it: a code cannot hide in single pixels.
    """
    with torch.autocast(x.device.type, enabled=False):  # bf16 coordinates would be off by up to 1/8 pixel
        grid = affine_grid(warps, list(x.shape), align_corners=False)
        outside = "zeros" if x.shape[1] == 1 else "border"
        return grid_sample(x.float(), grid, padding_mode=outside, align_corners=False)


def recolored(x: Tensor, changes: Tensor) -> Tensor:
    """Pictures [n, C, H, W] in -1..1, each of another brightness, saturation and contrast.

    changes [n, 3] in -1..1: half of the first is added, saturation is multiplied by 1 + the second, and contrast by 1 +
    half of the third, as DiffAugment does. A code must then live in shapes, not in the light.
    """
    brightness, saturation, contrast = changes[:, :, None, None, None].unbind(1)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * (1 + saturation)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * (1 + contrast / 2) + brightness / 2

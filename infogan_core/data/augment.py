"""Pictures moved, warped and recoloured, differentiably: DiffAugment (Zhao et al. 2020), and affine maps beside it."""

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


def affine_maps(jitter: Tensor, warp: float, shift: float, size: int) -> Tensor:
    """Maps for `warp_pictures`, near the identity: jitter [..., 2, 3] in -1..1 -> [..., 2, 3].

    Each entry of the linear part is off by up to `warp`, the middle by up to `shift` pixels of a picture of `size`.
    """
    reach = jitter.new_full((3,), warp)
    reach[2].fill_(2 * shift / size)  # affine_grid: a picture is 2 wide
    return torch.eye(2, 3, device=jitter.device) + reach * jitter


def warp_pictures(x: Tensor, maps: Tensor) -> Tensor:
    """Each picture under its own affine map: x [n, C, H, W], maps [n, 2, 3] as of affine_grid.

    What moves in from outside is 0 for grey pictures, and the nearest pixel of the picture for colour.
    """
    with torch.autocast(x.device.type, enabled=False):  # bf16 coordinates would be off by up to 1/8 pixel
        grid = affine_grid(maps, list(x.shape), align_corners=False)
        outside = "zeros" if x.shape[1] == 1 else "border"
        return grid_sample(x.float(), grid, padding_mode=outside, align_corners=False)


def recolor(x: Tensor, changes: Tensor, span: float = 2.0) -> Tensor:
    """Pictures [n, C, H, W], each of another brightness, saturation and contrast; `span` is 2 for -1..1, 1 for 0..1.

    changes [n, 3] in -1..1: a quarter of the span times the first is added, saturation is multiplied by 1 + the second,
    and contrast by 1 + half of the third, as in DiffAugment.
    """
    brightness, saturation, contrast = changes[:, :, None, None, None].unbind(1)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * (1 + saturation)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * (1 + contrast / 2) + brightness * (span / 4)

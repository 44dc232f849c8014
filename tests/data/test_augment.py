"""Pictures moved, warped and recoloured."""

import torch

from infogan_core.data.augment import recolor, warp_pictures


def test_a_warp_moves_each_picture_by_its_own_map():
    x = torch.rand(2, 1, 28, 28)
    maps = torch.eye(2, 3).repeat(2, 1, 1)
    maps[0, 1, 2] = -2 * 2 / 28  # the output reads 2 pixels further up
    maps[1, 0, 0] = -1  # mirrored
    moved = warp_pictures(x, maps)
    torch.testing.assert_close(moved[0, 0, 2:], x[0, 0, :-2], atol=1e-4, rtol=0)
    assert moved[0, 0, :2].abs().sum() < 1e-3
    torch.testing.assert_close(moved[1], x[1].flip(-1), atol=1e-4, rtol=0)


def test_colour_goes_on_past_its_edge():
    """A digit lies on black; a photograph does not."""
    x, maps = torch.rand(1, 3, 32, 32), torch.eye(2, 3)[None].clone()
    maps[0, 1, 2] = -4 * 2 / 32  # the output reads 4 pixels further up
    torch.testing.assert_close(warp_pictures(x, maps)[:, :, :4], x[:, :, :1].expand(-1, -1, 4, -1), atol=1e-4, rtol=0)


def changed(*change, span=2.0):
    x = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    return x, recolor(x, torch.tensor([change]), span)


def test_recolouring_by_nothing_changes_nothing():
    torch.testing.assert_close(*changed(0.0, 0.0, 0.0))


def test_brightness_adds_a_quarter_of_the_span():
    x, lighter = changed(1.0, 0.0, 0.0)
    torch.testing.assert_close(lighter, x + 0.5)
    x, lighter = changed(1.0, 0.0, 0.0, span=1.0)
    torch.testing.assert_close(lighter, x + 0.25)


def test_without_saturation_the_channels_are_their_mean():
    x, pale = changed(0.0, -1.0, 0.0)
    torch.testing.assert_close(pale, x.mean(dim=1, keepdim=True).expand_as(x))


def test_contrast_stretches_around_the_mean_by_half_of_the_change():
    x, flat = changed(0.0, 0.0, -1.0)
    torch.testing.assert_close(flat.mean(), x.mean())
    torch.testing.assert_close(flat.std(), x.std() / 2)

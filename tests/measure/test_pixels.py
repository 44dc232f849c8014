"""pixels.py: grain and noise of pictures for which both are known."""

import math
from types import SimpleNamespace

import pytest
import torch
from scipy.fft import idctn

from infogan_core.measure import pixels
from infogan_core.measure.context import Context
from infogan_core.model.latents import Categorical, LatentSpec, Uniform


@pytest.mark.parametrize("size", [28, 32, 64])
def test_only_the_last_eighth_of_rows_and_columns_counts(size):
    """A coefficient of 1,000 in the corner of one of three channels: 1,000^2 / (3 k^2); beside the corner: nothing."""
    last = size - 1
    first = size - size // 8
    for row, column, inside in ((last, last, 1), (first, last, 1), (first - 1, last, 0), (last, first - 1, 0)):
        spectrum = torch.zeros(1, 3, size, size)
        spectrum[..., 0, 0] = 128 * size  # the mean, which keeps pixels in 0..255
        spectrum[0, 1, row, column] = 1000
        x = torch.from_numpy(idctn(spectrum.numpy(), axes=(-2, -1), norm="ortho"))
        found = pixels.highest_frequencies(x.round().byte())
        assert found == pytest.approx(inside * 1000**2 / (3 * (size // 8) ** 2), rel=0.02, abs=0.3)


def noisy(n, std, size=32):
    return 128 + std * torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(0))


def test_white_noise_has_its_variance_in_every_frequency():
    """And rounding to 8 bits adds 1/12 to it."""
    assert pixels.highest_frequencies(noisy(400, 6.0).round().byte()) == pytest.approx(36 + 1 / 12, rel=0.05)
    assert pixels.highest_frequencies(noisy(400, 1.0).round().byte()) == pytest.approx(1 + 1 / 12, rel=0.05)


def test_a_few_grainy_pictures_do_not_move_the_median():
    x = noisy(100, 2.0).round().byte()
    before = pixels.highest_frequencies(x)
    x[:10] = 255 * (torch.arange(32)[:, None] + torch.arange(32)).remainder(2).byte()
    assert pixels.highest_frequencies(x) == pytest.approx(before, rel=0.1)


def grain(real, generated):
    return pixels.grain(SimpleNamespace(real=real, generated=([], generated)))


def test_grain_is_a_multiple_of_that_of_held_out_pictures():
    """Generated noise of thrice the deviation: 9; without held-out pictures the training pictures are the measure."""
    real, other = (noisy(300, std).round().byte() for std in (4.0, 8.0))
    generated = noisy(300, 12.0) / 255
    found = grain({"train": (other, None), "held_out": (real, None)}, generated)
    assert found == {"quality": {"grain": pytest.approx(9, rel=0.05)}}
    assert grain({"train": (real, None)}, generated) == found


def test_without_grain_in_real_pictures_there_is_no_multiple():
    flat = torch.arange(256, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 28, 28).contiguous()
    assert grain({"train": (flat, None)}, torch.rand(4, 1, 28, 28)) == {}


def noise_share(draw):
    spec = LatentSpec(2, (Categorical(10), Uniform()), noise="normal")
    run = SimpleNamespace(config=SimpleNamespace(latents=spec), generate=draw)
    return pixels.noise(Context(run, None, samples=10_000))


def weighted(of_noise, of_codes):
    """Flat pictures: z_1 times a weight and c2 times another, in one of three channels."""

    def draw(z, codes):
        x = torch.zeros(len(z), 3, 28, 28)
        x[:, 0] = (of_noise * z[:, 0] + of_codes * codes[1])[:, None, None]
        return x

    return draw


@pytest.mark.parametrize(("of_noise", "of_codes"), [(0.0, 1.0), (1.0, 0.0), (1.0, math.sqrt(3)), (1.0, 3.0)])
def test_the_share_of_noise_is_its_variance_over_all(of_noise, of_codes):
    """z_1 has variance 1 and c2, uniform in -1..1, has 1/3."""
    share = of_noise**2 / (of_noise**2 + of_codes**2 / 3)
    found = noise_share(weighted(of_noise, of_codes))
    assert found == {"quality": {"noise": pytest.approx(share, rel=0.1, abs=1e-12)}}


def test_noise_that_acts_only_together_with_a_code_counts_as_noise():
    """x = z_1 c2: for every c2 the mean is 0, so all of the variance lies within settings of the codes."""

    def product(z, codes):
        return (z[:, 0] * codes[1])[:, None, None, None].expand(-1, 1, 28, 28)

    assert noise_share(product)["quality"]["noise"] == pytest.approx(1, rel=0.15)


def test_pictures_that_are_all_the_same_have_no_share():
    assert noise_share(weighted(0.0, 0.0)) == {}

"""The networks against the tables of appendix C, by shape and parameter count."""

import re

import pytest
import torch
from torch import nn

from infogan_core import Categorical, Discriminator, Generator, LatentSpec, Uniform
from infogan_core.model.networks import Blur

MNIST = LatentSpec()
SVHN = LatentSpec(124, (Categorical(10),) * 4 + (Uniform(),) * 4)
CELEBA = LatentSpec(128, (Categorical(10),) * 10)


def parameters(net):
    return sum(p.numel() for p in net.parameters())


def test_g_of_mnist_has_the_parameters_of_table_c1():
    fc = 74 * 1024 + 2 * 1024 + 1024 * 6272 + 2 * 6272  # batch norm brings gamma and beta, and spares the bias
    assert parameters(Generator(MNIST)) == fc + 16 * 128 * 64 + 2 * 64 + 16 * 64 + 1


def test_d_and_q_of_mnist_have_the_parameters_of_table_c1():
    trunk = 16 * 64 + 64 + 16 * 64 * 128 + 2 * 128 + 6272 * 1024 + 2 * 1024
    q = 1024 * 128 + 2 * 128 + 128 * 12 + 12  # 10 logits and 2 means
    assert parameters(Discriminator(MNIST)) == trunk + 1024 + 1 + q


@pytest.mark.parametrize("spec", [SVHN, CELEBA])
def test_g_of_32_pixels_has_the_parameters_of_table_c2(spec):
    fc = spec.width * 1792 + 2 * 1792
    convs = 16 * 448 * 256 + 2 * 256 + 16 * 256 * 128 + 128 + 16 * 128 * 64 + 64 + 16 * 64 * 3 + 3
    assert parameters(Generator(spec, 32, 3)) == fc + convs


def test_d_of_32_pixels_has_the_parameters_of_table_c2():
    trunk = 16 * 3 * 64 + 64 + 16 * 64 * 128 + 2 * 128 + 16 * 128 * 256 + 2 * 256
    q = 4096 * 128 + 2 * 128 + 128 * 44 + 44  # 4 x 10 logits and 4 means
    assert parameters(Discriminator(SVHN, 32, 3)) == trunk + 4096 + 1 + q


@pytest.mark.parametrize(("size", "channels", "low"), [(28, 1, 0), (28, 3, 0), (32, 1, -1), (32, 3, -1), (64, 3, -1)])
def test_g_draws_pictures_of_every_kind(size, channels, low):
    x = Generator(MNIST, size, channels, width=0.125)(torch.randn(4, 74) * 100)
    assert x.shape == (4, channels, size, size)
    assert x.min() >= low
    assert x.max() <= 1


def test_a_learned_sigma_costs_q_one_output():
    assert Discriminator(LatentSpec(codes=(Uniform(None),)), width=0.125).q_head[-1].out_features == 2


def test_slope_reaches_every_leaky_relu():
    slopes = {m.negative_slope for m in Discriminator(MNIST, slope=0.01).modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.01}


def test_batch_norm_in_every_block_of_g_is_two_more_than_the_table_has():
    norms = [
        sum(isinstance(m, nn.BatchNorm2d) for m in Generator(SVHN, 32, 3, 0.125, every).modules()) for every in (0, 1)
    ]
    assert norms == [1, 3]


def test_d_reads_64_pixels_with_one_block_more():
    assert (
        len(Discriminator(CELEBA, 64, 3, width=0.125).trunk) == len(Discriminator(CELEBA, 32, 3, width=0.125).trunk) + 3
    )
    logits, q = Discriminator(CELEBA, 64, 3, width=0.125)(torch.zeros(2, 3, 64, 64))
    assert logits.shape == (2,)
    assert [tuple(params.shape) for params in q] == [(2, 10)] * 10


def test_weights_start_at_a_standard_deviation_of_0_02():
    assert Generator(MNIST).layers[3].weight.std().item() == pytest.approx(0.02, abs=1e-4)


def test_a_size_without_a_table_is_refused():
    with pytest.raises(ValueError, match="no network for pictures of 48x48"):
        Generator(MNIST, 48)


def test_norm_after_swaps_batch_norm_and_activation_and_nothing_else():
    plain, after = (Discriminator(MNIST, width=0.125, norm_after=late) for late in (False, True))
    before, behind = (" ".join(type(m).__name__ for m in d.trunk) for d in (plain, after))
    assert behind == re.sub(r"(BatchNorm.d) (LeakyReLU)", r"\2 \1", before) != before
    assert parameters(plain) == parameters(after)
    g = Generator(MNIST, width=0.125, norm_after=True).layers[:3]
    assert [type(m) for m in g] == [nn.Linear, nn.ReLU, nn.BatchNorm1d]


def test_64_pixels_have_the_table_of_32_with_one_block_more():
    """Not in the paper: a fourth convolution of 512 channels in the trunk, and G from 448 channels of 4x4 pixels."""
    spec = LatentSpec(124, (Categorical(10),) * 4 + (Uniform(),) * 4)
    G, D = Generator(spec, 64, 3), Discriminator(spec, 64, 3)
    convolutions = [tuple(layer.weight.shape[:2]) for layer in D.trunk if hasattr(layer, "stride")]
    assert convolutions == [(64, 3), (128, 64), (256, 128), (512, 256)]
    assert G.layers[0].weight.shape == (448 * 4 * 4, 168)
    upconvolutions = [tuple(layer.weight.shape[:2]) for layer in G.layers if hasattr(layer, "stride")]
    assert upconvolutions == [(448, 256), (256, 128), (128, 64), (64, 3)]


def test_blur_keeps_flat_ground_and_ends_the_highest_frequency():
    chequers = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(1, 3, 16, 16)
    assert Blur()(chequers)[..., 1:-1, 1:-1].abs().max() == 0
    assert torch.equal(Blur()(torch.full((1, 3, 32, 32), 0.3)), torch.full((1, 3, 32, 32), 0.3))


def test_blur_adds_no_weight():
    plain, blurred = (Generator(LatentSpec(), 32, 3, blur=blur).state_dict() for blur in (False, True))
    assert plain.keys() == blurred.keys()

"""The codes: closed forms of their entropies and log-densities, sampling, and encoding."""

import pytest
import torch

from infogan_core import Categorical, LatentSpec, Uniform
from infogan_core.model.latents import SIGMA_FLOOR

SPEC = LatentSpec()


def test_entropy_of_a_uniform_category_is_ln_k():
    assert Categorical(10).entropy == pytest.approx(2.302585, abs=1e-6)


def test_entropy_of_unif_minus_1_to_1_is_ln_2():
    assert Uniform().entropy == pytest.approx(0.693147, abs=1e-6)


def test_mnist_input_of_g_is_74_wide():
    """62 noise + Cat(10) + 2 uniform codes (appendix C.1)."""
    assert SPEC.width == 74


def test_svhn_and_celeba_inputs_of_g_are_168_and_228_wide():
    """Appendix C.2 and C.3; SVHN's only add up with 4 continuous codes."""
    assert LatentSpec(124, (Categorical(10),) * 4 + (Uniform(),) * 4).width == 168
    assert LatentSpec(128, (Categorical(10),) * 10).width == 228


@pytest.mark.parametrize(("sigma", "floor"), [(1.0, None), (0.5, None), (None, SIGMA_FLOOR)])
def test_gaussian_q_agrees_with_torch(sigma, floor):
    code, params, c = Uniform(sigma), torch.randn(100, 2), torch.rand(100)
    mean, std = code.read(params[:, : code.q_width])
    expected = torch.distributions.Normal(mean, std).log_prob(c)
    torch.testing.assert_close(code.log_q(params[:, : code.q_width], c), expected)
    assert floor is None or std.min() > floor


def test_learned_sigma_never_falls_below_its_floor():
    _, std = Uniform(sigma=None).read(torch.tensor([[0.0, -1e4]]))
    assert std.item() == pytest.approx(SIGMA_FLOOR)


def test_categorical_q_agrees_with_torch():
    logits, c = torch.randn(100, 10) * 5, torch.randint(10, (100,))
    expected = torch.distributions.Categorical(logits=logits).log_prob(c)
    torch.testing.assert_close(Categorical(10).log_q(logits, c), expected)


def test_log_q_of_an_impossible_category_is_finite():
    """A log of a softmax would be -inf here; log-softmax is not."""
    logits = torch.tensor([[1000.0, 0.0]])
    assert Categorical(2).log_q(logits, torch.tensor([1])).item() == -1000


def test_samples_cover_their_distributions():
    noise, (c1, c2, c3) = SPEC.sample(20_000, torch.Generator().manual_seed(0))
    assert torch.bincount(c1, minlength=10).min() > 1800  # 2000 each; 200 are 4.7 standard deviations
    for c in (c2, c3, noise):
        assert c.min() >= -1
        assert c.max() < 1
        assert c.var().item() == pytest.approx(1 / 3, abs=0.01)


def test_normal_noise_has_unit_variance():
    noise = LatentSpec(noise="normal").sample_noise(20_000, torch.Generator().manual_seed(0))
    assert noise.var().item() == pytest.approx(1, abs=0.01)


def test_the_same_generator_state_draws_the_same_latents():
    first, second = (SPEC.sample(5, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert all(torch.equal(a, b) for a, b in zip(first[1], second[1], strict=True))


def test_encoding_is_noise_then_one_hot_then_the_numbers():
    spec = LatentSpec(2, (Categorical(3), Uniform()))
    zc = spec.encode(torch.tensor([[0.1, 0.2]]), [torch.tensor([1]), torch.tensor([-0.5])])
    torch.testing.assert_close(zc, torch.tensor([[0.1, 0.2, 0.0, 1.0, 0.0, -0.5]]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Categorical(1), "k must be a whole number of 2 or more"),
        (lambda: Categorical(2.5), "k must be a whole number"),
        (lambda: Uniform(0.0), "sigma must be None"),
        (lambda: Uniform("learned"), "sigma must be None"),
        (lambda: LatentSpec(0), "noise_dim must be"),
        (lambda: LatentSpec(10**8), "noise_dim and codes make 100000012 inputs of G, the limit is 20000"),
        (lambda: LatentSpec(5, (Categorical(10**8),)), "the limit is 20000"),
        (lambda: LatentSpec(noise="gaussian"), 'must be "uniform" or "normal"'),
        (lambda: LatentSpec(codes=()), "codes must be one or more"),
        (lambda: SPEC.check(torch.zeros(2, 61), []), r"noise must be \[n, 62\]"),
        (lambda: SPEC.check(torch.zeros(1, 62), [torch.tensor([0])]), "has 3 codes, found 1"),
        (lambda: SPEC.check(torch.zeros(1, 62), [torch.tensor([10]), *torch.zeros(2, 1)]), "from 0 to 9"),
        (lambda: SPEC.check(torch.zeros(1, 62), [torch.tensor([1]), *torch.zeros(2, 2)]), r"c2 must be \[1\]"),
    ],
)
def test_an_impossible_latent_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_sliders_start_at_one_drawn_setting_with_continuous_codes_in_the_middle():
    spec = LatentSpec(3, (Categorical(10),) * 6 + (Uniform(),))
    *categories, middle = spec.start()
    assert middle == 0
    assert len(set(categories)) > 1
    assert all(0 <= category < 10 for category in categories)
    assert spec.start() == spec.start()


def test_one_dimension_of_noise_is_enough():
    noise, _ = LatentSpec(1).sample(4)
    assert noise.shape == (4, 1)

"""The losses against closed forms, in nats."""

import math

import pytest
import torch

from infogan_core import Categorical, LatentSpec, Uniform, d_loss, g_loss, info_loss, mi_bound
from infogan_core.model.losses import d_hinge, g_hinge, mode_seeking, r1_penalty, shared_information

CAT = LatentSpec(codes=(Categorical(10),))


def test_uninformed_q_tells_nothing():
    """Uniform logits over K categories give E[log 1/K] + ln K = 0 nats."""
    bound = mi_bound(CAT, [torch.zeros(50, 10)], [torch.randint(10, (50,))])
    assert bound.item() == pytest.approx(0, abs=1e-6)


def test_perfect_q_reaches_ln_k():
    c = torch.randint(10, (50,))
    assert mi_bound(CAT, [100 * Categorical(10).encode(c)], [c]).item() == pytest.approx(math.log(10), abs=1e-6)


PAIRS = torch.tensor([[5, 1, 1, 1], [1, 4, 1, 2], [2, 1, 4, 1]])  # how often each of 3 equal codes makes each of 4 x
JOINT = PAIRS / PAIRS.sum()
POSTERIOR = JOINT / JOINT.sum(dim=0)  # P(c|x)
INFORMATION = (JOINT * (3 * POSTERIOR).log()).sum().item()  # I(c; x), as P(c) = 1/3


def bound_over(pairs, q):
    """mi_bound over every pair (c, x), each as often as `pairs` [3, 4] says; q is Q(c|x) [3, 4]."""
    c, x = pairs.nonzero().repeat_interleave(pairs[pairs > 0], dim=0).T
    return mi_bound(LatentSpec(codes=(Categorical(3),)), [q.log().T[x]], [c]).item()


def test_the_bound_is_the_information_where_q_is_the_true_posterior():
    assert bound_over(PAIRS, POSTERIOR) == pytest.approx(INFORMATION, abs=1e-5)


@pytest.mark.parametrize(
    "q",
    [torch.full((3, 4), 1 / 3), (3 * POSTERIOR.log()).softmax(dim=0), POSTERIOR.roll(1, dims=0)],
    ids=["ignorant", "too sure", "wrong"],
)
def test_any_other_q_is_below_the_information_by_its_kl_divergence(q):
    """Equation 4: I(c; x) = L_I + E[KL(P(c|x) || Q(c|x))]."""
    kl = (JOINT * (POSTERIOR / q).log()).sum().item()
    assert bound_over(PAIRS, q) == pytest.approx(INFORMATION - kl, abs=1e-5)
    assert bound_over(PAIRS, q) < INFORMATION - 0.01


def test_the_code_that_made_x_serves_as_a_sample_of_the_posterior():
    """Lemma 5.1: E[log Q(c'|x)] over c' ~ P(c'|x) is E[log Q(c|x)], so nobody needs the posterior."""
    resampled = (24 * PAIRS[:, None] * PAIRS // PAIRS.sum(dim=0)).sum(dim=0)  # triples (c, c', x), then pairs (c', x)
    q = POSTERIOR.roll(1, dims=0)
    assert bound_over(resampled, q) == pytest.approx(bound_over(PAIRS, q), abs=1e-5)


@pytest.mark.parametrize(("sigma", "ceiling"), [(1.0, -0.2258), (0.5, 0.4674), (0.1, 2.0768)])
def test_gaussian_bound_at_no_error_and_fixed_sigma(sigma, ceiling):
    """ln 2 - ln(2 pi sigma^2) / 2: below zero for sigma 1, although nothing is left to tell."""
    c = torch.rand(50) * 2 - 1
    bound = mi_bound(LatentSpec(codes=(Uniform(sigma),)), [c[:, None]], [c])
    assert bound.item() == pytest.approx(ceiling, abs=1e-4)


def test_calibrated_learned_sigma():
    """E[log Q] is minus the entropy of N(0, sigma^2), so L_I = ln 2 - ln(2 pi e sigma^2) / 2: 1.577 at sigma 0.1."""
    c, error = torch.zeros(400_000), 0.1 * torch.randn(400_000, generator=torch.Generator().manual_seed(0))
    raw = torch.full_like(c, math.log(math.expm1(0.1 - 0.05)))  # softplus(raw) + floor = 0.1
    bound = mi_bound(LatentSpec(codes=(Uniform(None),)), [torch.stack([error, raw], 1)], [c])
    assert bound.item() == pytest.approx(math.log(2) - 0.5 * math.log(2 * math.pi * math.e * 0.01), abs=0.01)


def test_fixed_sigma_1_is_mse():
    """The gradient of -L_I is that of MSE / 2: the course project's stand-in was this loss."""
    mean, c = torch.randn(50, 1, requires_grad=True), torch.rand(50)
    (of_bound,) = torch.autograd.grad(-mi_bound(LatentSpec(codes=(Uniform(1.0),)), [mean], [c])[0], mean)
    (of_mse,) = torch.autograd.grad(((mean[:, 0] - c) ** 2).mean() / 2, mean)
    torch.testing.assert_close(of_bound, of_mse)


def test_info_loss_falls_when_the_bound_rises():
    assert info_loss(torch.tensor([2.0, 1.0]), (1.0, 0.5)).item() == pytest.approx(-2.5)


def test_two_sure_and_balanced_readings_share_ln_k():
    p = torch.eye(10).repeat(5, 1)
    assert shared_information(p, p).item() == pytest.approx(math.log(10), abs=1e-5)


@pytest.mark.parametrize("p", [torch.full((50, 10), 0.1), torch.eye(10)[[3] * 50]], ids=["unsure", "one category"])
def test_readings_that_say_nothing_share_nothing(p):
    assert shared_information(p, p).item() == pytest.approx(0, abs=1e-5)


def test_readings_that_the_warp_changes_at_random_share_nothing():
    p, q = torch.eye(4).repeat_interleave(4, 0), torch.eye(4).repeat(4, 1)
    assert shared_information(p, q).item() == pytest.approx(0, abs=1e-5)


def test_autocast_does_not_round_what_is_shared():
    p = torch.randn(128, 10).softmax(dim=1)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = shared_information(p, p)
    assert rounded.item() == pytest.approx(shared_information(p, p).item(), abs=1e-6)


def test_blind_d_loses_2_ln_2():
    assert d_loss(torch.zeros(8), torch.zeros(8)).item() == pytest.approx(2 * math.log(2))


def test_losses_are_the_logs_of_d():
    real, fake = torch.randn(20), torch.randn(20)
    expected = -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean()
    torch.testing.assert_close(d_loss(real, fake), expected)
    torch.testing.assert_close(g_loss(fake), -fake.sigmoid().log().mean())


def test_losses_stay_finite_for_a_certain_d():
    far = torch.tensor([1e4])
    assert d_loss(-far, far).item() == pytest.approx(2e4)
    assert g_loss(-far).item() == pytest.approx(1e4)


def test_hinge_stops_at_its_margin():
    """0 once real scores are above 1 and fake ones below -1; 2 where D knows nothing; G's is minus the mean score."""
    assert d_hinge(torch.tensor([1.0, 7.0]), torch.tensor([-1.0, -3.0])).item() == 0
    assert d_hinge(torch.zeros(4), torch.zeros(4)).item() == 2
    assert d_hinge(torch.tensor([-1.0, 1.0]), torch.tensor([0.5, -1.0])).item() == pytest.approx(1 + 0.75)
    assert g_hinge(torch.tensor([1.0, -3.0])).item() == 1


def test_r1_is_half_the_squared_slope_and_flattens_it():
    """Of D(x) = w x + b: |w|^2 / 2 at every x, whose gradient in w is w."""
    w, x = torch.randn(1, 3, 4, 4, requires_grad=True), torch.randn(5, 3, 4, 4, requires_grad=True)
    penalty = r1_penalty((w * x).sum(dim=(1, 2, 3)) + 7, x)
    penalty.backward()
    assert penalty.item() == pytest.approx(w.square().sum().item() / 2, rel=1e-5)
    torch.testing.assert_close(w.grad, w.detach())


def test_mode_seeking_is_the_ratio_of_distances_between_the_halves():
    noise, x = torch.tensor([[0.0], [0.0], [1.0], [3.0]]), torch.tensor([0.0, 0.0, 0.5, 0.5]).view(4, 1, 1, 1)
    assert mode_seeking(x, noise).item() == pytest.approx(2 / 0.5, rel=1e-4)

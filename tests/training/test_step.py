"""The step: pinned losses, one result in every form, and who trains whom."""

import shutil

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from helpers import tiny
from infogan_core import build, preset
from infogan_core.data.augment import recolor, warp_pictures
from infogan_core.model.networks import to_network_range
from infogan_core.training.forms import WARMUP, in_form
from infogan_core.training.step import Batches, Step

CPU = torch.device("cpu")


def make(config, pixels, device=CPU, dtype=torch.float32):
    step = Step(config, build(config), build(config)[0], pixels.to(device), dtype)
    return step, Batches(config, len(pixels), device)


def trace(config, pixels, device=CPU, n=3):
    step, batches = make(config, pixels, device)
    update = in_form(step, config.step_form)
    return torch.stack([update(next(batches)).clone() for _ in range(n)]).cpu()


PINNED = {  # loss_d, loss_g, D(x), D(G), nothing shared, L_I(c1), L_I(c2), L_I(c3)
    "openai": [1.4443, 0.8988, 0.3997, 0.3958, 0.0, 0.0766, -0.3207, -0.3403],
    "paper": [1.4376, 0.8900, 0.4089, 0.4022, 0.0, -0.0071, -0.4133, -0.4005],
}


@pytest.mark.parametrize("profile", ["openai", "paper"])
def test_second_step_of_a_preset_is_pinned(profile, digits):
    """The first sees only the initialisation; the second has been through both updates."""
    terms = trace(preset("mnist", profile, precision="fp32"), digits.pixels[:512], n=2)[1]
    assert terms.tolist() == pytest.approx(PINNED[profile], abs=2e-3)


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler, and there is no g++")
def test_compiled_is_eager(blobs):
    config = tiny(shift=2, r1=1.0)
    compiled = trace(config.replace(step_form="compile"), blobs.pixels)
    torch.testing.assert_close(compiled, trace(config, blobs.pixels), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "changes",
    [{}, {"fresh_fakes": True, "ema": 0.9, "lr_decay": True, "instance_noise": 0.5, "objective": "hinge", "r1": 1.0}],
)
def test_graphed_is_eager(changes, blobs, cuda):
    config = tiny(shift=2, **changes)
    eager = trace(config.replace(step_form="eager"), blobs.pixels, cuda, n=WARMUP + 4)
    graphed = trace(config.replace(step_form="graph"), blobs.pixels, cuda, n=WARMUP + 4)
    close = torch.testing.assert_close
    close(graphed[: WARMUP + 1], eager[: WARMUP + 1], atol=1e-3, rtol=1e-3)
    close(graphed, eager, atol=5e-3, rtol=1e-3)  # sums on a GPU have no fixed order, and the difference grows


def test_cuda_is_cpu(blobs, cuda):
    """From the same weights and the same batches, moved over."""
    config = tiny(shift=2, r1=1.0)
    on_cpu, batches = make(config, blobs.pixels)
    on_cuda, _ = make(config, blobs.pixels, cuda)
    batch = next(batches)
    moved = batch._replace(
        index=batch.index.cuda(),
        warps=batch.warps.cuda(),
        colors=batch.colors.cuda(),
        draws=[(z.cuda(), [c.cuda() for c in cs]) for z, cs in batch.draws],
    )
    torch.testing.assert_close(on_cuda(moved).cpu(), on_cpu(batch), atol=1e-3, rtol=1e-3)


def test_the_step_never_waits_for_the_gpu(blobs, cuda):
    step, batches = make(tiny(shift=2, fresh_fakes=True, ema=0.9, r1=1.0), blobs.pixels, cuda)
    step(next(batches))  # the first may wait, to initialise
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(2):
            step(next(batches))
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_forward_halves_stay_on_a_gpu():
    """On a pretended GPU a tensor left on the CPU, or a value read back to Python, raises."""
    config = tiny(shift=2, fresh_fakes=True)
    with FakeTensorMode(allow_non_fake_inputs=False), torch.device("cuda"):
        nets = build(config)
        step = Step.__new__(Step)  # its optimisers would ask for a real device
        step.config, step.device, step.dtype = config, torch.device("cuda"), torch.float32
        step.G, step.D, step.critic = *nets, None
        pixels = torch.zeros(256, 1, 28, 28, dtype=torch.uint8)
        noise, c = torch.zeros(32, 62), [torch.zeros(32, dtype=torch.int64), torch.zeros(32), torch.zeros(32)]
        warps = torch.zeros(32, 2, 3)
        with step.autocast():
            fake = warp_pictures(step.fake(noise, c), warps)
            real = to_network_range(pixels[torch.zeros(32, dtype=torch.int64)].float() / 255, 28)
            d, of_d = step.d_objective(real, fake, c, again=warp_pictures(real, warps))
            g, of_g = step.g_objective(fake, c)
        assert {t.device.type for t in (d, of_d, g, of_g)} == {"cuda"}
        with pytest.raises(DataDependentOutputException):
            d.item()
        with pytest.raises(RuntimeError, match="device"):
            step.fake(noise, [t.to("cpu") for t in c])


def test_objective_is_the_configs(blobs):
    """The hinge loss of untrained networks, whose scores lie within the margin: 2 - mean D(x) + mean D(G(z, c))."""
    step, batches = make(tiny(objective="hinge", lambda_info=0.0), blobs.pixels)
    noise, codes = next(batches).draws[0]
    real, fake = torch.rand(32, 1, 28, 28), step.fake(noise, codes).detach()
    score = step.D.d(step.D.features(real, fake))
    of_d, of_g = step.d_objective(real, fake, codes)[0], step.g_objective(fake, codes)[0]
    assert of_d.item() == pytest.approx((2 - score[:32].mean() + score[32:].mean()).item(), abs=1e-5)
    assert of_g.item() == pytest.approx(-score[32:].mean().item(), abs=1e-5)


def test_r1_is_added_to_what_d_minimises(blobs):
    """The slope of D at these real pictures, by differences: a small step along it raises D by its squared length."""
    step, batches = make(tiny(r1=3.0), blobs.pixels)
    noise, codes = next(batches).draws[0]
    real, fake = torch.rand(32, 1, 28, 28), step.fake(noise, codes).detach()
    with_r1, of_d = step.d_objective(real, fake, codes)
    step.config = step.config.replace(r1=0.0)
    without, same = step.d_objective(real, fake, codes)
    torch.testing.assert_close(of_d, same)
    x = real.clone().requires_grad_()
    (slope,) = torch.autograd.grad(step.D.d(step.D.features(x)).sum(), x)
    squared = slope.square().sum()
    with torch.no_grad():
        sums = [step.D.d(step.D.features(real + sign * 0.05 * slope / squared.sqrt())).sum() for sign in (1, -1)]
    assert (sums[0] - sums[1]).item() == pytest.approx(0.1 * squared.sqrt().item(), rel=0.02)
    assert (with_r1 - without).item() == pytest.approx(3 * squared.item() / 32 / 2, rel=1e-3)


def test_r1_in_bf16_is_near_that_in_fp32(blobs):
    real, penalties = torch.rand(32, 1, 28, 28), []
    for dtype in (torch.float32, torch.bfloat16):
        step, _ = make(tiny(), blobs.pixels, dtype=dtype)
        with step.autocast():
            penalties.append(step._r1(real).item())
    assert penalties[1] == pytest.approx(penalties[0], rel=0.02)


def gradients(config, pixels):
    """After one D objective and one G objective: the gradient norms that L_I alone gives to (G, trunk, Q)."""
    step, batches = make(config, pixels)
    batch = next(batches)
    fake = step.fake(*batch.draws[0])
    with_info, _ = step.d_objective(pixels[batch.index].float() / 255, fake, batch.draws[0][1])
    step.config = config.replace(lambda_info=0.0)
    without, _ = step.d_objective(pixels[batch.index].float() / 255, fake, batch.draws[0][1])
    parts = [step.G, step.D.trunk, step.D.q_head]
    grads = [torch.autograd.grad(with_info - without, list(p.parameters()), retain_graph=True) for p in parts]
    return [sum(g.abs().sum().item() for g in of_part) for of_part in grads]


def test_information_trains_the_trunk_in_the_papers_code(blobs):
    assert min(gradients(tiny(info_trains_trunk=True), blobs.pixels)) > 1e-3


def test_information_can_spare_the_trunk(blobs):
    config = tiny(info_trains_trunk=False)
    step, batches = make(config, blobs.pixels)
    noise, codes = next(batches).draws[0]
    real, fake = torch.rand(32, 1, 28, 28), step.fake(noise, codes).detach()
    with_info, _ = step.d_objective(real, fake, codes)
    step.config = config.replace(lambda_info=0.0)
    without, _ = step.d_objective(real, fake, codes)
    trunk, q = ([*part.parameters()] for part in (step.D.trunk, step.D.q_head))
    of_q = torch.autograd.grad(with_info - without, q, retain_graph=True)
    of_trunk = torch.autograd.grad(with_info - without, trunk, allow_unused=True)
    assert sum(g.abs().sum() for g in of_q) > 1e-3
    assert sum(g.abs().sum() for g in of_trunk if g is not None) < 1e-4


def test_information_can_spare_g(blobs):
    """Then, with the trunk spared as well, G and the trunk do what they do in a plain GAN; Q learns on the side."""
    aside = tiny(info_trains_trunk=False, info_trains_g=False)
    (one, batches), (other, _) = make(aside, blobs.pixels), make(aside.replace(lambda_info=0.0), blobs.pixels)
    before = [p.clone() for p in one.D.q_head.parameters()]
    for _ in range(3):
        batch = next(batches)
        for step in (one, other):
            step(batch)
    for part in ("G", "D.trunk", "D.d_head"):
        for a, b in zip(*(step_part(step, part).parameters() for step in (one, other)), strict=True):
            assert (a - b).abs().max() < 1e-4  # an Adam step is 1e-3
    assert any((a - b).abs().max() > 1e-4 for a, b in zip(before, one.D.q_head.parameters(), strict=True))


def step_part(step, path):
    for name in path.split("."):
        step = getattr(step, name)
    return step


def test_gs_update_computes_no_gradient_for_d_and_q(blobs, monkeypatch):
    """What D's and Q's parameters hold after a step is the gradient of D's update, nothing of G's added."""
    step, batches = make(tiny(), blobs.pixels)
    kept, update = {}, step._update

    def spy(optimiser, net, loss):
        update(optimiser, net, loss)
        if net is step.D:
            kept.update({name: p.grad.clone() for name, p in net.named_parameters()})

    monkeypatch.setattr(step, "_update", spy)
    step(next(batches))
    assert all(torch.equal(p.grad, kept[name]) for name, p in step.D.named_parameters())


def test_average_is_the_exponential_one(blobs):
    step, batches = make(tiny(ema=0.9), blobs.pixels)
    first = step.G.layers[0].weight.clone()
    step(next(batches))
    expected = 0.9 * first + 0.1 * step.G.layers[0].weight
    torch.testing.assert_close(step.ema.layers[0].weight, expected)


def test_rates_fall_to_zero_over_the_second_half(blobs):
    step, _ = make(tiny(lr_decay=True), blobs.pixels)
    rates = []
    for done in (0, 0.5, 0.75, 1):
        step.set_rates(done)
        rates.append(step.opt_g.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-3, 1e-3, 5e-4, 0])


def test_an_epoch_sees_every_picture_once():
    batches = Batches(tiny(batch=32), 128, CPU)
    seen = torch.cat([next(batches).index for _ in range(4)])
    assert seen.sort().values.tolist() == list(range(128))


def test_batches_go_on_where_they_were():
    batches, again = (Batches(tiny(), 100, CPU) for _ in range(2))
    for _ in range(5):
        next(batches)
    again.load_state_dict(batches.state_dict())
    for _ in range(5):
        assert all(torch.equal(a, b) for a, b in zip(next(batches).tensors(), next(again).tensors(), strict=True))


def test_fresh_fakes_draw_twice():
    batch = next(Batches(tiny(fresh_fakes=True), 100, CPU))
    assert len(batch.draws) == 2
    assert not torch.equal(batch.draws[0][0], batch.draws[1][0])


def test_a_warp_moves_each_picture_by_its_own_map():
    x = torch.rand(2, 1, 28, 28)
    maps = torch.eye(2, 3).repeat(2, 1, 1)
    maps[0, 1, 2] = -2 * 2 / 28  # the output reads 2 pixels further up
    maps[1, 0, 0] = -1  # mirrored
    moved = warp_pictures(x, maps)
    torch.testing.assert_close(moved[0, 0, 2:], x[0, 0, :-2], atol=1e-4, rtol=0)
    assert moved[0, 0, :2].abs().sum() < 1e-3
    torch.testing.assert_close(moved[1], x[1].flip(-1), atol=1e-4, rtol=0)


def test_warps_stay_within_their_reach():
    warps = next(Batches(tiny(shift=2, warp=0.15), 100, CPU)).warps - torch.eye(2, 3)
    assert 0.14 < warps[..., :2].abs().max() <= 0.15
    assert 1.9 < warps[..., 2].abs().max() * 28 / 2 <= 2


def test_a_share_of_the_pictures_is_moved_and_the_others_stay_as_they_are():
    config = tiny(shift=2, warp=0.15, moved=0.25, batch=256)
    still = (next(Batches(config, 256, CPU)).warps == torch.eye(2, 3)).flatten(2).all(dim=2)
    assert still.float().mean().item() == pytest.approx(0.75, abs=0.06)


@pytest.mark.parametrize(("done", "share"), [(0, 0), (0.25, 0.4), (0.5, 0.8), (1, 0.8)])
def test_the_share_that_is_moved_can_grow_from_nothing(done, share):
    batches = Batches(tiny(shift=2, warp=0.15, moved=0.8, moved_grows=0.5, batch=256), 256, CPU)
    batches.set_moved(done)
    moved = (next(batches).warps != torch.eye(2, 3)).flatten(2).any(dim=2)
    assert moved.float().mean().item() == pytest.approx(share, abs=0.06)


def test_colour_goes_on_past_its_edge():
    """A digit lies on black; a photograph does not."""
    x, maps = torch.rand(1, 3, 32, 32), torch.eye(2, 3)[None].clone()
    maps[0, 1, 2] = -4 * 2 / 32  # the output reads 4 pixels further up
    torch.testing.assert_close(warp_pictures(x, maps)[:, :, :4], x[:, :, :1].expand(-1, -1, 4, -1), atol=1e-4, rtol=0)


def changed(*change):
    x = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    return x, recolor(x, torch.tensor([change]))


def test_recolouring_by_nothing_changes_nothing():
    torch.testing.assert_close(*changed(0.0, 0.0, 0.0))


def test_brightness_adds_half_of_the_change():
    x, lighter = changed(1.0, 0.0, 0.0)
    torch.testing.assert_close(lighter, x + 0.5)


def test_without_saturation_the_channels_are_their_mean():
    x, pale = changed(0.0, -1.0, 0.0)
    torch.testing.assert_close(pale, x.mean(dim=1, keepdim=True).expand_as(x))


def test_contrast_stretches_around_the_mean_by_half_of_the_change():
    x, flat = changed(0.0, 0.0, -1.0)
    torch.testing.assert_close(flat.mean(), x.mean())
    torch.testing.assert_close(flat.std(), x.std() / 2)


def test_colour_changes_stay_within_their_reach_and_cost_nothing_when_off():
    batch = next(Batches(tiny(color=0.5), 100, CPU))
    assert batch.colors.shape == (len(batch.warps), tiny().batch, 3)
    assert 0.4 < batch.colors.abs().max() <= 0.5
    assert next(Batches(tiny(), 100, CPU)).colors.numel() == 0


def test_instance_noise_falls_to_a_fifth_and_is_added_to_what_d_and_q_see(blobs):
    config = tiny(instance_noise=0.5, shift=0, warp=0)
    step, batches = make(config, blobs.pixels)
    batch, x = next(batches), torch.rand(config.batch, 1, 28, 28)
    for done, deviation in ((0.0, 0.5), (0.5, 0.25), (0.9, 0.1), (1.0, 0.1)):
        step.set_rates(done)
        torch.testing.assert_close(step._seen(x, batch, 1) - x, deviation * batch.noise[1], atol=1e-6, rtol=0)


def test_instance_noise_is_another_for_every_view_and_costs_nothing_when_off():
    noise = next(Batches(tiny(instance_noise=0.5, lambda_real=0.0), 100, CPU)).noise
    assert noise.shape == (3, tiny().batch, 1, 28, 28)
    assert noise.std().item() == pytest.approx(1, abs=0.02)
    assert not torch.equal(noise[0], noise[1])
    assert next(Batches(tiny(), 100, CPU)).noise.numel() == 0


def test_half_of_the_real_pictures_are_mirrored_and_no_fake_is():
    """Both readings of a real picture (lambda_real) mirror it alike: a code may tell left from right."""
    real, fake_d, fake_g, again = next(Batches(tiny(flip=True, shift=0, warp=0), 256, CPU)).warps[..., 0, 0]
    assert set(real.tolist()) == {-1.0, 1.0}
    assert torch.equal(real, again)
    assert {*fake_d.tolist(), *fake_g.tolist()} == {1.0}


def test_a_graph_without_cuda_is_refused(blobs):
    step, _ = make(tiny(), blobs.pixels)
    with pytest.raises(ValueError, match='step_form="graph" needs a CUDA device'):
        in_form(step, "graph")

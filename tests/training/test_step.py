"""The step: pinned losses, one result in every form, and who trains whom."""

import shutil

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.utils._pytree import tree_leaves, tree_map_only

from helpers import tiny
from infogan_core import build, preset
from infogan_core.data.augment import warp_pictures
from infogan_core.model.losses import mode_seeking, r1_penalty
from infogan_core.training.batches import Augmentation, Batches
from infogan_core.training.schedules import schedule
from infogan_core.training.step import TERMS, WARMUP, DObjective, GObjective, Step, step_of

CPU = torch.device("cpu")


def make(config, pixels, device=CPU, precision="fp32"):
    return Step(config, build(config), pixels.to(device), precision), Batches(config, len(pixels), device)


def flat(terms):
    return torch.cat([terms[name].view(-1) for name in TERMS])


def trace(config, pixels, device=CPU, n=3):
    step = step_of(config, build(config), pixels.to(device), "fp32")
    batches = Batches(config, len(pixels), device)
    return torch.stack([flat(step(next(batches))).clone() for _ in range(n)]).cpu()


def d_of(step, batch, real):
    """D's objective on a batch's fakes: (loss, terms)."""
    noise, codes = batch.for_d
    fake = step.generate(step.config.latents.encode(noise, codes)).detach()
    return step.d_objective(real, fake, codes)


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
    [
        {},
        {"new_fakes_for_g": True, "ema": 0.9, "lr_decay": True, "instance_noise": 0.5, "objective": "hinge", "r1": 1.0},
    ],
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
    of_cuda = on_cuda(tree_map_only(torch.Tensor, lambda t: t.cuda(), batch))
    torch.testing.assert_close(flat(of_cuda).cpu(), flat(on_cpu(batch)), atol=1e-3, rtol=1e-3)


def test_the_step_never_waits_for_the_gpu(blobs, cuda):
    step, batches = make(tiny(shift=2, new_fakes_for_g=True, ema=0.9, r1=1.0), blobs.pixels, cuda)
    step(next(batches))  # the first may wait, to initialise
    torch.cuda.set_sync_debug_mode("error")
    try:  # where waiting raises
        losses = [flat(step(next(batches))) for _ in range(2)]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.stack(losses).isfinite().all()


def test_forward_halves_stay_on_a_gpu():
    """On a pretended GPU a tensor left on the CPU, or a value read back to Python, raises."""
    config = tiny(shift=2, new_fakes_for_g=True)
    with FakeTensorMode(allow_non_fake_inputs=False), torch.device("cuda"):
        G, D = build(config)
        noise, c = torch.zeros(32, 62), [torch.zeros(32, dtype=torch.int64), torch.zeros(32), torch.zeros(32)]
        maps, real = torch.zeros(32, 2, 3), torch.zeros(32, 1, 28, 28)
        fake = warp_pictures(G(config.latents.encode(noise, c)), maps)
        d, of_d = DObjective(config, D, lambda mean: mean)(real, fake, c, warp_pictures(real, maps))
        g, of_g = GObjective(config, D)(fake, c)
        assert {t.device.type for t in (d, g, *of_d.values(), *of_g.values())} == {"cuda"}
        with pytest.raises(DataDependentOutputException):
            d.item()
        with pytest.raises(RuntimeError, match="device"):
            G(config.latents.encode(noise, [t.to("cpu") for t in c]))


def test_objective_is_the_configs(blobs):
    """The hinge loss of untrained networks, whose scores lie within the margin: 2 - mean D(x) + mean D(G(z, c))."""
    step, batches = make(tiny(objective="hinge", lambda_info=0.0), blobs.pixels)
    noise, codes = next(batches).for_d
    real, fake = torch.rand(32, 1, 28, 28), step.generate(step.config.latents.encode(noise, codes)).detach()
    of_real, of_fake = (step.D.d(step.D.trunk(x)) for x in (real, fake))
    of_d, of_g = step.d_objective(real, fake, codes)[0], step.g_objective(fake, codes)[0]
    assert of_d.item() == pytest.approx((2 - of_real.mean() + of_fake.mean()).item(), abs=1e-5)
    assert of_g.item() == pytest.approx(-of_fake.mean().item(), abs=1e-5)


def test_r1_is_added_to_what_d_minimises(blobs):
    """The slope of D at these real pictures, by differences: a small step along it raises D by its squared length."""
    step, batches = make(tiny(r1=3.0), blobs.pixels)
    batch, real = next(batches), torch.rand(32, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with_r1, of_d = d_of(step, batch, real)
    step.d_objective.config = step.config.replace(r1=0.0)
    without, same = d_of(step, batch, real)
    torch.testing.assert_close(of_d, same)
    x = real.clone().requires_grad_()
    (slope,) = torch.autograd.grad(step.D.d(step.D.trunk(x)).sum(), x)
    squared = slope.square().sum()
    with torch.no_grad():
        sums = [step.D.d(step.D.trunk(real + sign * 0.05 * slope / squared.sqrt())).sum() for sign in (1, -1)]
    assert (sums[0] - sums[1]).item() == pytest.approx(0.1 * squared.sqrt().item(), rel=0.02)
    assert (with_r1 - without).item() == pytest.approx(3 * squared.item() / 32 / 2, rel=1e-3)


def test_r1_in_bf16_is_near_that_in_fp32(blobs):
    real, penalties = torch.rand(32, 1, 28, 28, generator=torch.Generator().manual_seed(0)), []
    for precision in ("fp32", "bf16"):
        step, _ = make(tiny(), blobs.pixels, precision=precision)
        x = real.clone().requires_grad_()
        with step.autocast():
            penalties.append(r1_penalty(step.D.d(step.D.trunk(x)), x).item())
    assert penalties[1] == pytest.approx(penalties[0], rel=0.02)


@pytest.mark.parametrize(("changes", "passes"), [({}, 4), ({"lambda_real": 0.0}, 3), ({"r1": 1.0}, 4)])
def test_d_is_passed_as_often_as_needed(changes, passes, blobs):
    """Once by the real pictures, by D's fakes, by G's and, for lambda_real, by the real ones again; R1 adds none."""
    step, batches = make(tiny(**changes), blobs.pixels)
    calls = []
    step.D.trunk.register_forward_hook(lambda *_: calls.append(1))
    step(next(batches))
    assert len(calls) == passes


def test_real_and_fake_are_normalised_apart(blobs):
    """As in the paper's code: what D says of real pictures does not depend on the fakes of the batch."""
    step, batches = make(tiny(), blobs.pixels)
    codes, real = next(batches).for_d[1], torch.rand(32, 1, 28, 28)
    said = [step.d_objective(real, scale * torch.rand(32, 1, 28, 28), codes)[1]["d_real"] for scale in (1, 3)]
    assert torch.equal(*said)


def test_each_picture_is_seen_by_its_own_view(blobs):
    """Real pictures mirrored, D's fakes moved to the left, G's upwards: D's trunk gets exactly these, in this order."""
    step, batches = make(tiny(shift=1.0, flip=True, new_fakes_for_g=False), blobs.pixels)
    maps = torch.eye(2, 3).repeat(4, 32, 1, 1)
    maps[0, :, 0, 0], maps[1, :, 0, 2], maps[2, :, 1, 2], maps[3, :, 0, 0] = -1, 4 / 28, 4 / 28, -1
    real, fake, fake_for_g, again = (Augmentation(of, None, None) for of in maps)
    batch = next(batches)._replace(real=real, fake=fake, fake_for_g=fake_for_g, real_again=again)
    seen = []
    step.D.trunk.register_forward_pre_hook(lambda _, args: seen.append(args[0].detach().clone()))
    generated, _ = step.update_d(batch)
    step.update_g(batch, generated)
    pictures = blobs.pixels[batch.index] / 255
    expected = [pictures.flip(3), generated[..., 2:], pictures.flip(3), generated[:, :, 2:]]
    for found, want in zip([seen[0], seen[1][..., :-2], seen[2], seen[3][:, :, :-2]], expected, strict=True):
        torch.testing.assert_close(found, want.detach(), atol=1e-4, rtol=0)


def gradients(config, pixels):
    """The gradients that L_I alone gives in D's update, summed: to G, to the trunk, to Q."""
    step, batches = make(config, pixels)
    batch = next(batches)
    noise, codes = batch.for_d
    fake = step.generate(config.latents.encode(noise, codes))
    with_info, _ = step.d_objective(step.real(batch.index), fake, codes)
    step.d_objective.config = config.replace(lambda_info=0.0)
    without, _ = step.d_objective(step.real(batch.index), fake, codes)
    sums = []
    for part in (step.G, step.D.trunk, step.D.q_head):
        grads = torch.autograd.grad(with_info - without, list(part.parameters()), retain_graph=True, allow_unused=True)
        sums.append(sum(g.abs().sum().item() for g in grads if g is not None))
    return sums


def test_information_trains_the_trunk_in_the_papers_code(blobs):
    assert min(gradients(tiny(info_trains_trunk=True), blobs.pixels)) > 1e-3


def test_information_can_spare_the_trunk(blobs):
    _, trunk, q = gradients(tiny(info_trains_trunk=False), blobs.pixels)
    assert q > 1e-3
    assert trunk < 1e-4


def test_information_can_spare_g(blobs):
    """Then, with the trunk spared as well, G and the trunk do what they do in a plain GAN; Q learns on the side."""
    aside = tiny(info_trains_trunk=False, info_trains_g=False, lambda_real=0.0)
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
    kept, update = {}, step._descend

    def spy(optimiser, net, loss):
        update(optimiser, net, loss)
        if net is step.D:
            kept.update({name: p.grad.clone() for name, p in net.named_parameters()})

    monkeypatch.setattr(step, "_descend", spy)
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
        step.set_schedule(schedule(step.config, done))
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
        torch.testing.assert_close(tree_leaves(next(batches)), tree_leaves(next(again)), rtol=0, atol=0)


def test_new_fakes_for_g_have_their_own_latents():
    batch = next(Batches(tiny(new_fakes_for_g=True), 100, CPU))
    assert not torch.equal(batch.for_d[0], batch.for_g[0])
    assert next(Batches(tiny(new_fakes_for_g=False), 100, CPU)).for_g is None


def views(config, n=256):
    batch = next(Batches(config, n, CPU))
    return [batch.real, batch.fake, batch.fake_for_g, *([batch.real_again] if batch.real_again else [])]


def test_pairs_of_a_batch_differ_in_noise_alone():
    """What lambda_noise compares; without it every picture has codes of its own."""
    for weight, alike in ((0.1, True), (0.0, False)):
        noise, codes = next(Batches(tiny(lambda_noise=weight, batch=9), 256, CPU)).for_d
        assert not torch.equal(noise[:4], noise[4:8])
        assert all(len(code) == 9 and torch.equal(code[:4], code[4:8]) == alike for code in codes)


def test_g_is_told_to_use_its_noise(blobs, monkeypatch):
    losses = []
    for weight in (0.0, 0.5):
        step = step_of(tiny(lambda_noise=weight), build(tiny()), blobs.pixels, "fp32")
        monkeypatch.setattr(step, "_descend", lambda _, net, loss: losses.append(loss.item()))  # no update
        batch = next(Batches(tiny(lambda_noise=0.5), 256, CPU))
        fake, _ = step.update_d(batch)
        step.update_g(batch, fake)
    assert losses[3] - losses[1] == pytest.approx(0.5 * mode_seeking(fake, batch.for_d[0]).item(), rel=1e-3)


def test_warps_stay_within_their_reach():
    off = torch.stack([view.maps for view in views(tiny(shift=2, warp=0.15))]) - torch.eye(2, 3)
    assert 0.14 < off[..., :2].abs().max() <= 0.15 + 1e-6
    assert 1.9 < off[..., 2].abs().max() * 28 / 2 <= 2 + 1e-5


@pytest.mark.parametrize(
    ("warmup", "done", "share"), [(0, 0, 0.8), (0.5, 0, 0), (0.5, 0.25, 0.4), (0.5, 0.5, 0.8), (0.5, 1, 0.8)]
)
def test_a_share_of_the_pictures_is_warped_and_may_grow_from_nothing(warmup, done, share):
    config = tiny(shift=2, warp=0.15, augment_share=0.8, augment_warmup=warmup, batch=256)
    batches = Batches(config, 256, CPU)
    batches.augment_share = schedule(config, done).augment_share
    moved = (next(batches).real.maps != torch.eye(2, 3)).flatten(1).any(dim=1)
    assert moved.float().mean().item() == pytest.approx(share, abs=0.08)


def test_colour_changes_stay_within_their_reach_and_cost_nothing_when_off():
    colors = torch.stack([view.colors for view in views(tiny(color=0.5))])
    assert 0.4 < colors.abs().max() <= 0.5
    assert all(view == Augmentation(None, None, None) for view in views(tiny(shift=0, warp=0)))


@pytest.mark.parametrize(("size", "lightest"), [(28, 0.25), (32, -0.5)])
def test_black_is_recoloured_alike_in_every_range(size, lightest, blobs):
    """A quarter of what lies between black and white is added at most, in 0..1 (28 pixels) as in -1..1."""
    step, _ = make(tiny(image_size=size, color=1.0), blobs.pixels)
    black = torch.full((1, 1, size, size), 0.0 if size == 28 else -1.0)
    seen = step.augment(black, Augmentation(None, torch.tensor([[1.0, 0.0, 0.0]]), None))
    torch.testing.assert_close(seen, torch.full_like(black, lightest))


def test_instance_noise_falls_to_a_fifth_and_is_added_to_what_d_and_q_see(blobs):
    config = tiny(instance_noise=0.5, shift=0, warp=0)
    step, batches = make(config, blobs.pixels)
    view, x = next(batches).fake, torch.rand(config.batch, 1, 28, 28)
    for done, deviation in ((0.0, 0.5), (0.5, 0.25), (0.9, 0.1), (1.0, 0.1)):
        step.set_schedule(schedule(config, done))
        torch.testing.assert_close(step.augment(x, view) - x, deviation * view.noise, atol=1e-6, rtol=0)


def test_instance_noise_is_another_for_every_view():
    noise = torch.stack([view.noise for view in views(tiny(instance_noise=0.5, lambda_real=0.0))])
    assert noise.shape == (3, tiny().batch, 1, 28, 28)
    assert noise.std().item() == pytest.approx(1, abs=0.02)
    assert not torch.equal(noise[0], noise[1])


def test_half_of_the_real_pictures_are_mirrored_and_no_fake_is():
    """Both readings of a real picture (lambda_real) mirror it alike: a code may tell left from right."""
    real, fake, fake_for_g, again = (view.maps[:, 0, 0] for view in views(tiny(flip=True, shift=0, warp=0)))
    assert set(real.tolist()) == {-1.0, 1.0}
    assert torch.equal(real, again)
    assert {*fake.tolist(), *fake_for_g.tolist()} == {1.0}


def test_a_graph_without_cuda_is_refused(blobs):
    with pytest.raises(ValueError, match='step_form="graph" needs a CUDA device'):
        trace(tiny(step_form="graph"), blobs.pixels)


def test_a_second_head_of_q_reads_real_pictures_alone(blobs):
    """It trains the trunk, as the first head does; the terms that are logged are the first's."""
    grads = {}
    for n in (0, 20):
        step, batches = make(tiny(overclusters=n), blobs.pixels)
        terms = step(next(batches))
        grads[n] = (terms["mi_real"], step.D.trunk[0].weight.grad.clone(), step.D.over_head)
    assert grads[0][0] == grads[20][0]
    assert not torch.equal(grads[0][1], grads[20][1])
    assert grads[0][2] is None
    assert grads[20][2].weight.grad.abs().max() > 0

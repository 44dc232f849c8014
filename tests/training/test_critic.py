"""The critic: what its features learn, what it adds to the losses, when it comes, and that a run with it goes on."""

import math
import os
import signal

import pytest
import torch

import infogan_core as ig
from helpers import tiny
from infogan_core import build
from infogan_core.training import critic, train
from infogan_core.training.batches import Batches
from infogan_core.training.critic import TEMPERATURE, nt_xent, simclr_view, train_critic
from infogan_core.training.step import WARMUP, step_of

CPU = torch.device("cpu")


def with_critic(**changes):
    return tiny(**({"objective": "hinge", "critic": 2.0, "ema": 0.9} | changes))


def features_of(config, pixels, device=CPU):
    step = step_of(config, build(config), pixels.to(device), "fp32")
    return train_critic(config, step.pixels, step.autocast), step


def test_nt_xent_is_the_equation():
    """Equation 1 of Chen et al. 2020, a loop over pairs; ln(2n - 1) where all are alike."""
    a, b = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(0))
    z = torch.cat([a, b]) / torch.cat([a, b]).norm(dim=1, keepdim=True)
    by_hand = 0.0
    for i in range(10):
        e = [math.exp((z[i] @ z[k]).item() / TEMPERATURE) for k in range(10)]
        by_hand -= math.log(e[(i + 5) % 10] / (sum(e) - e[i])) / 10
    assert nt_xent(a, b).item() == pytest.approx(by_hand, rel=1e-5)
    assert nt_xent(torch.ones(5, 7), torch.ones(5, 7)).item() == pytest.approx(math.log(9), rel=1e-5)


def test_half_of_the_views_are_negatives():
    """Dark on light or light on dark is nothing that the features shall see."""
    light = torch.full((400, 3, 32, 32), -0.5)
    light[:, :, 12:20, 12:20] = 0.5
    seen = simclr_view(light, torch.Generator().manual_seed(0), 32)
    centre = seen[:, :, 14:18, 14:18].mean(dim=(1, 2, 3)) - seen.mean(dim=(1, 2, 3))
    assert 0.4 < (centre > 0).float().mean().item() < 0.6


def test_features_are_learned(digits, monkeypatch):
    """What they minimise falls from chance, ln(2n - 1)."""
    losses = []
    monkeypatch.setattr(critic, "nt_xent", lambda a, b: (loss := nt_xent(a, b), losses.append(loss.item()))[0])
    features_of(with_critic(steps=1_500), digits.pixels[:1000])
    assert sum(losses[-5:]) / 5 < 0.8 * math.log(4 * tiny().batch - 1)


def test_features_are_standardised_stand_still_and_leave_the_global_random_state(blobs):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    model, step = features_of(with_critic(steps=300), blobs.pixels)
    assert torch.equal(torch.get_rng_state(), before)
    model.standardise(part.float() / 255 for part in blobs.pixels.split(200))
    with torch.no_grad():
        features = model.trunk(blobs.pixels.float() / 255)
    x, alive = (features - model.mean) * model.scale, features.std(dim=0) > 0.05
    assert alive.any()
    assert (model.scale[features.std(dim=0) == 0] == 0).all()  # left out
    torch.testing.assert_close(x.mean(dim=0), torch.zeros(x.shape[1]), atol=1e-3, rtol=0)
    torch.testing.assert_close(x.std(dim=0)[alive], torch.ones(int(alive.sum())), atol=0.02, rtol=0)
    step.add_critic(model)
    trunk, head = ({k: v.clone() for k, v in part.state_dict().items()} for part in (model.trunk, model.head))
    step(next(Batches(step.config, 256, CPU)))
    assert all(torch.equal(v, trunk[k]) for k, v in model.trunk.state_dict().items())
    assert not torch.equal(model.head[0].weight, head["0.weight"])


def test_g_is_judged_by_it_and_d_is_not(blobs, monkeypatch):
    """G's loss gains -2 E[critic]; what D minimises stays; the head minimises the hinge loss of its own scores."""
    model, step = features_of(with_critic(), blobs.pixels)
    losses = []
    monkeypatch.setattr(step, "_descend", lambda _, net, loss: losses.append((net, loss.item())))  # no update
    batch = next(Batches(step.config, 256, CPU))
    fake, _ = step.update_d(batch)
    step.update_g(batch, fake)
    step.add_critic(model)
    fake, _ = step.update_d(batch)
    step.update_g(batch, fake)
    (_, d), (_, g), (_, d_again), (head, of_head), (_, g_again) = losses
    real, fakes = (step.augment(x, view) for x, view in ((step.real(batch.index), batch.real), (fake, batch.fake)))
    assert g_again - g == pytest.approx(-2 * model(step.augment(fake, batch.fake_for_g)).mean().item(), abs=1e-5)
    assert d_again == pytest.approx(d, abs=1e-6)
    hinge = (1 - model(real)).relu().mean() + (1 + model(fakes)).relu().mean()
    assert head is model.head
    assert of_head == pytest.approx(hinge.item(), abs=1e-5)


def test_it_comes_after_its_share_of_the_steps(blobs, tmp_path):
    """Half of 12 steps are those of a run without it, to the last bit; what follows is not."""
    runs = []
    for name, weight in (("it", 2.0), ("without", 0.0)):
        config = with_critic(critic=weight, critic_from=0.5, log_every=1)
        runs.append(ig.train(config, blobs, tmp_path / name))
    own, without = ([record["loss_g"] for record in run.records] for run in runs)
    assert own[:6] == without[:6]
    assert own[7] != without[7]
    state = torch.load(tmp_path / "it" / "checkpoint.pt", weights_only=True)
    assert "critic" in state["nets"]
    assert len(state["optimisers"]) == 3


@pytest.mark.parametrize("until", [4, 9])
def test_a_run_goes_on_to_the_same_bytes(until, blobs, tmp_path):
    """Stopped before the critic comes, and after."""
    config = with_critic(critic_from=0.5)
    ig.train(config, blobs, tmp_path / "stopped", until=until)
    for name in ("stopped", "whole"):
        ig.train(config, blobs, tmp_path / name)
    one, other = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("stopped", "whole"))
    assert one == other


def test_ctrl_c_while_the_features_are_learned_leaves_a_checkpoint(blobs, tmp_path, monkeypatch):
    config = with_critic(critic_from=0.5)

    def pressed(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return train_critic(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(train, "train_critic", pressed)
        with pytest.raises(KeyboardInterrupt, match="stopped at step 6; the same call goes on"):
            ig.train(config, blobs, tmp_path)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["done"] == 6
    assert ig.train(config, blobs, tmp_path).records[-1]["step"] == 12


def test_features_take_a_tenth_of_the_steps_and_2000_at_most(blobs, monkeypatch):
    asked = []
    monkeypatch.setattr(critic, "nt_xent", lambda a, b: (asked.append(len(a)), (a - b).square().mean())[1])
    monkeypatch.setattr(critic, "STEPS", 7)
    for steps, n in ((50, 5), (1000, 7), (3, 1)):
        asked.clear()
        features_of(with_critic(steps=steps), blobs.pixels)
        assert asked == [2 * tiny().batch] * n


def test_a_graph_takes_it_in_when_it_comes(blobs, cuda):
    """What was recorded without it is recorded anew: its head learns as in the eager step."""
    heads = []
    for of in ("eager", "graph"):
        config = with_critic(shift=2, step_form=of)
        model, step = features_of(config, blobs.pixels, device=cuda)
        batches = Batches(config, 256, cuda)
        for _ in range(WARMUP + 2):
            step(next(batches))
        step.add_critic(model)
        start = model.head[0].weight.detach().clone()
        for _ in range(WARMUP + 3):
            step(next(batches))
        heads.append(model.head[0].weight.detach() - start)
    assert (heads[1] - heads[0]).norm() < 0.1 * heads[0].norm()

"""One model on two processes, by torchrun and gloo: it is the model that one process trains."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
import torch

import infogan_core as ig
from helpers import ROOT
from infogan_core.training import ddp

CONFIG = {
    "steps": 1,
    "batch": 8,
    "width": 0.125,
    "ema": 0.9,
    "log_every": 1,
    "lr_d": 0.0,
    "lr_g": 0.0,
    "instance_noise": 0.2,
    "r1": 1.0,
    "objective": "hinge",
    "critic": 5.0,
    "lambda_real": 50.0,  # so that a wrong I(c; c') shows beside L_I
}
PROGRAM = """
import json, sys, torch
import infogan_core as ig
from infogan_core.training.critic import train_critic
from infogan_core.training.ddp import processes
from infogan_core.data.images import image_set
from infogan_core.training.train import Trainer
dataset, changes, out, kind = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3], sys.argv[4]
config = ig.preset(dataset, "smoke", **changes)
pixels = torch.randint(256, (64, config.image_size, config.image_size, config.channels), dtype=torch.uint8,
                       generator=torch.Generator().manual_seed(5))
images = image_set(pixels.numpy(), None, "noise")
def gradients(trainer):
    terms = torch.cat([term.view(-1) for term in trainer.step(next(trainer.batches)).values()])
    nets = trainer.step.nets()
    live = (nets["generator"], nets["discriminator"], nets["critic"].head)
    gradients = {f"{i}.{k}": p.grad for i, net in enumerate(live) for k, p in net.named_parameters()}
    states = {f"{n}.{k}": v for n, net in nets.items() for k, v in net.state_dict().items()}
    return {"terms": terms, "gradients": gradients, "states": states}
def steps(device):
    trainer = Trainer(config, images, None, device, "fp32", 1)
    critic = train_critic(config, trainer.step.pixels, trainer.step.autocast)
    if torch.distributed.is_initialized() and torch.distributed.get_rank():
        critic.mean += 1  # the first process's counts
    trainer.step.add_critic(critic)
    with torch.no_grad():
        trainer.step.D.q_head[-1].weight *= 20  # a Q that is sure: I(c; c') is not the mean of its processes' own
    for _ in range(config.steps - 1):
        trainer.step(next(trainer.batches))
    return gradients(trainer)
torch.manual_seed(0)
if "--one" in sys.argv:
    torch.save(steps(torch.device("cpu")), out)
else:
    with processes(kind) as device:
        rank = torch.distributed.get_rank()
        torch.save(steps(device), f"{out}.{rank}")
"""


MOVING = CONFIG | {"steps": 8, "lr_d": 2e-4, "lr_g": 1e-3}


def start(arguments, many=True):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*command, *arguments] if many else [sys.executable, *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, cwd=ROOT)


def last_step(folder, dataset, config, many, kind="cpu"):
    """What the last step of a config did, as of each process, on the CPU: gloo on "cpu", NCCL on "cuda"."""
    (folder / "program.py").write_text(PROGRAM)
    rest = [str(folder / "program.py"), dataset, json.dumps(config), str(folder / "step.pt"), kind]
    done = start(rest if many else [*rest, "--one"], many)
    assert done.returncode == 0, done.stderr
    names = ("step.pt.0", "step.pt.1") if many else ("step.pt",)
    return [torch.load(folder / name, map_location="cpu", weights_only=True) for name in names]


@pytest.fixture(scope="module", params=["mnist", "svhn"])
def steps(request, tmp_path_factory):
    """What one step did: by one process on the joined batch, by the first of two, by the second."""
    folder = tmp_path_factory.mktemp(request.param)
    return [step for many in (False, True) for step in last_step(folder, request.param, CONFIG, many)]


def test_gradients_are_those_of_one_process_on_the_joined_batch(steps):
    one, *both = (step["gradients"] for step in steps)
    for key, gradient in one.items():
        for other in both:
            torch.testing.assert_close(other[key], gradient, rtol=1e-3, atol=1e-5 + 1e-3 * gradient.abs().max().item())


def test_the_terms_are_means_over_both(steps):
    one, *both = (step["terms"] for step in steps)
    for terms in both:
        torch.testing.assert_close(terms, one, rtol=1e-4, atol=1e-5)


def test_batch_norm_statistics_are_those_of_the_joined_batch(steps):
    one, *both = (step["states"] for step in steps)
    for states in both:
        for key in one:
            if "running" in key:
                torch.testing.assert_close(states[key], one[key], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_parameters_stay_equal_on_both_while_they_are_trained(tmp_path, kind, request):
    if kind == "cuda":
        request.getfixturevalue("cuda")
        if torch.cuda.device_count() < 2:
            pytest.skip("NCCL joins two GPUs, and they are not here")
    first, second = (step["states"] for step in last_step(tmp_path, "svhn", MOVING, True, kind))
    (start,) = (step["states"] for step in last_step(tmp_path, "svhn", CONFIG, False))
    for key, value in first.items():
        assert torch.equal(value, second[key]), key
    assert not torch.equal(first["generator.layers.0.weight"], start["generator.layers.0.weight"])


def test_torchrun_trains_one_model_that_loads(tmp_path):
    out = tmp_path / "run"
    command = ["-m", "infogan_core.training", "--preset", "svhn", "--profile", "smoke", "--out", str(out)]
    first = start([*command, "--steps", "40"])
    assert first.returncode == 0, first.stderr
    run = ig.load_run(out, "cpu")
    assert run.config.steps == 40
    assert [record["step"] for record in run.records] == list(range(5, 41, 5))


def test_ctrl_c_in_one_process_stops_both_at_the_same_step(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    command = [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + LONG]
    both = []
    for rank in "01":
        env = {
            **os.environ,
            **address,
            "RANK": rank,
            "LOCAL_RANK": rank,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
        }
        both.append(subprocess.Popen([*command, str(tmp_path)], env=env, stdout=subprocess.PIPE, text=True))
    assert both[1].stdout.readline().startswith("step")
    both[1].send_signal(signal.SIGINT)
    said = [process.communicate(timeout=120)[0].splitlines()[-1] for process in both]
    assert said[0] == said[1]
    assert said[0].startswith("stopped at step")
    assert f"step {torch.load(tmp_path / 'checkpoint.pt', weights_only=True)['done']};" in said[0]


LONG = """
import sys
import infogan_core as ig
from infogan_core.training.ddp import processes
images = ig.load_images("mnist")
with processes("cpu") as device:
    try:
        ig.train(ig.preset("mnist", "smoke", steps=100_000), images, sys.argv[1], device,
                 on_log=lambda record: print("step", record["step"], flush=True))
    except KeyboardInterrupt as stopped:
        print(stopped, flush=True)
"""


def test_a_form_of_the_step_for_one_process_is_refused(monkeypatch):
    monkeypatch.setattr(ddp.distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(ddp.distributed, "get_world_size", lambda: 2)
    with pytest.raises(ValueError, match="step_form='compile' is for one process: with several give \"auto\""):
        ddp.DistributedStep(ig.preset("mnist", step_form="compile"), None, None, None)


def test_a_batch_that_cannot_be_dealt_is_refused_in_a_line(monkeypatch):
    monkeypatch.setattr(ddp.distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(ddp.distributed, "get_world_size", lambda: 3)
    with pytest.raises(ValueError, match="a batch of 8 cannot be dealt to 3 processes"):
        ddp.DistributedStep(ig.preset("mnist", batch=8), None, None, None)

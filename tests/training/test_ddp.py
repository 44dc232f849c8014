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
from ddp_steps import last_step
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
    "lambda_noise": 0.5,
    "lambda_real": 50.0,  # so that a wrong I(c; c') shows beside L_I
}
MOVING = CONFIG | {"steps": 8, "lr_d": 2e-4, "lr_g": 1e-3}
JOBS = [("mnist", CONFIG), ("svhn", CONFIG), ("svhn", MOVING)]


def start(arguments):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, cwd=ROOT)


def on_two(folder, jobs, kind="cpu"):
    """Of each job what its last step did, as of both processes: gloo on "cpu", NCCL on "cuda"."""
    done = start([str(ROOT / "tests/ddp_steps.py"), json.dumps(jobs), str(folder), kind])
    assert done.returncode == 0, done.stderr
    files = [[folder / f"{number}.{rank}" for rank in range(2)] for number in range(len(jobs))]
    return [[torch.load(file, map_location="cpu", weights_only=True) for file in both] for both in files]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """on_two() of all JOBS; processes take seconds to start."""
    return on_two(tmp_path_factory.mktemp("ddp"), JOBS)


@pytest.fixture(scope="module", params=[0, 1], ids=["mnist", "svhn"])
def steps(request, both):
    """What one step did: by one process on the joined batch, by the first of two, by the second."""
    return [last_step(*JOBS[request.param]), *both[request.param]]


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


def assert_equal_and_trained(first, second):
    start = last_step(*JOBS[1])["states"]
    for key, value in first["states"].items():
        assert torch.equal(value, second["states"][key]), key
    assert not torch.equal(first["states"]["generator.layers.0.weight"], start["generator.layers.0.weight"])


def test_parameters_stay_equal_on_both_while_they_are_trained(both):
    assert_equal_and_trained(*both[2])


def test_parameters_stay_equal_on_two_gpus(tmp_path, cuda):
    if torch.cuda.device_count() < 2:
        pytest.skip("NCCL joins two GPUs, and they are not here")
    assert_equal_and_trained(*on_two(tmp_path, JOBS[2:], "cuda")[0])


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


@pytest.mark.parametrize(
    ("processes", "dataset", "changes", "why"),
    [
        (2, "mnist", {"step_form": "compile"}, "step_form='compile' is for one process: with several give \"auto\""),
        (3, "mnist", {"batch": 8}, "a batch of 8 cannot be dealt to 3 processes"),
        # the pairs are 0 and 3, 1 and 4, 2 and 5; the first process would get 0, 2 and 4
        (2, "svhn", {"batch": 6}, "a batch of 6 cannot be dealt to 2 processes in pairs"),
    ],
)
def test_what_several_processes_cannot_share_is_refused(monkeypatch, processes, dataset, changes, why):
    monkeypatch.setattr(ddp.distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(ddp.distributed, "get_world_size", lambda: processes)
    with pytest.raises(ValueError, match=why):
        ddp.DistributedStep(ig.preset(dataset, **changes), None, None, None)

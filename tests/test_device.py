"""Where a computation runs."""

import contextlib

import pytest
import torch

import infogan_core as ig
from infogan_core.device import seeded, threads_for, using_threads


@pytest.mark.parametrize(
    ("changes", "limit", "threads"),
    [
        ({"width": 0.25}, "", 1),  # narrow
        ({"width": 1.0}, "", 3),  # one of four cores is left free
        ({"width": 1.0}, "2", 2),  # as the user, or a batch of several runs, says
        ({"width": 0.25, "threads": 2}, "", 2),
        ({"width": 1.0, "threads": 8}, "2", 8),
    ],
)
def test_threads_follow_the_width_of_the_network(changes, limit, threads, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3})
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    assert threads_for(ig.Config(**changes)) == threads


def test_threads_are_given_back_after_an_error():
    before = torch.get_num_threads()
    with contextlib.suppress(RuntimeError), using_threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise RuntimeError
    assert torch.get_num_threads() == before


def test_a_seed_gives_the_same_numbers_and_leaves_the_global_state():
    before = torch.get_rng_state()
    drawn = []
    for _ in range(2):
        with seeded(3):
            drawn.append(torch.rand(4))
    assert torch.equal(*drawn)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_seed_leaves_the_gpu_alone(cuda):
    before = torch.cuda.get_rng_state()
    with seeded(3):
        torch.rand(4)
    assert torch.equal(torch.cuda.get_rng_state(), before)

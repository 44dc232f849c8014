"""What many tests share beside fixtures."""

from pathlib import Path

import torch

import infogan_core as ig

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"  # development data; a stranger's clone has none, and passes without
HAS_CUDA = torch.cuda.is_available()


def tiny(**changes):
    """A config that trains in a second; fp32, so that its numbers are the same on every CPU."""
    fields = {"steps": 12, "log_every": 4, "checkpoint_every": 5, "precision": "fp32"} | changes
    return ig.preset("mnist", "smoke", **fields)

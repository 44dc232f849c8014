"""overfitting.py: r_v of Karras et al. 2020, where D's outputs are known."""

from __future__ import annotations

import pytest
import torch

import infogan_core as ig
from fake_run import FakeRun, note, perfect
from infogan_core.data.images import ImageSet
from infogan_core.measure.overfitting import overfitting
from infogan_core.runs import Run, build
from pictures import refused


def of(brightness: float) -> torch.Tensor:
    return torch.full((4, 1, 28, 28), brightness, dtype=torch.uint8)


@pytest.mark.parametrize(("held_out", "r_v"), [(255, 0), (153, 0.5), (51, 1)])
def test_r_v_is_where_held_out_pictures_lie_between_training_and_generated_ones(held_out, r_v):
    """D says a picture's mean: 1 of training pictures, 0.2 of generated ones."""
    images = ImageSet(of(255), None, "bright", ImageSet(of(held_out), None, "held out"))
    found = overfitting(FakeRun(note, perfect), images, of(51).float() / 255, seed=0)
    assert found == pytest.approx({"train": 1, "held_out": held_out / 255, "generated": 0.2, "r_v": r_v})


def test_a_d_that_prefers_generated_pictures_has_no_r_v():
    images = ImageSet(of(51), None, "dark", ImageSet(of(51), None, "held out"))
    assert "r_v" not in overfitting(FakeRun(note, perfect), images, torch.ones(4, 1, 28, 28), seed=0)


def test_d_of_a_run_is_its_discriminator(tmp_path):
    """In eval mode, in parts, and only of pictures that it knows the form of."""
    config = ig.preset("mnist", "smoke")
    run = Run(config, *build(config), tmp_path, torch.device("cpu"))
    x = torch.rand(1001, 1, 28, 28)
    with torch.no_grad():
        assert torch.allclose(run.d_logits(x), run.discriminator(x)[0], atol=1e-5)
    with refused(ValueError, "this run reads float"):
        run.d_logits(x[:, :, :14])

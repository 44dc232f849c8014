"""A data set of one's own: a loader, a row, a recipe. Everything else follows from these, also without a notebook."""

import pytest
import torch

import infogan_core as ig
from infogan_core.data.load import DATASETS, DataSet
from infogan_core.recipes.profile import Profile


def load_stripes(source, root, **options):
    """Horizontal and vertical stripes; the label says which."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (160,), generator=generator)
    stripes = (torch.arange(28) // 4 % 2 * 255).to(torch.uint8).expand(28, 28)
    pixels = torch.stack([stripes if label else stripes.T for label in labels])[:, None]
    return ig.ImageSet(pixels, labels, "stripes", kind="stripes").hold_out_fifth()


@pytest.fixture
def stripes(monkeypatch):
    spec = ig.LatentSpec(4, (ig.Categorical(2), ig.Uniform()))
    config = ig.Config("stripes", "smoke", latents=spec, width=0.125, steps=20, batch=32, log_every=5)
    monkeypatch.setitem(ig.PRESETS, "stripes", {"smoke": Profile(config, "a second", {"held_out.accuracy": 0.0})})
    monkeypatch.setitem(DATASETS, "stripes", DataSet("Stripes", load_stripes, (28,), "direction"))


def test_it_trains_is_measured_and_shown(stripes, tmp_path):
    images, config = ig.load_images("stripes"), ig.preset("stripes", "smoke")
    assert ig.about(config).startswith("Stripes, profile smoke: trains in about a second.")
    run = ig.train(config.for_images(images), images, tmp_path)
    report = ig.evaluate(run, images, samples=100)
    assert report["held_out"]["n"] == 32
    assert ": reached (" in ig.check_claims(run.config, report)
    assert "c1" in ig.summary(report)
    assert ig.traversal(run, 0).shape[2] == 1
    assert ig.save_traversals(ig.load_run(tmp_path, "cpu")).is_dir()
    assert len(ig.Explorer(run).about["codes"]) == 2
    assert ig.curves(run).axes

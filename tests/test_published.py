"""The published runs: what their model cards claim, measured again from their weights."""

import json
import time

import pytest
import torch

import infogan_core as ig
from helpers import ROOT, SHARED
from infogan_core.files import SUMS, check_sums
from infogan_core.measure.code_effects import sweep_effects
from infogan_core.measure.context import Context
from infogan_core.measure.evaluate import mi_of_codes
from infogan_core.measure.labels import recognition
from infogan_core.model.latents import Categorical
from infogan_core.recipes.presets import targets_of

PUBLISHED = ROOT / "outputs" / "published" / "mnist"
pytestmark = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="nothing is published yet")


@pytest.fixture(scope="module")
def run():
    return ig.load_run(PUBLISHED, "cpu")


def test_it_is_the_paper_profile_on_all_training_images(run):
    assert run.config == ig.preset("mnist", "paper", seed=run.config.seed)
    assert run.env["n_images"] == 60_000


def test_it_fits_into_32_mib():
    assert sum(file.stat().st_size for file in PUBLISHED.rglob("*") if file.is_file()) <= 32 << 20


def test_its_numbers_keep_the_papers_promise(run):
    assert run.report["held_out"]["n"] == 10_000
    assert run.report["held_out"]["error"] <= 0.05
    assert run.report["codes"]["c1"]["mi"] >= 2.25


def test_q_reads_held_out_test_images_as_published(run):
    if not (SHARED / "MNIST").is_dir():
        pytest.skip("the official MNIST files are not here")
    images = ig.load_images("mnist", SHARED)
    again = recognition(Context(run, images, seed=run.report["conditions"]["seed"]))["held_out"]
    assert again["accuracy"] == pytest.approx(run.report["held_out"]["accuracy"], abs=0.002)  # fp16 weights


def test_l_i_on_fresh_samples_is_as_published(run):
    fresh = mi_of_codes(Context(run, None, 2000, seed=1))["codes"]
    for name, numbers in run.report["codes"].items():
        assert fresh[name]["mi"] == pytest.approx(numbers["mi"], abs=0.05)


@pytest.mark.parametrize("file", sorted(PUBLISHED.parent.glob("*/**/config.json")), ids=lambda file: file.parent.name)
def test_every_published_file_is_as_it_was_written(file):
    names = {path.name for path in file.parent.iterdir() if path.suffix in (".json", ".jsonl", ".safetensors")}
    assert names == {line.split("  ")[1] for line in (file.parent / SUMS).read_text().splitlines()[1:]}
    check_sums(file.parent)


@pytest.fixture(scope="module")
def moved(run):
    return [sweep_effects(run, i, seed=1) for i in (1, 2)]


def test_one_code_is_slant_and_the_other_width_or_thickness(moved):
    one, other = moved
    assert any(
        abs(a["slant"]) >= 0.9 and max(abs(b["width"]), abs(b["thickness"])) >= 0.8
        for a, b in [(one, other), (other, one)]
    )


def test_a_slider_moves_in_20_ms(run):
    """Kernel side: the picture and Q's reading of it; the median, with room for a busy machine."""
    explorer, spec, times = ig.Explorer(run), run.config.latents, []
    noise, codes = spec.sample(21, torch.Generator().manual_seed(0))
    for row in spec.encode(noise, codes):
        start = time.perf_counter()
        explorer._generate({"run": 0}, row)
        times.append(time.perf_counter() - start)
    assert sorted(times)[10] < 0.06


@pytest.fixture(scope="module", params=["svhn", "celeba", "celeba64"])
def colour(request):
    if not (PUBLISHED.parent / request.param / "weights.safetensors").is_file():
        pytest.skip(f"no {request.param} run is published")
    return ig.load_run(PUBLISHED.parent / request.param, "cpu")


def test_a_colour_run_is_its_profile_on_real_pictures(colour):
    assert colour.config == ig.preset(colour.config.dataset, colour.config.profile, seed=colour.config.seed)
    assert colour.env["note"] == ""  # "rendered, not ..." otherwise
    assert sum(file.stat().st_size for file in colour.path.rglob("*") if file.is_file()) <= 16 << 20


def test_a_colour_runs_codes_are_read_back_as_published(colour):
    fresh = mi_of_codes(Context(colour, None, 2000, seed=1))["codes"]
    for code, (name, numbers) in zip(colour.config.latents.codes, colour.report["codes"].items(), strict=True):
        assert fresh[name]["mi"] == pytest.approx(numbers["mi"], abs=0.05)
        assert not isinstance(code, Categorical) or fresh[name]["mi"] >= 2.0


@pytest.mark.parametrize("folder", ["svhn", "svhn/seed=0"])
def test_every_published_seeds_house_numbers_are_as_clear_as_asked(folder):
    file = PUBLISHED.parent / folder / "metrics.json"
    if not file.is_file():
        pytest.skip("no svhn run is published")
    assert json.loads(file.read_text())["quality"]["score"]["share"] >= 0.75


def test_a_published_run_reaches_its_presets_targets(run, colour):
    for published in (run, colour):
        targets = targets_of(published.config, published.report)
        assert targets
        assert [path for path, _, _, reached in targets if not reached] == []


def test_a_grid_of_a_colour_run_holds_no_picture_twice(colour):
    x = colour.generate(*colour.config.latents.sample(100, torch.Generator().manual_seed(2))).flatten(1)
    distances = torch.cdist(x, x).fill_diagonal_(torch.inf)
    assert distances.min() > 0.15 * distances[distances.isfinite()].median()  # of 100 real SVHN crops: 0.27 to 0.30

"""A run on disk: what load_run accepts, what it refuses, and what generate and infer give."""

import builtins
import json
import random
import shutil
import subprocess

import pytest
import torch
from safetensors.torch import load_file, save

import infogan_core as ig
from helpers import HAS_CUDA
from infogan_core.device import resolve_device
from infogan_core.files import SUMS, write_summed
from infogan_core.runs import Run


@pytest.fixture
def copy(smoke_run, tmp_path):
    """The smoke run's directory, to be damaged."""
    return shutil.copytree(smoke_run.path, tmp_path / "run")


@pytest.fixture
def bare(copy):
    """The same as an earlier version left it, without checksums."""
    (copy / SUMS).unlink()
    return copy


def test_a_run_draws_pictures_in_0_to_1(smoke_run):
    x = smoke_run.generate(*smoke_run.config.latents.sample(7))
    assert x.shape == (7, 1, 28, 28)
    assert 0 <= x.min() < x.max() <= 1


def test_q_reads_probabilities_and_gaussians(smoke_run):
    c1, (mean, std), _ = smoke_run.infer(torch.rand(7, 1, 28, 28))
    torch.testing.assert_close(c1.sum(dim=1), torch.ones(7))
    assert mean.shape == (7,)
    assert std.tolist() == [1.0] * 7


@pytest.mark.parametrize("size", [28, 32])
def test_q_reads_pictures_in_the_range_that_it_was_trained_on(size, tmp_path):
    """What generate() hands out, 0..1, goes back into D and Q as G made it, 0..1 or -1..1."""
    config = ig.preset("mnist", "smoke", image_size=size)
    run = Run(config, *ig.build(config), tmp_path, torch.device("cpu"))
    noise, codes = config.latents.sample(4)
    with torch.no_grad():
        _, direct = run.discriminator(run.generator(config.latents.encode(noise, codes)))
    for one, other in zip(run.q_params(run.generate(noise, codes)), direct, strict=True):
        torch.testing.assert_close(one, other)


def test_pictures_do_not_depend_on_their_neighbours(smoke_run):
    """Eval mode: batch norm uses what it learned, not the batch."""
    noise, codes = smoke_run.config.latents.sample(8)
    alone = smoke_run.generate(noise[:1], [c[:1] for c in codes])
    torch.testing.assert_close(smoke_run.generate(noise, codes)[:1], alone, atol=1e-5, rtol=1e-4)


def test_a_loaded_run_is_the_trained_one(smoke_run):
    latents = smoke_run.config.latents.sample(4)
    loaded = ig.load_run(smoke_run.path)
    assert torch.equal(loaded.generate(*latents), smoke_run.generate(*latents))
    assert loaded.config == smoke_run.config
    assert [r["step"] for r in loaded.records] == list(range(5, 61, 5))


def test_an_unfinished_run_opens_from_its_checkpoint(copy, smoke_run):
    (copy / "weights.safetensors").unlink()
    latents = smoke_run.config.latents.sample(4)
    assert torch.equal(ig.load_run(copy).generate(*latents), smoke_run.generate(*latents))


def test_publishing_keeps_all_but_the_checkpoint_in_half_the_bytes(smoke_run, tmp_path):
    to = ig.publish(smoke_run, tmp_path / "published")
    names = {p.name for p in to.iterdir()}
    assert names == {"config.json", "env.json", "metrics.jsonl", "weights.safetensors", SUMS}
    half = (to / "weights.safetensors").stat().st_size / (smoke_run.path / "weights.safetensors").stat().st_size
    assert half == pytest.approx(0.5, abs=0.02)
    latents = smoke_run.config.latents.sample(4)
    torch.testing.assert_close(ig.load_run(to).generate(*latents), smoke_run.generate(*latents), atol=5e-3, rtol=0)


def damage(name, data):
    return lambda run: (run / name).write_bytes(data)


def cut(run):
    weights = run / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def empty(run):
    (run / "weights.safetensors").unlink()
    (run / "checkpoint.pt").unlink()


def wider(run):
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"width": 0.25}))


def nan(run):
    tensors = load_file(run / "weights.safetensors")
    tensors["generator.layers.0.weight"][0, 0] = float("nan")
    config = (run / "config.json").read_text()
    (run / "weights.safetensors").write_bytes(save(tensors, metadata={"config": config}))


def narrow(run):
    config = (run / "config.json").read_text()
    (run / "weights.safetensors").write_bytes(save({"generator.a": torch.zeros(1)}, metadata={"config": config}))


@pytest.mark.parametrize(
    ("break_it", "error", "message"),
    [
        (shutil.rmtree, FileNotFoundError, "is no run directory: it has no config.json"),
        (empty, FileNotFoundError, "holds no weights: load another run, or train() into it"),
        (cut, ValueError, "weights.safetensors is cut short or no safetensors file"),
        (damage("weights.safetensors", b"PK\x03\x04"), ValueError, "is cut short or no safetensors file"),
        (damage("weights.safetensors", save({"a": torch.zeros(1)})), ValueError, "belongs to another run"),
        (wider, ValueError, "belongs to another run than the config.json beside it"),
        (narrow, ValueError, "belongs to another network: "),
        (damage("config.json", b"[]"), ValueError, "not a config of this version"),
        (damage("config.json", b'{"seed"'), ValueError, "not a config of this version"),
        (damage("config.json", b"[" * 10**5), ValueError, "not a config of this version"),
        (damage("metrics.json", b"{"), ValueError, "metrics.json is not JSON"),
        (damage("metrics.jsonl", b'{"a":' * 10**5), ValueError, "metrics.jsonl is not JSON"),
        (damage("env.json", b"[" * 10**5), ValueError, "env.json is not JSON"),
        (nan, ValueError, "weights.safetensors: Generator.layers.0.weight is not finite"),
    ],
)
def test_a_damaged_run_is_refused_in_one_line(bare, break_it, error, message):
    break_it(bare)
    with pytest.raises(error) as raised:
        ig.load_run(bare)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


RUN_FILES = ("config.json", "env.json", "metrics.jsonl", "metrics.json", "weights.safetensors", "checkpoint.pt")


def flip_a_bit(file, of):
    data = bytearray(file.read_bytes())
    data[of.randrange(len(data))] ^= 1 << of.randrange(8)
    file.write_bytes(data)


@pytest.mark.parametrize("name", [*RUN_FILES, SUMS])
def test_a_flipped_bit_is_named_when_a_run_is_loaded_or_trained_on(copy, digits, name):
    write_summed(copy / "metrics.json", b"{}")
    good, of = (copy / name).read_bytes(), random.Random(name)
    for call in [lambda: ig.load_run(copy)] * 10 + [lambda: ig.train(ig.preset("mnist", "smoke"), digits, copy)]:
        (copy / name).write_bytes(good)
        flip_a_bit(copy / name, of)
        with pytest.raises(ValueError, match=f"/{name} was damaged or changed since it was written") as raised:
            call()
        assert "\n" not in str(raised.value)


def test_sha256sum_reads_the_checksums_of_a_run(copy):
    if not shutil.which("sha256sum"):
        pytest.skip("no sha256sum here")
    write_summed(copy / "metrics.json", b"{}")
    write_summed(copy / "metrics.json", b'{"names": {}}')
    done = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{line.split(':')[0]}: OK" for line in done.stdout.splitlines()]
    assert {line.split(":")[0] for line in done.stdout.splitlines()} == {*RUN_FILES}


@pytest.mark.parametrize("kept", [RUN_FILES, ("config.json", "weights.safetensors"), ("config.json", "checkpoint.pt")])
@pytest.mark.parametrize("sums", [True, False])
def test_some_files_of_a_run_and_a_run_without_checksums_load(copy, smoke_run, kept, sums):
    for file in copy.iterdir():
        if file.name not in kept and not (sums and file.name == SUMS):
            file.unlink()
    latents = smoke_run.config.latents.sample(4)
    assert torch.equal(ig.load_run(copy).generate(*latents), smoke_run.generate(*latents))


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "checkpoint.pt", "env.json"])
def test_a_file_that_may_not_be_read_is_not_called_damaged(bare, name, monkeypatch):
    real = builtins.open

    def refuse(file, *args, **named):
        if str(file) == str(bare / name):
            raise PermissionError(13, "Permission denied", str(file))
        return real(file, *args, **named)

    if name == "checkpoint.pt":
        (bare / "weights.safetensors").unlink()
    monkeypatch.setattr(builtins, "open", refuse)
    monkeypatch.setattr("io.open", refuse)  # of pathlib
    with pytest.raises(PermissionError, match=f"Permission denied: .*{name}") as raised:
        ig.load_run(bare)
    assert "delete" not in str(raised.value)


ZEROS = torch.zeros(1, 1, 28, 28)


@pytest.mark.parametrize("ask", ["infer", "q_params", "d_logits"])
@pytest.mark.parametrize(
    "x",
    [
        *(torch.zeros(1, 3, 28, 28), torch.zeros(1, 1, 32, 32), torch.zeros(28, 28), ZEROS.byte()),
        *(ZEROS + 255, ZEROS - 1, ZEROS / 0, ZEROS + torch.inf),
    ],
)
def test_q_and_d_refuse_pictures_of_another_kind(smoke_run, ask, x):
    with pytest.raises(ValueError, match=r"this run reads float \[N, 1, 28, 28\] in 0..1, pixels / 255, found"):
        getattr(smoke_run, ask)(x)


@pytest.mark.skipif(HAS_CUDA, reason="a CUDA GPU is here")
def test_absent_cuda_is_refused():
    with pytest.raises(RuntimeError, match='torch finds 0 CUDA GPUs here: use device="cpu"'):
        resolve_device("cuda")


def test_a_misspelled_device_is_refused():
    with pytest.raises(ValueError, match="unknown device 'gpu'"):
        resolve_device("gpu")
    with pytest.raises(ValueError, match="device 'meta' is not supported"):
        resolve_device("meta")


def test_building_leaves_the_global_random_state(smoke_run):
    before = torch.get_rng_state()
    ig.build(smoke_run.config)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_layer_table_counts_every_parameter():
    assert "13,336,014" in ig.layers(ig.preset("mnist", "paper")).splitlines()[-1]


def test_arrays_and_lists_serve_as_tensors(smoke_run):
    noise, codes = smoke_run.config.latents.sample(2, torch.Generator().manual_seed(0))
    x = smoke_run.generate(noise, codes)
    of_arrays = smoke_run.generate(noise.double().numpy(), [c.numpy() for c in codes])
    assert torch.equal(x, of_arrays)
    assert torch.equal(x, smoke_run.generate(noise.tolist(), [c.tolist() for c in codes]))
    assert torch.equal(smoke_run.infer(x)[0], smoke_run.infer(x.double().numpy())[0])


def test_a_run_is_shown_in_one_line(smoke_run):
    assert repr(smoke_run).startswith("Run(")
    assert "\n" not in repr(smoke_run)
    assert len(repr(smoke_run)) < 200

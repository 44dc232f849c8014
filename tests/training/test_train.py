"""train(): determinism, resuming by bytes, what is learned, and what stops it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

import infogan_core as ig
from helpers import ROOT, tiny
from infogan_core.files import SUMS, write_whole
from infogan_core.training import train
from infogan_core.training.step import Step


def weights(out):
    return (out / "weights.safetensors").read_bytes()


def test_the_same_seed_gives_the_same_bytes(blobs, tmp_path):
    for name in ("one", "two"):
        ig.train(tiny(), blobs, tmp_path / name)
    assert weights(tmp_path / "one") == weights(tmp_path / "two")


def test_another_seed_gives_other_bytes(blobs, tmp_path):
    for seed in (0, 1):
        ig.train(tiny(seed=seed), blobs, tmp_path / str(seed))
    assert weights(tmp_path / "0") != weights(tmp_path / "1")


def test_killed_at_any_file_operation_it_goes_on_to_the_same_bytes():
    """kill -9 at 4 points of all; tests/kill_points.py by itself tries every one."""
    command = [sys.executable, ROOT / "tests/kill_points.py", "4"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "INFOGAN_BATCH": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ctrl_c_ends_between_steps_with_a_checkpoint(blobs, tmp_path):
    def press(record):
        if record["step"] == 8:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match="stopped at step 8; the same call goes on"):
        ig.train(tiny(), blobs, tmp_path / "stopped", on_log=press)
    assert torch.load(tmp_path / "stopped" / "checkpoint.pt", weights_only=True)["done"] == 8
    for name in ("stopped", "whole"):
        ig.train(tiny(), blobs, tmp_path / name)
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_start_that_tells_too_little_of_real_pictures_is_given_up(blobs, tmp_path):
    """After two thirds of the steps, at most three times; a run that is stopped meanwhile ends in the same bytes."""
    never, config = tiny(), tiny(restart_below=1.0)
    seen = []
    run = ig.train(config, blobs, tmp_path / "whole", on_log=lambda record: seen.append(record["step"]))
    assert seen == [4, 8] * 3 + [4, 8, 12]
    assert len(run.env["given_up"]) == 3
    assert [record["step"] for record in run.records] == [4, 8, 12]
    assert ig.train(never, blobs, tmp_path / "never").env["given_up"] == []
    limits = [config.for_images(replace(blobs, kind=kind)).restart_below for kind in (config.dataset, "own")]
    assert limits == [1.0, 0.0]  # what a good start reaches is known for MNIST alone
    unread = config.replace(lambda_real=0.0)  # Q reads no real picture: nothing is known of them
    assert ig.train(unread, blobs, tmp_path / "unread").env["given_up"] == []
    ig.train(config, blobs, tmp_path / "stopped", until=7)
    ig.train(config, blobs, tmp_path / "stopped")
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole") != weights(tmp_path / "never")


def test_an_early_look_changes_nothing(blobs, tmp_path):
    looked = ig.train(tiny(), blobs, tmp_path / "looked", until=7)
    assert looked.records[-1]["step"] == 4
    for name in ("looked", "whole"):
        ig.train(tiny(), blobs, tmp_path / name)
    assert weights(tmp_path / "looked") == weights(tmp_path / "whole")


@pytest.mark.parametrize("until", [3, 7])
def test_a_look_at_what_is_already_there_makes_no_step_and_deletes_nothing(until, blobs, tmp_path):
    ig.train(tiny(), blobs, tmp_path, until=7)
    (tmp_path / "metrics.json").write_text("{}")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert ig.train(tiny(), blobs, tmp_path, until=until).records[-1]["step"] == 4
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_run_goes_on_in_the_precision_and_on_the_threads_that_it_began_with(blobs, tmp_path, monkeypatch):
    """Elsewhere "auto" may mean bf16 and the rule another number; the bytes are those of a run that stayed."""
    config = tiny(precision="auto")
    for name, elsewhere in (("stayed", ("fp32", 1)), ("moved", ("bf16", 2))):
        for until, (precision, threads) in ((7, ("fp32", 1)), (12, elsewhere)):
            monkeypatch.setattr(train, "resolve_precision", lambda *_, precision=precision: precision)
            monkeypatch.setattr(train, "threads_for", lambda _, threads=threads: threads)
            run = ig.train(config, blobs, tmp_path / name, until=until)
    assert weights(tmp_path / "moved") == weights(tmp_path / "stayed")
    assert [(s["from"], s["to"], s["precision"], s["threads"]) for s in run.env["stretches"]] == [
        (0, 7, "float32", 1),
        (7, 12, "float32", 1),
    ]


def test_a_training_has_its_own_threads_and_gives_them_back(blobs, tmp_path):
    before, seen = torch.get_num_threads(), []
    ig.train(tiny(threads=before + 1), blobs, tmp_path, on_log=lambda _: seen.append(torch.get_num_threads()))
    assert set(seen) == {before + 1}
    assert torch.get_num_threads() == before


def test_an_unknown_dataset_is_refused_before_anything_is_written(blobs, tmp_path):
    with pytest.raises(ValueError, match="unknown dataset of the config 'cats'"):
        ig.train(tiny(dataset="cats"), blobs, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_finished_run_is_loaded_not_trained(blobs, tmp_path):
    ig.train(tiny(), blobs, tmp_path)
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    ig.train(tiny(), blobs, tmp_path, on_log=lambda record: pytest.fail("it trained"))
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == before


def test_the_environment_of_a_run_is_recorded(smoke_run, digits):
    assert smoke_run.env["torch"] == torch.__version__
    assert smoke_run.env["sha256"] == digits.sha256
    assert {"device", "threads", "precision", "commit", "dirty", "data", "kind", "minutes"} <= smoke_run.env.keys()


@pytest.mark.parametrize("changes", [{}, {"latents": ig.LatentSpec(16, (ig.Uniform(None), ig.Categorical(4)))}])
def test_information_rises_when_codes_are_learned(changes, digits, tmp_path):
    """Flip the sign of L_I, or cut Q or G off from it, and c1 stays at 0 nats."""
    config = tiny(steps=200, log_every=20, checkpoint_every=200, width=0.25, **changes)
    mi = ig.train(config, digits, tmp_path).records[-1]["mi"]
    learned = [bound for bound, code in zip(mi, config.latents.codes, strict=True) if isinstance(code, ig.Categorical)]
    assert min(learned) > 0.8


def test_32_pixel_colour_pictures_train(tmp_path):
    pixels = torch.randint(256, (64, 3, 32, 32), dtype=torch.uint8)
    images = ig.ImageSet(pixels, None, "colour")
    run = ig.train(tiny(steps=2).for_images(images), images, tmp_path)
    assert run.generate(*run.config.latents.sample(2)).shape == (2, 3, 32, 32)


@pytest.mark.parametrize(
    ("term", "place", "name"),
    [("loss_d", (), "loss_d"), ("loss_g", (), "loss_g"), ("mi", 0, "L_I(c1)"), ("mi", 2, "L_I(c3)")],
)
def test_a_nan_stops_with_its_step_and_term(term, place, name, monkeypatch, blobs, tmp_path):
    class Broken(Step):
        calls = 0

        def __call__(self, batch):
            terms = super().__call__(batch)
            self.calls += 1
            if self.calls == 7:
                terms[term][place] = float("nan")
            return terms

    monkeypatch.setattr(train, "step_of", Broken)
    with pytest.raises(FloatingPointError, match=rf"step 7: {re.escape(name)} is nan"):
        ig.train(tiny(), blobs, tmp_path)
    checkpoint = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert checkpoint["done"] == 5
    assert not (tmp_path / "weights.safetensors").exists()


def test_broken_weights_are_never_saved(blobs, tmp_path):
    trainer = train.Trainer(tiny(), blobs, tmp_path, torch.device("cpu"), "fp32", 1)
    trainer.done = 4
    trainer.save()
    before = (tmp_path / "checkpoint.pt").read_bytes()
    trainer.step.G.layers[0].weight.data[0, 0] = float("inf")
    with pytest.raises(FloatingPointError, match=r"generator.layers.0.weight is not finite"):
        trainer.save()
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def stopped(blobs, out):
    """A run directory as Ctrl-C leaves it."""

    with pytest.raises(KeyboardInterrupt):
        ig.train(tiny(), blobs, out, on_log=lambda record: os.kill(os.getpid(), signal.SIGINT))
    (out / SUMS).unlink()  # for what is changed below
    return out


def truncate(out):
    (out / "checkpoint.pt").write_bytes((out / "checkpoint.pt").read_bytes()[:5000])


def foreign(out):
    torch.save({"state_dict": {}}, out / "checkpoint.pt")


def almost(out):
    torch.save({"version": 1, "config": "{}"}, out / "checkpoint.pt")


def of_another_seed(out):
    state = torch.load(out / "checkpoint.pt", weights_only=True)
    torch.save(state | {"config": tiny(seed=9).to_json()}, out / "checkpoint.pt")


def pickled(out):
    torch.save({"version": 1, "hook": subprocess.Popen}, out / "checkpoint.pt")


def without(part, of=None):
    def damage(out):
        state = torch.load(out / "checkpoint.pt", weights_only=True)
        del (state[of] if of else state)[part]
        torch.save(state, out / "checkpoint.pt")

    return damage


DAMAGES = dict.fromkeys((truncate, foreign, almost, pickled), "is cut short or not a checkpoint")
DAMAGES |= {without(part): rf"is .* not a checkpoint \(.*{part}" for part in ("version", "nets", "trace", "optimisers")}
DAMAGES |= {without(*part): rf"is .* not a checkpoint \(.*{part[0]}" for part in (("ema", "nets"), ("rng", "batches"))}
DAMAGES[of_another_seed] = "belongs to another run than the config.json beside it"


@pytest.mark.parametrize(("damage", "why"), DAMAGES.items())
def test_a_checkpoint_that_is_not_ours_is_refused_and_kept(damage, why, blobs, tmp_path):
    out = stopped(blobs, tmp_path)
    damage(out)
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    with pytest.raises(ValueError, match=rf"checkpoint.pt {why}") as error:
        ig.train(tiny(), blobs, out)
    assert "\n" not in str(error.value)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


def test_a_training_does_not_move_to_another_kind_of_device(blobs, tmp_path):
    out = stopped(blobs, tmp_path)
    state = torch.load(out / "checkpoint.pt", weights_only=True)
    torch.save(state | {"batches": state["batches"] | {"device": "cuda"}}, out / "checkpoint.pt")
    with pytest.raises(ValueError, match="a training that began on cuda cannot go on on cpu"):
        ig.train(tiny(), blobs, out, device="cpu")


def test_the_average_is_what_is_saved(blobs, tmp_path):
    config = tiny(ema=0.9)
    run = ig.train(config, blobs, tmp_path)
    nets = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["nets"]
    assert torch.equal(run.generator.layers[0].weight, nets["ema"]["layers.0.weight"])
    assert not torch.equal(run.generator.layers[0].weight, nets["generator"]["layers.0.weight"])


@pytest.mark.parametrize("form", ["eager", "graph"])
def test_on_cuda_a_resumed_training_keeps_its_falling_rate(form, blobs, tmp_path, cuda):
    config = tiny(steps=20, lr_decay=True, step_form=form)
    ig.train(config, blobs, tmp_path / "stopped", cuda, until=12)
    runs = [ig.train(config, blobs, tmp_path / name, cuda) for name in ("stopped", "whole")]
    ends = [run.records[-1] for run in runs]
    assert ends[0]["loss_d"] == pytest.approx(ends[1]["loss_d"], abs=1e-2)
    rates = [torch.load(r.path / "checkpoint.pt", weights_only=True)["optimisers"][0]["param_groups"][0] for r in runs]
    assert float(rates[0]["lr"]) == pytest.approx(float(rates[1]["lr"]))


def test_a_run_trained_on_cuda_learns_its_codes_and_is_the_same_on_a_cpu(digits, tmp_path, cuda):
    """The default precision, bf16 where the GPU has it, and the default form, a CUDA graph."""
    config = ig.preset("mnist", "smoke", steps=200, log_every=20, width=0.25)
    run = ig.train(config, digits, tmp_path, cuda)
    assert run.env["device"] == torch.cuda.get_device_name(cuda)
    assert run.records[-1]["mi"][0] > 0.8
    report = ig.evaluate(run, digits, samples=2000)
    assert report["codes"]["c1"]["mi"] > 0.8
    latents = config.latents.sample(16)
    there, here = run.generate(*latents).cpu(), ig.load_run(tmp_path, "cpu").generate(*latents)
    torch.testing.assert_close(there, here, atol=1e-2, rtol=0)  # TF32 there


def test_a_code_without_categories_trains_with_nothing_shared(blobs, tmp_path):
    config = tiny(steps=4, latents=ig.LatentSpec(8, (ig.Uniform(),)), lambda_real=1)
    assert ig.train(config, blobs, tmp_path).records[-1]["mi_real"] == 0


def test_another_config_is_refused_by_name(blobs, tmp_path):
    out = stopped(blobs, tmp_path)
    with pytest.raises(ValueError, match=r"another config \(lr_g is 0.001 there, 0.002 here\): choose another out"):
        ig.train(tiny(lr_g=2e-3), blobs, out)


def test_other_images_are_refused(blobs, digits, tmp_path):
    out = stopped(blobs, tmp_path)
    with pytest.raises(ValueError, match="holds a run on other images"):
        ig.train(tiny(), digits, out)


def test_images_of_another_size_are_refused_before_anything_is_written(tmp_path):
    images = ig.ImageSet(torch.zeros(64, 3, 32, 32, dtype=torch.uint8), None, "colour")
    with pytest.raises(ValueError, match=r"use config.for_images"):
        ig.train(tiny(), images, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_fewer_pictures_than_a_batch_are_refused(tmp_path):
    images = ig.ImageSet(torch.zeros(10, 1, 28, 28, dtype=torch.uint8), None, "few")
    with pytest.raises(ValueError, match="has 10 pictures, fewer than one batch of 32"):
        ig.train(tiny(), images, tmp_path / "new")


def test_an_out_that_is_a_file_is_refused(blobs, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotADirectoryError, match="is a file, not a directory"):
        ig.train(tiny(), blobs, tmp_path / "file" / "run")


def test_an_unwritable_out_is_refused(blobs, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="is not writable; choose another out"):
        ig.train(tiny(), blobs, tmp_path / "run")


def test_a_full_disk_is_refused_before_anything_is_written(blobs, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1 << 20))
    with pytest.raises(OSError, match=r"1 MiB free, [0-9]+ MiB needed; make room or choose another out"):
        ig.train(tiny(), blobs, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path, monkeypatch):
    write_whole(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left on device"):
        write_whole(tmp_path / "file", b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"old")]


def test_two_processes_do_not_train_into_one_directory(blobs, tmp_path):
    """The second is refused; the first is not disturbed."""
    refused = []

    def second(record):
        with pytest.raises(
            OSError, match=r"is in use by another training .*process [0-9]+.*: wait for it, or choose another out"
        ) as error:
            ig.train(tiny(), blobs, tmp_path)
        refused.append(error)

    ig.train(tiny(), blobs, tmp_path, on_log=second)
    assert len(refused) == 3
    assert ig.load_run(tmp_path, "cpu").records[-1]["step"] == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mnist", "embedded", "out"), "train() takes a Config, .* and a path: str, str, str"),
        ((tiny(), None, None), "train() takes a Config, .* and a path: Config, NoneType, NoneType"),
    ],
)
def test_other_things_than_a_config_images_and_a_path_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message.replace("()", r"\(\)")):
        ig.train(*arguments)


def test_a_look_at_step_0_is_refused_before_anything_is_written(blobs, tmp_path):
    with pytest.raises(ValueError, match="until must be a step"):
        ig.train(tiny(), blobs, tmp_path / "out", until=0)
    assert not (tmp_path / "out").exists()

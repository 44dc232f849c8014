"""kill -9 at every file operation of a training, evaluate() and publish(): the same calls again give the same bytes.

python tests/kill_points.py [HOW_MANY]: all points, or so many, spread evenly; some seconds each. Prints what failed.
"""

import builtins
import contextlib
import io
import itertools
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path

import torch

import infogan_core as ig
from infogan_core.measure import evaluate
from infogan_core.training import train

COMPARED = ("config.json", "metrics.jsonl", "metrics.json", "weights.safetensors")  # env.json tells of the restart


def calls(out: Path) -> None:
    """What is killed: a small run, measured and published."""
    pixels = torch.randint(256, (64, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    images = ig.ImageSet(pixels, None, "noise")
    config = ig.preset("mnist", "smoke", steps=4, log_every=2, checkpoint_every=3, precision="fp32", batch=16)
    run = ig.train(config, images, out / "run", "cpu")
    ig.evaluate(run, images, samples=10)
    ig.publish(run, out / "published")


def kill_at(point: int) -> itertools.count:
    """Have this process killed before that file operation, or half way through it if it is a write; 0: never."""
    numbers, real_open = itertools.count(1), builtins.open

    def count(before_death=lambda: None):
        if next(numbers) == point:
            before_death()
            os.kill(os.getpid(), signal.SIGKILL)

    class File(io.BufferedWriter):
        def write(self, data):
            count(lambda: (super(File, self).write(data[: len(data) // 2]), self.flush()))
            return super().write(data)

    def counted(function):
        return lambda *args, **named: (count(), function(*args, **named))[1]

    def opened(file, mode="r", *args, **named):
        if {*mode} & {*"wax+"}:
            count()
        return File(io.FileIO(file, "w")) if mode == "wb" else real_open(file, mode, *args, **named)

    builtins.open = opened
    for name in ("fsync", "replace", "rename", "unlink", "remove", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))
    return numbers


def in_child(function) -> int:
    """The function's exit status in a process of its own: negative where a signal ended it."""
    if not (child := os.fork()):
        try:
            function()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def contents(out: Path) -> dict[Path, bytes]:
    return {file.relative_to(out): file.read_bytes() for file in out.rglob("*") if file.name in COMPARED}


def go_on(out: Path, expected: dict[Path, bytes]) -> None:
    """What a user does after the kill: looks at the run, if there is one by now, and calls again."""
    for folder in (out / "run", out / "published"):
        with contextlib.suppress(FileNotFoundError):  # no run yet; a damaged one raises ValueError
            ig.load_run(folder, "cpu")
    calls(out)
    assert contents(out) == expected


def main(how_many: int) -> int:
    torch.set_num_threads(1)
    evaluate.MEASUREMENTS = [evaluate.conditions]  # the quick one
    train.time.monotonic = lambda: 0.0  # "seconds" in metrics.jsonl
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)

        def undisturbed() -> None:
            numbers = kill_at(0)
            calls(home / "undisturbed")
            (home / "points").write_text(str(next(numbers) - 1))  # not open(), which counts

        assert in_child(undisturbed) == 0
        n, expected = int((home / "points").read_text()), contents(home / "undisturbed")
        assert len(expected) == 2 * len(COMPARED)
        points = range(1, n + 1) if not how_many else [1 + i * (n - 1) // (how_many - 1) for i in range(how_many)]
        failed = []
        for point in points:
            out = home / str(point)
            killed = in_child(lambda out=out, point=point: (kill_at(point), calls(out)))
            if killed != -signal.SIGKILL or in_child(lambda out=out: go_on(out, expected)):
                failed.append(point)
        print(f"{len(points)} of {n} points: {len(failed)} failed {failed or ''}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 0))

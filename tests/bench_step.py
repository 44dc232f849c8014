"""make bench: the time of a training step of MNIST's quick profile, by threads, alone and beside a busy process.

A second thread waits for the first at every operation: where another process takes its core, both wait.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack

import infogan_core as ig

WARM_UP, STEPS = 8, 16


def seconds_a_step(threads: int, images: ig.ImageSet) -> tuple[float, float]:
    """(Wall time, CPU time of all threads) of a step, after a warm-up."""
    steps = {"steps": WARM_UP + STEPS, "log_every": WARM_UP, "checkpoint_every": 10**9}
    times = {}

    def on_log(record: dict) -> None:
        times[record["step"]] = time.perf_counter(), time.process_time()

    with tempfile.TemporaryDirectory() as out:
        ig.train(ig.preset("mnist", "quick", threads=threads, **steps), images, out, "cpu", on_log)
    wall, cpu = ((after - before) / STEPS for before, after in zip(times[WARM_UP], times[WARM_UP + STEPS], strict=True))
    return wall, cpu


def main() -> None:
    images = ig.load_images("mnist")
    print(f"{STEPS} steps of quick's MNIST networks; a run takes one thread unless threads= says otherwise")
    for busy in (False, True):
        for threads in (1, 2):
            with ExitStack() as stack:
                if busy:
                    other = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
                    stack.callback(other.kill)
                wall, cpu = seconds_a_step(threads, images)
            where = "beside a busy process" if busy else "alone"
            print(
                f"{threads} thread{'s'[: threads - 1]} {where:<22} {wall:8.3f} s a step, {cpu:8.3f} s of CPU",
                flush=True,
            )


if __name__ == "__main__":
    main()

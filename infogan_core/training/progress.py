"""What a training shows while it runs: fixed-width rows in a batch run, a live bar where somebody watches."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

from infogan_core.device import BATCH
from infogan_core.model.config import Config


def progress(config: Config) -> Callable[[dict[str, Any]], None]:
    """An on_log for train(): about 20 rows in all under infogan_core.batch, else a bar."""
    return _rows(config) if BATCH in os.environ else _bar(config)


def _rows(config: Config) -> Callable[[dict[str, Any]], None]:
    codes = "".join(f" {f'L_I({config.latents.name(i)})':>8}" for i in range(len(config.latents.codes)))
    due = last = 0

    def on_log(record: dict[str, Any]) -> None:
        nonlocal due, last
        if record["step"] < last:
            print("A new start with other weights: I(c; c') of real pictures is below `restart_below`.")
            due = record["step"]
        last = record["step"]
        if record["step"] < min(due, config.steps):
            return
        if not due:
            print(f"{'step':>7} {'seconds':>8} {'loss D':>7} {'loss G':>7} {'D(x)':>6} {'D(G)':>6}{codes}")
        due = record["step"] + max(1, config.steps // 20)
        row = "{step:7d} {seconds:8.1f} {loss_d:7.3f} {loss_g:7.3f} {d_real:6.2f} {d_fake:6.2f}".format(**record)
        print(row + "".join(f" {mi:8.3f}" for mi in record["mi"]), flush=True)

    return on_log


def _bar(config: Config) -> Callable[[dict[str, Any]], None]:
    from tqdm.auto import tqdm

    make = cache(lambda: tqdm(total=config.steps, unit="step"))  # at the first record: a finished run shows none

    def on_log(record: dict[str, Any]) -> None:
        bar = make()
        bar.set_postfix({"D": record["loss_d"], "G": record["loss_g"], "L_I": [round(mi, 2) for mi in record["mi"]]})
        bar.update(record["step"] - bar.n)
        if record["step"] == config.steps:
            bar.close()

    return on_log

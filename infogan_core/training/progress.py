"""What a training shows while it runs: fixed-width rows in a batch run, a live bar where somebody watches."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from infogan_core.device import BATCH
from infogan_core.model.config import Config

ROWS = 20


def progress(config: Config) -> Callable[[dict[str, Any]], None]:
    """An on_log for train(): about 20 rows in all under infogan_core.batch.run, else a bar."""
    return _rows(config) if BATCH in os.environ else _bar(config)


def _rows(config: Config) -> Callable[[dict[str, Any]], None]:
    names = [config.latents.name(i) for i in range(len(config.latents.codes))]
    head = f"{'step':>7} {'seconds':>8} {'loss D':>7} {'loss G':>7} {'D(x)':>6} {'D(G)':>6}"
    head += "".join(f" {f'L_I({name})':>8}" for name in names)
    every = max(1, config.steps // ROWS)
    state = {"next": 0}

    def on_log(record: dict[str, Any]) -> None:
        if record["step"] < state["next"] and record["step"] < config.steps:
            return
        if not state["next"]:
            print(head)
        state["next"] = record["step"] + every
        row = f"{record['step']:7d} {record['seconds']:8.1f} {record['loss_d']:7.3f} {record['loss_g']:7.3f}"
        row += f" {record['d_real']:6.2f} {record['d_fake']:6.2f}" + "".join(f" {mi:8.3f}" for mi in record["mi"])
        print(row, flush=True)

    return on_log


def _bar(config: Config) -> Callable[[dict[str, Any]], None]:
    from tqdm.auto import tqdm

    bars = []  # made at the first record: a finished run shows none

    def on_log(record: dict[str, Any]) -> None:
        bar = bars[0] if bars else tqdm(total=config.steps, unit="step")
        bars[:] = [bar]
        bar.set_postfix({"D": record["loss_d"], "G": record["loss_g"], "L_I": [round(mi, 2) for mi in record["mi"]]})
        bar.update(record["step"] - bar.n)
        if record["step"] == config.steps:
            bar.close()

    return on_log

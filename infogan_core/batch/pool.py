"""Jobs on Dask: a local cluster with the cores divided between its workers, or somebody's own."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

OUTPUT = "infogan-output"  # the topic on which workers send what their jobs print
ONE = threading.Lock()  # a worker of somebody's own cluster may have several threads, but it has one folder
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Printed:
    """A text stream of a job on a worker, whose whole lines are printed where the batch was started."""

    def __init__(self, name: str) -> None:
        self.name, self.line = name, ""

    def write(self, text: str) -> int:
        from distributed import get_worker

        *lines, self.line = (self.line + text).split("\n")
        for line in lines:
            get_worker().log_event(OUTPUT, f"{self.name}: {line}")
        return len(text)

    def flush(self) -> None:
        """Every line is sent when it ends."""


def each(call: Callable[[Any], Any], jobs: Sequence[Any], scheduler: str | None) -> Iterator[tuple[int, Any]]:
    """(number, call(job)) of every job, in the order in which they finish, one at a time on each worker.

    `scheduler` is the address of a running Dask cluster, whose workers see these files under the same paths; without
    one, a cluster on this machine with a worker per job, at most one per core. A job whose worker dies is done again
    by another; where that happens several times, Dask's exception stands in for what call(job) returns. Raises
    ValueError where no scheduler answers.
    """
    from distributed import as_completed

    with _client(scheduler, len(jobs)) as client:
        client.subscribe_topic(OUTPUT, lambda event: print(event[1], flush=True))
        numbers = {client.submit(_in, os.getcwd(), call, job, pure=False): number for number, job in enumerate(jobs)}
        for future in as_completed(list(numbers)):
            yield numbers[future], future.exception() or future.result()


def _in(folder: str, call: Callable[[Any], Any], job: Any) -> Any:
    with ONE:
        os.chdir(folder)
        return call(job)


@contextmanager
def _client(scheduler: str | None, jobs: int) -> Iterator[Any]:
    import dask
    from distributed import Client, LocalCluster

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=10)
        except (OSError, ValueError) as error:
            raise ValueError(f"no Dask scheduler at {scheduler}: {' '.join(str(error).split())}") from None
        with client:
            yield client
        return
    cores = len(os.sched_getaffinity(0))
    workers = min(cores, jobs)
    threads = dict.fromkeys(THREADS, str(cores // workers))
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": threads}),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,  # a job is another process, whose memory Dask does not see
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client

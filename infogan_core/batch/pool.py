"""Jobs on Dask: on this machine, whose cores they divide, or on a running cluster."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from multiprocessing import current_process
from typing import Any

import dask
from dask.system import CPU_COUNT
from distributed import Client, as_completed, get_worker
from distributed.utils import silence_logging_cmgr

from infogan_core.device import BATCH

TOPIC = "infogan-output"  # of what the jobs print
PATIENCE = 10  # seconds in which a scheduler must answer
ONE_JOB = threading.Lock()  # a worker of a running cluster may have several threads, but it has one folder


class JobOutput:
    """A text stream of a job on a worker, whose whole lines are printed where the batch was started."""

    def __init__(self, name: str) -> None:
        self.name, self.line = name, ""

    def write(self, text: str) -> None:
        *lines, self.line = (self.line + text).split("\n")
        for line in lines:
            get_worker().log_event(TOPIC, f"{self.name}: {line}")

    def flush(self) -> None:
        """Every line is sent when it ends."""


def each(
    call: Callable[[Any], Any], jobs: Sequence[Any], scheduler: str | None, workers: int | None = None
) -> Iterator[tuple[int, Any]]:
    """(number, call(job)) of every job, in the order in which they finish, one at a time on each worker.

    `scheduler` is the address of a running Dask cluster that sees the same files; without one, this machine's cores
    work, or so many `workers`. A job whose worker dies is done again by another; after several deaths Dask's exception
    stands for the result.
    Raises OSError or ValueError, naming the address, where no scheduler answers, ConnectionAbortedError where it goes.
    """
    with silence_logging_cmgr(logging.CRITICAL), _client(scheduler, min(workers or len(jobs), len(jobs))) as client:
        client.subscribe_topic(TOPIC, lambda event: print(event[1], flush=True))
        work = [client.submit(_call_in, os.getcwd(), call, job, pure=False) for job in jobs]
        for future in as_completed(work):
            try:
                result = future.exception() or future.result()
            except CancelledError:
                gone = f"the scheduler {scheduler} has gone, and its runs with it: the same command goes on"
                raise ConnectionAbortedError(gone) from None
            yield work.index(future), result


def _client(scheduler: str | None, jobs: int) -> Client:
    if scheduler:
        return Client(scheduler, timeout=PATIENCE)
    if getattr(current_process(), "_inheriting", False):  # a worker imports the script that asked for it
        raise SystemExit
    workers = min(CPU_COUNT, jobs)  # of the processors that this container may use
    environment = {"OMP_NUM_THREADS": str(CPU_COUNT // workers), BATCH: "1"}  # for device.threads_for, without bars
    # not pre-spawn-environ, which Dask sets in this process as well, and leaves there
    with dask.config.set({"distributed.nanny.pre-spawn-environ": {}, "distributed.nanny.environ": environment}):
        try:
            return Client(
                n_workers=workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",  # any free port: with None it takes 8787, and warns where it is taken
                memory_limit=0,  # a job is another process, whose memory Dask does not see
                silence_logs=logging.CRITICAL,
            )
        except RuntimeError:
            logging.getLogger("distributed").setLevel(logging.CRITICAL)  # the rest of it ends with this process
            advice = 'no worker started: in a script, call run() under if __name__ == "__main__":'
            raise ValueError(advice) from None


def _call_in(folder: str, call: Callable[[Any], Any], job: Any) -> Any:
    with ONE_JOB:
        os.chdir(folder)
        return call(job)

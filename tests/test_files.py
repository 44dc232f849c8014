"""A file is there whole or not at all, whatever stops the writing of it."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers import ROOT
from infogan_core.files import NO_LOCKS, SUMS, InUse, check_sums, new_file, only_process_in, write_summed, write_whole
from pictures import refused


def test_the_last_one_to_write_is_read(tmp_path):
    write_whole(tmp_path / "file", b"old")
    write_whole(str(tmp_path / "file"), b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("file", b"new")]


def test_nothing_is_there_before_it_is_whole(tmp_path):
    with new_file(tmp_path / "file") as file:
        file.write(b"half")
        assert not (tmp_path / "file").exists()
    assert (tmp_path / "file").read_bytes() == b"half"


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ValueError])
def test_what_stops_it_goes_on_and_leaves_the_old_file(tmp_path, error):
    def write():
        with new_file(tmp_path / "file") as file:
            file.write(b"new")
            raise error

    write_whole(tmp_path / "file", b"old")
    with pytest.raises(error):
        write()
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("file", b"old")]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_ctrl_c_in_the_writer_itself_goes_on_and_leaves_nothing(tmp_path, monkeypatch, step):
    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, step, stop)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "file", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_names_the_file(tmp_path, monkeypatch):
    def full(fd):
        raise OSError(28, "No space left on device")

    write_whole(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "fsync", full)
    with refused(OSError, "No space left on device; the old file, if any, is untouched: '.*/file'"):
        write_whole(tmp_path / "file", b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("file", b"old")]


@pytest.mark.parametrize("place", ["none/file", "a file/file"])
def test_a_folder_that_is_none_is_named(tmp_path, place):
    (tmp_path / "a file").touch()
    with refused(OSError, f"untouched: '.*/{place}'"):
        write_whole(tmp_path / place, b"new")


def test_two_processes_write_the_same_file(tmp_path):
    """Each of them is inside the writer while the other one is."""
    program = (
        "import sys, time; from pathlib import Path; from infogan_core.files import new_file\n"
        "folder, me, other = Path(sys.argv[1]), *sys.argv[2:]\n"
        "with new_file(folder / 'file') as file:\n"
        "    file.write(me.encode() * 100_000)\n"
        "    (folder / me).touch()\n"
        "    while not (folder / other).exists(): time.sleep(0.01)\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    both = [subprocess.Popen([*words, *names], cwd=ROOT) for names in (("a", "b"), ("b", "a"))]
    assert [process.wait(30) for process in both] == [0, 0]
    assert (tmp_path / "file").read_bytes() in (b"a" * 100_000, b"b" * 100_000)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "b", "file"]


def test_a_folder_that_two_write_into_is_never_called_damaged(tmp_path):
    """As evaluate() does beside a training."""

    def write(name):
        for i in range(20):
            write_summed(tmp_path / name, bytes([i]) * 10_000)

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, name) for name in ("env.json", "metrics.json")]
        while not all(writer.done() for writer in writers):
            check_sums(tmp_path)
    assert [writer.result() for writer in writers] == [None, None]
    check_sums(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [SUMS, "env.json", "metrics.json"]


HOLD = (
    "import sys, time; from pathlib import Path; from infogan_core.files import only_process_in\n"
    "with only_process_in(Path(sys.argv[1]), 'training'): print(flush=True); time.sleep(60)\n"
)


def test_the_process_that_works_in_a_folder_is_named_and_one_that_is_killed_is_not_in_the_way(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with refused(InUse, rf"another training \(host \S+, process {holder.pid}, since \d.*\): wait for it"):
            only_process_in(tmp_path, "training").__enter__()
        with only_process_in(tmp_path, "run"):  # other work
            pass
        holder.send_signal(signal.SIGKILL)
    with only_process_in(tmp_path, "training"):
        assert f"process {os.getpid()}," in (tmp_path / ".training.lock").read_text()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", sorted(NO_LOCKS))
def test_a_file_system_without_locks_stops_nothing(tmp_path, monkeypatch, number):
    def lacks(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", lacks)
    with only_process_in(tmp_path, "training"), only_process_in(tmp_path, "training"):
        write_whole(tmp_path / "file", b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]

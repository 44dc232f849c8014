"""The suite as a package that pip installs."""

import shutil
import subprocess
import sys
import zipfile

from helpers import ROOT


def test_a_wheel_holds_every_file_and_names_what_it_needs(tmp_path):
    """Built by setuptools alone, without a network; torch brings setuptools."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "infogan_core", tmp_path / "infogan_core", ignore=ignored)
    for name in ("pyproject.toml", "requirements.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    files = {str(path.relative_to(tmp_path)) for path in (tmp_path / "infogan_core").rglob("*") if path.is_file()}
    code = "from setuptools.build_meta import build_wheel; build_wheel('.')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        assert files <= set(content.namelist())
        (metadata,) = (name for name in content.namelist() if name.endswith("METADATA"))
        needed = {line.partition(": ")[2] for line in content.read(metadata).decode().splitlines() if "-Dist" in line}
    assert needed == set((ROOT / "requirements.txt").read_text().split())


def test_every_public_name_imports_without_what_only_unix_or_linux_has():
    code = """
import os, sys
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None  # importing it fails, as on Windows
for name in ("fork", "getuid", "sched_getaffinity"):
    vars(os).pop(name, None)  # macOS lacks the last
import infogan_core as ig
for name in dir(ig):
    getattr(ig, name)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_lock_has_every_pinned_requirement():
    lock = set((ROOT / "requirements.lock").read_text().splitlines())
    pinned = {line for file in ROOT.glob("requirements*.txt") for line in file.read_text().split("\n") if "==" in line}
    assert "torch" in {line.partition("==")[0] for line in pinned}
    assert pinned <= lock

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

"""A page with a tab per published run."""

import shutil

import pytest

from conftest import ROOT
from infogan_core.explorer import Explorer
from infogan_core.gallery import Gallery


def test_there_is_a_tab_for_each_run_with_its_sliders():
    gallery = Gallery(ROOT / "outputs" / "published")
    names = sorted(path.parent.name for path in (ROOT / "outputs" / "published").glob("*/weights.safetensors"))
    assert list(gallery.titles) == names
    assert "mnist" in names
    assert all(isinstance(tab, Explorer) for tab in gallery.children)


def test_a_run_that_does_not_load_says_why_and_the_others_are_there(smoke_run, tmp_path):
    shutil.copytree(smoke_run.path, tmp_path / "good")
    shutil.copytree(smoke_run.path, tmp_path / "bad")
    (tmp_path / "bad" / "config.json").write_text("{}")
    bad, good = Gallery(tmp_path).children
    assert isinstance(good, Explorer)
    assert "not a config of this version" in bad.value


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no runs: give a folder"):
        Gallery(tmp_path)

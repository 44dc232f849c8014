"""A page with a tab per published run."""

import shutil

import pytest

from helpers import ROOT
from infogan_core.show.explorer.explorer import Explorer
from infogan_core.show.gallery import Gallery


def test_there_is_a_tab_for_each_run_with_its_sliders_once_it_is_opened():
    gallery = Gallery(ROOT / "outputs" / "published")
    names = {path.parent.name for path in (ROOT / "outputs" / "published").glob("*/weights.safetensors")}
    assert list(gallery.titles) == [name for name in ("mnist", "svhn", "celeba", "celeba64") if name in names]
    assert "mnist" in names
    assert [len(tab.children) for tab in gallery.children] == [1] + [0] * (len(names) - 1)
    for index, tab in enumerate(gallery.children):
        gallery.selected_index = index
        assert isinstance(tab.children[0], Explorer)
    first = gallery.children[0].children
    gallery.selected_index = 0
    assert gallery.children[0].children is first


def test_a_run_that_does_not_load_says_why_and_the_others_are_there(smoke_run, tmp_path):
    shutil.copytree(smoke_run.path, tmp_path / "good")
    shutil.copytree(smoke_run.path, tmp_path / "bad")
    (tmp_path / "bad" / "config.json").write_text("{}")
    (tmp_path / "odd").mkdir()
    for file in ("config.json", "weights.safetensors"):
        shutil.copy(smoke_run.path / file, tmp_path / "odd" / file)
    (tmp_path / "odd" / "metrics.json").write_text('{"names": ["slant"]}')
    gallery = Gallery(tmp_path)
    for index in range(3):
        gallery.selected_index = index
    bad, good, odd = (tab.children[0] for tab in gallery.children)
    assert isinstance(good, Explorer)
    assert "config.json was damaged or changed since it was written" in bad.value
    assert "names must be an object of strings" in odd.value


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no runs: give a folder"):
        Gallery(tmp_path)

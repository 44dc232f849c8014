"""The static site: its pages ask no other host for anything, share one runtime, and hold a notebook's pictures."""

import base64
import json
import re
import shutil

import pytest

from helpers import ROOT
from infogan_core.data.load import DATASETS
from infogan_core.show.share import page, site

ELSEWHERE = re.compile(r"""(?:src=|<link[^>]*href=|url\(|@import |fetch\(|import\()\s*["']?(?:https?:)?//[^\s"')]+""")


def asked_elsewhere(folder):
    """What pages, styles and scripts would load from other hosts; links that a reader may follow do not count."""
    files = [file for kind in ("html", "css", "js") for file in folder.rglob(f"*.{kind}")]
    assert files
    return [(str(file), *found) for file in files if (found := ELSEWHERE.findall(file.read_text()))]


def test_the_sliders_share_one_runtime_and_name_no_other_host(tmp_path, smoke_run, monkeypatch):
    monkeypatch.setattr(page, "to_onnx", lambda *_: b"")  # what the networks compute is in test_page.py
    for name in ("one", "two"):
        shutil.copytree(smoke_run.path, tmp_path / "runs" / name)
    assert site.write_sliders(tmp_path / "runs", tmp_path / "site", "runtime = {}") == ["one", "two"]
    assert {file.name for file in (tmp_path / "site").iterdir()} == {"one.html", "two.html", "runtime.js"}
    for name in ("one", "two"):
        text = (tmp_path / "site" / f"{name}.html").read_text()
        assert re.findall(r'<script src="([^"]*)"', text) == ["runtime.js"]
    assert asked_elsewhere(tmp_path / "site") == []


def test_a_folder_without_runs_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no runs"):
        site.write_sliders(tmp_path, tmp_path / "site", "")
    assert not (tmp_path / "site").exists()


def test_a_folder_with_other_files_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(site, "find_spec", lambda _: True)
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(FileExistsError, match="holds something else than a site"):
        site.site([str(tmp_path)], standalone_mode=False)


def test_a_notebook_keeps_its_pictures_as_files_and_loses_its_widgets(tmp_path):
    outputs = [
        {"data": {"text/html": f'<img alt="x" src="data:image/png;base64,{base64.b64encode(b"png").decode()}">'}},
        {"data": {site.WIDGET: {"model_id": "a"}, "text/plain": "Explorer()"}},
        {"text": f"run: {ROOT}/outputs"},
    ]
    cells = [{"source": "[go](#Turn-the-codes), [bound](mnist.ipynb#The-bound)"}, {"source": "", "outputs": outputs}]
    notebook = json.dumps({"cells": cells, "metadata": {"widgets": {}}})
    text, shown = json.loads(site.readable(notebook, tmp_path / "pictures"))["cells"]
    (picture,) = (tmp_path / "pictures").iterdir()
    assert picture.read_bytes() == b"png"
    assert [output.get("text") for output in shown["outputs"]] == [None, "run: outputs"]
    assert f'src="pictures/{picture.name}"' in shown["outputs"][0]["data"]["text/html"]
    assert text["source"] == "[go](#turn-the-codes), [bound](mnist.ipynb#the-bound)"


def test_a_link_to_a_folder_leads_to_the_readme_there_or_above(tmp_path):
    (tmp_path / "svhn" / "seed=0").mkdir(parents=True)
    (tmp_path / "svhn" / "README.md").write_text("")
    text = "[a](svhn) [b](svhn/seed=0) [c](svhn/README.md) [d](#here)"
    there = "[a](svhn/README.md) [b](svhn/README.md) [c](svhn/README.md) [d](#here)"
    assert site.to_readme(text, tmp_path) == there


def test_sphinx_understands_every_page_and_formula_and_none_asks_another_host(tmp_path):
    pytest.importorskip("myst_nb", reason="no MyST-NB: pip install -r requirements-site.txt")
    notebooks = {name: (ROOT / "notebooks" / f"{name}.ipynb").read_text() for name in DATASETS}
    site.write_pages([*DATASETS], notebooks, tmp_path / "source", tmp_path / "site")
    assert asked_elsewhere(tmp_path / "site") == []
    front = (tmp_path / "site" / "index.html").read_text()
    assert {f"sliders/{name}.html" for name in DATASETS} == set(re.findall(r'data-src="([^"]*)"', front))
    assert "<math" in (tmp_path / "site" / "notebooks" / "mnist.html").read_text()

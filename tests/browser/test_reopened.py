"""An executed notebook that is opened again in JupyterLab: the widget where it is trusted, a picture in any case."""

import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

import servers
from pages import RUN, WidgetPage


@pytest.fixture(scope="module")
def executed():
    source = f"import infogan_core as ig\nig.Explorer(ig.load_run({str(RUN)!r}, 'cpu'))"
    notebook = nbformat.from_dict(servers.notebook(source))
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_it_shows_the_sliders_if_trusted_and_a_picture_in_any_case(trusted, executed, chromium, tmp_path):
    with servers.lab(tmp_path, executed) as (address, _):
        if trusted:
            file = tmp_path / "work" / "sliders.ipynb"
            subprocess.run([sys.executable, "-m", "jupyter", "trust", str(file)], check=True, capture_output=True)
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(address)
        if trusted:
            page.wait_for_selector(WidgetPage.slider, timeout=60_000)
            page.wait_for_function(f"{WidgetPage.picture}.length > 1000")
        else:
            page.wait_for_selector(".jp-OutputArea-output img", timeout=60_000)
            assert page.locator(".jp-OutputArea-child >> nth=0").is_visible()
        assert "Box(children=" not in page.inner_text(".jp-Notebook")
        page.close()

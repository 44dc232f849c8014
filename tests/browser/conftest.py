"""A real browser on three real pages: JupyterLab, the gallery under Voila, and the shared file. Nothing is fetched."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from infogan_core import share
from pages import ROOT, RUN, SharedPage, WidgetPage

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium, or a skip that says what is missing."""
    if not CHROMIUM.is_file():
        pytest.skip(f"no {CHROMIUM}: install Debian's package chromium to test in a browser")
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -r requirements-dev.txt")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextmanager
def serving(command, log, ready, cwd=ROOT):
    """A server on 127.0.0.1 while it is needed: `ready` is the address that answers once it is up."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with open(log, "w") as file:
        server = subprocess.Popen([sys.executable, "-m", *command], stdout=file, stderr=file, env=env, cwd=cwd)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(ready, timeout=1)
                break
            except OSError:
                assert server.poll() is None, Path(log).read_text()
                time.sleep(0.25)
        yield
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="session")
def lab(tmp_path_factory, chromium):
    """JupyterLab on a notebook with an Explorer of the published digits: (address, server's log)."""
    folder, port = tmp_path_factory.mktemp("lab"), free_port()
    source = f"import infogan_core as ig\nig.Explorer(ig.load_run({str(RUN)!r}, 'cpu'))"
    cell = {
        "cell_type": "code",
        "id": "sliders",
        "source": source,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (folder / "work").mkdir()
    (folder / "work" / "sliders.ipynb").write_text(json.dumps(notebook))
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    command = ["jupyterlab", "--allow-root", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--port-retries=0"]
    command += ["--IdentityProvider.token=", f"--LabApp.user_settings_dir={folder / 'settings'}", str(folder / "work")]
    with serving(command, folder / "log", f"http://127.0.0.1:{port}/api"):
        yield f"http://127.0.0.1:{port}/lab/tree/sliders.ipynb", folder / "log"


@pytest.fixture(scope="session")
def gallery(tmp_path_factory, chromium):
    """The gallery as `make gallery` serves it, its kernel warm: (address, server's log)."""
    pytest.importorskip("voila", reason="no voila: pip install -r requirements-dev.txt")
    log, port = tmp_path_factory.mktemp("gallery") / "log", free_port()
    command = ["voila", "notebooks/gallery.ipynb", "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    command += ["--preheat_kernel=True", "--pool_size=1"]
    with serving(command, log, f"http://127.0.0.1:{port}/voila/static/style.css"):
        for _ in range(240):
            if "is filled" in log.read_text():
                break
            time.sleep(0.25)
        yield f"http://127.0.0.1:{port}/", log


@pytest.fixture(scope="session")
def shared(tmp_path_factory, chromium):
    """The one file of `make share`: (address, None)."""
    pytest.importorskip("onnx", reason="no onnx: pip install -r requirements-dev.txt")
    runtime = ROOT / ".venv" / "onnxruntime-web"
    if shutil.which("npm") is None and not runtime.is_dir():
        pytest.skip("no npm, which fetches onnxruntime-web for the shared file")
    out = tmp_path_factory.mktemp("shared") / "mnist.html"
    share.main([str(RUN), str(out), "--runtime", str(runtime)])
    return out.as_uri(), None


@pytest.fixture(params=["lab", "gallery", "shared"])
def opened(request, chromium):
    """The page with its first picture: (page, where its parts are, name). Fails on any error in console or log."""
    address, log = request.getfixturevalue(request.param)
    parts = SharedPage if request.param == "shared" else WidgetPage
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    page, errors = context.new_page(), []
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    if request.param == "shared":
        context.set_offline(True)
    else:  # a page may link icons and fonts of the web: there is none here
        page.route(lambda url: "127.0.0.1" not in url, lambda route: route.fulfill(status=200, body=""))
    page.goto(address)
    if request.param == "lab":
        page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=60_000)
        page.click(".jp-Notebook .jp-CodeCell .cm-content")
        page.keyboard.press("Control+Enter")
    page.wait_for_selector(parts.slider, timeout=60_000)
    page.wait_for_function(f"{parts.picture}.length > 1000", timeout=60_000)
    yield page, parts, request.param
    context.close()
    assert errors == []
    if log:
        assert "Traceback" not in log.read_text()

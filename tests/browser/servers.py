"""JupyterLab and the gallery on 127.0.0.1, and a headless Chromium that fetches nothing else."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from pages import ROOT

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]


@contextmanager
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


def notebook(source):
    """A notebook with one cell."""
    cell = {"cell_type": "code", "id": "cell", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}


@contextmanager
def lab(folder, contents):
    """JupyterLab on a notebook, sliders.ipynb: yields (address, server's log)."""
    (folder / "work").mkdir()
    (folder / "work" / "sliders.ipynb").write_text(json.dumps(contents))
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    port = _free_port()
    command = ["jupyterlab", "--allow-root", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--port-retries=0"]
    command += ["--IdentityProvider.token=", f"--LabApp.user_settings_dir={folder / 'settings'}"]
    # else it restores what another JupyterLab of this user has open, and logs a 404 for every file that is not here
    command += [f"--LabApp.workspaces_dir={folder / 'workspaces'}"]
    command += [str(folder / "work")]
    with _serving(command, folder / "log", f"http://127.0.0.1:{port}/api"):
        yield f"http://127.0.0.1:{port}/lab/tree/sliders.ipynb", folder / "log"


@contextmanager
def gallery(folder, theme="light"):
    """The gallery as `make gallery` serves it, once its kernel is warm: yields (address, server's log)."""
    log, port = folder / "log", _free_port()
    command = ["voila", "notebooks/gallery.ipynb", "--no-browser", f"--port={port}", f"--theme={theme}"]
    command += ["--Voila.config_file_paths=notebooks", "--VoilaKernelManager.cull_idle_timeout=20"]
    command += ["--VoilaKernelManager.cull_interval=1"]
    with _serving(command, log, f"http://127.0.0.1:{port}/voila/static/"):
        wait(lambda: "is filled" in log.read_text())
        yield f"http://127.0.0.1:{port}/", log


def run_cell(page):
    """Run the one cell of a notebook that JupyterLab is opening."""
    page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=60_000)
    page.click(".jp-Notebook .jp-CodeCell .cm-content")
    page.keyboard.press("Control+Enter")


@contextmanager
def _serving(command, log, address):
    """A server while it is needed, from the moment that the address answers, whatever it says."""

    def up():
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=1)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    env = {**os.environ, "PYTHONPATH": str(ROOT), "JUPYTER_PATH": str(ROOT / "notebooks")}
    with log.open("w") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", *command], stdout=file, stderr=file, env=env, cwd=ROOT, start_new_session=True
        )
        try:
            wait(up)
            yield
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:  # a kernel that is only just starting holds it up
                os.killpg(server.pid, signal.SIGKILL)


def wait(ready):
    for _ in range(360):
        if ready():
            return
        time.sleep(0.25)
    raise TimeoutError("no server within 90 seconds")


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

"""The static site in a real browser without a network: from a web server and from disk, on a wide and a narrow page."""

import functools
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fixtures import chromium
from infogan_core.data.load import DATASETS
from infogan_core.show.share import page, site
from pages import PICTURES, ROOT, RUN

DRAWN = "document.querySelector('.infogan')?.dataset.drawn"
PICTURE = "document.querySelector('.picture').toDataURL()"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory, chromium):
    """The site with the sliders of one run, and notebooks that were not run."""
    pytest.importorskip("myst_nb", reason="no MyST-NB: pip install -r requirements-site.txt")
    at = tmp_path_factory.mktemp("site")
    try:
        script = page.runtime_script(page.runtime(ROOT / ".venv" / "onnxruntime-web"))
    except RuntimeError as error:
        pytest.skip(str(error))
    shutil.copytree(RUN.parent / "svhn", at / "runs" / "svhn")
    names = site.write_sliders(at / "runs", at / "site" / "sliders", script)
    notebooks = {name: (ROOT / "notebooks" / f"{name}.ipynb").read_text() for name in DATASETS}
    site.write_pages(names, notebooks, at / "source", at / "site")
    return at / "site"


@pytest.fixture(params=["served", "disk"])
def address(request, folder):
    if request.param == "disk":
        yield folder.as_uri()
        return
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_a_key_turns_a_code_on_the_front_page_which_asks_no_other_host(address, chromium, width, scheme):
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened, errors = context.new_page(), []
    opened.on("console", lambda m: m.type == "error" and errors.append(m.text))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    known = ("file:", "blob:", "data:", "http://127.0.0.1:")
    opened.on("request", lambda r: r.url.startswith(known) or errors.append(f"fetches {r.url}"))
    opened.goto(f"{address}/index.html")
    opened.wait_for_selector("iframe[src]")
    frame = opened.wait_for_selector("iframe").content_frame()
    frame.wait_for_function(DRAWN)
    before = frame.evaluate(PICTURE)
    frame.focus(".trained input")
    opened.keyboard.press("ArrowRight")
    frame.wait_for_function(f"{PICTURE} !== {before!r}")
    opened.wait_for_function("document.querySelector('iframe').offsetHeight > 900")  # no bar of its own
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    PICTURES.mkdir(exist_ok=True)
    opened.screenshot(path=PICTURES / f"site-{width}.png")
    context.close()
    assert errors == []

"""A real browser on three real pages: JupyterLab, the gallery under Voila, and the shared file.

Nothing outlives its module: Playwright leaves an event loop running in the thread, which other tests must not meet.
"""

import re

import pytest

import servers
from infogan_core.show.share import page
from pages import DRAWN, ROOT, RUN

LEFT = re.compile(  # a page was closed while the server was writing to it
    r"Task exception was never retrieved\nfuture: [^\n]*WebSocketClosedError\(\)>\n"
    r"Traceback.*?\ntornado\.websocket\.WebSocketClosedError\n",
    re.S,
)


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium, or a skip that says what is missing."""
    if not servers.CHROMIUM.is_file():
        pytest.skip(f"no {servers.CHROMIUM}: install Debian's package chromium to test in a browser")
    pytest.importorskip("playwright", reason="no playwright: pip install -r requirements-dev.txt")
    with servers.browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def lab(tmp_path_factory, chromium):
    """A notebook with an Explorer of the published digits: (address, server's log)."""
    source = f"import infogan_core as ig\nig.Explorer(ig.load_run({str(RUN)!r}, 'cpu'))"
    with servers.lab(tmp_path_factory.mktemp("lab"), servers.notebook(source)) as served:
        yield served


@pytest.fixture(scope="module")
def gallery(tmp_path_factory, chromium):
    """The published runs on one page: (address, server's log)."""
    with servers.gallery(tmp_path_factory.mktemp("gallery")) as served:
        yield served


@pytest.fixture(scope="module")
def shared(tmp_path_factory, chromium):
    """The one file of `make share`: (address, None)."""
    out = tmp_path_factory.mktemp("shared") / "mnist.html"
    try:
        runtime = page.runtime(ROOT / ".venv" / "onnxruntime-web")
    except RuntimeError as error:
        pytest.skip(str(error))
    page.share([str(RUN), str(out), "--runtime", str(runtime)], standalone_mode=False)
    return out.as_uri(), None


@pytest.fixture
def shared_page(shared, chromium):
    """The shared file's page with its first picture, without a network."""
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(shared[0])
    page.wait_for_function(DRAWN)
    yield page
    context.close()


@pytest.fixture(params=["lab", "gallery", "shared"])
def opened(request, chromium):
    """The page with its first pictures: (page, name). Fails on any error in console, page or log."""
    name = request.param
    address, log = request.getfixturevalue(name)
    before = len(log.read_text()) if log else 0
    context = chromium.new_context(viewport={"width": 1280, "height": 1000}, offline=name == "shared")
    page, errors = context.new_page(), []
    page.on("console", lambda m: m.type == "error" and errors.append(f"{m.text} ({m.location.get('url')})"))
    page.on("pageerror", lambda error: errors.append(str(error)))
    if name != "shared":
        page.route(lambda url: "127.0.0.1" not in url, lambda route: errors.append(f"fetches {route.request.url}"))
    page.goto(address)
    if name == "lab":
        servers.run_cell(page)
    if name == "gallery":
        page.wait_for_selector(".lm-TabBar-tab:has-text('mnist')", timeout=60_000)
        page.click(".lm-TabBar-tab:has-text('mnist')")
    page.wait_for_function(DRAWN, timeout=60_000)
    yield page, name
    errors += page.locator(".infogan .error details").all_inner_texts()
    context.close()
    assert errors == [], f"in the console or in the page: {errors}"
    if log:
        told = LEFT.sub("", log.read_text()[before:])
        assert "Traceback" not in told, f"in the server's log:\n{told[-4000:]}"

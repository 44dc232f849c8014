"""The project as a static site, with live sliders on its front page: `python -m infogan_core site OUT`."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from base64 import b64decode
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from infogan_core.data.load import DATASETS
from infogan_core.files import PROJECT, PUBLISHED
from infogan_core.runs import load_run
from infogan_core.show.share.page import page, runtime, runtime_option, runtime_script

SITE = PROJECT / "docs" / "site"  # the front page and Sphinx's settings
WEIGHTS = "weights.safetensors"
LIMIT = 60_000_000  # bytes of the folder
MADE_BY_SPHINX = ".buildinfo"  # a file in each of its folders
WIDGET = "application/vnd.jupyter.widget-view+json"
TITLES = {name: row.title for name, row in DATASETS.items()} | {"celeba64": "CelebA, 64x64"}
LINK = re.compile(r"\]\(([^)\s#]*)(#[^)\s]*)?\)")
EMBEDDED = re.compile(r'src="data:image/png;base64,([^"]*)"')
SLIDERS = """## {title}

{links}<a href="sliders/{name}.html">the sliders alone</a>

<iframe data-src="sliders/{name}.html" title="Sliders over the codes of {title}"></iframe>
"""


def write_sliders(published: Path, folder: Path, script: str) -> list[str]:
    """A page for each run of `published`, beside one runtime.js for all; the names of the runs."""
    paths = sorted(file.parent for file in published.glob(f"*/{WEIGHTS}"))
    if not paths:
        raise FileNotFoundError(f"{published} holds no runs: its subfolders must hold a {WEIGHTS} each")
    folder.mkdir(parents=True)
    (folder / "runtime.js").write_text(script)
    for path in paths:
        (folder / f"{path.name}.html").write_bytes(page(load_run(path, "cpu"), '<script src="runtime.js"></script>'))
    return [path.name for path in paths]


def execute(name: str, folder: Path) -> str:
    """A notebook, run with the published weights."""
    words = ["batch", f"notebooks/{name}.ipynb", "-p", "weights", "published", "--out", str(folder)]
    if subprocess.run([sys.executable, "-m", "infogan_core", *words], cwd=PROJECT).returncode:
        raise RuntimeError(f"notebooks/{name}.ipynb failed; what it says stands above")
    return (folder / f"{name}.ipynb").read_text(encoding="utf-8")


def readable(notebook: str, pictures: Path) -> str:
    """An executed notebook for a reader: no widgets, pictures as files, links to headings as Sphinx writes them."""
    content = json.loads(notebook.replace(f"{PROJECT}/", ""))
    content["metadata"].pop("widgets", None)

    def to_file(found: re.Match) -> str:
        png = b64decode(found[1])
        name = f"{hashlib.sha256(png).hexdigest()[:16]}.png"
        pictures.mkdir(parents=True, exist_ok=True)
        (pictures / name).write_bytes(png)
        return f'src="{pictures.name}/{name}"'

    for cell in content["cells"]:
        cell["source"] = LINK.sub(lambda link: f"]({link[1]}{(link[2] or '').lower()})", "".join(cell["source"]))
        outputs = cell.get("outputs", [])
        outputs[:] = [output for output in outputs if WIDGET not in output.get("data", {})]
        for data in (output["data"] for output in outputs if "text/html" in output.get("data", {})):
            data["text/html"] = EMBEDDED.sub(to_file, "".join(data["text/html"]))
    return json.dumps(content)


def to_readme(text: str, folder: Path) -> str:
    """A page in which a link to a folder leads to its README, or to that of the folder above."""

    def lead(link: re.Match) -> str:
        target = folder / link[1]
        if not link[1] or not target.is_dir():
            return link[0]
        readme = next(at / "README.md" for at in (target, *target.parents) if (at / "README.md").is_file())
        return f"]({readme.relative_to(folder)})"

    return LINK.sub(lead, text)


def front(names: Sequence[str], notebooks: Sequence[str]) -> str:
    """The front page: the sliders of each run, and where to read on."""
    title = {name: name for name in names} | TITLES
    sliders = []
    for name in names:
        links = f"[model card](outputs/published/{name}/README.md), "
        links += f"[notebook](notebooks/{name}.ipynb), " if name in notebooks else ""
        sliders.append(SLIDERS.format(title=title[name], name=name, links=links))
    listed = ", ".join(f"[{title[name]}](notebooks/{name}.ipynb)" for name in notebooks)
    text = (SITE / "index.md").read_text(encoding="utf-8")
    return text.replace("{{sliders}}", "\n".join(sliders)).replace("{{notebooks}}", listed)


def write_pages(names: Sequence[str], notebooks: Mapping[str, str], source: Path, html: Path) -> None:
    """All other pages, which Sphinx makes from `source`, a copy of the project's pages at the same places."""
    shutil.copytree(PUBLISHED, source / PUBLISHED.relative_to(PROJECT), ignore=shutil.ignore_patterns(WEIGHTS))
    shutil.copytree(PROJECT / "docs", source / "docs", ignore=shutil.ignore_patterns(SITE.name))
    for file in source.rglob("*.md"):
        file.write_text(to_readme(file.read_text(encoding="utf-8"), file.parent), encoding="utf-8")
    (source / "notebooks").mkdir()
    for name, text in notebooks.items():
        text = readable(text, html / "notebooks" / "pictures")
        (source / "notebooks" / f"{name}.ipynb").write_text(text, encoding="utf-8")
    (source / "index.md").write_text(front(names, [*notebooks]), encoding="utf-8")
    words = ["-b", "html", "-q", "-W", "--keep-going", "-c", str(SITE), "-d", str(source / ".doctrees")]
    if subprocess.run([sys.executable, "-m", "sphinx", *words, str(source), str(html)]).returncode:
        raise RuntimeError("Sphinx could not make the pages; what it says stands above")


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@runtime_option
def site(out: Path, kept_in: Path) -> None:
    """Write the site into the folder OUT, where it replaces a former one: sliders, notebooks, results, guides."""
    if find_spec("sphinx") is None:
        raise RuntimeError("needs Sphinx: pip install -r requirements-site.txt")
    if out.exists() and any(out.iterdir()) and not (out / MADE_BY_SPHINX).is_file():
        raise FileExistsError(f"{out} holds something else than a site: choose another folder")
    with tempfile.TemporaryDirectory() as temporary:
        html, executed = Path(temporary, "site"), Path(temporary, "executed")
        names = write_sliders(PUBLISHED, html / "sliders", runtime_script(runtime(kept_in)))
        notebooks = {name: execute(name, executed) for name in DATASETS if name in names}
        write_pages(names, notebooks, Path(temporary, "source"), html)
        size = sum(file.stat().st_size for file in html.rglob("*") if file.is_file())
        if size > LIMIT:
            raise RuntimeError(f"the site would have {size / 1e6:.0f} MB, more than {LIMIT / 1e6:.0f}")
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(html, out)
    click.echo(f"{out}: {size / 1e6:.0f} MB; open {out / 'index.html'} in a browser, or serve the folder")

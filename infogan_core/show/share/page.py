"""A run as one HTML file with live sliders: `python -m infogan_core share RUN OUT.html`."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import re
import shutil
import subprocess
import tarfile
import tempfile
import warnings
from base64 import b64encode
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import torch
from torch import Tensor, nn

from infogan_core.files import write_whole
from infogan_core.model.networks import to_network_range, to_unit_range
from infogan_core.recipes.presets import title
from infogan_core.runs import Run, load_run
from infogan_core.show.explorer.about import STYLE, about, script
from infogan_core.show.figures import grid, note_of, png_bytes, show

if TYPE_CHECKING:
    from onnx import GraphProto

PACKAGES = {  # of the npm registry, both under the MIT licence: the files that a page needs, and their sha256
    "onnxruntime-web@1.30.0": {
        "ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
        "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
    },
    "gifenc@1.0.3": {"gifenc.esm.js": "217761244379253ba5815510d3048a4fb1f4c4dbe9fb51a5cfbfe26f34eec093"},
}
FILES = {name: digest for files in PACKAGES.values() for name, digest in files.items()}
SEEDS = 100  # whose noise is that of the notebooks; the page draws its own for later ones
LARGE = 1024  # weights with more entries than that are stored as int8, one scale per row
LIMIT = 30_000_000  # bytes of the file


class Part(nn.Module):
    """A network and what to compute with it, as torch.onnx takes it."""

    def __init__(self, net: nn.Module, forward: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.net, self.forward = net, forward


def page(run: Run, runtime: str) -> bytes:
    """A run as a page; `runtime`: the HTML that brings what `runtime_script` gives, inline or from a file beside it."""
    spec, d, size, channels = run.config.latents, run.discriminator, run.config.image_size, run.config.channels

    def paint(zc: Tensor) -> Tensor:  # noise and codes side by side -> G(z, c) in 0..1
        return to_unit_range(run.generator(zc), size)

    def read(x: Tensor) -> Tensor:  # probabilities of each category, mean and deviation of each continuous code
        reading = spec.read(d.q(d.trunk(to_network_range(x, size))))
        return torch.cat([q if isinstance(q, Tensor) else torch.stack(q, dim=1) for q in reading], dim=1)

    noise = torch.cat([spec.sample_noise(1, torch.Generator().manual_seed(seed)) for seed in range(SEEDS)])
    contents = {
        "painter": to_onnx(Part(run.generator, paint), torch.zeros(2, spec.width)),
        "reader": to_onnx(Part(d, read), torch.zeros(2, channels, size, size)),
        "noise": noise.numpy().astype("<f4").tobytes(),
    }
    start = run.generate(noise[:1], [torch.tensor([value]) for value in spec.start()])
    still = show(grid(start), max(1, round(280 / size)), smooth=True, note=note_of(run))
    c, note = run.config, note_of(run)
    fields = {
        "title": escape(f"InfoGAN, {title(c)}, seed {c.seed}"),
        "note": escape(f"{note}. ") if note else "",
        "still": b64encode(png_bytes(still)).decode(),
        "style": STYLE,
        "script": script("browser.js"),
        "runtime": runtime,
        "parts": json.dumps({"about": about([run]), **_packed(contents)}).replace("<", "\\u003c"),
    }
    text = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    return re.sub(r"{{(\w+)}}", lambda field: fields[field[1]], text).encode()  # in one pass: a name may hold a field


def runtime_script(folder: Path) -> str:
    """JavaScript that holds FILES of a folder, the same for every page."""
    return f"runtime = {json.dumps(_packed({name: (folder / name).read_bytes() for name in FILES}))}"


def _packed(contents: dict[str, bytes]) -> dict[str, str]:
    return {name: b64encode(gzip.compress(content, 9, mtime=0)).decode() for name, content in contents.items()}


def to_onnx(net: nn.Module, x: Tensor) -> bytes:
    """The net as ONNX for any number of rows, batch norm folded in, its large weights in int8."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    rows = ({0: torch.export.Dim("n")},)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(net.eval().cpu(), (x,), dynamo=True, dynamic_shapes=rows, verbose=False)
    model = program.model_proto  # a new one each time
    quantise(model.graph)
    return model.SerializeToString()


def quantise(graph: GraphProto) -> None:
    """Store each large weight as int8 with a float32 scale per row; a DequantizeLinear brings it back."""
    from onnx import helper, numpy_helper

    for weight in [w for w in graph.initializer if len(w.dims) > 1 and np.prod(w.dims) > LARGE]:
        w = numpy_helper.to_array(weight)
        scale = np.abs(w).max(axis=tuple(range(1, w.ndim)), keepdims=True).clip(1e-12) / 127
        name, int8 = weight.name, (w / scale).round().astype(np.int8)
        parts = {f"{name}_int8": int8, f"{name}_scale": scale.ravel()}
        graph.initializer.remove(weight)
        graph.initializer.extend(numpy_helper.from_array(part, key) for key, part in parts.items())
        graph.node.insert(0, helper.make_node("DequantizeLinear", list(parts), [name], axis=0))


def runtime(folder: Path) -> Path:
    """The folder with FILES, fetched through npm where they are missing. Raises RuntimeError if they cannot be had."""
    if _are_files({name: (folder / name).read_bytes() for name in FILES if (folder / name).is_file()}):
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(f"needs npm once, to fetch {' and '.join(PACKAGES)}: install Node.js, then run this again")
    contents = {}
    for package, files in PACKAGES.items():
        with tempfile.TemporaryDirectory() as temporary:
            command = [npm, "pack", package, "--loglevel=error", "--pack-destination", temporary]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                why = " ".join(done.stderr.split())[:200]
                raise RuntimeError(f"npm could not fetch {package}, try again with a network ({why})")
            with tarfile.open(next(Path(temporary).glob("*.tgz"))) as archive:
                contents |= {name: archive.extractfile(f"package/dist/{name}").read() for name in files}
    if not _are_files(contents):
        raise RuntimeError(f"what npm fetched as {' and '.join(PACKAGES)} is not what this version was made for")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        write_whole(folder / name, content)
    return folder


def _are_files(contents: dict[str, bytes]) -> bool:
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()} == FILES


runtime_option = click.option(
    "--runtime",
    "kept_in",
    type=click.Path(path_type=Path, file_okay=False),
    default=".venv/onnxruntime-web",
    show_default=True,
    help="folder that keeps the browser's ONNX runtime; npm fetches it once",
)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@runtime_option
def share(run: Path, out: Path, kept_in: Path) -> None:
    """Write RUN, a run directory, as one HTML file OUT with live sliders: no server, no network, no kernel."""
    content = page(load_run(run, "cpu"), f"<script>{runtime_script(runtime(kept_in))}</script>")
    if len(content) > LIMIT:
        raise RuntimeError(f"the page would have {len(content) / 1e6:.0f} MB, more than {LIMIT / 1e6:.0f}")
    write_whole(out, content)
    click.echo(f"{out}: {len(content) / 1e6:.1f} MB; open it in a browser")

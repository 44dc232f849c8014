"""One HTML file: what is in it draws and reads as the run does, and what cannot be made is said in a line."""

import base64
import gzip
import io
import json
import re
import tarfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from infogan_core.show.share import page

pytest.importorskip("onnx", reason="no onnx: pip install -r requirements-show.txt")


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    """A folder with the runtime's files, empty: nothing here runs them."""
    folder = tmp_path_factory.mktemp("runtime")
    for name in page.FILES:
        (folder / name).write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def parts(smoke_run, runtime):
    """The page's embedded parts, unpacked."""
    contents = parts_of(page.page(smoke_run, ""))
    about = contents.pop("about")
    return about, {name: gzip.decompress(base64.b64decode(text)) for name, text in contents.items()}


def parts_of(html):
    assert b"{{" not in html
    return json.loads(re.search(rb"<script>parts = (.*?)</script>", html, re.S)[1])


def share(*arguments):
    page.share([str(argument) for argument in arguments], standalone_mode=False)


def test_the_command_writes_the_page(tmp_path, monkeypatch, smoke_run, runtime, capsys):
    monkeypatch.setattr(page, "runtime", lambda _: runtime)
    share(smoke_run.path, tmp_path / "x.html")
    assert "open it in a browser" in capsys.readouterr().out
    inline = f"<script>{page.runtime_script(runtime)}</script>"
    assert (tmp_path / "x.html").read_bytes() == page.page(smoke_run, inline)


def onnx_run(model, x):
    session = pytest.importorskip("onnxruntime").InferenceSession(model)
    return torch.from_numpy(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0])


def test_its_painter_draws_what_the_generator_draws(parts, smoke_run):
    spec = smoke_run.config.latents
    noise, codes = spec.sample(5, torch.Generator().manual_seed(0))
    drawn = onnx_run(parts[1]["painter"], spec.encode(noise, codes))
    assert (drawn - smoke_run.generate(noise, codes)).abs().mean() < 2 / 255
    assert len(parts[1]["painter"]) < 2 * sum(p.numel() for p in smoke_run.generator.parameters())  # int8, not float32


def test_its_reader_reads_what_q_reads(parts, smoke_run):
    x = smoke_run.generate(*smoke_run.config.latents.sample(5, torch.Generator().manual_seed(0)))
    read = onnx_run(parts[1]["reader"], x)
    c1, (mean2, std2), (mean3, std3) = smoke_run.infer(x)
    expected = torch.cat([c1, torch.stack([mean2, std2, mean3, std3], dim=1)], dim=1)
    assert read.shape == expected.shape
    assert (read - expected).abs().max() < 0.05


def test_its_first_noises_are_those_of_the_notebooks(parts, smoke_run):
    spec = smoke_run.config.latents
    noises = np.frombuffer(parts[1]["noise"], "<f4").reshape(page.SEEDS, spec.noise_dim)
    for seed in (0, 1, page.SEEDS - 1):
        expected = spec.sample_noise(1, torch.Generator().manual_seed(seed))[0].numpy()
        assert np.array_equal(noises[seed], expected)


def test_it_knows_the_codes_by_symbol_and_name(parts, smoke_run):
    about, _ = parts
    assert [code["symbol"] for code in about["codes"]] == ["c1", "c2", "c3"]
    assert [code["k"] for code in about["codes"]] == [10, 0, 0]
    (run,) = about["runs"]
    assert (run["size"], run["channels"], run["noise_dim"]) == (28, 1, smoke_run.config.latents.noise_dim)


def test_a_field_of_the_template_in_a_codes_name_is_text(smoke_run, runtime, monkeypatch):
    monkeypatch.setattr(smoke_run, "report", {"names": {"c2": "{{noise}}</script>"}})
    html = page.page(smoke_run, "")
    about = json.loads(re.search(rb"<script>parts = (.*?)</script>", html, re.S)[1])["about"]
    assert "{{noise}}</script>" in about["codes"][1]["title"]


def test_without_npm_it_says_what_is_missing(tmp_path, monkeypatch, smoke_run):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(RuntimeError, match="needs npm once, to fetch onnxruntime-web"):
        share(smoke_run.path, tmp_path / "x.html", "--runtime", tmp_path / "none")
    assert not (tmp_path / "x.html").exists()


def test_a_runtime_of_other_content_is_refused_and_not_kept(tmp_path, monkeypatch):
    def pack(command, **_):
        with tarfile.open(Path(command[-1]) / "runtime.tgz", "w:gz") as archive:
            for name in page.PACKAGES[command[2]]:
                entry = tarfile.TarInfo(f"package/dist/{name}")
                entry.size = 5
                archive.addfile(entry, io.BytesIO(b"other"))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr("shutil.which", lambda name: name)
    monkeypatch.setattr("subprocess.run", pack)
    with pytest.raises(RuntimeError, match="is not what this version was made for"):
        page.runtime(tmp_path / "runtime")
    assert not (tmp_path / "runtime").exists()


def test_a_page_above_the_limit_is_not_written(tmp_path, monkeypatch, smoke_run, runtime):
    monkeypatch.setattr(page, "runtime", lambda _: runtime)
    monkeypatch.setattr(page, "LIMIT", 1000)
    with pytest.raises(RuntimeError, match="the page would have"):
        share(smoke_run.path, tmp_path / "x.html")
    assert not (tmp_path / "x.html").exists()


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="is no run directory"):
        share(tmp_path, tmp_path / "x.html")
    assert not (tmp_path / "x.html").exists()

"""The house rules that a reader relies on: who imports whom, how long things are, and what stays out of the way."""

import ast
import subprocess
import sys

import pytest

from conftest import ROOT

CORE = ROOT / "infogan_core"
MAY_IMPORT = {
    "files": set(),
    "interruption": set(),
    "latents": set(),
    "images": set(),
    "rendered": {"images"},
    "rendered_faces": {"images", "rendered"},
    "rendered_sprites": {"images", "rendered"},
    "own_images": {"images"},
    "mnist": {"files", "images"},
    "svhn": {"files", "images", "rendered"},
    "celeba_pictures": {"images", "own_images"},
    "celeba_cache": {"celeba_pictures", "files", "images"},
    "celeba": {"celeba_cache", "celeba_pictures", "files", "images", "rendered_faces"},
    "sources": {"celeba", "images", "mnist", "own_images", "rendered_sprites", "svhn"},
    "losses": {"latents"},
    "networks": {"latents"},
    "config": {"latents", "networks"},
    "choices": {"config", "latents"},
    "parts": {"config"},
    "presets": {"choices", "config", "latents", "parts"},
    "progress": {"config"},
    "environment": {"images"},
    "runs": {"config", "environment", "files", "latents", "networks"},
    "augmentation": set(),
    "critic": {"augmentation", "config", "networks"},
    "step": {"augmentation", "config", "critic", "latents", "losses", "networks"},
    "forms": {"step"},
    "distributed": {"config", "critic", "environment", "networks", "step"},
    "training": {
        *("command", "config", "critic", "distributed", "environment", "files", "forms", "images", "interruption"),
        *("progress", "runs", "step"),
    },
    "command": {"distributed", "presets", "progress", "sources", "training"},
    "notebook": {"config", "images", "presets", "progress", "runs", "training"},
    "measures": set(),
    "movement": {"latents", "measures", "runs"},
    "classifier": {"files", "images"},
    "features": {"classifier", "images", "rendered", "rendered_faces"},
    "quality": {"classifier"},
    "meaning": {"classifier", "latents", "measures"},
    "recognition": {"images", "latents", "runs"},
    "overfitting": {"images", "recognition", "runs"},
    "metrics": {
        *("classifier", "files", "images", "latents", "meaning", "movement", "overfitting", "quality", "recognition"),
        "runs",
    },
    "disentanglement": {"images", "latents", "runs"},
    "figures": {"files", "latents"},
    "curves": {"figures", "latents"},
    "views": {"figures", "latents"},
    "readings": {"figures", "latents"},
    "controls": {"figures", "latents", "readings"},
    "exchange": {"controls", "figures", "latents", "own_images", "readings", "views"},
    "explorer": {"controls", "exchange", "figures", "latents", "views"},
    "gallery": {"explorer", "presets", "runs"},
    "share": {"figures", "files", "latents", "networks", "runs"},
    "selection": {"runs"},
    "claims": {"curves", "figures", "images", "recognition", "runs", "selection"},
    "evidence": {
        *("batch", "choices", "claims", "config", "disentanglement", "figures", "files", "latents", "parts"),
        *("presets", "runs", "sources", "study_tables"),
    },
    "study_tables": {"choices", "parts"},
    "paper_figures": {"meaning", "movement", "study_tables"},
    "in_short": {"choices", "selection", "study_tables"},
    "results": {"files", "in_short", "latents", "paper_figures", "runs", "study_tables"},
    "parameters": set(),
    "workers": set(),
    "batch": {"files", "parameters", "progress", "workers"},
}


def imports(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names if node.module == "infogan_core")


def test_every_module_has_its_place():
    assert {file.stem for file in CORE.glob("*.py")} == MAY_IMPORT.keys() | {"__init__"}


@pytest.mark.parametrize("module", MAY_IMPORT)
def test_imports_point_one_way(module):
    own = {name.split(".")[1] for name in imports(CORE / f"{module}.py") if name.startswith("infogan_core.")}
    assert own <= MAY_IMPORT[module]


def test_only_the_explorer_and_its_parts_know_ipywidgets():
    knowing = {f.stem for f in CORE.glob("*.py") if any(name.startswith("ipywidgets") for name in imports(f))}
    assert knowing == {"explorer", "controls", "exchange", "gallery"}


def test_importing_the_suite_loads_neither_ipywidgets_nor_matplotlib():
    code = "import sys, infogan_core; print([m for m in ('ipywidgets', 'matplotlib', 'papermill') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_loads_a_pickle():
    for file in CORE.glob("*.py"):
        tree = ast.parse(file.read_text())
        assert "pickle" not in {name.split(".")[0] for name in imports(file)}
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)):
            keywords = {k.arg: ast.literal_eval(k.value) for k in call.keywords if isinstance(k.value, ast.Constant)}
            if ast.unparse(call.func) == "torch.load":
                assert keywords.get("weights_only") is True
            if ast.unparse(call.func) == "np.load":
                assert keywords.get("allow_pickle") is False


@pytest.mark.parametrize("file", sorted(CORE.glob("*.py")), ids=lambda file: file.stem)
def test_files_and_functions_stay_short(file):
    text = file.read_text()
    assert text.count("\n") <= 250
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 40, node.name


def test_every_public_name_is_there_and_documented():
    import infogan_core as ig

    for name in ig.__all__:
        assert name == "PRESETS" or getattr(ig, name).__doc__, name

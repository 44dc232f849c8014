"""The house rules that a reader relies on: imports go down, things stay short, and what stays out of the way."""

import ast
import subprocess
import sys

import pytest

import infogan_core as ig
from helpers import ROOT

CORE = ROOT / "infogan_core"
FILES = sorted(CORE.rglob("*.py"))
FLOORS = (  # from the ground; those of one floor do not know each other
    {"files"},
    {"model"},
    {"data"},
    {"recipes"},
    {"device"},
    {"runs"},
    {"training", "measure", "show", "batch"},
    {"notebook", "__init__"},
    {"studies"},
    {"__main__"},
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}


def room(file):
    """The folder or file right below infogan_core that a file belongs to."""
    return file.relative_to(CORE).parts[0].removesuffix(".py")


def imports(file):
    """Every module that a file imports, wherever in it, as a dotted name."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def rooms_known(file):
    names = {f"{name}.__init__".split(".")[1] for name in imports(file) if name.split(".")[0] == "infogan_core"}
    return {name if name in FLOOR else "__init__" for name in names} - {room(file)}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CORE)))
def test_imports_go_down_the_floors(file):
    own = FLOOR[room(file)]
    assert [name for name in rooms_known(file) if FLOOR[name] >= own] == []


def test_files_of_one_folder_do_not_import_in_a_circle():
    known = {
        str(file.relative_to(ROOT).with_suffix("")).replace("/", "."): {
            prefix for name in imports(file) for prefix in (name, name.rpartition(".")[0])
        }
        for file in FILES
    }
    while leaves := [module for module, others in known.items() if not others & (known.keys() - {module})]:
        for module in leaves:
            del known[module]
    assert not known


def test_importing_the_suite_loads_nothing_slow():
    code = "import sys, infogan_core; print([m for m in ('torch', 'ipywidgets', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_loads_a_pickle():
    for file in FILES:
        assert "pickle" not in {name.split(".")[0] for name in imports(file)}
        for call in (n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Call)):
            keywords = {k.arg: ast.literal_eval(k.value) for k in call.keywords if isinstance(k.value, ast.Constant)}
            if ast.unparse(call.func) == "torch.load":
                assert keywords.get("weights_only") is True
            if ast.unparse(call.func) == "np.load":
                assert keywords.get("allow_pickle") is False


def test_files_and_functions_stay_short():
    for file in FILES:
        assert file.read_text().count("\n") <= 400, file
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 60, (file, node.name)


def test_every_public_name_is_listed_and_documented():
    assert set(ig.__all__) <= set(dir(ig))
    for name in ig.__all__:
        assert name == "PRESETS" or getattr(ig, name).__doc__, name


def test_a_public_name_is_not_hidden_by_the_folder_of_that_name():

    assert ig.show is sys.modules["infogan_core.show.figures"].show

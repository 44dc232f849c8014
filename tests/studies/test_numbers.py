"""The results page: it and README's table say what the files of the runs say."""

import json
import re

import pytest

from helpers import ROOT
from infogan_core.studies import numbers
from infogan_core.studies.numbers import (
    PUBLISHED,
    attribute,
    context,
    digit,
    fill,
    light,
    page,
    slant_and_width,
    spread,
)

MEASURED = re.compile(
    r"(?<![\w.])(?:\d+\.\d+%?|\d+%|\d{1,3}(?:,\d{3})+|\d+(?= (?:nats|times|points|minutes|seconds)\b))"
)
GIVEN = {  # what no page has, since it was not measured, and where it comes from
    "0.226": "ln 2 - ln(2 pi) / 2, the most of L_I without error at sigma 1",
    "0.393": "1 / 6 less, half the mean square of U(-1, 1): what guessing 0 gives",
    "1.58": "ln 2 - ln(2 pi e sigma^2) / 2 at sigma 0.1",
    "0.05": "Uniform's floor of a learned sigma",
    "0.5": "a setting of SVHN's and CelebA's quick: sigma, lambda",
    "1.5": "hours that SVHN's quick takes: the page has its minutes",
    "3.11": "Python's version",
    "3.0": "of MNIST's licence",
}


@pytest.fixture(scope="module")
def made():
    return page()


def texts():
    yield "README.md", re.sub(r"```.*?```", "", (ROOT / "README.md").read_text(), flags=re.S)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        yield path.name, "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


@pytest.mark.parametrize(("name", "text"), list(texts()), ids=[name for name, _ in texts()])
def test_every_number_of_a_text_is_on_the_page_or_given(made, name, text):
    """Links and what stands in backticks are left out."""
    measured = set(MEASURED.findall(re.sub(r"\]\([^)]*\)|`[^`]*`", " ", text)))
    assert measured - set(re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?%?", made)) - GIVEN.keys() == set()


def test_the_page_is_made_from_the_published_files(made):
    """Whoever changes a run, or the page by hand, is told here: `make results`."""
    assert (PUBLISHED / "RESULTS.md").read_text() == made


def test_readmes_table_is_that_of_the_page():
    readme = (ROOT / "README.md").read_text()
    assert fill(readme) == readme


def test_a_table_that_was_changed_by_hand_is_put_right(made):
    block = '<!-- results: made by "make results" -->\n{}<!-- end -->'
    filled = fill(f"before\n{block.format('typed by hand')}\nafter")
    table = filled.removeprefix('before\n<!-- results: made by "make results" -->\n').removesuffix(
        "\n<!-- end -->\nafter"
    )
    assert filled != table
    assert table.replace("](outputs/published/", "](") in made
    heads, *rows = table.splitlines()
    assert {row.count("|") for row in (heads, *rows)} == {7}
    for link in re.findall(r"\]\(([^)]+)\)", table):
        assert (ROOT / link).is_file(), link
    assert fill("no block") == "no block"


def test_links_of_the_page_lead_to_files(made):
    for link in re.findall(r"\]\(([^)]+)\)", made):
        assert (PUBLISHED / link).exists(), link


def test_every_table_is_a_table(made):
    """As many cells in each row as its head has, and no cell that was left undefined."""
    tables = [block.splitlines() for block in made.split("\n\n") if block.startswith("|")]
    assert len(tables) >= 9
    for head, line, *rows in tables:
        assert re.fullmatch(r"(\| --- )+\|", line)
        assert {row.count("|") for row in rows} == {head.count("|")} != set()
        assert head.count("|") - 1 <= 7


def test_every_published_seed_has_its_row(made):
    for name in ("svhn", "celeba", "celeba64"):
        seeds = [json.loads(file.read_text())["seed"] for file in PUBLISHED.glob(f"{name}/**/config.json")]
        assert sorted(map(int, re.findall(rf"^\| \[{name}\][^|]*\| (\d+) \|", made, re.M))) == sorted(seeds)
    assert len(re.findall(r", `paper` \| 60,000", made)) == len(list(PUBLISHED.glob("mnist/**/metrics.json")))


def test_averaging_g_is_not_among_what_changes_the_error(made):
    """Q is not averaged."""
    assert not re.search(r"^\| average of G", made, re.M)
    runs = [run["frechet"] for run in numbers.evidence()["ablations"]["runs"] if run["profile"] == "open-no-ema"]
    assert spread(runs, ".0f") in made


def test_spread_is_the_mean_and_the_range():
    assert spread([0.05, 0.15], ".1%") == "10.0% (5.0% to 15.0%)"
    assert spread([{"a": 1.0}, {"a": 3.0}], ".0f", "a") == "2 (1 to 3)"
    assert spread({"mean": 2.0, "min": 2.0, "max": 2.001}, ".2f") == "2.00"


def test_slant_and_width_are_two_codes():
    """c2 leans more steadily, but only it widens: together the two codes do most as (c3, c2)."""
    codes = {"c1": {}, "c2": {"slant": -1.0, "width": 0.9}, "c3": {"slant": 0.95, "width": 0.1}}
    assert slant_and_width(codes) == ("c3", "c2")


def continuous(rho, share):
    return {"brightness": rho, "share": {"brightness": share}}


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        ({"c1": {"eta2": {}}, "c2": continuous(-0.9, 0.2), "c3": continuous(1.0, 0.05)}, ("c2", True)),
        ({"c2": continuous(1.0, 0.05), "c3": continuous(0.2, 0.01)}, ("c2", False)),  # steady, and next to nothing
        ({"c2": continuous(0.5, 0.3)}, ("c2", False)),  # much, and not steady
    ],
)
def test_light_is_the_code_that_explains_brightness(codes, found):
    assert light({"codes": codes}) == found


@pytest.mark.parametrize(("edges", "named"), [((0.6, 0.1), False), ((0.7, 0.1), True)])
def test_the_context_is_another_code_than_the_digit(edges, named):
    codes = {"c1": (0.9, 0.9), "c2": edges, "c3": (0.1, 0.2)}
    run = {
        "codes": {name: {"eta2": dict(zip(("left edge", "right edge"), of, strict=True))} for name, of in codes.items()}
    }
    run["meaning"] = {
        "codes": {name: {"mi": {"digit": nats}} for name, nats in (("c1", 0.4), ("c2", 0.1), ("c3", 0.2))}
    }
    assert digit(run) == ("c1", 0.4)
    assert context(run) == ("c2", edges, named)


def test_an_attribute_is_measured_from_its_codes_median():
    rates = {"smile": [0.1, 0.2, 0.65], "bangs": [0.4, 0.1, 0.1]}
    run = {"meaning": {"codes": {"c1": {"rates": rates}}, "strong": [{"reads": "smile"}]}}
    expected = {"points": pytest.approx(0.45), "code": "c1", "category": 2, "name": "smile", "named": True}
    assert attribute(run, "smile", "hat") == expected
    assert attribute(run, "bangs")["named"] is False

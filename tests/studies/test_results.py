"""The results page: it and README's tables say what the published runs' files say."""

import json
import re

import pytest

from helpers import ROOT
from infogan_core.studies import results

# 3.4%, 2.303, 60,000, and 63 minutes: what might have been measured
NUMBER = re.compile(r"(?<![\w.])(?:\d+\.\d+%?|\d+%|\d{1,3}(?:,\d{3})+|\d+(?= (?:nats|times|points|minutes|seconds)\b))")
GIVEN = {  # what was not, and where it comes from
    "2.303": "ln 10",
    "0.226": "ln 2 - ln(2 pi) / 2, the most of L_I without error at sigma 1",
    "1.58": "ln 2 - ln(2 pi e sigma^2) / 2 at sigma 0.1",
    "0.1": "the sigma of that example",
    "0.05": "Uniform's floor of a learned sigma",
    "0.5": "a setting of SVHN's and CelebA's quick: sigma, lambda",
    "0.25": "a setting of MNIST's quick: lambda_real",
    "40": "points, by which meaning.STRONG names a category",
    "4,000": "digits that come with an installed package and are not held out",
    "3.11": "Python's version",
    "3.0": "of MNIST's licence",
}


def texts():
    yield "README.md", re.sub(r"```.*?```", "", (ROOT / "README.md").read_text(), flags=re.S)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        yield path.name, "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def numbers(text):
    """Without links, and what stands in backticks."""
    return set(NUMBER.findall(re.sub(r"\]\([^)]*\)|`[^`]*`", " ", text)))


@pytest.mark.parametrize("name", [name for name, _ in texts()])
def test_every_number_of_a_text_is_on_the_page_or_given(name):
    page = set(re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?%?", results.page()))
    assert numbers(dict(texts())[name]) - page - GIVEN.keys() == set()


def test_nothing_is_given_that_no_text_says():
    assert GIVEN.keys() <= set().union(*(numbers(text) for _, text in texts()))


def test_the_page_is_made_from_the_published_files():
    """Whoever changes a run, or the page by hand, is told here: `make results`."""
    assert (results.PUBLISHED / "RESULTS.md").read_text() == results.page()


def test_readmes_tables_are_cut_from_the_page():
    readme = (ROOT / "README.md").read_text()
    assert results.cut(readme) == readme
    assert len(re.findall(results.CUT, readme)) >= 1


def test_a_table_that_was_changed_by_hand_is_put_right():
    readme = (ROOT / "README.md").read_text()
    assert results.cut(readme.replace("| [svhn]", "| better than [svhn]")) == readme


def test_links_of_the_page_lead_to_files():
    for link in re.findall(r"\]\(([^)]+)\)", results.page()):
        assert (results.PUBLISHED / link).is_file(), link


def test_every_seed_has_its_row():
    text = results.sections()["SVHN and CelebA, every seed"]
    seeds = [folder for name in ("svhn", "celeba") for folder in results.PUBLISHED.glob(f"{name}/**/metrics.json")]
    assert text.count("\n| [") == len(seeds) >= 3
    digits = results.sections()["MNIST"]
    assert digits.count(", `paper` |") == len(list(results.PUBLISHED.glob("mnist/**/metrics.json"))) >= 1


def test_a_command_asks_for_a_source_only_where_one_is_read():
    """Rendered pictures are drawn: a path beside their studies would be ignored."""
    assert results.made_by("sprites", "faces") == "Command: `python -m infogan_core.studies.run sprites faces`"
    assert results.made_by("svhn-parts").endswith("svhn-parts --source path`")

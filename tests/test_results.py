"""The results page: it and README's tables say what the published runs' files say."""

import re

from conftest import ROOT
from infogan_core import results


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

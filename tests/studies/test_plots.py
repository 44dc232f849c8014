"""The studies' plots hold every seed."""

import dataclasses

import pytest

from infogan_core.studies import plots


@pytest.fixture
def of_profile(smoke_run):
    """The smoke run as if of another profile."""
    return lambda profile: dataclasses.replace(smoke_run, config=smoke_run.config.replace(profile=profile))


def test_figure_1_has_a_line_per_run_and_the_ceiling(of_profile):
    runs = [of_profile("infogan"), of_profile("infogan"), of_profile("gan")]
    figures = plots.figure1(runs)
    lines = figures["figure1"].axes[0].lines
    assert len(lines) == len(runs) + 1
    assert list(lines[0].get_ydata()) == [record["mi"][0] for record in runs[0].records]
    assert set(figures) == {"figure1", "gan-c1"}


def test_all_seeds_are_in_one_picture_with_their_errors(smoke_run):
    runs = [dataclasses.replace(smoke_run, report={"held_out": {"error": error}}) for error in (0.5, 0.02, 0.1)]
    titles = [axes.get_title() for axes in plots.seeds(runs)["seeds"].axes if axes.get_title()]
    assert titles == ["seed 0: 50.0% error", "seed 0: 2.0% error", "seed 0: 10.0% error"]


def test_every_code_of_every_seed_is_in_one_picture_that_says_rendered(smoke_run):
    figure = plots.sprites([dataclasses.replace(smoke_run, env={"note": "rendered, not the dSprites file"})] * 2)[
        "sprites"
    ]
    assert [axes.get_title() for axes in figure.axes] == ["seed 0", "seed 0"]
    assert figure.axes[0].images[0].get_array().shape[:2] == (3 * 30, 10 * 30 - 2)
    assert "rendered, not the dSprites file" in figure.get_supxlabel()

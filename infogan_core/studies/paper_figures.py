"""The paper's figures 2, 5 and 6 beside the published runs: what it says, the sheet that tests it, the number."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator
from typing import Any

from infogan_core.measure.code_effects import MIN_RHO_FOR_NAME as NAMED
from infogan_core.measure.code_effects import MIN_SHARE_FOR_NAME as SHARE
from infogan_core.measure.code_names import FAMILIES
from infogan_core.measure.code_names import MIN_EXCESS_FOR_NAME as STRONG
from infogan_core.measure.code_names import MIN_EXCESS_FOR_RATES as LISTED
from infogan_core.studies.study_tables import markdown

Run = dict[str, Any]  # as results.load gives it
Row = tuple[str, str, str, str]
EDGES = ("left edge", "right edge")  # where a house number's neighbours stand
FACES = {  # the paper's captions, and what of meaning.FAMILIES answers each
    "Azimuth (pose)": ("pose",),
    "Presence or absence of glasses": ("glasses",),
    "Hair style": ("bangs",),
    "Emotion": ("smile",),
}


def figures(mnist: Run, svhn: Run, celeba: Run, gan: dict[str, Any] | None) -> str:
    """A Markdown table with a row per panel. gan: the study of figure 1, where it has been made."""
    heads = ["figure", "the paper's caption", "here", "the number"]
    panels = [*_digits(mnist), *(_plain_gan(gan) if gan else ()), *_house_numbers(svhn), *_faces(celeba)]
    return markdown(heads, [list(row) for row in sorted(panels)])


def light_of(run: Run) -> str:
    """The continuous code of SVHN's light, by what it does to brightness.

    Of those that move it steadily (NAMED) and much (SHARE), the one that keeps the digit best; where there are none, of
    the steady ones, or of all, the one that moves it most.
    """
    numbers = {name: code for name, code in run["codes"].items() if "brightness" in code}
    steady = {name: code for name, code in numbers.items() if abs(code["brightness"]) >= NAMED}
    named = {name: code for name, code in steady.items() if code["share"]["brightness"] >= SHARE}
    if named:
        return max(named, key=lambda name: named[name]["digit_kept"]["sure"])
    return max(steady or numbers, key=lambda name: numbers[name]["share"]["brightness"])


def _digits(run: Run) -> Iterator[Row]:
    codes, held_out = run["codes"], run["held_out"]
    said = f"error {held_out['error']:.1%} of {held_out['n']:,}; L_I(c1) {codes['c1']['mi']:.3f} nats"
    yield "2a", "Varying c1 on InfoGAN (Digit type); c1 as a classifier errs on 5%", _sheet(run, "c1"), said
    moved = {name: {what: abs(code.get(what, 0)) for what in ("slant", "width")} for name, code in codes.items()}
    turns, widens = max(
        itertools.permutations(moved, 2), key=lambda two: moved[two[0]]["slant"] + moved[two[1]]["width"]
    )
    for panel, said, code, what in (("2c", "Rotation", turns, "slant"), ("2d", "Width", widens, "width")):
        rho = ", ".join(f"{name} {codes[name][what]:.2f}" for name in sorted(codes) if what in codes[name])
        yield panel, f"Varying a continuous code from -2 to 2 ({said})", _sheet(run, code), f"rho with {what}: {rho}"


def _plain_gan(study: dict[str, Any]) -> Iterator[Row]:
    runs = [run for run in study["runs"] if run["profile"] == "gan"]
    error, bound = (statistics.fmean(v) for v in zip(*((1 - r["accuracy"], r["mi"][0]) for r in runs), strict=True))
    said = f"error {error:.1%}; L_I(c1) {bound:.3f} nats (means of {len(runs)} seeds; seed {runs[0]['seed']} is shown)"
    yield "2b", "Varying c1 on regular GAN (No clear meaning)", "![c1](evidence/gan-c1.png)", said


def _house_numbers(run: Run) -> Iterator[Row]:
    light = light_of(run)
    code = run["codes"][light]
    share, kept = code["share"]["brightness"], code["digit_kept"]
    said = (
        f"rho of {light} with brightness: {code['brightness']:.2f}; at both ends of the trained range the classifier "
        f"reads the same digit in {kept['share']:.0%} of all settings, in {kept['sure']:.0%} of the {kept['n_sure']} "
        "where it is sure"
    )
    if abs(code["brightness"]) < NAMED:
        said += f"; below the {NAMED} asked: **not reproduced**"
    elif share < SHARE:
        said += (
            f"; its share of how brightness differs between pictures is {share:.0%}, below the {SHARE:.0%} of a name"
        )
    yield "5a", "Continuous variation: Lighting", _sheet(run, light), said
    nats = {name: code["mi"]["digit"] for name, code in run["meaning"]["codes"].items()}
    digit = max(nats, key=nats.get)
    others = {name: code["eta2"] for name, code in run["codes"].items() if "eta2" in code and name != digit}
    where = max(others, key=lambda name: sum(others[name][edge] for edge in EDGES))
    shares = " and ".join(f"{others[where][edge]:.2f}" for edge in EDGES)
    said = f"{where} changes the left and right edge alike in all pictures to {shares} (eta^2 within rows)"
    if max(others[where][edge] for edge in EDGES) < NAMED**2:
        said += f", below the {NAMED**2:.2f} that a name takes: **not reproduced**"
    said += f"; {digit} tells {nats[digit]:.2f} of at most 2.303 nats of the digit"
    yield "5b", "Discrete variation: Plate Context", _sheet(run, where), said


def _faces(run: Run) -> Iterator[Row]:
    """Per attribute of figure 6 the category in which it is read most above the median of its code's categories."""
    for panel, (word, families) in zip("abcd", FACES.items(), strict=True):
        members = [name for family in families for name in FAMILIES[family]]
        listed = [
            (max(rates) - statistics.median(rates), name, code, rates.index(max(rates)))
            for code, entry in run["meaning"]["codes"].items()
            for name, rates in entry["rates"].items()
            if name in members
        ]
        sheet, said = "", f"no category lies {100 * LISTED:.0f} points above its code's median"
        if listed:
            points, name, code, category = max(listed)
            sheet = _sheet(run, code)
            said = f"{code}={category}: {name}, {100 * points:.0f} points above the median of {code}'s categories"
            said += "" if points >= STRONG else f", below the {100 * STRONG:.0f} asked: **not reproduced**"
        yield f"6{panel}", word, sheet, said


def _sheet(run: Run, code: str) -> str:
    return f"![{code}]({run['name']}/traversals/{code}.png)"

"""The paper's figures 2, 5 and 6 beside the published runs: what it says, the sheet that tests it, the number."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator
from typing import Any

from infogan_core.meaning import FAMILIES, LISTED
from infogan_core.study_tables import markdown

Run = dict[str, Any]  # as results.load gives it
Row = tuple[str, str, str, str]
CONTEXT = ("background brightness", "background hue", "left edge", "right edge")
FACES = {"azimuth": ("pose",), "glasses": ("glasses",), "hair style": ("bangs", "hair colour"), "emotion": ("smile",)}


def figures(mnist: Run, svhn: Run, celeba: Run, gan: dict[str, Any] | None) -> str:
    """A Markdown table with a row per panel. gan: the study of figure 1, where it has been made."""
    heads = ["figure", "the paper says", "here", "the number"]
    panels = [*_digits(mnist), *(_plain_gan(gan) if gan else ()), *_house_numbers(svhn), *_faces(celeba)]
    return markdown(heads, [list(row) for row in sorted(panels)])


def _digits(run: Run) -> Iterator[Row]:
    codes, held_out = run["codes"], run["held_out"]
    said = f"error {held_out['error']:.1%} of {held_out['n']:,}; L_I(c1) {codes['c1']['mi']:.3f} nats"
    yield "2a", "c1 is the digit; read as a classifier, it errs on 5%", _sheet(run, "c1"), said
    moved = {name: {what: abs(code.get(what, 0)) for what in ("slant", "width")} for name, code in codes.items()}
    turns, widens = max(
        itertools.permutations(moved, 2), key=lambda two: moved[two[0]]["slant"] + moved[two[1]]["width"]
    )
    yield (
        "2c",
        "a continuous code turns it",
        _sheet(run, turns),
        f"rho of {turns} with slant: {moved[turns]['slant']:.2f}",
    )
    yield "2d", "another widens it", _sheet(run, widens), f"rho of {widens} with width: {moved[widens]['width']:.2f}"


def _plain_gan(study: dict[str, Any]) -> Iterator[Row]:
    runs = [run for run in study["runs"] if run["profile"] == "gan"]
    error, bound = (statistics.fmean(v) for v in zip(*((1 - r["accuracy"], r["mi"][0]) for r in runs), strict=True))
    said = f"error {error:.1%}; L_I(c1) {bound:.3f} nats (means of {len(runs)} seeds; seed {runs[0]['seed']} is shown)"
    yield "2b", "c1 of a plain GAN has no clear meaning", "![c1](evidence/gan-c1.png)", said


def _house_numbers(run: Run) -> Iterator[Row]:
    rho = {name: abs(code["brightness"]) for name, code in run["codes"].items() if "brightness" in code}
    light = max(rho, key=rho.get)
    yield (
        "5a",
        "a continuous code is the light",
        _sheet(run, light),
        f"rho of {light} with brightness: {rho[light]:.2f}",
    )
    nats = {name: code["mi"]["digit"] for name, code in run["meaning"]["codes"].items()}
    digit = max(nats, key=nats.get)
    others = {name: code["eta2"] for name, code in run["codes"].items() if "eta2" in code and name != digit}
    share, where, what = max((eta2[what], name, what) for name, eta2 in others.items() for what in CONTEXT)
    said = f"{where} decides {share:.0%} of the variance of {what}; {digit} tells {nats[digit]:.2f} nats of the digit"
    yield "5b", "a categorical code is the context", _sheet(run, where), said


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
        yield f"6{panel}", f"a categorical code is {word}", sheet, said


def _sheet(run: Run, code: str) -> str:
    return f"![{code}]({run['name']}/traversals/{code}.png)"

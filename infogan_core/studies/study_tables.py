"""What the studies of evidence.py found, as Markdown: read from the JSON that each left, one function per study."""

from __future__ import annotations

import statistics
from typing import Any

from infogan_core.recipes.choices import QUESTIONS
from infogan_core.recipes.parts import PARTS

Report = dict[str, Any]
GOOD = 0.9  # the accuracy of c1 that a seed is asked to reach
STYLE = ("slant", "thickness", "width")
DIGIT_HEADS = [
    "run",
    "trained on",
    "seed",
    "steps x batch, minutes",
    "error of c1",
    "seeds with 90% accuracy or more",
    "L_I(c1), at most 2.303",
]
DIGIT_HEADS += STYLE
TRUTH = ("sprites", "house-numbers", "faces")  # studies on pictures whose every factor is known
SCORES = {  # of disentanglement.py, and what they are called
    "factor_vae": "FactorVAE",
    "mig": "MIG",
    "dci": "DCI",
    "sap": "SAP",
    "modularity": "modularity",
    "explicitness": "explicitness",
}
LITERATURE = {  # Lin et al. 2020 (InfoGAN-CR), dSprites: what is known of InfoGAN there
    "InfoGAN, from the literature (Lin et al. 2020)": {"factor_vae": "0.59", "mig": "0.05", "dci": "0.41"},
    "InfoGAN as tuned by Lin et al. 2020, 50 runs": {"factor_vae": "0.82", "mig": "0.22", "dci": "0.60"},
}


def markdown(heads: list[str], rows: list[list[str]]) -> str:
    """A table; a row per entry."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows])


def figure1(report: Report) -> str:
    """L_I(c1) of both sides against the paper's figure 1."""
    claims = {"within_100": "above 2.25 | not given", "peak": "| near 0.6", "last": "just under 2.30 | about 0.1"}
    words = {"within_100": "highest within 100 steps", "peak": "highest of all", "last": "at the end"}
    rows = []
    for key, claim in claims.items():
        said = [part.strip() for part in claim.split("|")]
        rows.append([words[key], *(spread_text(report["read"][side][key]) for side in ("infogan", "gan")), *said])
    heads = ["L_I(c1), nats: mean (lowest to highest)", "InfoGAN", "GAN", "the paper's InfoGAN", "its GAN"]
    text = "The paper (section 7.1): InfoGAN maximises L_I(c1) quickly, a GAN with Q on the side does not."
    return f"{text}\n\n![L_I(c1) over training](evidence/figure1.png)\n\n{markdown(heads, rows)}\n\n{ran(report)}"


def choices(report: Report) -> str:
    """What the paper leaves open: a block of rows per question; all of them start from the same profile, `open`."""
    heads = ["question", "answer", "n", "error of c1", "seeds at 90%", "NMI", "L_I(c1)", "L_I(c2)", "L_I(c3)"]
    heads += ["slant", "width", "Frechet, times real", "minutes"]
    rows = []
    for question, answers in QUESTIONS.items():
        for i, (answer, profile) in enumerate(answers.items()):
            runs = [run for run in report["runs"] if run["profile"] == profile]
            rows.append([question if i == 0 else "", answer, *_measures(runs)])
    text = (
        "One thing is changed at a time, the rest is as in `open`: `quick` with normal noise, so a quarter of the "
        "paper's width, and\nwith IIC's term (`lambda_real`), which is not InfoGAN. `openai` is stopped after as many "
        "minutes, long before its 5,000 steps.\nMean (lowest to highest) over all seeds: with three, a difference "
        "within the ranges is no finding."
    )
    return f"{text}\n\n{markdown(heads, rows)}\n\n{ran(report)}"


def seeds(report: Report) -> str:
    """The recipe over its seeds, and how well each signal ranks them without labels."""
    runs = report["runs"]
    heads = ["seed", "error of c1", "NMI", "L_I(c1)", "slant", "thickness", "width", "minutes"]
    rows = [
        [str(run["seed"]), f"{1 - run['accuracy']:.1%}", f"{run['nmi']:.2f}", f"{run['mi'][0]:.3f}"]
        + [f"{run[what]:.2f}" for what in STYLE]
        + [f"{run['minutes']:.1f}"]
        for run in runs
    ]
    error, good = statistics.fmean(1 - run["accuracy"] for run in runs), sum(run["accuracy"] >= GOOD for run in runs)
    asked = f"**Mean error {error:.1%} (asked: 10%); {good} of {len(runs)} seeds at 90% or better (asked: 7 of 10).**"
    ranks = [[name, f"{s['spearman']:.2f}", f"{s['regret']:.1%}"] for name, s in report["signals"].items()]
    signals = markdown(["signal, no labels", "Spearman with accuracy", "what its choice loses to the best seed"], ranks)
    picture = "![c1 of every seed](evidence/seeds.png)"
    return f"{asked}\n\n{picture}\n\n{markdown(heads, rows)}\n\nChoosing a run:\n\n{signals}\n\n{ran(report)}"


def truth(reports: dict[str, Report]) -> str:
    """What Q reads against the factors that pictures were drawn from: a row per data set, and the literature's."""
    rows = []
    for report in reports.values():
        runs = report["runs"]
        cells = [spread_of(runs, score, ".2f") for score in SCORES]
        rows.append([report["conditions"]["data"], str(len(runs)), *cells, spread_of(runs, "minutes", ".1f")])
        if report is reports.get("sprites"):
            rows += [[name, "", *(of.get(score, "") for score in SCORES), ""] for name, of in LITERATURE.items()]
    text = (
        "Rendered pictures, whose every factor is known, stand in for the paper's 3D faces and chairs, whose data "
        "cannot be passed on.\nScores in 0..1 of what Q reads in held-out pictures, mean (lowest to highest) over all "
        "seeds; definitions: `infogan_core/disentanglement.py`.\nLin et al. 2020 measured on the 64x64 file and with "
        "estimators of their own, so the rows of sprites compare roughly. Guessing reaches a FactorVAE of\none in the "
        "number of factors."
    )
    heads = ["rendered pictures", "n", *SCORES.values(), "minutes"]
    pictures = [f"![Every code of every seed](evidence/{name}.png)\n\n{ran(of)}" for name, of in reports.items()]
    return "\n\n".join([text, markdown(heads, rows), *pictures])


PART_COLUMNS = {  # what the studies of parts compare: head, and form; a data set has its own
    "frechet": ("Frechet, times real", ".1f"),
    "score": ("score, of real", ".0%"),
    "categorical": ("L_I of all categorical codes, nats", ".2f"),
    "light": ("brightness", ".2f"),
    "digit": ("digit, nats", ".2f"),
    "families": ("attributes at 40 points", ".1f"),
    "minutes": ("minutes", ".1f"),
}


def parts(report: Report) -> str:
    """What each part of an earlier recipe is worth on SVHN or CelebA: a row per part that was taken out."""
    columns = {key: column for key, column in PART_COLUMNS.items() if key in report["runs"][0]}
    rows = [
        [part, str(len(runs)), *(spread_of(runs, key, form) for key, (_, form) in columns.items())]
        for part, runs in without(report).items()
    ]
    text = (
        "The recipe that came before today's `quick` (batches of 32, rates that fall to 0, an average of G of decay "
        "0.998), at half width and with few steps,\nwithout one part at a time, for as many minutes; mean (lowest to "
        "highest) over all seeds. Where these ranges meet, the seeds tell no difference.\nOf today's `quick` there is "
        "no such study."
    )
    return f"{text}\n\n{markdown(['taken out', 'n', *(head for head, _ in columns.values())], rows)}\n\n{ran(report)}"


def without(report: Report) -> dict[str, list[Report]]:
    """The runs of a study of parts, by the part that was taken out; "nothing" comes first."""
    names = {"short": "nothing", **{name: part for name, (part, _) in PARTS.items()}}
    found = {part: [r for r in report["runs"] if r["profile"] == profile] for profile, part in names.items()}
    return {part: runs for part, runs in found.items() if runs}


def digits_row(name: str, report: Report) -> list[str]:
    """What runs on MNIST reach, over all their seeds: a cell per DIGIT_HEADS."""
    runs = [{**run, "error": 1 - run["accuracy"], "l_i": run["mi"][0]} for run in report["runs"]]
    seeds = sorted(run["seed"] for run in runs)
    shown = f"{seeds[0]} to {seeds[-1]}" if len(runs) > 1 else str(seeds[0])
    cost = f"{runs[0]['steps']:,} x {runs[0]['batch']}, {spread_of(runs, 'minutes', '.0f')}"
    error = f"**{spread_of(runs, 'error', '.1%')}** of {runs[0]['n']:,}"
    good = f"{sum(run['accuracy'] >= GOOD for run in runs)} of {len(runs)}"
    cells = [name, f"{report['conditions']['n_images']:,}", shown, cost, error, good, spread_of(runs, "l_i", ".3f")]
    return cells + [spread_of(runs, what, ".2f") for what in STYLE]


def ran(report: Report) -> str:
    """The conditions of a study, in one line."""
    known, runs = report["conditions"], report["runs"]
    steps = " or ".join(f"{steps:,}" for steps in sorted({run["steps"] for run in runs}))
    where = f"{known['device']}, {known['precision']}, {known['threads']} thread(s), torch {known['torch']}"
    return (
        f"*{len(runs)} runs of {steps} steps; {known['data']}; {where}; {spread_of(runs, 'minutes', '.1f')} minutes.*"
    )


def _measures(runs: list[Report]) -> list[str]:
    if not runs:
        return ["0", *[""] * 10]
    runs = [run | {"error": 1 - run["accuracy"]} | {f"L_I{i}": mi for i, mi in enumerate(run["mi"])} for run in runs]
    share = sum(run["accuracy"] >= GOOD for run in runs)
    cells = [
        str(len(runs)),
        spread_of(runs, "error", ".1%"),
        f"{share} of {len(runs)}",
        spread_of(runs, "nmi", ".2f"),
    ]
    cells += [spread_of(runs, f"L_I{i}", ".3f") for i in range(3)]
    cells += [spread_of(runs, "slant", ".2f"), spread_of(runs, "width", ".2f")]
    return [*cells, spread_of(runs, "frechet", ".0f"), spread_of(runs, "minutes", ".1f")]


def spread_of(runs: list[Report], key: str, form: str) -> str:
    values = [run[key] for run in runs]
    return spread_text({"mean": statistics.fmean(values), "min": min(values), "max": max(values)}, form)


def spread_text(spread: dict[str, float], form: str = ".2f") -> str:
    if spread["min"] == spread["max"]:
        return f"{spread['mean']:{form}}"
    return f"{spread['mean']:{form}} ({spread['min']:{form}} to {spread['max']:{form}})"

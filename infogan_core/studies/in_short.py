"""What the studies found, a sentence each, for the top of the results page and for README."""

from __future__ import annotations

from functools import partial
from typing import Any

from infogan_core.measure.select import BEST_SIGNAL as CHOSEN
from infogan_core.recipes.choices import QUESTIONS
from infogan_core.studies.study_tables import GOOD, LITERATURE, SCORES, spread_of, spread_text, without

Report = dict[str, Any]


def in_short(done: dict[str, Report]) -> str:
    """A bullet per study that has been made."""
    said = {"figure1": figure1, "seeds": seeds, "choices": choices, "sprites": sprites}
    said |= {f"{name.lower()}-parts": partial(parts, name) for name in ("SVHN", "CelebA")}
    return "\n".join(f"- {say(done[name])}" for name, say in said.items() if name in done)


def figure1(report: Report) -> str:
    infogan, gan = (report["read"][side] for side in ("infogan", "gan"))
    return (
        f"**Figure 1.** L_I(c1) of InfoGAN reaches {spread_text(infogan['within_100'])} nats within 100 steps and ends "
        f"at {spread_text(infogan['last'])}; that of a plain GAN, with Q on the side, is at most "
        f"{spread_text(gan['peak'])} and ends at {spread_text(gan['last'])}. {len(gan['seeds'])} seeds each; the "
        "paper: above 2.25 and just under 2.30, near 0.6 and about 0.1."
    )


def seeds(report: Report) -> str:
    runs = [run | {"error": 1 - run["accuracy"]} for run in report["runs"]]
    good = sum(run["accuracy"] >= GOOD for run in runs)
    return (
        f"**Ten seeds.** `quick` on all of MNIST: error of c1 {spread_of(runs, 'error', '.1%')}, {good} of {len(runs)} "
        f"seeds with 90% accuracy or more. The one that `ig.select_run` chooses, without labels, is "
        f"{100 * report['signals'][CHOSEN]['regret']:.1f} percentage points less accurate than the best."
    )


def choices(report: Report) -> str:
    """The error of c1 with `open`'s answers, then with every other; all questions at once are left to the table."""

    def error(profile: str) -> str:
        runs = [{"error": 1 - run["accuracy"]} for run in report["runs"] if run["profile"] == profile]
        return f"**{spread_of(runs, 'error', '.1%')}**"

    said = f"Error of c1 in the setting of `quick`, three seeds for each answer: {error('open')}, and"
    lines = [f"**What the paper leaves open.** {said}"]
    for question, answers in list(QUESTIONS.items())[:-1]:
        first, *others = answers
        changed = ", ".join(f"{error(answers[answer])} for {answer}" for answer in others)
        lines.append(f"{question}: {changed}, instead of {first}")
    return "\n  - ".join(lines)


def sprites(report: Report) -> str:
    runs, known = report["runs"], {key: SCORES[key] for key in ("factor_vae", "mig", "dci")}
    found = ", ".join(f"{name} {spread_of(runs, key, '.2f')}" for key, name in known.items())
    others = "; ".join(f"{', '.join(of[key] for key in known)} {who}" for who, of in LITERATURE.items())
    return f"**dSprites**, drawn afresh, {len(runs)} seeds: {found}. In the same order: {others}."


def parts(name: str, report: Report) -> str:
    """Each part of an earlier recipe, by whether all Frechet distances without it lie above, or below, all of
    those with it; of CelebA's also without which every seed has fewer attributes."""
    distances = {part: [run["frechet"] for run in runs] for part, runs in without(report).items()}
    whole = distances.pop("nothing")
    worse, better, level = [], [], []
    for part, found in distances.items():
        verdict = worse if min(found) > max(whole) else better if max(found) < min(whole) else level
        verdict.append(f"{part} ({min(found):.1f} to {max(found):.1f})")
    lines = [
        f"**The parts of {name}'s earlier recipe**, short runs of batches of 32 at half width, with rates that "
        f"fall to 0 and an average of G of decay 0.998; Frechet distance, times that of real pictures: "
        f"{min(whole):.1f} to {max(whole):.1f} over {len(whole)} seeds.",
        f"Every seed is worse without: {', '.join(worse) or 'none'}",
        f"Every seed is better without: {', '.join(better) or 'none'}",
        f"The seeds tell no difference: {', '.join(level) or 'none'}",
    ]
    if "families" in report["runs"][0]:
        counts = {part: [run["families"] for run in runs] for part, runs in without(report).items()}
        least = min(counts["nothing"])
        spread = {part: " to ".join(dict.fromkeys(f"{n}" for n in (min(of), max(of)))) for part, of in counts.items()}
        fewer = [f"{part} ({spread[part]})" for part, of in counts.items() if max(of) < least]
        lines.append(
            f"Every seed has fewer attributes at 40 points ({spread['nothing']} with all parts) without: "
            f"{', '.join(fewer) or 'none'}"
        )
    return "\n  - ".join(lines)


def cost(done: dict[str, Report]) -> str:
    """What all studies took together."""
    minutes = [run["minutes"] for report in done.values() for run in report["runs"]]
    hours = sum(minutes) / 60
    training = f"{hours:.1f} hours of training, {hours / 2:.1f} on 2 cores"
    return f"**Cost.** {len(minutes)} runs, each on one core: {training}."

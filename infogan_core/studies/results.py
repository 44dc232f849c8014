"""The results page: outputs/published/RESULTS.md, and README's table, made from the runs' own files.

python -m infogan_core.studies.results      writes both; nothing in them is typed by hand
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infogan_core.files import PROJECT, PUBLISHED, write_whole
from infogan_core.model.latents import Categorical
from infogan_core.runs import read_config
from infogan_core.studies.in_short import cost, in_short
from infogan_core.studies.paper_figures import figures, light_of
from infogan_core.studies.study_tables import (
    DIGIT_HEADS,
    STYLE,
    TRUTH,
    choices,
    digits_row,
    figure1,
    markdown,
    parts,
    seeds,
    truth,
)

CUT = re.compile(r"(<!-- cut from RESULTS.md: (?P<title>[^>]+) -->\n).*?(?=<!-- end -->)", re.S)
Columns = dict[str, Callable[[dict[str, Any]], str]]


def load(folder: Path) -> dict[str, Any]:
    """What a published run, or another seed's folder in it, says: "name", "config", "env", and metrics.json's keys."""
    env, report = (json.loads((folder / name).read_text()) for name in ("env.json", "metrics.json"))
    return {"name": folder.relative_to(PUBLISHED).parts[0], "config": read_config(folder), "env": env, **report}


def table(columns: Columns, runs: list[dict[str, Any]]) -> str:
    """A Markdown table, a row per run."""
    return markdown(list(columns), [[cell(run) for cell in columns.values()] for run in runs])


def _settings(run: dict[str, Any]) -> str:
    config, env = run["config"], run["env"]
    beside = f", beside {env['beside']} others" if "beside" in env else ""
    where = "" if "CPU" in env["device"] else f" ({env['device']}{beside})"
    return f"{config.steps:,} x {config.batch}, {env['minutes']:.0f}{where}"


def _trained_on(run: dict[str, Any]) -> str:
    return f"{run['env']['n_images']:,}"


def _information(run: dict[str, Any]) -> str:
    """Lowest and highest L_I of the categorical codes."""
    codes = zip(run["config"].latents.codes, run["codes"].values(), strict=True)
    bounds = [numbers["mi"] for code, numbers in codes if isinstance(code, Categorical)]
    return " to ".join(dict.fromkeys(f"{bound:.3f}" for bound in (min(bounds), max(bounds))))


def _score(run: dict[str, Any]) -> str:
    return f"{run['quality']['score']['share']:.0%}" if "score" in run["quality"] else ""


def _meaning(run: dict[str, Any]) -> str:
    """What is asked of each dataset: CelebA's attributes; SVHN's code of brightness and code of the digit."""
    if run["config"].dataset == "celeba":
        families = run["meaning"]["families"]
        return f"{families['n']}: {', '.join(families['found'])}" if families["n"] else "0"
    digit = {code: numbers["mi"]["digit"] for code, numbers in run["meaning"]["codes"].items()}
    light, clearest = light_of(run), max(digit, key=digit.get)
    rho = abs(run["codes"][light]["brightness"])
    return f"brightness {rho:.2f} ({light}); digit {digit[clearest]:.2f} nats ({clearest})"


COLOUR: Columns = {
    "run": lambda run: f"[{run['name']}]({run['name']}/README.md), `{run['config'].profile}`",
    "seed": lambda run: str(run["config"].seed),
    "trained on": _trained_on,
    "steps x batch, minutes": _settings,
    "Frechet distance to held-out pictures, times that of real ones (asked: 20)": lambda run: (
        f"{run['quality']['ratio']:.1f}"
    ),
    "classifier score, of that of real ones (asked: 75%)": _score,
    "L_I of categorical codes, nats (asked: 2.0)": _information,
    "codes with a meaning (asked: 4 attributes of faces; brightness 0.8)": _meaning,
}
UNDER = (  # the table
    "\n\n`as-long` is `paper`, of which half of its distance or less was asked, trained on one core: CelebA's for a "
    "third more minutes than `quick`,\nSVHN's for half of them, D having won within 1,000 steps: "
    "[SVHN's samples](svhn/paper-as-long/samples.png), [CelebA's](celeba/paper-as-long/samples.png).\n"
    "The unit of the Frechet column, the distance between real pictures, is another for each data set: rows of "
    "different ones do not compare."
)
STUDIES = {  # title and table, by the name of the study's file
    "figure1": ("Figure 1: L_I(c1) over training", figure1),
    "choices": ("What the paper leaves open", choices),
    "seeds": ("The recipe over ten seeds, and choosing one without labels", seeds),
    "svhn-parts": ("SVHN: what each part of the earlier recipe was worth", parts),
    "celeba-parts": ("CelebA: what each part of the earlier recipe was worth", parts),
}
DIGITS = {
    "seeds": "`quick` on all of MNIST",
    "embedded": "`make mnist`: `quick`",
}  # studies with a row in MNIST's table


COMMANDS = {  # of the published runs' tables
    "MNIST": "make mnist PROFILE=paper SOURCE=download",
    "SVHN and CelebA, every seed": "make svhn WEIGHTS=train SOURCE=path`, `make celeba WEIGHTS=train SOURCE=path",
}


def mnist(published: list[dict[str, Any]], done: dict[str, Any]) -> str:
    """The table of README: every published run, and the studies of DIGITS that have been made."""
    rows = []
    for run in published:
        config, codes, env = run["config"], run["codes"], run["env"]
        strongest = {what: max(abs(code.get(what, 0)) for code in codes.values()) for what in STYLE}
        numbers = {"seed": config.seed, "steps": config.steps, "batch": config.batch, "minutes": env["minutes"]}
        numbers |= run["held_out"] | {"mi": [code["mi"] for code in codes.values()]} | strongest
        other = f"seed {config.seed}, {config.latents.noise} noise"
        name = "[**published**](mnist/README.md)" if run is published[0] else other
        rows.append(digits_row(f"{name}, `{config.profile}`", {"conditions": env, "runs": [numbers]}))
    studies = {DIGITS[name]: done[name] for name in DIGITS if name in done}
    rows += [digits_row(name, study) for name, study in studies.items()]
    return (
        f"{markdown(DIGIT_HEADS, rows)}\n\nSlant, thickness, width: Spearman's rho of the continuous code that moves "
        "each most steadily, without its sign.\nAnother machine, or number of threads, rounds differently: there "
        "the same seed is another draw."
    )


def sections() -> dict[str, str]:
    """Title to Markdown, for everything of which there is a file."""
    runs = {}
    for name in ("mnist", "svhn", "celeba"):  # the published run, then others beside it
        first, beside = PUBLISHED / name / "metrics.json", sorted(PUBLISHED.glob(f"{name}/*/**/metrics.json"))
        runs[name] = [load(file.parent) for file in (first, *beside)]
    files = {name: PUBLISHED / "evidence" / f"{name}.json" for name in (*STUDIES, "embedded", *TRUTH)}
    done = {name: json.loads(file.read_text()) for name, file in files.items() if file.is_file()}
    colour = sorted(runs["svhn"] + runs["celeba"], key=lambda run: run["config"].profile != "quick")
    published = {
        "In short": f"{in_short(done)}\n- {cost(done)}",
        "MNIST": mnist(runs["mnist"], done),
        "SVHN and CelebA, every seed": table(COLOUR, colour) + UNDER,
        "The paper's figures 2, 5 and 6": figures(*(of[0] for of in runs.values()), done.get("figure1")),
    }
    studies = {title: f"{say(done[name])}\n\n{made_by(name)}" for name, (title, say) in STUDIES.items() if name in done}
    known = {name: done[name] for name in TRUTH if name in done}
    truths = f"{truth(known)}\n\n{made_by(*known)}"
    return published | studies | ({"Disentanglement against a known truth": truths} if known else {})


def made_by(*studies: str) -> str:
    """The command of studies; those of TRUTH draw their pictures."""
    source = "" if set(studies) <= set(TRUTH) else " --source path"
    return f"Command: `python -m infogan_core.studies.run {' '.join(studies)}{source}`"


def conditions() -> str:
    """Devices, precisions and versions of all published runs, in one line."""
    envs = [json.loads(file.read_text()) for file in sorted(PUBLISHED.glob("*/**/env.json"))]
    said = dict.fromkeys(f"{e['device']}, {e['precision']}, torch {e['torch']}" for e in envs)
    return "; ".join(said)


def page() -> str:
    """RESULTS.md, whole."""
    intro = (
        "# Results\n\nMade by `make results` from the runs' `config.json`, `env.json` and `metrics.json`; nothing is "
        "typed by hand, and every seed that was\ntrained by a published recipe has its row. Pictures and codes are "
        "measured on 10,000 fresh samples against held-out pictures; what each\nnumber means: docstring of "
        f"`ig.evaluate`. Conditions: {conditions()}.\n"
    )
    commands = {title: f"\nCommand: `{command}`\n" for title, command in COMMANDS.items()}
    return intro + "".join(f"\n## {title}\n\n{text}\n{commands.get(title, '')}" for title, text in sections().items())


def cut(readme: str) -> str:
    """README with each marked table replaced by RESULTS.md's, its links going on to the same files."""
    parts = sections()

    def fill(match: re.Match[str]) -> str:
        links = re.sub(r"\]\((?!http)", "](outputs/published/", parts[match["title"]])
        return f"{match[1]}{links}\n"

    return CUT.sub(fill, readme)


def main() -> None:
    readme = PROJECT / "README.md"
    write_whole(PUBLISHED / "RESULTS.md", page().encode())
    write_whole(readme, cut(readme.read_text()).encode())
    print(f"{PUBLISHED / 'RESULTS.md'}, and README's tables")


if __name__ == "__main__":
    main()

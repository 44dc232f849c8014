"""The numbers of the results page, from the files that the published runs and the studies left, and the page itself."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from infogan_core.files import PUBLISHED
from infogan_core.measure.code_effects import MIN_RHO_FOR_NAME, MIN_SHARE_FOR_NAME
from infogan_core.measure.select import judge
from infogan_core.model.config import Config
from infogan_core.recipes.presets import PUBLISHED_RUNS
from infogan_core.runs import Run, read_config
from infogan_core.studies.ablations import ABLATIONS, BASE

EVIDENCE = PUBLISHED / "evidence"  # a file per study
FILES = ("env.json", "metrics.json")
STYLE = ("slant", "thickness", "width")
README_BLOCK = re.compile(r'(<!-- results: made by "make results" -->\n).*?(?=<!-- end -->)', re.S)
Numbers = dict[str, Any]  # of a run, by name


def describe(values: Iterable[float]) -> Numbers:
    """Mean, range and number of values."""
    values = list(values)
    return {"mean": fmean(values), "min": min(values), "max": max(values), "n": len(values)}


def spread(of: Mapping[str, float] | Iterable[Any], form: str, key: str = "") -> str:
    """ "mean (lowest to highest)" of what `describe` returned, of values, or of one of the numbers of runs."""
    of = of if isinstance(of, Mapping) else describe(run[key] if key else run for run in of)
    middle, low, high = (format(of[name], form) for name in ("mean", "min", "max"))
    return middle if low == high else f"{middle} ({low} to {high})"


def strongest(codes: Numbers) -> dict[str, float]:
    """Spearman's rho, without its sign, of the code that changes each of STYLE most steadily."""
    return {what: max(abs(code.get(what, 0.0)) for code in codes.values()) for what in STYLE}


def common(run: Run | RunFiles) -> Numbers:
    """What tables show of every run, of a study or published."""
    mi = [code["mi"] for code in run.report["codes"].values()]
    settings = {key: getattr(run.config, key) for key in ("profile", "seed", "steps", "batch")}
    starts = 1 + len(run.env.get("given_up", []))
    return settings | {"starts": starts, "minutes": run.env["minutes"], "mi": mi}


@dataclass(frozen=True)
class RunFiles:
    """What the files of a run say, read without its weights."""

    config: Config
    env: Numbers
    report: Numbers  # of evaluate()


def read_run(folder: Path) -> RunFiles:
    """A published run, or another seed's beside it."""
    return RunFiles(read_config(folder), *(json.loads((folder / name).read_text()) for name in FILES))


def load(folder: Path) -> Numbers:
    """What tables show of a published run."""
    run = read_run(folder)
    env, report = run.env, run.report
    made_on = f"{env['device']}, {env['precision']}, torch {env['torch']}"
    shown = {"folder": folder.relative_to(PUBLISHED).as_posix(), "made_on": made_on, "config": run.config, "env": env}
    frechet = {"frechet": report["quality"]["held_out"]["frechet"] / report["quality"]["real"]["frechet"]}
    return report | shown | frechet | report.get("held_out", {}) | strongest(report["codes"]) | common(run)


def published() -> dict[str, list[Numbers]]:
    """Per data set its published run, then the other ones beside it."""
    files = {name: sorted(PUBLISHED.glob(f"{name}/**/metrics.json")) for name in PUBLISHED_RUNS}
    return {name: [load(file.parent) for file in sorted(of, key=lambda f: len(f.parts))] for name, of in files.items()}


def evidence() -> dict[str, Numbers]:
    """What every study left, by its name."""
    studies = {file.stem: json.loads(file.read_text()) for file in EVIDENCE.glob("*.json")}
    for run in itertools.chain.from_iterable(study["runs"] for study in studies.values()):
        if "accuracy" in run:
            run["error"] = 1 - run["accuracy"]
    return studies


def slant_and_width(codes: Numbers) -> tuple[str, str]:
    """Two different codes of MNIST: together they change slant (the first) and width (the second) most steadily."""
    rho = {name: (abs(code.get("slant", 0)), abs(code.get("width", 0))) for name, code in codes.items()}
    return max(itertools.permutations(codes, 2), key=lambda pair: rho[pair[0]][0] + rho[pair[1]][1])


def light(run: Numbers) -> tuple[str, bool]:
    """SVHN's continuous code that explains most of the brightness, and whether it deserves that name."""
    shares = {name: code["share"]["brightness"] for name, code in run["codes"].items() if "brightness" in code}
    code = max(shares, key=shares.get)
    return code, abs(run["codes"][code]["brightness"]) >= MIN_RHO_FOR_NAME and shares[code] >= MIN_SHARE_FOR_NAME


def digit(run: Numbers) -> tuple[str, float]:
    """SVHN's code that says most of the digit, and how many nats."""
    nats = {name: code["mi"]["digit"] for name, code in run["meaning"]["codes"].items()}
    return max(nats.items(), key=lambda item: item[1])


def context(run: Numbers) -> tuple[str, tuple[float, ...], bool]:
    """SVHN's categorical code, not the digit's, that changes the edges most; eta^2 of both; whether that is a name."""
    others = {name: code["eta2"] for name, code in run["codes"].items() if "eta2" in code and name != digit(run)[0]}
    edges = {name: (eta2["left edge"], eta2["right edge"]) for name, eta2 in others.items()}
    code = max(edges, key=lambda name: sum(edges[name]))
    return code, edges[code], max(edges[code]) >= MIN_RHO_FOR_NAME**2


def attribute(run: Numbers, *names: str) -> Numbers:
    """CelebA's category that shows one of these attributes most above the median of its code's categories."""
    listed = [
        {"code": code, "name": name, "category": rates.index(max(rates)), "points": max(rates) - median(rates)}
        for code, entry in run["meaning"]["codes"].items()
        for name, rates in entry["rates"].items()
        if name in names
    ]
    found = max(listed, key=lambda entry: entry["points"])
    return found | {"named": found["name"] in [strong["reads"] for strong in run["meaning"]["strong"]]}


def page_template(name: str, **more: Any) -> Template:
    """A template of this folder, with the functions above, and more, as filters."""
    layout = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    jinja = Environment(loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, **layout)
    functions = (format, spread, judge, slant_and_width, light, digit, context, attribute)  # format: Python's own
    jinja.filters |= {function.__name__: function for function in functions} | more
    return jinja.get_template(name)


def page() -> str:
    """RESULTS.md, whole."""
    values = {"ABLATIONS": ABLATIONS, "BASE": BASE, **published(), **evidence()}
    return page_template("RESULTS.md.j2").render(values)


def fill(readme: str) -> str:
    """README with the page's first table in its marked block, if it has one; links go on to the same files."""
    table = next(block for block in page().split("\n\n") if block.startswith("|"))
    links = re.sub(r"\]\((?!http)", "](outputs/published/", table)
    return README_BLOCK.sub(lambda block: f"{block[1]}{links}\n", readme)

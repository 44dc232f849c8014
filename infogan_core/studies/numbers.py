"""The numbers of the results page, from the files that the published runs and the studies left, and the page itself."""

from __future__ import annotations

import itertools
import json
import math
import re
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from infogan_core.files import PUBLISHED
from infogan_core.measure.code_effects import MIN_RHO_FOR_NAME, MIN_SHARE_FOR_NAME
from infogan_core.model.latents import Categorical
from infogan_core.runs import read_config
from infogan_core.studies.ablations import ABLATIONS, BASE

EVIDENCE = PUBLISHED / "evidence"  # a file per study
STYLE = ("slant", "thickness", "width")
README_BLOCK = re.compile(r'(<!-- results: made by "make results" -->\n).*?(?=<!-- end -->)', re.S)
Numbers = dict[str, Any]  # of a run, by name


def describe(values: Iterable[float]) -> Numbers:
    """Mean, range and number of values."""
    values = list(values)
    return {"mean": statistics.fmean(values), "min": min(values), "max": max(values), "n": len(values)}


def spread(of: Mapping[str, float] | Iterable[Any], form: str, key: str = "") -> str:
    """ "mean (lowest to highest)" of what `describe` returned, of values, or of one of the numbers of runs."""
    of = of if isinstance(of, Mapping) else describe(run[key] if key else run for run in of)
    middle, low, high = (format(of[name], form) for name in ("mean", "min", "max"))
    return middle if low == high else f"{middle} ({low} to {high})"


def strongest(codes: Numbers) -> dict[str, float]:
    """Spearman's rho, without its sign, of the code that changes each of STYLE most steadily."""
    return {what: max(abs(code.get(what, 0.0)) for code in codes.values()) for what in STYLE}


def load(folder: Path) -> Numbers:
    """A published run, or another seed's folder beside it: its config, env.json, metrics.json, and what tables show."""
    config = read_config(folder)
    env, report = (json.loads((folder / name).read_text()) for name in ("env.json", "metrics.json"))
    kinds = zip(config.latents.codes, report["codes"].values(), strict=True)
    categorical = describe(code["mi"] for kind, code in kinds if isinstance(kind, Categorical))
    shown = {
        "folder": folder.relative_to(PUBLISHED).as_posix(),
        "config": config,
        "env": env,
        "minutes": env["minutes"],
    }
    shown |= {"seed": config.seed, "steps": config.steps, "batch": config.batch, "l_i": report["codes"]["c1"]["mi"]}
    return {"categorical": categorical, **shown, **strongest(report["codes"]), **report.get("held_out", {}), **report}


def published() -> dict[str, list[Numbers]]:
    """Per data set its published run, then the other ones beside it."""
    files = {name: sorted(PUBLISHED.glob(f"{name}/**/metrics.json")) for name in ("mnist", "svhn", "celeba")}
    return {name: [load(file.parent) for file in sorted(of, key=lambda f: len(f.parts))] for name, of in files.items()}


def evidence() -> dict[str, Numbers]:
    """What every study left, by its name."""
    studies = {file.stem: json.loads(file.read_text()) for file in sorted(EVIDENCE.glob("*.json"))}
    for run in itertools.chain.from_iterable(study["runs"] for study in studies.values()):
        run["l_i"] = run["mi"][0]
        if "accuracy" in run:
            run["error"] = 1 - run["accuracy"]
    seeds = studies["seeds"]  # "repeated": the same recipe on another machine, which the study itself does not make
    seeds["errors"] = [run["error"] for run in seeds["runs"] + seeds["repeated"]["runs"]]
    return studies


def slant_and_width(codes: Numbers) -> tuple[str, str]:
    """Two different codes of MNIST: together they change slant (the first) and width (the second) most steadily."""

    def rho(pair: tuple[str, str]) -> float:
        return sum(abs(codes[name].get(what, 0.0)) for name, what in zip(pair, ("slant", "width"), strict=True))

    return max(itertools.permutations(codes, 2), key=rho)


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
    edges = {
        name: (code["eta2"]["left edge"], code["eta2"]["right edge"])
        for name, code in run["codes"].items()
        if "eta2" in code and name != digit(run)[0]
    }
    code = max(edges, key=lambda name: sum(edges[name]))
    return code, edges[code], max(edges[code]) >= MIN_RHO_FOR_NAME**2


def attribute(run: Numbers, *names: str) -> Numbers:
    """CelebA's category that shows one of these attributes most above the median of its code's categories.

    Raises ValueError where none of them is listed in the run's report.
    """
    listed = [
        {
            "code": code,
            "category": rates.index(max(rates)),
            "name": name,
            "points": max(rates) - statistics.median(rates),
        }
        for code, entry in run["meaning"]["codes"].items()
        for name, rates in entry["rates"].items()
        if name in names
    ]
    found = max(listed, key=lambda entry: entry["points"])
    return found | {"named": found["name"] in [strong["reads"] for strong in run["meaning"]["strong"]]}


def page() -> str:
    """RESULTS.md, whole."""
    folder = FileSystemLoader(Path(__file__).parent)
    jinja = Environment(loader=folder, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    jinja.keep_trailing_newline = True
    functions = (format, spread, slant_and_width, light, digit, context, attribute)  # format: Python's own
    jinja.filters |= {function.__name__: function for function in functions}
    envs = [json.loads(file.read_text()) for file in sorted(PUBLISHED.glob("*/**/env.json"))]
    conditions = dict.fromkeys(f"{env['device']}, {env['precision']}, torch {env['torch']}" for env in envs)
    values = {"ABLATIONS": ABLATIONS, "BASE": BASE, "LN_10": math.log(10), "conditions": list(conditions)}
    return jinja.get_template("RESULTS.md.j2").render(values, **published(), **evidence())


def fill(readme: str) -> str:
    """README with the page's first table in its marked block, if it has one; links go on to the same files."""
    table = next(block for block in page().split("\n\n") if block.startswith("|"))
    links = re.sub(r"\]\((?!http)", "](outputs/published/", table)
    return README_BLOCK.sub(lambda block: f"{block[1]}{links}\n", readme)

"""The paper's claims, measured again: studies of many runs that infogan_core.batch makes, and what is read from them.

python -m infogan_core study                             all that MNIST is enough for; repeats no finished run
python -m infogan_core study figure1                     one
python -m infogan_core study svhn-parts --source path    one that needs SVHN; celeba-parts needs CelebA

Each leaves a file, and perhaps a figure, in outputs/published/evidence, from which `make results` makes the page.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infogan_core.batch import run as batch
from infogan_core.data.load import load_images
from infogan_core.files import write_whole
from infogan_core.measure.disentanglement import measure
from infogan_core.model.config import check_known
from infogan_core.model.latents import Categorical
from infogan_core.recipes.choices import QUESTIONS
from infogan_core.recipes.parts import PARTS
from infogan_core.recipes.presets import PRESETS, preset
from infogan_core.runs import Run, load_run
from infogan_core.show.figures import save_png, traversal_figure
from infogan_core.studies.plots import codes_sheet, figure1, judged, seeds_sheet
from infogan_core.studies.study_tables import STYLE, TRUTH

RUNS, PUBLISHED = Path("outputs/evidence"), Path("outputs/published/evidence")


@dataclass(frozen=True)
class Study:
    """Runs of a notebook, one per profile and seed."""

    profiles: tuple[str, ...]
    seeds: tuple[int, ...]
    dataset: str = "mnist"
    source: str = ""  # "": genuine pictures, from wherever the user has them

    def plan(self, out: Path, source: str) -> tuple[str, dict[str, Any], Path]:
        """The notebook, the parameters that batch combines, and where the runs go."""
        grid = {"profile": list(self.profiles), "seed": list(self.seeds), "weights": "train"}
        return f"notebooks/{self.dataset}.ipynb", grid | {"source": self.source or source}, out


SEEDS = (0, 1, 2)
EVIDENCE = {  # what needs no more than MNIST
    "figure1": Study(("infogan", "gan"), SEEDS),
    "choices": Study(tuple(dict.fromkeys(p for answers in QUESTIONS.values() for p in answers.values())), SEEDS),
    "seeds": Study(("quick",), tuple(range(10))),
    "embedded": Study(("quick",), SEEDS, source="embedded"),
    "sprites": Study(("sprites",), SEEDS, source="dsprites"),
    "house-numbers": Study(("short",), (0, 1), "svhn", "embedded"),
    "faces": Study(("short",), (0, 1), "celeba", "embedded"),
}
RECIPES = {  # what needs SVHN or CelebA
    "svhn-parts": Study(("short", *(p for p in PARTS if p in PRESETS["svhn"])), (0, 1), "svhn"),
    "celeba-parts": Study(("short", *(p for p in PARTS if p in PRESETS["celeba"])), (0, 1), "celeba"),
}
STUDIES = EVIDENCE | RECIPES


def common(run: Run) -> dict[str, Any]:
    """What every study says of a finished run."""
    mi = [code["mi"] for code in run.report["codes"].values()]
    settings = {"profile": run.config.profile, "seed": run.config.seed, "steps": run.config.steps}
    return settings | {"batch": run.config.batch, "minutes": run.env["minutes"], "mi": mi}


def digits(run: Run) -> dict[str, Any]:
    """What the studies of MNIST compare; a correlation is the stronger continuous code's, without sign."""
    report, moved = run.report, [code for code in run.report["codes"].values() if "slant" in code]
    strongest = {what: max(abs(code[what]) for code in moved) for what in STYLE}
    held_out = {key: report["held_out"][key] for key in ("accuracy", "nmi", "n")}
    return held_out | strongest | {"frechet": report["quality"]["ratio"], "real": report["real"]}


def pictures(run: Run) -> dict[str, Any]:
    """What the studies of SVHN and CelebA compare: of SVHN's codes the most that one says of the digit, in nats, and
    of the light, as Spearman's rho without its sign; of CelebA's, how many attributes have a category."""
    codes = zip(run.config.latents.codes, run.report["codes"].values(), strict=True)
    read = [numbers["mi"] for code, numbers in codes if isinstance(code, Categorical)]
    quality, meaning = run.report["quality"], run.report["meaning"]
    found = {"frechet": quality["ratio"], "categorical": sum(read)}
    if "score" not in quality:
        return found | {"families": meaning["families"]["n"]}
    light = max(abs(numbers.get("brightness", 0.0)) for numbers in run.report["codes"].values())
    digit = max(code["mi"]["digit"] for code in meaning["codes"].values())
    return found | {"score": quality["score"]["share"], "light": light, "digit": digit}


def conditions(runs: list[Run]) -> dict[str, Any]:
    """What all of a study's runs have in common; a value that differs is listed."""
    keys = ("data", "note", "n_images", "device", "precision", "threads", "torch")
    seen = {key: list(dict.fromkeys(run.env[key] for run in runs)) for key in keys}
    return {key: values[0] if len(values) == 1 else values for key, values in seen.items()}


def make(name: str, source: str) -> None:
    """Train what is missing of a study's runs, and write what is read from them.

    Raises RuntimeError if a run fails, or a finished one is of other settings than its profile has now.
    """
    study = STUDIES[name]
    job = study.plan(RUNS / name, source)
    rows = batch.run(*job)
    if any(row["status"] == "failed" for row in rows):
        raise RuntimeError(f"a run of {name} failed; the same command goes on")
    runs = [load_run(planned.executed.parent, "cpu") for planned in batch.plan(*job)]
    for run in runs:
        check_settings(run)
    report: dict[str, Any] = {"conditions": conditions(runs)}
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    if name in TRUTH:
        images = load_images(study.dataset, study.source)
        report["runs"] = [common(run) | measure(run, images) for run in runs]
        save_png(PUBLISHED / f"{name}.png", codes_sheet(runs))
    else:
        read = pictures if name in RECIPES else digits
        report["runs"] = [common(run) | read(run) for run in runs]
    if name == "figure1":
        sides = _by_profile(runs)
        figure, report["read"] = figure1(sides)
        save_png(PUBLISHED / "figure1.png", figure)
        save_png(PUBLISHED / "gan-c1.png", traversal_figure(sides["gan"][0], 0))
    if name == "seeds":
        report["signals"] = judged(runs, load_images("mnist", source))
        save_png(PUBLISHED / "seeds.png", seeds_sheet(runs))
    write_whole(PUBLISHED / f"{name}.json", (json.dumps(report, indent=1, allow_nan=False) + "\n").encode())
    print(f"{PUBLISHED / name}.json: {len(runs)} runs; `make results` puts it onto the page")


def check_settings(run: Run) -> None:
    """Raise RuntimeError if a run's profile has other settings today; what its images decide may differ."""
    config = run.config
    as_now = preset(config.dataset, config.profile, seed=config.seed)
    fitted = {field: getattr(config, field) for field in ("image_size", "channels")}
    fitted["batch"] = min(as_now.batch, run.env["n_images"])
    if config != as_now.replace(**fitted):
        raise RuntimeError(f"{run.path} was made by an earlier {config.profile}: move it away, and train again")


def _by_profile(runs: list[Run]) -> Mapping[str, list[Run]]:
    profiles = dict.fromkeys(run.config.profile for run in runs)
    return {profile: [run for run in runs if run.config.profile == profile] for profile in profiles}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m infogan_core study", description="Measures the paper's claims.")
    parser.add_argument("studies", nargs="*", metavar="STUDY", help=f"of {', '.join(STUDIES)}; MNIST's by default")
    parser.add_argument("--source", default="download", help="all of MNIST, or the study's data: download, or a path")
    args = parser.parse_args(arguments)
    try:
        check_known("study", args.studies, list(STUDIES))
        failed = [name for name in args.studies or EVIDENCE if not _made(name, args.source)]
    except KeyboardInterrupt:
        print("the same command goes on", file=sys.stderr)
        return 130
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return int(bool(failed))


def _made(name: str, source: str) -> bool:
    """Whether a study could be made; why not is said, and the others go on."""
    try:
        make(name, source)
    except (OSError, RuntimeError) as error:
        print(f"error: {name}: {error}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())

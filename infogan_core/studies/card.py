"""The model card of a published set: numbers from the files of its runs, and prose from its notes.md."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from infogan_core.data.load import DATASETS
from infogan_core.measure.code_effects import COLOUR_MEASURES, STROKE_MEASURES
from infogan_core.recipes.presets import number_at, preset, profile_of, targets_of
from infogan_core.runs import Run
from infogan_core.studies.numbers import page_template

NO_ADDITIONS = {  # fields of Config that say which run it is and where it runs, not what is learned
    *("profile", "seed", "latents", "precision", "threads", "step_form", "log_every", "checkpoint_every"),
}


def read_notes(file: Path) -> tuple[str, str]:
    """What no file of a run says and its card keeps, for above its numbers and for below them."""
    above, line, below = (file.read_text() if file.is_file() else "").partition("\n---\n")
    if not line:
        what = "what is not in the paper, data and licence; a line ---; limits"
        raise ValueError(f"{file} must hold, in Markdown: {what}; the model card takes it over")
    return above.strip(), below.strip()


def card(name: str, runs: list[Run], above: str, below: str) -> str:
    """The card of a set whose first run is in its folder itself; `above` and `below` its numbers stand the notes."""
    run, filters = runs[0], {"at": lambda run, path: number_at(run.report, path), "missed": missed, "shows": shows}
    paper = asdict(preset(run.config.dataset, "paper").replace(latents=run.config.latents, lambda_info=(1.0,)))
    fields = {field: value for field, value in asdict(run.config).items() if field not in NO_ADDITIONS}
    values = {"name": name, "title": DATASETS[run.config.dataset].title, "runs": runs, "above": above, "below": below}
    targets = profile_of(run.config.dataset, run.config.profile).targets()
    values["limits"] = {path: ("at least" if sign > 0 else "at most", limit) for path, _, limit, sign in targets}
    values["differences"] = {field: value for field, value in fields.items() if value != paper[field]}
    values["parameters"] = sum(p.numel() for net in (run.generator, run.discriminator) for p in net.parameters())
    return page_template("CARD.md.j2", **filters).render(values)


def missed(run: Run) -> list[str]:
    return [path for path, _, _, reached in targets_of(run.config, run.report) if not reached]


def shows(run: Run, code: str) -> str:
    """What a code shows, as evaluate() names it, its categories, and its strongest Spearman's rho."""
    names, numbers = run.report["names"], run.report["codes"][code]
    categories = [f"{of.partition('=')[2]}: {name}" for of, name in names.items() if of.startswith(f"{code}=")]
    rho = {measure: numbers[measure] for measure in (*STROKE_MEASURES, *COLOUR_MEASURES) if measure in numbers}
    strongest = max(rho, key=lambda measure: abs(rho[measure]), default=None)
    what = names.get(code, "nothing strong") + (f" ({'; '.join(categories)})" if categories else "")
    return what + (f", rho with {strongest} {rho[strongest]:.2f}" if strongest else "")

"""The model card of a published set: numbers from the files of its runs, and prose from its notes.md."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from infogan_core.data.load import DATASETS
from infogan_core.measure.code_effects import COLOUR_MEASURES, MIN_RHO_FOR_NAME, MIN_SHARE_FOR_NAME, STROKE_MEASURES
from infogan_core.recipes.presets import number_at, preset, profile_of, targets_of
from infogan_core.runs import build
from infogan_core.studies.numbers import RunFiles, page_template, read_run

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


def card(folder: Path) -> str:
    """The card of a published set, whose first run is in `folder` itself and whose other seeds are in folders of it."""
    above, below = read_notes(folder / "notes.md")
    others = sorted(folder.glob("seed=*"), key=lambda other: int(other.name.removeprefix("seed=")))
    runs = [read_run(folder), *map(read_run, others)]
    config, filters = runs[0].config, {"at": lambda run, path: number_at(run.report, path), "missed": missed}
    paper = preset(config.dataset, "paper")
    same_codes = asdict(paper.replace(latents=config.latents, lambda_info=(1.0,)))
    fields = {field: value for field, value in asdict(config).items() if field not in NO_ADDITIONS}
    targets = profile_of(config.dataset, config.profile).targets()
    values = {
        "name": folder.name,
        "title": DATASETS[config.dataset].title,
        "runs": runs,
        "above": above,
        "below": below,
        "paper": paper,
        "shows": shows,
        "MIN_RHO_FOR_NAME": MIN_RHO_FOR_NAME,
        "MIN_SHARE_FOR_NAME": MIN_SHARE_FOR_NAME,
        "limits": {path: ("at least" if sign > 0 else "at most", limit) for path, _, limit, sign in targets},
        "differences": {field: value for field, value in fields.items() if value != same_codes[field]},
        "parameters": sum(p.numel() for net in build(config) for p in net.parameters()),
    }
    return page_template("CARD.md.j2", **filters).render(values)


def missed(run: RunFiles) -> list[str]:
    return [path for path, _, _, reached in targets_of(run.config, run.report) if not reached]


def shows(run: RunFiles, code: str) -> str:
    """What a code shows, as evaluate() names it, its strongest Spearman's rho, and R^2; its sheet names categories."""
    name, numbers = run.report["names"].get(code, "nothing strong"), run.report["codes"][code]
    rho = {measure: numbers[measure] for measure in (*STROKE_MEASURES, *COLOUR_MEASURES) if measure in numbers}
    if not rho:
        return name
    strongest = max(rho, key=lambda measure: abs(rho[measure]))
    return f"{name}; rho with {strongest} {rho[strongest]:.2f}, R^2 {numbers['r2']:.2f}"

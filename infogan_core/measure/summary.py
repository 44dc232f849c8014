"""The report of evaluate() as a few lines of text."""

from __future__ import annotations

from typing import Any

from infogan_core.measure.code_effects import COLOUR_MEASURES, STROKE_MEASURES
from infogan_core.measure.code_names import class_code

AGREEMENT = "{accuracy:.1%} right, NMI {nmi:.2f}, ARI {ari:.2f} (matched on {fitted_on:,})"
LINES = {  # of a part of the report, where it has the number
    "held_out.n": "{code} on {n:,} held-out images: " + AGREEMENT,
    "train.n": "{code} on {n:,} training images: " + AGREEMENT,
    "real.mi": "{code} without labels: confidence {confidence:.3f}, balance {balance:.3f} nats, "
    "shift-stable {stability:.1%}",
    "overfitting.r_v": "overfitting of D: r_v {r_v:.2f} (0: it rates held-out images like its training images, "
    "1: like generated ones)",
    "quality.held_out": "Frechet distance {held_out[frechet]:.2f} to held-out pictures; "
    "kernel distance {held_out[kernel]:.4f} +- {held_out[kernel_stderr]:.4f}; "
    "precision {held_out[precision]:.2f}, recall {held_out[recall]:.2f}",
    "quality.excess": "with {ratio_n:,} pictures {ratio:.1f} times the distance of real ones, {excess:.2f} above it",
    "quality.no_ratio": "no ratio of Frechet distances: {no_ratio}",
    "quality.score": "classifier score {score[generated]:.2f}, {score[share]:.0%} of that of real pictures",
    "quality.grain": "grain {grain:,.1f} times that of real pictures",
    "quality.noise": "with the codes held, noise makes {noise:.1%} of the variance of pixels",
}


def summary(report: dict[str, Any]) -> str:
    """What a person reads of evaluate()'s numbers when a run ends: a few lines, and a table of the codes.

    The table has R^2 and, per measure of the pictures, Spearman's rho or, of a categorical code, the correlation ratio.
    """
    lines = [f"{report['conditions']['data']}; {report['conditions']['samples']:,} samples"]
    for place, line in LINES.items():
        part, number = place.split(".")
        if number in report.get(part, {}):
            lines.append(line.format_map({"code": class_code(report)} | report[part]))
    return "\n".join([*lines, *_meaning(report), *_table(report)])


def _meaning(report: dict[str, Any]) -> list[str]:
    words = [f"{name} {word}" for name, word in report.get("names", {}).items() if "=" in name]
    lines = [f"categories with a meaning: {', '.join(words)}"] if words else []
    if (report["conditions"].get("features") or {}).get("dataset") == "celeba":
        found = report["meaning"]["families"]["found"]
        lines.append(f"attributes 40 points above the median of their code: {', '.join(found) or 'none'}")
    return lines


def _table(report: dict[str, Any]) -> list[str]:
    colour = any("brightness" in code or "eta2" in code for code in report["codes"].values())
    measures = [*COLOUR_MEASURES][:4] if colour else [*STROKE_MEASURES]
    columns = {"r2": 7} | {measure: len(measure) + 3 for measure in measures}
    titles = "".join(f"{measure.replace('r2', 'R^2'):>{size}}" for measure, size in columns.items())
    lines = [f"code{'L_I, nats':>18}{'(at most)':>11}{titles}{'  meaning' * colour}"]
    for name, code in report["codes"].items():
        ceiling = "" if code["ceiling"] is None else f"({code['ceiling']:.3f})"
        values = {measure: eta2**0.5 for measure, eta2 in code.get("eta2", {}).items()} | code
        numbers = "".join(f"{values[m]:>z{size}.2f}" if m in values else " " * size for m, size in columns.items())
        meaning = f"  {report['names'].get(name, 'nothing strong')}" if colour else ""
        lines.append(f"{name:<4}{code['mi']:>z9.3f} +- {code['mi_stderr']:.3f}{ceiling:>11}{numbers}{meaning}".rstrip())
    return lines

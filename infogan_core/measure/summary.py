"""The report of evaluate() as a few lines of text."""

from __future__ import annotations

from typing import Any

from infogan_core.measure.code_effects import COLOUR_MEASURES, STROKE_MEASURES
from infogan_core.measure.code_names import class_code

LINES = {  # where a line's number is in the report, and the line
    "held_out": "{held_out[code]} on {held_out[n]:,} held-out images: {held_out[accuracy]:.1%} right, "
    "NMI {held_out[nmi]:.2f}, ARI {held_out[ari]:.2f} (matched on {held_out[fitted_on]:,})",
    "train": "{train[code]} on {train[n]:,} training images: {train[accuracy]:.1%} right, "
    "NMI {train[nmi]:.2f}, ARI {train[ari]:.2f} (matched on {train[fitted_on]:,})",
    "real": "{class_code} without labels: confidence {real[confidence]:.3f}, balance {real[balance]:.3f} nats, "
    "shift-stable {real[stability]:.1%}",
    "overfitting.r_v": "overfitting of D: r_v {overfitting[r_v]:.2f} (0: it rates held-out images like its training "
    "images, 1: like generated ones)",
    "quality.ratio": "Frechet distance {quality[held_out][frechet]:.2f} to held-out pictures, {quality[ratio]:.1f} "
    "times that of real ones; kernel distance {quality[held_out][kernel]:.4f} +- "
    "{quality[held_out][kernel_stderr]:.4f}; precision {quality[held_out][precision]:.2f}, "
    "recall {quality[held_out][recall]:.2f}",
    "quality.score": "classifier score {quality[score][generated]:.2f}, {quality[score][share]:.0%} of that of real "
    "pictures",
}


def summary(report: dict[str, Any]) -> str:
    """What a person reads of evaluate()'s numbers when a run ends: a few lines, and a table of the codes.

    The table has R^2 and, per measure of the pictures, Spearman's rho or, of a categorical code, the correlation ratio.
    """
    code = class_code(report)
    splits = {
        split: {"code": code} | report[split] for split in ("held_out", "train") if split in report
    }  # old reports
    lines = [f"{report['conditions']['data']}; {report['conditions']['samples']:,} samples"]
    for path, line in LINES.items():
        part, _, key = path.partition(".")
        if part in report and (not key or key in report[part]):
            lines.append(line.format_map(report | splits | {"class_code": code}))
    return "\n".join([*lines, *_meaning(report), *_table(report)])


def _meaning(report: dict[str, Any]) -> list[str]:
    lines, meaning = [], report.get("meaning", {})
    if meaning.get("strong"):
        strong = {f"{entry['code']}={entry['category']}" for entry in meaning["strong"]}
        words = [f"{name} {word}" for name, word in report["names"].items() if name in strong]
        lines.append(f"categories with a meaning: {', '.join(words)}")
    if (report["conditions"].get("features") or {}).get("dataset") == "celeba":
        found = meaning["families"]["found"]
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

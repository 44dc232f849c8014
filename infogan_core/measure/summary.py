"""The report of evaluate() as a few lines of text."""

from __future__ import annotations

from typing import Any

from infogan_core.measure.code_effects import COLOUR_MEASURES, STROKE_MEASURES
from infogan_core.measure.code_names import class_code


def summary(report: dict[str, Any]) -> str:
    """The numbers of evaluate() that a person reads when a run ends, one line each and a table of the codes.

    The table has R^2 and, per measure of the pictures, Spearman's rho or, of a categorical code, the correlation ratio.
    """
    return "\n".join([*_recognition(report), *_pictures(report), *_meaning(report), *_table(report)])


def _recognition(report: dict[str, Any]) -> list[str]:
    c1 = class_code(report)
    lines = [f"{report['conditions']['data']}; {report['conditions']['samples']:,} samples"]
    for split, words in {"held_out": "held-out", "train": "train"}.items():
        if split in report:
            of = {"code": c1} | report[split]
            line = f"{of['code']} on {of['n']:,} {words} images: {of['accuracy']:.1%} right, NMI {of['nmi']:.2f}, "
            lines.append(line + f"ARI {of['ari']:.2f} (matched on {of['fitted_on']:,})")
    if "real" in report:
        line = " without labels: confidence {confidence:.3f}, balance {balance:.3f} nats, shift-stable {stability:.1%}"
        lines.append(c1 + line.format_map(report["real"]))
    if "r_v" in report.get("overfitting", {}):
        line = "overfitting of D: r_v {r_v:.2f} (0: it rates held-out images like training images, 1: like generated)"
        lines.append(line.format_map(report["overfitting"]))
    return lines


def _pictures(report: dict[str, Any]) -> list[str]:
    lines, quality = [], report.get("quality", {})
    if "held_out" in quality:
        line = f"Frechet distance {{frechet:.2f}} to held-out pictures, {quality['ratio']:.1f} times that of real ones"
        line += "; kernel distance {kernel:.4f} +- {kernel_stderr:.4f}; precision {precision:.2f}, recall {recall:.2f}"
        lines.append(line.format_map(quality["held_out"]))
    if "score" in quality:
        line = "classifier score {generated:.2f}, {share:.0%} of that of real pictures"
        lines.append(line.format_map(quality["score"]))
    return lines


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

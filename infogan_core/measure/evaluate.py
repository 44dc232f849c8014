"""What a run is worth, as numbers: nats per code, what each code moves, and how near its pictures are to real ones."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from sklearn.metrics import r2_score
from torch import Tensor

from infogan_core.files import write_whole
from infogan_core.measure.classifier import FOLDER, classifier_name, load_classifier
from infogan_core.measure.code_effects import (
    COLOUR,
    GREY,
    NOISES,
    SWEEP,
    first_categorical,
    keeps,
    moves,
    names,
    shares,
)
from infogan_core.measure.code_names import meaning, name_codes, pose, pose_head, read_badly
from infogan_core.measure.labels import draw, recognition
from infogan_core.measure.overfitting import overfitting
from infogan_core.measure.quality import inception_distance, quality
from infogan_core.model.latents import Categorical, Uniform

if TYPE_CHECKING:
    from infogan_core.data.images import ImageSet
    from infogan_core.measure.classifier import Classifier
    from infogan_core.runs import Run


@torch.no_grad()
def evaluate(
    run: Run,
    images: ImageSet,
    out: str | Path | None = None,
    samples: int = 10_000,
    seed: int = 0,
    inception: bool = False,
    features: str | Path | None = None,
) -> dict:
    """All numbers of a run, also written whole to metrics.json in `out` (by default the run's own directory).

    codes       per code: L_I on `samples` fresh ones; R^2; what it `moves`; `shares`; how often it `keeps` the digit
    held_out    how well one code tells the classes apart, see `recognition`; "train" where nothing is held out
    names       what a code, and a category, means, where the link is strong: {"c2": "slant", "c3=7": "eyeglasses 91%"}
    real        what can be told without labels: on the same images, is Q(c1|x) sure, balanced and stable?
    overfitting whether D has learnt its training pictures by heart; absent where nothing is held out
    quality     with a classifier, the published one or the file `features`: how far the pictures are from real ones
    meaning     as well: what that classifier reads in pictures of each code
    conditions  what the numbers were measured on
    c1 stands for the first categorical code; "held_out" and "real" are absent without one. `inception` adds the
    standard FID. Plain numbers, the same for the same seed; torch's global generator is left alone.
    Raises ValueError below two samples, or where only one of run and images is rendered; RuntimeError where `inception`
    cannot be had; of the file `features` what `load_classifier` raises.
    """
    _check(run, images, samples)
    reader = _reader(classifier_name(images), features)
    codes, x = fakes(run, samples, seed)
    report = {"codes": _codes(run, codes, x, seed)}
    if first_categorical(run.config.latents) is not None:
        report |= recognition(run, images, seed)
    if images.held_out is not None:
        report["overfitting"] = overfitting(run, images, x, seed)
    report["names"] = names(report["codes"])
    data = {"data": images.name, "kind": images.kind, "stand_in": images.stand_in, "n_images": len(images)}
    report["conditions"] = {"samples": samples, "seed": seed, **data, "noises": NOISES, "sweep": [*SWEEP]}
    looks(run, images, codes, (x * 255).round().to(torch.uint8), report, reader, inception)
    run.report = report
    path = Path(out or run.path) / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(report, indent=2, allow_nan=False) + "\n").encode())
    return report


def _check(run: Run, images: ImageSet, samples: int) -> None:
    if samples < 2:
        raise ValueError(f"evaluate: samples must be at least 2 for a standard error, found {samples}")
    env = getattr(run, "env", {})
    if env.get("note", images.stand_in_note) != images.stand_in_note:
        raise ValueError(f"evaluate: {run.path} was trained on {env['data']}, these are {images.name}; give its source")


def _reader(name: str, path: str | Path | None) -> Classifier | None:
    """The classifier at path, else the published one; None where there is none."""
    published = FOLDER / f"{name}.safetensors"
    return load_classifier(name, path or published) if path or published.is_file() else None


def fakes(run: Run, samples: int, seed: int) -> tuple[list[Tensor], Tensor]:
    """Fresh samples: (one tensor [N] per code, their pictures float [N, C, H, W] in 0..1)."""
    noise, codes = run.config.latents.sample(samples, torch.Generator().manual_seed(seed))
    return codes, run.generate(noise, codes).float().cpu()


def _codes(run: Run, codes: list[Tensor], x: Tensor, seed: int) -> dict[str, dict]:
    """All that is measured of each code without a classifier."""
    spec, report = run.config.latents, bounds(run, codes, x)
    for i, share in enumerate(shares(spec, codes, x)):
        report[spec.name(i)] |= moves(run, i, x.shape[1], seed) | share
    return report


def bounds(run: Run, codes: list[Tensor], x: Tensor) -> dict[str, dict]:
    """Equation 5 per code, in nats: L_I with its standard error and ceiling; R^2 of Q's mean. See `fakes`."""
    spec, samples = run.config.latents, len(x)
    q_params = [q.float().cpu() for q in run.q_params(x)]
    report = {}
    for i, (code, q, c) in enumerate(zip(spec.codes, q_params, codes, strict=True)):
        bound = code.log_q(q, c).double() + code.entropy
        mi, stderr = bound.mean().item(), bound.std().item() / math.sqrt(samples)
        numbers = {"mi": mi, "mi_stderr": stderr, "ceiling": code.ceiling}
        if isinstance(code, Categorical):
            report[spec.name(i)] = {"kind": "categorical", **numbers}
        else:
            sigma = "learned" if code.sigma is None else code.sigma
            r2 = float(r2_score(c.numpy(), code.read(q)[0].numpy()))
            report[spec.name(i)] = {"kind": "continuous", "sigma": sigma, **numbers, "r2": r2}
    return report


def looks(
    run: Run,
    images: ImageSet,
    codes: list[Tensor],
    x: Tensor,
    report: dict,
    features: Classifier | None,
    inception: bool,
) -> None:
    """Adds what a classifier says of pictures x, uint8 [N, C, H, W]: "quality", "meaning" and the names that follow."""
    seed = report["conditions"]["seed"]
    train, held_out = (None if shown is None else draw(shown, seed)[0] for shown in (images, images.held_out))
    if inception:
        real = train if held_out is None else held_out
        report["conditions"]["inception"] = {"frechet": inception_distance(x, real), "n": [len(x), len(real)]}
    single = any(shown is not None and len(shown) < 2 for shown in (train, held_out))  # has no covariance
    if single or features is None:
        report["conditions"]["features"] = None
        return
    heads, h = features.heads, features.penultimate(x)
    report["quality"] = quality(
        features, h, *(shown if shown is None else features.penultimate(shown) for shown in (train, held_out)), seed
    )
    if any(head.name == "digit" for head in heads):
        for i, code in enumerate(run.config.latents.codes):
            if isinstance(code, Uniform):
                kept = keeps(run, i, lambda pictures: features.classify(features.penultimate(pictures))["digit"], seed)
                report["codes"][run.config.latents.name(i)]["digit_kept"] = kept
    read = {head: p.argmax(dim=1) for head, p in features.classify(h).items()}
    if features.about["dataset"] == "celeba":
        heads += (pose_head(pose(train)),)
        read["pose"] = heads[-1].encode(pose(x))
    report["meaning"] = meaning(run.config.latents, codes, heads, read, read_badly(features))
    report["names"] = name_codes(report["meaning"], report["names"])
    report["conditions"]["features"] = {
        key: features.about[key] for key in ("dataset", "data", "sha256", "steps", "seed")
    }


def summary(report: dict) -> str:
    """The numbers of evaluate() as the few lines a person reads when a run ends.

    Per measurement Spearman's rho or, of a categorical code, the correlation ratio.
    """
    lines = [f"{report['conditions']['data']}; {report['conditions']['samples']:,} samples"]
    for split in [key for key in ("held_out", "train") if key in report]:
        line = (
            "{code} on {n:,} " + split.replace("_", "-") + " images: {accuracy:.1%} right, NMI {nmi:.2f}, ARI {ari:.2f}"
        )
        lines.append((line + " (matched on {fitted_on:,})").format_map({"code": "c1"} | report[split]))
    if "real" in report:
        line = (
            "c1 without labels: confidence {confidence:.3f}, balance {balance:.3f} nats, shift-stable {stability:.1%}"
        )
        lines.append(line.format_map(report["real"]))
    if "r_v" in report.get("overfitting", {}):
        line = "how far D learnt its pictures by heart: r_v {r_v:.2f} (1: it takes held-out ones for drawn ones)"
        lines.append(line.format_map(report["overfitting"]))
    lines += _looks_lines(report)
    colour = any("brightness" in code or "eta2" in code for code in report["codes"].values())
    columns = {"r2": 7} | {m: len(m) + 3 for m in (list(COLOUR)[:4] if colour else GREY)}
    titles = "".join(f"{m.replace('r2', 'R^2'):>{size}}" for m, size in columns.items())
    lines.append(f"code{'L_I, nats':>18}{'(at most)':>11}{titles}{'  meaning' * colour}")
    for name, code in report["codes"].items():
        most = "" if code["ceiling"] is None else f"({code['ceiling']:.3f})"
        moved = {m: eta2**0.5 for m, eta2 in code.get("eta2", {}).items()} | code
        numbers = "".join(f"{moved[m]:>z{size}.2f}" if m in moved else " " * size for m, size in columns.items())
        meant = f"  {report['names'].get(name, 'nothing strong')}" if colour else ""
        lines.append(f"{name:<4}{code['mi']:>z9.3f} +- {code['mi_stderr']:.3f}{most:>11}{numbers}{meant}".rstrip())
    return "\n".join(lines)


def _looks_lines(report: dict) -> list[str]:
    """The lines on pictures and meaning, where these were measured."""
    lines, looks = [], report.get("quality", {})
    if "held_out" in looks:
        line = (
            "Frechet distance {frechet:.2f} to held-out pictures, {ratio:.1f} times that of real ones; kernel distance "
        )
        line += "{kernel:.4f} +- {kernel_stderr:.4f}; precision {precision:.2f}, recall {recall:.2f}"
        lines.append(line.format(ratio=looks["ratio"], **looks["held_out"]))
    if "score" in looks:
        lines.append(
            "classifier score {generated:.2f}, {share:.0%} of that of real pictures".format_map(looks["score"])
        )
    if report.get("meaning", {}).get("strong"):
        best = {f"{e['code']}={e['category']}" for e in report["meaning"]["strong"]}
        named = [f"{name} {report['names'][name]}" for name in report["names"] if name in best]
        lines.append(f"categories with a meaning: {', '.join(named)}")
    if (report["conditions"].get("features") or {}).get("dataset") == "celeba":
        found = report["meaning"]["families"]["found"]
        lines.append(f"attributes 40 points above the median of their code: {', '.join(found) or 'none'}")
    return lines

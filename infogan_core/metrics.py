"""What a run is worth, as numbers: nats per code, what each code moves, and how well c1 tells real images apart."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, r2_score
from torch import Tensor

from infogan_core.classifier import FOLDER, features_name, load_features
from infogan_core.files import write_whole
from infogan_core.latents import Categorical, Uniform
from infogan_core.meaning import meaning, name_codes, pose, pose_head, read_badly
from infogan_core.movement import COLOUR, GREY, NOISES, SWEEP, first_categorical, keeps, moves, names, shares
from infogan_core.quality import inception_distance, quality

if TYPE_CHECKING:
    from infogan_core.images import ImageSet
    from infogan_core.runs import Run

REAL_IMAGES = 10_000  # at most so many of a split are read, drawn at random: MNIST's whole test set
SHIFTED_IMAGES = 1_000  # as many of these are shifted for "stability"


@torch.no_grad()
def evaluate(
    run: Run,
    images: ImageSet,
    out: str | Path | None = None,
    samples: int = 10_000,
    seed: int = 0,
    inception: bool = False,
) -> dict:
    """All numbers of a run, also written whole to metrics.json in `out` (by default the run's own directory).

    codes       per code: L_I on `samples` fresh samples; if continuous, also R^2; what it moves in the picture
    held_out    how well c1 tells the classes apart; "train" where nothing is held out; absent without labels
    names       what a code, and a category, means, where the link is strong: {"c2": "slant", "c3=7": "eyeglasses 91%"}
    real        what can be told without labels: on the same images, is Q(c1|x) sure, balanced and stable?
    quality     with a classifier in outputs/published/features: how far the pictures are from real ones
    meaning     as well: what that classifier reads in pictures of each code
    conditions  what the numbers were measured on

    c1 stands for the first categorical code; "held_out" and "real" are absent without one. `inception` adds the
    standard FID. Plain numbers, the same for the same seed; torch's global generator is left alone.
    Raises ValueError below two samples, or where only one of run and images is rendered, RuntimeError where `inception`
    cannot be had.
    """
    _check(run, images, samples)
    spec = run.config.latents
    codes, x = fakes(run, samples, seed)
    report = {"codes": bounds(run, codes, x)}
    for i, share in enumerate(shares(spec, codes, x)):
        report["codes"][spec.name(i)] |= moves(run, i, images.channels, seed) | share
    if first_categorical(spec) is not None:
        report |= recognition(run, images, seed)
    report["names"] = names(report["codes"])
    report["conditions"] = {"samples": samples, "seed": seed, "data": images.name, "noises": NOISES, "sweep": [*SWEEP]}
    looks(run, images, codes, (x * 255).round().to(torch.uint8), report, inception)
    run.report = report
    path = Path(out or run.path) / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(report, indent=2, allow_nan=False) + "\n").encode())
    return report


def _check(run: Run, images: ImageSet, samples: int) -> None:
    if samples < 2:
        raise ValueError(f"evaluate: samples must be at least 2 for a standard error, found {samples}")
    env = getattr(run, "env", {})
    if env.get("note", images.note) != images.note:
        raise ValueError(f"evaluate: {run.path} was trained on {env['data']}, these are {images.name}; give its source")


def fakes(run: Run, samples: int, seed: int) -> tuple[list[Tensor], Tensor]:
    """Fresh samples: (one tensor [N] per code, their pictures float [N, C, H, W] in 0..1)."""
    noise, codes = run.config.latents.sample(samples, torch.Generator().manual_seed(seed))
    return codes, run.generate(noise, codes).float().cpu()


def information(run: Run, samples: int, seed: int) -> dict[str, dict]:
    """`bounds` on fresh samples."""
    return bounds(run, *fakes(run, samples, seed))


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


def looks(run: Run, images: ImageSet, codes: list[Tensor], x: Tensor, report: dict, inception: bool) -> None:
    """Adds what a classifier says of pictures x, uint8 [N, C, H, W]: "quality", "meaning" and the names that follow."""
    seed, name = report["conditions"]["seed"], features_name(run.config.dataset, images)
    train, held_out = (None if shown is None else draw(shown, seed)[0] for shown in (images, images.held_out))
    if inception:
        real = train if held_out is None else held_out
        report["conditions"]["inception"] = {"frechet": inception_distance(x, real), "n": [len(x), len(real)]}
    single = any(shown is not None and len(shown) < 2 for shown in (train, held_out))  # has no covariance
    if single or not (FOLDER / f"{name}.safetensors").is_file():
        report["conditions"]["features"] = None
        return
    features = load_features(name)
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
    if name == "celeba":
        heads += (pose_head(pose(train)),)
        read["pose"] = heads[-1].encode(pose(x))
    report["meaning"] = meaning(run.config.latents, codes, heads, read, read_badly(features))
    report["names"] = name_codes(report["meaning"], report["names"])
    report["conditions"]["features"] = {
        key: features.about[key] for key in ("dataset", "data", "sha256", "steps", "seed")
    }


def recognition(run: Run, images: ImageSet, seed: int) -> dict:
    """{"real": ..., "held_out" or "train": ...}; categories are matched to labels on the training images."""
    split, shown = ("train", images) if images.held_out is None else ("held_out", images.held_out)
    pixels, labels = draw(shown, seed)
    q, few = read(run, pixels), pixels[:SHIFTED_IMAGES]
    report = {"real": {"split": split, "n": len(pixels), **certainty(q), "stability": stability(run, few)}}
    if labels is not None and images.labels is not None:
        fit_pixels, fit_labels = draw(images, seed)
        matching = match_categories(read(run, fit_pixels).argmax(dim=1), fit_labels, q.shape[1])
        report[split] = agreement(q.argmax(dim=1), labels, matching) | {"fitted_on": len(fit_pixels)}
    return report


def draw(images: ImageSet, seed: int) -> tuple[Tensor, Tensor | None]:
    """At most REAL_IMAGES (pixels, labels), at random: files are often sorted by class."""
    chosen = torch.randperm(len(images.pixels), generator=torch.Generator().manual_seed(seed))[:REAL_IMAGES]
    return images.pixels[chosen], None if images.labels is None else images.labels[chosen]


def read(run: Run, pixels: Tensor) -> Tensor:
    """Q(c1|x) of real images: uint8 [N, C, H, W] -> probabilities [N, K]."""
    return run.infer(pixels.float() / 255)[first_categorical(run.config.latents)].float().cpu()


def certainty(q: Tensor) -> dict[str, float]:
    """How sure Q(c1|x) [N, K] is of real images: mean highest probability ("confidence") and, in nats, mean entropy.

    "balance" is the entropy of the mean, ln K when all categories are used alike; "mi" what lies between the two.
    """
    entropy, balance = (torch.special.entr(p).sum(dim=-1).mean().item() for p in (q.double(), q.double().mean(dim=0)))
    return {"confidence": q.amax(dim=1).mean().item(), "entropy": entropy, "balance": balance, "mi": balance - entropy}


def stability(run: Run, pixels: Tensor) -> float:
    """Share of image-direction pairs whose category survives a shift by one pixel, the border repeated."""
    category = read(run, pixels).argmax(dim=1)
    moved = [(torch.arange(pixels.shape[-1]) + step).clamp(0, pixels.shape[-1] - 1) for step in (-1, 1)]
    shifted = [pixels[:, :, rows] for rows in moved] + [pixels[..., columns] for columns in moved]
    return torch.stack([read(run, x).argmax(dim=1) == category for x in shifted]).double().mean().item()


def match_categories(categories: Tensor, labels: Tensor, k: int) -> Tensor:
    """The one-to-one matching with the most hits (Hungarian method, Kuhn 1955): int64 [k], category -> label.

    A category with no label left gets -1; with fewer categories than labels, some labels are never named.
    """
    classes = int(labels.max()) + 1
    hits = torch.bincount(categories * classes + labels, minlength=k * classes).view(k, classes)
    matched, names = linear_sum_assignment(hits.numpy(), maximize=True)
    matching = torch.full((k,), -1)
    matching[matched] = torch.from_numpy(names)
    return matching


def agreement(categories: Tensor, labels: Tensor, matching: Tensor) -> dict:
    """Accuracy under `matching` [K], and two scores that need none: NMI and ARI. Categories and labels int64 [N]."""
    right = (matching[categories] == labels).double().mean().item()
    nmi, ari = (float(score(labels, categories)) for score in (normalized_mutual_info_score, adjusted_rand_score))
    report = {"n": len(labels), "accuracy": right, "error": 1 - right, "nmi": nmi, "ari": ari}
    return report | {"matching": matching.tolist()}


def summary(report: dict) -> str:
    """The numbers of evaluate() as the few lines a person reads when a run ends.

    Per measurement Spearman's rho or, of a categorical code, the correlation ratio.
    """
    lines = [f"{report['conditions']['data']}; {report['conditions']['samples']:,} samples"]
    for split in [key for key in ("held_out", "train") if key in report]:
        line = "c1 on {n:,} " + split.replace("_", "-") + " images: {accuracy:.1%} right, NMI {nmi:.2f}, ARI {ari:.2f}"
        lines.append((line + " (matched on {fitted_on:,})").format_map(report[split]))
    if "real" in report:
        line = "without labels: confidence {confidence:.3f}, balance {balance:.3f} nats, shift-stable {stability:.1%}"
        lines.append(line.format_map(report["real"]))
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
    return lines

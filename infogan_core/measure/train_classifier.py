"""Trains the classifier of a dataset, whose readings name the codes and in whose features pictures are compared.

python -m infogan_core classifier svhn PATH      writes outputs/published/features/svhn.safetensors
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, cross_entropy, grid_sample

from infogan_core.data.load import load_images
from infogan_core.data.rendered import faces, house_numbers
from infogan_core.measure.classifier import (
    FOLDER,
    Classifier,
    ClassifierNet,
    Head,
    classifier_name,
    save_classifier,
    unit,
)

if TYPE_CHECKING:
    from infogan_core.data.images import ImageSet

STEPS, BATCH, LR = 1800, 128, 4e-3
SMOOTHING = 0.05  # of the labels (Szegedy et al. 2016): keeps the classifier from being sure of everything
MOST_VALUES = 20  # a column with more than so many values is cut into thirds
KINDS = {name: f.kinds for factors in (house_numbers.FACTORS, faces.FACTORS) for name, f in factors.items()}
AUGMENT = {  # what leaves the answer as it is, per dataset; rendered pictures are taken as they are
    "mnist": {"warp": 0.1, "shift": 2.0},
    "svhn": {"warp": 0.2, "shift": 3.0, "colour": 0.25, "negative": True},
    "celeba": {"warp": 0.05, "shift": 1.0, "colour": 0.1, "flip": True},
}


def columns(images: ImageSet, dataset: str) -> dict[str, Tensor]:
    """What is known of each picture, [N] per name: its label ("digit", elsewhere "class") and its attributes."""
    known = {} if images.labels is None else {"digit" if dataset in ("svhn", "mnist") else "class": images.labels}
    if images.attributes is not None:
        known |= dict(zip(images.attribute_names, images.attributes.unbind(1), strict=True))
    return known


def heads_of(known: dict[str, Tensor]) -> tuple[Head, ...]:
    """A head for each column with two values or more, in the words of a rendered picture's factor if it is one.

    Raises ValueError without any.
    """
    heads = []
    for name, column in known.items():
        seen = column.double().unique()
        if len(seen) > MOST_VALUES:
            cuts = column.double().quantile(torch.tensor([1 / 3, 2 / 3], dtype=torch.float64))
            heads.append(Head(name, ("low", "middle", "high"), tuple(cuts.tolist())))
        elif len(seen) > 1:
            words = ("no", "yes") if seen.tolist() == [0, 1] else tuple(f"{value:g}" for value in seen.tolist())
            words = KINDS[name] if len(KINDS.get(name, ())) == len(seen) else words
            heads.append(Head(name, words, tuple(((seen[1:] + seen[:-1]) / 2).tolist())))
    if not heads:
        raise ValueError("a classifier needs labels or attributes with two values or more, these pictures have none")
    return tuple(heads)


def train_classifier(
    dataset: str,
    images: ImageSet,
    seed: int = 0,
    steps: int = STEPS,
    on_log: Callable[[int, float], None] = lambda step, loss: None,
) -> Classifier:
    """A classifier trained on `images`, tested on their held-out ones, which it never sees; the same for a seed.

    on_log(step, loss) is called after each step. AdamW with one cycle of the rate (Smith & Topin 2018).
    Raises ValueError for pictures without labels and attributes, or with none held out.
    """
    if images.held_out is None:
        raise ValueError(f"{images.name}: a classifier needs pictures of which some are held out")
    known = columns(images, dataset)
    heads, generator = heads_of(known), torch.Generator().manual_seed(seed)
    targets = torch.stack([head.encode(known[head.name]) for head in heads], dim=1)
    name, widths = classifier_name(images), [len(head.values) for head in heads]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # of the weights and of dropout
        net = ClassifierNet(sum(widths))
        optimizer = torch.optim.AdamW(net.parameters(), LR, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, steps, pct_start=0.2)
        for step in range(1, steps + 1):
            chosen = torch.randint(len(images), (min(BATCH, len(images)),), generator=generator)
            x = augment(unit(images.pixels[chosen]), generator, **AUGMENT.get(name, {}))
            logits = net(x).split(widths, dim=1)
            losses = [
                cross_entropy(*pair, label_smoothing=SMOOTHING) for pair in zip(logits, targets[chosen].T, strict=True)
            ]
            loss = torch.stack(losses).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            on_log(step, loss.item())
    about = {"dataset": name, "data": images.name, "sha256": images.sha256, "n": len(images), "steps": steps}
    features = Classifier(net, heads, about | {"seed": seed, "batch": BATCH})
    features.about["held_out"] = accuracy(features, images.held_out, dataset)
    return features


def augment(
    x: Tensor,
    generator: torch.Generator,
    warp: float = 0,
    shift: float = 0,
    colour: float = 0,
    flip: bool = False,
    negative: bool = False,
) -> Tensor:
    """Pictures [N, 3, H, H] in 0..1, each changed in its own way.

    Turned, sheared and stretched (each entry of the map off by up to `warp`), moved by up to `shift` px, its contrast
    and each channel off by up to `colour`; half of them mirrored (`flip`), or made `negative`.
    """
    n = len(x)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(n, *shape, generator=generator) * 2 - 1

    if warp or shift or flip:
        linear = torch.eye(2) + warp * uniform(2, 2)
        if flip:
            linear[:, 0] *= uniform(1).sign()
        maps = torch.cat([linear, 2 * shift / x.shape[-1] * uniform(2, 1)], dim=2)
        x = grid_sample(x, affine_grid(maps, list(x.shape), align_corners=False), "bilinear", "border", False)
    if colour:
        x = 0.5 + (x - 0.5) * (1 + 2 * colour * uniform(1, 1, 1)) + colour * uniform(3, 1, 1)
    if negative:
        x = 0.5 + (x - 0.5) * uniform(1, 1, 1).sign()
    return x.clamp(0, 1)


def accuracy(features: Classifier, images: ImageSet, dataset: str) -> dict[str, Any]:
    """Per head the share of pictures read right, beside that of the commonest value, which any guess can reach."""
    known, read = columns(images, dataset), features.read(images.pixels)
    report: dict[str, Any] = {"n": len(images)}
    for head in features.heads:
        truth = head.encode(known[head.name])
        right = (read[head.name].argmax(dim=1) == truth).double().mean().item()
        report[head.name] = {"accuracy": right, "commonest": (truth.bincount().max() / len(truth)).item()}
    return report


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    from tqdm import tqdm

    parser = argparse.ArgumentParser(prog="python -m infogan_core classifier", description=__doc__.splitlines()[0])
    parser.add_argument("dataset")
    parser.add_argument("source", help="a path, or embedded: the rendered pictures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--skip-bad", action="store_true", help="leave out what cannot be used")
    parser.add_argument("--out", type=Path, default=FOLDER)
    args = parser.parse_args(arguments)
    try:
        images = load_images(args.dataset, args.source, skip_bad=args.skip_bad)
        path = args.out / f"{classifier_name(images)}.safetensors"
        if path.exists():
            raise ValueError(f"{path} exists: move it away, or name another --out")
        with tqdm(total=args.steps, unit="step", file=sys.stderr) as bar:

            def on_log(step: int, loss: float) -> None:
                bar.set_postfix({"loss": f"{loss:.3f}"}, refresh=False)
                bar.update()

            features = train_classifier(args.dataset, images, args.seed, args.steps, on_log)
        save_classifier(features, path)
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f"features: {error}")
    held_out = features.about["held_out"]
    for head in features.heads:
        print(
            "{0:<24}{accuracy:>8.1%} right of {n:,} held out (commonest: {commonest:.1%})".format(
                head.name, n=held_out["n"], **held_out[head.name]
            )
        )
    print(f"{path}: {path.stat().st_size / 2**20:.2f} MiB")


if __name__ == "__main__":
    main()

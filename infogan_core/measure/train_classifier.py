"""Trains the classifier that names the codes and in whose features pictures are compared."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from infogan_core.data.augment import affine_maps, warp_pictures
from infogan_core.data.images import ImageSet
from infogan_core.data.load import DATASETS, load_images
from infogan_core.data.rendered import faces, house_numbers
from infogan_core.device import seeded, using_threads
from infogan_core.measure.classifier import FOLDER, Classifier, ClassifierNet, Head, classifier_name, rgb

STEPS, BATCH_SIZE, LR = 1800, 128, 4e-3
SMOOTHING = 0.05  # of the labels (Szegedy et al. 2016): keeps the classifier from being sure of everything
MAX_VALUES = 20  # a column with more values is cut into thirds
FACTOR_VALUES = {name: f.kinds for factors in (house_numbers.FACTORS, faces.FACTORS) for name, f in factors.items()}


def columns(images: ImageSet) -> dict[str, Tensor]:
    """What is known of each picture, [N] per name: its label, as "digit" or "class", and its attributes."""
    label = DATASETS[images.kind].label if images.kind in DATASETS else "class"
    known = {} if images.labels is None else {label: images.labels}
    if images.attributes is not None:
        known |= dict(zip(images.attribute_names, images.attributes.T, strict=True))
    return known


def heads_of(known: dict[str, Tensor], label_names: tuple[str, ...] = ()) -> tuple[Head, ...]:
    """A head for each column with two values or more, in the words of a rendered picture's factor if it is one.

    The values of the column "class" are called by `label_names`, where there are any.
    """
    heads = []
    for name, column in known.items():
        seen = column.double().unique()
        called = label_names if name == "class" else ()
        if len(seen) > MAX_VALUES and not called:
            cuts = column.double().quantile(torch.tensor([1, 2]).double() / 3)
            heads.append(Head(name, ("low", "middle", "high"), tuple(cuts.tolist())))
        elif len(seen) > 1:
            words = ("no", "yes") if seen.tolist() == [0, 1] else tuple(f"{value:g}" for value in seen.tolist())
            words = FACTOR_VALUES[name] if len(FACTOR_VALUES.get(name, ())) == len(seen) else words
            words = tuple(called[int(value)] for value in seen) if called else words
            heads.append(Head(name, words, tuple(((seen[1:] + seen[:-1]) / 2).tolist())))
    if not heads:
        raise ValueError("a classifier needs labels or attributes with two values or more, these pictures have none")
    return tuple(heads)


def train_classifier(
    images: ImageSet, seed: int = 0, steps: int = STEPS, on_log: Callable[[int, float], None] = lambda step, loss: None
) -> Classifier:
    """A classifier trained on `images`, tested on their held-out ones, which it never sees; `on_log` gets each loss."""
    if images.held_out is None:
        raise ValueError(f"{images.name}: a classifier needs pictures of which some are held out")
    known = columns(images)
    heads, generator = heads_of(known, images.label_names), torch.Generator().manual_seed(seed)
    targets = torch.stack([head.encode(known[head.name]) for head in heads], dim=1)
    widths = [len(head.values) for head in heads]
    changes = DATASETS[images.kind].augment if images.kind in DATASETS and not images.stand_in else {}
    with seeded(seed), using_threads(1):  # dropout draws from the global generator
        net = ClassifierNet(sum(widths))
        optimizer = torch.optim.AdamW(net.parameters(), LR, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, steps, pct_start=0.2)
        for step in range(1, steps + 1):
            chosen = torch.randint(len(images), (min(BATCH_SIZE, len(images)),), generator=generator)
            logits = net(augment(rgb(images.pixels[chosen]), generator, **changes)).split(widths, dim=1)
            pairs = zip(logits, targets[chosen].T, strict=True)
            loss = torch.stack([cross_entropy(*pair, label_smoothing=SMOOTHING) for pair in pairs]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            on_log(step, loss.item())
        about = {"dataset": classifier_name(images), "data": images.name, "sha256": images.sha256, "n": len(images)}
        classifier = Classifier(net, heads, about | {"steps": steps, "seed": seed, "batch": BATCH_SIZE})
        classifier.about["held_out"] = accuracy(classifier, images.held_out)
    return classifier


def augment(
    x: Tensor, generator: torch.Generator, *, warp=0.0, shift=0.0, colour=0.0, flip=False, negative=False
) -> Tensor:
    """Pictures [N, 3, H, H] in 0..1, each in its own way: turned, sheared and stretched by up to `warp`, moved by up to
    `shift` px, contrast and each channel off by up to `colour`; half of them mirrored (`flip`), or made `negative`."""

    def uniform(*shape: int) -> Tensor:
        return torch.rand(len(x), *shape, generator=generator) * 2 - 1

    if warp or shift or flip:
        linear = uniform(2, 2)
        mirror = uniform(1).sign() if flip else 1
        maps = affine_maps(torch.cat([linear, uniform(2, 1)], dim=2), warp, shift, x.shape[-1])
        maps[:, 0, :2] *= mirror
        x = warp_pictures(x, maps)
    if colour:
        x = 0.5 + (x - 0.5) * (1 + 2 * colour * uniform(1, 1, 1)) + colour * uniform(3, 1, 1)
    if negative:
        x = 0.5 + (x - 0.5) * uniform(1, 1, 1).sign()
    return x.clamp(0, 1)


def accuracy(classifier: Classifier, images: ImageSet) -> dict[str, Any]:
    """Per head the share of pictures read right, beside that of the commonest value, which any guess can reach."""
    known, read = columns(images), classifier.read(images.pixels)
    report: dict[str, Any] = {"n": len(images)}
    for head in classifier.heads:
        truth = head.encode(known[head.name])
        right = (read[head.name].argmax(dim=1) == truth).double().mean().item()
        report[head.name] = {"accuracy": right, "commonest": (truth.bincount().max() / len(truth)).item()}
    return report


@click.command()
@click.argument("dataset")
@click.argument("source")
@click.option("--seed", default=0, show_default=True, help="Of the weights and of the order of the pictures.")
@click.option("--steps", default=STEPS, show_default=True, type=click.IntRange(1), help="Updates of the classifier.")
@click.option("--skip-bad", is_flag=True, help="Leave out pictures that cannot be used.")
@click.option("--out", default=FOLDER, type=click.Path(path_type=Path), help="Folder of the new file.")
def classifier(dataset: str, source: str, seed: int, steps: int, skip_bad: bool, out: Path) -> None:
    """Train the classifier that evaluate() reads pictures with.

    DATASET is mnist, svhn or celeba; SOURCE is a path, or "embedded" for the pictures that need no download. By default
    the new file joins the published ones; evaluate(features=FILE) takes any.
    """
    images = load_images(dataset, source, skip_bad=skip_bad)
    path = out / f"{classifier_name(images)}.safetensors"
    if path.exists():
        raise ValueError(f"{path} exists: move it away, or name another --out")
    with click.progressbar(length=steps, label=f"{steps:,} steps", file=sys.stderr) as bar:
        trained = train_classifier(images, seed, steps, lambda step, loss: bar.update(1))
    trained.save(path)
    n = f"{len(images.held_out):,} held out"
    for head in trained.heads:
        of = trained.about["held_out"][head.name]
        click.echo(f"{head.name:<24}{of['accuracy']:>8.1%} right of {n} (commonest: {of['commonest']:.1%})")
    click.echo(f"{path}: {path.stat().st_size / 2**20:.2f} MiB")

"""`python -m infogan_core train`, and the same on several processes under torchrun."""

from __future__ import annotations

import click


@click.command()
@click.option("--preset", "dataset", required=True, help="The data set: mnist, svhn or celeba.")
@click.option("--profile", default="quick", show_default=True, help="smoke, quick or paper; of celeba also quick64.")
@click.option("--source", default="embedded", show_default=True, help="The images: embedded, download, or a path.")
@click.option("--skip-bad", is_flag=True, help="Leave out image files that cannot be used, and count them.")
@click.option("--seed", type=int, default=0, show_default=True, help="0 or more.")
@click.option("--steps", type=int, help="Another number of updates than the preset's.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option("--threads", type=int, help="CPU threads; without it, by a rule from the network's size.")
@click.option("--out", help="The run directory; without it, outputs/ and the preset's name.")
def train(
    dataset: str, profile: str, source: str, skip_bad: bool, device: str, out: str | None, **fields: int | None
) -> None:
    """Train a preset into a run directory, or go on from the checkpoint that is there.

    On several processes: torchrun --nproc-per-node 2 -m infogan_core.training --preset mnist
    """
    import contextlib
    import os

    from torch import distributed

    from infogan_core.data.load import load_images
    from infogan_core.device import resolve_device
    from infogan_core.recipes.presets import preset
    from infogan_core.training import train as training
    from infogan_core.training.ddp import processes
    from infogan_core.training.progress import progress

    several = "WORLD_SIZE" in os.environ  # set by torchrun
    config = preset(dataset, profile, **{name: value for name, value in fields.items() if value is not None})
    with processes(device) if several else contextlib.nullcontext(resolve_device(device)) as place:
        images = load_images(config.dataset, source, size=config.image_size, crop=config.crop, skip_bad=skip_bad)
        config = config.for_images(images)
        first = not several or distributed.get_rank() == 0
        run = training.train(config, images, out or f"outputs/{dataset}", place, progress(config) if first else None)
    if first:
        print(f"{run.path}: {run.config.steps:,} steps on {run.env['device']}")

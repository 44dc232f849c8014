"""Training from a terminal: what `python -m infogan_core.training.train` and torchrun do."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys

from torch import distributed

from infogan_core.data.load import load_images
from infogan_core.recipes.presets import preset
from infogan_core.training.ddp import processes
from infogan_core.training.progress import progress
from infogan_core.training.train import train


def main(arguments: list[str] | None = None) -> int:
    """Train a preset into --out. Returns 0, 2 if the command is wrong, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser("python -m infogan_core.training.train", description="Trains a preset.")
    parser.add_argument("--preset", required=True, help="mnist, svhn or celeba")
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--source", default="embedded", help='"embedded", "download", or a path')
    parser.add_argument("--skip-bad", action="store_true", help="leave out what cannot be used")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="other than the preset's")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--out", help="the run directory; outputs/<preset> without")
    args = parser.parse_args(arguments)
    many = "WORLD_SIZE" in os.environ  # set by torchrun
    try:
        overrides = {"seed": args.seed} | ({} if args.steps is None else {"steps": args.steps})
        config = preset(args.preset, args.profile, **overrides)
        with processes(args.device) if many else contextlib.nullcontext(args.device) as device:
            options = {"size": config.image_size, "crop": config.crop, "skip_bad": args.skip_bad}
            images = load_images(config.dataset, args.source, **options)
            first = not many or distributed.get_rank() == 0
            config = config.for_images(images)
            run = train(
                config, images, args.out or f"outputs/{args.preset}", device, progress(config) if first else None
            )
        if first:
            print(f"{run.path}: {run.config.steps:,} steps on {run.env['device']}")
    except KeyboardInterrupt as stopped:
        print(stopped, file=sys.stderr)
        return 130
    except (ValueError, OSError, RuntimeError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0

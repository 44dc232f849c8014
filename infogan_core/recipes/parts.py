"""What each part of an earlier recipe is worth on SVHN and CelebA: profiles without it, in equal minutes."""

from __future__ import annotations

from dataclasses import replace

from infogan_core.model.config import Config

STEPS = 4_200  # of 32 pictures at half width: 5 minutes on one core
PARTS = {  # by the name of the profile without it: the part, and the fields that go back to the paper's
    "without-norms": ("batch norm in every block of G", ("norm_every",)),
    "without-average": ("average of G", ("ema",)),
    "without-decay": ("rates that fall to 0", ("lr_decay",)),
    "without-hinge": ("the hinge loss", ("objective",)),
    "without-rates": ("other rates, and momentum", ("lr_d", "lr_g", "beta1")),
    "without-warps": ("shifted and warped pictures", ("shift", "warp", "augment_share")),
    "without-unwarped": ("half of them as they are", ("augment_share",)),
    "without-colours": ("recoloured pictures", ("color",)),
    "without-mirrors": ("mirrored real pictures", ("flip",)),
    "without-lambda": ("lambda other than 1", ("lambda_info",)),
    "without-sigma": ("sigma of 0.5", ("codes",)),
    "without-little-noise": ("a tenth of the noise", ("noise_dim",)),
    "without-reuse": ("G's update on D's fakes", ("new_fakes_for_g",)),
    "without-small-batches": ("batches of 32", ("batch",)),
    "without-half-width": ("half the width", ("width",)),
}
AS_MANY_MINUTES = {"without-reuse": 3_750, "without-small-batches": 1_470, "without-half-width": 1_750}  # steps


def settings(recipe: Config, paper: Config) -> dict[str, Config]:
    """By name: "short", a recipe of small batches at half width for STEPS; and that without each part."""
    short = recipe.replace(profile="short", width=0.5, steps=STEPS)
    profiles = {"short": short}
    for name, (_, fields) in PARTS.items():
        if _back(recipe, paper, fields) != recipe:  # a part that this data set's recipe has
            steps = AS_MANY_MINUTES.get(name, STEPS)
            profiles[name] = _back(short, paper, fields).replace(profile=name, steps=steps)
    return profiles


def _back(config: Config, paper: Config, fields: tuple[str, ...]) -> Config:
    """The config with some fields, of it or of its latents, as in `paper`."""
    of_latents = {field: getattr(paper.latents, field) for field in fields if field in ("codes", "noise_dim")}
    others = {field: getattr(paper, field) for field in fields if field not in of_latents}
    return config.replace(latents=replace(config.latents, **of_latents), **others)

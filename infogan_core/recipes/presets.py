"""The profiles of every data set by name, what they cost, and whether a run reached their targets."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from infogan_core.data.load import DATASETS
from infogan_core.model.config import Config, check_known
from infogan_core.recipes.profile import IF_MISSED, Profile

PRESETS: dict[str, dict[str, Profile]] = {  # a recipe file for each row of data/load.py
    name: import_module(f"infogan_core.recipes.{name}").PROFILES for name in DATASETS
}
PUBLISHED_RUNS = {  # by folder of outputs/published: data set, profile, and seeds, of which the first is in the folder
    "mnist": ("mnist", "paper", (2,)),
    "svhn": ("svhn", "quick", (1, 0)),
    "celeba": ("celeba", "quick", (0, 1)),
    "celeba64": ("celeba", "quick64", (0, 1)),
}


def preset(name: str, profile: str = "quick", **overrides: Any) -> Config:
    """The Config of a data set ("mnist", "svhn", "celeba") in a profile, with fields overridden.

    Profiles: "smoke" (seconds, to see that it runs), "quick" and "paper"; of "mnist" also "openai", the authors' public
    code, and "sprites", for dSprites. Raises ValueError for an unknown preset, profile or field.
    """
    return profile_of(name, profile).config.replace(**overrides)


def profile_of(name: str, profile: str) -> Profile:
    """Raises ValueError for an unknown data set or profile."""
    check_known("preset", [name], PRESETS)
    check_known(f"profile of {name}", [profile], PRESETS[name])
    return PRESETS[name][profile]


def about(config: Config) -> str:
    """What the profile of a config costs and should reach, in a sentence or two."""
    profile = PRESETS.get(config.dataset, {}).get(config.profile)
    if profile is None:
        return f"{title(config)}: it is not a preset, so nothing is known of its cost, and it has no targets."
    expect = f"Expect {_listed(profile)}." if _listed(profile) else "It has no targets."
    return f"{title(config)}: trains in about {profile.cost}. {expect}"


def targets_of(config: Config, report: dict[str, Any]) -> list[tuple[str, str, float | None, bool]]:
    """(path, text, value in a report of evaluate(), whether that reaches it) of each target of the config's profile.

    The value is None where it was not measured. Targets are for the genuine data set, in the number of pictures that
    the profile asks for: there are none for others.
    """
    profile, data = PRESETS.get(config.dataset, {}).get(config.profile), report["conditions"]
    genuine = data.get("kind") == config.dataset and not data.get("stand_in") and data.get("part") != "validation"
    if profile is None or not genuine or data.get("n_images", 0) < profile.least_images:
        return []
    found = [(path, text, number_at(report, path), limit, sign) for path, text, limit, sign in profile.targets()]
    return [(path, text, v, v is not None and sign * v >= sign * limit) for path, text, v, limit, sign in found]


def check_claims(config: Config, report: dict[str, Any]) -> str:
    """Of each target of the config's profile whether a report of evaluate() reaches it, a line each; see targets_of.

    For a missed one the line says what that means and what to do.
    """
    profile = PRESETS.get(config.dataset, {}).get(config.profile)
    name, data = title(config), report["conditions"]
    if profile is None or not _listed(profile):
        return f"{name}: no targets to check."
    if not (found := targets_of(config, report)):
        enough = f" of {profile.least_images:,} pictures" if profile.least_images else ""
        return f"{name}: its targets are for the genuine data set{enough}, not for {data['data']}. Nothing was checked."
    return "\n".join(f"{name}: {_verdict(config, *target)}" for target in found)


def _verdict(config: Config, path: str, text: str, value: float | None, reached: bool) -> str:
    if value is None:
        return f"{text}: not measured ({path})."
    if reached:
        return f"{text}: reached ({value:.4g})."
    other = config.seed + 1
    advice = f"Train another seed into another folder: SEED={other} OUT=outputs/{config.dataset}-seed{other}"
    return f"{text}: missed ({value:.4g}). {IF_MISSED.get(path, '')} {advice}.".replace("  ", " ")


def number_at(report: dict[str, Any], path: str) -> float | None:
    """The number at a path such as "codes.c1.mi"; None where there is none."""
    value: Any = report
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, (int, float)) else None


def title(config: Config) -> str:
    """What a run of a config is called: "MNIST, profile quick"."""
    row = DATASETS.get(config.dataset)
    return f"{row.title if row else config.dataset}, profile {config.profile}"


def _listed(profile: Profile) -> str:
    return ", ".join(text for _, text, _, _ in profile.targets())

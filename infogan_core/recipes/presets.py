"""The profiles of every data set by name, what they cost, and whether a run reached their targets."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from infogan_core.data.load import DATASETS
from infogan_core.model.config import Config, check_known
from infogan_core.recipes.profile import Profile

PRESETS: dict[str, dict[str, Profile]] = {  # a recipe file for each row of data/load.py
    name: import_module(f"infogan_core.recipes.{name}").PROFILES for name in DATASETS
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
        return f"{_title(config)}: it is not a preset, so nothing is known of its cost, and it has no targets."
    expect = f"Expect {_listed(profile)}." if _listed(profile) else "It has no targets."
    return f"{_title(config)}: trains in about {profile.cost}. {expect}"


def check_claims(config: Config, report: dict[str, Any]) -> str:
    """Which targets of the config's profile a report of evaluate() reaches, in a line; AssertionError for a missed one.

    Targets are for the genuine data set, in the number of pictures that the profile asks for.
    """
    profile = PRESETS.get(config.dataset, {}).get(config.profile)
    name, data = _title(config), report["conditions"]
    if profile is None or not _listed(profile):
        return f"{name}: no targets to check."
    genuine = data.get("kind") == config.dataset and not data.get("stand_in")
    if not genuine or data.get("n_images", 0) < profile.least_images:
        return f"{name}: its targets are for the genuine data set, not for {data['data']}. Nothing was checked."
    for path, text, limit, sign in profile.targets():
        value: Any = report
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, (int, float)):
            raise AssertionError(f"{name}: {path} should be {text}, and it was not measured")
        if not sign * value >= sign * limit:
            raise AssertionError(f"{name}: {path} should be {text}, found {value:.4g}")
    return f"{name}: every target is reached: {_listed(profile)}."


def _title(config: Config) -> str:
    row = DATASETS.get(config.dataset)
    return f"{row.title if row else config.dataset}, profile {config.profile}"


def _listed(profile: Profile) -> str:
    return ", ".join(text for _, text, _, _ in profile.targets())

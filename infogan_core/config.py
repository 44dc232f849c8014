"""What a run is made of: one frozen Config, and the presets with what they cost and reach."""

from __future__ import annotations

import dataclasses
import difflib
import json
from dataclasses import dataclass, field
from typing import Any

from infogan_core.latents import Categorical, LatentSpec, Uniform
from infogan_core.networks import table


@dataclass(frozen=True)
class Config:
    """Every setting of a run. Raises ValueError, naming the field, for a wrong type or an impossible value."""

    dataset: str = "mnist"
    profile: str = "paper"
    seed: int = 0
    latents: LatentSpec = field(default_factory=LatentSpec)
    image_size: int = 28  # 28: the table of appendix C.1; 32: that of C.2 and C.3
    channels: int = 1
    width: float = 1.0  # of G and the trunk, as a multiple of the paper's
    slope: float = 0.1  # of D's leaky ReLU: 0.1 in the paper's text, 0.01 in its code
    steps: int = 5_000  # updates of D and Q, and as many of G
    batch: int = 128
    lr_d: float = 2e-4  # D and Q share one Adam
    lr_g: float = 1e-3
    lr_decay: bool = False  # both rates fall linearly to 0 over the second half of the steps
    beta1: float = 0.5  # of both Adams; beta2 is 0.999
    lambda_info: tuple[float, ...] = (1.0,)  # lambda of equation 6, one per code, or one for all
    info_trains_trunk: bool = True  # whether L_I also updates the trunk that D and Q share
    lambda_real: float = 0.0  # weight of I(c; c') of real pictures read twice (IIC, Ji et al. 2019); 0: InfoGAN itself
    fresh_fakes: bool = True  # G's update draws z and c of its own; False reuses those of D's update
    shift: float = 0.0  # D and Q see all pictures moved by up to so many pixels (DiffAugment, Zhao et al. 2020) ...
    warp: float = 0.0  # ... and sheared, turned and stretched: each entry of the linear map off by up to this much
    ema: float = 0.99  # decay of the averaged generator that is saved (Yaz et al. 2019); 0: the last weights
    precision: str = "auto"  # "auto", "fp32", or "bf16" autocast
    step_form: str = "auto"  # "auto", "eager", "compile", or "graph" (a CUDA graph)
    log_every: int = 50
    checkpoint_every: int = 500

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            object.__setattr__(self, f.name, _checked(f, getattr(self, f.name)))
        table(self.image_size)
        n = len(self.latents.codes)
        if len(set(self.lambda_info)) == 1:
            object.__setattr__(self, "lambda_info", self.lambda_info[:1] * n)
        if len(self.lambda_info) != n:
            raise ValueError(f"Config.lambda_info has {len(self.lambda_info)} values for {n} codes: give {n}, or 1")
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"Config.{name} must be one of {allowed}, found {getattr(self, name)!r}")
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"Config.{name} must lie in {low}..{high:g}, found {getattr(self, name)!r}")

    def replace(self, **changes: Any) -> Config:
        """A copy with some fields changed. Raises ValueError for a field that does not exist."""
        _known("Config field", changes, [f.name for f in dataclasses.fields(self)])
        return dataclasses.replace(self, **changes)

    def for_images(self, images: Any) -> Config:
        """A copy that fits an ImageSet: its size picks the paper's table, its number limits the batch."""
        return self.replace(image_size=images.size, channels=images.channels, batch=min(self.batch, len(images)))

    def to_json(self) -> str:
        """Every field, as JSON that from_json reads back."""
        values = dataclasses.asdict(self)
        values["latents"]["codes"] = [{type(c).__name__: dataclasses.asdict(c)} for c in self.latents.codes]
        return json.dumps(values, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Config:
        """Raises ValueError for anything but what to_json writes."""
        try:
            values = json.loads(text)
            missing = {f.name for f in dataclasses.fields(cls)} ^ values.keys()
            if missing:
                raise KeyError(", ".join(sorted(missing)))
            latents = values.pop("latents")
            kinds = {"Categorical": Categorical, "Uniform": Uniform}
            codes = tuple(kinds[kind](**args) for entry in latents.pop("codes") for kind, args in entry.items())
            values["lambda_info"] = tuple(values["lambda_info"])
            return cls(latents=LatentSpec(codes=codes, **latents), **values)
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a config of this version: {type(error).__name__}: {error}") from None


CHOICES = {
    "precision": ("auto", "fp32", "bf16"),
    "step_form": ("auto", "eager", "compile", "graph"),
    "channels": (1, 3),
}
RANGES = {
    "seed": (0, 2**63 - 1),
    "width": (0.03125, 16),
    "slope": (0, 1),
    "steps": (1, 10**9),
    "batch": (2, 65536),  # batch norm needs two
    "lr_d": (0, 1),
    "lr_g": (0, 1),
    "beta1": (0, 0.999),
    "lambda_real": (0, 1000),
    "shift": (0, 14),
    "warp": (0, 0.5),
    "ema": (0, 0.99999),
    "log_every": (1, 10**9),
    "checkpoint_every": (1, 10**9),
}


def _checked(f: dataclasses.Field, value: Any) -> Any:
    """The value, if it has the type of the field's annotation; a whole number serves as a float."""
    if f.type == "tuple[float, ...]":
        values = value if isinstance(value, (tuple, list)) else (value,)
        return tuple(_number(f.name, v) for v in values)
    if f.type == "float":
        return _number(f.name, value)
    if type(value).__name__ != f.type:
        raise ValueError(f"Config.{f.name} must be of type {f.type}, found {value!r}")
    return value


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < float("inf"):
        raise ValueError(f"Config.{name} must be a finite number, found {value!r}")
    return float(value)


def _known(what: str, names: Any, known: list[str]) -> None:
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
            raise ValueError(f"unknown {what} {name!r}: {hint}")


@dataclass(frozen=True)
class Preset:
    """A Config with the command that runs it, what it costs and what to expect of it."""

    config: Config
    command: str
    cost: str
    expect: dict[str, float]  # of evaluate(): the least to expect, by path such as "codes.c1.mi"
    data: str = ""  # ... on images whose name begins like this; nothing is promised of others


_CODES = (Categorical(10), Uniform(), Uniform())
_PAPER = Config(  # appendix C, and our choice where the paper leaves it open
    latents=LatentSpec(62, _CODES, noise="normal"), lr_decay=True, fresh_fakes=False, shift=2, warp=0.15
)
_QUICK = _PAPER.replace(profile="quick", width=0.25, lr_d=4e-4, lambda_real=0.25, checkpoint_every=1000)
_OPENAI = Config(profile="openai", latents=LatentSpec(62, _CODES, noise="uniform"), slope=0.01, ema=0.0)
PRESETS: dict[str, dict[str, Preset]] = {
    "mnist": {
        "smoke": Preset(
            _QUICK.replace(profile="smoke", width=0.125, steps=60, batch=32, ema=0.0, log_every=5, checkpoint_every=20),
            "make mnist PROFILE=smoke",
            "seconds",
            {},
        ),
        "quick": Preset(
            _QUICK.replace(steps=3000),
            "make mnist",
            "about 3 minutes on 2 cores",
            {"held_out.accuracy": 0.8},
            "MNIST (",
        ),
        "paper": Preset(
            _PAPER.replace(steps=5_000, checkpoint_every=1000),
            "make mnist PROFILE=paper SOURCE=download",
            "about 25 minutes on 2 cores",
            {"held_out.accuracy": 0.95, "codes.c1.mi": 2.25},
            "MNIST (60,000",
        ),
        "openai": Preset(_OPENAI, "make mnist PROFILE=openai SOURCE=download", "about 35 minutes on 2 cores", {}),
    }
}


def preset(name: str, profile: str = "quick", **overrides: Any) -> Config:
    """The Config of a dataset ("mnist") in a profile ("smoke", "quick", "paper", "openai"), with fields overridden.

    Raises ValueError for an unknown preset, profile or field.
    """
    return _preset(name, profile).config.replace(**overrides)


def _preset(name: str, profile: str) -> Preset:
    _known("preset", [name], list(PRESETS))
    _known(f"profile of {name}", [profile], list(PRESETS[name]))
    return PRESETS[name][profile]


def about(config: Config) -> str:
    """What the preset that a config came from costs and reaches, in one line."""
    p = _preset(config.dataset, config.profile)
    expect = ", ".join(f"{path} at least {least:g}" for path, least in p.expect.items()) or "nothing promised"
    return f"{config.dataset}/{config.profile}: {p.command}; {p.cost}; {expect}"


def check_claims(config: Config, report: dict[str, Any]) -> None:
    """Raise AssertionError for a number of evaluate()'s report that is below what the config's preset promises."""
    p = _preset(config.dataset, config.profile)
    for path, least in p.expect.items() if report["conditions"]["data"].startswith(p.data) else ():
        value: Any = report
        for key in path.split("."):
            value = value[key]
        if not value >= least:
            raise AssertionError(f"{config.dataset}/{config.profile} promises {path} of {least} or more, found {value}")

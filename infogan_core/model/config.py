"""What a run is made of: one frozen Config."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from infogan_core.model.known import check_known
from infogan_core.model.latents import Categorical, LatentSpec, Uniform
from infogan_core.model.networks import table


@dataclass(frozen=True)
class Config:
    """Every setting of a run. Raises ValueError, naming the field, for a wrong type or an impossible value."""

    dataset: str = "mnist"
    profile: str = "paper"
    seed: int = 0
    latents: LatentSpec = field(default_factory=LatentSpec)
    image_size: int = 28  # 28: the table of appendix C.1; 32: that of C.2 and C.3; 64: the latter, one block longer
    channels: int = 1
    crop: tuple[int, ...] = ()  # (x, y, side) of the square cut out of each picture, in its pixels; (): loader's own
    width: float = 1.0  # of G and the trunk, as a multiple of the paper's; ours: more steps in the same minutes
    norm_every: bool = False  # batch norm in every hidden block of G (DCGAN, Radford et al. 2016), not in the table's
    norm_after: bool = False  # batch norm behind the activations; the paper's code has it before them
    slope: float = 0.1  # of D's leaky ReLU: 0.1 in the paper's text, 0.01 in its code
    steps: int = 5_000  # updates of D and Q, and as many of G
    batch: int = 128  # the paper's; smaller ones are ours: more steps in the same minutes
    lr_d: float = 2e-4  # D and Q share one Adam; two rates: the paper, and Heusel et al. 2017
    lr_g: float = 1e-3
    lr_decay: bool = False  # both rates fall linearly to 0 over the second half of the steps (Zhu et al. 2017)
    beta1: float = 0.5  # of all Adams, 0 in Gulrajani et al. 2017; beta2 is 0.999
    objective: str = "gan"  # equation 1 with G's -log D, or "hinge" (Lim & Ye 2017; Miyato et al. 2018)
    r1: float = 0.0  # D's loss gains r1/2 times its squared slope at real pictures (R1, Mescheder et al. 2018)
    critic: float = 0.0  # weight of a second D, on features learnt without labels (Sauer et al. 2021; see critic.py)
    critic_from: float = 0.0  # ... in what is left of the steps after that share of them (ours)
    lambda_info: tuple[float, ...] = (1.0,)  # lambda of equation 6, one for all codes, or one per code (ours)
    info_trains_trunk: bool = True  # whether L_I also updates the trunk that D and Q share
    info_trains_g: bool = True  # ... and G: without either, a plain GAN, with Q trained beside it to read the codes
    lambda_real: float = 0.0  # weight of I(c; c') of real pictures read twice (IIC, Ji et al. 2019); 0: InfoGAN itself
    fresh_fakes: bool = True  # G's update draws z and c of its own; False reuses those of D's update (ours)
    shift: float = 0.0  # D and Q see all pictures moved by up to so many pixels (DiffAugment, Zhao et al. 2020) ...
    warp: float = 0.0  # ... and sheared, turned and stretched: each entry of the map off by up to so much (ours)
    moved: float = 1.0  # ... that share of them (Karras et al. 2020): resampling hides the finest detail, D must see it
    moved_grows: float = 0.0  # ... and over that share of the steps it grows from 0: D learns by heart late (ours)
    color: float = 0.0  # ... and of other brightness, saturation and contrast, at 1 by as much as in DiffAugment
    instance_noise: float = 0.0  # ... and under Gaussian noise (Sønderby et al. 2017) of this deviation, which falls
    flip: bool = False  # half of the real pictures mirrored, left to right (Karras et al. 2019)
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
        check_known("Config field", changes, [f.name for f in dataclasses.fields(self)])
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
            wrong = ({f.name for f in dataclasses.fields(cls)} ^ values.keys()) - LATER
            if wrong:
                raise KeyError(", ".join(sorted(wrong)))
            latents = values.pop("latents")
            kinds = {"Categorical": Categorical, "Uniform": Uniform}
            codes = tuple(kinds[kind](**args) for entry in latents.pop("codes") for kind, args in entry.items())
            values["lambda_info"] = tuple(values["lambda_info"])
            return cls(latents=LatentSpec(codes=codes, **latents), **values)
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a config of this version: {type(error).__name__}: {error}") from None


LATER = {
    "norm_every",
    "norm_after",
    "moved",
    "moved_grows",
    "color",
    "instance_noise",
    "flip",
    "crop",
    "info_trains_g",
    "objective",
    "r1",
    "critic",
    "critic_from",
}  # older files lack these: default
CHOICES = {
    "objective": ("gan", "hinge"),
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
    "r1": (0, 1000),
    "critic": (0, 1000),
    "critic_from": (0, 0.999),
    "lambda_real": (0, 1000),
    "shift": (0, 14),
    "warp": (0, 0.5),
    "moved": (0, 1),
    "moved_grows": (0, 1),
    "color": (0, 1),
    "instance_noise": (0, 10),
    "ema": (0, 0.99999),
    "log_every": (1, 10**9),
    "checkpoint_every": (1, 10**9),
}


def _checked(f: dataclasses.Field, value: Any) -> Any:
    """The value, if it has the type of the field's annotation; a whole number serves as a float."""
    if f.type == "tuple[float, ...]":
        values = value if isinstance(value, (tuple, list)) else (value,)
        return tuple(_number(f.name, v) for v in values)
    if f.type == "tuple[int, ...]":
        if not isinstance(value, (tuple, list)) or not all(type(v) is int for v in value):
            raise ValueError(f"Config.{f.name} must hold whole numbers, found {value!r}")
        return tuple(value)
    if f.type == "float":
        return _number(f.name, value)
    if type(value).__name__ != f.type:
        raise ValueError(f"Config.{f.name} must be of type {f.type}, found {value!r}")
    return value


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < float("inf"):
        raise ValueError(f"Config.{name} must be a finite number, found {value!r}")
    return float(value)

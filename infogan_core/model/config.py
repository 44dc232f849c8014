"""What a run is made of: one frozen Config."""

from __future__ import annotations

import dataclasses
import json
import sys
from dataclasses import dataclass, field
from typing import Any

from infogan_core.model.known import check_known
from infogan_core.model.latents import Categorical, LatentSpec, Uniform
from infogan_core.model.losses import ADVERSARIAL
from infogan_core.model.networks import table


@dataclass(frozen=True)
class Config:
    """Every setting of a run. Raises ValueError, naming the field, for a wrong type or an impossible value.

    What is trained
        dataset, profile    "mnist", "svhn", "celeba" or a data set of yours; the name of the preset it came from
        seed                of weights, batches, latents and augmentation
        latents             the noise z and the codes c: see LatentSpec
        image_size          pixels; 28: the networks of appendix C.1, 32: C.2 and C.3, 64: C.2 with a longer D
        channels            1 for grey, 3 for RGB
        crop                (x, y, side) of the square cut out of CelebA's pictures; (): the loader's own
    Networks
        width               of G and the trunk, as a multiple of the paper's
        norm_every          batch norm in every hidden block of G (DCGAN, Radford et al. 2016), not only the table's
        norm_after          batch norm after the activation; the paper's code has it before
        blur                G's pictures pass a (1, 2, 1) / 4 filter: no pattern of single pixels (ours)
        slope               of D's leaky ReLU: 0.1 in the paper's text, 0.01 in its code
    Optimisation
        steps, batch        updates of D and Q, and as many of G; pictures in each
        lr_d, lr_g          D and Q share one Adam; two rates as in the paper and in Heusel et al. 2017
        lr_decay            both rates fall linearly to 0 over the second half of the steps (Zhu et al. 2017)
        beta1               of Adam: 0.5 in the paper's code, 0 in Gulrajani et al. 2017; beta2 is 0.999
        ema                 decay of the averaged G that is saved (Yaz et al. 2019); 0: the last weights
    Losses
        objective           "gan": equation 1 with G's -log D; "hinge": Lim & Ye 2017, Miyato et al. 2018
        lambda_info         lambda of equation 6: one for all codes, or one per code (ours)
        info_trains_trunk   whether L_I also updates the trunk that D and Q share: yes in the paper's code
        info_trains_g       whether L_I also updates G; False is a plain GAN with Q trained beside it
        lambda_real         weight of I(c; c') of real pictures that Q reads twice (IIC, Ji et al. 2019); 0: InfoGAN
        overclusters        categories of a second head that gets the same term (IIC); 0: there is none
        restart_below       share of I(c; c')'s ceiling below which a start is given up after 2/3 of the steps (ours)
        new_fakes_for_g     G's update samples its own z and c, as in the paper's code; False: D's (ours)
        r1                  weight of R1, D's squared slope at real pictures (Mescheder et al. 2018)
        lambda_noise        weight of the mode-seeking term, so that noise is seen (Mao et al. 2019); 0: InfoGAN
        critic, critic_from weight of a second D on SimCLR features (training/critic.py), after that share of the steps
    What D and Q see, of real and generated pictures alike
        shift, warp         moved by up to so many pixels (DiffAugment, Zhao et al. 2020); warped by up to so much
        augment_share       ... that share of the pictures (Karras et al. 2020); the rest is not warped
        augment_warmup      ... and over that share of the steps it grows from 0 (ours)
        color               change of brightness, saturation and contrast; 1: as much as in DiffAugment
        instance_noise      deviation of Gaussian noise, which decays (Sønderby et al. 2017)
        flip                half of the real pictures are mirrored (Karras et al. 2019)
    Where it runs
        precision           "auto", "fp32", or "bf16" autocast
        threads             of the CPU; 0: by the rule of device.threads_for
        step_form           "auto", "eager", "compile", or "graph" (a CUDA graph)
        log_every, checkpoint_every     in steps
    """

    dataset: str = "mnist"
    profile: str = "paper"
    seed: int = 0
    latents: LatentSpec = field(default_factory=LatentSpec)
    image_size: int = 28
    channels: int = 1
    crop: tuple[int, ...] = ()
    width: float = 1.0
    norm_every: bool = False
    norm_after: bool = False
    blur: bool = False
    slope: float = 0.1
    steps: int = 5_000
    batch: int = 128
    lr_d: float = 2e-4
    lr_g: float = 1e-3
    lr_decay: bool = False
    beta1: float = 0.5
    ema: float = 0.99
    objective: str = "gan"
    lambda_info: tuple[float, ...] = (1.0,)
    info_trains_trunk: bool = True
    info_trains_g: bool = True
    lambda_real: float = 0.0
    overclusters: int = 0
    restart_below: float = 0.0
    new_fakes_for_g: bool = True
    r1: float = 0.0
    lambda_noise: float = 0.0
    critic: float = 0.0
    critic_from: float = 0.0
    shift: float = 0.0
    warp: float = 0.0
    augment_share: float = 1.0
    augment_warmup: float = 0.0
    color: float = 0.0
    instance_noise: float = 0.0
    flip: bool = False
    precision: str = "auto"
    threads: int = 0
    step_form: str = "auto"
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
            raise ValueError(
                f"Config.lambda_info has {len(self.lambda_info)} values for {n} codes: give {n}, or one for all"
            )
        if len(self.crop) not in (0, 3):
            raise ValueError(f"Config.crop must be (x, y, side), or () for the loader's own, found {self.crop}")
        if min(self.lambda_info) < 0:
            raise ValueError(f"Config.lambda_info must be 0 or more, found {self.lambda_info}")
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"Config.{name} must be one of {allowed}, found {getattr(self, name)!r}")
        for (low, high), names in RANGES.items():
            for name in names:
                if not low <= getattr(self, name) <= high:
                    raise ValueError(f"Config.{name} must lie in {low}..{high:g}, found {getattr(self, name)!r}")

    def replace(self, **changes: Any) -> Config:
        """A copy with some fields changed. Raises ValueError for a field that does not exist."""
        check_known("Config field", changes, [f.name for f in dataclasses.fields(self)])
        return dataclasses.replace(self, **changes)

    def for_images(self, images: Any) -> Config:
        """A copy that fits an ImageSet: its size picks the paper's table, its number limits the batch.

        For pictures of another kind `restart_below` is 0: what a good start reaches is known for the recipe's own data.
        """
        restart_below = self.restart_below if images.kind == self.dataset else 0.0
        shape = {"image_size": images.size, "channels": images.channels}
        return self.replace(**shape, batch=min(self.batch, len(images)), restart_below=restart_below)

    def to_json(self) -> str:
        """Every field, as JSON that from_json reads back."""
        values = dataclasses.asdict(self)
        values["latents"]["codes"] = [{type(c).__name__: dataclasses.asdict(c)} for c in self.latents.codes]
        return json.dumps(values, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Config:
        """Raises ValueError for what to_json does not write. What an earlier version did not know gets the default."""
        try:
            values = {OLD_NAMES.get(name, name): value for name, value in json.loads(text).items()}
            latents = values.pop("latents")
            kinds = {"Categorical": Categorical, "Uniform": Uniform}
            codes = tuple(kinds[kind](**args) for entry in latents.pop("codes") for kind, args in entry.items())
            values["lambda_info"] = tuple(values["lambda_info"])
            return cls(latents=LatentSpec(codes=codes, **latents), **values)
        except (KeyError, TypeError, AttributeError, RecursionError, json.JSONDecodeError) as error:
            raise ValueError(f"not a config of this version: {type(error).__name__}: {error}") from None


OLD_NAMES = {"fresh_fakes": "new_fakes_for_g", "moved": "augment_share", "moved_grows": "augment_warmup"}
CHOICES = {
    "objective": tuple(ADVERSARIAL),
    "precision": ("auto", "fp32", "bf16"),
    "step_form": ("auto", "eager", "compile", "graph"),
    "channels": (1, 3),
}
RANGES = {
    (0, 2**63 - 1): ("seed",),
    (0.03125, 4): ("width",),
    (1, 10**9): ("steps", "log_every", "checkpoint_every"),
    (2, 65536): ("batch",),  # batch norm needs two
    (0, 1): ("slope", "lr_d", "lr_g", "augment_share", "augment_warmup", "color", "restart_below"),
    (0, 0.999): ("beta1", "critic_from"),
    (0, 0.99999): ("ema",),
    (0, 1000): ("r1", "critic", "lambda_real", "lambda_noise"),
    (0, 14): ("shift",),
    (0, 0.5): ("warp",),
    (0, 10): ("instance_noise",),
    (0, 4096): ("threads", "overclusters"),
}


def _checked(f: dataclasses.Field, value: Any) -> Any:
    """The value, if it has the annotated type; a whole number serves as a float, a number of NumPy as Python's."""
    value = value.item() if getattr(value, "ndim", None) == 0 else value
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
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= sys.float_info.max:
        raise ValueError(f"Config.{name} must be a finite number, found {value!r}")
    return float(value)

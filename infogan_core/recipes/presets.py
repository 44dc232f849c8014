"""The presets of each dataset: a Config with the command that runs it, what it costs and what to expect of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infogan_core.model.config import Config, check_known
from infogan_core.model.latents import Categorical, LatentSpec, Uniform
from infogan_core.recipes import choices, parts


@dataclass(frozen=True)
class Preset:
    """A Config with the command that runs it, what it costs and what to expect of it."""

    config: Config
    command: str
    cost: str
    expect: dict[str, float]  # of evaluate(): the least to expect, by path such as "codes.c1.mi"
    data: str = ""  # ... on images whose name begins like this; nothing is promised of others
    at_most: dict[str, float] = field(default_factory=dict)  # likewise, the most


_CODES = (Categorical(10), Uniform(), Uniform())
_NORMAL, _UNIFORM = (LatentSpec(62, _CODES, noise=noise) for noise in ("normal", "uniform"))
_PAPER = (
    Config(  # appendix C, and choices.py's winners where it is silent; but for uniform noise, which failed here once
        latents=_NORMAL, lr_decay=True, new_fakes_for_g=False, shift=2, warp=0.15
    )
)
_OPEN = _PAPER.replace(profile="open", width=0.25, lr_d=4e-4, lambda_real=0.25, steps=3000, checkpoint_every=1000)
_QUICK = _OPEN.replace(profile="quick", latents=_UNIFORM)  # choices.py's winner
_OPENAI = Config(profile="openai", latents=_UNIFORM, slope=0.01, ema=0.0)
_FIGURE1 = _OPENAI.replace(profile="infogan", steps=1_000, log_every=10)
_GAN = _FIGURE1.replace(profile="gan", info_trains_trunk=False, info_trains_g=False)
_SPRITES = Config(  # five codes for dSprites' five factors; see the fields of Config for what the paper leaves out
    profile="sprites",
    latents=LatentSpec(5, (Uniform(0.5),) * 5),
    image_size=32,
    width=0.25,
    norm_every=True,
    steps=12_000,
    batch=64,
    lr_d=5e-4,
    lr_decay=True,
    lambda_info=(0.1,),
    new_fakes_for_g=False,
    instance_noise=0.5,
    ema=0.998,
    checkpoint_every=1000,
)
_SMOKE = {"profile": "smoke", "width": 0.125, "steps": 60, "batch": 32, "ema": 0.0, "log_every": 5}
_SMOKE["checkpoint_every"] = 20
_COLOUR = {"image_size": 32, "channels": 3, "checkpoint_every": 1000}
_HELPED = {  # what the paper leaves out, and helps: see the fields of Config for each one's source
    "profile": "quick",
    "width": 0.5,
    "norm_every": True,
    "lr_d": 2e-3,
    "lr_g": 2e-3,
    "beta1": 0.0,
    "ema": 0.9995,
    "new_fakes_for_g": False,
    "shift": 2,
    "warp": 0.1,
    "augment_share": 0.5,
}
_HELPED_SVHN = {
    "steps": 25_000,
    "log_every": 100,
    "objective": "hinge",
    "r1": 0.05,
    "critic": 2.0,
    "critic_from": 0.68,
    "ema": 0.9998,
    "lambda_info": (0.5,),
    "shift": 4,
    "warp": 0.15,
    "augment_share": 1.0,
    "augment_warmup": 0.68,
}
_HELPED_CELEBA = {"steps": 30_000, "log_every": 250, "color": 1.0, "flip": True}
_HELPED_CELEBA["lambda_info"] = (1.0,) + (0.25,) * 9  # one code comes first, and tells kinds of face apart
# parts.py's studies are of earlier recipes, which differ in these fields
_STUDIED = {"batch": 32, "lr_decay": True, "ema": 0.998}
_STUDIED_SVHN = _STUDIED | {
    "log_every": 250,
    "r1": 0.0,
    "shift": 2,
    "warp": 0.1,
    "augment_share": 0.5,
    "augment_warmup": 0.0,
}
_STUDIED_SVHN |= {"critic": 0.0, "critic_from": 0.0}
_STUDIED_CELEBA = _STUDIED | {"width": 1.0, "lr_d": 3e-4, "lr_g": 1e-3, "beta1": 0.5, "log_every": 50}
_SVHN_CODES = (Categorical(10),) * 4 + (Uniform(),) * 4  # appendix C.2; section 7.2's two continuous do not add up
_FACE_CODES = (Categorical(10),) * 10  # appendix C.3


def _colour(
    dataset: str,
    noise_dim: int,
    codes: tuple,
    helped: dict[str, Any],
    studied: dict[str, Any],
    as_long: tuple[int, str],
    cost: str,
    data: str,
    score: dict[str, float],
    crop: tuple[int, ...] = (),
) -> dict[str, Preset]:
    """The presets of a data set of 32x32 colour pictures. `quick` has a tenth of the noise: codes must do its work.

    `helped` is what else `quick` has, `studied` what parts.py's study has instead; `as_long` are the
    steps of `paper` that stand beside it, and how their minutes compare; `score` is what else to expect.
    """
    paper = Config(dataset, latents=LatentSpec(noise_dim, codes), crop=crop, ema=0.0, **_COLOUR)
    narrow = tuple(Uniform(0.5) if isinstance(code, Uniform) else code for code in codes)  # a tighter bound, MSE x 4
    quick = paper.replace(latents=LatentSpec(12, narrow), **(_HELPED | helped))
    make = f"make {dataset}"
    promised = ({"codes.c1.mi": 2.0} | score, data, {"quality.ratio": 20.0})
    return {
        "smoke": Preset(quick.replace(**_SMOKE), f"{make} WEIGHTS=train PROFILE=smoke", "seconds of training", {}),
        "quick": Preset(quick, f"{make} WEIGHTS=train SOURCE=path", cost, *promised),
        "paper": Preset(paper, f"{make} WEIGHTS=train PROFILE=paper SOURCE=path", "about 40 minutes on 2 cores", {}),
        "as-long": Preset(
            paper.replace(profile="as-long", steps=as_long[0]),
            f"{make} WEIGHTS=train PROFILE=as-long SOURCE=path",
            as_long[1],
            {},
        ),
        **{
            name: Preset(c, f"python -m infogan_core.studies.run {dataset}-parts", "5 minutes on one core", {})
            for name, c in parts.settings(quick.replace(**studied), paper).items()
        },
    }


PRESETS: dict[str, dict[str, Preset]] = {
    "mnist": {
        "smoke": Preset(_QUICK.replace(**_SMOKE), "make mnist PROFILE=smoke", "seconds", {}),
        "quick": Preset(
            _QUICK,
            "make mnist",
            "about 5 minutes",
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
        "infogan": Preset(_FIGURE1, "make figure1", "about 7 minutes on 2 cores", {}),
        "sprites": Preset(_SPRITES, "make mnist PROFILE=sprites SOURCE=dsprites", "12 minutes on one core", {}),
        "gan": Preset(_GAN, "make figure1", "about 7 minutes on 2 cores", {}),
        **{
            name: Preset(c, "make evidence", "5 minutes on one core", {})
            for name, c in choices.settings(_OPEN, _OPENAI).items()
        },
    },
    "svhn": _colour(
        "svhn",
        124,
        _SVHN_CODES,
        _HELPED_SVHN,
        _STUDIED_SVHN,
        as_long=(7_000, "52 minutes on one core, half of quick's"),
        cost="about 1.8 hours on one core with bf16",
        data="SVHN (10,000 digits",
        score={"quality.score.share": 0.75},
    ),
    "celeba": _colour(
        "celeba",
        128,
        _FACE_CODES,
        _HELPED_CELEBA,
        _STUDIED_CELEBA,
        as_long=(14_000, "81 minutes on one core, a third more than quick's"),
        cost="about 1.3 hours on one core with bf16; on an H100 four at once in 3 minutes",
        data="own images (36,000 from celeba",
        score={},
        crop=(89, 121, 128),
    ),
}


def preset(name: str, profile: str = "quick", **overrides: Any) -> Config:
    """The Config of a dataset ("mnist", "svhn", "celeba") in a profile ("smoke", "quick", "paper"; "mnist" also
    "openai", the authors' public code, and "sprites", for dSprites; the others are those of evidence.py's studies),
    with fields overridden.

    Raises ValueError for an unknown preset, profile or field.
    """
    return _preset(name, profile).config.replace(**overrides)


def _preset(name: str, profile: str) -> Preset:
    check_known("preset", [name], list(PRESETS))
    check_known(f"profile of {name}", [profile], list(PRESETS[name]))
    return PRESETS[name][profile]


def about(config: Config) -> str:
    """What the preset that a config came from costs and reaches, in one line."""
    p = _preset(config.dataset, config.profile)
    expect = [f"{path} at least {least:g}" for path, least in p.expect.items()]
    expect += [f"{path} at most {most:g}" for path, most in p.at_most.items()]
    where = f', where the data is called "{p.data}...' + '"' if expect else "nothing promised"
    return f"{config.dataset}/{config.profile}: {p.command}; {p.cost}; {', '.join(expect)}{where}"


def check_claims(config: Config, report: dict[str, Any]) -> str:
    """How many promises of the config's preset hold, in a line; AssertionError for a number that breaks one.

    `report` is evaluate()'s. A preset promises nothing of other data than its own.
    """
    p, name = _preset(config.dataset, config.profile), f"{config.dataset}/{config.profile}"
    if not report["conditions"]["data"].startswith(p.data):
        return f"{name} promises nothing of {report['conditions']['data']}: not checked"
    promises = [(path, limit, 1, "more") for path, limit in p.expect.items()]
    promises += [(path, limit, -1, "less") for path, limit in p.at_most.items()]
    for path, limit, sign, words in promises:
        value: Any = report
        for key in path.split("."):
            value = value.get(key, {})
        if value == {}:
            raise AssertionError(f"{name} promises {path} of {limit} or {words}, and it was not measured")
        if not sign * value >= sign * limit:
            raise AssertionError(f"{name} promises {path} of {limit} or {words}, found {value}")
    return f"{name}: {len(promises)} of {len(promises)} promises hold"

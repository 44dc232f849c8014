"""MNIST, appendix C.1 of Chen et al. 2016: the digit on c1, slant and width on c2 and c3."""

from __future__ import annotations

from infogan_core.model.config import Config
from infogan_core.model.latents import Categorical, LatentSpec, Uniform
from infogan_core.recipes.profile import SMOKE, Profile

CODES = (Categorical(10), Uniform(), Uniform())

PAPER = Config(  # the paper's networks, rates and objective
    dataset="mnist",
    profile="paper",
    latents=LatentSpec(62, CODES, noise="normal"),  # uniform noise failed in the one run that had it: see TRIALS.md
    steps=5_000,
    batch=128,
    lr_d=2e-4,
    lr_g=1e-3,
    lr_decay=True,  # not in the paper, like what follows
    new_fakes_for_g=False,
    shift=2,
    warp=0.15,
    checkpoint_every=1_000,
)
OPENAI = Config(  # the networks, losses and settings of the authors' public code
    dataset="mnist",
    profile="openai",
    latents=LatentSpec(62, CODES, noise="uniform"),
    slope=0.01,
    steps=5_000,
    batch=128,
    lr_d=2e-4,
    lr_g=1e-3,
    ema=0.0,
)
QUICK = Config(  # a quarter of the width, and IIC's term, which is not InfoGAN: minutes on one core
    dataset="mnist",
    profile="quick",
    latents=LatentSpec(62, CODES, noise="uniform"),
    width=0.25,
    steps=3_000,
    batch=128,
    lr_d=4e-4,
    lr_g=1e-3,
    lr_decay=True,
    lambda_real=1.0,  # Ji et al. 2019, like overclusters
    overclusters=50,
    restart_below=0.916,  # 2.11 nats: a start that has put two digits into one category
    new_fakes_for_g=False,
    shift=2,
    warp=0.15,
    checkpoint_every=1_000,
)
SPRITES = Config(  # five codes for dSprites' five factors
    dataset="mnist",
    profile="sprites",
    latents=LatentSpec(5, (Uniform(0.5),) * 5),
    image_size=32,
    width=0.25,
    norm_every=True,
    steps=12_000,
    batch=64,
    lr_d=5e-4,
    lr_g=1e-3,
    lr_decay=True,
    ema=0.998,
    lambda_info=(0.1,),
    new_fakes_for_g=False,
    instance_noise=0.5,  # Sønderby et al. 2017: a code must move many pixels to be read through it
    checkpoint_every=1_000,
)

PROFILES = {
    "smoke": Profile(QUICK.replace(**SMOKE), "2 seconds"),
    "quick": Profile(QUICK, "2 to 8 minutes on one core", {"held_out.accuracy": 0.8}),
    "paper": Profile(
        PAPER,
        "15 to 35 minutes on one core",
        {"held_out.accuracy": 0.95, "codes.c1.mi": 2.25},
        least_images=60_000,
    ),
    "openai": Profile(OPENAI, "15 to 35 minutes on one core"),
    "sprites": Profile(SPRITES, "10 minutes on one core"),
}

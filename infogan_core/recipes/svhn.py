"""SVHN, appendix C.2 of Chen et al. 2016: four categorical and four continuous codes."""

from __future__ import annotations

from infogan_core.model.config import Config
from infogan_core.model.latents import Categorical, LatentSpec, Uniform
from infogan_core.recipes.profile import SMOKE, Profile

PAPER = Config(  # section 7.2 says two continuous codes; only appendix C.2's four add up to its 168 inputs
    dataset="svhn",
    profile="paper",
    latents=LatentSpec(124, (Categorical(10),) * 4 + (Uniform(),) * 4),
    image_size=32,
    channels=3,
    steps=5_000,
    batch=128,
    lr_d=2e-4,
    lr_g=1e-3,
    ema=0.0,
    checkpoint_every=1_000,
)
QUICK = Config(
    dataset="svhn",
    profile="quick",
    latents=LatentSpec(12, (Categorical(10),) * 4 + (Uniform(0.5),) * 4),  # a tenth of the paper's noise
    image_size=32,
    channels=3,
    width=0.5,
    norm_every=True,  # Radford et al. 2016
    blur=True,
    steps=25_000,
    batch=128,
    lr_d=2e-3,  # Heusel et al. 2017: two rates, here equal
    lr_g=2e-3,
    beta1=0.0,  # Gulrajani et al. 2017
    ema=0.9998,
    objective="hinge",  # Miyato et al. 2018
    lambda_info=(0.5,),
    new_fakes_for_g=False,
    r1=0.05,  # Mescheder et al. 2018
    lambda_noise=0.002,  # Mao et al. 2019
    critic=2.0,  # Sauer et al. 2021, on SimCLR's features
    critic_from=0.68,
    shift=4,  # Zhao et al. 2020
    warp=0.15,
    augment_warmup=0.68,  # Karras et al. 2020 let the share follow D's overfitting; here it follows the steps
    log_every=100,
    checkpoint_every=1_000,
)

PROFILES = {
    "smoke": Profile(QUICK.replace(**SMOKE), "2 seconds"),
    "quick": Profile(
        QUICK,
        "1.5 hours on one core with bf16",
        {"codes.c1.mi": 2.0, "quality.score.share": 0.75},
        {"quality.ratio": 5.0},
        least_images=8_000,  # and a fifth of all held out: the ratio needs 2,000
    ),
    "paper": Profile(PAPER, "25 minutes on one core with bf16, 40 without"),
}

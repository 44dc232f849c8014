"""CelebA, appendix C.3 of Chen et al. 2016: ten categorical codes, of which `quick` has four."""

from __future__ import annotations

from infogan_core.data.celeba.faces import CROP
from infogan_core.model.config import Config
from infogan_core.model.latents import Categorical, LatentSpec
from infogan_core.recipes.profile import SMOKE, Profile

PAPER = Config(
    dataset="celeba",
    profile="paper",
    latents=LatentSpec(128, (Categorical(10),) * 10),
    image_size=32,
    channels=3,
    crop=CROP,
    steps=5_000,
    batch=128,
    lr_d=2e-4,
    lr_g=1e-3,
    ema=0.0,
    checkpoint_every=1_000,
)
QUICK = Config(
    dataset="celeba",
    profile="quick",
    latents=LatentSpec(12, (Categorical(10),) * 4),  # a tenth of the paper's noise, four of its ten codes
    image_size=32,
    channels=3,
    crop=CROP,
    width=0.5,
    norm_every=True,  # Radford et al. 2016
    steps=30_000,
    batch=128,
    lr_d=2e-3,  # Heusel et al. 2017: two rates, here equal
    lr_g=2e-3,
    beta1=0.0,  # Gulrajani et al. 2017
    ema=0.9995,
    new_fakes_for_g=False,
    lambda_noise=0.01,  # Mao et al. 2019
    shift=2,  # Zhao et al. 2020, like color
    warp=0.1,
    augment_share=0.5,
    color=1.0,
    flip=True,  # Karras et al. 2019
    log_every=250,
    checkpoint_every=1_000,
)
QUICK64 = QUICK.replace(  # an eighth of the pictures, four times the pixels
    profile="quick64",
    image_size=64,
    steps=10_000,
    lambda_noise=0.002,
    shift=4,
    augment_share=0.8,  # Karras et al. 2020: more would leak into G's pictures
    checkpoint_every=500,
)

PROFILES = {
    "smoke": Profile(QUICK.replace(**SMOKE), "2 seconds"),
    "quick": Profile(
        QUICK,
        "1 hour on one core with bf16",
        {"codes.c1.mi": 2.0, "meaning.families.n": 3},
        {"quality.ratio": 7.0},
        least_images=8_000,
    ),
    "quick64": Profile(
        QUICK64, "1.8 hours on one core with bf16", {"codes.c1.mi": 2.0, "meaning.families.n": 3}, {}, 3_500
    ),
    "paper": Profile(PAPER, "25 minutes on one core with bf16, 40 without"),
}

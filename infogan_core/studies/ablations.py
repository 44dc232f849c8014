"""What the studies train: figure 1's two sides, and one Config per answer to what the paper leaves open."""

from __future__ import annotations

from infogan_core.model.config import Config
from infogan_core.model.latents import Categorical, LatentSpec, Uniform
from infogan_core.recipes.presets import preset


def _latents(sigma: float | None = 1.0, noise: str = "normal") -> LatentSpec:
    return LatentSpec(62, (Categorical(10), Uniform(sigma), Uniform(sigma)), noise=noise)


OPENAI = preset("mnist", "openai")  # the settings of the authors' public code
INFOGAN = OPENAI.replace(profile="infogan", steps=1_000, log_every=10)
PLAIN_GAN = INFOGAN.replace(profile="gan", info_trains_trunk=False, info_trains_g=False)  # Q is trained beside it

IIC = {"lambda_real": 0.25, "overclusters": 0, "restart_below": 0.0}  # as quick had it in 0.1
BASE = preset("mnist", "quick").replace(profile="open", latents=_latents(), **IIC)  # quick of 0.1 with normal noise
ABLATIONS: dict[str, dict[str, Config]] = {  # question: {answer: Config}; BASE gives the first answer to all of them
    "the loss of the continuous codes": {
        "sigma fixed at 1: MSE / 2": BASE,
        "sigma fixed at 0.5: 2 MSE": BASE.replace(profile="open-sigma-half", latents=_latents(sigma=0.5)),
        "sigma learned": BASE.replace(profile="open-sigma-learned", latents=_latents(sigma=None)),
    },
    "lambda of the continuous codes": {
        "1": BASE,
        "0.1": BASE.replace(profile="open-lambda-tenth", lambda_info=(1.0, 0.1, 0.1)),
    },
    "L_I trains the trunk": {"yes": BASE, "no": BASE.replace(profile="open-trunk-apart", info_trains_trunk=False)},
    "noise": {"normal": BASE, "uniform": BASE.replace(profile="open-noise-uniform", latents=_latents(noise="uniform"))},
    "slope of D's leaky ReLU": {"0.1": BASE, "0.01": BASE.replace(profile="open-slope-0.01", slope=0.01)},
    "batch norm": {
        "before the activation": BASE,
        "after it": BASE.replace(profile="open-norm-after", norm_after=True),
    },
    "average of G": {"decay 0.99": BASE, "none": BASE.replace(profile="open-no-ema", ema=0.0)},
    "all of them": {
        "as in `quick` of 0.1": BASE,
        "as in the authors' code, for as many minutes": OPENAI.replace(profile="open-openai", steps=600),
    },
}
CONFIGS = tuple({c.profile: c for answers in ABLATIONS.values() for c in answers.values()}.values())

"""InfoGAN's losses, one function per equation of Chen et al. 2016. Pure: tensors in, a scalar or a vector out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from infogan_core.model.latents import LatentSpec


def d_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Equation 1, what D minimises: -E[log D(x)] - E[log(1 - D(G(z, c)))]. Logits [n] -> scalar, in nats."""
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def g_loss(fake_logits: Tensor) -> Tensor:
    """Non-saturating generator loss. Not equation 1: log(1 - D) becomes -log D (Goodfellow et al. 2014, section 3).

    Logits [n] -> scalar, in nats.
    """
    return softplus(-fake_logits).mean()  # -log D(G(z, c))


def d_hinge(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Hinge loss of D (Lim & Ye 2017; Miyato et al. 2018): E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z, c)))].

    Not in InfoGAN. Scores [n] -> scalar: D is not a probability here; a picture scored beyond the margin adds nothing.
    """
    return relu(1 - real_scores).mean() + relu(1 + fake_scores).mean()


def g_hinge(fake_scores: Tensor) -> Tensor:
    """What G minimises against the hinge loss: -E[D(G(z, c))]. Scores [n] -> scalar."""
    return -fake_scores.mean()


ADVERSARIAL = {"gan": (d_loss, g_loss), "hinge": (d_hinge, g_hinge)}  # what D, and what G minimises


def r1_penalty(scores: Tensor, x: Tensor) -> Tensor:
    """R1 (Mescheder et al. 2018): E[|grad_x D(x)|^2] / 2 at real pictures x [n, C, H, W] with scores [n] -> scalar.

    Not in InfoGAN. A D that memorised its pictures is steep around them. x must require a gradient; the penalty can be
    differentiated in turn. Under batch norm D(x) depends on the whole batch, so the slope is that of all scores' sum.
    """
    (slope,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return slope.square().sum(dim=(1, 2, 3)).mean() / 2


def mi_bound(spec: LatentSpec, q_params: list[Tensor], codes: list[Tensor]) -> Tensor:
    """Equation 5, one value per code, in nats: L_I = E[log Q(c|x)] + H(c), a lower bound of I(c; G(z, c))."""
    return torch.stack(
        [code.log_q(q, c).mean() + code.entropy for code, q, c in zip(spec.codes, q_params, codes, strict=True)]
    )


def info_loss(mi: Tensor, lambda_info: Sequence[float]) -> Tensor:
    """The term of equation 6 that G and Q minimise: -lambda L_I, here with one lambda per code. [codes] -> scalar."""
    return -sum(weight * bound for weight, bound in zip(lambda_info, mi, strict=True))


def mode_seeking(x: Tensor, noise: Tensor, over: Callable[[Tensor], Tensor] = lambda mean: mean) -> Tensor:
    """What G minimises to use its noise (Mao et al. 2019): E|z - z'| / E|x - x'|. Not in InfoGAN.

    Pictures x [n, C, H, W] of noise [n, d] -> scalar. The second half of both has the codes of the first. `over` takes
    a mean over several processes.
    """
    pairs = (t[: len(t) // 2 * 2].chunk(2) for t in (noise, x))
    far, unlike = (over((a - b).abs().mean()) for a, b in pairs)
    return far / (unlike + 1e-5)


def shared_information(p: Tensor, q: Tensor, over: Callable[[Tensor], Tensor] = lambda joint: joint) -> Tensor:
    """I(c; c') of two readings of the same pictures, in nats (equation 3 of Ji et al. 2019, IIC). Not in InfoGAN.

    p, q: Q(c|x) and Q(c|x') [n, K], x' being x under another warp -> scalar, 0 to ln K. It is high when Q is sure, uses
    all categories, and ignores the warp. `over` takes the mean of the joint distribution over several processes.
    """
    joint = over((p[:, :, None] * q[:, None, :]).mean(dim=0))  # not p.T @ q, which autocast would round to bf16
    joint = ((joint + joint.T) / 2).clamp_min(torch.finfo(p.dtype).tiny)  # a log of 0 has no gradient
    return (joint * joint.log()).sum() - 2 * (joint.sum(dim=0) * joint.sum(dim=0).log()).sum()

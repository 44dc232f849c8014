"""What the codes mean: what a classifier reads in the pictures of each code, in nats and rates, and names from it."""

from __future__ import annotations

from typing import Any

import torch
from sklearn.metrics import mutual_info_score
from torch import Tensor

from infogan_core.measure.classifier import Classifier, Head
from infogan_core.measure.code_effects import names_of_effects
from infogan_core.measure.context import Context, as_pixels
from infogan_core.measure.picture_measures import mirror_axis
from infogan_core.model.latents import Categorical, LatentSpec

MIN_EXCESS_FOR_NAME = 0.4  # a category is named after what is read so much more often than in its code's median one
MIN_EXCESS_FOR_RATES = 0.2  # rates are reported where one category is so much above the median one
MIN_SKILL = 0.2  # a head names something if it makes so many fewer errors than the commonest value as a guess
WORDS = {  # where CelebA's name, or a factor's, is not what a person would say
    "5_o_Clock_Shadow": "stubble",
    "Heavy_Makeup": "make-up",
    "Mouth_Slightly_Open": "mouth open",
    "Smiling": "smile",
    "left": "left neighbour",
    "right": "right neighbour",
}
OPPOSITES = {"Male": "female", "No_Beard": "beard", "Young": "old"}  # a "no" that has a name, too
FAMILIES = {  # the attributes that count for CelebA, each family once
    "glasses": ("eyeglasses",),
    "smile": ("smile",),
    "open mouth": ("mouth open",),
    "hair colour": ("black hair", "blond hair", "brown hair", "gray hair"),
    "bangs": ("bangs",),
    "gender": ("male", "female"),
    "hat": ("hat",),
    "make-up": ("make-up",),
    "pose": ("pose left", "pose right"),
}


def meaning(context: Context) -> dict[str, Any]:
    """{"meaning": `links_of_codes` by what the classifier reads in generated pictures, of faces their pose as well}."""
    if context.features is None:
        return {}
    classifier, (codes, x) = context.classifier, context.generated
    heads = classifier.heads
    read = {name: p.argmax(dim=1) for name, p in classifier.classify(context.features["generated"]).items()}
    if classifier.about["dataset"] == "celeba":
        heads += (pose_head(pose(context.real["train"][0])),)
        read["pose"] = heads[-1].encode(pose(as_pixels(x)))
    return {"meaning": links_of_codes(context.run.config.latents, codes, heads, read, unreliable_heads(classifier))}


def names(context: Context) -> dict[str, Any]:
    """{"names": of codes after what they change, and of codes and categories after what is read in their pictures}."""
    changes = names_of_effects(context.report["codes"])
    read = context.report.get("meaning")
    return {"names": changes if read is None else name_codes(read, changes)}


def class_code(report: dict[str, Any]) -> str | None:
    """The first categorical code of a report, which stands for the class: "c1" in all of the paper's experiments."""
    return next((name for name, code in report["codes"].items() if code["kind"] == "categorical"), None)


def links_of_codes(
    spec: LatentSpec, codes: list[Tensor], heads: tuple[Head, ...], read: dict[str, Tensor], unreliable: tuple = ()
) -> dict[str, Any]:
    """What generated pictures say of their codes: one tensor [N] per code; per head, the index of the value read, [N].

    codes     per code: "mi", mutual information with each head in nats (see `link`), "mi_bias", the most that was taken
              off for chance; of a categorical code also "rates", per category, of what varies, by name
    strong    `strong_readings` of each code, the largest excess first
    families  which of FAMILIES are among these, and "n", how many
    unread    the heads in `unreliable`, which count for neither
    """
    report: dict[str, Any] = {"codes": {}, "strong": [], "unread": list(unreliable), "samples": len(codes[0])}
    for i, (code, c) in enumerate(zip(spec.codes, codes, strict=True)):
        groups, k = code.bins(c)
        tables = {head: contingency(groups, read[head.name], k, len(head.values)) for head in heads}
        links = {head.name: link(table) for head, table in tables.items()}
        entry = report["codes"][spec.name(i)] = {"mi": {name: mi for name, (mi, _) in links.items()}}
        entry["mi_bias"] = max(bias for _, bias in links.values())
        if isinstance(code, Categorical):
            entry["rates"], strong = {}, []
            for head, table in tables.items():
                shares = (table.double() / table.sum(dim=1, keepdim=True).clamp_min(1)).unbind(dim=1)
                rates = {name: share for i, share in enumerate(shares) if (name := value_name(head, i))}
                varied = {name: r for name, r in rates.items() if (r - r.quantile(0.5)).max() >= MIN_EXCESS_FOR_RATES}
                entry["rates"] |= {name: [round(r, 4) for r in rate.tolist()] for name, rate in varied.items()}
                strong += [] if head.name in unreliable else strong_readings(spec.name(i), head, rates)
            report["strong"] += sorted(strong, key=lambda entry: entry["median"] - entry["rate"])
    reads = {entry["reads"] for entry in report["strong"]}
    found = [family for family, members in FAMILIES.items() if reads.intersection(members)]
    return report | {"families": {"n": len(found), "found": found}}


def unreliable_heads(classifier: Classifier) -> tuple[str, ...]:
    """Heads whose held-out errors are not MIN_SKILL fewer than those of always answering the commonest value."""
    held_out = {head.name: classifier.about["held_out"][head.name] for head in classifier.heads}
    return tuple(n for n, of in held_out.items() if 1 - of["accuracy"] > (1 - MIN_SKILL) * (1 - of["commonest"]))


def pose(x: Tensor) -> Tensor:
    """`mirror_axis` of pictures uint8 [N, 3, H, H], a few at a time -> [N]."""
    return torch.cat([mirror_axis(part.float() / 255) for part in x.split(500)])


def pose_head(real: Tensor) -> Head:
    """Pose as a head: turned to a side of the picture is more than one standard deviation of the real pictures [N]."""
    mean, std = real.mean().item(), real.std().item()
    return Head("pose", ("right", "straight", "left"), (mean - std, mean + std))


def contingency(c: Tensor, v: Tensor, k: int, values: int) -> Tensor:
    """How often category c and value v, both int64 [N], come together: int64 [k, values]."""
    return torch.bincount(c * values + v, minlength=k * values).view(k, values)


def link(table: Tensor) -> tuple[float, float]:
    """(mutual information in nats less its bias, the bias) of a contingency table int64 [K, V].

    On N samples independent variables show (K - 1)(V - 1) / 2N nats on average (Miller 1955), of what occurs.
    """
    rows, columns = (int(table.any(dim=axis).sum()) for axis in (1, 0))
    bias = (rows - 1) * (columns - 1) / (2 * int(table.sum()))
    return float(mutual_info_score(None, None, contingency=table.numpy())) - bias, bias


def value_name(head: Head, value: int) -> str | None:
    """What a person would call a value: "eyeglasses", "female", "digit 7"; None for "no glasses" and the like."""
    if head.values != ("no", "yes"):
        return f"{head_name(head)} {head.values[value]}"
    return head_name(head) if value else OPPOSITES.get(head.name)


def head_name(head: Head) -> str:
    """CelebA's "Wearing_Hat" as "hat"."""
    return WORDS.get(head.name) or head.name.replace("_", " ").lower().removeprefix("wearing ")


def strong_readings(code: str, head: Head, rates: dict[str, Tensor]) -> list[dict[str, Any]]:
    """What is read in a category MIN_EXCESS_FOR_NAME more often than in the median one."""
    found = []
    for name, rate in rates.items():
        topic, median = name if head.values == ("no", "yes") else head_name(head), rate.quantile(0.5).item()
        for category, r in enumerate(rate.tolist()):
            if r - median >= MIN_EXCESS_FOR_NAME:
                of = {"code": code, "category": category, "reads": name, "topic": topic}
                found.append(of | {"rate": r, "median": median})
    return found


def name_codes(read: dict[str, Any], changes: dict[str, str]) -> dict[str, str]:
    """Names of codes and categories: {"c1": "digit", "c1=7": "digit 3 94%", "c3": "hat, smile", "c5": "brightness"}.

    read: as of `links_of_codes`. A code's name is of three topics of its categories at most, and of what it changes.
    """
    named, topics = {}, {}
    for entry in read["strong"]:
        named.setdefault(f"{entry['code']}={entry['category']}", f"{entry['reads']} {entry['rate']:.0%}")
        topics.setdefault(entry["code"], {})[entry["topic"]] = None
    for code in read["codes"]:
        if words := [*[*topics.get(code, {})][:3], *filter(None, [changes.get(code)])]:
            named[code] = ", ".join(words)
    return named

"""What a profile is: a Config, what training costs, and which numbers to expect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from infogan_core.model.config import Config

SMOKE = {"profile": "smoke", "width": 0.125, "steps": 60, "batch": 32, "ema": 0.0, "log_every": 5}
SMOKE |= {"checkpoint_every": 20, "restart_below": 0.0}  # of "quick": seconds, to see that everything runs
TEXTS = {  # what a person calls a number of evaluate()'s report, by its path there
    "held_out.accuracy": "{:.0%} of held-out digits right",
    "codes.c1.mi": "{:.2f} nats of L_I(c1)",
    "meaning.families.n": "{:g} attributes that a category shows 40 points more often than its code's median one",
    "quality.score.share": "{:.0%} of real pictures' classifier score",
    "quality.ratio": "{:g} times the Frechet distance of real pictures, 2,000 of each",
}
IF_MISSED = {  # what it means that a run misses such a target
    "held_out.accuracy": "Two classes share a category of c1, as with some seeds of MNIST.",
    "codes.c1.mi": "Q cannot read c1 in the generated pictures, so c1 means little.",
    "meaning.families.n": "A person could name fewer of the codes than we expect: look at the sheets.",
    "quality.score.share": "Fewer generated pictures are clear than we expect: look at the samples.",
    "quality.ratio": "The generated pictures are further from real ones than we expect: look at the samples.",
}


@dataclass(frozen=True)
class Profile:
    """A Config, what training costs, and the least and the most that a run on the genuine data set should reach."""

    config: Config
    cost: str  # goes on after "trains in about"
    least: Mapping[str, float] = field(default_factory=dict)  # by path in evaluate()'s report
    most: Mapping[str, float] = field(default_factory=dict)
    least_images: int = 0  # to train on, for these targets

    def targets(self) -> Iterator[tuple[str, str, float, int]]:
        """(path, text, limit, 1 for at least or -1 for at most) of each."""
        for limits, words, sign in ((self.least, "at least", 1), (self.most, "at most", -1)):
            for path, limit in limits.items():
                yield path, f"{words} {TEXTS.get(path, path + ' {:g}').format(limit)}", limit, sign

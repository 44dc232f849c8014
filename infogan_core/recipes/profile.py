"""What a profile is: a Config with the command that runs it, what it costs and what to expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infogan_core.model.config import Config


@dataclass(frozen=True)
class Target:
    """A number of evaluate()'s report that a profile should reach. Raises ValueError without a limit, or with both."""

    path: str  # its place in the report: "codes.c1.mi"
    text: str  # what a person calls it, {} being the limit: "{:.0%} of held-out digits right"
    least: float | None = None
    most: float | None = None

    def __post_init__(self) -> None:
        if (self.least is None) == (self.most is None):
            raise ValueError(f"Target {self.path!r}: give least or most")

    def __str__(self) -> str:
        limit = self.least if self.most is None else self.most
        return f"at {'least' if self.most is None else 'most'} {self.text.format(limit)}"

    def found(self, report: dict[str, Any]) -> Any:
        """The number in a report; None where it was not measured."""
        value: Any = report
        for key in self.path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def reached(self, value: float) -> bool:
        """Whether a number is good enough; a NaN is not."""
        return value >= self.least if self.most is None else value <= self.most


@dataclass(frozen=True)
class Profile:
    """A Config with the command that runs it, what training costs, and its targets on the genuine data set."""

    config: Config
    command: str
    cost: str  # goes on after "trains in about"
    targets: tuple[Target, ...] = ()
    least_images: int = 0  # to train on; the targets are for that many or more

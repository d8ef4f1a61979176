"""A figure: what a row measured, what it is held against, and whether it got there."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal


class Unit(StrEnum):
    """What a figure counts in."""

    SECONDS = "s"
    RATE = "/s"
    COUNT = ""
    BYTES = "B"


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a figure should get to: at most or at least ``limit``, by its ratio or itself."""

    sense: Literal["at most", "at least"]
    limit: float
    of: Literal["ratio", "ours"]

    def met_by(self, value: float) -> bool:
        return value <= self.limit if self.sense == "at most" else value >= self.limit


def ratio_at_most(limit: float) -> Target:
    return Target(sense="at most", limit=limit, of="ratio")


def ratio_at_least(limit: float) -> Target:
    return Target(sense="at least", limit=limit, of="ratio")


def at_most(limit: float) -> Target:
    return Target(sense="at most", limit=limit, of="ours")


def at_least(limit: float) -> Target:
    return Target(sense="at least", limit=limit, of="ours")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured comparison. ``theirs`` is of the same unit; ``against`` says whose it is."""

    work: str
    ours: float
    unit: Unit
    theirs: float | None = None
    against: str = ""
    target: Target | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return None if not self.theirs else self.ours / self.theirs

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None where there is none."""
        if self.target is None:
            return None
        value = self.ours if self.target.of == "ours" else self.ratio
        return value is not None and self.target.met_by(value)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "met": self.met, "shown": self.shown()}

    def shown(self) -> dict[str, str]:
        """Write the figure for people, a text for each column of a table."""
        return {
            "work": self.work,
            "ours": shown(self.ours, self.unit),
            "against": self.against or "–",
            "theirs": shown(self.theirs, self.unit),
            "ratio": "–" if self.ratio is None else f"{self.ratio:.3g}",
            "target": target_text(self),
            "met": {True: "yes", False: "no", None: "–"}[self.met],
        }


def shown(value: float | None, unit: Unit) -> str:
    """Write a value for people."""
    if value is None:
        return "–"
    if unit is Unit.RATE:
        return f"{value:,.0f}/s"
    if unit is Unit.BYTES:
        return f"{value / 1024:,.0f} KiB"
    return f"{value:,.0f}" if unit is Unit.COUNT else _seconds(value)


def _seconds(value: float) -> str:
    for limit, scale, name in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms")):
        if value < limit:
            return f"{value * scale:.3g} {name}"
    return f"{value:.3g} s"


def target_text(figure: Figure) -> str:
    target = figure.target
    if target is None:
        return "–"
    sign = "≤" if target.sense == "at most" else "≥"
    if target.of == "ours":
        return f"{sign} {shown(target.limit, figure.unit)}"
    return f"{sign} {target.limit:.3g} ×"

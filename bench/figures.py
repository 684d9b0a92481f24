"""What a run finds out, as data: scenarios, their variants, and for each turn named values."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from house import House


class Worthless(Exception):
    """A figure that must be thrown away: what was measured is not what was meant."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long everything takes."""

    turns: int
    seconds: int
    """Length of one measurement."""
    quick: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of value."""

    key: str
    title: str
    digits: int = 1
    better: str = "less"
    """``less`` or ``more``; ratios say how many times better than the reference."""


CPU = Column("cpu", "CPU µs/request")
RATE = Column("rate", "requests/s", 0, "more")
MEDIAN = Column("p50", "p50 ms", 2)
P99 = Column("p99", "p99 ms", 2)


@dataclass(frozen=True, slots=True)
class Goal:
    """What one variant is to reach: a column at most so many times another variant's, or at most a number."""

    variant: str
    column: str
    at_most: float
    times: str = ""
    """The other variant; empty when ``at_most`` is the number itself."""


Values = dict[str, float]
Measure = Callable[[str, House, Effort], Values]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One question and how it is answered."""

    name: str
    title: str
    variants: tuple[str, ...]
    """Chains, usually."""
    measure: Measure
    columns: tuple[Column, ...] = (CPU, RATE, MEDIAN, P99)
    reference: str = "traefik"
    """The variant that the others are compared with."""
    goals: tuple[Goal, ...] = ()
    turns: int | None = None
    """Fewer turns than the others, where one takes long."""
    optional: tuple[str, ...] = ()
    """Variants that are measured only when asked for."""


@dataclass
class Result:
    """What was found for one scenario."""

    scenario: Scenario
    turns: dict[str, list[Values]] = field(default_factory=dict)
    worthless: dict[str, str] = field(default_factory=dict)
    """By variant, why its figures were thrown away."""

    def value(self, variant: str, key: str) -> float | None:
        """The median of the turns."""
        found = [values[key] for values in self.turns.get(variant, ()) if key in values]
        return statistics.median(found) if found and variant not in self.worthless else None

    def spread(self, variant: str, key: str) -> float:
        """Half of the distance between the best and the worst turn."""
        found = [values[key] for values in self.turns.get(variant, ()) if key in values]
        return (max(found) - min(found)) / 2 if found else 0.0

    def times_better(self, variant: str, column: Column) -> float | None:
        """How many times better than the reference."""
        if variant == self.scenario.reference:
            return None
        ratio = self._ratio(variant, self.scenario.reference, column.key)
        return ratio and (1 / ratio if column.better == "less" else ratio)

    def reached(self, goal: Goal) -> tuple[float, bool] | None:
        """The figure or ratio that a goal is about, and whether it is good enough."""
        found = (
            self._ratio(goal.variant, goal.times, goal.column) if goal.times else self.value(goal.variant, goal.column)
        )
        return None if found is None else (found, found <= goal.at_most)

    def _ratio(self, variant: str, other: str, key: str) -> float | None:
        """The median of the turns' own ratios: what slows the machine for a while slows both of a turn."""
        if variant in self.worthless or other in self.worthless:
            return None
        pairs = zip(self.turns.get(variant, ()), self.turns.get(other, ()), strict=False)
        ratios = [own[key] / its[key] for own, its in pairs if own.get(key) and its.get(key)]
        return statistics.median(ratios) if ratios else None

"""What came of a blueprint, or would come of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from doorward.config.problems import Problem


class Outcome(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    LEFT_OUT = "left out"
    """Its conditions do not hold."""


WRITES = frozenset({Outcome.CREATED, Outcome.CHANGED, Outcome.DELETED})


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: what the database says, and what the blueprint says; secrets as stars."""

    field: str
    database: Any
    blueprint: Any


@dataclass(frozen=True, slots=True)
class Done:
    """One entry."""

    place: str
    line: int
    model: str
    name: str
    outcome: Outcome
    key: str = ""
    differences: tuple[Difference, ...] = ()

    @property
    def is_write(self) -> bool:
        return self.outcome in WRITES


@dataclass(frozen=True, slots=True)
class Report:
    done: tuple[Done, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the database says something else than the blueprint."""
        return any(each.is_write for each in self.done)

    @property
    def writes(self) -> tuple[Done, ...]:
        return tuple(each for each in self.done if each.is_write)

    @property
    def counted(self) -> str:
        """``2 created, 1 unchanged``."""
        numbers = Counter(each.outcome for each in self.done)
        return ", ".join(f"{numbers[outcome]} {outcome}" for outcome in Outcome if numbers[outcome]) or "no entries"

    @property
    def keys(self) -> list[str]:
        """Of the objects that exist afterwards: ``model:key``."""
        return [f"{each.model}:{each.key}" for each in self.done if each.key and each.outcome is not Outcome.DELETED]

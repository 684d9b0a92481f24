"""How a function of an expression is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from doorward.identity.expressions.budget import Budget
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.expressions.values import Records, Value, kind_of


@dataclass(frozen=True, slots=True)
class Call:
    """One call: what it was given, in order and by name, and what it may use."""

    function: str
    given: list[Value]
    named: Mapping[str, Value]
    budget: Budget

    def values(self, *names: str, optional: int = 0) -> list[Value]:
        """What was given for ``names``; the last ``optional`` may be missing (None). Raises ExpressionFailed."""
        unknown = sorted(set(self.named) - set(names))
        if unknown or len(self.given) > len(names):
            what = f"no “{unknown[0]}”" if unknown else f"at most {len(names)} values"
            raise ExpressionFailed(f"{self.function}({', '.join(names)}) takes {what}")
        found = dict(zip(names, self.given, strict=False))
        for name, value in self.named.items():
            if name in found:
                raise ExpressionFailed(f"{self.function}: {name} is given twice")
            found[name] = value
        missing = [name for name in names[: len(names) - optional] if name not in found]
        if missing:
            raise ExpressionFailed(f"{self.function}({', '.join(names)}): {missing[0]} is missing")
        return [found.get(name) for name in names]

    def text(self, value: Value) -> str:
        """``value``, which has to be a text."""
        if not isinstance(value, str):
            raise ExpressionFailed(f"{self.function} works with texts, not with {kind_of(value)}")
        return value


def is_true(value: Value) -> bool:
    """What an ``if`` decides by."""
    return bool(value.read()) if isinstance(value, Records) else bool(value)

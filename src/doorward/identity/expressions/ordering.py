"""Sorting, counted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key

from doorward.identity.expressions.budget import CONTAINER, Budget
from doorward.identity.expressions.comparing import less
from doorward.identity.expressions.values import Value


def ordered(values: Sequence[Value], budget: Budget) -> list[Value]:
    """In ascending order. Raises ExpressionFailed where there is none."""
    budget.make(CONTAINER + len(values))
    return sorted(values, key=cmp_to_key(lambda one, other: -less(one, other, budget) or int(less(other, one, budget))))

"""Equality and order, counted: two small values can hide an exponential number of comparisons in what they share."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from doorward.identity.expressions.budget import Budget
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.expressions.values import ADDRESSES, DEEPEST, Record, Records, Value, kind_of

_ORDERED = (str, int, float, datetime, date, timedelta, *ADDRESSES)


def equal(left: Value, right: Value, budget: Budget, depth: int = 0) -> bool:
    """``==``."""
    budget.look(1)
    if depth > DEEPEST:
        raise ExpressionFailed(f"values nested more than {DEEPEST} deep cannot be compared")
    if isinstance(left, dict) and isinstance(right, dict):
        return len(left) == len(right) and all(
            name in right and equal(value, right[name], budget, depth + 1) for name, value in left.items()
        )
    if (isinstance(left, list) and isinstance(right, list)) or (isinstance(left, tuple) and isinstance(right, tuple)):
        return len(left) == len(right) and all(
            equal(one, other, budget, depth + 1) for one, other in zip(left, right, strict=True)
        )
    if isinstance(left, Record) and isinstance(right, Record):
        return left.kind == right.kind and "pk" in left.fields and bool(left.fields["pk"] == right.fields.get("pk"))
    if isinstance(left, (dict, list, tuple, Record, Records)) or isinstance(
        right, (dict, list, tuple, Record, Records)
    ):
        return False
    if isinstance(left, (str, set)):
        budget.look(len(left))
    return bool(left == right)


def less(left: Value, right: Value, budget: Budget, depth: int = 0) -> bool:
    """``<``. Raises ExpressionFailed for what has no order."""
    budget.look(1)
    if isinstance(left, (list, tuple)) and type(left) is type(right) and depth < DEEPEST:
        for one, other in zip(left, right, strict=False):
            if not equal(one, other, budget):
                return less(one, other, budget, depth + 1)
        return len(left) < len(right)
    if not isinstance(left, _ORDERED) or not isinstance(right, _ORDERED):
        raise ExpressionFailed(f"{kind_of(left)} and {kind_of(right)} have no order")
    try:
        return bool(left < right)  # type: ignore[operator]
    except TypeError as error:
        raise ExpressionFailed(f"{kind_of(left)} and {kind_of(right)} have no order") from error


def contains(container: Value, wanted: Value, budget: Budget) -> bool:
    """``in``."""
    if isinstance(container, str):
        if not isinstance(wanted, str):
            raise ExpressionFailed(f"only a text can be in a text, not {kind_of(wanted)}")
        budget.look(len(container) + len(wanted))
        return wanted in container
    if isinstance(container, (dict, set)):
        return isinstance(wanted, _HASHED) and wanted in container
    if isinstance(container, ADDRESSES) and hasattr(container, "network_address"):
        return isinstance(wanted, ADDRESSES) and wanted.version == container.version and _inside(wanted, container)
    if isinstance(container, (list, tuple, range, Records)):
        return any(equal(each, wanted, budget) for each in container)
    raise ExpressionFailed(f"nothing can be in {kind_of(container)}")


_HASHED = (str, int, float, bool, type(None), datetime, date, timedelta, *ADDRESSES)


def _inside(wanted: Value, network: Value) -> bool:
    if hasattr(wanted, "network_address"):
        return bool(wanted.subnet_of(network))
    return bool(wanted in network)

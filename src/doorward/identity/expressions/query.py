"""The methods of ``Records``, in the shape of Django's: ``user.ak_groups.filter(name="staff").exists()``."""

from __future__ import annotations

from collections.abc import Callable

from doorward.identity.expressions.budget import CONTAINER, Budget
from doorward.identity.expressions.calls import Call
from doorward.identity.expressions.comparing import contains, equal
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.expressions.values import Record, Records, Value

RecordsMethod = Callable[[Records, Call], Value]


def _chosen(records: Records, call: Call, *, wanted: bool) -> Records:
    if call.given:
        raise ExpressionFailed(f"{call.function} takes conditions such as name=…")
    kept = tuple(each for each in records if _fits(each, call) is wanted)
    return Records(records.kind, lambda: kept)


def _fits(record: Record, call: Call) -> bool:
    return all(_meets(record, name, value, call.budget) for name, value in call.named.items())


def _meets(record: Record, condition: str, value: Value, budget: Budget) -> bool:
    name, _, how = condition.partition("__")
    found = record.read(name)
    if not how:
        return equal(found, value, budget)
    if how == "in":
        return contains(value, found, budget)
    if how == "iexact":
        return equal(_lower(found), _lower(value), budget)
    if how in ("contains", "startswith", "endswith", "icontains", "istartswith", "iendswith"):
        text, part = (_lower(found), _lower(value)) if how.startswith("i") else (found, value)
        if not isinstance(text, str) or not isinstance(part, str):
            return False
        budget.look(len(text))
        plain = how.removeprefix("i")
        found = part in text if plain == "contains" else getattr(text, plain)(part)
        return bool(found)
    raise ExpressionFailed(f"there is no condition “{how}”")


def _lower(value: Value) -> Value:
    return value.lower() if isinstance(value, str) else value


def _all(records: Records, call: Call) -> Records:
    call.values()
    return records


def _first(records: Records, call: Call) -> Value:
    call.values()
    return next(iter(records), None)


def _count(records: Records, call: Call) -> int:
    call.values()
    return len(records.read())


def _exists(records: Records, call: Call) -> bool:
    call.values()
    return bool(records.read())


def _values_list(records: Records, call: Call) -> list[Value]:
    if len(call.given) != 1 or set(call.named) - {"flat"}:
        raise ExpressionFailed("values_list takes the name of one field, and flat=True")
    found = [each.read(call.text(call.given[0])) for each in records]
    call.budget.make(CONTAINER + 2 * len(found))
    return found if call.named.get("flat") else [(each,) for each in found]


METHODS: dict[str, RecordsMethod] = {
    "all": _all,
    "filter": lambda records, call: _chosen(records, call, wanted=True),
    "exclude": lambda records, call: _chosen(records, call, wanted=False),
    "first": _first,
    "count": _count,
    "exists": _exists,
    "values_list": _values_list,
}

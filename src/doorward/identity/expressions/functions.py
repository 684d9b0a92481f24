"""Those of Python's own functions that an expression has."""

from __future__ import annotations

from datetime import timedelta

from doorward.identity.expressions.budget import CONTAINER
from doorward.identity.expressions.calls import Call, is_true
from doorward.identity.expressions.comparing import less
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.expressions.ordering import ordered
from doorward.identity.expressions.values import Function, Value, key, kind_of, members, text_of


def _bool(call: Call) -> bool:
    return is_true(call.values("value", optional=1)[0])


def _str(call: Call) -> str:
    return text_of(call.values("value")[0], call.budget)


def _int(call: Call) -> int:
    (value,) = call.values("value")
    if not isinstance(value, (str, int, float)) or (isinstance(value, str) and len(value) > 1000):
        raise ExpressionFailed(f"int does not work with {kind_of(value)}")
    return int(value)


def _float(call: Call) -> float:
    (value,) = call.values("value")
    if not isinstance(value, (str, int, float)):
        raise ExpressionFailed(f"float does not work with {kind_of(value)}")
    return float(value)


def _list(call: Call) -> list[Value]:
    found = members(call.values("members", optional=1)[0] or (), call.budget)
    call.budget.make(CONTAINER + len(found))
    return list(found)


def _tuple(call: Call) -> tuple[Value, ...]:
    return tuple(_list(call))


def _set(call: Call) -> set[Value]:
    found = members(call.values("members", optional=1)[0] or (), call.budget)
    call.budget.make(CONTAINER + 8 * len(found))
    return {key(each, call.budget) for each in found}


def _dict(call: Call) -> dict[Value, Value]:
    base = call.given[0] if call.given else {}
    if len(call.given) > 1 or not isinstance(base, dict):
        raise ExpressionFailed("dict takes one dict and names")
    call.budget.make(CONTAINER + 8 * (len(base) + len(call.named)))
    return {**base, **call.named}


def _len(call: Call) -> int:
    (value,) = call.values("value")
    if isinstance(value, (str, list, tuple, dict, set, range)):
        return len(value)
    return len(members(value, call.budget))


def _several(call: Call) -> list[Value]:
    """``max(a, b)`` or ``max([a, b])``."""
    found = list(members(call.given[0], call.budget)) if len(call.given) == 1 else call.given
    if not found or call.named:
        raise ExpressionFailed(f"{call.function} takes some values or a list of them")
    return found


def _min(call: Call) -> Value:
    found = _several(call)
    least = found[0]
    for each in found[1:]:
        least = each if less(each, least, call.budget) else least
    return least


def _max(call: Call) -> Value:
    found = _several(call)
    most = found[0]
    for each in found[1:]:
        most = each if less(most, each, call.budget) else most
    return most


def _sum(call: Call) -> Value:
    total: int | float = 0
    for each in members(call.values("members")[0], call.budget):
        if not isinstance(each, (int, float)):
            raise ExpressionFailed(f"sum works with numbers, not with {kind_of(each)}")
        total += each
    return total


def _any(call: Call) -> bool:
    return any(is_true(each) for each in members(call.values("members")[0], call.budget))


def _all(call: Call) -> bool:
    return all(is_true(each) for each in members(call.values("members")[0], call.budget))


def _sorted(call: Call) -> list[Value]:
    values, reverse = call.values("members", "reverse", optional=1)
    found = ordered(members(values, call.budget), call.budget)
    return found[::-1] if is_true(reverse) else found


def _reversed(call: Call) -> list[Value]:
    found = members(call.values("members")[0], call.budget)
    call.budget.make(CONTAINER + len(found))
    return list(reversed(found))


def _range(call: Call) -> range:
    if not 1 <= len(call.given) <= 3 or call.named or any(not isinstance(each, int) for each in call.given):
        raise ExpressionFailed("range takes one to three whole numbers")
    return range(*call.given)


def _enumerate(call: Call) -> list[tuple[int, Value]]:
    values, start = call.values("members", "start", optional=1)
    found = members(values, call.budget)
    call.budget.make((CONTAINER + 2) * len(found))
    return list(enumerate(found, start or 0))


def _zip(call: Call) -> list[tuple[Value, ...]]:
    columns = [members(each, call.budget) for each in call.given]
    call.budget.make((CONTAINER + len(columns)) * min(map(len, columns), default=0))
    return list(zip(*columns, strict=False))


def _abs(call: Call) -> Value:
    (value,) = call.values("value")
    if not isinstance(value, (int, float, timedelta)):
        raise ExpressionFailed(f"abs does not work with {kind_of(value)}")
    return abs(value)


def _round(call: Call) -> Value:
    value, digits = call.values("value", "digits", optional=1)
    if not isinstance(value, (int, float)) or not isinstance(digits, (int, type(None))) or abs(digits or 0) > 300:
        raise ExpressionFailed("round takes a number and a number of digits")
    return round(value, digits)


def _isinstance(call: Call) -> bool:
    value, kinds = call.values("value", "kind")
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    python = [_PYTHON.get(each.name) if isinstance(each, Function) else None for each in wanted]
    if None in python:
        raise ExpressionFailed("isinstance knows str, int, float, bool, list, tuple, dict and set")
    return isinstance(value, tuple(kind for kind in python if kind))


_PYTHON: dict[str, type] = {each.__name__: each for each in (str, int, float, bool, list, tuple, dict, set)}


PYTHONS = {
    name: Function(name, call)
    for name, call in {
        "bool": _bool,
        "str": _str,
        "int": _int,
        "float": _float,
        "list": _list,
        "tuple": _tuple,
        "set": _set,
        "dict": _dict,
        "len": _len,
        "min": _min,
        "max": _max,
        "sum": _sum,
        "any": _any,
        "all": _all,
        "sorted": _sorted,
        "reversed": _reversed,
        "range": _range,
        "enumerate": _enumerate,
        "zip": _zip,
        "abs": _abs,
        "round": _round,
        "isinstance": _isinstance,
    }.items()
}

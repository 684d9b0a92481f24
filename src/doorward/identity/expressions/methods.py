"""The methods of texts, dicts, lists, sets and times: what can be called on a value, and what that costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from doorward.identity.expressions.budget import CONTAINER, Budget
from doorward.identity.expressions.comparing import equal
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.expressions.ordering import ordered
from doorward.identity.expressions.values import Value, key, kind_of, members

Arguments = list[Value]
Method = Callable[[Value, Arguments, Budget], Value]

_LONGER = {
    "lower",
    "upper",
    "title",
    "capitalize",
    "casefold",
    "strip",
    "lstrip",
    "rstrip",
    "removeprefix",
    "removesuffix",
}
_ASKING = {
    "startswith",
    "endswith",
    "isdigit",
    "isalpha",
    "isalnum",
    "islower",
    "isupper",
    "isspace",
    "find",
    "rfind",
    "count",
}
_CUTTING = {"split", "rsplit", "splitlines", "partition", "rpartition"}


def method(value: Value, name: str) -> Method | None:
    """The method ``name`` of ``value``."""
    if isinstance(value, str):
        return _text_method(name)
    for kind, table in _TABLES.items():
        if isinstance(value, kind):
            return table.get(name)
    return None


def names(value: Value) -> list[str]:
    """All methods of ``value``, for messages."""
    if isinstance(value, str):
        return sorted(_LONGER | _ASKING | _CUTTING | {"join", "replace"})
    return sorted(next((table for kind, table in _TABLES.items() if isinstance(value, kind)), {}))


# --- texts


def _text_method(name: str) -> Method | None:
    if name in _LONGER or name in _CUTTING or name in _ASKING:
        return lambda text, arguments, budget: _plain(text, name, arguments, budget)
    return {"join": _join, "replace": _replace}.get(name)


def _plain(text: str, name: str, arguments: Arguments, budget: Budget) -> Value:
    """A method of ``str`` that looks at all of the text once. Upper case may be three times as long."""
    for each in arguments:
        _require(each, (str, int, tuple, type(None)), name)
    budget.look(len(text) * (1 + sum(len(each) for each in arguments if isinstance(each, tuple))))
    if name not in _ASKING:
        budget.make(3 * len(text) if name in _LONGER else CONTAINER + 9 * len(text))
    return getattr(text, name)(*arguments)


def _join(text: str, arguments: Arguments, budget: Budget) -> str:
    parts = [_require(each, (str,), "join") for each in members(_one("join", arguments), budget)]
    budget.make(sum(map(len, parts)) + len(text) * len(parts))
    return text.join(parts)


def _replace(text: str, arguments: Arguments, budget: Budget) -> str:
    old, new = (_require(each, (str,), "replace") for each in _exactly("replace", 2, arguments))
    budget.look(len(text))
    budget.make(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


# --- dicts


def _get(value: dict[Value, Value], arguments: Arguments, budget: Budget) -> Value:
    name, default = _with_default("get", arguments)
    return value.get(key(name, budget), default)


def _pop(value: dict[Value, Value], arguments: Arguments, budget: Budget) -> Value:
    name, default = _with_default("pop", arguments)
    return value.pop(key(name, budget), default)


def _set_default(value: dict[Value, Value], arguments: Arguments, budget: Budget) -> Value:
    name, default = _with_default("setdefault", arguments)
    budget.make(8)
    return value.setdefault(key(name, budget), default)


def _update(value: dict[Value, Value], arguments: Arguments, budget: Budget) -> None:
    more = _require(_one("update", arguments), (dict,), "update")
    budget.make(8 * len(more))
    value.update(more)


def _parts_of_dict(pick: Callable[[dict[Value, Value]], object]) -> Method:
    def parts(value: dict[Value, Value], arguments: Arguments, budget: Budget) -> list[Value]:
        _exactly("the method", 0, arguments)
        budget.make(CONTAINER + 16 * len(value))
        return list(pick(value))  # type: ignore[call-overload,no-any-return]

    return parts


def _copy(value: Value, arguments: Arguments, budget: Budget) -> Value:
    _exactly("copy", 0, arguments)
    budget.make(CONTAINER + 8 * len(value))
    return value.copy()


# --- lists


def _append(value: list[Value], arguments: Arguments, budget: Budget) -> None:
    budget.make(1)
    value.append(_one("append", arguments))


def _extend(value: list[Value], arguments: Arguments, budget: Budget) -> None:
    more = members(_one("extend", arguments), budget)
    budget.make(len(more))
    value.extend(more)


def _index(value: Value, arguments: Arguments, budget: Budget) -> int:
    wanted = _one("index", arguments)
    for position, each in enumerate(value):
        if equal(each, wanted, budget):
            return position
    raise ExpressionFailed("it is not in the list")


def _count(value: Value, arguments: Arguments, budget: Budget) -> int:
    wanted = _one("count", arguments)
    return sum(equal(each, wanted, budget) for each in value)


def _sort(value: list[Value], arguments: Arguments, budget: Budget) -> None:
    _exactly("sort", 0, arguments)
    value[:] = ordered(value, budget)


def _reverse(value: list[Value], arguments: Arguments, budget: Budget) -> None:
    _exactly("reverse", 0, arguments)
    budget.look(len(value))
    value.reverse()


def _take(value: list[Value], arguments: Arguments, budget: Budget) -> Value:
    place = arguments[0] if arguments else -1
    if not isinstance(place, int) or len(arguments) > 1 or not -len(value) <= place < len(value):
        raise ExpressionFailed("there is no such place in the list")
    budget.look(len(value))
    return value.pop(place)


# --- sets


def _add(value: set[Value], arguments: Arguments, budget: Budget) -> None:
    budget.make(8)
    value.add(key(_one("add", arguments), budget))


def _discard(value: set[Value], arguments: Arguments, budget: Budget) -> None:
    value.discard(key(_one("discard", arguments), budget))


def _set_method(name: str) -> Method:
    def combine(value: set[Value], arguments: Arguments, budget: Budget) -> Value:
        other = members(_one(name, arguments), budget)
        budget.make(CONTAINER + 8 * (len(value) + 2 * len(other)))
        return getattr(value, name)({key(each, budget) for each in other})

    return combine


# --- times and durations


def _time_method(name: str) -> Method:
    def ask(value: Value, arguments: Arguments, budget: Budget) -> Value:
        del budget
        _exactly(name, 0, arguments)
        return getattr(value, name)()

    return ask


_TABLES: dict[type | tuple[type, ...], dict[str, Method]] = {
    dict: {
        "get": _get,
        "pop": _pop,
        "setdefault": _set_default,
        "update": _update,
        "keys": _parts_of_dict(dict.keys),
        "values": _parts_of_dict(dict.values),
        "items": _parts_of_dict(dict.items),
        "copy": _copy,
    },
    list: {
        "append": _append,
        "extend": _extend,
        "index": _index,
        "count": _count,
        "sort": _sort,
        "reverse": _reverse,
        "pop": _take,
        "copy": _copy,
    },
    tuple: {"index": _index, "count": _count},
    set: {
        "add": _add,
        "discard": _discard,
        "copy": _copy,
        **{
            name: _set_method(name)
            for name in ("union", "intersection", "difference", "issubset", "issuperset", "isdisjoint")
        },
    },
    (datetime, date): {
        name: _time_method(name) for name in ("isoformat", "weekday", "isoweekday", "timestamp", "date")
    },
    timedelta: {"total_seconds": _time_method("total_seconds")},
}


def _one(name: str, arguments: Arguments) -> Value:
    return _exactly(name, 1, arguments)[0]


def _exactly(name: str, number: int, arguments: Arguments) -> Arguments:
    if len(arguments) != number:
        raise ExpressionFailed(f"{name} takes {number or 'no'} value{'s' if number != 1 else ''}, not {len(arguments)}")
    return arguments


def _with_default(name: str, arguments: Arguments) -> tuple[Value, Value]:
    if not 1 <= len(arguments) <= 2:
        raise ExpressionFailed(f"{name} takes a key and perhaps a default")
    return arguments[0], arguments[1] if len(arguments) > 1 else None


def _require(value: Value, kinds: tuple[type, ...], name: str) -> Value:
    if not isinstance(value, kinds):
        raise ExpressionFailed(f"{name} does not work with {kind_of(value)}")
    return value

"""What an expression may hold: plain data, and records of fields that were chosen one by one.

No value leads to a Python attribute, a class, a module or a function: a field of a ``Record`` is looked up in a table,
and what is not in the table does not exist (S-612).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from math import isfinite
from typing import TYPE_CHECKING, Any

from doorward.identity.expressions.budget import CONTAINER, Budget
from doorward.identity.expressions.errors import ExpressionFailed

if TYPE_CHECKING:
    from doorward.identity.expressions.calls import Call

Value = Any
"""One of the types below; ``admit`` lets nothing else in."""

SCALARS = (str, int, float, bool, type(None), datetime, date, timedelta)
ADDRESSES = (IPv4Address, IPv6Address, IPv4Network, IPv6Network)
DEEPEST = 30


@dataclass(frozen=True, slots=True)
class Function:
    """Something that can be called: by its name, or as the method of a record."""

    name: str
    call: Callable[[Call], Value]


@dataclass(frozen=True, slots=True)
class Record:
    """A thing with fields: a user, a group, a request. A field that is costly is a function, asked when it is read."""

    kind: str
    """What messages call it."""
    fields: Mapping[str, Value | Callable[[], Value]]
    methods: Mapping[str, Function] = field(default_factory=dict)

    def read(self, name: str) -> Value:
        """Raises ExpressionFailed for a field that it does not have."""
        if name in self.methods:
            return self.methods[name]
        if name not in self.fields:
            raise ExpressionFailed(
                f"{self.kind} has no “{name}”; it has {', '.join(sorted({*self.fields, *self.methods}))}"
            )
        found = self.fields[name]
        return found() if callable(found) else found


@dataclass(frozen=True, slots=True)
class Records:
    """Many records, in the shape that expressions written for authentik expect: ``.all()``, ``.filter(name="x")``."""

    kind: str
    read: Callable[[], tuple[Record, ...]]

    def __iter__(self) -> Iterator[Record]:
        return iter(self.read())


def admit(value: object, budget: Budget, depth: int = 0) -> Value:
    """A copy of ``value`` that an expression may hold and change; what is no plain data becomes text."""
    budget.step()
    if isinstance(value, (*SCALARS, *ADDRESSES, Record, Records, Function)):
        if isinstance(value, str):
            budget.make(len(value))
        return value
    if depth > DEEPEST:
        raise ExpressionFailed(f"a value is nested more than {DEEPEST} deep")
    if isinstance(value, Mapping):
        budget.make(CONTAINER + 8 * len(value))
        return {_key(name): admit(each, budget, depth + 1) for name, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        budget.make(CONTAINER + len(value))
        copied = [admit(each, budget, depth + 1) for each in value]
        return tuple(copied) if isinstance(value, tuple) else copied
    return str(value)


def released(value: Value, budget: Budget, depth: int = 0) -> object:
    """The plain data (JSON's types) of a result. Raises ExpressionFailed for what has none."""
    budget.step()
    if isinstance(value, float) and not isfinite(value):
        raise ExpressionFailed("the result is no number that can be written")
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, ADDRESSES):
        return str(value)
    if depth > DEEPEST:
        raise ExpressionFailed(f"the result is nested more than {DEEPEST} deep")
    if isinstance(value, dict):
        return {str(name): released(each, budget, depth + 1) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [released(each, budget, depth + 1) for each in value]
    if isinstance(value, set):
        return [released(each, budget, depth + 1) for each in sorted(value, key=repr)]
    raise ExpressionFailed(f"{kind_of(value)} cannot be a result; return a field of it")


def key(value: Value, budget: Budget) -> Value:
    """``value`` as the key of a dict or member of a set: a scalar, or a flat tuple of scalars, whose hash is cheap."""
    if isinstance(value, tuple) and all(isinstance(each, SCALARS) for each in value):
        budget.look(len(value))
        return value
    if isinstance(value, (*SCALARS, *ADDRESSES)):
        return value
    raise ExpressionFailed(f"{kind_of(value)} cannot be a key or a member of a set")


def _key(name: object) -> Value:
    return name if isinstance(name, SCALARS) else str(name)


def kind_of(value: Value) -> str:
    """For messages."""
    if value is None:
        return "None"
    if isinstance(value, (Record, Records)):
        return value.kind
    if isinstance(value, Function):
        return f"the function {value.name}"
    return _KINDS.get(type(value), type(value).__name__)


_KINDS: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    list: "a list",
    tuple: "a tuple",
    dict: "a dict",
    set: "a set",
    datetime: "a time",
    date: "a date",
    timedelta: "a duration",
}


def text_of(value: Value, budget: Budget) -> str:
    """How a scalar is written. Containers are not: their texts can be exponentially long."""
    if isinstance(value, str):
        return value
    if not isinstance(value, (*SCALARS, *ADDRESSES)):
        raise ExpressionFailed(f"{kind_of(value)} cannot be written as a text")
    written = str(value)
    budget.make(len(written))
    return written


def members(value: Value, budget: Budget) -> Sequence[Value]:
    """What a loop goes through, as it is now. Raises ExpressionFailed for what has no members."""
    if isinstance(value, (str, list, tuple, set, dict, range)):
        budget.make(len(value))
        return value if isinstance(value, (str, tuple, range)) else tuple(value)
    if isinstance(value, Records):
        return value.read()
    raise ExpressionFailed(f"{kind_of(value)} has no members to go through")

"""The queries of event matchers: comparisons of an event's fields, joined by ``and``, ``or``, ``not`` and parentheses.

    action = "login_failed" and (client_ip ~ "192.0.2." or user.username in ("akadmin", "root"))

A part of the language that authentik has for it. Fields are words joined by dots, which lead into ``user`` and
``context``; what an event does not have is None. A query is parsed when it is saved, and reads nothing but the event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from django.utils.translation import gettext as _

LONGEST = 4096
"""Characters of a query."""
DEEPEST = 20
"""Parentheses and ``not`` inside each other."""

Facts = Mapping[str, object]
Test = Callable[[Facts], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])"""
    r"""|(?P<word>[A-Za-z_]\w*(?:\.\w+)*)|(?P<sign>!=|>=|<=|!~|[=<>~(),]))""",
    re.ASCII,
)
_CONSTANTS = {"None": None, "True": True, "False": False}
_RESERVED = {"and", "or", "not", "in", "startswith", "endswith", *_CONSTANTS}


class QueryInvalid(ValueError):
    """No query; the message says what was expected where."""


def require_query(text: str) -> None:
    """Raises QueryInvalid."""
    parse(text)


@lru_cache(maxsize=256)
def parse(text: str) -> Test:
    """The test that ``text`` is. Raises QueryInvalid."""
    if len(text) > LONGEST:
        raise QueryInvalid(_("A query has at most %(value)s characters.") % {"value": LONGEST})
    parser = _Parser(_tokens(text))
    test = parser.alternatives(0)
    if parser.tokens:
        raise QueryInvalid(_("“%(tokens)s” was not expected there.") % {"tokens": parser.tokens[0][1]})
    return test


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise QueryInvalid(
                _("At “%(text)s”: no field, text, number or comparison.") % {"text": text[at : at + 20].strip()}
            )
        assert match.lastgroup is not None
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens

    def alternatives(self, depth: int) -> Test:
        tests = [self._conditions(depth)]
        while self._took("or"):
            tests.append(self._conditions(depth))
        return tests[0] if len(tests) == 1 else lambda facts: any(test(facts) for test in tests)

    def _conditions(self, depth: int) -> Test:
        tests = [self._condition(depth)]
        while self._took("and"):
            tests.append(self._condition(depth))
        return tests[0] if len(tests) == 1 else lambda facts: all(test(facts) for test in tests)

    def _condition(self, depth: int) -> Test:
        if depth > DEEPEST:
            raise QueryInvalid(_("At most %(value)s parentheses inside each other.") % {"value": DEEPEST})
        if self._took("not"):
            inner = self._condition(depth + 1)
            return lambda facts: not inner(facts)
        if self._took("("):
            inner = self.alternatives(depth + 1)
            self._need(")")
            return inner
        kind, field = self._next("a field")
        if kind != "word" or field in _RESERVED:
            raise QueryInvalid(_("A field such as action was expected, not “%(field)s”.") % {"field": field})
        return self._comparison(tuple(field.split(".")))

    def _comparison(self, path: tuple[str, ...]) -> Test:
        turned = self._took("not")
        sign = self._next("a comparison")[1]
        compare = _COMPARISONS.get(sign)
        if compare is None or (turned and sign not in ("in", "startswith", "endswith")):
            raise QueryInvalid(
                _("“%(sign)s” is no comparison. There are =, !=, <, >, <=, >=, ~, !~, in, startswith.") % {"sign": sign}
            )
        value = self._values() if sign == "in" else self._value()
        return lambda facts: compare(_read(facts, path), value) is not turned

    def _values(self) -> tuple[object, ...]:
        self._need("(")
        values = [self._value()]
        while self._took(","):
            values.append(self._value())
        self._need(")")
        return tuple(values)

    def _value(self) -> object:
        kind, text = self._next("a value")
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return float(text)
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        raise QueryInvalid(_("A text in quotes or a number was expected, not “%(text)s”.") % {"text": text})

    def _took(self, text: str) -> bool:
        if self.tokens and self.tokens[0][0] != "text" and self.tokens[0][1] == text:
            self.tokens.pop(0)
            return True
        return False

    def _need(self, text: str) -> None:
        if not self._took(text):
            there = self.tokens[0][1] if self.tokens else "the end"
            raise QueryInvalid(_("“%(text)s” was expected, not “%(there)s”.") % {"text": text, "there": there})

    def _next(self, what: str) -> tuple[str, str]:
        if not self.tokens:
            raise QueryInvalid(_("The query ends where %(what)s was expected.") % {"what": what})
        return self.tokens.pop(0)


def _read(facts: Facts, path: tuple[str, ...]) -> object:
    found: object = facts
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _same(found: object, value: object) -> bool:
    if isinstance(found, (int, float)) and not isinstance(found, bool) and isinstance(value, float):
        return float(found) == value
    return type(found) is type(value) and found == value


def _ordered(compare: Callable[[str | float, str | float], bool]) -> Callable[[object, object], bool]:
    def test(found: object, value: object) -> bool:
        if isinstance(found, str) and isinstance(value, str):
            return compare(found, value)
        numbers = isinstance(found, (int, float)) and not isinstance(found, bool) and isinstance(value, float)
        return numbers and compare(found, value)  # type: ignore[arg-type]  # both are numbers here

    return test


def _contains(found: object, value: object) -> bool:
    return isinstance(found, str) and isinstance(value, str) and value.casefold() in found.casefold()


def _texts(test: Callable[[str, str], bool]) -> Callable[[object, object], bool]:
    return lambda found, value: isinstance(found, str) and isinstance(value, str) and test(found, value)


_COMPARISONS: dict[str, Callable[[object, object], bool]] = {
    "=": _same,
    "!=": lambda found, value: not _same(found, value),
    "<": _ordered(lambda found, value: found < value),  # type: ignore[operator]
    ">": _ordered(lambda found, value: found > value),  # type: ignore[operator]
    "<=": _ordered(lambda found, value: found <= value),  # type: ignore[operator]
    ">=": _ordered(lambda found, value: found >= value),  # type: ignore[operator]
    "~": _contains,
    "!~": lambda found, value: not _contains(found, value),
    "in": lambda found, values: isinstance(values, tuple) and any(_same(found, value) for value in values),
    "startswith": _texts(str.startswith),
    "endswith": _texts(str.endswith),
}

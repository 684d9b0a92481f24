"""Parts of a configuration as Traefik's API writes them: what is set, under its name in camel case, and nothing that
is empty. Values that are secrets do not leave (S-617)."""

from __future__ import annotations

import re
from typing import Any

from pydantic.fields import FieldInfo

from doorward.config.section import Section, parse_duration
from doorward.messages.compiling import Json

REDACTED = "REDACTED"

_SECRET_KEYS = frozenset(("key", "users", "password", "secret", "token", "keyfile"))
_SECRET_FIELD = re.compile(r"(?i)authorization|cookie|token|secret|password|api-?key|credential")


def shown(part: Section, *always: str) -> Json:
    """``part`` without what was not written, except the fields ``always`` (in Python's spelling)."""
    found: Json = {}
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        said = name in part.model_fields_set
        if name not in always and (not said or _is_empty(value)):
            continue
        alias = field.alias or name
        found[alias] = _value(alias, value, field)
    return found


def _is_empty(value: object) -> bool:
    return value is None or value is False or value == 0 or value == () or value == {} or value == ""


def _value(name: str, value: object, field: FieldInfo) -> Any:
    if name.lower() in _SECRET_KEYS and value:
        return [REDACTED] * len(value) if isinstance(value, tuple) else REDACTED
    if isinstance(value, Section):
        return shown(value)
    if isinstance(value, tuple):
        return [shown(each) if isinstance(each, Section) else each for each in value]
    if isinstance(value, dict):
        return {key: _entry(key, each) for key, each in value.items()}
    if isinstance(value, float) and is_duration(field):
        return go_duration(value)
    return value


def _entry(key: str, value: object) -> Any:
    if isinstance(value, Section):
        return shown(value)
    return REDACTED if isinstance(value, str) and value and _SECRET_FIELD.search(key) else value


def is_duration(field: FieldInfo) -> bool:
    """Whether a number of the field is seconds."""
    return any(getattr(each, "func", None) is parse_duration for each in field.metadata) or (
        "parse_duration" in repr(field.annotation)
    )


def go_duration(seconds: float) -> str:
    """``90.0`` as ``1m30s``, the way Traefik writes it."""
    nanoseconds = round(seconds * 1e9)
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1000), ("ms", 1_000_000)):
        if nanoseconds < size * 1000:
            return f"{_number(nanoseconds / size)}{unit}"
    minutes, rest = divmod(nanoseconds, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    text = f"{_number(rest / 1e9)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{hours}h{text}" if hours else text


def _number(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")

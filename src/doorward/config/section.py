"""The parent of every configuration type, and the value types that Traefik's files use.

Keys are written in camel case and matched without regard to case; a key that the type does not have is an error
(see ``decode``). ``refused`` holds the keys that Traefik knows and Doorward does not take, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from doorward.config.problems import NOT_YET


class Section(BaseModel):
    """A mapping with fixed keys."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        extra="forbid",
        frozen=True,
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
    )

    refused: ClassVar[Mapping[str, str]] = {}


def not_yet(*names: str) -> dict[str, str]:
    """``refused`` entries for options of Traefik that wait for their turn."""
    return dict.fromkeys(names, NOT_YET)


T = TypeVar("T")


def without_at(objects: dict[str, T]) -> dict[str, T]:
    """``@`` separates name and provider; in a name it could pretend to be another provider's object (S-717).

    Raises ValueError.
    """
    wrong = [name for name in objects if "@" in name or not name]
    if wrong:
        raise ValueError(f"names must not be empty or contain @: {', '.join(map(repr, wrong))}")
    return objects


_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(value: object) -> float:
    """Seconds from ``10``, ``"10"``, ``"1h30m"`` or ``"100ms"``. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a duration such as 10s, 500ms or 1h30m, or a number of seconds")
    if isinstance(value, int | float) or re.fullmatch(r"[0-9]{1,12}(?:\.[0-9]{1,9})?", value, re.ASCII):
        seconds = float(value)
    else:
        parts = _DURATION_PART.findall(value)
        if not parts or "".join(number + unit for number, unit in parts) != value:
            raise ValueError("must be a duration such as 10s, 500ms or 1h30m, or a number of seconds")
        seconds = round(sum(float(number) * _UNITS[unit] for number, unit in parts), 9)
    if not 0 <= seconds <= 10 * 365 * 86400:
        raise ValueError("must be a duration between 0 and ten years")
    return seconds


def _text(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _flag(value: object) -> object:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def lower_text(value: object) -> object:
    """``Keep`` and ``KEEP`` are ``keep``."""
    return value.lower() if isinstance(value, str) else value


def upper_text(value: object) -> object:
    """``debug`` and ``Debug`` are ``DEBUG``."""
    return value.upper() if isinstance(value, str) else value


def _names(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Text = Annotated[str, BeforeValidator(_text)]
"""Text; numbers and true/false written without quotes are taken as written."""

Flag = Annotated[bool, BeforeValidator(_flag)]
"""true or false, and no other word."""

WithCommas = BeforeValidator(_names)
"""A list may be written as one text with commas."""

Names = Annotated[tuple[Text, ...], WithCommas]
"""A list, or one text with commas."""

Duration = Annotated[float, BeforeValidator(parse_duration)]
"""Seconds."""

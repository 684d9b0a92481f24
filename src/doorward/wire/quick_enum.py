"""Enumerations whose members are looked up with every request.

CPython 3.11 finds a member through ``__getattr__``, after failing to find an attribute: ten times the cost of one.
Later versions keep members as attributes, and so does this.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

E = TypeVar("E", bound=type[Enum])


def quick(enumeration: E) -> E:
    """Class decorator: keep the members of ``enumeration`` as plain attributes of it."""
    for name, member in enumeration.__members__.items():
        type.__setattr__(enumeration, name, member)
    return enumeration

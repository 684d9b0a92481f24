"""What a directory says about somebody, and how it is asked for by value."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_VALUE = 16 * 1024
"""Bytes. Pictures and the like are left out."""
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@ ")


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of a directory."""

    dn: str
    values: Mapping[str, tuple[bytes, ...]]
    """By attribute, as the server spells it."""

    def all(self, attribute: str) -> tuple[str, ...]:
        """The attribute's values as text; in any spelling of its name (RFC 4512 section 2.5)."""
        wanted = attribute.casefold()
        for name, values in self.values.items():
            if name.casefold() == wanted:
                return tuple(text for value in values if (text := as_text(name, value)))
        return ()

    def first(self, attribute: str) -> str:
        """The attribute's first value; empty when it has none."""
        return next(iter(self.all(attribute)), "")

    def plain(self) -> dict[str, object]:
        """As mappings see it: one value as text, several as a list, and ``dn``."""
        found: dict[str, object] = {}
        for name in self.values:
            texts = self.all(name)
            if texts:
                found[name] = texts[0] if len(texts) == 1 else list(texts)
        return {**found, "dn": self.dn}


def as_text(attribute: str, value: bytes) -> str:
    """A value for people: Active Directory's binary identifiers in their usual form; empty for what is no text."""
    match attribute.casefold():
        case "objectsid" | "securityidentifier":
            return _sid(value)
        case "objectguid":
            return str(uuid.UUID(bytes_le=value)) if len(value) == 16 else value.decode("ascii", "replace")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return ""
    return "" if "\0" in text else text


def escaped(value: str) -> str:
    """``value`` so that it is only a value inside a filter (RFC 4515 section 3): no wildcard, no bracket."""
    return "".join(chr(byte) if byte in _PLAIN else f"\\{byte:02x}" for byte in value.encode("utf-8", "replace"))


def is_below(dn: str, base: str) -> bool:
    """Whether ``dn`` is ``base`` or stands below it, spelling and spaces aside."""
    one, other = folded_dn(dn), folded_dn(base)
    return not other or one == other or one.endswith("," + other)


def folded_dn(dn: str) -> str:
    """The form under which two names of one object are the same: lower case, no spaces around ``,`` and ``=``."""
    parts: list[str] = [""]
    after_backslash = False
    for character in dn:
        if character == "," and not after_backslash:
            parts.append("")
        else:
            parts[-1] += character
        after_backslash = character == "\\" and not after_backslash
    return ",".join("=".join(side.strip() for side in part.split("=", 1)) for part in parts).casefold()


def _sid(value: bytes) -> str:
    """``S-1-5-21-…`` (MS-DTYP section 2.4.2); text stays text."""
    if value[:2] == b"S-":
        return value.decode("ascii", "replace")
    if len(value) < 8 or value[0] != 1 or len(value) != 8 + 4 * value[1]:
        return ""
    authority = int.from_bytes(value[2:8], "big")
    return "-".join(["S-1", str(authority), *map(str, struct.unpack(f"<{value[1]}I", value[8:]))])

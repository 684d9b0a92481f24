"""Host names in the one form in which they are compared.

Lower case, no trailing dot, port apart: ``APP.example.test.:443`` and ``app.example.test`` are the same place when
the scheme says https (S-216). Whatever is no host name or address is refused instead of repaired.
"""

from __future__ import annotations

import re
from typing import NamedTuple

DEFAULT_PORTS = {"http": 80, "https": 443}
PLAIN = {"ws": "http", "wss": "https"}
"""The scheme of the origin that a WebSocket belongs to."""

_AUTHORITY = re.compile(r"([a-z0-9_](?:[a-z0-9._-]{0,253})|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?", re.ASCII)

_NUMBERS = re.compile(r"[0-9.]+", re.ASCII)


class Place(NamedTuple):
    """A host name and the port that was written, if one was."""

    name: str
    port: int | None


def parse_authority(text: str) -> Place | None:
    """``host[:port]`` normalised, or None when it is not one."""
    match = _AUTHORITY.fullmatch(text.lower())
    if match is None:
        return None
    name = match[1].removesuffix(".")
    port = int(match[2]) if match[2] else None
    if ".." in name or not name or (port is not None and not 0 < port < 65536):
        return None
    return Place(name, port)


def origin_of(place: Place, scheme: str) -> str:
    """``scheme://host[:port]``; the scheme's own port is left out."""
    return f"{scheme}://{place.name}" + ("" if place.port in (None, DEFAULT_PORTS[scheme]) else f":{place.port}")


def is_name(text: str) -> bool:
    """Whether ``text`` is a host name without a port, and no address."""
    return parse_authority(text) == Place(text, None) and _NUMBERS.fullmatch(text) is None and text[0] != "["


def is_under(name: str, domain: str) -> bool:
    """Whether the host ``name`` is ``domain`` or lies under it, by whole labels (S-308)."""
    return name == domain or name.endswith("." + domain)

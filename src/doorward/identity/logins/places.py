"""Where on earth, and in which network, an address is: by databases in MaxMind's format that the operator supplies.

Without them (``identity.geoip``) nothing is known of any address, and whoever asks must be content with that. Files are
mapped, not read; one that was replaced (they come anew every week) is opened again within a minute.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from maxminddb import Reader

_LOOK_EVERY = 60.0
"""Seconds between two looks at whether a file was replaced."""
_log = logging.getLogger("doorward.places")


@dataclass(frozen=True, slots=True)
class Place:
    """What the databases say about an address; empty where they say nothing."""

    asn: int = 0
    asn_network: str = ""
    """The announced network that the address is in, such as ``192.0.2.0/24``."""
    asn_name: str = ""
    continent: str = ""
    """Two letters, like the country's."""
    country: str = ""
    city: str = ""
    latitude: float | None = None
    """Degrees; None with ``longitude`` where the databases do not say."""
    longitude: float | None = None


NOWHERE = Place()


@dataclass(slots=True)
class _File:
    path: str
    reader: Reader | None = None
    seen: tuple[int, int] = (0, 0)
    """Inode and time of the file that is open."""
    looked: float = field(default=float("-inf"))


_lock = threading.Lock()
_files: dict[str, _File] = {}


def look(address: str | None) -> Place:
    """The place of ``address``. Never raises: a database that cannot be read says nothing, and the log says why."""
    if not address or not settings.GEOIP:
        return NOWHERE
    found: dict[str, Any] = {}
    network = ""
    for path in settings.GEOIP:
        record, prefix = _ask(path, address)
        if "autonomous_system_number" in record:
            network = str(ipaddress.ip_network((address, prefix), strict=False))
        found.update(record)
    return Place(
        asn=int(found.get("autonomous_system_number") or 0),
        asn_network=network,
        asn_name=str(found.get("autonomous_system_organization") or ""),
        continent=_word(found, "continent", "code"),
        country=_word(found, "country", "iso_code"),
        city=_city(found),
        latitude=_degrees(found, "latitude", 90),
        longitude=_degrees(found, "longitude", 180),
    )


def is_known() -> bool:
    """Whether there is any database at all."""
    return bool(settings.GEOIP)


def _ask(path: str, address: str) -> tuple[dict[str, Any], int]:
    reader = _reader(path)
    if reader is None:
        return {}, 0
    try:
        record, prefix = reader.get_with_prefix_len(address)
    except ValueError:  # an IPv6 address, and a database of IPv4; or the file is damaged
        return {}, 0
    return (record, prefix) if isinstance(record, dict) else ({}, 0)


def _reader(path: str) -> Reader | None:
    from maxminddb import MODE_MMAP, InvalidDatabaseError, open_database

    with _lock:
        file = _files.setdefault(path, _File(path))
        if time.monotonic() - file.looked < _LOOK_EVERY:
            return file.reader
        file.looked = time.monotonic()
        try:
            now = Path(path).stat()
            if file.reader is None or (now.st_ino, now.st_mtime_ns) != file.seen:
                file.reader = open_database(path, MODE_MMAP)
                file.seen = (now.st_ino, now.st_mtime_ns)
        except (OSError, InvalidDatabaseError, ValueError) as error:
            # The one that is open goes on: a mapped file lives as long as somebody has it.
            _log.error("the database of places %s cannot be read: %s", path, error)
        return file.reader


def _word(found: dict[str, Any], part: str, name: str) -> str:
    inner = found.get(part)
    return str(inner.get(name) or "") if isinstance(inner, dict) else ""


def _degrees(found: dict[str, Any], name: str, most: int) -> float | None:
    inner = found.get("location")
    value = inner.get(name) if isinstance(inner, dict) else None
    return float(value) if isinstance(value, (int, float)) and abs(value) <= most else None


def _city(found: dict[str, Any]) -> str:
    city = found.get("city")
    if not isinstance(city, dict):
        return ""
    names = city.get("names")
    name = names.get("en") if isinstance(names, dict) else None
    return str(name or city.get("geoname_id") or "")

"""An event's proof: an HMAC over all that it says, made when it is written.

The key is derived from ``secret.key``, which does not lie in the database: whoever can only write the database can
neither change an event nor make one up without its proof being wrong. The content is written down in one way only, so
that both databases give back what was proved: keys sorted, whole numbers without a fraction, times in UTC.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.conf import settings

from doorward.identity.crypto import vault

if TYPE_CHECKING:
    from doorward.identity.events.models import Event

PURPOSE = "events-chain"


def proof_of(event: Event, number: int | None = None) -> str:
    """64 hex digits. ``number``: of its link in the chain; None while it has none."""
    return mac(b"event", content(event), number=number)


def mac(purpose: bytes, *parts: bytes, number: int | None = None) -> str:
    """A keyed hash of ``parts``, each with its length, so that none can grow into its neighbour."""
    keyed = hmac.new(key_of(number), purpose, hashlib.sha256)
    for part in parts:
        keyed.update(b"|%d|" % len(part) + part)
    return keyed.hexdigest()


def key_of(number: int | None) -> bytes:
    """The key of the link with this number; None: the one with which proofs are made now.

    Where ``secret.key`` was exchanged, the links until then keep the key they had. Whoever has come by that one still
    cannot write them anew: the first link after them covers the last, with a key that they do not have.
    """
    if number is not None:
        for kept in settings.INSTALLATION_KEYS.kept_for(PURPOSE):
            if number <= kept.until:
                key: bytes = kept.key
                return key
    return vault.derived_key(PURPOSE)


def same(one: str | None, other: str | None) -> bool:
    """Compared in constant time (S-814); nothing is no proof."""
    return bool(one and other) and hmac.compare_digest(str(one), str(other))


def content(event: Event) -> bytes:
    """Everything that the event says, always in the same bytes."""
    facts = {
        "id": event.pk.hex,
        "action": event.action,
        "app": event.app,
        "user": _plain(event.user),
        "context": _plain(event.context),
        "client_ip": ipaddress.ip_address(event.client_ip).exploded if event.client_ip else None,
        "brand": _plain(event.brand),
        "created": time(event.created),
        "expires": time(event.expires),
    }
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def time(moment: datetime) -> str:
    """To the microsecond, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _plain(value: object) -> object:
    """PostgreSQL's jsonb gives 1e3 back as 1000: what is whole is written as a whole number here."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value

"""What the redirect to the login says: where it comes back to, whose clock, which page is remembered."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

_STATE_LIVES = 900
"""Seconds after which a state of ours ends: its end tells the outpost's clock."""


@dataclass(frozen=True, slots=True)
class LoginRedirect:
    """An authorization request (RFC 6749 section 4.1.1) as it stands in a ``Location``."""

    location: str
    issuer: str
    """Origin of the login page."""
    redirect_uri: str
    state: str
    unverified_state: dict[str, Any]

    @property
    def back(self) -> str:
        """Origin that the login comes back to."""
        return origin_of(self.redirect_uri)

    @property
    def outpost_clock(self) -> float | None:
        """Unix seconds, by the outpost's clock, of the moment in which the redirect was made."""
        ends = self.unverified_state.get("exp")
        return float(ends) - _STATE_LIVES if isinstance(ends, int | float) else None

    @property
    def remembered_path(self) -> str | None:
        """Path of the page that is returned to; None where the state does not tell."""
        wanted = self.unverified_state.get("redirect")
        return urlsplit(wanted).path or "/" if isinstance(wanted, str) and wanted else None


def read(location: str) -> LoginRedirect | None:
    """The authorization request in ``location``, if it is one."""
    parts = urlsplit(location)
    query = parse_qs(parts.query)
    if not all(name in query for name in ("client_id", "redirect_uri", "response_type")):
        return None
    state = query.get("state", [""])[0]
    return LoginRedirect(location, origin_of(location), query["redirect_uri"][0], state, _claims(state))


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = (parts.hostname or "").lower()
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port and parts.port != default else "")


def _claims(token: str) -> dict[str, Any]:
    """What a JWT says; nothing of it is believed, it only helps to explain."""
    pieces = token.split(".")
    if len(pieces) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(pieces[1] + "=" * (-len(pieces[1]) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}

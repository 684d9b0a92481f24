"""The ``claims`` parameter (OpenID Connect Core section 5.5): single claims by name, for userinfo or the ID token.

It can only ask for what the scopes of the client could tell anyway: the names choose, the mappings say. Values matter
for two claims alone, ``sub`` (whom the request is about) and ``acr`` (how sure the client must be of them).
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct

LONGEST = 4000
"""Characters of the parameter."""
MOST = 50
"""Claims by name, in each of the two places."""
_NAME = re.compile(r"[A-Za-z0-9_.:/#-]{1,100}")
_RESERVED_HERE = frozenset({"sub", "acr"})


class Malformed(ValueError):
    """The parameter is not what the specification says."""


class ClaimsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left of the parameter once it has been read."""

    userinfo: tuple[str, ...] = ()
    id_token: tuple[str, ...] = ()
    sub: str = ""
    """The request is about this user only."""
    acr: tuple[str, ...] = ()
    acr_essential: bool = False
    """Without one of ``acr`` the client wants no login at all."""

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.userinfo) | frozenset(self.id_token)


class _Asked(Struct, frozen=True):
    """As it is sent."""

    userinfo: dict[str, dict[str, Any] | None] | None = None
    id_token: dict[str, dict[str, Any] | None] | None = None


NOTHING = ClaimsRequest()


def read(text: str) -> ClaimsRequest:
    """Raises Malformed."""
    if not text:
        return NOTHING
    if len(text) > LONGEST:
        raise Malformed("too long")
    try:
        # Members that nobody knows are ignored.
        asked = msgspec.json.decode(text, type=_Asked)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed("not a JSON object of objects") from error
    userinfo, id_token = asked.userinfo or {}, asked.id_token or {}
    acr = id_token.get("acr") or {}
    return ClaimsRequest(
        userinfo=_names(userinfo),
        id_token=_names(id_token),
        sub=_subject(userinfo, id_token),
        acr=_texts(acr),
        acr_essential=acr.get("essential") is True,
    )


def stored(asked: ClaimsRequest) -> dict[str, Any] | None:
    """As a code or token keeps it; None for nothing."""
    kept: dict[str, Any] = {"userinfo": list(asked.userinfo), "id_token": list(asked.id_token)}
    return kept if asked.names else None


def restored(kept: object) -> ClaimsRequest:
    if not isinstance(kept, dict):
        return NOTHING
    return ClaimsRequest(userinfo=tuple(kept.get("userinfo", ())), id_token=tuple(kept.get("id_token", ())))


def _names(place: dict[str, Any]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name for name in place if name not in _RESERVED_HERE))
    if len(names) > MOST:
        raise Malformed("too many claims")
    return tuple(name for name in names if _NAME.fullmatch(name))


def _subject(*places: dict[str, Any]) -> str:
    said = {value for place in places for value in _texts(place.get("sub") or {})}
    if len(said) > 1:
        raise Malformed("about more than one user")
    return next(iter(said), "")


def _texts(claim: dict[str, Any]) -> tuple[str, ...]:
    """``value`` and ``values`` of a claim, where they are texts."""
    values = claim.get("values", [])
    if not isinstance(values, list):
        raise Malformed("values is no list")
    return tuple(value for value in (claim.get("value"), *values[:MOST]) if isinstance(value, str))

"""A session as a worker keeps it: a million of them have to fit, so what many have alike is there once.

What was decoded holds on to the whole message that it came in, as long as a part of it is left as it was written
(``user_attributes``). That part is copied, so that the message with both tokens can go.
"""

from __future__ import annotations

import msgspec

from doorward.messages.sessions import Claims, ProxySession

_MOST_COMMON = 1000
_NOTHING = Claims("").user_attributes
_TIMES = ("access_expires", "access_issued", "last_seen", "good_until")
"""Often 0, which is one object then."""
_common: dict[tuple[str, ...], tuple[str, ...]] = {}


def slim(session: ProxySession, id_hash: bytes, *, keeps_tokens: bool) -> ProxySession:
    """``session``, whose id is ``id_hash``: the very object under which it is looked for."""
    claims, tokens = session.claims, {} if keeps_tokens else {"access_token": "", "id_token": ""}
    never: dict[str, float] = {name: 0.0 for name in _TIMES if not getattr(session, name)}
    attributes = claims.user_attributes
    slender = msgspec.structs.replace(
        claims,
        groups=_shared(claims.groups),
        entitlements=_shared(claims.entitlements),
        acr=_shared((claims.acr,))[0],
        amr=_shared(claims.amr),
        user_attributes=_NOTHING if bytes(attributes) == bytes(_NOTHING) else attributes.copy(),
    )
    return msgspec.structs.replace(session, id_hash=id_hash, claims=slender, **tokens, **never)


def _shared(names: tuple[str, ...]) -> tuple[str, ...]:
    known = _common.get(names)
    if known is None:
        known = names
        if len(_common) < _MOST_COMMON:
            _common[names] = names
    return known

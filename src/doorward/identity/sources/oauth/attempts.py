"""Logins through a source that have begun in this browser: state, nonce and verifier of each, in the login session.

An attempt is found by its state, taken once, bound to its session and its source, and good for ten minutes.
"""

from __future__ import annotations

import hmac
import secrets
import time

import msgspec
from django.contrib.sessions.backends.base import SessionBase
from msgspec import Struct

from doorward.identity.sources.models import Source

KEY = "sources.attempts"
MOST = 5
LONGEST = 600
"""Seconds."""


class Attempt(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    source: str
    state: str
    nonce: str
    verifier: str
    next: str = ""
    """Validated path on this host."""
    flow: str = ""
    """Slug of the flow whose page it began on."""
    connecting: int | None = None
    """The user who connects their account, from their own pages."""
    forced: bool = False
    """Whoever it is has to prove anew who they are."""
    started: float


_decoder = msgspec.json.Decoder(tuple[Attempt, ...])


def begin(
    session: SessionBase,
    source: Source,
    *,
    next_url: str = "",
    flow: str = "",
    connecting: int | None = None,
    forced: bool = False,
) -> Attempt:
    attempt = Attempt(
        source=str(source.pk),
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        next=next_url,
        flow=flow,
        connecting=connecting,
        forced=forced,
        started=time.time(),
    )
    _write(session, (*_read(session), attempt)[-MOST:])
    return attempt


def take(session: SessionBase, source: Source, state: str) -> Attempt | None:
    """The attempt with this state, which is over by being taken; None if this browser has begun none such."""
    attempts = _read(session)
    found = next((each for each in attempts if hmac.compare_digest(each.state.encode(), state.encode())), None)
    if found is None:
        return None
    _write(session, tuple(each for each in attempts if each is not found))
    return found if found.source == str(source.pk) else None


def _read(session: SessionBase) -> tuple[Attempt, ...]:
    text = session.get(KEY, "")
    try:
        attempts = _decoder.decode(text) if isinstance(text, str) and text else ()
    except msgspec.DecodeError:
        return ()
    oldest = time.time() - LONGEST
    return tuple(each for each in attempts if each.started >= oldest)


def _write(session: SessionBase, attempts: tuple[Attempt, ...]) -> None:
    session[KEY] = msgspec.json.encode(attempts).decode()

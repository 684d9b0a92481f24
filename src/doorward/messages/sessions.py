"""Proxy sessions, and the questions that the data plane puts to whoever keeps them.

Every question is one ``POST /rpc/<name>`` on the identity child's private Unix socket: the body is the MessagePack
form of the struct, the answer is the struct named in the docstring (204 with an empty body where it says nothing).
"""

from __future__ import annotations

import msgspec
from msgspec import Struct


# A worker keeps a million of these: nothing in them can refer back to them, so the collector need not walk through.
class Claims(Struct, frozen=True, omit_defaults=True, gc=False):
    """What the outpost keeps of the tokens (``contracts/outpost.md`` section 9)."""

    sub: str
    sid: str = ""
    """SHA-256 (hex) of the login session's key: which login at the identity provider this came from."""
    preferred_username: str = ""
    name: str = ""
    email: str = ""
    groups: tuple[str, ...] = ()
    entitlements: tuple[str, ...] = ()
    is_superuser: bool = False
    user_attributes: msgspec.Raw = msgspec.Raw(b"\x80")
    """The ``ak_proxy.user_attributes`` object, still MessagePack: only header building looks inside."""
    headers: tuple[tuple[str, str], ...] = ()
    """More request fields for the application (``messages.outposts.ClaimHeader``), in the order of their rules."""
    acr: str = ""
    """How sure the issuer was of the person at the login (OpenID Connect Core section 2), from the ID token of the
    login itself: renewed tokens change nothing about it, nor about ``amr`` and ``auth_time``."""
    amr: tuple[str, ...] = ()
    """By which methods they logged in (RFC 8176)."""
    auth_time: float = 0.0
    """Unix seconds of the login; 0: the issuer does not say."""


CREDENTIALS_DIFFER = bytes(32)
"""Among the ids of what has ended, and nobody's: what is remembered of programs' credentials may be wrong."""
PROGRAMS_IN_DOUBT = b"\xff" * 32
"""The same, and whether those may stay that have something open has to be asked."""


class ProxySession(Struct, frozen=True, gc=False):
    """One browser's login at one proxy provider."""

    id_hash: bytes
    """SHA-256 of the cookie's 256-bit random id; the id itself is nowhere stored."""
    provider: int
    claims: Claims
    access_token: str
    """JWT, sent to the application as ``X-authentik-jwt``."""
    id_token: str
    created: float
    expires: float
    """Unix seconds; absolute."""
    refresh_token: str = ""
    """With which the issuer renews ``access_token``; empty where it gives none. Never leaves the server."""
    access_expires: float = 0.0
    """Unix seconds; when ``access_token`` must have been renewed. Means something with a ``refresh_token`` only."""
    access_issued: float = 0.0
    """Unix seconds; when ``access_token`` came. 0: not known."""
    last_seen: float = 0.0
    """Unix seconds; when a request last passed with it, as far as its keeper has heard (``SessionsSeen``). 0: its
    keeper does not know."""
    good_until: float = 0.0
    """Unix seconds after which its keeper must be asked again whether it lets anybody in: a rule about time decides.
    0: nothing but an end that is told."""
    good_at: str = ""
    """The one client address at which it lets in, where a rule about addresses decides; empty: from everywhere."""


class FindSession(Struct, frozen=True):
    """rpc/find-session → ProxySession, or 404; 404 also where it does not let in now, from this address."""

    id_hash: bytes
    provider: int
    client_ip: str = ""
    """Of the request that brings it; empty where there is none."""


class CreateSession(Struct, frozen=True):
    """rpc/create-session → 204; 409 if this login state was used before; 410 if the login session, the user or
    the access right that it stands on is gone by now (S-310, S-325)."""

    session: ProxySession
    state_id: str
    state_expires: float


class ClaimRenewal(Struct, frozen=True):
    """rpc/claim-renewal → 204 for the one worker that may use the session's refresh token now; 409 for the others
    until ``until``; 404 when there is no such session (any more) (S-326)."""

    id_hash: bytes
    provider: int
    claim: str
    """Names the refresh token: 64 hex digits."""
    until: float


class RenewSession(Struct, frozen=True):
    """rpc/renew-session → 204; 404 when the session has ended meanwhile, or who it is of may no longer enter. Puts
    new tokens and claims in the place of the old ones; when the session ends stays as it was."""

    session: ProxySession


class Seen(Struct, frozen=True, array_like=True):
    id_hash: bytes
    at: float
    """Unix seconds of the last request that passed."""


class SessionsSeen(Struct, frozen=True):
    """rpc/sessions-seen → 204. Said about once a minute by each worker, of the sessions that were used since."""

    seen: tuple[Seen, ...]


class EndSession(Struct, frozen=True):
    """rpc/end-session → 204. Ends this one session."""

    id_hash: bytes
    provider: int


class EndSubject(Struct, frozen=True):
    """rpc/end-subject → 204. Ends every proxy session of the person, in all providers (sign-out)."""

    subject: str


class KeepUrl(Struct, frozen=True):
    """rpc/keep-url → 204. Keeps a requested URL that is too long to travel in the login state. Bounded: at most
    1000 are kept, the oldest goes first, each for 15 minutes (S-331, S-917)."""

    key: str
    url: str


class TakeUrl(Struct, frozen=True):
    """rpc/take-url → KeptUrl, or 404."""

    key: str


class KeptUrl(Struct, frozen=True):
    url: str


class ReportMisconfiguration(Struct, frozen=True):
    """rpc/report → 204. A ``configuration_error`` event (``contracts/outpost.md`` section 12.4); the reporter
    holds it to one a minute per message (S-918)."""

    message: str
    provider: int | None = None
    client_ip: str = ""
    url: str = ""
    count: int = 1
    request_id: str = ""
    """Of the last of them: ``doorward explain`` has its record."""


class Presence(Struct, frozen=True):
    """A process of an outpost that runs elsewhere."""

    uid: str
    """Random, of this process."""
    version: str
    hostname: str


class FetchState(Struct, frozen=True):
    """rpc/state → IdentityState. Asked by the control side whenever the database has changed, and by outposts elsewhere
    every second."""

    since: int
    presence: Presence | None = None
    """Who asks, if it is an outpost elsewhere."""


class IdentityState(Struct, frozen=True):
    """What the data plane must know, from the change log position ``since`` on."""

    position: int
    ended_sessions: tuple[bytes, ...]
    """id_hash of every proxy session that ended after ``since``; ``all_ended`` when the log no longer reaches back."""
    all_ended: bool
    configuration: bytes
    """MessagePack of ``OutpostConfiguration``; empty when nothing in it changed after ``since``."""

"""What the outpost needs from elsewhere; assembly plugs it in.

Two ports: whoever keeps the proxy sessions, and the way to the identity provider's token endpoint. Both may fail,
and then they say so with the errors below: the outpost answers 503 and never lets a request pass for it.
"""

from __future__ import annotations

from typing import Protocol

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.sessions import ProxySession, ReportMisconfiguration


class StateUsed(Exception):
    """This login state was used before: a login is completed once."""


class LoginGone(Exception):
    """The login session, the person or the access right behind this login is gone by now (S-325)."""


class StoreUnavailable(Exception):
    """The store could not be asked, or gave no usable answer."""


class IdentityUnreachable(Exception):
    """The identity provider could not be asked, or gave no usable answer."""


class SessionStore(Protocol):
    """Keeps proxy sessions. Every method raises StoreUnavailable."""

    async def find(self, id_hash: bytes, provider: int, client_ip: str = "") -> ProxySession | None:
        """The live session with this id at this provider, or None; also where it does not let in from ``client_ip``.

        What the answer says about how long, and at which address, it is good must be kept to."""
        ...

    async def create(self, session: ProxySession, state_id: str, state_expires: float) -> None:
        """Keep ``session`` and mark the login state as used, in one step. Raises StateUsed, LoginGone."""
        ...

    async def claim_renewal(self, id_hash: bytes, provider: int, claim: str, until: float) -> bool:
        """Whether the caller, and until ``until`` (Unix seconds) nobody else, may use the refresh token that
        ``claim`` names. False also when there is no such session."""
        ...

    async def renew(self, session: ProxySession) -> bool:
        """Put the new tokens and claims in the session's place; False when it has ended."""
        ...

    async def end(self, id_hash: bytes, provider: int) -> None:
        """End this one session; no error when there is none."""
        ...

    async def end_subject(self, subject: str) -> None:
        """End every proxy session of the person, at all providers. Once it returns, no worker finds one."""
        ...

    async def keep_url(self, key: str, url: str) -> None:
        """Keep a requested URL that is too long for the login state, for 15 minutes."""
        ...

    async def take_url(self, key: str) -> str | None:
        """Give that URL back and forget it; None when it is not there (any more)."""
        ...

    async def report(self, report: ReportMisconfiguration) -> None:
        """Make an event of something that an administrator must know."""
        ...


class IdentityChannel(Protocol):
    """The back channel to the identity provider."""

    async def fetch(self, question: HttpQuestion, url: str) -> HttpAnswer:
        """Put ``question`` to ``url``; redirects are not followed. Raises IdentityUnreachable."""
        ...

"""Programs that bring their credentials with every request (``contracts/outpost.md`` section 7).

What the issuer said is believed for ten seconds at most and forgotten whenever anything changes that could make it
untrue. The key of what is remembered covers credential, provider and client address, each with its length before it,
under a random key of this process (S-328). No session and no cookie come of it.

Trying out is slow: wrong credentials are counted per provider and client address, and what was wrong is remembered as
well, so that a program with an old password asks the issuer six times a minute and not with every request.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import secrets
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from doorward.messages.sessions import ProxySession
from doorward.outpost import credential, identity_headers
from doorward.outpost.application import Application
from doorward.outpost.credential import AppPassword, BearerToken
from doorward.outpost.machine_logins import CredentialRefused, MachineLogins
from doorward.outpost.ports import IdentityUnreachable
from doorward.outpost.sessions.cache import Known, Program
from doorward.outpost.verified_login import VerifiedLogin
from doorward.outpost.visit import Visit

log = logging.getLogger(__name__)

BELIEVED_FOR = 10.0
"""Seconds (``contracts/security.md`` section 3)."""
MAX_FAILURES = 20
"""Wrong credentials from one address at one provider within ``WINDOW``; after that nothing is tried."""
WINDOW = 300.0
"""Seconds."""
MAX_CHECKS = 64
"""Questions to the issuer at one time, of all programs together (S-919)."""
CONSUMED_FIELD = b"X-Doorward-Consumed"
"""On a yes: names the request field that was for us. The proxy does not hand it on to the application."""
_MAX_REMEMBERED = 10_000
_MAX_QUESTIONS = 3


class Rejection(Enum):
    """Why a program is not let in."""

    WRONG = "wrong"
    TOO_MANY = "too many"
    """Too many wrong ones came from this address."""
    UNCHECKED = "unchecked"
    """The issuer could not be asked."""


@dataclass(slots=True)
class _Remembered:
    outcome: Known | Rejection
    until: float


class Machines:
    """Recognises programs."""

    def __init__(self, logins: MachineLogins, now: Callable[[], float]) -> None:
        self._logins = logins
        self._now = now
        self._key = secrets.token_bytes(32)
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Known | Rejection]] = {}
        self._failures: OrderedDict[tuple[int, str], deque[float]] = OrderedDict()
        self._changes = 0
        """Grows whenever something changed: an answer from before is not believed."""

    def changed(self) -> None:
        """Something changed that could make a credential good or bad."""
        self._changes += 1
        self._remembered.clear()

    def recognise(self, visit: Visit) -> Known | Rejection | Awaitable[Known | Rejection]:
        """Who sends the ``Authorization`` field of ``visit``."""
        application, address = visit.application, visit.client_ip
        key = self._key_of(visit, address)
        known = self._remembered.get(key)
        if known is not None and known.until > self._now():
            return known.outcome
        asking = self._asking.get(key)
        if asking is None:
            given = credential.read(visit.fields.raw("authorization"))
            if given is None:
                return Rejection.WRONG
            if self._failed_too_often(application.provider.pk, address):
                return Rejection.TOO_MANY
            if len(self._asking) >= MAX_CHECKS:
                return Rejection.UNCHECKED
            asking = asyncio.ensure_future(self._ask(key, application, given, address))
            self._asking[key] = asking
            asking.add_done_callback(lambda done: self._answered(key, done))
        # Shielded: the first client going away must not fail the others that wait for the same answer.
        return asyncio.shield(asking)

    async def _ask(
        self, key: bytes, application: Application, given: AppPassword | BearerToken, address: str
    ) -> Known | Rejection:
        at_first = self._changes
        for _ in range(_MAX_QUESTIONS):
            began, changes = self._now(), self._changes
            outcome, until = await self._ask_once(application, given, address)
            if changes == self._changes:
                break
        else:
            return Rejection.UNCHECKED
        if outcome is Rejection.WRONG:
            self._count_failure(application.provider.pk, address)
        until = min(until, began + BELIEVED_FOR)
        if until > self._now() and at_first == self._changes:
            self._remember(key, _Remembered(outcome, until))
        return outcome

    async def _ask_once(
        self, application: Application, given: AppPassword | BearerToken, address: str
    ) -> tuple[Known | Rejection, float]:
        """The outcome, and until when it can be true at most."""
        try:
            login = await self._logins.recognise(application, given, address)
        except CredentialRefused as refused:
            log.info("credentials at %r are refused: %s", application.provider.name, refused)
            return Rejection.WRONG, math.inf
        except IdentityUnreachable as error:
            log.error("credentials at %r could not be checked: %s", application.provider.name, error)
            return Rejection.UNCHECKED, 0.0
        return _known(application, login, given.id_hash), login.access_expires

    def _answered(self, key: bytes, done: asyncio.Task[Known | Rejection]) -> None:
        self._asking.pop(key, None)
        if not done.cancelled():
            done.exception()  # looked at, so that a question whose askers all left is not reported as an error

    def _remember(self, key: bytes, remembered: _Remembered) -> None:
        self._remembered[key] = remembered
        self._remembered.move_to_end(key)
        if len(self._remembered) > _MAX_REMEMBERED:
            self._remembered.popitem(last=False)

    def _key_of(self, visit: Visit, address: str) -> bytes:
        digest = hashlib.blake2b(key=self._key, digest_size=32)
        provider = visit.application.provider.pk
        for part in (str(provider).encode(), address.encode("utf-8", "replace"), visit.fields.raw("authorization")):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
        return digest.digest()

    def _failed_too_often(self, provider: int, address: str) -> bool:
        times = self._failures.get((provider, address))
        if times is None:
            return False
        while times and self._now() - times[0] >= WINDOW:
            times.popleft()
        return len(times) >= MAX_FAILURES

    def _count_failure(self, provider: int, address: str) -> None:
        place = (provider, address)
        self._failures.setdefault(place, deque(maxlen=MAX_FAILURES)).append(self._now())
        self._failures.move_to_end(place)
        if len(self._failures) > _MAX_REMEMBERED:
            self._failures.popitem(last=False)


def _known(application: Application, login: VerifiedLogin, id_hash: bytes) -> Program:
    """Nothing of this is stored; the id lets the proxy cut what is open when the credential ends."""
    session = ProxySession(
        id_hash=id_hash,
        provider=application.provider.pk,
        claims=login.claims,
        access_token=login.access_token,
        id_token="",
        created=0.0,
        expires=login.access_expires,
    )
    headers = (*identity_headers.build(session, application), (CONSUMED_FIELD, b"Authorization"))
    return Program(session, application, headers)

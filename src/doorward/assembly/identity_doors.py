"""What the outpost needs of the identity provider, over the identity child's Unix sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.sessions import (
    ClaimRenewal,
    CreateSession,
    EndSession,
    EndSubject,
    FindSession,
    KeepUrl,
    KeptUrl,
    ProxySession,
    RenewSession,
    ReportMisconfiguration,
    TakeUrl,
)
from doorward.net.client import Client, Origin, TooLarge, Unreachable
from doorward.outpost.ports import IdentityUnreachable, LoginGone, StateUsed, StoreUnavailable

PATIENCE = 5.0
"""Seconds for one question; the database's own patience is as long (S-806)."""

T = TypeVar("T")


Ask = Callable[[str, msgspec.Struct], Awaitable[HttpAnswer]]
"""Puts a question of ``messages.sessions`` by its name. Raises StoreUnavailable when there is no usable answer."""


class SocketQuestions:
    """Asks the identity child on its private socket."""

    def __init__(self, client: Client, socket: str) -> None:
        self._client = client
        self._origin = Origin("unix", path=socket)

    async def __call__(self, name: str, question: msgspec.Struct) -> HttpAnswer:
        http = HttpQuestion(
            b"POST", b"/rpc/" + name.encode(), ((b"Host", b"identity"),), msgspec.msgpack.encode(question)
        )
        try:
            answer = await self._client.fetch(http, self._origin, timeout=PATIENCE, max_body=1 << 20)
        except (Unreachable, TooLarge) as error:
            raise StoreUnavailable(f"the identity provider's process did not answer {name}: {error}") from error
        if answer.status >= 500 or answer.status == 400:
            raise StoreUnavailable(f"the identity provider's process answered {name} with {answer.status}")
        return answer


class RpcSessionStore:
    """``SessionStore`` kept by the identity provider's database (``messages.sessions``)."""

    def __init__(self, ask: Ask, told: Callable[[], Awaitable[None]]) -> None:
        """``told`` returns when every worker has heard of the sessions that have ended by now."""
        self._ask = ask
        self._told = told

    async def find(self, id_hash: bytes, provider: int, client_ip: str = "") -> ProxySession | None:
        answer = await self._ask("find-session", FindSession(id_hash, provider, client_ip))
        return _decoded(answer, ProxySession) if answer.status == 200 else None

    async def create(self, session: ProxySession, state_id: str, state_expires: float) -> None:
        answer = await self._ask("create-session", CreateSession(session, state_id, state_expires))
        if answer.status == 409:
            raise StateUsed
        if answer.status != 204:
            raise LoginGone

    async def claim_renewal(self, id_hash: bytes, provider: int, claim: str, until: float) -> bool:
        return (await self._ask("claim-renewal", ClaimRenewal(id_hash, provider, claim, until))).status == 204

    async def renew(self, session: ProxySession) -> bool:
        return (await self._ask("renew-session", RenewSession(session))).status == 204

    async def end(self, id_hash: bytes, provider: int) -> None:
        await self._ask("end-session", EndSession(id_hash, provider))

    async def end_subject(self, subject: str) -> None:
        await self._ask("end-subject", EndSubject(subject))
        await self._told()

    async def keep_url(self, key: str, url: str) -> None:
        await self._ask("keep-url", KeepUrl(key, url))

    async def take_url(self, key: str) -> str | None:
        answer = await self._ask("take-url", TakeUrl(key))
        return _decoded(answer, KeptUrl).url if answer.status == 200 else None

    async def report(self, report: ReportMisconfiguration) -> None:
        await self._ask("report", report)


def _decoded(answer: HttpAnswer, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(answer.body, type=kind)
    except msgspec.DecodeError as error:
        raise StoreUnavailable(f"the identity provider's process gave no {kind.__name__}") from error


class LocalIssuerChannel:
    """``IdentityChannel`` to our own identity provider: its public address, dialled inside, at a door of our own."""

    def __init__(self, client: Client, socket: str, external_url: str) -> None:
        self._client = client
        self._origin = Origin("unix", path=socket)
        self._external_url = external_url

    async def fetch(self, question: HttpQuestion, url: str) -> HttpAnswer:
        """Send ``question`` to ``url``, whose path and query replace the question's target."""
        if not url.startswith(self._external_url + "/"):
            raise IdentityUnreachable(f"{url} is not at this identity provider ({self._external_url})")
        scheme, _, authority = self._external_url.partition("://")
        headers = (
            *(header for header in question.headers if header[0].lower() != b"host"),
            (b"Host", authority.encode()),
            (b"X-Forwarded-Proto", scheme.encode()),
            (b"X-Forwarded-Host", authority.encode()),
        )
        target = url[len(self._external_url) :].encode()
        inner = HttpQuestion(question.method, target, headers, question.body)
        try:
            return await self._client.fetch(inner, self._origin, timeout=10.0, max_body=1 << 20)
        except (Unreachable, TooLarge) as error:
            raise IdentityUnreachable(f"the identity provider's process did not answer: {error}") from error

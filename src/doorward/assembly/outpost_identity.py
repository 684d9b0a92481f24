"""The way from an outpost to its Doorward identity provider elsewhere: questions with the outpost's token, and the
issuer's endpoints, both at the address that the configuration names.

Inside a network that address is often another one than browsers know (``http://doorward:9000``): the identity provider
is then called by the name under which it knows itself.
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import msgspec

from doorward.assembly.outpost_channel import PATIENCE, origin_of
from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.standalone import Reach
from doorward.net.client import Client, TooLarge, Unreachable
from doorward.outpost.ports import IdentityUnreachable, StoreUnavailable

PREFIX = "/api/v3/outposts/data-plane/"
LARGEST = 64 << 20
"""Bytes of an answer."""
REST = 1.0
"""Seconds for which an identity provider that could not be reached is not asked by anybody but the one who looks
whether it is back."""


class TokenRefused(StoreUnavailable):
    """The identity provider does not take the token: there is no such outpost (any more)."""


class RemoteQuestions:
    """Puts the questions of ``messages.sessions``."""

    def __init__(self, client: Client, reach: Reach, token: str) -> None:
        self._client = client
        self.use(reach, token)

    def use(self, reach: Reach, token: str) -> None:
        """From now on this is the way, and the token."""
        self._reach = reach
        self._token = token.encode()
        self._rests_until = 0.0

    async def __call__(self, name: str, question: msgspec.Struct) -> HttpAnswer:
        """Raises StoreUnavailable."""
        if time.monotonic() < self._rests_until:
            raise StoreUnavailable("the identity provider could not be reached a moment ago")
        return await self.look(name, question)

    async def look(self, name: str, question: msgspec.Struct) -> HttpAnswer:
        """The same, however it went the last time."""
        parts = urlsplit(self._reach.url)
        host = parts.netloc if parts.scheme == "https" else "localhost"
        headers = (
            (b"Host", host.encode()),
            (b"Authorization", b"Bearer " + self._token),
            (b"Content-Type", b"application/msgpack"),
        )
        target = f"{parts.path.rstrip('/')}{PREFIX}{name}".encode()
        http = HttpQuestion(b"POST", target, headers, msgspec.msgpack.encode(question))
        try:
            origin = origin_of(self._reach, self._reach.url)
            answer = await self._client.fetch(http, origin, timeout=PATIENCE, max_body=LARGEST)
        except (Unreachable, TooLarge, ValueError) as error:
            self._rests_until = time.monotonic() + REST
            raise StoreUnavailable(f"the identity provider cannot be reached: {error}") from error
        if answer.status in (401, 403):
            raise TokenRefused("the identity provider does not take the outpost's token")
        if answer.status >= 500 or answer.status in (400, 429) or (answer.status == 404 and not _is_ours(answer)):
            raise StoreUnavailable(f"the identity provider answered {name} with {answer.status}")
        self._rests_until = 0.0
        return answer


def _is_ours(answer: HttpAnswer) -> bool:
    """A 404 that answers the question, and is not somebody else's page."""
    return any(name.lower() == b"content-type" and value == b"application/msgpack" for name, value in answer.headers)


class RemoteIssuerChannel:
    """``IdentityChannel`` to the same identity provider."""

    def __init__(self, client: Client, reach: Reach) -> None:
        self._client = client
        self.reach = reach

    async def fetch(self, question: HttpQuestion, url: str) -> HttpAnswer:
        """``url`` is one of its own, as browsers know it. Raises IdentityUnreachable."""
        parts = urlsplit(url)
        headers = (
            *(header for header in question.headers if header[0].lower() != b"host"),
            (b"Host", parts.netloc.encode()),
            (b"X-Forwarded-Proto", parts.scheme.encode()),
            (b"X-Forwarded-Host", parts.netloc.encode()),
        )
        inner = HttpQuestion(question.method, question.target, headers, question.body)
        try:
            origin = origin_of(self.reach, self.reach.url)
            return await self._client.fetch(inner, origin, timeout=PATIENCE, max_body=1 << 20)
        except (Unreachable, TooLarge, ValueError) as error:
            raise IdentityUnreachable(f"the identity provider did not answer: {error}") from error

"""Auth servers for the tests: one that is a call, one on a real socket. Both say what they are told to say."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from doorward.messages.http import Header, HttpAnswer, HttpQuestion
from doorward.messages.routing import ForwardAuth
from doorward.proxy.middlewares.bulkhead import Bulkheads
from doorward.proxy.middlewares.forward_auth import ForwardAuthMiddleware
from doorward.proxy.pending import Pending
from doorward.proxy.ports import ForwardAuthority
from doorward.proxy.request import Request

ADDRESS = "http://auth.test:9/verify?from=proxy"


class Said:
    """A ``ForwardAuthority`` that gives one answer and remembers the questions."""

    def __init__(self, answer: HttpAnswer | Exception) -> None:
        self.answer = answer
        self.questions: list[HttpQuestion] = []

    def still(self, answer: HttpAnswer, path: bytes, query: bytes | None) -> bool:
        return False

    def regards(self, name: bytes) -> bool:
        return True

    def ask(self, question: HttpQuestion) -> HttpAnswer:
        self.questions.append(question)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @property
    def question(self) -> HttpQuestion:
        return self.questions[-1]


def forward_auth(authority: ForwardAuthority, **options: object) -> ForwardAuthMiddleware:
    """A middleware with these options, its address ``ADDRESS`` unless given."""
    given: dict[str, object] = {"name": "auth@file", "address": ADDRESS, **options}
    return ForwardAuthMiddleware.build(ForwardAuth(**given), authority, Bulkheads())  # type: ignore[arg-type]


async def entered(middleware: ForwardAuthMiddleware, request: Request) -> HttpAnswer | None:
    """The outcome, waited for if it has to be."""
    outcome = middleware.enter(request)
    if isinstance(outcome, Pending):
        arrived = asyncio.Event()
        outcome.then(arrived.set)
        await arrived.wait()
        outcome = middleware.enter(request)
    assert not isinstance(outcome, Pending)
    return outcome if outcome is None or isinstance(outcome, HttpAnswer) else await outcome


def asked(question: HttpQuestion) -> dict[str, list[str]]:
    """The fields of a question by name."""
    fields: dict[str, list[str]] = {}
    for name, value in question.headers:
        fields.setdefault(name.decode().lower(), []).append(value.decode("latin-1"))
    return fields


def wire(answer: HttpAnswer) -> bytes:
    """``answer`` as a server writes it."""
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in answer.headers)
    framing = b"" if answer.status in (204, 304) else b"Content-Length: %d\r\n" % len(answer.body)
    return b"HTTP/1.1 %d X\r\n%b%b\r\n%b" % (answer.status, lines, framing, answer.body)


@asynccontextmanager
async def listening(
    reply: bytes | Callable[[asyncio.StreamWriter], object], tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server on loopback: its port, and the heads that it was sent. ``reply`` is what it writes, or what it does."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                if isinstance(reply, bytes):
                    writer.write(reply)
                    await writer.drain()
                else:
                    reply(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], heads
    finally:
        server.close()


IDENTITY: tuple[Header, ...] = (
    (b"X-authentik-username", b"bob"),
    (b"X-authentik-uid", b"u1"),
    (b"X-authentik-groups", b"staff"),
)

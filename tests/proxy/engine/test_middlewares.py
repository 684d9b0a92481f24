"""Middlewares see a request on its way in and its response on its way out, and may end it or wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from doorward.messages.http import HttpAnswer
from doorward.proxy.request import Request, ResponseHead
from proxy.engine.application import Conversation, Recorded
from proxy.engine.stage import Stage, eventually, get


class Marks:
    """Notes its name in the request and in the response."""

    def __init__(self, name: bytes, outcome: HttpAnswer | None = None, later: bool = False) -> None:
        self._name = name
        self._outcome = outcome
        self._later = later

    def enter(self, request: Request) -> HttpAnswer | Awaitable[HttpAnswer | None] | None:
        request.headers = [*request.headers, (b"X-In", self._name)]
        return self._wait() if self._later else self._outcome

    def leave(self, request: Request, response: ResponseHead) -> None:
        response.headers.append((b"X-Out", self._name))

    async def _wait(self) -> HttpAnswer | None:
        await asyncio.sleep(0.01)
        return self._outcome


async def test_in_order_and_out_in_reverse(stage: Stage) -> None:
    """Waiting ones included."""
    await stage.start(stage.routes(Marks(b"a"), Marks(b"b", later=True), Marks(b"c")))
    client = await stage.client()

    answer = await client.ask(get())

    assert stage.application.requests[0].values(b"x-in") == [b"a", b"b", b"c"]
    assert answer.values(b"x-out") == [b"c", b"b", b"a"]


async def test_a_middleware_may_answer(stage: Stage) -> None:
    """Those before it see the answer, the application does not see the request."""
    denial = HttpAnswer(401, ((b"WWW-Authenticate", b"Basic"),), b"no")
    for later in (False, True):
        routes = stage.routes(Marks(b"a"), Marks(b"b", denial, later), Marks(b"c"))
        if stage.engine is None:
            await stage.start(routes)
        stage.engine.use(routes)
        client = await stage.client()

        answer = await client.ask(get())

        assert (answer.status, answer.body, answer.values(b"x-out")) == (401, b"no", [b"a"])
        assert answer.values(b"content-length") == [b"2"]
    assert stage.application.requests == []


async def test_head_gets_the_head_of_an_answer(stage: Stage) -> None:
    """With its Content-Length and without its body."""
    await stage.start(stage.routes(Marks(b"a", HttpAnswer(403, (), b"denied"))))
    client = await stage.client()

    answer = await client.ask(b"HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n", b"HEAD")

    assert answer.values(b"content-length") == [b"6"]
    assert (await client.ask(get())).body == b"denied"


async def test_a_denied_upload_is_told_at_once(stage: Stage) -> None:
    """With Expect: the final answer, no 100, no body, and the connection ends."""  # S-033
    await stage.start(stage.routes(Marks(b"a", HttpAnswer(302, ((b"Location", b"https://auth.test/"),)))))
    client = await stage.client()

    answer = await client.ask(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")

    assert answer.raw.startswith(b"HTTP/1.1 302 Found\r\n")
    assert answer.values(b"connection") == [b"close"]
    assert await client.closed()


async def test_a_response_field_that_would_split_is_500(stage: Stage) -> None:
    """Nothing of it goes out, and the connection goes on."""  # S-045
    await stage.start(stage.routes(Marks(b"x\r\nSet-Cookie: a=b")))
    client = await stage.client()

    answer = await client.ask(get())

    assert answer.status == 500
    assert b"Set-Cookie" not in answer.raw


async def test_a_request_field_that_would_split_is_500(stage: Stage) -> None:
    """The application gets nothing."""  # S-045 S-113

    class Splits(Marks):
        def leave(self, request: Request, response: ResponseHead) -> None: ...

    await stage.start(stage.routes(Splits(b"Zoe\nX-authentik-groups: admins")))
    client = await stage.client()

    assert (await client.ask(get())).status == 500
    assert stage.application.requests == []


async def test_a_body_may_be_read_on_the_way(stage: Stage) -> None:
    """A middleware that reads the body leaves it for the application; the client is invited to send it."""

    class Reads(Marks):
        async def _wait(self) -> HttpAnswer | None:
            assert self.request.read_body is not None
            self.request.body = await self.request.read_body(100)
            return None

        def enter(self, request: Request) -> HttpAnswer | Awaitable[HttpAnswer | None] | None:
            self.request = request
            return self._wait()

    await stage.start(stage.routes(Reads(b"a")))
    client = await stage.client()

    await client.send(b"POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    answer = await client.ask(b"hello")
    chunked = await client.ask(
        b"POST /p HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )

    assert (answer.body, chunked.body) == (b"/p\nhello", b"/p\nabc")
    assert stage.application.requests[1].values(b"content-length") == [b"3"]


async def test_a_client_that_leaves_cancels_the_wait(stage: Stage) -> None:
    """The sub-request of a client that has gone is not finished, and nothing is forwarded."""  # S-305
    cancelled = asyncio.Event()

    class Waits(Marks):
        async def _wait(self) -> HttpAnswer | None:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                cancelled.set()
                raise
            return None

    await stage.start(stage.routes(Waits(b"a", later=True)))
    client = await stage.client()

    await client.send(get())
    await asyncio.sleep(0.05)
    client.close()

    await asyncio.wait_for(cancelled.wait(), 3)
    assert stage.application.requests == []


async def test_requests_keep_the_routes_they_started_with(stage: Stage) -> None:
    """New routes are for new requests; the one under way ends as it began."""
    release = asyncio.Event()

    async def held(request: Recorded, conversation: Conversation) -> bytes:
        await release.wait()
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    stage.application.handler = held
    await stage.start(stage.routes(Marks(b"old")))
    first, second = await stage.client(), await stage.client()
    await first.send(get())
    await eventually(lambda: len(stage.application.requests) == 1)

    stage.engine.use(stage.routes(Marks(b"new")))
    await second.send(get())
    release.set()

    assert (await first.answer()).values(b"x-out") == [b"old"]
    assert (await second.answer()).values(b"x-out") == [b"new"]
    assert stage.application.connections == 2

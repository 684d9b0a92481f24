"""Services that live in the worker get whole requests and give whole answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from doorward.messages import routing as messages
from doorward.messages.http import HttpAnswer
from doorward.proxy.request import Request
from proxy.engine.stage import Stage, get


class Mirror:
    """Answers with what it was asked, at once or later."""

    def answer(self, request: Request, body: bytes) -> HttpAnswer | Awaitable[HttpAnswer]:
        answer = HttpAnswer(200, ((b"Content-Type", b"text/plain"),), request.path + b" " + body)
        return self._later(answer) if request.path == b"/later" else answer

    async def _later(self, answer: HttpAnswer) -> HttpAnswer:
        await asyncio.sleep(0.01)
        return answer


async def start(stage: Stage) -> None:
    stage.internals["mirror@internal"] = Mirror()
    await stage.start(stage.routes(service=messages.Internal("mirror@internal")))


async def test_at_once_and_later(stage: Stage) -> None:
    """Both on one connection, pipelined."""
    await start(stage)
    client = await stage.client()

    await client.send(get(b"/now") + get(b"/later") + get(b"/now"))

    assert [(await client.answer()).body for _ in range(3)] == [b"/now ", b"/later ", b"/now "]


async def test_bodies_are_whole(stage: Stage) -> None:
    """Sized and chunked, in pieces."""
    await start(stage)
    client = await stage.client()

    await client.send(b"POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 6\r\n\r\nabc")
    await asyncio.sleep(0.02)
    sized = await client.ask(b"def")
    chunked = await client.ask(
        b"POST /b HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n2\r\nyz\r\n0\r\n\r\n"
    )

    assert (sized.body, chunked.body) == (b"/a abcdef", b"/b xyz")


async def test_more_than_a_megabyte_is_413(stage: Stage) -> None:
    """Whether it is announced or not."""
    await start(stage)
    one, other = await stage.client(), await stage.client()

    announced = await one.ask(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1048577\r\n\r\n")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    streamed = await other.ask(b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 17)

    assert (announced.status, streamed.status) == (413, 413)


async def test_large_answers_are_whole(stage: Stage) -> None:
    """Four megabytes from memory."""

    class Large:
        def answer(self, request: Request, body: bytes) -> HttpAnswer:
            return HttpAnswer(200, (), b"x" * (4 << 20))

    stage.internals["large@internal"] = Large()
    await stage.start(stage.routes(service=messages.Internal("large@internal")))
    client = await stage.client()

    assert len((await client.ask(get())).body) == 4 << 20
    assert len((await client.ask(get())).body) == 4 << 20

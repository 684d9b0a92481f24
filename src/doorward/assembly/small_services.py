"""The worker's own small answers: health, ping, metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from doorward.messages.http import HttpAnswer
from doorward.proxy.request import Request

TEXT = (b"Content-Type", b"text/plain; charset=utf-8")
NO_STORE = (b"Cache-Control", b"no-store")


class Health:
    """``/-/health/live/`` and ``/-/health/ready/``: 200 with an empty body, 204 to HEAD; 503 until ready."""

    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready

    def answer(self, request: Request, body: bytes) -> HttpAnswer:
        if request.path not in (b"/-/health/live/", b"/-/health/ready/"):
            return HttpAnswer(404, (TEXT,), b"404 page not found\n")
        if request.method not in (b"GET", b"HEAD"):
            return HttpAnswer(405, ((b"Allow", b"GET, HEAD"),))
        if request.path == b"/-/health/ready/" and not self._ready():
            return HttpAnswer(503, (NO_STORE, (b"Retry-After", b"1")))
        return HttpAnswer(204 if request.method == b"HEAD" else 200, (NO_STORE,))


class Ping:
    """``ping@internal``: fixed text, nothing of the request in it (S-232); 503 as soon as the worker is to stop."""

    def __init__(self, stopping: Callable[[], bool] = lambda: False) -> None:
        self._stopping = stopping

    def answer(self, request: Request, body: bytes) -> HttpAnswer:
        if self._stopping():
            return HttpAnswer(503, (TEXT,), b"Service Unavailable")
        return HttpAnswer(200, (TEXT,), b"OK")


class MetricsPage:
    """``prometheus@internal``: the sum over all workers, which the control process keeps."""

    def __init__(self, wanted: Callable[[], bool]) -> None:
        self._wanted = wanted
        self._waiting: list[asyncio.Future[bytes]] = []

    def answer(self, request: Request, body: bytes) -> Awaitable[HttpAnswer]:
        return self._answer()

    async def _answer(self) -> HttpAnswer:
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if not self._wanted():
            return HttpAnswer(503, (TEXT,), b"the control process is not connected; try again in a second\n")
        self._waiting.append(future)
        try:
            text = await asyncio.wait_for(future, 2.0)
        except TimeoutError:
            return HttpAnswer(503, (TEXT,), b"the control process did not answer within two seconds\n")
        return HttpAnswer(200, ((b"Content-Type", b"text/plain; version=0.0.4; charset=utf-8"),), text)

    def arrived(self, text: bytes) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(text)

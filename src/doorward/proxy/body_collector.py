"""A request body that somebody wants in memory: collected up to a limit and within a minute."""

from __future__ import annotations

import asyncio

from doorward.messages.http import Header
from doorward.proxy.downstream import Downstream
from doorward.proxy.request import BodyTooLarge
from doorward.wire.http1.errors import Rejected

MAX_TIME = 60.0
"""Seconds for a whole body that is buffered by us (security contract, section 3)."""


class BodyTooSlow(Rejected):
    """The body did not arrive within ``MAX_TIME``: 408 where nobody says otherwise."""

    def __init__(self) -> None:
        super().__init__(408, "body_timeout")


async def collect_body(downstream: Downstream, limit: int) -> bytes:
    """The whole body. Raises BodyTooLarge, BodyTooSlow."""
    length = downstream.head.body_length
    if length == 0:
        return b""
    if length is not None and length > limit:
        raise BodyTooLarge
    collector = _Collector(limit)
    downstream.invite_body()
    downstream.want_body(collector)
    try:
        async with asyncio.timeout(MAX_TIME):
            return await collector.body
    except TimeoutError as error:
        raise BodyTooSlow from error


class _Collector:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self.body: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def body_data(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= self._limit:
            self._pieces.append(data)
        elif not self.body.done():
            self._pieces.clear()
            self.body.set_exception(BodyTooLarge())

    def body_trailers(self, trailers: tuple[Header, ...]) -> None:
        """Lost: what is collected goes on in one piece, with its length."""

    def body_ended(self) -> None:
        if not self.body.done():
            self.body.set_result(b"".join(self._pieces))

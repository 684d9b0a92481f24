"""The client of a mirrored request: it asks, and throws away what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from doorward.messages.http import Header
from doorward.proxy.downstream import BodyReceiver, TunnelEnd
from doorward.proxy.exchange import Exchange
from doorward.proxy.request import Request
from doorward.proxy.services.part import Part, hand_over
from doorward.wire.http1.errors import UnsafeField
from doorward.wire.http1.write import BlockMemory

TIMEOUT = 30.0
"""Seconds that a mirror has for everything."""
MAX_ANSWER = 1 << 20
"""Bytes that are read to keep the connection; beyond them closing it is cheaper."""


class MirrorClient:
    """A ``Downstream`` without anybody behind it. Its request's body is there as a whole, or there is none."""

    def __init__(self, original: Exchange, request: Request, done: Callable[[], None]) -> None:
        """``done`` is called once, when the mirror is not at work any more."""
        self.head = original.downstream.head
        self.forwarded = BlockMemory()
        self._exchange = original.apart(self, request)
        self._done: Callable[[], None] | None = done
        self._received = 0
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, part: Part) -> None:
        """Once."""
        self._timer = asyncio.get_running_loop().call_later(TIMEOUT, self._give_up)
        try:
            hand_over(self._exchange, part)
        except Exception:
            self._give_up()
            raise

    def start_response(self, status: int, reason: bytes, headers: list[Header], length: int | None) -> None:
        """Not looked at."""

    def inform(self, status: int, reason: bytes, headers: list[Header]) -> None:
        """Not looked at."""

    def send(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > MAX_ANSWER:
            self._give_up()

    def flush(self) -> None:
        """Nothing is gathered."""

    def trail(self, trailers: tuple[Header, ...]) -> None:
        """Not looked at."""

    def finish(self) -> None:
        self._end()

    def abort(self) -> None:
        self._end()

    def want_body(self, receiver: BodyReceiver) -> None:
        receiver.body_ended()

    def invite_body(self) -> None:
        """There is no body to invite."""

    def let_body_rest(self) -> None:
        """See ``invite_body``."""

    def hold_body(self) -> None:
        """See ``invite_body``."""

    def release_body(self) -> None:
        """See ``invite_body``."""

    def start_tunnel(self, headers: list[Header], end: TunnelEnd) -> bytes:
        """A mirror is never asked for one. Raises UnsafeField."""
        raise UnsafeField("tunnel")

    def tunnel_send(self, data: bytes) -> None:
        """See ``start_tunnel``."""

    def tunnel_close(self) -> None:
        self._end()

    def tunnel_hold(self) -> None:
        """See ``start_tunnel``."""

    def tunnel_release(self) -> None:
        """See ``start_tunnel``."""

    def _give_up(self) -> None:
        self._exchange.client_gone()
        self._end()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        done, self._done = self._done, None
        if done is not None:
            done()

"""A WebSocket between client and application: after a valid 101, bytes go both ways as they are.

The tunnel ends when either side closes, when nothing moved for an hour, when the worker stops (1001) or when the
proxy session that opened it ends (1008): then a close frame is put between two of the application's frames, if there
is a between, and the connection is cut.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from doorward.messages.http import Header
from doorward.net.upstream import UpstreamConnection, UpstreamError
from doorward.proxy.request import Request
from doorward.wire.http1.errors import UnsafeField
from doorward.wire.http1.response import ReceivedHead
from doorward.wire.websocket import GOING_AWAY, POLICY_VIOLATION, FrameBoundary, accept_value, close_frame

if TYPE_CHECKING:
    from doorward.proxy.exchange import Exchange

IDLE_TIMEOUT = 3600.0
"""Seconds."""


def accepts_handshake(request: Request, head: ReceivedHead) -> bool:
    """``head`` (a 101) answers this very handshake (RFC 6455 section 4.2.2, S-229)."""
    if not request.websocket or b"websocket" not in head.upgrade:
        return False
    accepted = [value for name, value in head.headers if name.lower() == b"sec-websocket-accept"]
    return accepted == [accept_value(request.first(b"sec-websocket-key") or b"")]


class Tunnel:
    """A ``ServiceRun``, the client's ``TunnelEnd`` and the server's ``Receiver``."""

    def __init__(self, exchange: Exchange, connection: UpstreamConnection) -> None:
        self._exchange = exchange
        self._downstream = exchange.downstream
        self._connection: UpstreamConnection | None = connection
        self._boundary = FrameBoundary()
        self._moved = time.monotonic()
        self._leaving = False

    def open(self, headers: list[Header]) -> None:
        """Answer the client's handshake as the application did, and connect the two."""
        connection = self._connection
        assert connection is not None
        from_server = connection.switch(self)
        self._exchange.run = self
        answer = [*self._exchange.tunnel(headers), (b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
        try:
            from_client = self._downstream.start_tunnel(answer, self)
        except UnsafeField:
            self._cut()
            return
        if from_client:
            self.client_data(from_client)
        if from_server:
            self.response_data(from_server)

    # --- from the client ---

    def client_data(self, data: bytes) -> None:
        self._moved = time.monotonic()
        self._exchange.account.received += len(data)
        if self._connection is not None:
            self._connection.send(data)

    def client_full(self) -> None:
        if self._connection is not None:
            self._connection.pause()

    def client_ready(self) -> None:
        if self._connection is not None:
            self._connection.resume()

    def client_gone(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.hang_up()

    # --- from the server ---

    def response_data(self, data: bytes) -> None:
        self._moved = time.monotonic()
        self._boundary.feed(data)
        self._exchange.account.sent += len(data)
        self._downstream.tunnel_send(data)
        if self._leaving:
            self.stop()

    def response_ended(self) -> None:
        self._connection = None
        self._exchange.close_tunnel()

    def response_failed(self, error: UpstreamError) -> None:
        self.response_ended()

    def response_started(self, head: ReceivedHead) -> None:
        """HTTP is over."""

    def response_flush(self) -> None:
        """Nothing is held back."""

    def response_trailers(self, trailers: tuple[Header, ...]) -> None:
        """HTTP is over."""

    def upstream_full(self) -> None:
        self._downstream.tunnel_hold()

    def upstream_ready(self) -> None:
        self._downstream.tunnel_release()

    # --- endings of ours ---

    def session_ended(self) -> None:
        self._say_goodbye(POLICY_VIOLATION)

    def stop(self) -> None:
        """The worker stops: after the frame that is on its way, if there is one."""
        self._leaving = True
        if self._boundary.between:
            self._say_goodbye(GOING_AWAY)

    def sweep(self, now: float) -> None:
        """Called about once a second with the monotonic time."""
        if now - self._moved > IDLE_TIMEOUT:
            self._say_goodbye(GOING_AWAY)

    def _say_goodbye(self, code: int) -> None:
        if self._boundary.between:
            self._downstream.tunnel_send(close_frame(code))
        self._cut()

    def _cut(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abandon()
        self._exchange.close_tunnel()

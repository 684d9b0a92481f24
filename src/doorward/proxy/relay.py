"""One request passed on to a server, and its response passed back.

Both bodies stream: what one side sends goes to the other as it comes, and whoever is slow makes the other wait
(64 KiB in flight each way). Framing is written anew on both sides out of validated facts, never copied.

A failed attempt is repeated only where nothing can have happened twice (S-920): on the next server if this one
refused the connection, on a fresh connection if a kept one turned out dead before its first byte and the request is
idempotent and has no body.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from doorward.net.upstream import CannotConnect, ConnectTimeout, Lost, Untrusted, UpstreamConnection, UpstreamError
from doorward.proxy.answers import BAD_GATEWAY, GATEWAY_TIMEOUT, SERVER_ERROR, Failure
from doorward.proxy.request import Request
from doorward.proxy.tunnel import Tunnel, accepts_handshake
from doorward.proxy.upstream_head import upstream_head
from doorward.wire.http1.body import LAST_CHUNK, chunk
from doorward.wire.http1.errors import UnsafeField
from doorward.wire.http1.response import ReceivedHead

if TYPE_CHECKING:
    from doorward.proxy.exchange import Exchange
    from doorward.proxy.services.load_balancer import LoadBalancer
    from doorward.proxy.services.server import Server

_HARMLESS = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))


def may_be_repeated(request: Request) -> bool:
    """Whether ``request`` may be sent although it was sent before: idempotent by its method, and without a body."""
    return request.method in _HARMLESS and (request.body_length == 0 or request.body == b"")


class HeaderTimeout(UpstreamError):
    """The response did not begin within ``responseHeaderTimeout``."""


class UnsafeRequest(UpstreamError):
    """The request holds a field that would break out of its line: nothing was sent (S-045)."""


class Relay:
    """A ``ServiceRun``, and both the ``Receiver`` of the response and the ``BodyReceiver`` of the request."""

    __slots__ = (
        "_balancer",
        "_chunked",
        "_connection",
        "_dialling",
        "_downstream",
        "_exchange",
        "_full",
        "_sent_at",
        "_timer",
        "_tried",
        "failure",
        "server",
    )

    def __init__(self, exchange: Exchange, balancer: LoadBalancer, server: Server) -> None:
        self._exchange = exchange
        self._downstream = exchange.downstream
        self._balancer = balancer
        self.server = server
        """Whom this request was given to last."""
        self.failure: UpstreamError | None = None
        """Why it was not answered; None as long as it may be."""
        self._tried: tuple[Server, ...] = ()
        self._connection: UpstreamConnection | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._chunked = False
        self._full = False
        """The server takes no more of the request for now."""
        self._sent_at = 0.0

    # --- the request ---

    def start(self) -> None:
        self._exchange.run = self
        connection = self.server.pool.take()
        if connection is not None:
            self._ask(connection)
        else:
            self._dial()

    def _dial(self) -> None:
        self._dialling = asyncio.get_running_loop().create_task(self._dial_until_connected())

    async def _dial_until_connected(self) -> None:
        """A fresh connection; a server that refuses is passed over for the next (nothing was sent to it)."""
        while True:
            try:
                connection = await self.server.pool.dial()
            except UpstreamError as error:
                self._balancer.not_reached(self.server)
                following = self._next_server() if isinstance(error, CannotConnect) else None
                if following is None or self._exchange.over:
                    self._dialling = None
                    self._fail(error)
                    return
                self.server = following
                self._exchange.account.retries += 1
            else:
                self._dialling = None
                if self._exchange.over:
                    # The client left meanwhile; the next one has the connection ready.
                    self.server.pool.give_back(connection)
                else:
                    self._ask(connection)
                return

    def _next_server(self) -> Server | None:
        self._tried = (*self._tried, self.server)
        return self._balancer.choose(self._exchange.request, self._tried)

    def _ask(self, connection: UpstreamConnection) -> None:
        exchange, request = self._exchange, self._exchange.request
        exchange.account.server = self.server.url
        streamed = request.body is None and request.body_length != 0
        self._chunked = streamed and request.body_length is None
        try:
            message = upstream_head(request, self._downstream, self.server, streamed)
        except UnsafeField as error:
            self.server.pool.give_back(connection)
            self._fail(UnsafeRequest(error.reason))
            return
        if request.body:
            message += request.body
        self._connection = connection
        self._sent_at = time.perf_counter()
        connection.ask(self, request.method, message, complete=not streamed)
        if streamed:
            exchange.want_body(self)
        elif self._balancer.response_header_timeout:
            self._watch_header()

    def body_data(self, data: bytes) -> None:
        if self._connection is not None:
            self._connection.send(chunk(data) if self._chunked else data)

    def body_ended(self) -> None:
        if self._connection is not None:
            if self._chunked:
                self._connection.send(LAST_CHUNK)
            self._connection.finish_request()
            self._watch_header()

    def upstream_full(self) -> None:
        self._full = True
        self._downstream.hold_body()
        self._watch_header()

    def upstream_ready(self) -> None:
        self._full = False
        self._downstream.release_body()
        self._watch_header()

    # --- the response ---

    def response_started(self, head: ReceivedHead) -> None:
        if head.status < 200:
            if head.status == 101:
                self._switch(head)
            else:
                self._downstream.inform(head.status, head.reason, list(head.headers))
            return
        self._stop_watching()
        account = self._exchange.account
        account.origin_status = head.status
        account.origin_seconds = time.perf_counter() - self._sent_at
        bodiless = head.length == 0
        if not self._exchange.respond(
            head.status, head.reason, list(head.headers), head.stated_length if bodiless else head.length
        ):
            self._leave_upstream()

    def response_data(self, data: bytes) -> None:
        self._downstream.send(data)

    def response_flush(self) -> None:
        self._downstream.flush()

    def response_ended(self) -> None:
        self._connection = None
        self._exchange.finish()

    def response_failed(self, error: UpstreamError) -> None:
        connection, self._connection = self._connection, None
        assert connection is not None
        request = self._exchange.request
        if isinstance(error, Lost) and error.untouched and connection.reused and may_be_repeated(request):
            self._exchange.account.retries += 1
            self._dial()
            return
        self._fail(error)

    def _switch(self, head: ReceivedHead) -> None:
        """The server takes up the WebSocket handshake, or claims to."""
        assert self._connection is not None
        self._stop_watching()
        if not accepts_handshake(self._exchange.request, head):
            self._leave_upstream()
            self._fail(UpstreamError("101 without a valid handshake"))
            return
        self._exchange.account.origin_status = 101
        connection, self._connection = self._connection, None
        Tunnel(self._exchange, connection).open(list(head.headers))

    # --- what goes wrong ---

    def _fail(self, error: UpstreamError) -> None:
        exchange = self._exchange
        self._stop_watching()
        self.failure = error
        subject = f"{self._balancer.name} {self.server.url}"
        exchange.complain("upstream.failed", subject, f"{type(error).__name__}: {error}")
        if exchange.started:
            exchange.abort()
        else:
            exchange.fail(_failure_for(error))

    def client_full(self) -> None:
        if self._connection is not None:
            self._connection.pause()

    def client_ready(self) -> None:
        if self._connection is not None:
            self._connection.resume()

    def client_gone(self) -> None:
        self._stop_watching()
        self._leave_upstream()

    def session_ended(self) -> None:
        self.client_gone()
        self._exchange.abort()

    def _leave_upstream(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abandon()

    def _watch_header(self) -> None:
        """``responseHeaderTimeout`` runs while nobody is idle but the server: it has the whole request, or takes no
        more of it."""
        self._stop_watching()
        timeout, connection = self._balancer.response_header_timeout, self._connection
        waiting = connection is not None and (connection.request_done or self._full)
        if timeout and waiting and not self._exchange.started:
            self._timer = asyncio.get_running_loop().call_later(timeout, self._header_late)

    def _header_late(self) -> None:
        self._timer = None
        self._leave_upstream()
        self._fail(HeaderTimeout("no response in time"))

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _failure_for(error: UpstreamError) -> Failure:
    if isinstance(error, ConnectTimeout | HeaderTimeout):
        return GATEWAY_TIMEOUT
    if isinstance(error, Untrusted | UnsafeRequest):
        return SERVER_ERROR
    return BAD_GATEWAY

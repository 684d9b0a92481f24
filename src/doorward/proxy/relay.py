"""One request passed on to a server, and its response passed back.

Both bodies stream: what one side sends goes to the other as it comes, and whoever is slow makes the other wait
(64 KiB in flight each way). Framing is written anew on both sides out of validated facts, never copied.

A failed attempt is repeated only where nothing can have happened twice (S-920): on the next server if this one
refused the connection; on a fresh connection if the server says that it did not look at the request (HTTP/2), and what
it was sent of the body is still here; and once if a kept connection turned out dead before the first byte of the
response and the request is idempotent and has no body.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from doorward.messages.http import Header
from doorward.net.http2_call import Http2Call
from doorward.net.upstream import UpstreamConnection, UpstreamError
from doorward.proxy.answers import reason_phrase
from doorward.proxy.attempts import HeaderTimeout, UnsafeRequest, failure_for, may_be_sent_again
from doorward.proxy.dialling import Dialling
from doorward.proxy.grpc_status import grpc_status
from doorward.proxy.header_watch import HeaderWatch
from doorward.proxy.resending import Resending
from doorward.proxy.tunnel import Tunnel, accepts_handshake
from doorward.proxy.upstream_head import upstream_head, upstream_question
from doorward.wire.http1.body import LAST_CHUNK, chunk
from doorward.wire.http1.errors import UnsafeField
from doorward.wire.http1.response import ReceivedHead

if TYPE_CHECKING:
    from doorward.proxy.exchange import Exchange
    from doorward.proxy.services.load_balancer import LoadBalancer
    from doorward.proxy.services.server import Server


class Relay:
    """A ``ServiceRun``, and both the ``Receiver`` of the response and the ``BodyReceiver`` of the request."""

    __slots__ = (
        "_balancer",
        "_body_trailers",
        "_chunked",
        "_connection",
        "_dialling",
        "_downstream",
        "_exchange",
        "_full",
        "_resending",
        "_sent_at",
        "_watch",
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
        self._connection: UpstreamConnection | Http2Call | None = None
        self._dialling: Dialling | None = None
        timeout = balancer.response_header_timeout
        self._watch = HeaderWatch(timeout, self._header_late) if timeout else None
        self._chunked = False
        self._body_trailers: tuple[Header, ...] = ()
        self._full = False
        """The server takes no more of the request for now."""
        self._resending: Resending | None = None
        """What an HTTP/2 server was sent of the body, and how often."""
        self._sent_at = 0.0

    # --- the request ---

    def start(self) -> None:
        self._exchange.run = self
        pool = self.server.pool
        connection = pool.take_http1() if self._exchange.request.websocket else pool.take()
        if connection is not None:
            self._ask(connection)
        else:
            self._dial()

    def go_on(self, connection: UpstreamConnection | None, sent_at: float) -> None:
        """The request was sent already, with all that belongs to it: on ``connection``, or on one that has done its
        work and is nobody's any more."""
        self._exchange.run = self
        self._exchange.account.server = self.server.url
        self._connection = connection
        self._sent_at = sent_at

    @property
    def over(self) -> bool:
        """Nobody waits for the response any more."""
        return self._exchange.over

    def _dial(self) -> None:
        if self._dialling is None:
            self._dialling = Dialling(self._exchange, self._balancer, self._turn_to, self._ask, self._fail)
        self._dialling.begin(self.server)

    def _turn_to(self, server: Server) -> None:
        self.server = server

    def _ask(self, connection: UpstreamConnection | Http2Call) -> None:
        exchange, request = self._exchange, self._exchange.request
        exchange.account.server = self.server.url
        streamed = request.body is None and request.body_length != 0
        self._sent_at = time.perf_counter()
        try:
            if isinstance(connection, UpstreamConnection):
                message = upstream_head(request, self._downstream, self.server, streamed)
                if request.body:
                    message += request.body
                self._chunked = streamed and request.body_length is None
                self._connection = connection
                connection.ask(self, request.method, message, complete=not streamed)
            else:
                self._ask_http2(connection, streamed)
        except UnsafeField as error:
            connection.release()
            self._fail(UnsafeRequest(error.reason))
            return
        if streamed and (self._resending is None or not self._resending.ended):
            exchange.want_body(self)
        else:
            self._watch_header()

    def _ask_http2(self, call: Http2Call, streamed: bool) -> None:
        """Raises UnsafeField."""
        request = self._exchange.request
        question = upstream_question(request, self._downstream, self.server, streamed)
        self._chunked = False
        call.ask(self, question, complete=not streamed and not request.body)
        self._connection = call
        if request.body:
            call.send(request.body)
            call.finish_request()
        if self._resending is None:
            self._resending = Resending()
            if streamed and self._exchange.account.protocol == "grpc":
                # Its calls stay open while neither side has anything to say.
                self._downstream.let_body_rest()
        else:
            self._resending.again(call)

    def body_data(self, data: bytes) -> None:
        if self._connection is not None:
            if self._resending is not None:
                self._resending.keep(data)
            self._connection.send(chunk(data) if self._chunked else data)

    def body_trailers(self, trailers: tuple[Header, ...]) -> None:
        self._body_trailers = self._exchange.admitted_trailers(trailers)

    def body_ended(self) -> None:
        connection, trailers = self._connection, self._body_trailers
        if isinstance(connection, UpstreamConnection):
            if self._chunked:
                # Without trailers: in HTTP/1 a server cannot say that it wants some, and one that does not know them
                # takes them for the next request (S-020).
                connection.send(LAST_CHUNK)
            connection.finish_request()
            self._watch_header()
        elif connection is not None:
            if self._resending is not None:
                self._resending.end(trailers)
            connection.finish_request(trailers)
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
                self._downstream.inform(head.status, head.reason or reason_phrase(head.status), list(head.headers))
            return
        self._stop_watching()
        if self._resending is not None:
            self._resending.forget()
        account = self._exchange.account
        account.origin_status = head.status
        account.origin_headers = head.headers
        account.origin_seconds = time.perf_counter() - self._sent_at
        bodiless = head.length == 0
        if account.protocol == "grpc":
            # A call that fails at once has its status in the head: there is no body to put it after.
            account.grpc_status = grpc_status(head.headers)
        reason = head.reason or reason_phrase(head.status)  # HTTP/2 has none
        length = head.stated_length if bodiless else head.length
        if not self._exchange.respond(head.status, reason, list(head.headers), length):
            self._leave_upstream()

    def response_data(self, data: bytes) -> None:
        self._downstream.send(data)

    def response_flush(self) -> None:
        self._downstream.flush()

    def response_trailers(self, trailers: tuple[Header, ...]) -> None:
        if not self._exchange.over:
            if self._exchange.account.protocol == "grpc":
                self._exchange.account.grpc_status = grpc_status(trailers)
            self._downstream.trail(trailers)

    def response_ended(self) -> None:
        self._connection = None
        self._exchange.finish()

    def response_failed(self, error: UpstreamError) -> None:
        connection, self._connection = self._connection, None
        assert connection is not None
        exchange, reused = self._exchange, connection.reused
        if may_be_sent_again(
            exchange.request, error, reused=reused, started=exchange.started, resending=self._resending
        ):
            self._exchange.account.retries += 1
            if self._full:
                self.upstream_ready()
            self._dial()
            return
        self._fail(error)

    def _switch(self, head: ReceivedHead) -> None:
        """The server takes up the WebSocket handshake, or claims to."""
        assert isinstance(self._connection, UpstreamConnection)
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
            exchange.fail(failure_for(error))

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
        self._exchange.close()

    def _leave_upstream(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abandon()

    def _watch_header(self) -> None:
        """Time runs while nobody is idle but the server: it has the whole request, or takes no more of it."""
        connection = self._connection
        if self._watch is not None:
            waiting = connection is not None and (connection.request_done or self._full)
            self._watch.look(waiting and not self._exchange.started)

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.stop()

    def _header_late(self) -> None:
        self._leave_upstream()
        self._fail(HeaderTimeout("no response in time"))

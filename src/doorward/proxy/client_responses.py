"""How responses go out on a client's HTTP/1.1 connection, and bytes in both directions once it is a tunnel."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from doorward.messages.http import Header
from doorward.proxy.client_body import BodyConnection
from doorward.proxy.client_endings import OPEN, TUNNEL
from doorward.proxy.downstream import TunnelEnd
from doorward.wire.http1.errors import UnsafeField
from doorward.wire.http1.write import message_head

if TYPE_CHECKING:
    from doorward.proxy.entry_point import EntryPointServer


class RespondingConnection(BodyConnection):
    """A ``Downstream`` for the exchanges of one connection."""

    __slots__ = ("_old",)

    def __init__(self, entry: EntryPointServer) -> None:
        super().__init__(entry)
        self._old = entry.connection_age()

    def _advance(self) -> None:
        """Take up the requests that have come in."""
        raise NotImplementedError

    # --- the response ---

    def inform(self, status: int, reason: bytes, headers: list[Header]) -> None:
        if self.head.version != b"HTTP/1.1" or (status == 100 and not self.head.expect_continue):
            return
        try:
            self._transport.write(message_head(b"HTTP/1.1 %d %b" % (status, reason), headers))
        except UnsafeField:
            return
        if status == 100:
            self._continued = True

    def start_response(self, status: int, reason: bytes, headers: list[Header], length: int | None) -> None:
        stays = (
            self.head.keep_alive
            and not self._entry.draining
            and not (self._old is not None and self._old.after_this_request())
            and not (self._reader.body is not None and self._body_is_hopeless())
        )
        self._response.begin(self.head, status, reason, headers, length, stays)

    def send(self, data: bytes) -> None:
        if self._response.add(data) and self._exchange is not None:
            self._exchange.account.sent += len(data)

    def flush(self) -> None:
        self._response.flush(self._transport)

    def trail(self, trailers: tuple[Header, ...]) -> None:
        self._response.trail(trailers)

    def finish(self) -> None:
        self._response.end(self._transport)
        self._exchange = None
        self._receiver = None
        self._held = False
        if self._state is not OPEN:
            return
        if self._response.closing:
            if self._reader.body is not None or self._reader.buffered:
                self._linger()
            else:
                self._close()
        elif self._reader.body is not None:
            self._begin_to_drain()
        else:
            self._wait_for_next()

    def _wait_for_next(self) -> None:
        self._progress = None
        if not self._reader.buffered:
            self._deadline = monotonic() + self._entry.entry_point.idle_timeout
            if self._paused:
                self._adjust_reading()
        else:
            self._advance()

    def abort(self) -> None:
        self._exchange = None
        self._cut()

    # --- a tunnel instead of HTTP ---

    def start_tunnel(self, headers: list[Header], end: TunnelEnd) -> bytes:
        self._transport.write(message_head(b"HTTP/1.1 101 Switching Protocols", headers))
        self._state = TUNNEL
        self._tunnel = end
        rest = self._reader.take_rest()
        self._adjust_reading()
        return rest

    def tunnel_send(self, data: bytes) -> None:
        self._transport.write(data)

    def tunnel_close(self) -> None:
        self._exchange = None
        self._tunnel = None
        if self._state is TUNNEL:
            self._close()

    def tunnel_hold(self) -> None:
        self.hold_body()

    def tunnel_release(self) -> None:
        self.release_body()

"""The first bytes of a connection, looked at without taking them: who is it, TLS or not, which handshake.

    PROXY header (from those who may write one; taken) ──► first byte ──► not TLS: served as it is, or told so
                                                                     └──► ClientHello ──► refused by an alert
                                                                                     └──► handshake ──► served

Whoever says nothing for 5 seconds, or has not finished the handshake after 10, is cut (S-903). While more bytes are
needed the kernel wakes us when there are more than we have seen (SO_RCVLOWAT), not because there are any.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

from doorward.net.arrival import Arrival
from doorward.net.client_hello import HANDSHAKE, ClientHello, MalformedHello, read_client_hello
from doorward.net.client_hello import MAX_BYTES as MAX_HELLO
from doorward.net.proxy_protocol import MalformedHeader, read_proxy_header
from doorward.net.server_tls import Handshake, Refusal

FIRST_BYTE_TIMEOUT = 5.0
"""Seconds (S-903)."""
HANDSHAKE_TIMEOUT = 10.0
"""Seconds from the connection to the end of the handshake (S-903)."""
LINGER_TIME = 1.0
"""Seconds that a refused client has to read why."""

_USUAL = 4096
"""Bytes in which the first message of nearly everybody has room, and every PROXY header."""
_DECODE_ERROR = Refusal(50, "no ClientHello")
_PLAIN_HTTP = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: 56\r\n\r\n400 Bad Request: plain HTTP was sent to an HTTPS address"
)
"""Fixed: nothing of what was sent is in it (S-049)."""
_log = logging.getLogger("doorward.proxy")


class Reception(Protocol):
    """The entry point at which a connection comes in."""

    plain: bool
    """Connections without TLS are served."""
    tls: bool
    """Those with TLS are."""

    def may_speak_for_others(self, peer: str) -> bool:
        """Whether ``peer`` may begin with a PROXY header."""
        ...

    def handshake(self, hello: ClientHello, address: str) -> Handshake | Refusal: ...

    def serve(self, arrival: Arrival) -> asyncio.Protocol:
        """Whoever speaks on a connection from here."""
        ...

    def refused(self, peer: str, why: str) -> None:
        """A client was told that there is no handshake for it."""
        ...

    def over(self, opening: Opening) -> None:
        """``opening`` has ended: its connection is served now, or closed."""
        ...


class Opening:
    """One connection on its way in."""

    __slots__ = (
        "_address",
        "_begun",
        "_connection",
        "_ended",
        "_loop",
        "_may_have_header",
        "_reception",
        "_seen",
        "_task",
        "_timer",
        "_waiting",
        "_wanted",
        "peer",
    )

    def __init__(self, connection: socket.socket, peer: str, reception: Reception) -> None:
        """``connection`` becomes ours; it does not block."""
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self.peer = peer
        """Address of the other end of the socket."""
        self._address = peer
        """Address of the client."""
        self._reception = reception
        self._begun = self._loop.time()
        self._may_have_header = reception.may_speak_for_others(peer)
        self._ended = False
        self._seen = 0
        self._wanted = 1
        self._waiting = False
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._look()

    def stop(self) -> None:
        """The worker stops: a handshake may end, nothing else has begun."""
        if self._task is None:
            self._close()

    # --- looking -------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        if not self._may_have_header and not self._reception.tls:
            self._hand_over(None)
            return
        try:
            data = self._connection.recv(_USUAL, socket.MSG_PEEK)
            if len(data) == _USUAL:
                data = self._connection.recv(MAX_HELLO, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            self._wait()
            return
        except OSError:
            self._close()
            return
        if len(data) <= self._seen:
            self._close()  # woken without more bytes: the client has closed its side
        elif self._may_have_header:
            self._look_for_header(data)
        else:
            self._look_for_hello(data)

    def _look_for_header(self, data: bytes) -> None:
        try:
            header = read_proxy_header(data)
        except MalformedHeader as error:
            _log.info("http.reject reason=proxy_header peer=%s: %s", self.peer, error)
            self._close()
            return
        if header is None:
            self._wait(len(data))
            return
        if header.length:
            self._connection.recv(header.length)
            self._address = header.source or self.peer
        self._may_have_header = False
        self._seen = 0
        self._look()

    def _look_for_hello(self, data: bytes) -> None:
        if data[0] != HANDSHAKE:
            self._plain()
            return
        try:
            hello = read_client_hello(data)
        except MalformedHello as error:
            self._refuse(_DECODE_ERROR.record, f"{_DECODE_ERROR.reason}: {error}")
            return
        if hello is None:
            self._wait(len(data))
            return
        address = "" if hello.server_name else _plain_address(self._connection.getsockname()[0])
        chosen = self._reception.handshake(hello, address)
        if isinstance(chosen, Refusal):
            self._refuse(chosen.record, chosen.reason)
        else:
            self._hand_over(chosen.context, chosen.options)

    def _plain(self) -> None:
        if self._reception.plain:
            self._hand_over(None)
        else:
            _log.info("http.reject reason=plain_http peer=%s", self._address)
            self._refuse(_PLAIN_HTTP, "")

    def _wait(self, seen: int = 0) -> None:
        """For more than ``seen`` bytes."""
        self._wake_at(seen + 1)
        self._seen = seen
        limit = HANDSHAKE_TIMEOUT if seen else FIRST_BYTE_TIMEOUT
        self._set_timer(self._begun + limit - self._loop.time(), self._close)
        if not self._waiting:
            self._waiting = True
            self._loop.add_reader(self._connection.fileno(), self._look)

    def _wake_at(self, size: int) -> None:
        if size != self._wanted:
            self._wanted = size
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)

    def _set_timer(self, delay: float, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(max(delay, 0.0), then)

    # --- endings -------------------------------------------------------------------------------------------------

    def _hand_over(self, context: ssl.SSLContext | None, options: str = "") -> None:
        self._stop_waiting()
        self._wake_at(1)
        arrival = Arrival(self._address, options, self._end)
        self._task = self._loop.create_task(self._served(context, arrival))

    async def _served(self, context: ssl.SSLContext | None, arrival: Arrival) -> None:
        left = max(self._begun + HANDSHAKE_TIMEOUT - self._loop.time(), 0.1)
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._reception.serve(arrival),
                self._connection,
                ssl=context,
                ssl_handshake_timeout=left if context is not None else None,
            )
        except OSError as error:
            _log.info("tls.failed peer=%s: %s", arrival.peer, _reason(error))
        finally:
            self._end()

    def _refuse(self, last_words: bytes, why: str) -> None:
        """Say why and close, so that it can be read: bytes left unread would make the kernel throw it away."""
        if why:
            self._reception.refused(self._address, why)
        self._stop_waiting()
        try:
            self._wake_at(1)
            self._connection.recv(65536)
            self._connection.send(last_words)
            self._connection.shutdown(socket.SHUT_WR)
        except OSError:
            self._close()
            return
        self._set_timer(LINGER_TIME, self._close)
        self._waiting = True
        self._loop.add_reader(self._connection.fileno(), self._discard)

    def _discard(self) -> None:
        try:
            if self._connection.recv(65536):
                return
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            pass
        self._close()

    def _close(self) -> None:
        self._stop_waiting()
        self._connection.close()
        self._end()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._reception.over(self)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            self._waiting = False
            self._loop.remove_reader(self._connection.fileno())


def _plain_address(address: str) -> str:
    return address.partition("%")[0].removeprefix("::ffff:")


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return str(error.reason or "not TLS").lower().replace("_", " ")
    return "the client left, or took too long"

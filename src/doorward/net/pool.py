"""The connections to one server: idle ones are kept and reused, the youngest first.

A server that speaks HTTP/2 has few connections that many requests share. That it does is known of ``h2c``; on TLS the
handshake says so, and until the first one has, whoever else wants a connection waits for it. WebSockets go over
HTTP/1.1 in any case, on connections of their own.

There is no timer per connection; whoever owns the pool calls ``sweep`` about once a second.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass
from typing import cast

from doorward.net.alpn import chose_http2
from doorward.net.client_tls import check_peer, client_context
from doorward.net.http2_call import Http2Call
from doorward.net.http2_upstream import Http2Upstream
from doorward.net.origin import Origin
from doorward.net.tls import CertificateUnusable
from doorward.net.upstream import CannotConnect, ConnectTimeout, Untrusted, UpstreamConnection
from doorward.wire.http1.response_reader import HeadMemory


@dataclass(frozen=True, slots=True)
class PoolSettings:
    dial_timeout: float = 30.0
    """Seconds until a connection must stand, TLS included."""
    idle_timeout: float = 90.0
    """Seconds that an unused connection is kept."""
    max_idle: int = 200
    http2: bool = False
    """A server may choose HTTP/2 in the TLS handshake. Whoever asks must then be ready for a ``Http2Call``."""
    read_idle_timeout: float = 0.0
    """Seconds without a word from an HTTP/2 server that has something to do, until it is asked for a sign of life; 0:
    it never is."""
    ping_timeout: float = 15.0
    """Seconds that it has to give one."""


class Pool:
    """Connections to ``origin``; used from one event loop."""

    def __init__(self, origin: Origin, settings: PoolSettings | None = None) -> None:
        self.origin = origin
        self.settings = settings or PoolSettings()
        self.heads = HeadMemory()
        self._idle: list[UpstreamConnection] = []
        self._closed = False
        self._http2: list[Http2Upstream] = []
        """All that stand, the oldest first."""
        self._may_speak_http2 = origin.scheme == "h2c" or (origin.scheme == "https" and self.settings.http2)
        self._speaks_http2 = origin.scheme == "h2c"
        self._dialling: asyncio.Task[UpstreamConnection | Http2Upstream] | None = None

    @property
    def speaks_http1(self) -> bool:
        """HTTP/1.1 and nothing else, whatever the server would like."""
        return not self._may_speak_http2

    def take(self) -> UpstreamConnection | Http2Call | None:
        """An idle connection or a place on one, or None: then ``dial``."""
        return self._take_call() if self._speaks_http2 else self.take_http1()

    def take_http1(self) -> UpstreamConnection | None:
        """An idle connection of HTTP/1.1, or None: then ``dial_http1``."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.transport.is_closing():
                return connection
        return None

    async def dial(self) -> UpstreamConnection | Http2Call:
        """A new connection, or a place on one that is as new. Raises CannotConnect, ConnectTimeout, Untrusted."""
        if not self._may_speak_http2:
            return await self.dial_http1()
        while True:
            found = await self._dial_together()
            if found is not None:
                return found

    async def dial_http1(self) -> UpstreamConnection:
        """A new connection of HTTP/1.1. Raises CannotConnect, ConnectTimeout, Untrusted."""
        made = await self._open(http1=True)
        assert isinstance(made, UpstreamConnection)
        return made

    async def _dial_together(self) -> UpstreamConnection | Http2Call | None:
        """Make a connection, or wait for the one that is being made; None: others were quicker to use it."""
        if self._dialling is None:
            self._dialling = asyncio.get_running_loop().create_task(self._open(http1=False))
            self._dialling.add_done_callback(self._dialled)
        # Whoever waits may give up; the others still want the connection.
        made = await asyncio.shield(self._dialling)
        if isinstance(made, UpstreamConnection):
            # The server chose HTTP/1.1: one of those who waited has its connection, the others need their own.
            own = self.take_http1() or await self._open(http1=False)
            return own if isinstance(own, UpstreamConnection) else self._take_call()
        call = made.call() if made.has_room else self._take_call()
        if self._closed:
            made.retire()
        return call

    def _dialled(self, task: asyncio.Task[UpstreamConnection | Http2Upstream]) -> None:
        self._dialling = None
        if task.cancelled() or task.exception() is not None:
            return  # told to whoever waits; if nobody does any more, nobody minds
        made = task.result()
        if isinstance(made, UpstreamConnection):
            self.give_back(made)
            made.reused = False

    async def _open(self, http1: bool) -> UpstreamConnection | Http2Upstream:
        try:
            async with asyncio.timeout(self.settings.dial_timeout):
                return await self._connect(http1)
        except TimeoutError as error:
            raise ConnectTimeout(f"no connection within {self.settings.dial_timeout:g} s") from error
        except (ssl.SSLError, ssl.CertificateError, CertificateUnusable) as error:
            raise Untrusted(_tls_fault(error)) from error
        except OSError as error:
            raise CannotConnect(error.strerror or str(error)) from error

    def _take_call(self) -> Http2Call | None:
        # The oldest that has room: what was only needed in a rush becomes idle and goes.
        for connection in self._http2:
            if connection.has_room:
                return connection.call()
        return None

    def gone(self, connection: Http2Upstream) -> None:
        """``connection`` is closed."""
        if connection in self._http2:
            self._http2.remove(connection)

    def give_back(self, connection: UpstreamConnection) -> None:
        """``connection`` has done its work and can do more."""
        if self._closed or len(self._idle) >= self.settings.max_idle or connection.transport.is_closing():
            connection.transport.abort()
            return
        connection.reused = True
        connection.idle_since = time.monotonic()
        self._idle.append(connection)

    def forget(self, connection: UpstreamConnection) -> None:
        """``connection`` died while it was idle."""
        if connection in self._idle:
            self._idle.remove(connection)

    def sweep(self, now: float) -> None:
        """Close what was idle for too long; ``now`` is monotonic."""
        oldest = now - self.settings.idle_timeout
        while self._idle and self._idle[0].idle_since < oldest:
            self._idle.pop(0).transport.close()
        settings = self.settings
        for connection in list(self._http2):
            connection.sweep(now, settings.idle_timeout, settings.read_idle_timeout, settings.ping_timeout)

    def close(self) -> None:
        """Close the idle connections now, and the busy ones as soon as they are done."""
        self._closed = True
        for connection in self._idle:
            connection.transport.close()
        self._idle.clear()
        for upstream in list(self._http2):
            upstream.retire()

    def cut(self) -> None:
        """The same, without a word to the servers: nobody waits for their goodbye."""
        for connection in self._idle:
            connection.transport.abort()
        self.close()

    @property
    def idle(self) -> int:
        """Connections that nobody uses."""
        return len(self._idle) + sum(connection.idle for connection in self._http2)

    async def _connect(self, http1: bool) -> UpstreamConnection | Http2Upstream:
        """``http1``: HTTP/1.1 and nothing else."""
        loop = asyncio.get_running_loop()
        origin = self.origin
        address = origin.address or origin.host
        fresh = _Fresh(self, knows=origin.scheme == "h2c" and not http1)
        try:
            if origin.scheme == "unix":
                await loop.create_unix_connection(lambda: fresh.made, origin.path)
            elif origin.scheme == "https":
                tls = origin.tls
                name = (tls.server_name if tls is not None else "") or origin.host
                context = client_context(tls, self.settings.http2 and not http1)
                await loop.create_connection(lambda: fresh, address, origin.port, ssl=context, server_hostname=name)
                check_peer(tls, fresh.made.transport.get_extra_info("ssl_object"))
            else:
                await loop.create_connection(lambda: fresh.made, address, origin.port)
            if isinstance(fresh.made, Http2Upstream):
                await fresh.made.greeted()
                self._speaks_http2 = True
                self._http2.append(fresh.made)
            elif not http1:
                self._speaks_http2 = False
        except BaseException:
            # Cancelled in the very moment in which it stood: nobody would ever close it.
            fresh.made.drop()
            raise
        return fresh.made


class _Fresh(asyncio.Protocol):
    """A connection that is being made, until the handshake has said what it speaks."""

    def __init__(self, pool: Pool, knows: bool) -> None:
        """``knows``: it speaks HTTP/2."""
        self._pool = pool
        self.made: UpstreamConnection | Http2Upstream = Http2Upstream(pool) if knows else UpstreamConnection(pool)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if chose_http2(transport):
            self.made = Http2Upstream(self._pool)
        cast(asyncio.Transport, transport).set_protocol(self.made)
        self.made.connection_made(transport)


def _tls_fault(error: Exception) -> str:
    return getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)

"""The connections to one server: idle ones are kept and reused, the youngest first.

There is no timer per connection; whoever owns the pool calls ``sweep`` about once a second.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass

from doorward.net.client_tls import check_peer, client_context
from doorward.net.origin import Origin
from doorward.net.tls import CertificateUnusable
from doorward.net.upstream import CannotConnect, ConnectTimeout, Untrusted, UpstreamConnection


@dataclass(frozen=True, slots=True)
class PoolSettings:
    dial_timeout: float = 30.0
    """Seconds until a connection must stand, TLS included."""
    idle_timeout: float = 90.0
    """Seconds that an unused connection is kept."""
    max_idle: int = 200


class Pool:
    """Connections to ``origin``; used from one event loop."""

    def __init__(self, origin: Origin, settings: PoolSettings | None = None) -> None:
        self.origin = origin
        self.settings = settings or PoolSettings()
        self._idle: list[UpstreamConnection] = []
        self._closed = False

    def take(self) -> UpstreamConnection | None:
        """An idle connection, or None: then ``dial``."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.transport.is_closing():
                return connection
        return None

    async def dial(self) -> UpstreamConnection:
        """A new connection. Raises CannotConnect, ConnectTimeout, Untrusted."""
        try:
            async with asyncio.timeout(self.settings.dial_timeout):
                return await self._connect()
        except TimeoutError as error:
            raise ConnectTimeout(f"no connection within {self.settings.dial_timeout:g} s") from error
        except (ssl.SSLError, ssl.CertificateError, CertificateUnusable) as error:
            raise Untrusted(_tls_fault(error)) from error
        except OSError as error:
            raise CannotConnect(error.strerror or str(error)) from error

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

    def close(self) -> None:
        """Close the idle connections now, and the busy ones as soon as they are done."""
        self._closed = True
        for connection in self._idle:
            connection.transport.close()
        self._idle.clear()

    @property
    def idle(self) -> int:
        return len(self._idle)

    async def _connect(self) -> UpstreamConnection:
        loop = asyncio.get_running_loop()
        origin = self.origin
        connection = UpstreamConnection(self)
        try:
            if origin.scheme == "unix":
                await loop.create_unix_connection(lambda: connection, origin.path)
            elif origin.scheme == "https":
                tls = origin.tls
                name = (tls.server_name if tls is not None else "") or origin.host
                await loop.create_connection(
                    lambda: connection, origin.host, origin.port, ssl=client_context(tls), server_hostname=name
                )
                check_peer(tls, connection.transport.get_extra_info("ssl_object"))
            else:
                await loop.create_connection(lambda: connection, origin.host, origin.port)
        except BaseException:
            # Cancelled in the very moment in which it stood: nobody would ever close it.
            connection.drop()
            raise
        return connection


def _tls_fault(error: Exception) -> str:
    return getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)

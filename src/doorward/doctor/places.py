"""Where a host is: looked up as browsers do it, or as somebody says."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from ipaddress import ip_address


class NoAddress(Exception):
    """The name leads nowhere."""


class Places:
    def __init__(
        self, said: Mapping[str, str] | None = None, refuse: Callable[[str], bool] = lambda address: False
    ) -> None:
        """``said``: addresses of hosts that are not to be looked up; ``refuse``: which addresses lead nowhere."""
        self._refuse = refuse
        self._said = dict(said or {})
        self._found: dict[str, str] = {}

    async def address(self, host: str) -> str:
        """An address of ``host``. Raises NoAddress."""
        address = await self._looked_up(host)
        if self._refuse(address):
            raise NoAddress(f"{address} is not asked")
        return address

    async def _looked_up(self, host: str) -> str:
        known = self._said.get(host) or self._found.get(host)
        if known is not None:
            return known
        if host == "localhost" or host.endswith(".localhost"):
            return "127.0.0.1"  # as browsers have it, whatever the machine's resolver knows (RFC 6761 section 6.3)
        try:
            return str(ip_address(host))
        except ValueError:
            pass
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NoAddress(getattr(error, "strerror", "") or str(error)) from error
        self._found[host] = str(found[0][4][0])
        return self._found[host]

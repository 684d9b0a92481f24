"""Is a ``forwardAuth`` address our own embedded outpost? Then it is asked by a call, not over a socket ("fused")."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from doorward.messages.entry_points import EntryPoint
from doorward.sources.internal import OUTPOST_PREFIX

AUTH_PREFIX = OUTPOST_PREFIX + "auth/"
OUTPOST_PROVIDER = "outpost"
"""The source of the routes of applications in proxy mode: who decides for them is always our own outpost."""


class OwnAddresses:
    """The addresses under which this very program serves the outpost in plain HTTP."""

    def __init__(self, identity: EntryPoint | None, names: frozenset[str] = frozenset()) -> None:
        """``identity`` is the entry point that serves the outpost; ``names`` are names of this machine besides
        ``localhost`` and its host name."""
        self._identity = identity if identity is not None and not identity.tls else None
        self._names = names | {"localhost", socket.gethostname().lower()}

    def are_fused(self, address: str) -> bool:
        """Whether asking ``address`` over HTTP would end at our own outpost."""
        if self._identity is None:
            return False
        parts = urlsplit(address)
        if parts.scheme != "http" or not parts.path.startswith(AUTH_PREFIX) or parts.username is not None:
            return False
        return (parts.port or 80) == self._identity.port and self._is_here(parts.hostname or "")

    def is_this_machine(self, host: str) -> bool:
        """Whether ``host`` is a loopback address, or a name of this machine."""
        return host in self._names or _is_loopback(host)

    def _is_here(self, host: str) -> bool:
        bound = self._identity.host if self._identity is not None else ""
        if bound in ("", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            return host in self._names or _is_loopback(host)
        if _is_loopback(bound) or bound == "localhost":
            # Another program may have the same port on another loopback address.
            return host in (bound, "localhost")
        return host == bound


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

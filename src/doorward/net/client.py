"""A small HTTP/1.1 client for complete questions and answers, on the same wire code as the proxy.

The data plane uses it for its own errands: asking an auth server, the outpost's back channel. It never follows a
redirect, never looks at proxy settings of the environment, never sends credentials anywhere but to the given
origin (S-124), and every answer is capped in size and time.
"""

from __future__ import annotations

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.net.origin import Origin

__all__ = ["Client", "Origin", "TooLarge", "Unreachable"]


class Unreachable(Exception):
    """No complete, well-formed answer came: refused, untrusted, timed out, cut short, or not HTTP."""


class TooLarge(Exception):
    """The answer's body exceeds what the caller allows, or its head exceeds 64 KiB."""


class Client:
    """Owns the connections to every origin it was asked about; used from one event loop."""

    async def fetch(
        self, question: HttpQuestion, origin: Origin, *, timeout: float = 10.0, max_body: int = 1 << 20
    ) -> HttpAnswer:
        """Send ``question`` to ``origin`` and return the final answer, whatever its status.

        ``timeout`` is in seconds and spans everything, connecting included; ``max_body`` is in bytes. A ``Host``
        field is added unless the question has one; ``Content-Length`` is always our own. The answer's connection
        fields, ``Content-Length`` and ``Date`` are left out. Raises Unreachable, TooLarge.
        """
        raise Unreachable("not connected")

    async def close(self) -> None:
        """Close every connection."""

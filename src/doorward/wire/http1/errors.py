"""What can be wrong with the bytes of HTTP/1, by whose fault it is.

WireError
├── Rejected       the client sent it: answer with the status, close the connection
├── BadResponse    the server that we asked sent it: a 502 for whoever waits, destroy that connection
└── UnsafeField    we were about to write it ourselves: nothing is written (S-045)
"""

from __future__ import annotations


class WireError(Exception):
    """Bytes that are not HTTP/1 as this program accepts it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        """A stable code such as ``cl_te``; ``contracts/security.md`` room A lists them."""


class Rejected(WireError):
    """A request that is refused; the connection is closed after the answer and nothing more of it is read."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class BadResponse(WireError):
    """A response that is refused, because its framing is ambiguous or its syntax broken (S-034)."""


class UnsafeField(WireError):
    """A header field or start line that would break out of its line if it were written."""

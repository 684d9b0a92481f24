"""What can be wrong with the bytes of HTTP/2, by how far the damage goes.

WireError
├── Rejected          (as in HTTP/1) a request that is answered with a status instead of being passed on
└── Http2Error
    ├── StreamFault       the peer broke one stream: RST_STREAM, the others go on
    └── ConnectionFault   the peer broke the connection: GOAWAY, and nothing more is read

None of these leaves a connection: ``receive`` turns each into an event. ``Misuse`` is a mistake of ours.
"""

from __future__ import annotations

from doorward.wire.http1.errors import WireError
from doorward.wire.http2.codes import ErrorCode


class Http2Error(WireError):
    """Bytes that are not HTTP/2 as this program accepts it."""

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        """What the peer is told."""


class StreamFault(Http2Error):
    """See the module (RFC 9113 section 5.4.2)."""


class ConnectionFault(Http2Error):
    """See the module (RFC 9113 section 5.4.1)."""


class Misuse(Exception):
    """Whoever drives a connection asked for something that is never right, such as data before a head."""

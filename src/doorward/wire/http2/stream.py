"""One request and its response, as far as the protocol must keep count of them."""

from __future__ import annotations

from doorward.wire.http2.states import State
from doorward.wire.http2.windows import ReceiveWindow


class Stream:
    """An open stream of a connection."""

    __slots__ = (
        "blocked",
        "expected",
        "head_received",
        "head_sent",
        "id",
        "interim",
        "method",
        "receiving",
        "send_window",
        "stalled_since",
        "state",
    )

    def __init__(self, stream_id: int, send_window: int) -> None:
        self.id = stream_id
        self.state = State.OPEN
        self.send_window = send_window
        """What we may send; negative after the peer has made its windows smaller (RFC 9113 section 6.9.2)."""
        self.receiving: ReceiveWindow | None = None
        """Made when the first data arrives: most requests have none."""
        self.expected = -1
        """Bytes of body that the peer has yet to send; -1 if it did not say."""
        self.head_received = False
        self.head_sent = False
        self.interim = 0
        """Interim responses received."""
        self.method = b""
        """Of a request that we sent."""
        self.blocked = False
        """Data waits for a window."""
        self.stalled_since = 0.0
        """When a sweep first saw it ``blocked``, if nothing was sent since."""

    def count_body(self, size: int) -> bool:
        """``size`` bytes of body arrived: does the stated length allow them (section 8.1.1)?"""
        if self.expected < 0:
            return True
        self.expected -= size
        return self.expected >= 0

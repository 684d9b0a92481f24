"""A request to an HTTP/2 server, kept as long as the server may still say that it did not look at it.

A server that is about to leave refuses what comes too late (GOAWAY, REFUSED_STREAM), and by then the beginning of the
body is mostly on its way. A short one is therefore kept until the response begins; with a longer one the request
cannot be sent again, and is a 502.
"""

from __future__ import annotations

from doorward.messages.http import Header
from doorward.net.http2_call import Http2Call

MOST_KEPT = 16384
"""Bytes of a body."""
MOST_TIMES = 3
"""A request that several servers, or several connections, refuse to look at is not carried around for ever."""


class Resending:
    """See the module."""

    __slots__ = ("_kept", "_left", "_trailers", "ended", "times")

    def __init__(self) -> None:
        self._kept: list[bytes] | None = []
        """None: there was too much, or the response has begun."""
        self._left = MOST_KEPT
        self._trailers: tuple[Header, ...] = ()
        self.ended = False
        """The body that streams was complete."""
        self.times = 0

    @property
    def may_go_on(self) -> bool:
        """The request can be sent once more."""
        return self._kept is not None and self.times < MOST_TIMES

    def keep(self, data: bytes) -> None:
        if self._kept is not None:
            self._left -= len(data)
            if self._left < 0:
                self.forget()
            else:
                self._kept.append(data)

    def end(self, trailers: tuple[Header, ...]) -> None:
        self.ended = True
        self._trailers = trailers

    def forget(self) -> None:
        """It will not be sent again."""
        self._kept = None

    def again(self, call: Http2Call) -> None:
        """Send on ``call`` what was sent before. Raises UnsafeField."""
        self.times += 1
        for data in self._kept or ():
            call.send(data)
        if self.ended:
            call.finish_request(self._trailers)

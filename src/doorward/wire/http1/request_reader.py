"""The requests of one client connection, out of whatever pieces their bytes arrive in.

``feed`` takes bytes; ``next_head`` gives the next request's head once it is complete; ``next_body`` gives the payload
that has arrived of it. The bytes of a following request stay untouched until ``next_head`` is called again, so the
caller decides how far ahead it reads.
"""

from __future__ import annotations

from doorward.messages.http import Header
from doorward.wire.http1.body import BodyScanner, ChunkedBody, SizedBody
from doorward.wire.http1.errors import Rejected
from doorward.wire.http1.fields import is_token, line_end_fault
from doorward.wire.http1.limits import Limits
from doorward.wire.http1.request import HeadParser, RequestHead


class RequestReader:
    """See the module. Not to be used any more after it raised."""

    __slots__ = ("_buffer", "_growing", "_limits", "_parser", "_scanned", "body", "rejected", "trailers")

    def __init__(self, limits: Limits, tls: bool) -> None:
        self._limits = limits
        self._parser = HeadParser(limits, tls)
        self._buffer = b""
        self._growing = bytearray()
        """A head whose end has not arrived: grows in place, so that a byte at a time costs linear time."""
        self._scanned = 0
        self.body: BodyScanner | None = None
        """Not None while the current request's body is incomplete."""
        self.trailers: tuple[Header, ...] = ()
        """Fields after the last body that was complete."""
        self.rejected = b""
        """A complete head that was refused: it may be the beginning of another protocol."""

    @property
    def buffered(self) -> int:
        """Bytes that arrived and were not yet given out."""
        return len(self._buffer) + len(self._growing)

    def feed(self, data: bytes) -> None:
        if self._growing:
            self._growing += data
        elif self._buffer:
            self._buffer += data
        else:
            self._buffer = data

    def next_head(self) -> RequestHead | None:
        """The next request's head, or None until it is complete. Raises Rejected as soon as it cannot become one."""
        assert self.body is None, "the body of the previous request is not complete"
        if self._growing:
            return self._grown_head()
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n") + 4
        if end < 4:
            if buffer:
                self._growing += buffer
                self._buffer = b""
                return self._grown_head()
            return None
        self._buffer = buffer[end:]
        return self._start(buffer[:end])

    def next_body(self) -> bytes:
        """The payload that arrived since the last call, maybe none. ``body`` turns None when it is complete.

        Raises Rejected.
        """
        scanner = self.body
        if scanner is None or not self._buffer:
            return b""
        payload = scanner.feed(self._buffer)
        if scanner.done:
            self.body = None
            self.trailers = scanner.trailers
            self._buffer = scanner.rest
        else:
            self._buffer = b""
        return payload

    def forget(self) -> None:
        """Free what is only kept for speed: nothing is expected soon."""
        self._parser.forget()

    def take_rest(self) -> bytes:
        """Everything that arrived after the current head, for a connection that stops being HTTP."""
        rest, self._buffer = self._buffer + bytes(self._growing), b""
        self._growing = bytearray()
        return rest

    def _start(self, raw: bytes) -> RequestHead:
        try:
            head = self._parser.parse(raw)
        except Rejected:
            self.rejected = raw
            raise
        if head.body_length != 0:
            self.body = ChunkedBody(self._limits) if head.body_length is None else SizedBody(head.body_length)
        return head

    def _grown_head(self) -> RequestHead | None:
        growing = self._growing
        end = growing.find(b"\r\n\r\n", max(0, self._scanned - 3)) + 4
        if end < 4:
            self._check_unfinished()
            self._scanned = len(growing)
            return None
        raw = bytes(growing[:end])
        self._buffer = bytes(growing[end:])
        self._growing = bytearray()
        self._scanned = 0
        return self._start(raw)

    def _check_unfinished(self) -> None:
        """Refuse a beginning that no further byte can save, instead of waiting for its end."""
        growing = self._growing
        if is_token(bytes(growing[:1])) is None:
            raise Rejected(400, "method")
        # A CR at the end of what was scanned before was given the benefit of the doubt: look at it again.
        doubtful = growing[self._scanned - 1 : self._scanned] == b"\r"
        fault = line_end_fault(growing[self._scanned - doubtful :])
        if fault is not None:
            raise Rejected(400, fault)
        limits = self._limits
        line = growing.find(b"\r\n", 0, limits.request_line + 2)
        if line < 0:
            if len(growing) > limits.request_line + 1:
                raise Rejected(414, "request_line")
        elif len(growing) - line > limits.header + 4:
            raise Rejected(431, "header_size")

"""The response to one request after the other on a connection to a server, out of pieces of any size."""

from __future__ import annotations

from doorward.messages.http import Header
from doorward.wire.http1.body import BodyScanner, ChunkedBody, EndlessBody, SizedBody
from doorward.wire.http1.errors import BadResponse, Rejected
from doorward.wire.http1.fields import line_end_fault
from doorward.wire.http1.limits import Limits
from doorward.wire.http1.response import ReceivedHead, parse_response_head

RESPONSE_LIMITS = Limits(field=65536, cookies=1 << 30, fields=1000, chunk_overhead=1 << 62)
"""A server may send many fields, and tiny chunks for as long as it likes: a stream of events does."""

MAX_INTERIM = 16
"""Responses with a 1xx status before the final one."""


class HeadMemory:
    """Response heads that were seen lately, for all connections to one server: an application answers many questions
    alike, and the same bytes to the same method mean the same. The oldest goes first."""

    __slots__ = ("_known", "_last")

    _MOST = 256
    _MAX_SIZE = 4096

    def __init__(self) -> None:
        self._known: dict[bytes, ReceivedHead] = {}
        self._last: tuple[bytes, ReceivedHead] | None = None

    def recall(self, data: bytes) -> tuple[bytes, ReceivedHead] | None:
        """The head with which ``data`` begins, if it was seen, and what it means; not in answer to HEAD."""
        last = self._last
        if last is not None and data.startswith(last[0]):
            return last  # a head ends with its first empty line: nothing longer can begin like this
        raw = data[: data.find(b"\r\n\r\n") + 4]
        head = self._known.get(raw)
        if head is None:
            return None
        self._last = (raw, head)
        return self._last

    def parse(self, raw: bytes, method: bytes, limits: Limits) -> ReceivedHead:
        """See ``parse_response_head``."""
        if method == b"HEAD":
            return parse_response_head(raw, method, limits)
        head = self._known.get(raw)
        if head is None:
            head = parse_response_head(raw, method, limits)
            if len(raw) <= self._MAX_SIZE:
                if len(self._known) >= self._MOST:
                    del self._known[next(iter(self._known))]
                self._known[raw] = head
        return head


class ResponseReader:
    """``expect`` a response, ``feed`` bytes, take heads until one is final, then bodies until ``complete``."""

    __slots__ = (
        "_buffer",
        "_interim",
        "_limits",
        "_memory",
        "_method",
        "_scanner",
        "complete",
        "head_seen",
    )

    def __init__(self, limits: Limits = RESPONSE_LIMITS, memory: HeadMemory | None = None) -> None:
        """``memory``: where heads are remembered that other connections see as well."""
        self._limits = limits
        self._memory = memory or HeadMemory()
        self._buffer = b""
        self._scanner: BodyScanner | None = None
        self._method = b""
        self._interim = 0
        self.complete = True
        """The last response has ended; what else arrives was not asked for."""
        self.head_seen = False
        """The final head was given out; the body is next."""

    @property
    def started(self) -> bool:
        """Some byte of the current response has arrived and waits for more."""
        return bool(self._buffer) or self._interim > 0

    def expect(self, method: bytes) -> None:
        """A request with ``method`` was sent."""
        self._method = method
        self._interim = 0
        self._scanner = None
        self.complete = False
        self.head_seen = False

    def feed(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data

    def whole(self, data: bytes) -> tuple[ReceivedHead, bytes] | None:
        """Head and body, if ``data`` is the whole response, nothing but that, and its head is remembered; otherwise
        nothing has happened."""
        known = None if self._buffer or self._interim else self._memory.recall(data)
        if known is None:
            return None
        raw, head = known
        if head.length is None or len(data) != len(raw) + head.length or head.status < 200:
            return None
        self.head_seen = True
        self.complete = True
        return head, data[len(raw) :]

    def next_head(self) -> ReceivedHead | None:
        """The next head, interim (1xx) or final, or None until it is complete. Raises BadResponse."""
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n") + 4
        if end < 4:
            self._check_unfinished(buffer)
            return None
        if end > self._limits.header:
            raise BadResponse("header_size")
        head = self._memory.parse(buffer[:end], self._method, self._limits)
        self._buffer = buffer[end:]
        if head.status < 200:
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise BadResponse("interim")
            return head
        self.head_seen = True
        self._frame(head)
        return head

    def next_body(self) -> bytes:
        """The payload that arrived since the last call, maybe none. Raises BadResponse."""
        scanner, buffer = self._scanner, self._buffer
        if scanner is None or not buffer:
            return b""
        try:
            payload = scanner.feed(buffer)
        except Rejected as error:
            raise BadResponse(error.reason) from None
        self._buffer = scanner.rest
        if scanner.done:
            self.complete = True
        return payload

    @property
    def trailers(self) -> tuple[Header, ...]:
        """Fields after the body, which must be complete."""
        return () if self._scanner is None else self._scanner.trailers

    def end(self) -> None:
        """The server closed its side. Raises BadResponse if that cuts a response short."""
        if isinstance(self._scanner, EndlessBody):
            self.complete = True
        if not self.complete:
            raise BadResponse("incomplete")

    @property
    def surplus(self) -> bool:
        """Bytes arrived after the response: the connection must not be used again (S-035)."""
        return self.complete and bool(self._buffer)

    def take_rest(self) -> bytes:
        """What arrived after the head, for a connection that stops being HTTP."""
        rest, self._buffer = self._buffer, b""
        return rest

    def _frame(self, head: ReceivedHead) -> None:
        if head.chunked:
            self._scanner = ChunkedBody(self._limits)
        elif head.length is None:
            self._scanner = EndlessBody()
        elif head.length:
            self._scanner = SizedBody(head.length)
        else:
            self.complete = True

    def _check_unfinished(self, buffer: bytes) -> None:
        if not b"HTTP/1."[: len(buffer)] == buffer[:7]:
            raise BadResponse("status_line")
        if line_end_fault(buffer) is not None:
            raise BadResponse("line_end")
        if len(buffer) > self._limits.header:
            raise BadResponse("header_size")

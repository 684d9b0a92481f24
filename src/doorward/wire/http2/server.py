"""The server's end of a connection: requests come in, responses go out.

Ending is polite in two steps (RFC 9113 section 6.8): ``shut_down`` tells the client to open no more streams and asks
for a sign of life; when that comes, every stream that the client opened before it knew has arrived, and the last of
them is named. Whoever does not want to wait for that says ``shut_down`` again.
"""

from __future__ import annotations

from collections.abc import Iterable

from doorward.messages.http import Header
from doorward.wire.http1.errors import Rejected
from doorward.wire.http1.limits import DEFAULT_LIMITS as DEFAULT_MESSAGE_LIMITS
from doorward.wire.http1.limits import Limits
from doorward.wire.http2.codes import CLIENT_PREFACE, MAX_STREAM_ID, ErrorCode, Setting
from doorward.wire.http2.connection import Connection
from doorward.wire.http2.errors import ConnectionFault, Misuse, StreamFault
from doorward.wire.http2.events import RequestReceived, RequestRefused
from doorward.wire.http2.frames import goaway_frame, ping_frame, rst_stream
from doorward.wire.http2.head_reader import HeadReader
from doorward.wire.http2.limits import DEFAULT_LIMITS, Http2Limits
from doorward.wire.http2.states import TRANSITIONS, Happening, State
from doorward.wire.http2.stream import Stream
from doorward.wire.http2.write import response_block

_LAST_CALL = b"lastcall"
"""The ping between the two steps of a shutdown."""
_UPDATES_PER_STREAM = 2
"""Window updates that a client may send for a stream before any data of ours calls for them."""


class ServerConnection(Connection):
    """Takes ``RequestReceived``, ``RequestRefused``, ``DataReceived``, ``TrailersReceived`` out of what arrives."""

    __slots__ = ("_accepts_until", "_heads", "_leaving")

    def __init__(
        self,
        now: float,
        tls: bool,
        limits: Http2Limits = DEFAULT_LIMITS,
        message_limits: Limits = DEFAULT_MESSAGE_LIMITS,
    ) -> None:
        """``now``: the monotonic time in seconds. ``tls``: the socket is encrypted."""
        own = ((Setting.MAX_CONCURRENT_STREAMS, limits.streams), (Setting.ENABLE_CONNECT_PROTOCOL, 1))
        super().__init__(limits, own, CLIENT_PREFACE, now)
        self._heads = HeadReader(self._decoder, message_limits, tls)
        self._leaving = False
        self._accepts_until = MAX_STREAM_ID
        """Streams above this one came after we said that there would be no more."""

    # --- commands ---

    def respond(self, stream_id: int, status: int, headers: Iterable[Header], ended: bool = False) -> bytes:
        """Send the head of the final response; ``ended``: it has no body. Gives it as it was written, for
        ``respond_again`` on any stream of any connection. Raises UnsafeField (nothing was sent)."""
        if stream_id not in self._streams:
            return b""
        if status < 200:
            raise Misuse("an interim head")
        block = response_block(status, headers)
        self.respond_again(stream_id, block, ended)
        return block

    def respond_again(self, stream_id: int, block: bytes, ended: bool) -> None:
        """Send the head of the final response as another one was written."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        if stream.head_sent:
            raise Misuse("a second head")
        stream.head_sent = True
        self._send_block(stream, block, ended)

    def inform(self, stream_id: int, status: int, headers: Iterable[Header]) -> None:
        """Send an interim response (1xx, but 101 does not exist here). Raises UnsafeField (nothing was sent)."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        if stream.head_sent or not 100 <= status < 200 or status == 101:
            raise Misuse("not an interim head, or too late for one")
        self._send_block(stream, response_block(status, headers), ended=False)

    def shut_down(self) -> None:
        """Take no new streams: the first step, or at once the second if the first was taken. See the module."""
        if self._failed:
            return
        if not self._leaving:
            self._leaving = True
            self._out.append(goaway_frame(MAX_STREAM_ID, ErrorCode.NO_ERROR))
            self._out.append(ping_frame(_LAST_CALL, answer=False))
        elif self._accepts_until == MAX_STREAM_ID:
            self._accepts_until = self._streams.highest
            self._out.append(goaway_frame(self._streams.highest, ErrorCode.NO_ERROR))

    @property
    def drained(self) -> bool:
        """We said that there would be no more streams, and none is left."""
        return self._accepts_until < MAX_STREAM_ID and not self._streams

    # --- within ---

    @property
    def _peer_is_client(self) -> bool:
        return True

    def _last_stream(self) -> int:
        return min(self._streams.highest, self._accepts_until)

    def _take_head(self, stream_id: int, stream: Stream | None, block: bytes, ended: bool) -> None:
        streams = self._streams
        if not stream_id & 1:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "stream_id")
        if stream_id <= streams.highest:
            self._take_late_head(stream_id, block)
            return
        streams.reach(stream_id)
        if stream_id > self._accepts_until:
            # Section 6.8: ignored, but the table for header compression must stay right.
            streams.remember(stream_id, State.CUT)
            self._decoder.decode(block)
            self._count_oddity()
            return
        if len(streams) >= self._limits.streams:
            self._decoder.decode(block)
            raise StreamFault(ErrorCode.REFUSED_STREAM, "streams")
        self._open(stream_id, block, ended)

    def _take_late_head(self, stream_id: int, block: bytes) -> None:
        if self._streams.was_skipped(stream_id):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "stream_id")
        self._decoder.decode(block)
        self._count_oddity()
        self._object_to(TRANSITIONS[self._streams.state_of(stream_id)][Happening.HEADERS])

    def _open(self, stream_id: int, block: bytes, ended: bool) -> None:
        rejected = None
        try:
            head = self._heads.read(block, ended)
        except Rejected as error:
            rejected = error
        stream = Stream(stream_id, self.peer.initial_window)
        stream.head_received = True
        self._streams[stream_id] = stream
        self._updates_due += _UPDATES_PER_STREAM
        if ended:
            self._end_received(stream)
        if rejected is not None:
            self._events.append(RequestRefused(stream_id, rejected))
            return
        if head.body_length is not None and not head.websocket:
            stream.expected = head.body_length
        self._events.append(RequestReceived(stream_id, head, ended))

    def _ping_answered(self, payload: bytes) -> None:
        if payload == _LAST_CALL and self._leaving:
            self.shut_down()
        else:
            super()._ping_answered(payload)

    def _end_sent(self, stream: Stream) -> None:
        """A response that ends before its request: what is left of the request is not wanted (section 8.1, S-032)."""
        super()._end_sent(stream)
        if stream.state is State.CLOSED_LOCAL:
            self._out.append(rst_stream(stream.id, ErrorCode.NO_ERROR))
            self._forget(stream, State.CUT)

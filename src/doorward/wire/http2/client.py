"""The client's end of a connection: requests go out, responses come in. For servers that we ask."""

from __future__ import annotations

from collections.abc import Iterable

from doorward.messages.http import Header
from doorward.wire.http1.response import ReceivedHead
from doorward.wire.http2.codes import CLIENT_PREFACE, MAX_STREAM_ID, ErrorCode, Setting
from doorward.wire.http2.connection import Connection
from doorward.wire.http2.errors import ConnectionFault, Misuse, StreamFault
from doorward.wire.http2.events import ResponseReceived, StreamReset
from doorward.wire.http2.fields import malformed
from doorward.wire.http2.limits import DEFAULT_LIMITS, Http2Limits
from doorward.wire.http2.response import parse_response
from doorward.wire.http2.states import TRANSITIONS, Happening, State
from doorward.wire.http2.stream import Stream
from doorward.wire.http2.write import request_block

_MOST_REMEMBERED = 32
_LONGEST_REMEMBERED = 1024
_LARGEST_REMEMBERED = 8192
"""Bytes of a block, and of the fields in it; together this bounds what a server can make us keep."""


class ClientConnection(Connection):
    """Takes ``ResponseReceived``, ``DataReceived``, ``TrailersReceived`` out of what arrives."""

    __slots__ = ("_heads", "_next_stream", "_server_is_leaving", "_version")

    def __init__(self, now: float, limits: Http2Limits = DEFAULT_LIMITS) -> None:
        """``now``: the monotonic time in seconds."""
        super().__init__(limits, ((Setting.ENABLE_PUSH, 0),), b"", now)
        self._out.insert(0, CLIENT_PREFACE)
        self._next_stream = 1
        self._server_is_leaving = False
        self._heads: dict[tuple[bytes, bytes, bool], ReceivedHead] = {}
        """An application answers many questions alike: what the same bytes meant while the table was the same."""
        self._version = self._decoder.version

    # --- commands ---

    @property
    def can_open(self) -> bool:
        """Another request may be sent now; ``SettingsReceived`` or the end of a stream can change it."""
        return (
            not self._failed
            and not self._server_is_leaving
            and self._next_stream <= MAX_STREAM_ID
            and len(self._streams) < self.peer.max_streams
        )

    @property
    def has_asked(self) -> bool:
        """A request was sent, at some time."""
        return self._next_stream > 1

    @property
    def retired(self) -> bool:
        """No request can ever be sent again: close it when its last stream has ended."""
        return self._failed or self._server_is_leaving or self._next_stream > MAX_STREAM_ID

    def request(
        self,
        *,
        method: bytes,
        scheme: bytes,
        authority: bytes,
        target: bytes,
        headers: Iterable[Header],
        ended: bool,
        trailers: bool = False,
        protocol: bytes | None = None,
        encoded: bytes = b"",
    ) -> int:
        """Send a request's head and return its stream. ``can_open`` must be true.

        ``target`` is path and query; ``ended``: there is no body; ``trailers``: say that they are welcome, as gRPC
        needs. ``protocol`` makes it an extended CONNECT (RFC 8441), whatever ``method`` says; the server must have
        ``peer.connect_protocol``. ``Host`` must not be among ``headers``. ``encoded``: more fields, as
        ``fields_block`` made them. Raises UnsafeField (nothing was sent).
        """
        if not self.can_open:
            raise Misuse("no stream can be opened")
        pseudo = [(b":method", method), (b":scheme", scheme), (b":authority", authority), (b":path", target)]
        if protocol is not None:
            pseudo[0] = (b":method", b"CONNECT")
            pseudo.append((b":protocol", protocol))
        block = request_block(pseudo, headers, trailers, encoded)
        stream = Stream(self._next_stream, self.peer.initial_window)
        stream.method = pseudo[0][1]
        stream.head_sent = True
        self._next_stream += 2
        self._streams.open(stream)
        self._send_block(stream, block, ended)
        return stream.id

    # --- within ---

    @property
    def _peer_is_client(self) -> bool:
        return False

    def _read_head(self, block: bytes, method: bytes, ended: bool) -> ReceivedHead:
        decoder = self._decoder
        if decoder.version == self._version:
            head = self._heads.get((block, method, ended))
            if head is not None:
                return head
        else:
            self._heads.clear()
            self._version = decoder.version
        head = parse_response(decoder.decode(block), method, ended)
        if (
            decoder.version == self._version
            and len(block) <= _LONGEST_REMEMBERED
            and decoder.list_size <= _LARGEST_REMEMBERED
        ):
            if len(self._heads) >= _MOST_REMEMBERED:
                self._heads.clear()
            self._heads[block, method, ended] = head
        return head

    def _take_head(self, stream_id: int, stream: Stream | None, block: bytes, ended: bool) -> None:
        if stream is None:
            self._decoder.decode(block)
            state = self._streams.state_of(stream_id)
            if state is State.IDLE:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "stream_id")
            self._count_oddity()
            self._object_to(TRANSITIONS[state][Happening.HEADERS])
            return
        head = self._read_head(block, stream.method, ended)
        if head.status < 200:
            stream.interim += 1
            if ended:
                raise malformed("interim_ended")
            if stream.interim > self._limits.interim:
                raise StreamFault(ErrorCode.ENHANCE_YOUR_CALM, "interim")
        else:
            stream.head_received = True
            if head.length is not None:
                stream.expected = head.length
            if ended:
                stream.expected = 0
                self._end_received(stream)
        self._events.append(ResponseReceived(stream_id, head, ended))

    def _take_goaway(self, last_stream: int, code: int) -> None:
        """Streams above ``last_stream`` were not looked at: they may be tried elsewhere (section 6.8)."""
        self._server_is_leaving = True
        super()._take_goaway(last_stream, code)
        for stream in [stream for stream in self._streams.values() if stream.id > last_stream]:
            self._forget(stream, State.CUT)
            self._events.append(StreamReset(stream.id, ErrorCode.REFUSED_STREAM, "goaway", by_peer=True))

    def _count_reset(self) -> None:
        """A server resets what we asked it for: it cannot make us do more than we wanted to."""

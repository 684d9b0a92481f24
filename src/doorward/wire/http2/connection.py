"""What both ends of an HTTP/2 connection have in common: bytes to events (RFC 9113).

No sockets and no clock. ``receive`` takes what arrived and the monotonic time, and never raises: what a peer does
wrong is an event, and what it must be told is among the bytes that ``take`` gives.

Sending is bounded by the peer's windows: ``send_data`` says how much it took, the rest waits with its owner until a
``WindowOpened``. Receiving is bounded by ours: they open again only as far as somebody says ``consume``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from doorward.wire.http2.codes import (
    CONTINUATION,
    DATA,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    ErrorCode,
    Setting,
)
from doorward.wire.http2.control import Control
from doorward.wire.http2.errors import ConnectionFault, StreamFault
from doorward.wire.http2.events import (
    ConnectionFailed,
    DataReceived,
    Event,
    StreamReset,
    TrailersReceived,
)
from doorward.wire.http2.fields import malformed, parse_trailers
from doorward.wire.http2.frames import (
    Frame,
    FrameReader,
    goaway_of,
    rst_stream,
    without_padding,
)
from doorward.wire.http2.header_blocks import HeaderBlocks
from doorward.wire.http2.hpack import BadBlock, Decoder, ListTooLarge
from doorward.wire.http2.limits import Http2Limits
from doorward.wire.http2.states import TRANSITIONS, Happening, State
from doorward.wire.http2.stream import Stream
from doorward.wire.http2.windows import ReceiveWindow


class Connection(Control):
    """One end of a connection; ``ServerConnection`` and ``ClientConnection`` are the two there are."""

    __slots__ = ("_blocks", "_decoder", "_preface", "_reader")

    def __init__(
        self, limits: Http2Limits, own_settings: Iterable[tuple[Setting, int]], preface: bytes, now: float
    ) -> None:
        """``preface``: what the peer must send before its first frame. ``now``: the monotonic time in seconds."""
        super().__init__(limits, own_settings, now)
        self._preface = preface
        self._reader = FrameReader(limits.frame)
        self._decoder = Decoder(limits.table, limits.header_list)
        self._blocks = HeaderBlocks(limits)

    @property
    def unfinished(self) -> bool:
        """The peer's greeting, a frame or a header block has begun and waits for more."""
        return not self._greeted or self._reader.unfinished or self._blocks.stream != 0

    def receive(self, data: bytes, now: float) -> list[Event]:
        """What ``data`` says. After a ``ConnectionFailed`` nothing more is read."""
        if self._failed:
            return []
        self._now = now
        try:
            if self._preface:
                data = self._after_preface(data)
            for frame in self._reader.read(data):
                self._follow(frame)
            if self._reader.oversized:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "frame_size")
        except ConnectionFault as fault:
            self._fall(fault.code, fault.reason)
        except BadBlock as error:
            self._fall(ErrorCode.COMPRESSION_ERROR, error.reason)
        except ListTooLarge as error:
            self._fall(ErrorCode.ENHANCE_YOUR_CALM, error.reason)
        events, self._events = self._events, []
        return events

    # --- frames ---

    def _follow(self, frame: Frame) -> None:
        """Take one frame; what is wrong with its stream alone ends the stream alone."""
        try:
            self._take_frame(*frame)
        except StreamFault as fault:
            self._reset_for(frame[2], fault)
        except ListTooLarge as error:
            if not error.whole:
                raise
            self._reset_for(frame[2], StreamFault(ErrorCode.ENHANCE_YOUR_CALM, error.reason))

    def _take_frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if self._blocks.stream and kind != CONTINUATION:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "continuation")
        if not self._greeted and kind != SETTINGS:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "preface")
        if kind in _ON_STREAMS:
            if not stream_id:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "stream_id")
        elif kind in _ON_CONNECTION and stream_id:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "stream_id")
        if kind == HEADERS:
            block = self._blocks.begin(flags, stream_id, payload)
            if block is not None:
                self._take_block(stream_id, *block)
        elif kind == DATA:
            self._take_data(flags, stream_id, payload)
        elif kind == WINDOW_UPDATE:
            self._take_window_update(stream_id, payload)
        elif kind == CONTINUATION:
            block = self._blocks.go_on(flags, stream_id, payload)
            if block is not None:
                self._take_block(stream_id, *block)
        elif kind == RST_STREAM:
            self._take_reset(stream_id, payload)
        elif kind == SETTINGS:
            self._take_settings(flags, payload)
        elif kind == PING:
            self._take_ping(flags, payload)
        elif kind == GOAWAY:
            self._take_goaway(*goaway_of(payload))
        elif kind == PRIORITY:
            self._take_priority(stream_id, payload)
        elif kind == PUSH_PROMISE:
            # Clients must not, and servers were told not to (sections 8.4 and 6.5.2).
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "push")
        else:
            self._count_oddity()

    def _take_data(self, flags: int, stream_id: int, payload: bytes) -> None:
        size = len(payload)
        if not self._receiving.receive(size):
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "connection_window")
        data = without_padding(flags, payload)
        stream = self._streams.get(stream_id)
        outcome = TRANSITIONS[self._streams.state_of(stream_id) if stream is None else stream.state][Happening.DATA]
        if stream is None or not isinstance(outcome, State):
            self._open_connection_window(size)
            if not size:
                self._count_oddity()
            self._object_to(outcome)
            return
        if stream.receiving is None:
            stream.receiving = ReceiveWindow(self._limits.stream_window)
        if not stream.receiving.receive(size):
            raise StreamFault(ErrorCode.FLOW_CONTROL_ERROR, "stream_window")
        if not stream.head_received:
            raise malformed("data_before_head")
        if not stream.count_body(len(data)):
            raise malformed("content_length")
        if size > len(data):
            self.consume(stream_id, size - len(data))
        ended = bool(flags & END_STREAM)
        if ended:
            self._end_received(stream)
        elif not data:
            self._count_oddity()
            return
        self._events.append(DataReceived(stream_id, data, ended))

    def _take_block(self, stream_id: int, block: bytes, ended: bool) -> None:
        stream = self._streams.get(stream_id)
        if stream is None or not stream.head_received:
            self._take_head(stream_id, stream, block, ended)
            return
        fields = self._decoder.decode(block)
        outcome = TRANSITIONS[stream.state][Happening.HEADERS]
        if not isinstance(outcome, State):
            self._object_to(outcome)
        if not ended:
            raise malformed("trailers_unended")
        if self._decoder.list_size > self._limits.trailers:
            raise StreamFault(ErrorCode.ENHANCE_YOUR_CALM, "trailers")
        headers = parse_trailers(fields)
        self._end_received(stream)
        self._events.append(TrailersReceived(stream_id, headers))

    @abstractmethod
    def _take_head(self, stream_id: int, stream: Stream | None, block: bytes, ended: bool) -> None:
        """A header block that is not the trailers of an open stream."""

    # --- consequences ---

    def _after_preface(self, data: bytes) -> bytes:
        """What of ``data`` comes after the client's preface (section 3.4)."""
        expected = self._preface[: len(data)]
        if not data.startswith(expected):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "preface")
        self._preface = self._preface[len(expected) :]
        return data[len(expected) :]

    def _end_received(self, stream: Stream) -> None:
        if stream.expected > 0:
            raise malformed("content_length")
        state = TRANSITIONS[stream.state][Happening.END]
        assert isinstance(state, State)
        stream.state = state
        if state is State.ENDED:
            untaken = self._streams.close(stream, state)
            if untaken:
                self._streams.untaken[stream.id] = untaken

    def _reset_for(self, stream_id: int, fault: StreamFault) -> None:
        """The peer broke the stream. That it made us end it counts like ending it itself (S-905)."""
        stream = self._streams.get(stream_id)
        if stream is not None:
            self._forget(stream, State.CUT)
        else:
            self._streams.remember(stream_id, State.CUT)
        self._events.append(StreamReset(stream_id, fault.code, fault.reason, by_peer=False))
        self._answer(rst_stream(stream_id, fault.code))
        self._count_reset()

    def _fall(self, code: ErrorCode, reason: str) -> None:
        self.fail(code)
        self._events.append(ConnectionFailed(code, reason))


_ON_STREAMS = frozenset((DATA, HEADERS, PRIORITY, RST_STREAM, PUSH_PROMISE, CONTINUATION))
_ON_CONNECTION = frozenset((SETTINGS, PING, GOAWAY))

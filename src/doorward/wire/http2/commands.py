"""The half of a connection that talks: what may be sent, what is taken, what is given up.

Commands for a stream that is gone do nothing: its end may be an event that whoever commands has not got to yet.
"""

from __future__ import annotations

from collections.abc import Iterable

from doorward.messages.http import Header
from doorward.wire.http2.codes import (
    DEFAULT_WINDOW,
    ErrorCode,
    Setting,
)
from doorward.wire.http2.errors import ConnectionFault, Misuse
from doorward.wire.http2.events import Event, StreamReset
from doorward.wire.http2.frames import (
    data_header,
    goaway_frame,
    headers_frames,
    ping_frame,
    rst_stream,
    settings_frame,
    window_update,
)
from doorward.wire.http2.hpack.encoder import EMPTY_THE_TABLE
from doorward.wire.http2.limits import Http2Limits
from doorward.wire.http2.peer_settings import PeerSettings
from doorward.wire.http2.states import TRANSITIONS, Happening, State
from doorward.wire.http2.stream import Stream
from doorward.wire.http2.stream_table import StreamTable
from doorward.wire.http2.windows import ReceiveWindow
from doorward.wire.http2.write import trailers_block

_UPDATES_PER_FRAME = 10
"""Window updates and pings that one DATA frame of ours may call forth before they count as oddities; a stream and its
connection need two updates, some peers send them in small portions, and gRPC measures the line by a ping for every
piece of data that it gets. Envoy draws the line for updates here as well."""


class Commands:
    """See the module."""

    __slots__ = (
        "_answers",
        "_failed",
        "_limits",
        "_out",
        "_receiving",
        "_send_window",
        "_streams",
        "_updates_due",
        "peer",
    )

    def __init__(self, limits: Http2Limits, own_settings: Iterable[tuple[Setting, int]]) -> None:
        self._limits = limits
        self._streams = StreamTable(parity=1)
        self._out: list[bytes] = []
        self._answers = 0
        """Frames among them that the peer made us send."""
        self._receiving = ReceiveWindow(limits.connection_window)
        self._send_window = DEFAULT_WINDOW
        self._updates_due = 0
        """Window updates and pings that the peer has reason to send."""
        self._failed = False
        self.peer = PeerSettings()
        settings = (
            *own_settings,
            (Setting.HEADER_TABLE_SIZE, limits.table),
            (Setting.INITIAL_WINDOW_SIZE, limits.stream_window),
            (Setting.MAX_FRAME_SIZE, limits.frame),
            (Setting.MAX_HEADER_LIST_SIZE, limits.header_list),
        )
        self._out.append(settings_frame(settings))
        if limits.connection_window > DEFAULT_WINDOW:
            self._out.append(window_update(0, limits.connection_window - DEFAULT_WINDOW))

    # --- what whoever drives it may ask and say ---

    @property
    def failed(self) -> bool:
        """Write what is left to take, then close."""
        return self._failed

    @property
    def open_streams(self) -> int:
        return len(self._streams)

    def take(self) -> bytes:
        """Everything that is to be written now. While the transport takes nothing, leave it here."""
        out = self._out
        if not out:
            return b""
        self._answers = 0
        self._out = []
        return out[0] if len(out) == 1 else b"".join(out)

    def sendable(self, stream_id: int) -> int:
        """Bytes that ``send_data`` would take at once."""
        stream = self._streams.get(stream_id)
        return max(0, min(stream.send_window, self._send_window)) if stream is not None else 0

    def blocked(self, stream_id: int) -> bool:
        """What ``send_data`` was last given for the stream, the mere end of a body included, waits for a window."""
        stream = self._streams.get(stream_id)
        return stream is not None and stream.blocked

    def send_data(self, stream_id: int, data: bytes, ended: bool = False) -> int:
        """Send as much of ``data`` as the windows allow, and how much that was. ``ended``: nothing comes after it.

        What was not taken is to be offered again, together with ``ended``, after a ``WindowOpened``. Raises Misuse.
        """
        stream = self._streams.get(stream_id)
        size = len(data)
        if stream is None:
            return size
        if not stream.head_sent or stream.state is State.CLOSED_LOCAL:
            raise Misuse("data outside of a body")
        room = min(stream.send_window, self._send_window)
        stream.blocked = size > room
        if stream.blocked:
            if room <= 0:
                return 0
            data, size, ended = data[:room], room, False
        if size:
            stream.stalled_since = 0.0
            stream.send_window -= size
            self._send_window -= size
        if size or ended:
            self._write_data(stream_id, data, ended)
        if ended:
            self._end_sent(stream)
        return size

    def send_trailers(self, stream_id: int, headers: Iterable[Header]) -> None:
        """End the body with fields. All data must have been taken before. Raises UnsafeField, Misuse."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        if not stream.head_sent or stream.state is State.CLOSED_LOCAL:
            raise Misuse("trailers outside of a body")
        self._send_block(stream, trailers_block(headers), ended=True)

    def consume(self, stream_id: int, size: int) -> None:
        """Somebody took ``size`` bytes that arrived on the stream: as many more may come."""
        stream = self._streams.get(stream_id)
        if stream is None:
            self._consume_untaken(stream_id, size)
        elif stream.receiving is not None:
            size = min(size, stream.receiving.held)
            increment = stream.receiving.take(size)
            if increment and stream.state is not State.CLOSED_REMOTE:
                self._out.append(window_update(stream_id, increment))
            self._open_connection_window(size)

    def reset(self, stream_id: int, code: ErrorCode = ErrorCode.CANCEL) -> None:
        """Give the stream up, both ways."""
        stream = self._streams.get(stream_id)
        if stream is None:
            self._consume_untaken(stream_id, self._streams.untaken.get(stream_id, 0))
        else:
            self._out.append(rst_stream(stream_id, code))
            self._forget(stream, State.CUT)

    def ping(self, payload: bytes) -> None:
        """Ask for a sign of life: eight bytes, which ``PingAnswered`` will bring back."""
        if len(payload) != 8:
            raise Misuse("a ping has eight bytes")
        self._out.append(ping_frame(payload, answer=False))

    def fail(self, code: ErrorCode) -> None:
        """End the connection for a reason of our own: say so, read nothing more."""
        if not self._failed:
            self._failed = True
            self._out.append(goaway_frame(self._last_stream(), code))
            self._streams.clear()

    def sweep(self, now: float) -> list[Event]:
        """Called about once a second with the monotonic time: streams that wait for a window too long end (S-909)."""
        events: list[Event] = []
        for stream in [stream for stream in self._streams.values() if stream.blocked]:
            if not stream.stalled_since:
                stream.stalled_since = now
            elif now - stream.stalled_since >= self._limits.stall:
                self.reset(stream.id)
                events.append(StreamReset(stream.id, ErrorCode.CANCEL, "stalled", by_peer=False))
        return events

    # --- within ---

    def _last_stream(self) -> int:
        """The last stream of the peer's that was looked at, for GOAWAY."""
        return 0

    def _answer(self, frame: bytes) -> None:
        """Send what the peer made us say. A peer that asks and does not read is cut off (CVE-2019-9512).

        Raises ConnectionFault.
        """
        self._out.append(frame)
        self._answers += 1
        if self._answers > self._limits.answers:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "answers")

    def _write_data(self, stream_id: int, data: bytes, ended: bool) -> None:
        largest = self.peer.max_frame
        while len(data) > largest:
            self._out += (data_header(stream_id, largest, ended=False), data[:largest])
            self._updates_due += _UPDATES_PER_FRAME
            data = data[largest:]
        self._out += (data_header(stream_id, len(data), ended), data)
        self._updates_due += _UPDATES_PER_FRAME

    def _send_block(self, stream: Stream, block: bytes, ended: bool) -> None:
        if self.peer.table_shrank:
            self.peer.table_shrank = False
            block = EMPTY_THE_TABLE + block
        self._out.append(headers_frames(stream.id, block, ended, self.peer.max_frame))
        if ended:
            self._end_sent(stream)

    def _end_sent(self, stream: Stream) -> None:
        state = TRANSITIONS[stream.state][Happening.END_SENT]
        assert isinstance(state, State)
        stream.state = state
        stream.blocked = False
        if state is State.ENDED:
            self._forget(stream, state)

    def _forget(self, stream: Stream, how: State) -> None:
        """``stream`` is over; what nobody will take any more must not narrow the connection."""
        self._open_connection_window(self._streams.close(stream, how))

    def _consume_untaken(self, stream_id: int, size: int) -> None:
        untaken = self._streams.untaken
        held = untaken.pop(stream_id, 0)
        if held:
            size = min(size, held)
            if size < held:
                untaken[stream_id] = held - size
            self._open_connection_window(size)

    def _open_connection_window(self, size: int) -> None:
        increment = self._receiving.take(size)
        if increment:
            self._out.append(window_update(0, increment))

"""The streams of a connection: those that are open, and what is known of those that are not."""

from __future__ import annotations

from doorward.wire.http2.states import State
from doorward.wire.http2.stream import Stream

_MOST_REMEMBERED = 256
"""Streams that ended by a reset. What is still on its way to one of them must not be taken for an error; that can be
so for as many as may be open at once, and a few more."""
_MOST_GAPS = 64


class StreamTable(dict[int, Stream]):
    """The open streams by their identifier."""

    __slots__ = ("_gaps", "_reset", "highest", "parity", "untaken")

    def __init__(self, parity: int) -> None:
        """``parity``: 1 if the client's streams are the ones that get opened, which is so on both sides."""
        super().__init__()
        self.parity = parity
        self.highest = 0
        """The last stream that was opened."""
        self._reset: dict[int, State] = {}
        self._gaps: list[range] = []
        self.untaken: dict[int, int] = {}
        """Bytes that arrived on streams which the peer ended, and which somebody is still to take."""

    def open(self, stream: Stream) -> None:
        self.reach(stream.id)
        self[stream.id] = stream

    def reach(self, stream_id: int) -> None:
        """``stream_id`` was used; those below that were not are closed thereby (RFC 9113 section 5.1.1)."""
        if stream_id > self.highest + 2 and len(self._gaps) < _MOST_GAPS:
            self._gaps.append(range(self.highest + 1, stream_id))
        self.highest = stream_id

    def close(self, stream: Stream, how: State) -> int:
        """``stream`` is over. How many of the bytes that arrived on it were not taken."""
        del self[stream.id]
        if how is not State.ENDED:
            self.remember(stream.id, how)
        return stream.receiving.held if stream.receiving is not None else 0

    def remember(self, stream_id: int, how: State) -> None:
        if len(self._reset) >= _MOST_REMEMBERED and stream_id not in self._reset:
            del self._reset[next(iter(self._reset))]
        self._reset[stream_id] = how

    def state_of(self, stream_id: int) -> State:
        """The state of any stream at all."""
        stream = self.get(stream_id)
        if stream is not None:
            return stream.state
        if stream_id > self.highest or stream_id & 1 != self.parity:
            return State.IDLE
        return self._reset.get(stream_id, State.ENDED)

    def was_skipped(self, stream_id: int) -> bool:
        """``stream_id`` was never used, and cannot be any more."""
        return any(stream_id in gap for gap in self._gaps)

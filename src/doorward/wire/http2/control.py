"""Frames that carry nothing of a message: settings, pings, windows, resets, farewells (RFC 9113 section 6).

Each of them costs us something and moves no request, so each is counted (S-904, S-907).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from doorward.wire.http2.buckets import TokenBucket
from doorward.wire.http2.codes import ACK, MAX_WINDOW, ErrorCode, Setting
from doorward.wire.http2.commands import Commands
from doorward.wire.http2.errors import ConnectionFault, StreamFault
from doorward.wire.http2.events import (
    Event,
    GoawayReceived,
    PingAnswered,
    SettingsReceived,
    StreamReset,
    WindowOpened,
)
from doorward.wire.http2.fields import malformed
from doorward.wire.http2.frames import SETTINGS_ACK, dependency_of, number_of, ping_frame, settings_of
from doorward.wire.http2.limits import Http2Limits
from doorward.wire.http2.states import TRANSITIONS, Breach, Happening, Outcome, State


class Control(Commands, ABC):
    """The half of a connection that follows control frames."""

    __slots__ = ("_events", "_greeted", "_now", "_oddities", "_resets")

    def __init__(self, limits: Http2Limits, own_settings: Iterable[tuple[Setting, int]], now: float) -> None:
        super().__init__(limits, own_settings)
        self._resets = TokenBucket(limits.reset_burst, limits.reset_rate, now)
        self._oddities = TokenBucket(limits.oddity_burst, limits.oddity_rate, now)
        self._events: list[Event] = []
        """What happened in the current ``receive``."""
        self._now = now
        self._greeted = False
        """The peer's first SETTINGS frame has come."""

    @property
    @abstractmethod
    def _peer_is_client(self) -> bool: ...

    def _take_window_update(self, stream_id: int, payload: bytes) -> None:
        increment = number_of(payload) & MAX_WINDOW
        self._count_reaction()
        if not stream_id:
            if not increment:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "window_increment")
            self._send_window += increment
            if self._send_window > MAX_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "window_overflow")
        else:
            stream = self._streams.get(stream_id)
            if stream is None:
                self._object_to(TRANSITIONS[self._streams.state_of(stream_id)][Happening.WINDOW_UPDATE])
                return
            if not increment:
                raise malformed("window_increment")
            stream.send_window += increment
            if stream.send_window > MAX_WINDOW:
                raise StreamFault(ErrorCode.FLOW_CONTROL_ERROR, "window_overflow")
        self._events.append(WindowOpened(stream_id))

    def _take_reset(self, stream_id: int, payload: bytes) -> None:
        code = number_of(payload)
        stream = self._streams.get(stream_id)
        if stream is None:
            self._object_to(TRANSITIONS[self._streams.state_of(stream_id)][Happening.RST_STREAM])
        else:
            self._forget(stream, State.GONE)
            self._events.append(StreamReset(stream_id, code, "", by_peer=True))
        self._count_reset()

    def _take_settings(self, flags: int, payload: bytes) -> None:
        self._count_oddity()
        if flags & ACK:
            if payload:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "settings_size")
            if not self._greeted:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "preface")
            return
        self._greeted = True
        parameters = settings_of(payload)
        if len(parameters) > self._limits.settings:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "settings")
        change = self.peer.apply(parameters, self._peer_is_client)
        if change:
            self._change_windows(change)
        self._answer(SETTINGS_ACK)
        self._events.append(SettingsReceived())
        if change > 0:
            self._events.append(WindowOpened(0))

    def _change_windows(self, change: int) -> None:
        """The windows of all streams move with the initial one, below zero too (section 6.9.2)."""
        for stream in self._streams.values():
            stream.send_window += change
            if stream.send_window > MAX_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "window_overflow")

    def _take_ping(self, flags: int, payload: bytes) -> None:
        if len(payload) != 8:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "frame_size")
        self._count_reaction()
        if flags & ACK:
            self._ping_answered(payload)
        else:
            self._answer(ping_frame(payload, answer=True))

    def _ping_answered(self, payload: bytes) -> None:
        self._events.append(PingAnswered(payload))

    def _take_goaway(self, last_stream: int, code: int) -> None:
        self._count_oddity()
        self._events.append(GoawayReceived(last_stream, code))

    def _take_priority(self, stream_id: int, payload: bytes) -> None:
        """Priorities are not followed (section 5.3.2), and counted (S-907)."""
        self._count_oddity()
        if len(payload) != 5:
            if stream_id in self._streams:
                raise StreamFault(ErrorCode.FRAME_SIZE_ERROR, "frame_size")
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "frame_size")
        if dependency_of(payload) == stream_id:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "self_dependency")

    def _object_to(self, outcome: Outcome) -> None:
        """A frame came on a stream that is in no state for it."""
        if isinstance(outcome, Breach):
            fault = ConnectionFault if outcome.whole_connection else StreamFault
            raise fault(outcome.code, "stream_state")

    def _count_reset(self) -> None:
        if not self._resets.take(self._now):
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "resets")

    def _count_reaction(self) -> None:
        """A frame for which data of ours is reason enough; without any it is an oddity."""
        if self._updates_due:
            self._updates_due -= 1
        else:
            self._count_oddity()

    def _count_oddity(self) -> None:
        if not self._oddities.take(self._now):
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "oddities")

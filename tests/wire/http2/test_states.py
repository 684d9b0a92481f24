"""The table of stream states says what RFC 9113 section 5.1 says."""

from __future__ import annotations

from itertools import product

import pytest

from doorward.wire.http2 import ErrorCode
from doorward.wire.http2.states import IGNORED, TRANSITIONS, Breach, Happening, Outcome, State

CLOSED = (State.ENDED, State.CUT, State.GONE)


def outcome(state: State, happening: Happening) -> Outcome:
    return TRANSITIONS[state][happening]


def test_the_table_is_whole() -> None:
    """Every state knows what everything means."""
    assert len(TRANSITIONS) == len(State)
    assert all(len(row) == len(Happening) for row in TRANSITIONS)


def test_nothing_that_is_closed_opens_again() -> None:
    """Whatever comes."""
    for state, happening in product(CLOSED, Happening):
        assert not isinstance(outcome(state, happening), State)


@pytest.mark.parametrize("happening", [h for h in Happening if h is not Happening.HEADERS])
def test_an_idle_stream_opens_by_headers_alone(happening: Happening) -> None:
    """Anything else on it is an error of the whole connection."""
    assert outcome(State.IDLE, Happening.HEADERS) is State.OPEN
    assert outcome(State.IDLE, happening) == Breach(ErrorCode.PROTOCOL_ERROR, whole_connection=True)


def test_both_sides_end_in_any_order() -> None:
    """And then the stream is over."""
    for first, second in ((Happening.END, Happening.END_SENT), (Happening.END_SENT, Happening.END)):
        half = outcome(State.OPEN, first)
        assert half in (State.CLOSED_REMOTE, State.CLOSED_LOCAL)
        assert isinstance(half, State)
        assert outcome(half, second) is State.ENDED


def test_a_peer_that_has_ended_may_not_go_on() -> None:
    """Its own stream is lost by it; windows and resets may still come."""
    lost = Breach(ErrorCode.STREAM_CLOSED, whole_connection=False)
    assert outcome(State.CLOSED_REMOTE, Happening.HEADERS) == lost
    assert outcome(State.CLOSED_REMOTE, Happening.DATA) == lost
    assert outcome(State.CLOSED_REMOTE, Happening.WINDOW_UPDATE) is State.CLOSED_REMOTE
    assert outcome(State.CLOSED_REMOTE, Happening.RST_STREAM) is State.GONE


def test_how_it_was_closed_decides_about_late_frames() -> None:
    """After a good end there are none, after our reset they mean nothing, after its own the peer knew."""
    for happening in (Happening.HEADERS, Happening.DATA):
        assert outcome(State.ENDED, happening) == Breach(ErrorCode.STREAM_CLOSED, whole_connection=True)
        assert outcome(State.CUT, happening) is IGNORED
        assert outcome(State.GONE, happening) == Breach(ErrorCode.STREAM_CLOSED, whole_connection=False)
    for state, happening in product(CLOSED, (Happening.WINDOW_UPDATE, Happening.RST_STREAM)):
        assert outcome(state, happening) is IGNORED

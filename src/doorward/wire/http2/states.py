"""The life of a stream as a table (RFC 9113 section 5.1).

                          ┌──────┐
                          │ IDLE │
                          └──┬───┘
                  headers sent or received
                          ┌──▼───┐
       end received ┌─────┤ OPEN ├─────┐ end sent
        ┌───────────▼────┐└──┬───┘┌────▼──────────┐
        │ CLOSED_REMOTE  │   │    │ CLOSED_LOCAL  │      (half-closed)
        └───────────┬────┘   │    └────┬──────────┘
           end sent │      reset       │ end received
                  ┌─▼────────▼─────────▼─┐
                  │ ENDED / CUT / GONE   │                (closed)
                  └──────────────────────┘

How a stream was closed decides what its late frames mean: after both sides ended it there must be none (ENDED), after
our reset the peer may not know yet (CUT), after the peer's reset it knew (GONE).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from doorward.wire.http2.codes import ErrorCode
from doorward.wire.quick_enum import quick


@quick
class State(IntEnum):
    """Where a stream is."""

    IDLE = 0
    OPEN = 1
    CLOSED_REMOTE = 2
    """The peer has ended its side."""
    CLOSED_LOCAL = 3
    """We have ended ours."""
    ENDED = 4
    CUT = 5
    """We reset it."""
    GONE = 6
    """The peer reset it."""


@quick
class Happening(IntEnum):
    """What moves a stream: a frame from the peer, or the flag on it that ends the peer's side; or our own end."""

    HEADERS = 0
    DATA = 1
    WINDOW_UPDATE = 2
    RST_STREAM = 3
    END = 4
    """The peer's END_STREAM flag."""
    END_SENT = 5


@dataclass(frozen=True, slots=True)
class Breach:
    """A frame that must not come in this state."""

    code: ErrorCode
    whole_connection: bool


IGNORED = None
"""A frame that may still come and means nothing any more."""

Outcome = State | Breach | None

_IDLE_STREAM = Breach(ErrorCode.PROTOCOL_ERROR, whole_connection=True)
_ENDED_BEFORE = Breach(ErrorCode.STREAM_CLOSED, whole_connection=True)
_CLOSED_BEFORE = Breach(ErrorCode.STREAM_CLOSED, whole_connection=False)

TRANSITIONS: tuple[tuple[Outcome, ...], ...] = (
    # HEADERS            DATA            WINDOW_UPDATE        RST_STREAM   END                  END_SENT
    (State.OPEN,         _IDLE_STREAM,   _IDLE_STREAM,        _IDLE_STREAM, _IDLE_STREAM,       _IDLE_STREAM),  # IDLE
    (State.OPEN,         State.OPEN,     State.OPEN,          State.GONE,  State.CLOSED_REMOTE, State.CLOSED_LOCAL),
    (_CLOSED_BEFORE,     _CLOSED_BEFORE, State.CLOSED_REMOTE, State.GONE,  _CLOSED_BEFORE,      State.ENDED),
    (State.CLOSED_LOCAL, State.CLOSED_LOCAL, State.CLOSED_LOCAL, State.GONE, State.ENDED,       _CLOSED_BEFORE),
    (_ENDED_BEFORE,      _ENDED_BEFORE,  IGNORED,             IGNORED,     IGNORED,             IGNORED),  # ENDED
    (IGNORED,            IGNORED,        IGNORED,             IGNORED,     IGNORED,             IGNORED),  # CUT
    (_CLOSED_BEFORE,     _CLOSED_BEFORE, IGNORED,             IGNORED,     IGNORED,             IGNORED),  # GONE
)  # fmt: skip
"""By state, then by happening."""

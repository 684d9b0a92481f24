"""What happened on a connection, in the order in which it did."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.messages.http import Header
from doorward.wire.http1.errors import Rejected
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.response import ReceivedHead
from doorward.wire.http2.codes import ErrorCode


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A client opened a stream with a request."""

    stream: int
    head: RequestHead
    ended: bool
    """There is no body."""


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """A client opened a stream with a request that is to be answered with ``rejected.status`` and goes nowhere."""

    stream: int
    rejected: Rejected


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """The head of a server's interim (1xx) or final response."""

    stream: int
    head: ReceivedHead
    ended: bool


@dataclass(frozen=True, slots=True)
class DataReceived:
    """Some of a body, or of what goes through a tunnel. Whoever took it says so with ``consume``."""

    stream: int
    data: bytes
    """Empty only if ``ended``."""
    ended: bool


@dataclass(frozen=True, slots=True)
class TrailersReceived:
    """Fields after the body, which they end. Those that may not come as trailers are not among them (S-020)."""

    stream: int
    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class StreamReset:
    """The stream is gone: nothing more comes, and what is sent goes nowhere."""

    stream: int
    code: int
    """An ``ErrorCode``, or whatever else a peer made up."""
    reason: str
    """What the peer did wrong (a stable code for the log), ``stalled``, ``goaway``, or empty if it merely reset."""
    by_peer: bool


@dataclass(frozen=True, slots=True)
class WindowOpened:
    """More may be sent on ``stream``; 0 means on any."""

    stream: int


@dataclass(frozen=True, slots=True)
class SettingsReceived:
    """The peer said what it can; ``connection.peer`` has it."""


@dataclass(frozen=True, slots=True)
class PingAnswered:
    """The peer is alive: it answered our ``ping``."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class GoawayReceived:
    """The peer takes no new streams. Of ours, those above ``last_stream`` were reset and may be tried elsewhere."""

    last_stream: int
    code: int


@dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """The peer broke the protocol or a limit: send what is left to send, then close. Nothing more is read."""

    code: ErrorCode
    reason: str
    """A stable code for the log."""


Event = (
    RequestReceived
    | RequestRefused
    | ResponseReceived
    | DataReceived
    | TrailersReceived
    | StreamReset
    | WindowOpened
    | SettingsReceived
    | PingAnswered
    | GoawayReceived
    | ConnectionFailed
)

"""What happened on a connection, in the order in which it did.

Structs, because several are made for every request: a frozen dataclass takes a multiple of the time.
"""

from __future__ import annotations

from msgspec import Struct

from doorward.messages.http import Header
from doorward.wire.http1.errors import Rejected
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.response import ReceivedHead
from doorward.wire.http2.codes import ErrorCode


class RequestReceived(Struct, frozen=True):
    """A client opened a stream with a request."""

    stream: int
    head: RequestHead
    ended: bool
    """There is no body."""


class RequestRefused(Struct, frozen=True):
    """A client opened a stream with a request that is to be answered with ``rejected.status`` and goes nowhere."""

    stream: int
    rejected: Rejected


class ResponseReceived(Struct, frozen=True):
    """The head of a server's interim (1xx) or final response."""

    stream: int
    head: ReceivedHead
    ended: bool


class DataReceived(Struct, frozen=True):
    """Some of a body, or of what goes through a tunnel. Whoever took it says so with ``consume``."""

    stream: int
    data: bytes
    """Empty only if ``ended``."""
    ended: bool


class TrailersReceived(Struct, frozen=True):
    """Fields after the body, which they end. Those that may not come as trailers are not among them (S-020)."""

    stream: int
    headers: tuple[Header, ...]


class StreamReset(Struct, frozen=True):
    """The stream is gone: nothing more comes, and what is sent goes nowhere."""

    stream: int
    code: int
    """An ``ErrorCode``, or whatever else a peer made up."""
    reason: str
    """What the peer did wrong (a stable code for the log), ``stalled``, ``goaway``, or empty if it merely reset."""
    by_peer: bool


class WindowOpened(Struct, frozen=True):
    """More may be sent on ``stream``; 0 means on any."""

    stream: int


class SettingsReceived(Struct, frozen=True):
    """The peer said what it can; ``connection.peer`` has it."""


class PingAnswered(Struct, frozen=True):
    """The peer is alive: it answered our ``ping``."""

    payload: bytes


class GoawayReceived(Struct, frozen=True):
    """The peer takes no new streams. Of ours, those above ``last_stream`` were reset and may be tried elsewhere."""

    last_stream: int
    code: int


class ConnectionFailed(Struct, frozen=True):
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

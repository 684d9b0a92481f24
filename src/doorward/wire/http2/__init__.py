"""HTTP/2 as bytes: strict, bounded, without sockets and without a clock (RFC 9113, RFC 7541, RFC 8441)."""

from doorward.wire.http2.client import ClientConnection
from doorward.wire.http2.codes import CLIENT_PREFACE, ErrorCode
from doorward.wire.http2.errors import Misuse
from doorward.wire.http2.events import (
    ConnectionFailed,
    DataReceived,
    Event,
    GoawayReceived,
    PingAnswered,
    RequestReceived,
    RequestRefused,
    ResponseReceived,
    SettingsReceived,
    StreamReset,
    TrailersReceived,
    WindowOpened,
)
from doorward.wire.http2.limits import DEFAULT_LIMITS, Http2Limits
from doorward.wire.http2.server import ServerConnection
from doorward.wire.http2.write import fields_block

__all__ = [
    "CLIENT_PREFACE",
    "DEFAULT_LIMITS",
    "ClientConnection",
    "ConnectionFailed",
    "DataReceived",
    "ErrorCode",
    "Event",
    "GoawayReceived",
    "Http2Limits",
    "Misuse",
    "PingAnswered",
    "RequestReceived",
    "RequestRefused",
    "ResponseReceived",
    "ServerConnection",
    "SettingsReceived",
    "StreamReset",
    "TrailersReceived",
    "WindowOpened",
    "fields_block",
]

"""HTTP/1.0 and HTTP/1.1 as bytes: strict, without sockets and without a clock (RFC 9110, RFC 9112)."""

from doorward.wire.http1.body import LAST_CHUNK, chunk
from doorward.wire.http1.errors import BadResponse, Rejected, UnsafeField, WireError
from doorward.wire.http1.limits import DEFAULT_LIMITS, Limits
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.request_reader import RequestReader
from doorward.wire.http1.response import ReceivedHead
from doorward.wire.http1.response_reader import ResponseReader
from doorward.wire.http1.write import message_head

__all__ = [
    "DEFAULT_LIMITS",
    "LAST_CHUNK",
    "BadResponse",
    "Limits",
    "ReceivedHead",
    "Rejected",
    "RequestHead",
    "RequestReader",
    "ResponseReader",
    "UnsafeField",
    "WireError",
    "chunk",
    "message_head",
]

"""HTTP/1.0 and HTTP/1.1 as bytes: strict, without sockets and without a clock (RFC 9110, RFC 9112)."""

from doorward.wire.http1.errors import BadResponse, Rejected, UnsafeField, WireError
from doorward.wire.http1.request import RequestHead

__all__ = ["BadResponse", "Rejected", "RequestHead", "UnsafeField", "WireError"]

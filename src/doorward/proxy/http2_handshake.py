"""How a connection comes to speak HTTP/2, and how a WebSocket on it looks to everything behind."""

from __future__ import annotations

import os
from binascii import b2a_base64

from msgspec.structs import replace

from doorward.wire.http1.request import RequestHead

BEGINNING = b"PRI * HTTP/2.0\r\n\r\n"
"""What of the client's preface looks like a request of HTTP/1 (RFC 9113 section 3.4)."""


def with_key(head: RequestHead) -> RequestHead:
    """A WebSocket handshake as it would be in HTTP/1: servers behind us want a key, and must answer to it (S-229).

    In HTTP/2 there is none (RFC 8441 section 5); one that a client sends all the same means nothing.
    """
    key = b2a_base64(os.urandom(16), newline=False)
    fields = [header for header in head.headers if header[0] != b"sec-websocket-key"]
    return replace(head, headers=(*fields, (b"sec-websocket-key", key)))

"""Requests that are none, and requests that are not served (security contract, room A)."""

from __future__ import annotations

import pytest

from doorward.wire.http2 import ErrorCode, RequestReceived, RequestRefused, StreamReset
from wire.http2.by_hand import (
    GET,
    POST,
    WEBSOCKET,
    Fields,
    Server,
    headers,
    without,
)

# --- malformed: the stream ends (RFC 9113 section 8.1.1) ---

MALFORMED = {
    **{
        f"header_value {byte:#04x}": ("header_value", [*GET, ("x", f"a{chr(byte)}b")])  # S-038 S-012
        for byte in (0, 1, 8, 10, 11, 13, 31, 127)
    },
    **{
        f"header_value {value!r}": ("header_value", [*GET, ("x", value)])  # S-038
        for value in (" a", "a ", "\ta", "a\t", " ")
    },
    **{
        f"header_name {name!r}": ("header_name", [*GET, (name, "x")])  # S-038
        for name in ("", "X", "content-Length", "a b", "a\r\n", "a\0", "a\nb", "a:b", "caf\xe9", "a\x7f", '"a"')
    },
    **{
        f"connection_field {name}": ("connection_field", [*GET, (name, "x")])  # S-039
        for name in ("connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade")
    },
    "te gzip": ("te", [*GET, ("te", "gzip")]),  # S-039
    "te trailers, gzip": ("te", [*GET, ("te", "trailers, gzip")]),  # S-039
    "content-length twice": ("cl_dup", [*POST, ("content-length", "5"), ("content-length", "6")]),  # S-040
    "content-length twice the same": ("cl_dup", [*POST, ("content-length", "5"), ("content-length", "5")]),  # S-004
    "content-length list": ("cl_dup", [*POST, ("content-length", "5, 5")]),  # S-004
    **{
        f"content-length {value!r}": ("cl_syntax", [*POST, ("content-length", value)])  # S-005
        for value in ("+5", "-5", "0x5", "5_0", "5 5", "5.0", "1e1", "", "1" * 20, "\xb2")
    },
    "content-length without body": ("content_length", [*POST, ("content-length", "5")]),  # S-040
    **{
        f"{name} missing": (reason, without(name))  # S-041
        for name, reason in ((":method", "method"), (":scheme", "scheme"), (":path", "target"))
    },
    **{f"{name} twice": ("pseudo", [*GET, (name, value)]) for name, value in GET},  # S-041
    "unknown pseudo-field": ("pseudo", [*GET, (":test", "ok")]),  # S-041
    "response's pseudo-field": ("pseudo", [*GET, (":status", "200")]),  # S-041
    "pseudo-field after another": ("pseudo", [*GET[:2], ("x", "y"), *GET[2:]]),  # S-041
    "lonely colon": ("pseudo", [*GET, (":", "x")]),
    **{
        f"path {path!r}": ("target", without(":path", (":path", path)))  # S-041
        for path in ("", "a", "*", "https://app.example.test/", "?q")
    },
    **{
        f"path {path!r}": ("header_value", without(":path", (":path", path)))  # S-038
        for path in ("/a\r\nb", "/a\0", "/a\n", "/ ", "/a\x7f")
    },
    **{
        f"scheme {scheme!r}": ("scheme", without(":scheme", (":scheme", scheme)))  # S-041
        for scheme in ("", "ftp", "https ", "httpss", "javascript")
    },
    **{
        f"method {method!r}": ("method", without(":method", (":method", method)))  # S-041
        for method in ("", "GET ", "G T", "GE\r\nT", "GET\0", "G(T")
    },
    "authority with line end": ("header_value", without(":authority", (":authority", "app.example.test\r\n"))),  # S-038
    "two hosts": ("host_dup", [*without(":authority"), ("host", "a.test"), ("host", "a.test")]),  # S-042
    "host beside another authority": ("authority_mismatch", [*GET, ("host", "open.example.test")]),  # S-042
    "host with another port": ("authority_mismatch", [*GET, ("host", "app.example.test:81")]),  # S-042
    "protocol without CONNECT": ("protocol", [*GET, (":protocol", "websocket")]),
    "CONNECT with a path": ("connect", [(":method", "CONNECT"), (":authority", "a.test:1"), (":path", "/")]),
    "CONNECT with a scheme": ("connect", [(":method", "CONNECT"), (":authority", "a.test:1"), (":scheme", "https")]),
    "CONNECT to nobody": ("authority", [(":method", "CONNECT")]),
    "websocket without path": ("target", [field for field in WEBSOCKET if field[0] != ":path"]),
    "websocket without scheme": ("scheme", [field for field in WEBSOCKET if field[0] != ":scheme"]),
    "websocket without authority": ("authority", [field for field in WEBSOCKET if field[0] != ":authority"]),
    "nothing": ("method", []),
}  # fmt: skip


@pytest.mark.parametrize(("reason", "fields"), MALFORMED.values(), ids=MALFORMED)
def test_no_message_at_all(reason: str, fields: Fields) -> None:
    """What two programs could read differently ends its stream, and nobody behind us hears of it."""
    server = Server()
    server.hear(headers(1, fields))

    assert server.events[-1] == StreamReset(1, ErrorCode.PROTOCOL_ERROR, reason, by_peer=False)
    assert server.resets() == [(1, ErrorCode.PROTOCOL_ERROR)]
    (event,) = server.hear(headers(3))
    assert isinstance(event, RequestReceived)


REFUSED = {
    "CONNECT": (501, "connect", [(":method", "CONNECT"), (":authority", "app.example.test:443")]),  # S-025
    "another protocol": (501, "protocol", [(n, "udp" if n == ":protocol" else v) for n, v in WEBSOCKET]),
    "another WebSocket": (400, "websocket", [*WEBSOCKET[:-1], ("sec-websocket-version", "12")]),
    "WebSocket without version": (400, "websocket", WEBSOCKET[:-1]),
    "WebSocket with a body": (400, "websocket", [*WEBSOCKET, ("content-length", "0")]),
    "TRACE": (405, "trace", [(":method", "TRACE"), *GET[1:]]),  # S-030
    "TRACK": (405, "trace", [(":method", "TRACK"), *GET[1:]]),  # S-030
    "long method": (501, "method", [(":method", "M" * 33), *GET[1:]]),  # S-029
    "unknown expectation": (417, "expectation", [*GET, ("expect", "200-ok")]),  # S-033
    "no host": (400, "host_missing", without(":authority")),  # S-021
    **{
        f"host {host!r}": (400, "host_syntax", without(":authority", (":authority", host)))  # S-022
        for host in ("a b", "user@app.test", "app.test/x", "a?x", "a#x", "a:80abc", "a:99999", "", "b\xfc")
    },
    "bad host field": (400, "host_syntax", [*GET, ("host", "a b")]),
    **{
        f"target {path!r}": (400, reason, without(":path", (":path", path)))
        for path, reason in (
            ("/a#b", "target"),  # S-027
            ("/a b", "target"),  # S-027
            ("/a\\b", "target"),  # S-206
            ("/%", "percent"),  # S-202
            ("/%zz", "percent"),  # S-202
            ("/%00", "control"),  # S-205
        )
    },
    **{
        f"two {name}": (400, "dup_singleton", [*GET, (name, "a"), (name, "a")])  # S-044
        for name in ("authorization", "content-type", "origin", "sec-websocket-key", "sec-websocket-version", "expect")
    },
}  # fmt: skip


@pytest.mark.parametrize(("status", "reason", "fields"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_served(status: int, reason: str, fields: Fields) -> None:
    """A message that is refused for what it says gets the status that HTTP/1 would have got."""
    server = Server()
    (event,) = server.hear(headers(1, fields))

    assert isinstance(event, RequestRefused)
    assert (event.rejected.status, event.rejected.reason) == (status, reason)
    server.connection.respond(1, status, [], ended=True)
    assert [found.kind for found in server.said()] == [1]

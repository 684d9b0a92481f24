"""What a request head means once it is accepted."""

from __future__ import annotations

import pytest

from doorward.wire.http1 import DEFAULT_LIMITS, RequestHead, RequestReader

KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"


def head(data: bytes, tls: bool = False) -> RequestHead:
    reader = RequestReader(DEFAULT_LIMITS, tls)
    reader.feed(data)
    found = reader.next_head()
    assert found is not None
    return found


def fields(block: bytes, line: bytes = b"GET / HTTP/1.1\r\n") -> RequestHead:
    return head(line + b"Host: a.test\r\n" + block + b"\r\n")


@pytest.mark.parametrize(
    ("value", "host", "authority"),
    [
        (b"APP.Example.Test", b"app.example.test", b"app.example.test"),  # S-216
        (b"app.example.test.", b"app.example.test", b"app.example.test"),
        (b"app.example.test.:8443", b"app.example.test", b"app.example.test:8443"),
        (b"127.0.0.1:80", b"127.0.0.1", b"127.0.0.1:80"),
        (b"[::1]:443", b"[::1]", b"[::1]:443"),
        (b"xn--bcher-kva.example.test", b"xn--bcher-kva.example.test", b"xn--bcher-kva.example.test"),  # S-218
        (b"my_app:1", b"my_app", b"my_app:1"),
    ],
)
def test_hosts_have_one_spelling(value: bytes, host: bytes, authority: bytes) -> None:
    """Case and trailing dot are gone, the port is apart."""
    found = head(b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n\r\n")

    assert (found.host, found.authority) == (host, authority)


def test_names_and_values_stay_as_written() -> None:
    """Order, case and obs-text survive; only spaces and tabs around a value go."""  # S-015
    found = fields(b"X-b: \t one two \t\r\nx-A:\r\nX-b:caf\xe9\r\n")

    assert found.headers[1:] == ((b"X-b", b"one two"), (b"x-A", b""), (b"X-b", b"caf\xe9"))


def test_http_1_0_may_name_no_host() -> None:
    """Then no Host rule can match it."""
    found = head(b"GET / HTTP/1.0\r\n\r\n")

    assert (found.host, found.authority, found.keep_alive) == (b"", b"", False)


def test_keep_alive_by_version() -> None:
    """1.1 stays open unless it says close, 1.0 closes unless it says keep-alive."""
    assert fields(b"").keep_alive
    assert not fields(b"Connection: foo\r\nConnection: Close\r\n").keep_alive
    assert fields(b"Connection: keep-alive\r\n", b"GET / HTTP/1.0\r\n").keep_alive


def test_connection_tokens_are_collected() -> None:
    """From all fields, in lower case, empty ones ignored."""
    found = fields(b"Connection: X-A, ,keep-alive\r\nConnection: Upgrade\r\n")

    assert found.connection == {b"x-a", b"keep-alive", b"upgrade"}


def test_absolute_form_with_the_same_authority() -> None:
    """Equal up to case, trailing dot and the scheme's own port."""  # S-023
    plain = head(b"GET http://A.test:80?q HTTP/1.1\r\nHost: a.test.\r\n\r\n")
    over_tls = head(b"GET https://a.test/x HTTP/1.1\r\nHost: a.test:443\r\n\r\n", tls=True)

    assert (plain.path, plain.query) == (b"/", b"q")
    assert over_tls.path == b"/x"


def test_non_ascii_paths_are_escaped() -> None:
    """Raw bytes above 0x7f get their escape before anything looks at the path; the query stays raw."""  # S-027
    found = head(b"GET /\xc3\xa9?\xe9 HTTP/1.1\r\nHost: a.test\r\n\r\n")

    assert (found.path, found.query) == (b"/%C3%A9", b"\xe9")


@pytest.mark.parametrize("block", [b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + KEY])
def test_a_websocket_handshake_is_recognised(block: bytes) -> None:
    """Only when it is complete and a GET."""  # S-229
    assert fields(block).websocket
    assert fields(block.replace(b"websocket", b"WebSocket, h2c")).websocket
    assert not fields(block, b"POST / HTTP/1.1\r\n").websocket
    assert not fields(block.replace(b"13", b"12")).websocket
    assert not fields(block.replace(b"dGhl", b"")).websocket
    assert not fields(block.replace(b"Connection: Upgrade\r\n", b"")).websocket
    assert not fields(block + b"Content-Length: 0\r\n").websocket


def test_h2c_is_no_websocket() -> None:
    """``Upgrade: h2c`` is an ordinary request with odd fields."""  # S-037
    found = fields(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n")

    assert not found.websocket
    assert b"http2-settings" in found.connection


def test_expectations() -> None:
    """100-continue is known in any case, and is nothing to an HTTP/1.0 client."""
    assert fields(b"Expect: 100-Continue\r\n").expect_continue
    assert not fields(b"Expect: 100-continue\r\n", b"GET / HTTP/1.0\r\n").expect_continue


def test_equal_heads_share_one_object() -> None:
    """A connection that repeats itself is not parsed again, and one that varies the target keeps its fields."""
    reader = RequestReader(DEFAULT_LIMITS, False)
    reader.feed(b"GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n" * 2 + b"GET /b HTTP/1.1\r\nHost: a.test\r\n\r\n")
    one, two, three = reader.next_head(), reader.next_head(), reader.next_head()

    assert one is two
    assert one is not None
    assert three is not None
    assert one.headers is three.headers
    assert three.path == b"/b"


def test_the_version_is_part_of_what_is_remembered() -> None:
    """The same fields mean something else in HTTP/1.0."""
    reader = RequestReader(DEFAULT_LIMITS, False)
    reader.feed(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\nGET / HTTP/1.0\r\nHost: a.test\r\n\r\n")
    one, two = reader.next_head(), reader.next_head()

    assert one is not None
    assert two is not None
    assert (one.keep_alive, two.keep_alive) == (True, False)

"""What may be asked, and what an answer may be. The servers are real ones on loopback."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from doorward.identity.egress import client, resolving
from doorward.identity.egress.addresses import Address

PUBLIC = "93.184.215.14"


@contextlib.contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server on loopback, ``http://127.0.0.1:port``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def say(body: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_an_answer_comes_back_whole() -> None:
    """Status, fields in lower case, body, and JSON in it."""
    with server(say(b'{"a": 1}', 201, ETag="x")) as url:
        answer = client.ask("GET", f"{url}/path?q=1#fragment", private=True)
    assert (answer.status, answer.headers["etag"], answer.json()) == (201, "x", {"a": 1})


def test_a_body_and_fields_are_sent() -> None:
    """What a webhook says arrives as it is."""
    seen: list[tuple[str, str | None, bytes]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        size = int(handler.headers["Content-Length"])
        seen.append((handler.command, handler.headers["X-Key"], handler.rfile.read(size)))
        say(b"")(handler)

    with server(answer) as url:
        client.ask("POST", url, headers={"X-Key": "k"}, body=b"hello", private=True)
    assert seen == [("POST", "k", b"hello")]


# S-650
@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:a9fe:a9fe::]/",
        "http://metadata.google.internal/computeMetadata/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://224.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://example.com/",
        "//example.com/",
        "http://user:password@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://exa mple.com/",
        "http://example.com/\r\nX: y",
        "http://[fe80::1%25eth0]/",
        "http://",
        "http://example.com:0/",
    ],
)
@pytest.mark.parametrize("private", [True, False])
def test_what_nobody_may_ask_is_refused(url: str, private: bool) -> None:
    """Not even for a superuser."""
    with pytest.raises(client.Refused):
        client.ask("GET", url, private=private)


# S-650
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "10.1.2.3", "192.168.0.1", "[fd00::1]", "[::ffff:10.0.0.1]", "localhost", "a.localhost"],
)
def test_the_inside_is_asked_only_where_a_superuser_wrote_the_url(host: str) -> None:
    """Nobody else learns whether anything listens there."""
    with pytest.raises(client.Refused, match="inside this network"):
        client.ask("GET", f"http://{host}/")


# S-650
def test_a_name_with_one_address_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One good address beside it does not help."""

    def answer(host: str, seconds: float) -> list[Address]:
        return [ipaddress.ip_address(PUBLIC), ipaddress.ip_address("10.0.0.1")]

    monkeypatch.setattr(resolving, "addresses_of", answer)
    with pytest.raises(client.Refused):
        client.ask("GET", "http://two-faced.example.test/")


# S-650
def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up once; the next answer of its server does not count."""
    asked: list[str] = []

    def answer(host: str, seconds: float) -> list[Address]:
        asked.append(host)
        return [ipaddress.ip_address("127.0.0.1")]

    monkeypatch.setattr(resolving, "addresses_of", answer)

    with server(say(b"ok")) as url:
        port = url.rpartition(":")[2]
        real = socket.getaddrinfo

        def only_addresses(host: object, *more: object, **named: object) -> object:
            assert host == "127.0.0.1", "the name is looked up again"
            return real(host, *more, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(socket, "getaddrinfo", only_addresses)
        assert client.ask("GET", f"http://rebinding.example.test:{port}/", private=True).body == b"ok"
    assert asked == ["rebinding.example.test"]


# S-650
def test_a_redirect_is_an_answer_and_not_followed() -> None:
    """Where it points is never asked."""
    with server(say(b"", 302, Location="http://169.254.169.254/")) as url:
        assert client.ask("GET", url, private=True).status == 302


# S-650
def test_a_large_answer_is_given_up() -> None:
    """At the limit, not after all of it."""
    with server(say(b"x" * 2000)) as url:
        assert len(client.ask("GET", url, private=True, limit=2000).body) == 2000
        with pytest.raises(client.Unreachable, match="more than 1,999 bytes"):
            client.ask("GET", url, private=True, limit=1999)


# S-650
def test_a_server_that_says_nothing_is_left_in_time() -> None:
    """It costs its seconds and no more."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(client.Unreachable):
        client.ask("GET", f"http://127.0.0.1:{silent.getsockname()[1]}/", private=True, seconds=0.2)


def test_nobody_listening_and_no_such_name_are_told_apart() -> None:
    """The text says which it was."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    with pytest.raises(client.Unreachable, match="does not answer"):
        client.ask("GET", f"http://127.0.0.1:{port}/", private=True)
    with pytest.raises(client.Unreachable, match="cannot be looked up"):
        client.ask("GET", "http://nobody.invalid/", private=True)


def test_a_line_break_in_a_field_is_refused() -> None:
    """Nothing is smuggled into the request."""
    with server(say(b"")) as url, pytest.raises(client.NotAsked):
        client.ask("GET", url, headers={"X": "a\r\nY: b"}, private=True)


def test_an_url_can_be_checked_without_asking() -> None:
    """For a form: what is wrong with it by its looks alone."""
    client.check("https://example.com/hook")
    client.check("http://10.0.0.1/", private=True)
    for url in ("http://10.0.0.1/", "ftp://example.com/", "http://169.254.169.254/"):
        with pytest.raises(client.Refused):
            client.check(url)

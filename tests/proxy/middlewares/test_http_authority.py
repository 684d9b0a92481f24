"""The auth server over a real socket: the same outcome as by a call, and every way in which it can fail."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doorward.assembly import local_ca
from doorward.messages.http import HttpAnswer
from doorward.messages.routing import ClientTls, ForwardAuth
from doorward.net.client import Client
from doorward.proxy.http_authority import HttpAuthority
from doorward.proxy.middlewares.bulkhead import Bulkheads
from doorward.proxy.middlewares.forward_auth import ForwardAuthMiddleware
from doorward.proxy.request import Request, ResponseHead
from proxy.made import admitted
from proxy.middlewares.auth_server import IDENTITY, Said, entered, listening, wire

HEADERS = tuple(name.decode() for name, _ in IDENTITY)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client()
    yield client
    await client.close()


def middleware(
    port: int, client: Client | None, answer: HttpAnswer | None = None, **options: object
) -> ForwardAuthMiddleware:
    """Asked over HTTP with a client, by a call without one; everything else is equal."""
    given: dict[str, object] = {
        "name": "auth@file",
        "address": f"http://127.0.0.1:{port}/outpost.goauthentik.io/auth/traefik",
        "auth_response_headers": HEADERS,
        "add_auth_cookies_to_response": ("sid",),
        **options,
    }
    auth = ForwardAuth(**given, fused=client is None)  # type: ignore[arg-type]
    authority = HttpAuthority(client, auth) if client is not None else Said(answer or HttpAnswer(200))
    return ForwardAuthMiddleware.build(auth, authority, Bulkheads())


ANSWERS = {
    "yes with identity": HttpAnswer(200, (*IDENTITY, (b"Set-Cookie", b"sid=1; Path=/"), (b"X-Other", b"1"))),
    "yes without identity": HttpAnswer(200),
    "yes without content": HttpAnswer(204),
    "redirect": HttpAnswer(302, ((b"Location", b"https://a.test/?a=b%26c"), (b"Set-Cookie", b"authentik_proxy_x=1"))),
    "relative redirect": HttpAnswer(302, ((b"Location", b"/start?rd=%2F"),), b"<a>"),
    "not modified": HttpAnswer(304, ((b"ETag", b'"x"'),)),
    "refused": HttpAnswer(401, ((b"WWW-Authenticate", b'Basic realm="x"'), (b"Content-Type", b"text/plain")), b"no\n"),
    "forbidden": HttpAnswer(403, ((b"content-type", b"text/html"), (b"Vary", b"a"), (b"Vary", b"b")), b"\xff\x00"),
    "no application": HttpAnswer(400, ((b"Content-Type", b"application/json"),), b"{}"),
    "broken": HttpAnswer(503, ((b"Retry-After", b"1"),), b""),
}  # fmt: skip


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
async def test_call_and_request_end_alike(client: Client, answer: HttpAnswer) -> None:
    """For every class of answer the client and the application get the same bytes, however the outpost is asked."""

    async def outcome(port: int, used: Client | None) -> tuple[HttpAnswer | None, Request, ResponseHead]:
        request = admitted((b"Cookie", b"authentik_proxy_x=1; a=2"), (b"X-authentik-username", b"evil"), target=b"/x?y")
        made = middleware(port, used, answer)
        result = await entered(made, request)
        response = ResponseHead(200, b"OK", [(b"Set-Cookie", b"sid=app"), (b"Set-Cookie", b"authentik_proxy_x=2")])
        if result is None:
            made.leave(request, response)
        return result, request, response

    async with listening(wire(answer)) as (port, _):
        asked, called = await outcome(port, client), await outcome(port, None)

    assert asked == called


async def test_what_is_sent(client: Client) -> None:
    """On the wire the question is a plain GET without body, framing or connection fields."""  # S-123
    async with listening(wire(HttpAnswer(200))) as (port, heads):
        request = admitted((b"User-Agent", b"curl/8"), (b"Connection", b"keep-alive"), method=b"POST", target=b"/p?q")
        assert await entered(middleware(port, client), request) is None

    assert heads[0].decode().split("\r\n") == [
        "GET /outpost.goauthentik.io/auth/traefik HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "User-Agent: curl/8",
        "X-Forwarded-Method: POST",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Port: 80",
        "X-Forwarded-Uri: /p?q",
        "X-Forwarded-Host: app.example.test",
        "X-Forwarded-For: 192.0.2.7",
        f"X-Request-Id: {'7' * 32}",
        "",
        "",
    ]


async def test_connections_are_kept(client: Client) -> None:
    """Two questions, one connection."""
    ports = set()

    def reply(writer: asyncio.StreamWriter) -> None:
        ports.add(writer.get_extra_info("peername"))
        writer.write(wire(HttpAnswer(200)))

    async with listening(reply) as (port, _):
        made = middleware(port, client)
        for _ in range(3):
            assert await entered(made, admitted()) is None

    assert len(ports) == 1


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\nY: b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"SSH-2.0-x\r\n\r\n",
        b"200 OK\r\n\r\n",
    ],
)
async def test_garbage_closes(client: Client, reply: bytes) -> None:
    """Only a complete, unambiguous answer counts; anything else is 500 with nothing in it."""  # S-303

    def answer_and_close(writer: asyncio.StreamWriter) -> None:
        writer.write(reply)
        writer.close()

    async with listening(answer_and_close) as (port, _):
        assert await entered(middleware(port, client), admitted()) == HttpAnswer(500)


async def test_nobody_there_closes(client: Client) -> None:
    """A refused connection is 500, and it works again once the server is back."""  # S-303
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    made = middleware(port, client)

    assert await entered(made, admitted()) == HttpAnswer(500)


async def test_early_hints_are_not_the_answer(client: Client) -> None:
    """1xx before the final answer is waited through."""  # S-303
    async with listening(b"HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n" + wire(HttpAnswer(403))) as (port, _):
        assert await entered(middleware(port, client), admitted()) == HttpAnswer(403)


async def test_endless_answer_is_cut(client: Client) -> None:
    """An answer without end is cut at the limit, whether it says its length or not."""  # S-304
    for head in (b"Content-Length: 3000000\r\n", b"Transfer-Encoding: chunked\r\n"):
        reply = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + (b"400\r\n" + b"x" * 1024 + b"\r\n") * 2000
        async with listening(reply) as (port, _):
            assert await entered(middleware(port, client), admitted()) == HttpAnswer(401)


async def test_redirects_are_passed_on_not_followed(client: Client) -> None:
    """The auth server's redirect is the browser's business."""  # S-124
    async with listening(wire(HttpAnswer(302, ((b"Location", b"http://127.0.0.1:1/"),)))) as (port, heads):
        outcome = await entered(middleware(port, client), admitted())

    assert outcome is not None
    assert outcome.status == 302
    assert len(heads) == 1


async def test_proxy_settings_are_not_read(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment cannot send questions elsewhere."""  # S-124
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with listening(wire(HttpAnswer(200))) as (port, _):
        assert await entered(middleware(port, client), admitted()) is None


async def test_certificates_are_checked(client: Client, tmp_path: Path) -> None:
    """A server that nobody vouches for is not believed; with its authority, or unchecked, it is."""  # S-719
    authority = local_ca.ensure(tmp_path)
    chain, key = authority.leaf()
    (tmp_path / "chain").write_text(chain)
    (tmp_path / "key").write_text(key)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "chain", tmp_path / "key")
    async with listening(wire(HttpAnswer(200)), tls) as (port, _):
        address = f"https://localhost:{port}/x"
        strict = middleware(port, client, address=address, tls=ClientTls())
        knowing = middleware(port, client, address=address, tls=ClientTls(ca_pem=authority.certificate_pem))
        careless = middleware(port, client, address=address, tls=ClientTls(insecure_skip_verify=True))

        assert await entered(strict, admitted()) == HttpAnswer(500)
        assert await entered(knowing, admitted()) is None
        assert await entered(careless, admitted()) is None


async def test_a_body_is_sent_whole(client: Client) -> None:
    """With ``forwardBody`` and ``preserveRequestMethod`` the auth server gets method, length and body."""
    async with listening(wire(HttpAnswer(200))) as (port, heads):
        request = admitted((b"Content-Length", b"5"), method=b"PUT")
        request.body = b"hello"
        made = middleware(port, client, forward_body=True, preserve_request_method=True)
        assert await entered(made, request) is None

    assert heads[0].startswith(b"PUT ")
    assert b"\r\nContent-Length: 5\r\n" in heads[0]

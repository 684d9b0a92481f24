"""The demonstration application answers as people know traefik/whoami to answer."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import websockets

from doorward.whoami import Running, start


@pytest_asyncio.fixture
async def whoami() -> AsyncIterator[Running]:
    running = await start(0, name="test")
    yield running
    await running.close()


async def exchange(whoami: Running, request: bytes) -> bytes:
    """Send raw bytes, read until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", whoami.port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


async def get(whoami: Running, target: str, *fields: str) -> tuple[str, str]:
    """GET ``target``; returns head and body."""
    lines = [f"GET {target} HTTP/1.1", "Host: whoami.test", "Connection: close", *fields, "", ""]
    head, _, body = (await exchange(whoami, "\r\n".join(lines).encode("latin-1"))).partition(b"\r\n\r\n")
    return head.decode("latin-1"), body.decode()


async def test_plain_answer_shows_machine_then_request(whoami: Running) -> None:
    """Machine facts come first, then the request: Host, User-Agent, then fields in canonical case by name."""
    head, body = await get(
        whoami, "/a?b=c", "X-authentik-username: ada", "User-Agent: probe", "accept: */*", "X-Twice: 1", "x-twice: 2"
    )

    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "Content-Type: text/plain; charset=utf-8" in head
    facts, _, request = body.partition("GET ")
    lines = facts.splitlines()
    assert lines[:2] == ["Name: test", f"Hostname: {socket.gethostname()}"]
    assert "IP: 127.0.0.1" in lines
    assert re.fullmatch(r"RemoteAddr: 127\.0\.0\.1:\d+", lines[-1])
    assert request == (
        "/a?b=c HTTP/1.1\r\nHost: whoami.test\r\nUser-Agent: probe\r\nAccept: */*\r\nConnection: close\r\n"
        "X-Authentik-Username: ada\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n"
    )


async def test_browsers_get_the_same_plain_text(whoami: Running) -> None:
    """Accept: text/html changes nothing: the answer is for reading headers."""
    head, _ = await get(whoami, "/", "Accept: text/html")

    assert "Content-Type: text/plain; charset=utf-8" in head


async def test_json_answer_has_the_known_keys(whoami: Running) -> None:
    """Scripts read /api: hostname, ip, headers as lists, url, host, method, name, remoteAddr."""
    head, body = await get(whoami, "/api?x=1&y=<>", "X-authentik-groups: a|b")

    facts = json.loads(body)
    assert "Content-Type: application/json" in head
    assert list(facts) == ["hostname", "ip", "headers", "url", "host", "method", "name", "remoteAddr"]
    assert facts["headers"]["X-Authentik-Groups"] == ["a|b"]
    assert facts["url"] == "/api?x=1&y=<>"
    assert facts["host"] == "whoami.test"
    assert "\\u0026y=\\u003c\\u003e" in body
    assert body.endswith("}\n")


async def test_header_values_beyond_ascii_arrive_unchanged(whoami: Running) -> None:
    """A name with an umlaut, sent as UTF-8 by the outpost, is shown as it is."""
    name = "Zoë".encode().decode("latin-1")
    _, plain = await get(whoami, "/", f"X-authentik-name: {name}")
    _, as_json = await get(whoami, "/api", f"X-authentik-name: {name}")

    assert "X-Authentik-Name: Zoë\r\n" in plain
    assert json.loads(as_json)["headers"]["X-Authentik-Name"] == ["Zoë"]


async def test_wait_delays_the_answer(whoami: Running) -> None:
    """?wait=200ms answers after that time: people test timeouts with it."""
    before = time.monotonic()
    await get(whoami, "/?wait=200ms")

    assert 0.2 <= time.monotonic() - before < 2


async def test_environment_is_shown_only_when_asked(whoami: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """?env=true appends the environment, in the text and in the JSON."""
    monkeypatch.setenv("WHOAMI_PROBE", "here")

    assert "WHOAMI_PROBE=here\n" in (await get(whoami, "/?env=true"))[1]
    assert json.loads((await get(whoami, "/api?env=true"))[1])["environ"]["WHOAMI_PROBE"] == "here"
    assert "WHOAMI_PROBE" not in (await get(whoami, "/"))[1]


@pytest.mark.parametrize(
    ("size", "unit", "expected"), [("5", "", 5), ("70", "kb", 70 << 10), ("", "", 0), ("1", "", 0)]
)
async def test_data_sends_exactly_so_many_bytes(whoami: Running, size: str, unit: str, expected: int) -> None:
    """/data sends a pattern between two bars, so that a lost or doubled piece shows."""
    head, body = await get(whoami, f"/data?size={size}&unit={unit}")

    assert len(body) == expected
    assert f"Content-Length: {expected}" in head
    if expected:
        alphabet = "-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        assert body == "|" + "".join(alphabet[i % 27] for i in range(1, expected - 1)) + "|"


async def test_data_can_be_a_download(whoami: Running) -> None:
    """?attachment=true makes the browser save it."""
    head, _ = await get(whoami, "/data?size=3&attachment=true")

    assert "Content-Disposition: Attachment" in head


async def test_bench_answers_one_byte(whoami: Running) -> None:
    """/bench is as cheap as it gets."""
    assert (await get(whoami, "/bench"))[1] == "1"


async def test_health_answers_what_was_stored(whoami: Running) -> None:
    """POST 503 to /health makes a load balancer see a sick server; POST 200 heals it."""
    request = "POST /health HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: 3\r\n\r\n"

    assert (await get(whoami, "/health"))[0].startswith("HTTP/1.1 200 ")
    await exchange(whoami, request.encode() + b"503")
    assert (await get(whoami, "/health"))[0].startswith("HTTP/1.1 503 ")
    await exchange(whoami, request.encode() + b"200")
    assert (await get(whoami, "/health"))[0].startswith("HTTP/1.1 200 ")
    assert (await exchange(whoami, request.encode() + b"abc")).startswith(b"HTTP/1.1 400 ")


async def test_a_body_is_echoed_with_its_framing(whoami: Running) -> None:
    """POST shows the body after the head, as sent: with its length, or in chunks."""
    head = b"POST / HTTP/1.1\r\nHost: w\r\nConnection: close\r\n"
    sized = await exchange(whoami, head + b"Content-Length: 5\r\n\r\nhello")
    chunked = await exchange(whoami, head + b"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n")

    assert sized.endswith(b"Content-Length: 5\r\nConnection: close\r\n\r\nhello")
    assert b"5\r\nhello\r\n" in chunked
    assert chunked.endswith(b"0\r\n\r\n")


async def test_a_connection_is_used_again(whoami: Running) -> None:
    """Two requests on one connection, the first with a body that nobody reads, get two answers."""
    answer = await exchange(
        whoami,
        b"POST /bench HTTP/1.1\r\nHost: w\r\nContent-Length: 3\r\n\r\nabc"
        b"GET /bench HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n",
    )

    assert answer.count(b"HTTP/1.1 200 OK") == 2


async def test_head_has_no_body(whoami: Running) -> None:
    """HEAD tells the length and sends nothing."""
    answer = await exchange(whoami, b"HEAD /bench HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n")

    assert b"Content-Length: 1\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_ambiguous_requests_are_refused_and_the_connection_closed(whoami: Running, request_bytes: bytes) -> None:
    """What two parsers could read differently is not answered."""
    answer = await exchange(whoami, request_bytes)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Connection: close\r\n" in answer


async def test_echo_sends_back_what_it_gets(whoami: Running) -> None:
    """The WebSocket at /echo returns text and bytes, and closes politely."""
    async with websockets.connect(f"ws://127.0.0.1:{whoami.port}/echo", compression=None) as socket_:
        for message in ("hello", b"\x00\x01", "long " * 30_000):
            await socket_.send(message)
            assert await socket_.recv() == message
        await (await socket_.ping())

    assert socket_.close_code == 1000


async def test_echo_without_a_handshake_says_what_it_is(whoami: Running) -> None:
    """A browser that opens /echo as a page is told to use a WebSocket client."""
    head, body = await get(whoami, "/echo")

    assert head.startswith("HTTP/1.1 400 ")
    assert "WebSocket" in body


async def test_closing_cuts_what_is_open_without_a_fuss(whoami: Running, caplog: pytest.LogCaptureFixture) -> None:
    """An idle connection and a waiting answer end with the application, and nothing is logged."""
    idle, _ = idle_connection = await asyncio.open_connection("127.0.0.1", whoami.port)
    waiting = asyncio.create_task(exchange(whoami, b"GET /?wait=1h HTTP/1.1\r\nHost: w\r\n\r\n"))
    await asyncio.sleep(0.1)
    await whoami.close()

    assert await asyncio.wait_for(idle.read(), 5) == b""
    assert await asyncio.wait_for(waiting, 5) == b""
    assert caplog.records == []
    idle_connection[1].close()

"""A refused request costs its connection, and nothing of it gets behind the proxy (security contract, room A)."""

from __future__ import annotations

import asyncio
import logging

import pytest
from msgspec.structs import replace

from proxy.engine.application import Conversation, Recorded
from proxy.engine.stage import HOST, Stage, eventually, get

CL_TE = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG"


async def test_a_refusal_ends_the_connection(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """One 400, Connection: close, then the end; the request behind it in the same packet is not answered."""
    # S-001 S-031
    caplog.set_level(logging.INFO, "doorward.proxy")
    await stage.start()
    client = await stage.client()

    await client.send(CL_TE + get(b"/second"))
    answer = await client.answer()

    assert (answer.status, answer.body) == (400, b"400 Bad Request")
    assert answer.values(b"connection") == [b"close"]
    assert await client.closed()
    assert stage.application.requests == []
    events = [record.getMessage() for record in caplog.records if "http.reject" in record.getMessage()]
    assert events == ["http.reject reason=cl_te peer=127.0.0.1"]  # S-052


@pytest.mark.parametrize(
    ("data", "status", "body"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400, b"400 Bad Request: missing required Host header"),
        (b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n", 501, b"501 Not Implemented"),  # S-025
        (b"TRACE / HTTP/1.1\r\nHost: a.test\r\nCookie: a=b\r\n\r\n", 405, b"405 Method Not Allowed"),  # S-030
        (b"GET / HTTP/2.0\r\nHost: a.test\r\n\r\n", 505, b"505 HTTP Version Not Supported"),  # S-028
        (b"GET / HTTP/1.1\r\nHost: a.test\r\nA: " + b"x" * 70000, 431, b"431 Request Header Fields Too Large"),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 400, b"400 Bad Request"),  # S-049
        (b"GET /%zz HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, b"400 Bad Request"),  # S-202
    ],
)
async def test_what_a_refused_client_reads(stage: Stage, data: bytes, status: int, body: bytes) -> None:
    """A fixed text that repeats nothing of the request."""
    await stage.start()
    client = await stage.client()

    answer = await client.ask(data)

    assert (answer.status, answer.body) == (status, body)
    assert await client.closed()
    assert stage.application.requests == []


async def test_a_broken_chunk_aborts_the_request_behind(stage: Stage) -> None:
    """The application sees a cut, not a complete request, and the client is told."""  # S-016
    await stage.start()
    client = await stage.client()

    await client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await eventually(lambda: stage.application.connections == 1)
    answer = await client.ask(b"0x1\r\nd\r\n0\r\n\r\n")

    assert answer.status == 400
    await eventually(lambda: stage.application.aborted == 1)
    assert stage.application.requests == []


async def test_a_cut_body_is_no_request(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """A chunked body that ends with the connection instead of its last chunk never becomes complete."""  # S-019
    caplog.set_level(logging.INFO, "doorward.proxy")
    await stage.start()
    client = await stage.client()

    await client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n")
    await eventually(lambda: stage.application.connections == 1)
    client.writer.write_eof()

    await eventually(lambda: stage.application.aborted == 1)
    assert stage.application.requests == []
    assert any("http.incomplete" in record.getMessage() for record in caplog.records)


async def test_an_early_answer_does_not_turn_the_body_into_requests(stage: Stage) -> None:
    """Body bytes that look like a request are body bytes, also after the answer."""  # S-032

    async def at_once(request: Recorded, conversation: Conversation) -> bytes:
        return b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"

    stage.application.head_handler = at_once
    await stage.start()
    client = await stage.client()
    smuggled = b"GET /admin HTTP/1.1\r\nHost: a.test\r\n\r\n"

    answer = await client.ask(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n" % (len(smuggled) + 5))
    assert (answer.status, answer.body) == (403, b"no")
    next_answer = await client.ask(smuggled + b"12345" + get(b"/next"))

    assert next_answer.status == 403
    assert [request.target for request in stage.application.requests] == [b"/", b"/next"]


async def test_a_large_unwanted_body_closes(stage: Stage) -> None:
    """More than 64 KiB of it is not waited for."""  # S-032

    async def at_once(request: Recorded, conversation: Conversation) -> bytes:
        return b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"

    stage.application.head_handler = at_once
    await stage.start()
    client = await stage.client()

    answer = await client.ask(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10000000\r\n\r\n")

    assert answer.values(b"connection") == [b"close"]
    assert await client.closed()


async def test_a_slow_head_times_out(stage: Stage) -> None:
    """The time for a head runs from its first byte."""  # S-901
    stage.entry_point = replace(stage.entry_point, read_header_timeout=0.3)
    await stage.start()
    client, silent = await stage.client(), await stage.client()

    answer = await client.ask(b"GET / HTTP/1.1\r\nHo")

    assert answer.status == 408
    assert await client.closed()
    assert await silent.closed()


async def test_idle_connections_go(stage: Stage) -> None:
    """A kept connection that asks nothing is closed after the idle timeout."""
    stage.entry_point = replace(stage.entry_point, idle_timeout=0.3)
    await stage.start()
    client = await stage.client()
    await client.ask(get())

    assert await client.closed()


async def test_h2c_is_ignored(stage: Stage) -> None:
    """The upgrade fields are removed and the request is an ordinary one."""  # S-037
    await stage.start()
    client = await stage.client()

    answer = await client.ask(
        get(b"/x", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQ")
    )

    assert (answer.status, answer.body) == (200, b"/x\n")
    request = stage.application.requests[0]
    assert not request.values(b"upgrade") + request.values(b"connection") + request.values(b"http2-settings")


async def test_forwarding_fields_survive_connection(stage: Stage) -> None:
    """``Connection: X-Real-Ip`` removes nothing of ours; Proxy and identity fields of a client never arrive."""
    # S-106 S-107 S-108 S-121
    await stage.start()
    client = await stage.client()

    await client.ask(
        get(
            b"/",
            b"Connection: X-Real-Ip, x-forwarded-for, X-Forwarded-Host, Host, close",
            b"X-Real-Ip: 6.6.6.6",
            b"X-Forwarded-For: 6.6.6.6",
            b"Proxy: http://evil.test",
            b"X-authentik-username: root",
            b"X_Authentik_Username: root",
        )
    )

    request = stage.application.requests[0]
    assert request.values(b"x-real-ip") == request.values(b"x-forwarded-for") == [b"127.0.0.1"]
    assert request.values(b"x-forwarded-host") == request.values(b"host") == [HOST]
    assert not [name for name, _ in request.headers if b"authentik" in name.lower() or name.lower() == b"proxy"]


async def test_too_many_connections_of_one_peer_are_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The 257th connection of an address is closed at once; this machine's own are not counted so."""
    monkeypatch.setattr("doorward.proxy.entry_point.EntryPointServer._speaks_for_many", lambda self, peer: False)
    monkeypatch.setattr("doorward.proxy.headcount.MAX_PER_PEER", 3)
    await stage.start()
    first = [await stage.client() for _ in range(3)]
    for client in first:
        await client.ask(get())

    assert await (await stage.client()).closed()
    first[0].close()
    await asyncio.sleep(0.05)
    assert (await (await stage.client()).ask(get())).status == 200

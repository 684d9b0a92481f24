"""Requests go to the application and its answers come back, as they are."""

from __future__ import annotations

import asyncio
from pathlib import Path

from doorward.messages import routing as messages
from proxy.engine.application import Conversation, Recorded
from proxy.engine.stage import HOST, Stage, eventually, get


async def test_an_answer_comes_back_whole(stage: Stage) -> None:
    """Status, fields and body of the application reach the client; a missing Date is added."""
    await stage.start()
    client = await stage.client()

    answer = await client.ask(get(b"/hello?x=1"))

    assert (answer.status, answer.body) == (200, b"/hello?x=1\n")
    assert len(answer.values(b"date")) == 1
    assert stage.application.requests[0].values(b"host") == [HOST]


async def test_both_sides_keep_their_connections(stage: Stage) -> None:
    """Ten requests of one client use one connection to the proxy and one to the application."""
    await stage.start()
    client = await stage.client()

    for number in range(10):
        assert (await client.ask(get(b"/%d" % number))).body == b"/%d\n" % number

    assert stage.application.connections == 1


async def test_clients_share_connections_to_the_application(stage: Stage) -> None:
    """A connection that one client has used serves the next client (upstream reuse)."""
    await stage.start()
    for number in range(5):
        client = await stage.client()
        await client.ask(get(b"/%d" % number))
        client.close()

    assert stage.application.connections == 1


async def test_fifty_pipelined_requests_are_answered_in_order(stage: Stage) -> None:
    """Requests sent in one segment are answered one after the other."""  # S-050
    await stage.start()
    client = await stage.client()

    await client.send(b"".join(get(b"/%d" % number) for number in range(50)))

    assert [(await client.answer()).body for _ in range(50)] == [b"/%d\n" % number for number in range(50)]


async def test_a_request_may_come_byte_by_byte(stage: Stage) -> None:
    """Every byte in a segment of its own changes nothing."""  # S-050
    await stage.start()
    client = await stage.client()

    for byte in get(b"/slow", b"X-A: b"):
        await client.send(bytes((byte,)))
        await asyncio.sleep(0)

    assert (await client.answer()).body == b"/slow\n"


async def test_a_sized_body_reaches_the_application(stage: Stage) -> None:
    """A POST with Content-Length arrives with it."""
    await stage.start()
    client = await stage.client()

    answer = await client.ask(b"POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello")

    assert answer.body == b"/p\nhello"
    assert stage.application.requests[0].values(b"content-length") == [b"5"]


async def test_a_chunked_body_is_framed_anew(stage: Stage) -> None:
    """Extensions and trailers of a chunked request do not reach the application."""  # S-017 S-020
    await stage.start()
    client = await stage.client()

    answer = await client.ask(
        b"POST /p HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nContent-Length: 9\r\nX-authentik-username: root\r\n\r\n"
    )

    assert answer.body == b"/p\nhello"
    assert (await client.ask(get(b"/next"))).body == b"/next\n"


async def test_a_chunked_answer_streams(stage: Stage) -> None:
    """The client gets a part of the answer before the application has sent the next."""
    go_on = asyncio.Event()

    async def in_two_parts(request: Recorded, conversation: Conversation) -> None:
        await conversation.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await go_on.wait()
        await conversation.send(b"6;ext\r\nsecond\r\n0\r\nX-Trailer: t\r\n\r\n")

    stage.application.handler = in_two_parts
    await stage.start()
    client = await stage.client()

    await client.send(get())
    head = await client.reader.readuntil(b"\r\n\r\n")
    first = await client.reader.readexactly(10)
    go_on.set()
    rest = await client.reader.readuntil(b"0\r\n\r\n")

    assert b"Transfer-Encoding: chunked" in head
    assert first == b"5\r\nfirst\r\n"
    assert rest == b"6\r\nsecond\r\n0\r\n\r\n"
    assert (await client.ask(get(b"/again"))).status == 200


async def test_an_answer_without_length_becomes_chunked(stage: Stage) -> None:
    """An application that ends its answer by closing does not cost the client its connection."""

    async def until_close(request: Recorded, conversation: Conversation) -> None:
        await conversation.send(b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nbody")
        conversation.writer.close()

    stage.application.handler = until_close
    await stage.start()
    client = await stage.client()

    answer = await client.ask(get())
    assert (answer.body, answer.values(b"transfer-encoding")) == (b"body", [b"chunked"])
    assert (await client.ask(get())).body == b"body"


async def test_head_and_bodiless_answers(stage: Stage) -> None:
    """HEAD keeps the Content-Length, 204 and 304 have no body, and the connection goes on."""

    async def by_target(request: Recorded, conversation: Conversation) -> bytes:
        if request.method == b"HEAD":
            return b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"
        if request.target == b"/204":
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        return b'HTTP/1.1 304 Not Modified\r\nETag: "e"\r\n\r\n'

    stage.application.handler = by_target
    await stage.start()
    client = await stage.client()

    head = await client.ask(b"HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n", b"HEAD")
    empty = await client.ask(get(b"/204"))
    unchanged = await client.ask(get(b"/304"))

    assert head.values(b"content-length") == [b"1234"]
    assert (empty.status, empty.values(b"content-length")) == (204, [])
    assert (unchanged.status, unchanged.values(b"etag"), unchanged.values(b"transfer-encoding")) == (304, [b'"e"'], [])


async def test_interim_responses_pass(stage: Stage) -> None:
    """103 Early Hints reaches the client before the answer."""

    async def with_hints(request: Recorded, conversation: Conversation) -> bytes:
        await conversation.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\n")
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    stage.application.handler = with_hints
    await stage.start()
    client = await stage.client()

    await client.send(get())

    assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n")
    assert (await client.answer()).status == 200


async def test_hop_by_hop_fields_stop_here(stage: Stage) -> None:
    """What the application says about its own connection does not reach the client, cookies named by it included."""

    async def talkative(request: Recorded, conversation: Conversation) -> bytes:
        return (
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: X-Secret, keep-alive\r\nX-Secret: s\r\n"
            b"Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nServer: app\r\nSet-Cookie: a=1\r\n"
            b"Set-Cookie: b=2\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\r\n"
        )

    stage.application.handler = talkative
    await stage.start()
    client = await stage.client()

    answer = await client.ask(get(b"/", b"Connection: X-Mine, keep-alive", b"X-Mine: 1", b"TE: gzip"))

    names = [name.lower() for name, _ in answer.headers]
    assert names == [b"server", b"set-cookie", b"set-cookie", b"date", b"content-length"]
    assert answer.values(b"date") == [b"Mon, 01 Jan 2024 00:00:00 GMT"]
    assert stage.application.requests[0].values(b"x-mine") == []
    assert stage.application.requests[0].values(b"te") == []


async def test_http_1_0_is_answered_in_kind(stage: Stage) -> None:
    """A 1.0 client gets a 1.0 status line and the connection ends with the answer."""
    await stage.start()
    client = await stage.client()

    answer = await client.ask(b"GET /old HTTP/1.0\r\nHost: a.test\r\n\r\n")

    assert answer.raw.startswith(b"HTTP/1.0 200 OK\r\n")
    assert await client.closed()


async def test_expect_continue_is_the_applications_to_grant(stage: Stage) -> None:
    """100 Continue comes from the application; then the body streams."""

    async def grant(request: Recorded, conversation: Conversation) -> None:
        assert request.values(b"expect") == [b"100-continue"]
        await conversation.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    stage.application.head_handler = grant
    await stage.start()
    client = await stage.client()

    await client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"

    assert (await client.ask(b"hi")).body == b"/\nhi"


async def test_options_star_is_answered_here(stage: Stage) -> None:
    """``OPTIONS *`` asks the proxy, not an application."""  # S-026
    await stage.start()
    client = await stage.client()

    answer = await client.ask(b"OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n")

    assert answer.status == 204
    assert (await client.ask(get())).status == 200
    assert len(stage.application.requests) == 1


async def test_absolute_form_is_forwarded_in_origin_form(stage: Stage) -> None:
    """A target with scheme and authority is the same request."""  # S-023
    await stage.start()
    client = await stage.client()

    await client.ask(b"GET http://App.Example.Test/x?y HTTP/1.1\r\nHost: app.example.test\r\n\r\n")

    assert stage.application.requests[0].target == b"/x?y"


async def test_what_was_routed_is_what_arrives(stage: Stage) -> None:
    """The application gets the canonical path and the raw query."""  # S-201 S-203 S-204 S-233
    await stage.start()
    client = await stage.client()

    await client.ask(get(b"/a/./b/%2e%2e/%61%2fc//d?x=%2e%2E;y&&z=%ff"))

    assert stage.application.requests[0].target == b"/a/a%2Fc/d?x=%2e%2E;y&&z=%ff"


async def test_large_bodies_pass_both_ways(stage: Stage) -> None:
    """Eight megabytes up and down, sized and chunked."""
    await stage.start()
    client = await stage.client()
    body = bytes(range(256)) * 32768

    sized = await client.ask(b"PUT /s HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(body[i : i + 70000]), body[i : i + 70000]) for i in range(0, len(body), 70000)
    )
    chunked = await client.ask(
        b"PUT /c HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    )

    assert sized.body == b"/s\n" + body
    assert chunked.body == b"/c\n" + body
    assert stage.application.connections == 1


async def test_a_slow_client_slows_the_application(stage: Stage) -> None:
    """An answer that nobody reads is not collected: the application has to wait."""
    sent = 0

    async def endless(request: Recorded, conversation: Conversation) -> None:
        nonlocal sent
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        while True:
            await conversation.send(b"x" * 65536)
            sent += 65536

    stage.application.handler = endless
    await stage.start()
    client = await stage.client()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]

    await client.send(get())
    await asyncio.sleep(0.5)
    before = sent
    await asyncio.sleep(0.3)

    assert sent == before
    # Kernel buffers on loopback hold a few megabytes; the proxy's own share is far below that.
    assert sent < 32 << 20
    client.cut()
    await eventually(lambda: stage.application.open == 0)


async def test_a_slow_application_slows_the_client(stage: Stage) -> None:
    """A body that the application does not read is not collected."""

    async def never_read(request: Recorded, conversation: Conversation) -> bytes | None:
        conversation.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(3600)
        return None

    stage.application.head_handler = never_read
    await stage.start()
    client = await stage.client()
    sent = 0

    async def upload() -> None:
        nonlocal sent
        await client.send(b"PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1073741824\r\n\r\n")
        while True:
            await client.send(b"x" * 65536)
            sent += 65536

    task = asyncio.create_task(upload())
    await asyncio.sleep(0.5)
    before = sent
    await asyncio.sleep(0.3)
    task.cancel()

    assert 0 < sent == before < 32 << 20
    client.cut()


async def test_http_1_0_may_keep_its_connection(stage: Stage) -> None:
    """When it asks to, and is told so."""
    await stage.start()
    client = await stage.client()

    for number in range(2):
        answer = await client.ask(b"GET /%d HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n" % number)
        assert (answer.values(b"connection"), answer.body) == ([b"keep-alive"], b"/%d\n" % number)


async def test_a_unix_socket_is_a_server(stage: Stage, tmp_path: Path) -> None:
    """As the identity provider's is: the client's Host and our forwarding fields arrive there, and only ours."""
    # S-053
    path = tmp_path / "app.sock"
    server = await asyncio.start_unix_server(stage.application._serve, path)
    service = messages.LoadBalancer("identity@internal", (messages.Server(f"unix:{path}"),))
    await stage.start(stage.routes(service=service))
    client = await stage.client()

    answer = await client.ask(get(b"/x", b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-Proto: https"))
    server.close()

    assert answer.body == b"/x\n"
    request = stage.application.requests[0]
    assert request.values(b"host") == [HOST]
    assert request.values(b"x-forwarded-for") == [b"127.0.0.1"]
    assert request.values(b"x-forwarded-proto") == [b"http"]


async def test_a_client_that_leaves_while_we_connect(stage: Stage) -> None:
    """Its request is never sent, and the connection serves the next."""
    await stage.start()
    leaver, stayer = await stage.client(), await stage.client()

    await leaver.send(get(b"/left"))
    leaver.cut()
    await asyncio.sleep(0.05)

    assert (await stayer.ask(get(b"/stayed"))).body == b"/stayed\n"
    assert stage.application.connections == 1

"""A server that refuses, resets, dies, hangs or answers too early: the right status, nothing twice that may not be, and
connections that are in order afterwards."""

from __future__ import annotations

import asyncio

import pytest

from doorward.messages.routing import Server
from proxy.engine.application import Application, Conversation, Recorded
from proxy.engine.stage import Client, eventually, get
from proxy.services.fleet import NOBODY, Fleet, balancer, dies, hangs, names, post, says

BODILESS = [b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"]


async def settled(app: Application, idle: int = 1) -> None:
    """Nothing but ``idle`` kept connections is open."""
    await eventually(lambda: app.open == idle)


async def fine_afterwards(fleet: Fleet, client: Client, app: Application) -> None:
    """The next requests are answered, over one connection, whoever asks."""
    app.handler = says("fine")
    other = await fleet.client()
    for asker in (other, client, other) if not client.reader.at_eof() else (other, other):
        assert (await asker.ask(get())).body == b"fine"
    await settled(app)


@pytest.mark.parametrize("request_bytes", [get(), post(b"body"), post(b"body", method=b"PUT"), post(b"")])
async def test_dead_on_a_fresh_connection_is_502_and_once(fleet: Fleet, request_bytes: bytes) -> None:
    """The server had the request: whatever the method, it is not given it again, nor is another server."""  # S-920
    first, second = await fleet.app("a", dies), await fleet.app("b", dies)
    client = await fleet.serve(balancer("s@file", first, second))

    assert (await client.ask(request_bytes)).status == 502

    assert sum(len(app.requests) for app in fleet.apps.values()) == 1
    fleet.apps["b"].handler = says("fine")
    await fine_afterwards(fleet, client, fleet.apps["a"])


@pytest.mark.parametrize("method", BODILESS)
async def test_a_kept_connection_that_dies_is_replaced_once(fleet: Fleet, method: bytes) -> None:
    """Harmless requests without a body are asked again, on a fresh connection, and then never more."""  # S-920
    server = await fleet.app("a")
    client = await fleet.serve(balancer("s@file", server))
    app = fleet.apps["a"]
    await client.ask(get())
    app.handler = dies

    question = method + b" / HTTP/1.1\r\nHost: a.test\r\n\r\n"
    assert (await client.ask(question, method)).status == 502

    assert [request.method for request in app.requests] == [b"GET", method, method]
    assert app.connections == 2
    await fine_afterwards(fleet, client, app)


@pytest.mark.parametrize(
    "request_bytes",
    [
        post(b"body"),
        post(b""),
        post(b"body", method=b"PUT"),
        post(b"body", method=b"DELETE"),
        post(b"body", method=b"GET"),
        b"PATCH / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        b"REPORT / HTTP/1.1\r\nHost: a.test\r\n\r\n",
    ],
)
async def test_what_may_have_had_its_effect_is_sent_once(fleet: Fleet, request_bytes: bytes) -> None:
    """Other methods, and anything with a body, are 502 when a kept connection dies."""  # S-920
    client = await fleet.serve(balancer("s@file", await fleet.app("a")))
    app = fleet.apps["a"]
    await client.ask(get())
    app.handler = dies

    assert (await client.ask(request_bytes)).status == 502

    assert len(app.requests) == 2
    await fine_afterwards(fleet, client, app)


async def test_an_interim_answer_is_an_answer(fleet: Fleet) -> None:
    """A server that said ``103`` and then died has begun: no second attempt."""  # S-920

    async def early(request: Recorded, conversation: Conversation) -> None:
        await conversation.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        await asyncio.sleep(0.02)
        conversation.cut()

    client = await fleet.serve(balancer("s@file", await fleet.app("a")))
    app = fleet.apps["a"]
    await client.ask(get())
    app.handler = early

    assert (await client.ask(get())).status == 502
    assert len(app.requests) == 2


async def test_a_server_restarts_between_two_requests(fleet: Fleet) -> None:
    """Idle connections that the server closes are gone before anybody is given one: not even a POST notices."""
    client = await fleet.serve(balancer("s@file", await fleet.app("a")))
    app = fleet.apps["a"]
    await client.ask(get())

    for writer in _kept(app):
        writer.close()
    await settled(app, idle=0)

    answer = await client.ask(post(b"x"))
    assert (answer.status, answer.body) == (200, b"a")
    assert [request.method for request in app.requests] == [b"GET", b"POST"]


def _kept(app: Application) -> list[asyncio.StreamWriter]:
    """Connections over which something was answered already."""
    used = {request.connection for request in app.requests}
    standing = [frame.f_locals.get("conversation") for task in app._tasks for frame in task.get_stack()]
    return [each.writer for each in standing if isinstance(each, Conversation) and each.number in used]


@pytest.mark.parametrize("request_bytes", [get(), post(b"body")])
async def test_refused_means_the_next_one(fleet: Fleet, request_bytes: bytes) -> None:
    """Nobody had the request yet, so any method may go on to another server."""
    client = await fleet.serve(balancer("s@file", Server(NOBODY), Server("http://127.0.0.1:2"), await fleet.app("a")))

    for _ in range(4):
        assert (await client.ask(request_bytes)).body == b"a"
    assert len(fleet.apps["a"].requests) == 4


async def test_all_refuse_is_502(fleet: Fleet) -> None:
    """Each is tried once."""
    client = await fleet.serve(balancer("s@file", Server(NOBODY), Server("http://127.0.0.1:2")))

    answer = await client.ask(post(b"x"))

    assert (answer.status, answer.body) == (502, b"Bad Gateway")


async def test_hanging_up_in_the_middle_of_an_upload(fleet: Fleet) -> None:
    """The server dies while the client still sends: 502, once, and the rest of the body is nobody's request."""

    async def half(request: Recorded, conversation: Conversation) -> bytes | None:
        await conversation.reader.readexactly(1000)
        conversation.cut()
        raise ConnectionError

    client = await fleet.serve(balancer("s@file", await fleet.app("a")))
    app = fleet.apps["a"]
    app.head_handler = half
    await client.send(
        b"PUT /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: 20000\r\n\r\n" + b"GET / HTTP/1.1\r\n" * 600
    )

    assert (await client.answer()).status == 502
    app.head_handler = None
    await client.send(b"x" * (20000 - 600 * 16))

    await fine_afterwards(fleet, client, app)
    assert {request.target for request in app.requests} == {b"/"}
    assert app.connections == 2


async def test_an_early_refusal_reaches_the_client(fleet: Fleet) -> None:
    """A server that answers 413 without reading the body: the client sees it, and the connection is not kept."""

    async def refuses(request: Recorded, conversation: Conversation) -> bytes | None:
        return b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig" if request.method == b"PUT" else None

    client = await fleet.serve(balancer("s@file", await fleet.app("a")))
    app = fleet.apps["a"]
    app.head_handler = refuses
    await client.send(b"PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 30000\r\n\r\n" + b"x" * 100)

    answer = await client.answer()
    await client.send(b"x" * 29900)

    assert (answer.status, answer.body) == (413, b"big")
    await fine_afterwards(fleet, client, app)
    assert app.connections == 2


async def test_never_answering_is_504_and_frees_everything(fleet: Fleet) -> None:
    """With ``responseHeaderTimeout``; other requests to other servers are not touched by it."""  # S-920
    client = await fleet.serve(balancer("s@file", await fleet.app("a", hangs), response_header_timeout=0.15))
    app = fleet.apps["a"]

    answers = await asyncio.gather(*[(await fleet.client()).ask(post(b"x")) for _ in range(20)])

    assert {answer.status for answer in answers} == {504}
    assert len(app.requests) == 20
    await settled(app, idle=0)
    await fine_afterwards(fleet, client, app)


async def test_a_body_that_breaks_off_is_cut(fleet: Fleet) -> None:
    """A server that dies in its answer: the client sees a broken answer, not a short one, and nobody else does."""

    async def breaks(request: Recorded, conversation: Conversation) -> bytes | None:
        if request.target != b"/bad":
            return b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
        conversation.writer.close()
        return None

    client = await fleet.serve(balancer("s@file", await fleet.app("a", breaks)))
    other = await fleet.client()
    await client.send(get(b"/bad"))

    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await client.answer()
    assert (await other.ask(get(b"/ok"))).body == b"good"
    assert [request.target for request in fleet.apps["a"].requests] == [b"/bad", b"/ok"]


async def test_nobody_notices_kept_connections_that_go(fleet: Fleet) -> None:
    """One of two servers drops its kept connections again and again: every GET is answered."""
    servers = [await fleet.app("a"), await fleet.app("b")]
    clients = [await fleet.serve(balancer("s@file", *servers))] + [await fleet.client() for _ in range(7)]
    going = fleet.apps["a"]

    async def load(client: Client) -> str:
        answers = []
        for _ in range(50):
            answers.append(await names(client, 1))
            await asyncio.sleep(0.001)
        return "".join(answers)

    async def churn() -> None:
        for _ in range(8):
            await asyncio.sleep(0.01)
            for writer in _kept(going):
                writer.transport.abort()

    churning = asyncio.create_task(churn())
    answers = "".join(await asyncio.gather(*map(load, clients)))
    await churning

    assert len(answers) == 400
    assert set(answers) <= {"a", "b"}

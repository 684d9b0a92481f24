"""Fields after bodies, between clients and servers of either version: which pass, and for whom (S-020)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import h2.events
import pytest
import pytest_asyncio

from doorward.messages.http import HttpAnswer
from doorward.messages.routing import Headers, Server
from doorward.proxy.middlewares.headers import HeadersMiddleware
from doorward.proxy.request import Middleware
from proxy.engine.application import Application, Conversation, Recorded
from proxy.engine.http2_client import Http2Client, Reply, http2_client
from proxy.engine.stage import eventually, get
from proxy.middlewares.auth_server import Said, forward_auth
from proxy.services.fleet import Fleet, balancer
from proxy.services.http2_application import Asked, Fields, Http2Application

SENT: Fields = [
    (b"x-sum", b"42"),
    (b"grpc-status", b"0"),
    (b"set-cookie", b"evil=1"),
    (b"content-type", b"text/evil"),
    (b"www-authenticate", b"Basic"),
]
PASSED = SENT[:2]
TE = b"TE: trailers"


class Old(Application):
    """An application of HTTP/1.1 that puts fields after its answer, and reads none after a request."""

    def __init__(self) -> None:
        super().__init__(self.answers)

    async def answers(self, request: Recorded, conversation: Conversation) -> bytes:
        trailers = b"".join(name + b": " + value + b"\r\n" for name, value in SENT)
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n" + trailers + b"\r\n"


async def trails(asked: Asked) -> None:
    await asked.complete()
    asked.respond()
    await asked.send(b"body")
    asked.connection.core.send_headers(asked.stream, SENT, end_stream=True)
    asked.connection.flush()


@pytest_asyncio.fixture
async def new(fleet: Fleet) -> AsyncIterator[Http2Application]:
    app = Http2Application(trails)
    yield app
    await app.stop()


@pytest.fixture(params=["HTTP/1.1 server", "HTTP/2 server"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def begin(fleet: Fleet, new: Http2Application, version: str, *middlewares: Middleware) -> Application:
    old = Old()
    fleet.started.append(old)
    await old.start()
    server = Server(old.url) if version == "HTTP/1.1 server" else await new.start()
    await fleet.start(fleet.routes(*middlewares, service=balancer("s@file", server)))
    return old


class Reader(Http2Client):
    """A client that keeps what comes after bodies."""

    trailers: dict[int, Fields]

    def _follow(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.TrailersReceived):
            self.trailers[event.stream_id] = list(event.headers)
        super()._follow(event)


async def reader(fleet: Fleet) -> Reader:
    made = Reader(*await asyncio.open_connection("127.0.0.1", fleet.port))
    made.trailers = {}
    fleet.clients.append(made)  # type: ignore[arg-type]
    return made


async def raw_answer(fleet: Fleet, request: bytes) -> bytes:
    client = await fleet.client()
    await client.send(request)
    return await client.rest()


# --- after answers ---


async def test_a_client_of_http1_that_asks_for_them(fleet: Fleet, new: Http2Application, version: str) -> None:
    """``TE: trailers``: it gets those that may come, after the last chunk, and the connection stays in step."""
    await begin(fleet, new, version)

    raw = await raw_answer(fleet, get(b"/", TE) + get(b"/", TE, b"Connection: close, TE"))

    end = b"4\r\nbody\r\n0\r\nx-sum: 42\r\ngrpc-status: 0\r\n\r\n"
    assert raw.count(end) == 2 and raw.endswith(end)
    assert b"evil" not in raw


async def test_a_client_of_http1_that_does_not(fleet: Fleet, new: Http2Application, version: str) -> None:
    """It gets the body and nothing after it."""
    await begin(fleet, new, version)

    raw = await raw_answer(fleet, get(b"/", b"Connection: close"))

    assert raw.endswith(b"4\r\nbody\r\n0\r\n\r\n")


async def test_a_client_of_http10(fleet: Fleet, new: Http2Application, version: str) -> None:
    """It has no chunks to put them after, whatever it asks for."""
    await begin(fleet, new, version)

    raw = await raw_answer(fleet, get(b"/", TE).replace(b"HTTP/1.1", b"HTTP/1.0"))

    assert raw.endswith(b"\r\n\r\nbody")


@pytest.mark.parametrize("asks", [True, False])
async def test_a_client_of_http2(fleet: Fleet, new: Http2Application, version: str, asks: bool) -> None:
    """It can tell them from the body by itself, so it gets them in any case."""
    await begin(fleet, new, version)
    client = await reader(fleet)

    stream = client.ask(b"/", *([(b"te", b"trailers")] if asks else []))
    reply = await client.reply(stream)

    assert (reply.status, bytes(reply.body)) == (200, b"body")
    assert client.trailers[stream] == PASSED


async def test_a_stated_length_and_trailers(fleet: Fleet, new: Http2Application) -> None:
    """Between peers of HTTP/2 one does not exclude the other, for a client that asks for trailers."""

    async def answers(asked: Asked) -> None:
        asked.respond(200, (b"content-length", b"4"))
        await asked.send(b"body")
        asked.trail(*PASSED)

    new.handler = answers
    await begin(fleet, new, "HTTP/2 server")
    client = await reader(fleet)

    stream = client.ask(b"/", (b"te", b"trailers"))
    other = client.ask(b"/")

    assert (await client.reply(stream)).values(b"content-length") == [b"4"]
    assert client.trailers[stream] == PASSED
    assert bytes((await client.reply(other)).body) == b"body"


async def test_trailers_behind_a_full_window(fleet: Fleet, new: Http2Application) -> None:
    """They wait for the body that waits for the client."""

    async def answers(asked: Asked) -> None:
        asked.respond()
        await asked.send(b"x" * 100_000)
        asked.trail(*PASSED)

    new.handler = answers
    await begin(fleet, new, "HTTP/2 server")
    client = await reader(fleet)
    client.greedy = False
    stream = client.ask()
    reply: Reply = client.replies[stream]
    await eventually(lambda: len(reply.body) == 65535, 10)
    assert stream not in client.trailers

    client.take(stream, 65535)
    await client.reply(stream)

    assert len(reply.body) == 100_000
    assert client.trailers[stream] == PASSED


async def test_the_server_hears_what_the_client_takes(fleet: Fleet, new: Http2Application, version: str) -> None:
    """``TE: trailers`` is passed on, in the words of the version; nothing else of ``TE`` is."""
    old = await begin(fleet, new, version)

    for te in (b"TE: gzip, trailers", b"TE: gzip"):
        await raw_answer(fleet, get(b"/", te, b"Connection: close"))

    if version == "HTTP/1.1 server":
        told = [(request.values(b"te"), request.values(b"connection")) for request in old.requests]
        assert told == [([b"trailers"], [b"TE"]), ([], [])]
    else:
        assert [asked.values(b"te") for asked in new.asked] == [[b"trailers"], []]


# --- after requests ---

CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n%b\r\n"
    b"2\r\nhi\r\n0\r\n%b\r\n"
)


async def asked_with(fleet: Fleet, trailers: Fields, front: str, *head: tuple[bytes, bytes]) -> None:
    """A POST with ``trailers``, over either version."""
    if front == "HTTP/1.1 client":
        lines = [b"".join(name + b": " + value + b"\r\n" for name, value in each) for each in (head, trailers)]
        await raw_answer(fleet, CHUNKED % tuple(lines))
        return
    client = await http2_client(fleet)
    stream = client.ask(b"/", *head, method=b"POST", ended=False)
    await client.send(stream, b"hi", ended=False)
    client.core.send_headers(stream, trailers, end_stream=True)
    client.flush()
    await client.reply(stream)


@pytest.fixture(params=["HTTP/1.1 client", "HTTP/2 client"])
def front(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_server_of_http2_gets_them(fleet: Fleet, new: Http2Application, front: str) -> None:
    """From clients of either version."""
    await begin(fleet, new, "HTTP/2 server")

    await asked_with(fleet, [(b"x-sum", b"7"), (b"digest", b"abc")], front)

    (asked,) = new.asked
    assert asked.body == b"hi"
    assert asked.trailers == [(b"x-sum", b"7"), (b"digest", b"abc")]


async def test_a_server_of_http1_does_not(fleet: Fleet, new: Http2Application, front: str) -> None:
    """It cannot say that it reads them, and one that does not would take them for the next request."""
    old = await begin(fleet, new, "HTTP/1.1 server")

    await asked_with(fleet, [(b"x-sum", b"7")], front)

    # This application insists on the bare end of a chunked body.
    (request,) = old.requests
    assert request.body == b"hi"
    assert old.aborted == 0


@pytest.mark.parametrize(
    "name",
    [
        b"x-authentik-username",
        b"x-forwarded-for",
        b"x-forwarded-user-ip_",
        b"x-real-ip",
        b"forwarded",
        b"x_authentik_username",
        b"x-http-method-override",
        b"authorization",
        b"cookie",
        b"origin",
        b"proxy",
        b"remote-user",
        b"x-auth-team",
        b"x-set",
        b"x-emptied",
        b"x-said",
    ],
)
async def test_what_somebody_decides_about_is_no_trailer(
    fleet: Fleet, new: Http2Application, front: str, name: bytes
) -> None:
    """Who the client is, what a middleware sets or removes, what the head has said already."""
    auth = forward_auth(
        Said(HttpAnswer(200, ((b"X-Auth-Id", b"1"),))),
        auth_response_headers=("Remote-User",),
        auth_response_headers_regex="^X-Auth-",
    )
    sets = HeadersMiddleware(Headers("h@file", custom_request_headers=(("X-Set", "ours"), ("X-Emptied", ""))))
    await begin(fleet, new, "HTTP/2 server", auth, sets)

    await asked_with(fleet, [(name, b"forged"), (b"x-sum", b"7")], front, (b"x-said", b"1"))

    (asked,) = new.asked
    assert asked.trailers == [(b"x-sum", b"7")]
    assert not re.search(rb"forged", b"\n".join(value for _, value in asked.headers))


async def test_a_refused_request_keeps_its_trailers(fleet: Fleet, new: Http2Application, front: str) -> None:
    """Sent again with all that belongs to it."""
    refused = False

    async def refuses_once(asked: Asked) -> None:
        nonlocal refused
        await asked.complete()
        if refused:
            await trails(asked)
        else:
            refused = True
            asked.refuse()

    new.handler = refuses_once
    await begin(fleet, new, "HTTP/2 server")

    await asked_with(fleet, [(b"x-sum", b"7")], front)

    assert [(bytes(asked.body), asked.trailers) for asked in new.asked] == [(b"hi", [(b"x-sum", b"7")])] * 2

"""What a server must answer to be healthy, and where the question may go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from doorward.messages.routing import ClientTls, HealthCheck
from doorward.net.client import Client
from doorward.net.health_probe import Probe, ask
from proxy.engine.application import Application, Conversation, Recorded

CHECK = HealthCheck("/health?full=1", timeout=1.0)


@pytest_asyncio.fixture
async def app() -> AsyncIterator[Application]:
    application = Application()
    await application.start()
    yield application
    await application.stop()
    await asyncio.sleep(0.01)


async def asked(app: Application, check: HealthCheck = CHECK, url: str = "") -> str:
    client = Client()
    try:
        return await ask(client, Probe(url or app.url, None, check))
    finally:
        await client.close()


def answers(app: Application, *heads: bytes) -> None:
    """The application gives these answers in turn, the last for ever."""
    left = list(heads)

    async def handler(request: Recorded, conversation: Conversation) -> bytes:
        head = left.pop(0) if len(left) > 1 else left[0]
        return b"HTTP/1.1 " + head + b"\r\nContent-Length: 0\r\n\r\n"

    app.handler = handler


@pytest.mark.parametrize(
    ("status", "wanted", "healthy"),
    [
        (b"200 OK", 0, True),
        (b"204 No", 0, True),
        (b"399 Hm", 0, True),
        (b"304 Not", 0, True),
        (b"400 Bad", 0, False),
        (b"503 No", 0, False),
        (b"200 OK", 204, False),
        (b"418 Tea", 418, True),
    ],
)
async def test_statuses(app: Application, status: bytes, wanted: int, healthy: bool) -> None:
    """200 to 399, or exactly the one that is named; the reason says what came."""
    answers(app, status)

    why = await asked(app, replace(CHECK, status=wanted))

    assert why == ("" if healthy else f"it answered {status[:3].decode()}")


async def test_the_question(app: Application) -> None:
    """Method, path, host and fields as configured, on the port that is named."""
    check = replace(CHECK, method="HEAD", hostname="app.test", headers=(("X-Probe", "1"),), port=app.port)

    assert await asked(app, check, "https://127.0.0.1:9/base") != ""
    assert await asked(app, replace(check, scheme="http"), "https://127.0.0.1:9/base") == ""

    (request,) = app.requests
    assert (request.method, request.target) == (b"HEAD", b"/health?full=1")
    assert request.values(b"host") == [b"app.test"]
    assert request.values(b"x-probe") == [b"1"]


async def test_by_default_the_server_is_named(app: Application) -> None:
    """Its own authority; a ``Host`` among the fields wins."""
    await asked(app)
    await asked(app, replace(CHECK, headers=(("Host", "other.test"),)))

    assert [request.values(b"host") for request in app.requests] == [
        [f"127.0.0.1:{app.port}".encode()],
        [b"other.test"],
    ]


@pytest.mark.parametrize(
    ("url", "check", "origin"),
    [
        ("http://a:81", CHECK, ("http", 81)),
        ("http://a", replace(CHECK, scheme="https"), ("https", 443)),
        ("https://a:8443", replace(CHECK, scheme="http"), ("http", 8443)),
        ("https://a:8443", replace(CHECK, scheme="http", port=81), ("http", 81)),
        ("https://a", replace(CHECK, port=81), ("https", 81)),
    ],
)
def test_where_the_question_goes(url: str, check: HealthCheck, origin: tuple[str, int]) -> None:
    """Always to the server's host, with its TLS where there is any."""
    tls = ClientTls(server_name="a.test")
    found = Probe(url, tls, check).origin()

    assert (found.scheme, found.port, found.host) == (*origin, "a")
    assert found.tls == (tls if origin[0] == "https" else None)


async def test_redirections_within_the_server(app: Application) -> None:
    """Are followed, and the last answer counts; or not at all, and 302 is an answer."""
    answers(app, b"302 Found\r\nLocation: /login?a=b", b"307 Again\r\nLocation: other", b"500 No")
    assert await asked(app) == "it answered 500"
    assert [request.target for request in app.requests] == [b"/health?full=1", b"/login?a=b", b"/other"]

    answers(app, b"302 Found\r\nLocation: /login")
    assert await asked(app, replace(CHECK, follow_redirects=False)) == ""
    assert len(app.requests) == 4


@pytest.mark.parametrize(
    "location",
    [
        b"http://169.254.169.254/",
        b"//other.test/",
        b"https://127.0.0.1/",
        b"http://127.0.0.1:1/",
        b"ftp://x/",
        b"http://[",
    ],
)
async def test_redirections_elsewhere_are_not_followed(app: Application, location: bytes) -> None:
    """A server cannot send us anywhere; its own status counts."""  # S-651
    answers(app, b"302 Found\r\nLocation: " + location)

    assert await asked(app) == ""
    assert await asked(app, replace(CHECK, status=200)) == "it answered 302"
    assert len(app.requests) == 2


async def test_redirections_have_an_end(app: Application) -> None:
    """Ten and no more."""
    answers(app, b"302 Found\r\nLocation: /health")

    assert await asked(app) == ""
    assert len(app.requests) == 10


async def test_what_does_not_answer(app: Application) -> None:
    """Refused, silent, cut: each with a reason that an operator can read."""

    async def silent(request: Recorded, conversation: Conversation) -> None:
        await conversation.reader.read()

    async def cuts(request: Recorded, conversation: Conversation) -> None:
        conversation.cut()

    assert "refused" in (await asked(app, url="http://127.0.0.1:1")).lower()
    app.handler = silent
    assert await asked(app, replace(CHECK, timeout=0.1)) == "no answer within 0.1 s"
    app.handler = cuts
    assert await asked(app) == "connection lost"


async def test_a_large_page_is_well(app: Application) -> None:
    """What it says does not matter, nor how much."""

    async def large(request: Recorded, conversation: Conversation) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"

    app.handler = large

    assert await asked(app) == ""

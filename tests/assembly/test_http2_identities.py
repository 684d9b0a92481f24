"""Who is who on HTTP/2: the embedded outpost behind streams of one connection and of many."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from assembly.test_fused import HOST, Twins
from outpost.issuer import Person
from outpost.world import BOB, MALLORY
from proxy.engine.application import Conversation, Recorded
from proxy.engine.http2_client import Http2Client

NAVIGATION = (
    (b"accept", b"text/html"),
    (b"sec-fetch-mode", b"navigate"),
    (b"sec-fetch-dest", b"document"),
    (b"sec-fetch-site", b"none"),
)


async def who(request: Recorded, conversation: Conversation) -> bytes:
    """Answers with the name that came with the request."""
    body = b",".join(request.values(b"x-authentik-username"))
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.fixture
async def twins() -> AsyncIterator[Twins]:
    twins = Twins()
    twins.application.handler = who
    await twins.start()
    yield twins
    await twins.stop()
    await asyncio.sleep(0.05)  # for what was cut to be gone


async def connect(twins: Twins) -> Http2Client:
    return Http2Client(*await asyncio.open_connection("127.0.0.1", twins.ports["fused"]))


async def cookie_of(twins: Twins, user: Person) -> tuple[bytes, bytes]:
    browser = twins.world.browser(user, HOST)
    browser.scheme = "http"
    await browser.log_in("/")
    return b"cookie", b"theme=dark; " + browser.cookie_header().encode()


async def test_a_stranger_is_sent_to_log_in(twins: Twins) -> None:
    """302 with the state's cookie, and the application hears nothing."""
    client = await connect(twins)

    reply = await client.get(b"/a?b=c", *NAVIGATION)

    assert reply.status == 302
    assert re.match(rb"https?://.*[?&]client_id=", reply.values(b"location")[0])
    assert reply.values(b"set-cookie")[0].startswith(b"authentik_proxy_")
    assert twins.application.requests == []
    client.cut()


async def test_a_session_opens_the_application(twins: Twins) -> None:
    """With the identity of the session, whatever the client claims, and without the session's cookie."""
    client = await connect(twins)

    reply = await client.get(b"/a", *NAVIGATION, await cookie_of(twins, BOB), (b"x-authentik-username", b"akadmin"))

    assert (reply.status, bytes(reply.body)) == (200, b"bob")
    assert twins.application.requests[0].values(b"cookie") == [b"theme=dark"]
    client.cut()


async def test_two_people_are_never_mixed(twins: Twins) -> None:
    """A thousand interleaved requests, on two connections and on one that two people share, each as who sent it."""
    # S-327
    bob, mallory = await cookie_of(twins, BOB), await cookie_of(twins, MALLORY)
    shared, one, two = [await connect(twins) for _ in range(3)]
    for _ in range(10):
        asked = []
        for number in range(25):
            path = b"/%d" % number
            asked += [
                (one, one.ask(path, *NAVIGATION, bob), b"bob"),
                (shared, shared.ask(path, *NAVIGATION, mallory), b"mallory"),
                (two, two.ask(path, *NAVIGATION, mallory), b"mallory"),
                (shared, shared.ask(path, *NAVIGATION, bob), b"bob"),
            ]
        for client, stream, name in asked:
            reply = await client.reply(stream)
            assert (reply.status, bytes(reply.body)) == (200, name)
    for client in (shared, one, two):
        client.cut()


async def test_a_session_that_ended_opens_nothing(twins: Twins) -> None:
    """The next stream of the same connection is a stranger's."""  # S-321
    client = await connect(twins)
    cookie = await cookie_of(twins, BOB)
    assert (await client.get(b"/a", *NAVIGATION, cookie)).status == 200
    ended = tuple(twins.world.store.sessions)
    twins.world.store.sessions.clear()
    twins.world.outpost.sessions_ended(ended)

    assert (await client.get(b"/a", *NAVIGATION, cookie)).status == 302
    client.cut()

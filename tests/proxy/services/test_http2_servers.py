"""Servers that speak HTTP/2: what they are asked, what comes of their answers, and how connections are used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from proxy.engine.http2_client import http2_client
from proxy.engine.stage import HOST, get
from proxy.services.fleet import Fleet, balancer, post
from proxy.services.http2_application import Http2Application


@pytest_asyncio.fixture
async def app(fleet: Fleet) -> AsyncIterator[Http2Application]:
    app = Http2Application()
    yield app
    await app.stop()


async def test_a_request_over_h2c(fleet: Fleet, app: Http2Application) -> None:
    """A client of HTTP/1.1 gets what an application of HTTP/2 answers."""
    client = await fleet.serve(balancer("s@file", await app.start()))

    answer = await client.ask(get(b"/x?y=1", b"X-A: b"))

    assert (answer.status, answer.body) == (200, b"/x?y=1\n")
    (asked,) = app.asked
    assert asked.headers[:4] == [
        (b":method", b"GET"),
        (b":scheme", b"http"),
        (b":authority", HOST),
        (b":path", b"/x?y=1"),
    ]
    assert asked.values(b"x-a") == [b"b"]
    assert asked.values(b"x-forwarded-proto") == [b"http"]
    assert not asked.values(b"host") and not asked.values(b"te")


async def test_many_requests_share_one_connection(fleet: Fleet, app: Http2Application) -> None:
    """Fifty at a time, the first ones included, which meet a server that nobody has asked before."""
    await fleet.serve(balancer("s@file", await app.start()))
    client = await http2_client(fleet)

    replies = await asyncio.gather(*(client.get(b"/%d" % number) for number in range(50)))

    assert [bytes(reply.body) for reply in replies] == [b"/%d\n" % number for number in range(50)]
    assert len(app.connections) == 1


async def test_a_body_goes_through(fleet: Fleet, app: Http2Application) -> None:
    """A megabyte each way: more than any window."""
    client = await fleet.serve(balancer("s@file", await app.start()))
    body = bytes(range(256)) * 4096

    answer = await client.ask(post(body, b"/up"), b"POST")

    assert answer.body == b"/up\n" + body
    assert app.asked[0].values(b"content-length") == [b"%d" % len(body)]

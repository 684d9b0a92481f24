"""A connection that does nothing keeps almost nothing, and nobody notices."""

from __future__ import annotations

import time

from proxy.engine.http2_client import http2_client
from proxy.engine.stage import Stage

REQUEST = b"GET /a HTTP/1.1\r\nHost: app.example.test\r\n\r\n"


def look_at_the_clock(stage: Stage) -> None:
    """What the engine does once a second, twice."""
    for server in stage.engine._servers.values():
        server.sweep(time.monotonic())
        server.sweep(time.monotonic())


async def test_a_connection_that_has_dozed_goes_on(stage: Stage) -> None:
    """Between two requests, in the middle of a head, and before the first one."""
    await stage.start()
    client = await stage.client()
    look_at_the_clock(stage)

    for _ in range(3):
        assert (await client.ask(REQUEST)).status == 200
        look_at_the_clock(stage)
    await client.send(REQUEST[:20])
    await (await stage.client()).ask(REQUEST)
    look_at_the_clock(stage)

    assert (await client.ask(REQUEST[20:])).status == 200


async def test_a_connection_that_has_dozed_may_still_turn_out_to_be_http2(stage: Stage) -> None:
    """Its first bytes come late."""
    await stage.start()
    client = await http2_client(stage)
    look_at_the_clock(stage)

    assert (await client.get(b"/a")).status == 200


async def test_a_dozing_connection_ends_with_the_worker(stage: Stage) -> None:
    """It is closed politely, and at once."""
    await stage.start()
    client = await stage.client()
    await client.ask(REQUEST)
    look_at_the_clock(stage)

    await stage.engine.drain(5)

    assert await client.closed()

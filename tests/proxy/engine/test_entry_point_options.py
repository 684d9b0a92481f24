"""What an entry point may be told about connections and requests, each option by its effect."""

from __future__ import annotations

import asyncio
import time

import pytest
from msgspec.structs import replace

from doorward.messages.routing import EncodedCharacters
from doorward.proxy.progress import Progress
from proxy.engine.stage import Stage, eventually, get
from proxy.engine.tls import router, serve, table


async def start(stage: Stage, **options: object) -> None:
    stage.entry_point = replace(stage.entry_point, **options)
    await stage.start()


def closes(headers: list[bytes]) -> bool:
    return headers == [b"close"]


async def test_a_connection_ends_after_so_many_requests(stage: Stage) -> None:
    """The last one is answered and says so."""
    await start(stage, keep_alive_max_requests=3)
    client = await stage.client()

    said = [closes((await client.ask(get())).values(b"connection")) for _ in range(3)]

    assert said == [False, False, True]
    assert await client.closed()
    assert len(stage.application.requests) == 3


async def test_a_connection_ends_at_an_age(stage: Stage) -> None:
    """With the next request; none is dropped for it."""
    await start(stage, keep_alive_max_time=0.2)
    client = await stage.client()

    assert not closes((await client.ask(get())).values(b"connection"))
    await asyncio.sleep(0.25)
    assert closes((await client.ask(get())).values(b"connection"))
    assert await client.closed()


def test_a_whole_request_has_a_time() -> None:
    """Fast enough and still too long is too long; time in which we did not read does not count."""
    progress = Progress(100.0, limit=30.0)
    progress.received = 1 << 30

    assert not progress.too_slow(129.0, False)
    assert not progress.too_slow(139.0, True)
    assert not progress.too_slow(139.5, False)
    assert progress.too_slow(140.5, False)


async def test_a_body_that_takes_too_long_is_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """408 at the time that the operator gave, although bytes keep coming."""
    monkeypatch.setattr("doorward.proxy.engine.SWEEP_INTERVAL", 0.05)
    await start(stage, request_timeout=0.3)
    client = await stage.client()
    await client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\n")

    begun = time.monotonic()
    while time.monotonic() - begun < 3 and not client.reader.at_eof() and not client.reader._buffer:  # type: ignore[attr-defined]
        await client.send(b"x" * 1000)
        await asyncio.sleep(0.02)

    assert (await client.answer()).status == 408
    assert time.monotonic() - begun < 1.5


async def test_fields_that_connection_lists(stage: Stage) -> None:
    """One that is to be kept reaches the middlewares and not the application; the others reach nobody."""
    seen: list[list[bytes]] = []

    class Look:
        def enter(self, request: object) -> None:
            names = [name for name, _ in request.headers]  # type: ignore[attr-defined]
            seen.append([name for name in names if name in (b"X-Hop", b"X-Other", b"Connection")])

        def leave(self, request: object, response: object) -> None: ...

    stage.entry_point = replace(stage.entry_point, listed_fields_kept=("x-hop", "x-forwarded-for"))
    await stage.start(stage.routes(Look()))
    client = await stage.client()

    listing = (b"Connection: X-Hop, X-Other", b"X-Hop: 1", b"X-Other: 2")
    for fields in (listing, (b"X-Hop: 1",), listing):
        assert (await client.ask(get(b"/", *fields))).status == 200

    assert seen == [[b"X-Hop"]] * 3
    assert [request.values(b"x-hop") for request in stage.application.requests] == [[], [b"1"], []]
    assert [request.values(b"x-other") for request in stage.application.requests] == [[]] * 3


async def test_the_peer_may_be_left_out_of_the_chain(stage: Stage) -> None:
    """Nothing from an untrusted client; what a trusted proxy says, as it is."""
    await start(stage, append_forwarded_for=False)
    await (await stage.client()).ask(get(b"/", b"X-Forwarded-For: 6.6.6.6"))
    assert stage.application.requests[0].values(b"x-forwarded-for") == []
    assert stage.application.requests[0].values(b"x-real-ip") == [b"127.0.0.1"]


async def test_a_trusted_chain_may_stay_as_it_is(stage: Stage) -> None:
    """No address is added to what a trusted proxy says."""
    await start(stage, append_forwarded_for=False, trusted_ips=("127.0.0.1",))
    await (await stage.client()).ask(get(b"/", b"X-Forwarded-For: 6.6.6.6, 10.0.0.1"))

    assert stage.application.requests[0].values(b"x-forwarded-for") == [b"6.6.6.6, 10.0.0.1"]


@pytest.mark.parametrize(
    ("path", "status"),
    [(b"/a%2Fb", 400), (b"/a%2fb", 400), (b"/a%5Cb", 400), (b"/a%3Bb", 200), (b"/a?x=%2F", 200), (b"/%E2%82%AC", 200)],
)
async def test_escapes_that_are_not_allowed(stage: Stage, path: bytes, status: int) -> None:
    """An empty 400 for the path; the query is the application's affair."""
    guard = EncodedCharacters("web@internal", ("%2F", "%5C"))
    await serve(stage, table(router("r", tls=False, middlewares=(guard,))))

    answer = await (await stage.client()).ask(get(path))

    assert answer.status == status
    assert status == 200 or answer.body == b""
    assert len(stage.application.requests) == (status == 200)


async def test_connections_are_accepted_a_while_after_the_order_to_stop(stage: Stage) -> None:
    """A load balancer that has not noticed yet is still served; afterwards nobody is."""  # S-923
    await start(stage, accept_grace=0.4)
    draining = asyncio.create_task(stage.engine.drain(2.0))
    await asyncio.sleep(0.1)

    assert (await (await stage.client()).ask(get())).status == 200
    await eventually(lambda: stage.engine._servers["web"].draining)
    with pytest.raises(OSError):
        await stage.client()
    await draining

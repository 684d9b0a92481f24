"""PROXY protocol at an entry point: believed from load balancers, from nobody else."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from net.test_proxy_protocol import ADDRESSES_4, ADDRESSES_6, version_2
from proxy.engine.stage import Stage, get
from proxy.engine.tls import router, serve, table, tls_client

V1 = b"PROXY TCP4 192.0.2.7 127.0.0.1 4096 443\r\n"


async def start(stage: Stage, *trusted: str, tls: bool = False, **more: object) -> None:
    stage.entry_point = replace(stage.entry_point, proxy_protocol_ips=trusted or ("127.0.0.1",), **more)
    await serve(stage, table(router("r", tls=tls)))


def client_of(stage: Stage) -> list[bytes]:
    (request,) = stage.application.requests
    return request.values(b"x-forwarded-for")


@pytest.mark.parametrize(
    ("header", "client"),
    [
        (V1, b"192.0.2.7"),
        (b"PROXY TCP6 2001:db8::7 ::1 4096 443\r\n", b"2001:db8::7"),
        (b"PROXY UNKNOWN\r\n", b"127.0.0.1"),
        (version_2(), b"192.0.2.7"),
        (version_2(ADDRESSES_6, family=0x21), b"2001:db8::7"),
        (version_2(b"", 0x20, 0), b"127.0.0.1"),
        (b"", b"127.0.0.1"),
    ],
)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_the_client_is_the_one_that_the_load_balancer_names(
    stage: Stage, header: bytes, client: bytes, tls: bool
) -> None:
    """Before TLS as before plain HTTP; without a header it is the load balancer itself."""
    await start(stage, tls=tls)

    if tls:
        connection = await tls_client(stage, "one.test", before=header)
        assert (await connection.ask(get())).status == 200
    else:
        connection = await stage.client()
        assert (await connection.ask(header + get())).status == 200

    assert client_of(stage) == [client]
    assert stage.application.requests[0].values(b"x-real-ip") == [client]


async def test_a_header_in_pieces(stage: Stage) -> None:
    """One byte at a time, with the request behind it likewise."""
    await start(stage)
    client = await stage.client()

    for byte in V1 + get():
        await client.send(bytes((byte,)))
        await asyncio.sleep(0.001)

    assert (await client.answer()).status == 200
    assert client_of(stage) == [b"192.0.2.7"]


@pytest.mark.parametrize("header", [V1, version_2()])
async def test_a_header_from_anybody_else_is_refused(stage: Stage, header: bytes) -> None:
    """400, and nothing that follows is read."""  # S-046
    await start(stage, "10.0.0.0/8")
    client = await stage.client()

    assert (await client.ask(header + get())).status == 400
    assert await client.closed()
    assert stage.application.requests == []


@pytest.mark.parametrize("header", [V1, version_2()])
async def test_a_header_from_anybody_else_before_tls_is_refused(stage: Stage, header: bytes) -> None:
    """The same where TLS is spoken."""  # S-046
    await start(stage, "10.0.0.0/8", tls=True)
    client = await stage.client()

    await client.send(header)

    assert (await client.rest()).startswith(b"HTTP/1.1 400 ")


async def test_a_second_header_is_no_header(stage: Stage) -> None:
    """What the client writes behind the load balancer's header is its own."""  # S-046
    await start(stage)
    client = await stage.client()

    answer = await client.ask(V1 + V1.replace(b"192.0.2.7", b"10.0.0.1") + get())

    assert answer.status == 400
    assert stage.application.requests == []


@pytest.mark.parametrize("header", [b"PROXY TCP4 x y 1 2\r\n", version_2(ADDRESSES_4[:-1]), b"PROXY " + b"x" * 200])
async def test_a_malformed_header_ends_the_connection(stage: Stage, header: bytes) -> None:
    """Without a word: whether it is HTTP or TLS that was to follow, nobody knows."""
    await start(stage)
    client = await stage.client()

    await client.send(header + get())

    assert await client.closed()
    assert stage.application.requests == []


async def test_forwarding_fields_are_judged_by_the_client_that_was_named(stage: Stage) -> None:
    """Being behind the load balancer makes nobody a trusted proxy."""
    await start(stage, trusted_ips=("127.0.0.1",))
    forged = get(b"/", b"X-Forwarded-For: 6.6.6.6")

    assert (await (await stage.client()).ask(V1 + forged)).status == 200
    assert (await (await stage.client()).ask(forged)).status == 200

    told = [request.values(b"x-forwarded-for") for request in stage.application.requests]
    assert told == [[b"192.0.2.7"], [b"6.6.6.6, 127.0.0.1"]]


async def test_everybody_may_be_believed(stage: Stage) -> None:
    """``insecure`` says so."""
    stage.entry_point = replace(stage.entry_point, proxy_protocol_insecure=True)
    await serve(stage, table(router("r", tls=False)))

    assert (await (await stage.client()).ask(V1 + get())).status == 200
    assert client_of(stage) == [b"192.0.2.7"]

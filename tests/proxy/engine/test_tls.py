"""TLS at an entry point: certificates by name, replaced while serving, and plain requests beside it."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest
from msgspec.structs import replace

from doorward.net.client_hello import ClientHello
from doorward.net.server_tls import ServerTls
from net.certificates import self_signed
from net.hello import real_hello, records
from proxy.engine.stage import Stage, get
from proxy.engine.tls import (
    DEFAULT,
    ONE,
    WILD,
    client_context,
    router,
    routes_of,
    serve,
    shown,
    table,
    tls_client,
    tls_of,
)

CLOSED = (ssl.SSLError, ConnectionError)


@pytest.mark.parametrize(
    ("name", "certificate"),
    [
        ("one.test", "one.test"),
        ("ONE.test", "one.test"),
        ("two.test", "*.wild.test"),
        ("a.wild.test", "*.wild.test"),
        ("a.b.wild.test", "default.test"),
        ("wild.test", "default.test"),
        ("other.test", "default.test"),
        (None, "default.test"),
    ],
)
async def test_certificates_by_name(stage: Stage, name: str | None, certificate: str) -> None:
    """Exact name, then a wildcard for one label, then the default."""
    await serve(stage, table())

    client = await tls_client(stage, name)

    assert shown(client) == certificate
    assert (await client.ask(get(b"/x"))).body == b"/x\n"
    assert stage.application.requests[0].values(b"x-forwarded-proto") == [b"https"]
    assert tls_of(client).selected_alpn_protocol() == "http/1.1"


async def test_a_client_that_names_nobody_is_shown_the_certificate_of_the_address(stage: Stage) -> None:
    """A certificate for our own address is found without a name."""
    await serve(stage, table(certificates=(ONE, self_signed("127.0.0.1"))))

    assert shown(await tls_client(stage, None)) == "127.0.0.1"


async def test_certificates_are_replaced_while_serving(stage: Stage) -> None:
    """New handshakes see the new one, connections that stand go on."""
    await serve(stage, table())
    old = await tls_client(stage, "one.test")

    stage.engine.use(routes_of(stage, table(certificates=(self_signed("new.test", "one.test"),))))
    new = await tls_client(stage, "one.test")

    assert shown(new) == "new.test"
    assert (await old.ask(get())).status == (await new.ask(get())).status == 200
    assert shown(await tls_client(stage, "two.test")) == "default.test"


async def test_a_session_is_taken_up_again_after_a_reload(stage: Stage) -> None:
    """A new table that leaves certificate and options alone costs nobody a full handshake."""
    await serve(stage, table())
    context = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)

    def session(before: ssl.SSLSession | None) -> tuple[ssl.SSLSession | None, bool]:
        plain = socket.create_connection(("127.0.0.1", stage.port))
        with context.wrap_socket(plain, server_hostname="one.test", session=before) as client:
            return client.session, bool(client.session_reused)

    first, _ = await asyncio.to_thread(session, None)
    stage.engine.use(routes_of(stage, table(router("other", "other.test"))))
    _, reused = await asyncio.to_thread(session, first)

    assert reused


async def test_a_certificate_without_its_key_refuses_its_own_name_only(stage: Stage) -> None:
    """Whoever asks for that name is told so by an alert; the others are served."""  # S-705
    await serve(stage, table(certificates=(replace(ONE, key_pem=WILD.key_pem), WILD)))

    with pytest.raises(CLOSED):
        await tls_client(stage, "one.test")
    assert shown(await tls_client(stage, "two.test")) == "*.wild.test"


async def test_without_certificates_nobody_is_served(stage: Stage) -> None:
    """The handshake is refused; nothing is shown that nobody configured."""
    await serve(stage, table(certificates=(), default_certificate=None))

    with pytest.raises(CLOSED):
        await tls_client(stage, "one.test")


async def test_old_tls_is_refused(stage: Stage) -> None:
    """TLS 1.2 is the least."""
    await serve(stage, table())

    assert (
        await (await tls_client(stage, "one.test", maximum_version=ssl.TLSVersion.TLSv1_2)).ask(get())
    ).status == 200
    with pytest.warns(DeprecationWarning), pytest.raises(CLOSED):
        await tls_client(
            stage, "one.test", minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1
        )


async def test_both_kinds_on_one_port(stage: Stage) -> None:
    """A router with TLS answers TLS and nothing else, one without it plain requests and nothing else."""
    await serve(stage, table(router("secure", "one.test"), router("plain", "plain.test", tls=False)))
    secure, plain = await tls_client(stage, "one.test"), await stage.client()

    assert (await secure.ask(get(host=b"one.test"))).status == 200
    assert (await secure.ask(get(host=b"plain.test"))).status == 404
    assert (await plain.ask(get(host=b"plain.test"))).status == 200
    assert (await plain.ask(get(host=b"one.test"))).status == 404
    assert [request.values(b"x-forwarded-proto") for request in stage.application.requests] == [[b"https"], [b"http"]]


async def test_a_table_may_bring_tls_to_a_plain_port_and_take_it_away(stage: Stage) -> None:
    """While connections come in: which kind is spoken follows the table."""
    await serve(stage, table(router("plain", tls=False)))
    before = await stage.client()
    assert (await before.ask(get())).status == 200

    for _ in range(3):
        stage.engine.use(routes_of(stage, table(router("plain", tls=False), router("secure"))))
        assert (await (await stage.client()).ask(get())).status == 200
        assert (await (await tls_client(stage, "one.test")).ask(get())).status == 200

        stage.engine.use(routes_of(stage, table(router("plain", tls=False))))
        await asyncio.sleep(0.01)
        assert (await (await stage.client()).ask(get())).status == 200
        with pytest.raises(CLOSED):
            await tls_client(stage, "one.test")

    assert (await before.ask(get())).status == 200


async def test_plain_http_on_the_tls_port_is_told_so(stage: Stage) -> None:
    """A fixed text; nothing of what was sent is in it."""  # S-049
    await serve(stage, table())
    client = await stage.client()

    answer = await client.ask(get(b"/reflect", b"X: " + b"reflect" * 5000))

    assert (answer.status, answer.body) == (400, b"400 Bad Request: plain HTTP was sent to an HTTPS address")
    assert b"reflect" not in answer.raw
    assert await client.closed()
    assert stage.application.requests == []


@pytest.mark.parametrize(
    "preamble", [b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"EHLO a\r\n", b"\x80\x2e\x01\x03\x01", b"\n"]
)
async def test_other_preambles_are_no_way_in(stage: Stage, preamble: bytes) -> None:
    """STARTTLS in all its forms, SSL 2: told the same, closed at once."""  # S-903
    await serve(stage, table())
    client = await stage.client()

    await client.send(preamble)

    assert (await client.rest()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_a_hello_in_many_segments_gets_the_same_certificate(stage: Stage, size: int) -> None:
    """One byte at a time, the choice is that of the whole message."""  # S-048
    await serve(stage, table())
    loop = asyncio.get_running_loop()
    context = client_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="one.test")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()

    with stage.socket() as client:
        for at in range(0, len(hello), size):
            await loop.sock_sendall(client, hello[at : at + size])
            await asyncio.sleep(0.001)
        while True:
            incoming.write(await asyncio.wait_for(loop.sock_recv(client, 65536), 3))
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                continue
        assert b"one.test" in (tls.getpeercert(True) or b"")


async def test_a_hello_in_many_records_gets_the_same_certificate(stage: Stage) -> None:
    """Cut into records, the choice is that of the whole message, and OpenSSL reads the same."""  # S-048
    await serve(stage, table())
    loop = asyncio.get_running_loop()
    context = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="one.test")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()

    with stage.socket() as client:
        await loop.sock_sendall(client, records(outgoing.read()[5:], 60))
        answer = b""
        while b"one.test" not in answer:
            answer += await asyncio.wait_for(loop.sock_recv(client, 65536), 3)


async def test_a_hello_that_is_none_gets_an_alert(stage: Stage) -> None:
    """Malformed: a fatal alert, and the end."""
    await serve(stage, table())
    client = await stage.client()

    await client.send(b"\x16\x03\x01\x00\x05\x02hello")

    assert await client.rest() == b"\x15\x03\x03\x00\x02\x02\x32"


@pytest.mark.parametrize("sent", [b"", b"\x16", real_hello("one.test")[:-1], real_hello("one.test")])
async def test_a_handshake_that_stalls_is_cut(stage: Stage, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing, one byte, a hello without its end, a hello and no more: all go in time, others are served."""  # S-903
    monkeypatch.setattr("doorward.net.opening.FIRST_BYTE_TIMEOUT", 0.15)
    monkeypatch.setattr("doorward.net.opening.HANDSHAKE_TIMEOUT", 0.3)
    await serve(stage, table())
    loop = asyncio.get_running_loop()
    begun = loop.time()

    stalled = await stage.client()
    await stalled.send(sent)
    assert (await (await tls_client(stage, "one.test")).ask(get())).status == 200
    try:
        await stalled.rest()
    except ConnectionError:
        pass

    assert loop.time() - begun < 1.0


async def test_a_client_that_leaves_early_leaves_nothing(stage: Stage) -> None:
    """Closed before or within the hello: forgotten at once."""  # I6
    await serve(stage, table())

    for sent in (b"", b"\x16\x03", real_hello("one.test")[:100]):
        client = await stage.client()
        await client.send(sent)
        client.close()
    await asyncio.sleep(0.05)

    assert not any(server._openings for server in stage.engine._servers.values())


async def test_large_answers_over_tls(stage: Stage) -> None:
    """Four megabytes up and down."""
    await serve(stage, table())
    client = await tls_client(stage, "one.test")
    body = bytes(range(256)) * 16384

    answer = await client.ask(b"PUT /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    assert answer.body == b"/x\n" + body


async def test_a_refusal_over_tls_is_readable(stage: Stage) -> None:
    """The answer arrives before the close."""
    await serve(stage, table())
    client = await tls_client(stage, "one.test")

    answer = await client.ask(b"GET / HTTP/1.1\r\n\r\n")

    assert answer.status == 400
    assert await client.closed()


def test_contexts_are_kept_while_they_are_needed() -> None:
    """A table with the same certificate keeps its context; one without it lets go."""
    tls = ServerTls()
    made = table()
    tls.use(made)

    first = tls.choose(ClientHello("one.test"), "web", "")
    tls.use(replace(made, version=2))
    assert tls.choose(ClientHello("one.test"), "web", "") == first

    tls.use(table(certificates=(WILD,), default_certificate=DEFAULT))
    assert not tls._contexts

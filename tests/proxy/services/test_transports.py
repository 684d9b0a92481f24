"""How servers are reached: TLS that is verified, names, identities, versions, and how long anybody waits."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from doorward.messages.routing import Certificate, ClientTls, Server
from net.certificates import self_signed
from proxy.engine.application import Application
from proxy.engine.stage import get
from proxy.services.fleet import Fleet, balancer, post, says

OURS = self_signed("app.test", uris=("spiffe://app.test/web",))
CLIENT = self_signed("client.test")


class TlsApplication(Application):
    """An application that speaks TLS and notes who was asked for."""

    def __init__(self) -> None:
        super().__init__(says("tls"))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.sni_callback = lambda _, name, __: self.asked.append(name)
        self.asked: list[str | None] = []

    async def start_with(self, certificate: Certificate, folder: Path) -> Server:
        path = folder / "server.pem"
        path.write_text(certificate.chain_pem + certificate.key_pem)
        self.context.load_cert_chain(path)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return Server(f"https://127.0.0.1:{self.port}")


@pytest_asyncio.fixture
async def tls(fleet: Fleet, tmp_path: Path) -> AsyncIterator[TlsApplication]:
    app = TlsApplication()
    fleet.started.append(app)
    await app.start_with(OURS, tmp_path)
    yield app


async def status(fleet: Fleet, app: Application, transport: ClientTls | None, host: str = "127.0.0.1") -> int:
    client = await fleet.serve(balancer("s@file", Server(f"https://{host}:{app.port}"), tls=transport))
    return (await client.ask(get())).status


async def test_an_unknown_authority_is_refused(fleet: Fleet, tls: TlsApplication) -> None:
    """Verification is on without a word about it; the answer is the original's 500, and nothing was sent."""  # S-719
    assert await status(fleet, tls, None) == 500
    assert tls.requests == []


@pytest.mark.parametrize(
    ("transport", "expected"),
    [
        (ClientTls(ca_pem=OURS.chain_pem), 500),
        (ClientTls(ca_pem=OURS.chain_pem, server_name="app.test"), 200),
        (ClientTls(ca_pem=OURS.chain_pem, server_name="other.test"), 500),
        (ClientTls(ca_pem=CLIENT.chain_pem, server_name="app.test"), 500),
        (ClientTls(insecure_skip_verify=True), 200),
        (ClientTls(ca_pem=OURS.chain_pem, peer_uri="spiffe://app.test/web"), 200),
        (ClientTls(ca_pem=OURS.chain_pem, peer_uri="spiffe://app.test/other"), 500),
        (ClientTls(ca_pem=CLIENT.chain_pem, peer_uri="spiffe://app.test/web"), 500),
        (ClientTls(insecure_skip_verify=True, peer_uri="spiffe://app.test/other"), 500),
        (ClientTls(ca_pem=OURS.chain_pem, server_name="app.test", min_version="TLSv1_3"), 200),
        (ClientTls(ca_pem=OURS.chain_pem, server_name="app.test", max_version="TLSv1_2"), 200),
    ],
)
async def test_who_is_believed(fleet: Fleet, tls: TlsApplication, transport: ClientTls, expected: int) -> None:
    """Authority, name, identity, version: each must fit, unless the operator says that nothing has to."""  # S-719
    answered = await status(fleet, tls, transport)

    assert answered == expected
    assert len(tls.requests) == (1 if expected == 200 else 0)


async def test_the_name_is_asked_for(fleet: Fleet, tls: TlsApplication) -> None:
    """``serverName`` goes out as SNI."""
    assert await status(fleet, tls, ClientTls(ca_pem=OURS.chain_pem, server_name="app.test")) == 200
    assert tls.asked == ["app.test"]


async def test_versions_must_meet(fleet: Fleet, tls: TlsApplication) -> None:
    """A server that only speaks TLS 1.2 is not spoken to where 1.3 is the least."""
    tls.context.maximum_version = ssl.TLSVersion.TLSv1_2

    assert await status(fleet, tls, ClientTls(insecure_skip_verify=True, min_version="TLSv1_3")) in (500, 502)
    assert await status(fleet, tls, ClientTls(insecure_skip_verify=True)) == 200


async def test_ciphers_must_meet(fleet: Fleet, tls: TlsApplication) -> None:
    """A server whose key fits none of the listed suites is not spoken to."""
    rsa_only = ClientTls(insecure_skip_verify=True, max_version="TLSv1_2", ciphers="ECDHE-RSA-AES128-GCM-SHA256")

    assert await status(fleet, tls, rsa_only) in (500, 502)
    assert await status(fleet, tls, ClientTls(insecure_skip_verify=True, max_version="TLSv1_2")) == 200


async def test_we_can_say_who_we_are(fleet: Fleet, tls: TlsApplication) -> None:
    """A server that wants a client certificate gets ours, and nobody else is let in."""
    tls.context.verify_mode = ssl.CERT_REQUIRED
    tls.context.load_verify_locations(cadata=CLIENT.chain_pem)
    known = ClientTls(insecure_skip_verify=True, cert_pem=CLIENT.chain_pem, key_pem=CLIENT.key_pem)

    assert await status(fleet, tls, known) == 200
    assert await status(fleet, tls, ClientTls(insecure_skip_verify=True)) in (500, 502)


async def test_different_transports_share_no_connection(fleet: Fleet, tls: TlsApplication) -> None:
    """What one service may not verify says nothing about another's connection to the same server."""
    loose, strict = ClientTls(insecure_skip_verify=True), ClientTls(ca_pem=CLIENT.chain_pem)

    assert await status(fleet, tls, loose) == 200
    assert await status(fleet, tls, strict) == 500
    assert await status(fleet, tls, loose) == 200
    assert tls.connections == 1


async def test_a_handshake_that_never_ends_is_504(fleet: Fleet) -> None:
    """``dialTimeout`` spans TLS."""  # S-920

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    client = await fleet.serve(balancer("s@file", Server(url), dial_timeout=0.1))

    answer = await client.ask(get())
    server.close()

    assert (answer.status, answer.body) == (504, b"Gateway Timeout")


async def test_idle_connections_are_counted_and_end(fleet: Fleet) -> None:
    """``maxIdleConnsPerHost`` and ``idleConnTimeout`` hold."""
    server = await fleet.app("a")
    clients = [
        await fleet.serve(balancer("s@file", server, max_idle_conns_per_host=2, idle_conn_timeout=30.0))
        for _ in range(6)
    ]
    await asyncio.gather(*(client.ask(get()) for client in clients))
    await asyncio.sleep(0.05)

    assert fleet.apps["a"].connections == 6
    assert fleet.apps["a"].open == 2
    fleet.pools.sweep(asyncio.get_running_loop().time() + 1e6)
    await asyncio.sleep(0.05)
    assert fleet.apps["a"].open == 0


async def test_a_slow_upload_is_no_late_answer(fleet: Fleet) -> None:
    """``responseHeaderTimeout`` runs when the server has the whole request, not while the client still sends."""
    client = await fleet.serve(balancer("s@file", await fleet.app("a"), response_header_timeout=0.2))
    await client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 6\r\n\r\n")

    for piece in b"hello!":
        await asyncio.sleep(0.08)
        await client.send(bytes([piece]))

    assert (await client.answer()).status == 200
    assert (await client.ask(post(b"again"))).status == 200


async def test_a_server_that_takes_no_more_is_504(fleet: Fleet) -> None:
    """A body that nobody reads makes an end of waiting as well."""  # S-920

    async def never_reads(request: object, conversation: object) -> bytes | None:
        await asyncio.sleep(3600)
        return None

    await fleet.app("a")
    fleet.apps["a"].head_handler = never_reads
    server = Server(fleet.apps["a"].url)
    client = await fleet.serve(balancer("s@file", server, response_header_timeout=0.2))

    async def upload() -> None:
        await client.send(b"PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1073741824\r\n\r\n")
        while True:
            await client.send(b"x" * 65536)

    sending = asyncio.create_task(upload())
    head = await client.reader.readuntil(b"\r\n\r\n")
    sending.cancel()

    assert head.startswith(b"HTTP/1.1 504 ")

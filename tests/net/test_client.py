"""The small client: whole questions, whole answers, and nothing in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.routing import ClientTls
from doorward.net.client import Client, Origin, TooLarge, Unreachable
from net.certificates import self_signed

Script = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
GET = HttpQuestion(b"GET", b"/auth?x", ((b"Host", b"app.test"), (b"Connection", b"close"), (b"X-A", b"b")))


class Peer:
    """A server that answers each request head with its script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.heads: list[bytes] = []
        self.connections = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if b"Content-Length: 4\r\n" in head:
                    head += await reader.readexactly(4)
                self.heads.append(head)
                await self._script(head, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def peer(script: Script) -> AsyncIterator[tuple[Peer, Client, Origin]]:
    made, client = Peer(script), Client()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    try:
        yield made, client, Origin.parse(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    finally:
        await client.close()
        server.close()
        for writer in made.writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)


def says(data: bytes) -> Script:
    async def script(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return script


def says_and_closes(data: bytes) -> Script:
    async def script(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return script


async def test_a_question_and_its_answer() -> None:
    """Fields pass both ways; what belongs to the connection, its length and its date does not."""  # S-123
    script = says(b"HTTP/1.1 302 Found\r\nDate: x\r\nLocation: /l\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nno")
    async with peer(script) as (server, client, origin):
        answer = await client.fetch(GET, origin)

    assert answer == HttpAnswer(302, ((b"Location", b"/l"), (b"Set-Cookie", b"a=b")), b"no")
    assert server.heads == [b"GET /auth?x HTTP/1.1\r\nHost: app.test\r\nX-A: b\r\n\r\n"]


async def test_a_host_is_added_and_a_length_stated() -> None:
    """For a question with a body."""
    async with peer(says(b"HTTP/1.1 204 No Content\r\n\r\n")) as (server, client, origin):
        await client.fetch(HttpQuestion(b"POST", b"/", ((b"Content-Length", b"99"),), b"body"), origin)

    host = origin.authority
    assert server.heads == [b"POST / HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: 4\r\n\r\nbody"]


async def test_connections_are_kept() -> None:
    """Ten questions, one connection; ten at once, at most ten."""
    async with peer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as (server, client, origin):
        for _ in range(10):
            await client.fetch(GET, origin)
        assert server.connections == 1
        await asyncio.gather(*(client.fetch(GET, origin) for _ in range(10)))
        assert server.connections <= 10


async def test_redirects_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And proxy settings of the environment are not read."""  # S-124
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with peer(says(b"HTTP/1.1 301 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")) as made:
        server, client, origin = made
        assert (await client.fetch(GET, origin)).status == 301
        assert len(server.heads) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000,
    ],
)  # S-303
async def test_only_complete_answers_count(data: bytes) -> None:
    """Truncated, ambiguous, interim or unasked: unreachable."""
    async with peer(says_and_closes(data)) as (_, client, origin):
        with pytest.raises(Unreachable):
            await client.fetch(GET, origin, timeout=2)


async def test_nobody_there() -> None:
    """A refused connection and a missing socket are unreachable."""
    client = Client()
    for url in ("http://127.0.0.1:1", "unix:/nonexistent/socket", "http://nonexistent.invalid"):
        with pytest.raises(Unreachable):
            await client.fetch(GET, Origin.parse(url))


async def test_too_slow() -> None:
    """The timeout spans everything; the connection is not used again."""

    async def hangs(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")

    async with peer(hangs) as (server, client, origin):
        for _ in range(2):
            with pytest.raises(Unreachable):
                await client.fetch(GET, origin, timeout=0.1)
        assert server.connections == 2


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2097152\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 17,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1048577,
    ],
)  # S-304
async def test_too_large(data: bytes) -> None:
    """More than a megabyte is not read to its end."""
    async with peer(says(data)) as (_, client, origin):
        with pytest.raises(TooLarge):
            await client.fetch(GET, origin)


async def test_exactly_the_limit() -> None:
    """One megabyte is fine."""
    async with peer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + b"x" * 1048576)) as (
        _,
        client,
        origin,
    ):
        assert len((await client.fetch(GET, origin)).body) == 1048576


async def test_a_dead_kept_connection_is_replaced() -> None:
    """A GET that meets a connection which the server has just closed is asked again, once; a POST is not."""  # S-920
    close_next = False

    async def script(head: bytes, writer: asyncio.StreamWriter) -> None:
        if close_next and server.connections == 1:
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with peer(script) as (server, client, origin):
        await client.fetch(GET, origin)
        close_next = True
        assert (await client.fetch(GET, origin)).status == 200
        assert server.connections == 2


@pytest.mark.parametrize("field", [(b"X", b"a\r\nY: b"), (b"X Y", b"a"), (b"X", b"\x00")])
async def test_unsafe_questions_are_not_sent(field: tuple[bytes, bytes]) -> None:
    """Nothing that breaks out of its line leaves."""  # S-045
    async with peer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as (server, client, origin):
        with pytest.raises(Unreachable):
            await client.fetch(HttpQuestion(b"GET", b"/", (field,)), origin)
        with pytest.raises(Unreachable):
            await client.fetch(HttpQuestion(b"GET", b"/ HTTP/1.1\r\nX: y", ()), origin)
        assert server.heads == []


async def test_over_a_unix_socket(tmp_path: Path) -> None:
    """The Host field is ``localhost``."""
    made, client = Peer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")), Client()
    server = await asyncio.start_unix_server(made.serve, tmp_path / "s")

    answer = await client.fetch(HttpQuestion(b"GET", b"/", ()), Origin.parse(f"unix:{tmp_path / 's'}"))
    await client.close()
    server.close()

    assert answer.body == b"ok"
    assert made.heads == [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"]


async def test_over_tls() -> None:
    """The server's certificate must be trusted and for that name, unless the setting says otherwise."""  # S-719
    import ssl

    from doorward.net.tls import load_chain

    certificate = self_signed("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_chain(context, certificate.chain_pem, certificate.key_pem)
    made, client = Peer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")), Client()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    trusting = ClientTls(ca_pem=certificate.chain_pem)

    good = await client.fetch(GET, Origin.parse(f"https://localhost:{port}", trusting))
    careless = await client.fetch(GET, Origin.parse(f"https://127.0.0.1:{port}", ClientTls(insecure_skip_verify=True)))
    for origin in (Origin.parse(f"https://localhost:{port}"), Origin.parse(f"https://127.0.0.1:{port}", trusting)):
        with pytest.raises(Unreachable):
            await client.fetch(GET, origin)
    await client.close()
    server.close()
    await asyncio.sleep(0.05)

    assert good.body == careless.body == b"ok"

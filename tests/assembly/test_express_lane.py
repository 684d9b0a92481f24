"""Nobody can tell whether a request went over the express lane.

Two proxies stand before the same outpost, one of them with its lane shut. The same requests go to both, in the same
order; the same bytes must come out at the client, at the application, and in the access log. What is compared is what
an outsider sees, so the lane may be as clever as it likes.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.assembly.outpost_doors import FusedOutpost
from doorward.messages import routing
from doorward.messages.entry_points import AccessLog, EntryPoint, Metrics
from doorward.net.listeners import listen
from doorward.net.pools import Pools
from doorward.proxy.access_log import AccessLogFile
from doorward.proxy.engine import Engine
from doorward.proxy.metrics import MetricsBook
from doorward.proxy.ports import ForwardAuthority
from doorward.proxy.routing import Routes
from doorward.proxy.services.factory import ServiceFactory
from outpost.world import BOB, MALLORY, World, provider
from proxy.engine.application import Application, Conversation, Recorded

HOST = "app.example.test"
NAMES = ("X-authentik-username", "X-authentik-groups", "X-authentik-uid", "X-authentik-jwt", "Remote-User")
DATE = b"Date: Wed, 25 Nov 2026 12:00:00 GMT\r\n"
ANSWERS = {
    b"/plain": b"HTTP/1.1 200 OK\r\n" + DATE + b"X-Colour: blue\r\nContent-Length: 5\r\n\r\nhello",
    b"/undated": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"/cookie": b"HTTP/1.1 200 OK\r\n" + DATE + b"Set-Cookie: a=b\r\nContent-Length: 2\r\n\r\nhi",
    b"/ours": b"HTTP/1.1 200 OK\r\n" + DATE + b"Set-Cookie: authentik_proxy_0=b\r\nContent-Length: 2\r\n\r\nhi",
    b"/chunked": b"HTTP/1.1 200 OK\r\n" + DATE + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"/empty": b"HTTP/1.1 204 No Content\r\n" + DATE + b"\r\n",
    b"/same": b"HTTP/1.1 304 Not Modified\r\n" + DATE + b'ETag: "x"\r\nContent-Length: 5\r\n\r\n',
    b"/close": b"HTTP/1.1 200 OK\r\n" + DATE + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello",
    b"/error": b"HTTP/1.1 500 Oops\r\n" + DATE + b"Content-Length: 5\r\n\r\nhello",
    b"/interim": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"
    + DATE
    + b"Content-Length: 1\r\n\r\nx",
    b"/garbage": b"HTTP/1.1 two hundred\r\n\r\n",
}
"""What the application answers; elsewhere it echoes."""


async def answer(request: Recorded, conversation: Conversation) -> bytes | None:
    path = request.target.partition(b"?")[0]
    if path == b"/pieces":
        await conversation.send(b"HTTP/1.1 200 OK\r\n" + DATE + b"Content-Length: 6\r\n\r\nabc")
        await asyncio.sleep(0)
        return b"def"
    if request.method == b"HEAD":
        return b"HTTP/1.1 200 OK\r\n" + DATE + b"Content-Length: 5\r\n\r\n"
    if path in ANSWERS:
        return ANSWERS[path]
    body = request.target + b"\n" + request.body
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (DATE, len(body), body)


@dataclass
class Side:
    """One proxy with its application and its log."""

    log: Path
    world: World
    application: Application = field(default_factory=lambda: Application(answer))
    pools: Pools = field(default_factory=Pools)
    writer: asyncio.StreamWriter | None = None

    async def start(self) -> None:
        await self.application.start()
        self.factory = ServiceFactory({}, self.pools)
        log = AccessLogFile(AccessLog(str(self.log), "common"))
        self.metrics = MetricsBook(Metrics("web", add_routers_labels=True))
        point = EntryPoint("web", "127.0.0.1", 0)
        self.engine = Engine([point], self.routes(), log, self.metrics, self.pools)
        sockets = listen(point.host, point.port)
        self.port = sockets[0].getsockname()[1]
        await self.engine.start({"web": sockets})
        await self.connect()

    def routes(self) -> Routes:
        guard = routing.ForwardAuth("guard", "http://127.0.0.1:1/outpost.goauthentik.io/auth/traefik", fused=True)
        guard = msgspec.structs.replace(guard, trust_forward_header=True, auth_response_headers=NAMES)
        safe = routing.Headers("safe", custom_response_headers=(("X-Frame-Options", "DENY"),))
        app = routing.LoadBalancer("app@file", (routing.Server(self.application.url),))
        admin = routing.All((routing.Host(HOST), routing.PathPrefix("/admin")))
        table = routing.RoutingTable(
            1,
            (
                routing.Router("admin", ("web",), admin, "", 2, (guard, safe), "app@file"),
                routing.Router("app", ("web",), routing.Host(HOST), "", 1, (guard,), "app@file"),
                routing.Router("open", ("web",), routing.Host("open.test"), "", 1, (), "app@file"),
            ),
            {"app@file": app},
        )
        return Routes.build(table, self)

    def authority(self, middleware: routing.ForwardAuth) -> ForwardAuthority:
        return FusedOutpost(self.world.outpost)

    def service(self, service: routing.Service, part: object) -> object:
        return self.factory.service(service, part)  # type: ignore[arg-type]

    async def connect(self) -> None:
        await self.leave()
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def leave(self) -> None:
        if self.writer is not None:
            self.writer.close()
            await asyncio.wait({asyncio.ensure_future(self.writer.wait_closed())})

    async def ask(self, messages: list[bytes]) -> list[bytes]:
        """Send them in one go and read as many responses; a connection that is closed is followed by another one."""
        assert self.writer is not None
        self.writer.write(b"".join(messages))
        answers = []
        for message in messages:
            raw, closed = await asyncio.wait_for(self._response(message.startswith(b"HEAD")), 10)
            answers.append(raw)
            if closed:
                await self.connect()
                break
        return answers

    async def _response(self, bodiless: bool) -> tuple[bytes, bool]:
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"HTTP/1.1 1"):
                rest, closed = await self._response(bodiless)
                return head + rest, closed
            lowered = head.lower()
            length = re.search(rb"\r\ncontent-length: ([0-9]+)", lowered)
            if bodiless or re.match(rb"http/1.1 (204|304)", lowered):
                pass
            elif b"transfer-encoding: chunked" in lowered:
                head += await self.reader.readuntil(b"0\r\n\r\n")
            elif length is not None:
                head += await self.reader.readexactly(int(length[1]))
        except asyncio.IncompleteReadError as incomplete:
            return incomplete.partial, True
        return head, b"\r\nconnection: close" in lowered

    async def stop(self) -> None:
        await self.leave()
        await self.engine.drain(0.1)
        await self.application.stop()

    def seen(self) -> tuple[list[bytes], list[bytes], dict[str, float]]:
        """What the application got, what the log says, and what was counted; without times."""
        heads = [request.raw_head for request in self.application.requests]
        lines = self.log.read_bytes().replace(str(self.application.port).encode(), b"PORT").splitlines()
        counted = self.metrics.collect()
        times = re.compile(rb"\[[^]]*\]|[0-9]+ms$")
        return (
            heads,
            [times.sub(b"", line) for line in lines],
            {name: value for name, value in counted.items() if "duration" not in name},
        )


@dataclass
class Pair:
    """Both sides before one outpost."""

    folder: Path

    async def start(self) -> None:
        self.world = World(msgspec.structs.replace(provider(1, HOST), external_host=f"http://{HOST}"))
        self.sides = [Side(self.folder / f"{name}.log", self.world) for name in ("express", "ordinary")]
        self.cookies: dict[str, str] = {}
        for side in self.sides:
            side.log.unlink(missing_ok=True)
            await side.start()
        self.lane, ordinary = (side.engine._servers["web"].lane for side in self.sides)
        ordinary._shut = True
        for person in (BOB, MALLORY):
            await self.log_in(person.username)

    async def log_in(self, name: str) -> None:
        browser = self.world.browser(next(person for person in (BOB, MALLORY) if person.username == name), HOST)
        browser.scheme = "http"
        await browser.log_in("/")
        self.cookies[name] = browser.cookie_header()

    async def ask(self, messages: list[bytes]) -> list[bytes]:
        """Ask both; what the client gets must be the same."""
        filled = [message.replace(b"BOB", self.cookies[BOB.username].encode()) for message in messages]
        filled = [message.replace(b"MALLORY", self.cookies[MALLORY.username].encode()) for message in filled]
        DICE.turn += 1
        outcomes = []
        for side in self.sides:
            DICE.drawn = 0
            outcomes.append(await side.ask(filled))
        express, ordinary = outcomes
        dates = re.compile(rb"Date: [^\r]*")
        assert [dates.sub(b"", raw) for raw in express] == [dates.sub(b"", raw) for raw in ordinary]
        return express

    def end_sessions(self) -> None:
        ended = tuple(self.world.store.sessions)
        self.world.store.sessions.clear()
        self.world.outpost.sessions_ended(ended)
        for side in self.sides:
            side.engine.sessions_ended(ended)

    async def stop(self) -> None:
        for side in self.sides:
            await side.stop()
        express, ordinary = (side.seen() for side in self.sides)
        assert express[0] == ordinary[0]
        assert express[1] == ordinary[1]
        assert express[2] == ordinary[2]


class Dice:
    """What would be random is drawn from here, the same for both sides."""

    turn = 0
    drawn = 0

    def draw(self, count: int | None = 32) -> bytes:
        self.drawn += 1
        return hashlib.shake_256(b"%d %d" % (self.turn, self.drawn)).digest(count or 32)


DICE = Dice()


@pytest.fixture(autouse=True)
def nothing_is_random(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", lambda count: b"\x07" * count)
    monkeypatch.setattr(secrets, "token_bytes", DICE.draw)
    monkeypatch.setattr(secrets, "token_hex", lambda count=32: DICE.draw(count).hex())


def get(target: str, *fields: str, host: str = HOST, method: str = "GET", body: str = "") -> bytes:
    lines = "".join(f"{line}\r\n" for line in (f"Host: {host}", *fields))
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n{body}".encode("latin-1")


PATHS = st.sampled_from(
    [
        *(path.decode() for path in ANSWERS), "/", "/pieces", "/a/b?c=d", "/admin/x", "/admin", "/%61dmin/x", "/a%2Fb",
        "/a/../admin/x", "//admin", "/a;b", "/public/x", "/outpost.goauthentik.io/nothing", "/?X-authentik-nothing=1",
        "/outpost.goauthentik.io/auth/envoy/x", "/a\xff", "/a?token=secret&b=%00", '/a"b',
    ]
)  # fmt: skip
FIELDS = st.lists(
    st.sampled_from(
        [
            "Cookie: BOB", "Cookie: theme=dark; BOB; lang=en", "Cookie: MALLORY", "Cookie: a=1", "cookie:  BOB;x=1 ",
            "Cookie: BOB; MALLORY", "X-Trace: one", "X-Trace: two", "x-trace:three\t", "X-Trace:", "Accept: text/html",
            "User-Agent: Browser/1.0", "X-Request-Id: mine", "X-authentik-username: akadmin", "x_authentik_uid: 1",
            "Remote-User: root", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Percent: 100%b %s",
            "Connection: keep-alive", "Connection: X-Trace", "Connection: close", "Content-Length: 0", "TE: trailers",
            "Authorization: Basic Zm9v", "X-HTTP-Method-Override: DELETE", "Expect: 100-continue", "X-Odd: caf\xe9",
            "X-Bad: a\x01b", "Host: other.test", "X_Alias: 1", "Upgrade: h2c", "Range: bytes=0-1",
        ]
    ),
    max_size=6,
)  # fmt: skip
REQUESTS = st.builds(
    get,
    PATHS,
    st.just("Cookie: theme=dark; BOB; lang=en"),
    host=st.sampled_from([HOST, HOST, HOST, "open.test", "nobody.test", HOST.upper()]),
) | st.builds(
    lambda path, fields, method, host: get(path, *fields, method=method, host=host),
    PATHS,
    FIELDS,
    st.sampled_from(["GET", "GET", "GET", "HEAD", "OPTIONS", "DELETE"]),
    st.sampled_from([HOST, HOST, "open.test"]),
)
STEPS = st.lists(
    st.tuples(REQUESTS, st.integers(1, 4), st.sampled_from(["", "", "", "", "end", "log in", "reload", "connect"])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, pipelined=st.booleans())
def test_the_lane_cannot_be_told_from_the_ordinary_way(
    tmp_path: Path, steps: list[tuple[bytes, int, str]], pipelined: bool
) -> None:
    """Whatever is asked, in whatever order, and whatever ends or changes in between."""

    async def compare() -> None:
        pair = Pair(tmp_path)
        await pair.start()
        for request, times, event in steps:
            if event == "end":
                pair.end_sessions()
            elif event == "log in":
                await pair.log_in(BOB.username)
            elif event == "connect":
                for side in pair.sides:
                    await side.connect()
            elif event == "reload":
                for side in pair.sides:
                    side.engine.use(side.routes())
            if pipelined:
                await pair.ask([request] * times)
            else:
                for _ in range(times):
                    await pair.ask([request])
        await pair.stop()

    asyncio.run(compare())


async def test_a_repeated_head_takes_the_lane(tmp_path: Path) -> None:
    """Otherwise the comparison above would compare nothing; different paths and unread fields are no obstacle."""
    pair = Pair(tmp_path)
    await pair.start()

    for number in range(9):
        await pair.ask([get(f"/plain?number={number}", f"Cookie: seen={number}; BOB", f"X-Trace: {number}", "X-P: 5%")])

    assert pair.lane.taken >= 5
    await pair.stop()


async def test_a_session_that_ended_leaves_the_lane_at_once(tmp_path: Path) -> None:
    """S-321: what was learned about a person's head lets nobody in who is signed out."""
    pair = Pair(tmp_path)
    await pair.start()
    request = get("/plain", "Cookie: BOB")
    for _ in range(5):
        await pair.ask([request])
    assert pair.lane.taken

    pair.end_sessions()

    assert (await pair.ask([request]))[0].startswith(b"HTTP/1.1 302 ")
    await pair.stop()


async def test_a_response_that_is_waited_for_is_cut_with_its_session(tmp_path: Path) -> None:
    """S-228: the application takes its time, the session ends, and the client is told that instead of the answer."""
    pair = Pair(tmp_path)
    await pair.start()
    request = get("/plain", f"Cookie: {pair.cookies[BOB.username]}")
    for _ in range(5):
        await pair.ask([request])
    side = pair.sides[0]
    asked = asyncio.Event()

    async def never(recorded: Recorded, conversation: Conversation) -> bytes | None:
        asked.set()
        await asyncio.sleep(3600)
        return b""

    side.application.handler = never
    assert side.writer is not None
    side.writer.write(request)
    await asyncio.wait_for(asked.wait(), 10)
    side.engine.sessions_ended(tuple(pair.world.store.sessions))

    assert (await asyncio.wait_for(side.reader.readline(), 10)).startswith(b"HTTP/1.1 401 ")
    for each in pair.sides:
        await each.stop()


async def test_a_server_that_hung_up_meanwhile_is_asked_again(tmp_path: Path) -> None:
    """S-920: a kept connection that turns out dead costs nobody a request."""
    pair = Pair(tmp_path)
    await pair.start()
    request = get("/plain", "Cookie: BOB")
    for _ in range(5):
        await pair.ask([request])

    async def hang_up_once(recorded: Recorded, conversation: Conversation) -> bytes | None:
        for side in pair.sides:
            if len(side.application.requests) == 6:
                side.application.handler = answer
        conversation.cut()
        return None

    for side in pair.sides:
        side.application.handler = hang_up_once
    answers = await pair.ask([request])

    assert answers[0].startswith(b"HTTP/1.1 200 ")
    await pair.stop()

"""Nobody can tell whether a proxy's question was answered at the express desk.

Two workers stand before the same outpost, one of them with its desk shut. The same questions go to both; the same bytes
must come out, and the same lines must stand in the log. What is compared is what an outsider sees.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.assembly.outpost_doors import OutpostService
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

HOST = "app.example.test"
TRAEFIK = "/outpost.goauthentik.io/auth/traefik"


def comparable(answer: bytes) -> list[bytes]:
    """Every byte of a yes but its date; of what sends a browser to log in, where all is random, the fields' names."""
    status, *lines = answer.split(b"\r\n")
    if b" 200 " in status:
        return [status, *(line for line in lines if not line.startswith(b"Date: "))]
    return [status, *(line.partition(b":")[0] for line in lines if not line.startswith(b"<"))][:8]


@dataclass
class Side:
    """One worker with its log."""

    log: Path
    world: World
    pools: Pools = field(default_factory=Pools)
    writer: asyncio.StreamWriter | None = None

    async def start(self) -> None:
        self.factory = ServiceFactory({"outpost@internal": OutpostService(self.world.outpost)}, self.pools)
        self.metrics = MetricsBook(Metrics("web", add_routers_labels=True))
        point = EntryPoint("web", "127.0.0.1", 0, trusted_ips=("127.0.0.0/8",))
        log = AccessLogFile(AccessLog(str(self.log), "common"))
        self.engine = Engine([point], self.routes(), log, self.metrics, self.pools)
        sockets = listen(point.host, point.port)
        self.port = sockets[0].getsockname()[1]
        await self.engine.start({"web": sockets})
        await self.connect()

    def routes(self) -> Routes:
        service = routing.Internal("outpost@internal")
        rule = routing.PathPrefix("/outpost.goauthentik.io/")
        router = routing.Router("outpost", ("web",), rule, "", 1, (), service.name)
        return Routes.build(routing.RoutingTable(1, (router,), {service.name: service}), self)

    def authority(self, middleware: routing.ForwardAuth) -> ForwardAuthority:
        raise NotImplementedError

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
        assert self.writer is not None
        self.writer.write(b"".join(messages))
        answers = []
        for _ in messages:
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
            length = re.search(rb"\r\nContent-Length: ([0-9]+)", head)
            answers.append(head + (await self.reader.readexactly(int(length[1])) if length else b""))
            if b"\r\nConnection: close" in head:
                await self.connect()
                break
        return answers

    async def stop(self) -> tuple[list[bytes], dict[str, float]]:
        """What the log says, and what was counted; without times."""
        await self.leave()
        await self.engine.drain(0.1)
        lines = [re.sub(rb"\[[^]]*\]|[0-9]+ms$", b"", line) for line in self.log.read_bytes().splitlines()]
        counted = {name: value for name, value in self.metrics.collect().items() if "duration" not in name}
        return lines, {name: value for name, value in counted.items() if "bytes" not in name}


class Pair:
    """Both before one outpost; ``told`` counts what the desk answered."""

    def __init__(self, folder: Path) -> None:
        self.world = World(
            msgspec.structs.replace(provider(1, HOST), external_host=f"http://{HOST}"), provider(2, "b.test")
        )
        self.sides = [Side(folder / f"{name}.log", self.world) for name in ("desk", "ordinary")]
        self.cookies: dict[str, str] = {}

    @property
    def told(self) -> int:
        return self.desk.told

    async def start(self) -> None:
        for side in self.sides:
            side.log.unlink(missing_ok=True)
            await side.start()
        express, ordinary = (side.engine._servers["web"].desk for side in self.sides)
        ordinary._most = 0
        self.desk = express
        for person in (BOB, MALLORY):
            await self.log_in(person.username)
        for cookie in self.cookies.values():  # what the store has to be asked about is not answered at once
            await self.ask(question("/", f"Cookie: {cookie}", "X-Trace: first"))

    async def log_in(self, name: str) -> None:
        browser = self.world.browser(next(person for person in (BOB, MALLORY) if person.username == name), HOST)
        browser.scheme = "http"
        await browser.log_in("/")
        self.cookies[name] = browser.cookie_header()

    async def ask(self, *questions: bytes) -> list[bytes]:
        """Ask both; what comes back must be the same."""
        filled = [question.replace(b"BOB", self.cookies[BOB.username].encode()) for question in questions]
        filled = [question.replace(b"MALLORY", self.cookies[MALLORY.username].encode()) for question in filled]
        express, ordinary = [await side.ask(filled) for side in self.sides]
        assert list(map(comparable, express)) == list(map(comparable, ordinary))
        return express

    def end_sessions(self) -> None:
        ended = tuple(self.world.store.sessions)
        self.world.store.sessions.clear()
        self.world.outpost.sessions_ended(ended)

    async def stop(self) -> None:
        express, ordinary = [await side.stop() for side in self.sides]
        assert express == ordinary


def question(page: str, *fields: str, host: str = HOST, target: str = TRAEFIK) -> bytes:
    described = (f"X-Forwarded-Host: {host}", "X-Forwarded-Proto: http", f"X-Forwarded-Uri: {page}")
    lines = "".join(f"{line}\r\n" for line in ("Host: 127.0.0.1", *described, *fields))
    return f"GET {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def nginx(page: str, *fields: str, host: str = HOST) -> bytes:
    lines = "".join(f"{line}\r\n" for line in (f"Host: {HOST}", f"X-Original-URL: http://{host}{page}", *fields))
    return f"GET {TRAEFIK.replace('traefik', 'nginx')} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def envoy(page: str, *fields: str, host: str = HOST) -> bytes:
    lines = "".join(f"{line}\r\n" for line in (f"Host: {host}", "X-Forwarded-Proto: http", *fields))
    return f"GET {TRAEFIK.replace('traefik', 'envoy')}{page} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


PAGES = st.sampled_from(
    [
        "/", "/a/b?c=d", "/?a=%00", "/%61", "/a%2Fb", "/a/../b", "//a", "/.a", "/a;b", "a", "", "/a b", "/a\xff", "*",
        "/outpost.goauthentik.io/start", "/outpost.goauthentik.io/nothing", "/?X-authentik-auth-callback=true&code=a",
        "http://b.test/", "?a=b", "#", "@b.test/", ":80/", "/" + "x" * 3000, "/x?" + "y" * 2100, "/ ", "/\t",
    ]
)  # fmt: skip
FIELDS = st.lists(
    st.sampled_from(
        [
            "Cookie: BOB", "Cookie: theme=dark; BOB", "Cookie: MALLORY", "Cookie: a=1", "Cookie: BOB; MALLORY",
            "Accept: text/html", "User-Agent: Browser/1.0", "X-Request-Id: mine", "X-Forwarded-Uri: /second",
            "X-Forwarded-Method: POST", "X-Forwarded-Method: OPTIONS", "X-Forwarded-For: 192.0.2.1", "X-Trace: 1",
            "Connection: close", "Connection: X-Forwarded-Uri", "Content-Length: 0", "x-forwarded-uri: /other",
            "Authorization: Basic Zm9v", "X-Bad: a\x01b", "Host: b.test", "Upgrade: websocket",
            "X-Forwarded-Host: b.test", "X-Original-URL: http://b.test/", "x-original-url: http://b.test/",
        ]
    ),
    max_size=4,
)  # fmt: skip
QUESTIONS = st.builds(question, PAGES, st.just("Cookie: BOB"), st.just("Accept: text/html")) | st.builds(
    lambda page, fields, host, target: question(page, *fields, host=host, target=target),
    PAGES,
    FIELDS,
    st.sampled_from([HOST, HOST, "b.test", "nobody.test", HOST.upper()]),
    st.sampled_from([TRAEFIK, TRAEFIK, TRAEFIK.replace("traefik", "caddy"), TRAEFIK.replace("traefik", "nginx")]),
)
for dialect in (nginx, envoy):
    QUESTIONS |= st.builds(dialect, PAGES, st.just("Cookie: BOB"), st.just("Accept: text/html")) | st.builds(
        lambda page, fields, host, ask=dialect: ask(page, *fields, host=host),
        PAGES,
        FIELDS,
        st.sampled_from([HOST, HOST, "b.test", "nobody.test", HOST.upper(), f"{HOST}:80"]),
    )
STEPS = st.lists(
    st.tuples(QUESTIONS, st.integers(1, 3), st.sampled_from(["", "", "", "end", "log in", "reload", "connect", "use"])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, pipelined=st.booleans())
def test_the_desk_cannot_be_told_from_the_ordinary_way(
    tmp_path: Path, steps: list[tuple[bytes, int, str]], pipelined: bool
) -> None:
    """Whatever is asked, in whatever order, and whatever ends or changes in between."""

    async def compare() -> None:
        pair = Pair(tmp_path)
        await pair.start()
        for asked, times, event in steps:
            if event == "end":
                pair.end_sessions()
            elif event == "log in":
                await pair.log_in(BOB.username)
            elif event == "use":
                pair.world.outpost.use(pair.world.configuration)
            elif event in ("connect", "reload"):
                for side in pair.sides:
                    side.engine.use(side.routes()) if event == "reload" else await side.connect()
            if pipelined:
                await pair.ask(*[asked] * times)
            else:
                for _ in range(times):
                    await pair.ask(asked)
        await pair.stop()

    asyncio.run(compare())


async def test_questions_that_differ_in_the_page_are_answered_at_the_desk(tmp_path: Path) -> None:
    """Otherwise the comparison above would compare nothing. Of a page of ours, and of another browser, nothing is known
    there."""
    pair = Pair(tmp_path)
    await pair.start()

    for number in range(5):
        answers = await pair.ask(question(f"/page?number={number}", "Cookie: BOB"))
        assert answers[0].startswith(b"HTTP/1.1 200 ")
    assert pair.told == 4
    [answer] = await pair.ask(question("/outpost.goauthentik.io/nothing", "Cookie: BOB"))
    assert not answer.startswith(b"HTTP/1.1 200 ")
    [answer] = await pair.ask(question("/page", "Cookie: MALLORY"))
    assert b"\r\nX-authentik-username: mallory\r\n" in answer

    assert pair.told == 4
    await pair.stop()


@pytest.mark.parametrize("ask", [nginx, envoy])
async def test_so_are_those_of_proxies_that_name_the_page_elsewhere(tmp_path: Path, ask: Callable[..., bytes]) -> None:
    """nginx names it at the end of a URL, Envoy at the end of the target. Another host, another browser and a page of
    ours are other questions."""
    pair = Pair(tmp_path)
    await pair.start()

    for number in range(5):
        answers = await pair.ask(ask(f"/page?number={number}", "Cookie: BOB"))
        assert answers[0].startswith(b"HTTP/1.1 200 ")
    assert pair.told == 4
    for other in (
        ask("/page", "Cookie: MALLORY"),
        ask("/page", "Cookie: BOB", host="b.test"),
        ask("/outpost.goauthentik.io/nothing", "Cookie: BOB"),
        ask("/?X-authentik-auth-callback=true", "Cookie: BOB"),
        ask("/a/../b", "Cookie: BOB"),
    ):
        await pair.ask(other)
    assert pair.told == 4

    pair.end_sessions()
    [answer] = await pair.ask(ask("/page", "Cookie: BOB"))
    assert not answer.startswith(b"HTTP/1.1 200 ")
    assert pair.told == 4
    await pair.stop()


async def test_what_was_said_about_a_session_ends_with_it(tmp_path: Path) -> None:
    """S-321: the next question about the same browser begins a login."""
    pair = Pair(tmp_path)
    await pair.start()
    for _ in range(3):
        await pair.ask(question("/", "Cookie: BOB", "Accept: text/html", "Sec-Fetch-Mode: navigate"))
    assert pair.told == 2

    pair.end_sessions()

    [answer] = await pair.ask(question("/", "Cookie: BOB", "Accept: text/html", "Sec-Fetch-Mode: navigate"))
    assert answer.startswith(b"HTTP/1.1 302 ")
    assert pair.told == 2
    await pair.stop()


async def test_a_new_routing_table_empties_the_desk(tmp_path: Path) -> None:
    """Nothing that was learned under other routes is said again."""
    pair = Pair(tmp_path)
    await pair.start()
    await pair.ask(question("/", "Cookie: BOB"))
    await pair.ask(question("/", "Cookie: BOB"))
    assert pair.told == 1

    for side in pair.sides:
        side.engine.use(side.routes())
    await pair.ask(question("/", "Cookie: BOB"))

    assert pair.told == 1
    await pair.stop()


async def test_what_the_desk_keeps_is_bounded(tmp_path: Path) -> None:
    """S-917: people with ever new fields push out what is oldest."""
    pair = Pair(tmp_path)
    await pair.start()
    desk = pair.sides[0].engine._servers["web"].desk
    for number in range(40):
        await pair.ask(question("/", "Cookie: BOB", f"X-Trace: {number}"))
    assert len(desk._said) == 40

    desk._most = desk._size
    await pair.ask(question("/", "Cookie: BOB", "X-Trace: 40"))

    assert desk._size <= desk._most
    assert 38 <= len(desk._said) <= 40
    assert sum(said.size + len(key) for key, said in desk._said.items()) == desk._size
    await pair.stop()

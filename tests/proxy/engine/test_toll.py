"""An auth server elsewhere is asked about every request, on the express lane as well as beside it.

Whatever it says, and whatever happens to it, comes out as if each request had been asked about the ordinary way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from doorward.messages import routing as messages
from doorward.net.asking import Patience
from doorward.net.client import Client as HttpClient
from doorward.proxy.account import Account
from doorward.proxy.express.ride import Ride
from doorward.proxy.http_authority import HttpAuthority
from doorward.proxy.middlewares.bulkhead import MOST_WAITING
from doorward.proxy.middlewares.forward_auth import ForwardAuthMiddleware
from doorward.proxy.routing import Routes
from doorward.wire.http1.response import ReceivedHead
from proxy.engine.application import Application, Conversation, Recorded
from proxy.engine.http2_client import http2_client
from proxy.engine.stage import HOST, Stage, eventually, get
from proxy.engine.tls import router

DATE = b"Date: Wed, 25 Nov 2026 12:00:%02d GMT\r\n"


@dataclass
class Auth:
    """The auth server, and what it says next."""

    status: int = 200
    fields: bytes = b"X-Auth-User: bob\r\n"
    body: bytes = b""
    raw: bytes | None = None
    silent: bool = False
    server: Application = field(default_factory=Application)

    def __post_init__(self) -> None:
        self.server.handler = self.answer

    async def answer(self, request: Recorded, conversation: Conversation) -> bytes | None:
        if self.silent:
            await conversation.reader.read(1)
            return None
        if self.raw is not None:
            await conversation.send(self.raw)
            conversation.cut()
            return None
        date = DATE % (len(self.server.requests) // 4 % 60)
        head = b"HTTP/1.1 %d X\r\n%b%bContent-Length: %d\r\n\r\n"
        return head % (self.status, date, self.fields, len(self.body)) + self.body

    @property
    def questions(self) -> list[Recorded]:
        return self.server.requests


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Grows by one with every answer of the auth server that a ride looked at: whether it sufficed."""
    seen: list[bool] = []
    answered = Ride.answered

    def noted(self: Ride, head: ReceivedHead, body: bytes) -> None:
        toll = self._errand.trip.toll
        assert toll is not None
        seen.append(toll.passes(head, body))
        answered(self, head, body)

    monkeypatch.setattr(Ride, "answered", noted)
    return seen


@pytest_asyncio.fixture
async def auth(stage: Stage) -> AsyncIterator[Auth]:
    """At work before the stage: everything for ``HOST`` is asked about, but what is below ``/open``."""
    auth = Auth()
    await auth.server.start()
    client = HttpClient()
    made = messages.ForwardAuth(
        "auth@file", f"{auth.server.url}/verify", auth_response_headers=("X-Auth-User",), header_field="X-Auth-User"
    )
    host = messages.Host(HOST.decode())
    table = messages.RoutingTable(
        routers=(
            router("open", messages.All((host, messages.PathPrefix("/open"))), tls=False, priority=2),
            router("all", host, tls=False, middlewares=(made,)),
        ),
        services={"app@file": messages.LoadBalancer("app@file", (messages.Server(stage.application.url),))},
    )

    class Workshop:
        def authority(self, middleware: messages.ForwardAuth) -> HttpAuthority:
            return HttpAuthority(client, middleware)

        def service(self, service: messages.Service, part: Callable[[str], object]) -> object:
            return stage.factory.service(service, part)

    stage.application.handler = dated
    await stage.start(Routes.build(table, Workshop()))
    yield auth
    await client.close()
    await auth.server.stop()


async def dated(request: Recorded, conversation: Conversation) -> bytes | None:
    if request.target.startswith(b"/pieces"):
        await conversation.send(b"HTTP/1.1 200 OK\r\n%bContent-Length: 6\r\n\r\nabc" % (DATE % 0))
        await conversation.reader.read(1)
        return None
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (DATE % 0, len(request.target), request.target)


COOKIE = b"Cookie: sid=1"


async def learned(stage: Stage, auth: Auth, paid: list[bool]) -> None:
    """Ask until the lane knows the way."""
    client = await stage.client()
    while not any(paid):
        assert (await client.ask(get(b"/learn", COOKIE))).status == 200
        assert len(auth.questions) < 20, "the lane never learned"
    client.close()


async def test_each_request_is_asked_about(stage: Stage, auth: Auth, paid: list[bool]) -> None:
    """By its own page and name; the application sees who it is, whatever the client says."""
    client = await stage.client()
    for number in range(12):
        answer = await client.ask(get(b"/p/%d?q=%d" % (number, number), COOKIE, b"X-Auth-User: evil"))
        assert (answer.status, answer.body) == (200, b"/p/%d?q=%d" % (number, number))

    assert len(paid) >= 8
    assert all(paid), "a new date is no new answer"
    assert [question.values(b"x-forwarded-uri") for question in auth.questions] == [
        [b"/p/%d?q=%d" % (number, number)] for number in range(12)
    ]
    heads = [question.raw_head for question in auth.questions]
    assert len({head.replace(b"/p/%d?q=%d" % (at, at), b"") for at, head in enumerate(heads)}) == 12, "one name each"
    for asked, seen in zip(auth.questions, stage.application.requests, strict=True):
        assert asked.values(b"x-request-id") == seen.values(b"x-request-id")
        assert seen.values(b"x-auth-user") == [b"bob"]
        assert asked.values(b"cookie") == [b"sid=1"]
    assert auth.server.connections == 1


async def test_it_may_change_its_mind_at_any_time(stage: Stage, auth: Auth, paid: list[bool]) -> None:
    """A no is a no at once, a new name is a new name at once, and nothing is asked twice."""  # S-303
    await learned(stage, auth, paid)
    client = await stage.client()
    asked, seen = len(auth.questions), len(stage.application.requests)

    async def ask() -> tuple[int, list[bytes]]:
        answer = await client.ask(get(b"/x", COOKIE))
        return answer.status, stage.application.requests[-1].values(b"x-auth-user")

    for _ in range(2):
        auth.status = 401
        assert (await ask())[0] == 401
        assert (await ask())[0] == 401
        auth.status, auth.fields = 302, b"Location: https://login.test/\r\n"
        answer = await client.ask(get(b"/x", COOKIE))
        assert (answer.status, answer.values(b"location")) == (302, [b"https://login.test/"])
        auth.status, auth.fields = 200, b"X-Auth-User: alice\r\n"
        assert await ask() == await ask() == (200, [b"alice"])
        auth.fields = b""
        assert await ask() == await ask() == (200, [])
        auth.fields = b"X-Auth-User: bob\r\nX-Other: 1\r\n"
        assert await ask() == await ask() == (200, [b"bob"])

    assert len(auth.questions) - asked == 18
    assert len(stage.application.requests) - seen == 12
    assert {True, False} == set(paid)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Auth-User: bob\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 20,
    ],
    ids=["nothing", "cut", "ambiguous", "switch", "unfinished", "large", "endless"],
)
async def test_half_an_answer_closes(stage: Stage, auth: Auth, paid: list[bool], raw: bytes) -> None:
    """Only a complete and unambiguous answer lets pass, however often the client has passed before."""  # S-303 S-304
    await learned(stage, auth, paid)
    client = await stage.client()
    seen = len(stage.application.requests)

    auth.raw = raw
    assert (await client.ask(get(b"/x", COOKIE))).status in (401, 500)
    assert len(stage.application.requests) == seen

    auth.raw = None
    assert (await client.ask(get(b"/x", COOKIE))).status == 200


async def test_an_answer_that_does_not_come_closes(
    stage: Stage, auth: Auth, paid: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question has its time, and no more."""  # S-303
    await learned(stage, auth, paid)
    middleware = guard(stage)
    monkeypatch.setattr(middleware._bulkhead, "patience", Patience(0.05))
    auth.silent = True
    client = await stage.client()

    assert (await client.ask(get(b"/x", COOKIE))).status == 500
    assert (await client.ask(get(b"/y", b"Cookie: sid=2"))).status == 500
    assert not middleware._bulkhead.full


async def test_a_client_that_leaves_takes_its_question_along(stage: Stage, auth: Auth, paid: list[bool]) -> None:
    """The answer would be somebody else's: its connection goes, and the place is free."""  # S-305
    await learned(stage, auth, paid)
    waiting = guard(stage)._bulkhead.patience
    auth.silent = True
    for cookie in (COOKIE, b"Cookie: sid=2"):
        client = await stage.client()
        await client.send(get(b"/x", cookie))
        await eventually(lambda: len(waiting) == 1)
        client.cut()
        await eventually(lambda: len(waiting) == 0 and auth.server.open == 0)
    auth.silent = False
    client = await stage.client()

    assert (await client.ask(get(b"/x", COOKIE))).status == 200


async def test_a_crowd_is_held_up_and_others_are_not(stage: Stage, auth: Auth, paid: list[bool]) -> None:
    """At most 256 wait for one auth server; the next is told to come later, and open pages stay open."""  # S-919
    await learned(stage, auth, paid)
    waiting = guard(stage)._bulkhead.patience
    auth.silent = True
    crowd = [await stage.client() for _ in range(MOST_WAITING)]
    for number, client in enumerate(crowd):
        await client.send(get(b"/x", COOKIE if number % 2 else b"Cookie: sid=2"))
    await eventually(lambda: len(waiting) == MOST_WAITING, 20)
    late = await stage.client()

    assert (await late.ask(get(b"/x", COOKIE))).status == 503
    assert (await late.ask(get(b"/x", b"Cookie: sid=3"))).status == 503
    assert (await late.ask(get(b"/open/x", COOKIE))).status == 200


async def test_a_kept_connection_that_died_is_no_failure(stage: Stage, auth: Auth, paid: list[bool]) -> None:
    """Whether it dies while nobody looks or in the moment of asking."""  # S-920
    await learned(stage, auth, paid)
    client = await stage.client()
    once = iter((True,))

    async def die_first(request: Recorded, conversation: Conversation) -> bytes | None:
        if next(once, False):
            conversation.cut()
            return None
        return await auth.answer(request, conversation)

    auth.server.handler = die_first
    assert (await client.ask(get(b"/x", COOKIE))).status == 200
    assert (await client.ask(get(b"/x", COOKIE))).status == 200
    assert auth.server.connections == 2


async def test_open_and_guarded_pages_of_one_client_keep_apart(stage: Stage, auth: Auth, paid: list[bool]) -> None:
    """The very same header block: one page is asked about each time, the other never, and nobody's name goes there."""
    client = await stage.client()
    for _ in range(6):
        assert (await client.ask(get(b"/open/1", COOKIE))).status == 200
        assert (await client.ask(get(b"/1", COOKIE))).status == 200

    assert [question.values(b"x-forwarded-uri") for question in auth.questions] == [[b"/1"]] * 6
    names = [(seen.target, seen.values(b"x-auth-user")) for seen in stage.application.requests]
    assert names == [(b"/open/1", []), (b"/1", [b"bob"])] * 6
    assert len(paid) >= 3


async def test_what_stays_open_is_asked_about_again(stage: Stage, auth: Auth, paid: list[bool]) -> None:
    """A response that lasts, begun on the lane, is one of those that are judged again (S-228)."""
    await learned(stage, auth, paid)
    client = await stage.client()
    await client.send(get(b"/pieces", COOKIE))
    await client.reader.readuntil(b"abc")
    rechecks = stage.engine._surroundings.rechecks
    assert len(rechecks) == 1
    entry = next(iter(rechecks._open.values()))
    assert paid[-1]

    assert (await entry.recheck.ask()).value == "yes"
    auth.status = 403
    assert (await entry.recheck.ask()).value == "no"
    assert auth.questions[-1].raw_head == auth.questions[-3].raw_head
    client.cut()
    await eventually(lambda: len(rechecks) == 0)


async def test_the_log_has_the_whole_time_and_the_user(stage: Stage, auth: Auth, paid: list[bool]) -> None:
    """What the auth server took is part of the request, and no part of the application's answer."""
    accounts: list[tuple[bytes, str, str, bool]] = []

    class Book:
        wants_headers = False

        def record(self, account: Account) -> None:
            taken = account.seconds > account.origin_seconds
            accounts.append((account.target, account.user, account.router, taken))

        def series(self, account: Account) -> None:
            return None

    await learned(stage, auth, paid)
    stage.engine._surroundings.ledgers = (Book(),)
    client = await stage.client()
    rode = len(paid)
    for number in range(3):
        await client.ask(get(b"/%d" % number, COOKIE))

    assert len(paid) == rode + 3
    assert accounts == [(b"/%d" % number, "bob", "all@file", True) for number in range(3)]


def guard(stage: Stage) -> ForwardAuthMiddleware:
    """The middleware at work."""
    for route in stage.engine._surroundings.routes.at("web", tls=False):
        for middleware in route.middlewares:
            assert isinstance(middleware, ForwardAuthMiddleware)
            return middleware
    raise LookupError


async def test_many_at_once(stage: Stage, auth: Auth, paid: list[bool]) -> None:
    """Each client gets its own page."""
    await learned(stage, auth, paid)
    clients = [await stage.client() for _ in range(20)]
    for turn in range(4):
        pages = [b"/%d/%d" % (turn, number) for number in range(20)]
        answers = await asyncio.gather(
            *(client.ask(get(page, COOKIE)) for client, page in zip(clients, pages, strict=True))
        )
        assert [answer.body for answer in answers] == pages
    assert len(paid) >= 40


async def test_streams_of_http2_pay_as_well(stage: Stage, auth: Auth, paid: list[bool]) -> None:
    """Each is asked about, by its own page, and a no is a no."""
    client = await http2_client(stage)
    for number in range(10):
        reply = await client.get(b"/h2/%d" % number, (b"cookie", b"sid=1"))
        assert (reply.status, bytes(reply.body)) == (200, b"/h2/%d" % number)

    assert len(paid) >= 4
    assert [question.values(b"x-forwarded-uri") for question in auth.questions] == [
        [b"/h2/%d" % number] for number in range(10)
    ]
    assert {seen.values(b"x-auth-user")[0] for seen in stage.application.requests} == {b"bob"}

    auth.status = 403
    assert (await client.get(b"/h2/x", (b"cookie", b"sid=1"))).status == 403
    assert len(auth.questions) == 11
    assert len(stage.application.requests) == 10

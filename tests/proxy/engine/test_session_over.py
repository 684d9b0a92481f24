"""What let a request in ends while the application has not answered yet: its client is told, and nobody else's is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from doorward.messages import routing
from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.sessions import CREDENTIALS_DIFFER, PROGRAMS_IN_DOUBT
from doorward.proxy import rechecks
from doorward.proxy.routing import Route
from proxy.engine.application import Conversation, Recorded
from proxy.engine.http2_client import Http2Client, http2_client
from proxy.engine.stage import Client, OneRoute, Stage, eventually, get
from proxy.engine.test_websockets import SESSION, LetsIn
from proxy.middlewares.auth_server import IDENTITY, forward_auth

FIRST, SECOND = b"\x01" * 32, b"\x02" * 32
NO = HttpAnswer(401)


def passes(session: bytes, token: bytes = b"1", username: bytes = b"bob") -> HttpAnswer:
    """Our own outpost's yes to a program."""
    fields = ((b"X-authentik-username", username), *IDENTITY[1:], (b"X-authentik-jwt", token))
    marks = ((b"X-Doorward-Consumed", b"Authorization"), (b"X-Doorward-Session", session.hex().encode()))
    return HttpAnswer(200, (*fields, *marks))


class Programs:
    """Our own outpost before two programs, which call themselves by their ``Authorization`` field."""

    def __init__(self) -> None:
        self.says: dict[bytes, HttpAnswer] = {b"first": passes(FIRST), b"second": passes(SECOND)}
        self.asked: list[bytes] = []
        self.silent = asyncio.Event()
        """Once it is set, no answer comes."""

    def ask(self, question: HttpQuestion) -> HttpAnswer | Awaitable[HttpAnswer]:
        who = next(value for name, value in question.headers if name.lower() == b"authorization")
        self.asked.append(who)
        return self._never() if self.silent.is_set() else self.says[who]

    async def _never(self) -> HttpAnswer:
        await asyncio.Event().wait()
        return NO

    def still(self, answer: HttpAnswer, path: bytes, query: bytes | None) -> bool:
        return False

    def regards(self, name: bytes) -> bool:
        return True


class Slow:
    """An application that answers when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.waiting = 0

    async def __call__(self, request: Recorded, conversation: Conversation) -> bytes | None:
        self.waiting += 1
        await self.go.wait()
        return b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone"


async def both_wait(stage: Stage, programs: Programs, slow: Slow) -> list[Client]:
    """The two programs, each with a request that the application has not answered."""
    stage.application.handler = slow
    middleware = forward_auth(
        programs, fused=True, auth_response_headers=("X-authentik-username", "X-authentik-uid", "X-authentik-jwt")
    )
    await stage.start(stage.routes(middleware))
    clients = [await stage.client(), await stage.client()]
    for client, name in zip(clients, (b"first", b"second"), strict=True):
        await client.send(get(b"/", b"Authorization: " + name))
    await eventually(lambda: slow.waiting == 2)
    return clients


async def test_only_what_ended_is_ended(stage: Stage) -> None:
    """One of two credentials is taken away: its request is answered 401, the other goes on and nobody asks about it."""
    # S-321
    programs, slow = Programs(), Slow()
    first, second = await both_wait(stage, programs, slow)

    stage.engine.sessions_ended([FIRST, CREDENTIALS_DIFFER])

    answer = await first.answer()
    assert (answer.status, answer.values(b"connection")) == (401, [])
    assert b"ended" in answer.body
    slow.go.set()
    assert (await second.answer()).body == b"done"
    assert programs.asked == [b"first", b"second"]


async def test_in_doubt_each_is_asked_about(stage: Stage) -> None:
    """Who would not pass any more is answered 401; for the other a new access token makes no difference."""
    programs, slow = Programs(), Slow()
    first, second = await both_wait(stage, programs, slow)
    programs.says = {b"first": NO, b"second": passes(SECOND, token=b"2")}

    stage.engine.sessions_ended([PROGRAMS_IN_DOUBT])

    assert (await first.answer()).status == 401
    slow.go.set()
    assert (await second.answer()).body == b"done"
    assert len(programs.asked) == 4
    assert len(stage.engine._surroundings.rechecks) == 0


async def test_another_person_is_another_yes(stage: Stage) -> None:
    """The same credential lets somebody in who has other rights now: that is not what this request was let in as."""
    programs, slow = Programs(), Slow()
    first, second = await both_wait(stage, programs, slow)
    programs.says[b"first"] = passes(FIRST, username=b"robert")

    stage.engine.programs_in_doubt()

    assert (await first.answer()).status == 401
    slow.go.set()
    assert (await second.answer()).status == 200


async def test_a_doubt_that_nobody_settles_closes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the outpost cannot say in time whether a program may stay, it may not."""
    monkeypatch.setattr(rechecks, "SETTLED_WITHIN", 0.05)
    programs, slow = Programs(), Slow()
    clients = await both_wait(stage, programs, slow)
    programs.silent.set()

    stage.engine.programs_in_doubt()

    assert [(await client.answer()).status for client in clients] == [401, 401]


async def test_trouble_is_asked_about_again(stage: Stage) -> None:
    """A 503 of the outpost is no answer: it is asked until there is one."""
    programs, slow = Programs(), Slow()
    first, _ = await both_wait(stage, programs, slow)
    programs.says[b"first"] = HttpAnswer(503)
    stage.engine.programs_in_doubt()
    await eventually(lambda: programs.asked.count(b"first") > 2)

    programs.says[b"first"] = NO

    assert (await first.answer()).status == 401


async def test_a_browser_is_told(stage: Stage) -> None:
    """The page says what happened; over HTTP/2 it is a whole answer as well, and the connection is good for more."""
    # S-228
    slow = Slow()
    stage.application.handler = slow
    await stage.start(stage.routes(LetsIn()))
    client, twin = await stage.client(), await http2_client(stage)
    await client.send(get(b"/", b"Accept: text/html"))
    stream = twin.ask(b"/")
    await eventually(lambda: slow.waiting == 2)

    stage.engine.sessions_ended([SESSION])

    answer = await client.answer()
    assert answer.status == 401
    assert b"Your login ended" in answer.body
    await _is_told(twin, stream)
    slow.go.set()
    assert (await client.ask(get())).status == 200
    assert (await twin.get()).status == 200


async def _is_told(client: Http2Client, stream: int) -> None:
    reply = await client.reply(stream)
    assert (reply.status, reply.reset) == (401, None)


async def test_no_fallback_answers_for_an_ended_session(stage: Stage) -> None:
    """A failover that takes 401 for a failing server must not send the request to another."""
    slow = Slow()
    stage.application.handler = slow
    app = routing.LoadBalancer("app@file", (routing.Server(stage.application.url),))
    failover = routing.Failover("f@file", service="app@file", fallback="app@file", statuses=((401, 401),))
    made = stage.factory.service(failover, lambda name: stage.factory.service(app, lambda _: None))
    await stage.start(OneRoute(Route("r@file", "", (LetsIn(),), made, "f@file")))
    client = await stage.client()
    await client.send(get())
    await eventually(lambda: slow.waiting == 1)

    stage.engine.sessions_ended([SESSION])

    assert (await client.answer()).status == 401
    assert slow.waiting == 1


class Waits:
    """A second auth server, which takes its time."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def enter(self, request: object) -> Awaitable[HttpAnswer | None]:
        return self._wait()

    async def _wait(self) -> HttpAnswer | None:
        self.asked.set()
        await asyncio.Event().wait()
        return None

    def leave(self, request: object, response: object) -> None: ...


async def test_between_two_middlewares(stage: Stage) -> None:
    """The session ends while the next middleware waits for somebody: the application does not hear of the request."""
    waits = Waits()
    await stage.start(stage.routes(LetsIn(), waits))
    client = await stage.client()
    await client.send(get())
    await asyncio.wait_for(waits.asked.wait(), 10)

    stage.engine.sessions_ended([SESSION])

    assert (await client.answer()).status == 401
    assert stage.application.requests == []

"""The embedded outpost asked by a call gives the client and the application exactly what it gives over HTTP.

Two proxies stand before the same outpost: one asks it in the process, one over the identity entry point as any
other proxy would. The same bytes go to both; the same bytes must come out on both sides.
"""

from __future__ import annotations

import asyncio
import copy
import re
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import msgspec
import pytest

from doorward.assembly.outpost_doors import FusedOutpost, OutpostService
from doorward.config.listening import IDENTITY_TRUSTS
from doorward.messages import routing
from doorward.messages.entry_points import EntryPoint
from doorward.messages.outposts import StepUpRule
from doorward.net.client import Client
from doorward.net.listeners import listen
from doorward.net.pools import Pools
from doorward.proxy import request_ids
from doorward.proxy.engine import Engine
from doorward.proxy.http_authority import HttpAuthority
from doorward.proxy.ports import ForwardAuthority
from doorward.proxy.routing import Routes
from doorward.proxy.services.factory import ServiceFactory
from outpost.world import BOB, MALLORY, World, provider
from proxy.engine.application import Application

HOST = "app.example.test"
STEPS = (StepUpRule("^/staff", acr=("mfa",), amr=("mfa",), max_age=900.0),)
NAMES = (
    "X-authentik-username", "X-authentik-groups", "X-authentik-email", "X-authentik-name", "X-authentik-uid",
    "X-authentik-jwt", "X-authentik-meta-jwks", "X-authentik-meta-outpost", "X-authentik-meta-provider",
    "X-authentik-meta-app", "X-authentik-meta-version",
)  # fmt: skip
BROWSER = "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Site: none\r\n"


@dataclass
class Workshop:
    make: Callable[[routing.ForwardAuth], ForwardAuthority]
    factory: ServiceFactory

    def authority(self, middleware: routing.ForwardAuth) -> ForwardAuthority:
        return self.make(middleware)

    def service(self, service: routing.Service, part: Callable[[str], object]) -> object:
        return self.factory.service(service, part)


class Twins:
    """The outpost, its identity entry point, and the two proxies before it."""

    def __init__(self) -> None:
        self.world = World(
            msgspec.structs.replace(
                provider(1, HOST), external_host=f"http://{HOST}", skip_path_regex="^/public/", step_up=STEPS
            )
        )
        self.application = Application()
        self.pools = Pools()
        self.client = Client()
        self.engines: list[Engine] = []
        self.ports: dict[str, int] = {}

    async def start(self) -> None:
        await self.application.start()
        outpost = self.world.outpost
        factory = ServiceFactory({"outpost@internal": OutpostService(outpost)}, self.pools)
        identity = EntryPoint("identity", "127.0.0.1", 0, trusted_ips=IDENTITY_TRUSTS)
        door = routing.Router("o", ("identity",), routing.PathPrefix("/"), "", 1, (), "outpost@internal")
        table = routing.RoutingTable(1, (door,), {"outpost@internal": routing.Internal("outpost@internal")})
        address = f"http://127.0.0.1:{await self._serve(identity, table, Workshop(self._none, factory))}"
        middleware = routing.ForwardAuth(
            "authentik@file",
            f"{address}/outpost.goauthentik.io/auth/traefik",
            trust_forward_header=True,
            auth_response_headers=NAMES,
        )
        for name, fused in (("fused", True), ("http", False)):
            asked = msgspec.structs.replace(middleware, fused=fused)
            router = routing.Router("a", ("web",), routing.PathPrefix("/"), "", 1, (asked,), "app@file")
            app = routing.LoadBalancer("app@file", (routing.Server(self.application.url),))
            make = self._fused if fused else self._http
            table = routing.RoutingTable(1, (router,), {"app@file": app})
            self.ports[name] = await self._serve(EntryPoint("web", "127.0.0.1", 0), table, Workshop(make, factory))

    async def _serve(self, point: EntryPoint, table: routing.RoutingTable, workshop: Workshop) -> int:
        engine = Engine([point], Routes.build(table, workshop), None, None, self.pools)
        sockets = listen(point.host, point.port)
        await engine.start({point.name: sockets})
        self.engines.append(engine)
        return int(sockets[0].getsockname()[1])

    def _none(self, middleware: routing.ForwardAuth) -> ForwardAuthority:
        raise AssertionError("the identity entry point asks nobody")

    def _fused(self, middleware: routing.ForwardAuth) -> ForwardAuthority:
        return FusedOutpost(self.world.outpost)

    def _http(self, middleware: routing.ForwardAuth) -> ForwardAuthority:
        return HttpAuthority(self.client, middleware)

    async def stop(self) -> None:
        await self.client.close()
        for engine in self.engines:
            await engine.drain(0.1)
        await self.application.stop()

    async def exchange(self, which: str, request: str) -> tuple[bytes, list[bytes]]:
        """Everything that the client read, and the head of every request that the application got."""
        seen = len(self.application.requests)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports[which])
        writer.write(request.encode())
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return answer, [recorded.raw_head for recorded in self.application.requests[seen:]]


@pytest.fixture
async def twins(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Twins]:
    # What is random must not differ between two runs that are compared.
    monkeypatch.setattr(secrets, "token_bytes", lambda count=32: b"\x07" * count)
    monkeypatch.setattr(secrets, "token_hex", lambda count=32: "07" * count)
    monkeypatch.setattr(request_ids.RequestIds, "next", lambda self: b"07" * 16)
    twins = Twins()
    await twins.start()
    yield twins
    await twins.stop()


def ask(path: str, *fields: str, method: str = "GET", browser: bool = True) -> str:
    lines = "".join(f"{field}\r\n" for field in fields)
    return f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n{BROWSER if browser else ''}{lines}Connection: close\r\n\r\n"


async def both(twins: Twins, request: str) -> tuple[int, list[bytes]]:
    """Ask both, from the same state; what came out must be the same. Returns status and what the application got."""
    store = twins.world.store
    before = copy.deepcopy((store.sessions, store.used_states, store.urls, store.reports))
    outcomes = []
    for which in ("fused", "http"):
        store.sessions, store.used_states, store.urls, store.reports = copy.deepcopy(before)
        twins.world.outpost.sessions_ended((), everything=True)
        answer, received = await twins.exchange(which, request)
        outcomes.append((re.sub(rb"\r\nDate: [^\r]*", b"", answer), received))
    assert outcomes[0] == outcomes[1]
    return int(outcomes[0][0].split(b" ", 2)[1]), outcomes[0][1]


async def logged_in_with_a_factor(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same of another browser, whose user has shown a factor just now."""
    monkeypatch.setattr(secrets, "token_bytes", lambda count=32: b"\x08" * count)
    now = int(twins.world.clock())
    twins.world.issuer.bend_id_token = lambda claims: claims.update(amr=["mfa"], auth_time=now)
    return await logged_in(twins)


async def logged_in(twins: Twins) -> str:
    """A session's cookie field."""
    browser = twins.world.browser(BOB, HOST)
    browser.scheme = "http"
    await browser.log_in("/")
    return f"Cookie: theme=dark; {browser.cookie_header()}"


REFUSALS = {
    "a navigation is sent to log in": (ask("/a?b=c"), 302),
    "so is curl": (ask("/a", "Accept: */*", "User-Agent: curl/8", browser=False), 302),
    "a post is sent to log in": (ask("/a", "Content-Length: 0", method="POST"), 302),
    "head too": (ask("/a", method="HEAD"), 302),
    "fetch gets 401": (ask("/api", "Accept: application/json", "Sec-Fetch-Mode: cors", browser=False), 401),
    "a garbage cookie is no session": (ask("/a", "Cookie: authentik_proxy_0=x; b=1"), 302),
    "an unknown endpoint of the outpost": (ask("/outpost.goauthentik.io/nothing"), 404),
    "start": (ask("/outpost.goauthentik.io/start?rd=/x"), 302),
    "sign out without a session": (ask("/outpost.goauthentik.io/sign_out"), 401),
    "a callback that nobody asked for": (
        ask("/outpost.goauthentik.io/callback?X-authentik-auth-callback=true&code=c&state=s"),
        400,
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_refusal_is_the_same(twins: Twins, case: str) -> None:
    """Status, fields in their order, body: the client cannot tell how the outpost was asked."""
    request, expected = REFUSALS[case]

    status, received = await both(twins, request)

    assert status == expected
    assert received == []


async def test_a_pass_is_the_same(twins: Twins) -> None:
    """The application gets the same head, identity included; a client's own identity fields reach it neither way."""
    cookie = await logged_in(twins)

    status, received = await both(twins, ask("/a?b=c", cookie, "X-authentik-username: akadmin"))

    assert status == 200
    assert len(received) == 1
    assert b"X-authentik-username: bob\r\n" in received[0]
    assert b"akadmin" not in received[0]
    assert b"authentik_proxy_" not in received[0]
    assert b"X-Doorward-Session" not in received[0]


async def test_an_unauthenticated_path_is_the_same(twins: Twins) -> None:
    """A path that was opened passes without any identity."""
    status, received = await both(twins, ask("/public/logo.png", "X-authentik-username: akadmin"))

    assert status == 200
    assert b"x-authentik" not in received[0].lower()


async def test_a_callback_is_the_same(twins: Twins) -> None:
    """The end of a login: the session's cookie and the way back."""
    browser = twins.world.browser(BOB, HOST)
    browser.scheme = "http"
    first = await browser.get("/a?b=c")
    path = browser.callback(first)

    # The code is for one exchange at the issuer, so each side brings its own; the answer does not depend on it.
    outcomes = []
    for which in ("fused", "http"):
        path = browser.callback(first)
        twins.world.store.used_states.clear()
        answer, received = await twins.exchange(which, ask(path, f"Cookie: {browser.cookie_header()}"))
        outcomes.append((re.sub(rb"\r\nDate: [^\r]*", b"", answer), received))

    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0].startswith(b"HTTP/1.1 302 ")
    assert f"Location: http://{HOST}/a?b=c\r\n".encode() in outcomes[0][0]


async def test_signing_out_is_the_same(twins: Twins) -> None:
    """The session ends and the cookie goes, either way."""
    status, _ = await both(twins, ask("/outpost.goauthentik.io/sign_out", await logged_in(twins)))

    assert status == 302


async def test_a_store_that_is_away_is_the_same(twins: Twins) -> None:
    """503 and never the application."""
    cookie = await logged_in(twins)
    twins.world.store.available = False

    status, received = await both(twins, ask("/a", cookie))

    assert status == 503
    assert received == []


async def test_a_step_up_is_the_same(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the login with what is missing for a page, a 401 with it for a script; and through for who has it."""
    cookie = await logged_in(twins)
    fetch = ("Accept: application/json", "Sec-Fetch-Mode: cors", cookie)

    assert await both(twins, ask("/staff/x", cookie)) == (302, [])
    assert await both(twins, ask("/staff/x", *fetch, browser=False)) == (401, [])
    status, received = await both(twins, ask("/staff/x", await logged_in_with_a_factor(twins, monkeypatch)))

    assert (status, len(received)) == (200, 1)


async def test_an_unknown_host_is_the_same(twins: Twins) -> None:
    """The JSON that people search for."""
    status, received = await both(twins, ask("/a").replace(HOST, "nobody.example.test"))

    assert status == 400
    assert received == []


# --- the same header block again: the pass is remembered, the right to pass is not ---------------------------------


async def test_a_remembered_pass_gives_the_application_the_same_bytes(twins: Twins) -> None:
    """The second request of a browser is the first one's twin in everything but its path."""
    cookie = await logged_in(twins)
    _, first = await twins.exchange("fused", ask("/a?b=c", cookie))

    answer, second = await twins.exchange("fused", ask("/other?d=e", cookie))

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert second == [first[0].replace(b"/a?b=c", b"/other?d=e")]


async def test_a_session_that_ended_is_not_carried_on_by_what_is_remembered(twins: Twins) -> None:
    """S-321, S-325: the next request after the end is a stranger's."""
    cookie = await logged_in(twins)
    await twins.exchange("fused", ask("/a", cookie))
    ended = tuple(twins.world.store.sessions)
    twins.world.store.sessions.clear()
    twins.world.outpost.sessions_ended(ended)

    answer, received = await twins.exchange("fused", ask("/a", cookie))

    assert answer.startswith(b"HTTP/1.1 302 ")
    assert received == []


async def test_a_session_past_its_end_is_not_carried_on_either(twins: Twins) -> None:
    """What is remembered does not stop the clock."""
    cookie = await logged_in(twins)
    await twins.exchange("fused", ask("/a", cookie))
    twins.world.clock.advance(100_000)

    answer, received = await twins.exchange("fused", ask("/a", cookie))

    assert answer.startswith(b"HTTP/1.1 302 ")
    assert received == []


@pytest.mark.parametrize("which", ["fused", "http"])
async def test_what_is_remembered_of_one_path_lets_nobody_into_another(
    twins: Twins, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-328: the same head on the same connection, whose path asks for more; and the day that the login grows old."""
    plain, strong = await logged_in(twins), await logged_in_with_a_factor(twins, monkeypatch)
    reader, writer = await asyncio.open_connection("127.0.0.1", twins.ports[which])

    async def status(path: str, cookie: str) -> int:
        writer.write(ask(path, cookie).replace("Connection: close\r\n", "").encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        length = re.search(rb"Content-Length: (\d+)", head, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
        return int(head.split(b" ", 2)[1])

    assert [await status(f"/page/{number % 2}", plain) for number in range(8)] == [200] * 8
    assert [await status(path, plain) for path in ("/staff/x", "/STAFF", "/page/1")] == [302, 302, 200]
    assert [await status("/staff/x", strong) for _ in range(8)] == [200] * 8
    assert [await status("/staff/x", plain) for _ in range(3)] == [302] * 3
    twins.world.clock.advance(901)
    assert [await status(path, strong) for path in ("/staff/x", "/page/1", "/staff/x")] == [302, 200, 302]
    writer.close()


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/outpost.goauthentik.io/nothing", 404),
        ("/outpost%2Egoauthentik.io/nothing", 404),
        ("/outpost.goauthentik.io/sign_out", 302),
        ("/a?X-authentik-logout=true", 302),
    ],
)
async def test_what_is_the_outposts_own_is_asked_every_time(twins: Twins, target: str, status: int) -> None:
    """S-236: a browser that is known does not slip past our own endpoints to the application."""
    cookie = await logged_in(twins)
    await twins.exchange("fused", ask("/a", cookie))

    answer, received = await twins.exchange("fused", ask(target, cookie))

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert received == []


async def test_a_changed_configuration_is_in_force_for_known_browsers_too(twins: Twins) -> None:
    """An application that is gone lets nobody in, whatever was remembered about them."""
    cookie = await logged_in(twins)
    await twins.exchange("fused", ask("/a", cookie))
    twins.world.use(provider(2, "app2.example.test"))

    answer, received = await twins.exchange("fused", ask("/a", cookie))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert received == []


async def test_two_people_with_alike_browsers_are_never_mixed(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """S-327: each header block leads to its own session."""
    bob = await logged_in(twins)
    mallory = twins.world.browser(MALLORY, HOST)
    mallory.scheme = "http"
    monkeypatch.setattr(secrets, "token_bytes", lambda count=32: b"\x08" * count)
    await mallory.log_in("/")
    cookies = {"bob": bob, "mallory": f"Cookie: theme=dark; {mallory.cookie_header()}"}

    for _ in range(20):
        for name, cookie in cookies.items():
            _, received = await twins.exchange("fused", ask("/a", cookie))
            assert f"X-authentik-username: {name}\r\n".encode() in received[0]

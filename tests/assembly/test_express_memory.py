"""What the express lane remembers is never used for anybody else, nor after what it rests on has changed.

Every request here is one that the lane took a moment ago, byte for byte; what differs is who sends it, where it comes
in, or what has happened since. Attacks on what is remembered about a head itself (other spellings, other cookies) are
in ``test_express_lane``, side by side with the ordinary way.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from assembly.test_express_lane import HOST, NAMES, Side, get
from doorward.messages import routing
from doorward.messages.entry_points import AccessLog, EntryPoint, Metrics
from doorward.messages.sessions import ProxySession
from doorward.net.listeners import listen
from doorward.proxy.access_log import AccessLogFile
from doorward.proxy.engine import Engine
from doorward.proxy.express.fitness import mark_of
from doorward.proxy.express.lane import Lane
from doorward.proxy.metrics import MetricsBook
from doorward.proxy.request import ConnectionFacts
from doorward.proxy.routing import Routes
from doorward.proxy.services.factory import ServiceFactory
from outpost.memory_store import MemoryStore
from outpost.test_machines import KEY, basic
from outpost.world import BOB, World, provider
from proxy.engine.application import Application, Conversation, Recorded

SERVED = msgspec.structs.replace(provider(1, HOST), external_host=f"http://{HOST}")
OTHER_ADDRESS = "127.0.0.2"
POINTS = ("web", "trusting", "other")


class Bound(MemoryStore):
    """Lets a session in where, and for as long as, it is said to be good."""

    good_at = ""
    good_until = 0.0

    async def find(self, id_hash: bytes, provider: int, client_ip: str = "") -> ProxySession | None:
        session = await super().find(id_hash, provider, client_ip)
        if session is None or (self.good_at and client_ip != self.good_at):
            return None
        return msgspec.structs.replace(session, good_at=self.good_at, good_until=self.good_until)


class Door(Side):
    """One worker with three entry points, one of which believes its peers."""

    def __init__(self, folder: Path) -> None:
        world = World(SERVED)
        world.store = Bound(world.clock)
        world.issuer.app_passwords[KEY] = BOB
        world.restart()
        super().__init__(folder / "log", world)
        self.application = Application(self.answered)

    async def answered(self, request: Recorded, conversation: Conversation) -> bytes:
        told = (b"x-authentik-username", b"x-authentik-email", b"x-real-ip", b"x-forwarded-for", b"x-forwarded-host")
        body = b"\n".join(b"%b: %b" % (name, b", ".join(request.values(name))) for name in told)
        date = b"Date: Wed, 25 Nov 2026 12:00:00 GMT\r\n"
        return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (date, len(body), body)

    async def start(self) -> None:
        await self.application.start()
        self.factory = ServiceFactory({}, self.pools)
        points = [
            EntryPoint(name, "127.0.0.1", 0, trusted_ips=("127.0.0.0/8",) if name == "trusting" else ())
            for name in POINTS
        ]
        self.metrics = MetricsBook(Metrics("web"))
        self.engine = Engine(
            points, self.routes(), AccessLogFile(AccessLog(str(self.log), "common")), self.metrics, self.pools
        )
        sockets = {point.name: listen(point.host, point.port) for point in points}
        self.ports = {name: each[0].getsockname()[1] for name, each in sockets.items()}
        await self.engine.start(sockets)
        browser = self.world.browser(BOB, HOST)
        browser.scheme = "http"
        await browser.log_in("/")
        self.bob = f"Cookie: {browser.cookie_header()}"

    def routes(self, *, guarded: bool = True, hosts: tuple[str, ...] = (HOST,)) -> Routes:
        guard = routing.ForwardAuth("guard", "http://127.0.0.1:1/outpost.goauthentik.io/auth/traefik", fused=True)
        guard = msgspec.structs.replace(guard, trust_forward_header=True, auth_response_headers=NAMES)
        app = routing.LoadBalancer("app@file", (routing.Server(self.application.url),))
        routers = tuple(
            routing.Router(f"{name} {host}", (name,), routing.Host(host), "", 1, (guard,) if guarded else (), app.name)
            for host in hosts
            for name in POINTS
        )
        return Routes.build(routing.RoutingTable(1, routers, {app.name: app}), self)

    def lane(self, name: str) -> Lane:
        return self.engine._servers[name].lane

    async def say(self, message: bytes, name: str = "web", address: str = "127.0.0.1") -> bytes:
        """On a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports[name], local_addr=(address, 0))
        self.reader = reader
        writer.write(message)
        try:
            return (await asyncio.wait_for(self._response(False), 10))[0].lower()
        finally:
            writer.close()

    async def taken(self, message: bytes, name: str = "web", address: str = "127.0.0.1") -> bytes:
        """Asked until the lane takes it; what is answered then."""
        for _ in range(8):
            before = self.lane(name).taken
            answer = await self.say(message, name, address)
            if self.lane(name).taken > before:
                return answer
        raise AssertionError("the lane does not take it")

    async def stop(self) -> None:
        await self.engine.drain(0.1)
        await self.application.stop()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    door = Door(tmp_path)
    await door.start()
    yield door
    await door.stop()


def refused(answer: bytes) -> bool:
    return answer.startswith((b"http/1.1 302 ", b"http/1.1 401 ", b"http/1.1 4"))


async def test_another_peer_is_another_client(door: Door) -> None:
    """The same bytes from another address: the application is told that address."""
    # S-101, S-328
    message = get("/", door.bob)
    assert b"x-real-ip: 127.0.0.1\n" in await door.taken(message)

    for _ in range(5):
        answer = await door.say(message, address=OTHER_ADDRESS)
        assert b"x-real-ip: 127.0.0.2\nx-forwarded-for: 127.0.0.2\n" in answer
    assert b"x-real-ip: 127.0.0.1\n" in await door.taken(message)


async def test_trust_is_the_entry_points_own(door: Door) -> None:
    """What a trusted peer may say about its client is nobody's word at the entry point beside it, learned or not."""
    # S-101, S-102
    message = get("/", door.bob, "X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: http", f"X-Forwarded-Host: {HOST}")
    assert b"x-forwarded-for: 192.0.2.9, 127.0.0.1" in await door.taken(message, "trusting")

    for name in ("web", "other") * 4:
        answer = await door.say(message, name)
        assert b"x-forwarded-for: 127.0.0.1\n" in answer
        assert b"192.0.2.9" not in answer
    assert b"192.0.2.9" in await door.taken(message, "trusting")


async def test_a_session_that_is_good_at_one_address(door: Door) -> None:
    """It is on the lane from there; from elsewhere the same bytes are judged, and stay out."""
    # S-328
    assert isinstance(door.world.store, Bound)
    door.world.store.good_at = "127.0.0.1"
    door.world.outpost.sessions_ended((), everything=True)
    message = get("/", door.bob)
    assert b"username: bob" in await door.taken(message)

    for _ in range(4):
        assert refused(await door.say(message, address=OTHER_ADDRESS))
    door.world.clock.advance(2)  # that the store knew it not is remembered for a second
    assert b"username: bob" in await door.taken(message)

    told = get("/", door.bob, "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http", f"X-Forwarded-Host: {HOST}")
    assert b"username: bob" in await door.taken(told, "trusting")
    assert refused(await door.say(told.replace(b"For: 127.0.0.1", b"For: 192.0.2.9"), "trusting"))


async def test_a_session_that_is_good_until_then(door: Door) -> None:
    """The lane asks its keeper when the time has come."""
    assert isinstance(door.world.store, Bound)
    door.world.store.good_until = door.world.clock.time + 60
    door.world.outpost.sessions_ended((), everything=True)
    message = get("/", door.bob)
    await door.taken(message)
    door.world.clock.advance(59)
    await door.taken(message)

    door.world.store.sessions.clear()
    door.world.clock.advance(2)

    assert refused(await door.say(message))


async def test_the_outposts_configuration_changes(door: Door) -> None:
    """What the application is told follows the new configuration at once; an application that goes lets nobody in."""
    # S-321
    message = get("/", door.bob)
    await door.taken(message)

    door.world.use(msgspec.structs.replace(SERVED, cookie_secret="another-secret-" + "k" * 30))
    assert refused(await door.say(message))
    door.world.use(SERVED)
    await door.taken(message)
    door.world.use(provider(2, "app2.example.test"))
    assert not (await door.say(message)).startswith(b"http/1.1 200 ")


async def test_the_routes_change(door: Door) -> None:
    """An open route becomes guarded, a guarded host goes: the next request with the same bytes meets the new table."""
    stranger, member = get("/", "Cookie: a=1"), get("/", door.bob)
    door.engine.use(door.routes(guarded=False))
    assert b"x-authentik-username: \n" in await door.taken(stranger)
    door.engine.use(door.routes())
    assert refused(await door.say(stranger))

    await door.taken(member)
    door.engine.use(door.routes(hosts=("elsewhere.example.test",)))
    assert (await door.say(member)).startswith(b"http/1.1 404 ")
    door.engine.use(door.routes(guarded=False))
    for _ in range(4):
        assert b"x-authentik-username: \n" in await door.say(member)


async def test_a_program_is_asked_about_each_time(door: Door) -> None:
    """A credential has no session that could tell of its end: it never takes the lane."""
    # S-321
    message = get("/", f"Authorization: {basic('bob', KEY)}", "Accept: application/json")
    for _ in range(6):
        assert b"username: bob" in await door.say(message)
    assert door.lane("web").taken == 0

    door.world.issuer.app_passwords.clear()
    door.world.outpost.credentials_changed()

    assert refused(await door.say(message))


FACTS = ConnectionFacts("192.0.2.1", 443, True, "strict", (b"leaf", b"issuer"), 4711, "1.3", "TLS_AES_128_GCM_SHA256")
OTHERS: dict[str, tuple[object, ...]] = {
    "peer": ("192.0.2.2", "192.0.2.1', 443", ""),
    "port": (8443, 44),
    "tls": (False,),
    "tls_options": ("", "default", "strict', '1.3"),
    "client_chain": ((), (b"leaf",), (b"other", b"issuer"), (b"leafissuer",), (b"leaf", b"issuer", b"")),
    "tls_version": ("1.2", ""),
    "tls_cipher": ("TLS_AES_256_GCM_SHA384",),
    "peer_port": (),
}
"""Every fact about a connection, with values that would be mistaken for the ones above if they were run together. The
peer's port changes nothing about a request."""


@pytest.mark.parametrize("fact", [field.name for field in dataclasses.fields(ConnectionFacts)])
def test_every_fact_of_a_connection_parts_what_is_remembered(fact: str) -> None:
    """Another client certificate, another set of TLS options, another address: nothing is shared."""
    for value in OTHERS[fact]:
        other = dataclasses.replace(FACTS, **{fact: value})  # type: ignore[arg-type]
        assert mark_of(other) != mark_of(FACTS)
    assert mark_of(dataclasses.replace(FACTS)) == mark_of(FACTS)

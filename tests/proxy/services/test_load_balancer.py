"""Which server gets a request: in turn, by load, by client, by time, by cookie."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import islice

import pytest
from msgspec.structs import replace

from doorward.messages.routing import HealthCheck, PassiveHealthCheck, Server, StickyCookie
from doorward.proxy.services.latency import Latency
from doorward.proxy.services.rendezvous import highest
from doorward.proxy.services.rotation import in_turn, rotation
from doorward.proxy.services.sticky import sticky_value
from proxy.engine.application import Conversation, Handler, Recorded
from proxy.engine.stage import eventually, get
from proxy.engine.test_websockets import HANDSHAKE, echo_server
from proxy.services.fleet import NOBODY, Fleet, balancer, cookie_of, dies, hangs, names, post, says

CHECK = HealthCheck("/")
PASSIVE = PassiveHealthCheck()

# --- round robin


@pytest.mark.parametrize(
    ("weights", "order"),
    [
        ((1,), "aaaa"),
        ((1, 1), "abab"),
        ((1, 1, 1), "abcabc"),
        ((3, 1), "aabaaaba"),
        ((2, 1), "abaaba"),
        ((5, 1, 1), "aaabcaaaaabcaa"),
        ((20, 10), "abaaba"),
    ],
)
def test_turns_are_smooth(weights: tuple[int, ...], order: str) -> None:
    """A heavy server's turns are spread, and the order repeats exactly."""
    assert "".join(islice(in_turn("abc"[: len(weights)], weights), len(order))) == order


@pytest.mark.parametrize("weights", [(1, 2, 3, 4), (7, 7, 7), (100, 1), (999, 998, 997), (1_000_000, 1)])
def test_shares_are_exact(weights: tuple[int, ...]) -> None:
    """After as many turns as the weights have together everybody has had exactly its own; never far from it before."""
    total = sum(weights)
    turn = rotation(range(len(weights)), weights)
    counts: Counter[int | None] = Counter(turn() for _ in range(total)) if total < 10_000 else Counter()
    if counts:
        assert [counts[member] for member in range(len(weights))] == list(weights)
    else:
        assert Counter(turn() for _ in range(1000))[0] >= 999


def test_nobody_is_nobody() -> None:
    """Without members there is no turn."""
    assert rotation((), ())() is None


async def test_two_servers_take_turns(fleet: Fleet) -> None:
    """One after the other, on kept connections."""
    client = await fleet.serve(balancer("s@file", await fleet.app("a"), await fleet.app("b")))

    assert await names(client, 6) in ("ababab", "bababa")
    assert {app.connections for app in fleet.apps.values()} == {1}


async def test_a_heavy_server_gets_its_share_evenly(fleet: Fleet) -> None:
    """Weights three and one: every fourth request is the light one's."""
    heavy, light = replace(await fleet.app("h"), weight=3), await fleet.app("l")
    client = await fleet.serve(balancer("s@file", heavy, light))

    order = await names(client, 12)

    assert order.count("l") == 3
    assert {len(part) for part in order.strip("h").split("l") if part} == {3}


async def test_a_server_that_is_down_gets_nothing(fleet: Fleet) -> None:
    """And gets its turns back when it is up."""
    servers = await fleet.app("a"), await fleet.app("b")
    client = await fleet.serve(balancer("s@file", *servers, health_check=CHECK))

    fleet.hear("s@file", servers[0].url, up=False)
    assert await names(client, 4) == "bbbb"
    fleet.hear("s@file", servers[1].url, up=False)
    answer = await client.ask(get())
    assert (answer.status, answer.body) == (503, b"no available server\n")
    fleet.hear("s@file", servers[0].url, up=True)
    assert await names(client, 2) == "aa"


async def test_a_table_that_changes_nothing_here_forgets_nothing(fleet: Fleet) -> None:
    """Health and turns outlive a reload that does not touch the service; a changed service keeps what is known."""
    servers = await fleet.app("a"), await fleet.app("b")
    service = balancer("s@file", *servers, health_check=CHECK)
    client = await fleet.serve(service)
    fleet.hear("s@file", servers[0].url, up=False)

    assert await names(client, 2) == "bb"
    assert await names(await fleet.serve(service, balancer("t@file")), 2) == "bb"
    assert await names(await fleet.serve(replace(service, pass_host_header=False)), 2) == "bb"
    unchecked = replace(service, health_check=None)
    assert set(await names(await fleet.serve(unchecked), 4)) == {"a", "b"}


async def test_preserved_paths_and_hosts(fleet: Fleet) -> None:
    """``preservePath`` puts the URL's path first, ``passHostHeader: false`` names the server itself."""
    server = await fleet.app("a")
    based = Server(f"{server.url}/base/", preserve_path=True)
    client = await fleet.serve(balancer("s@file", based, pass_host_header=False))

    await client.ask(get(b"/x?y"))
    await (await fleet.serve(balancer("s@file", Server(f"{server.url}/base")))).ask(get(b"/x?y"))

    kept, plain = fleet.apps["a"].requests
    assert (kept.target, plain.target) == (b"/base/x?y", b"/x?y")
    assert kept.values(b"host") == [server.url.removeprefix("http://").encode()]
    assert plain.values(b"host") == [b"app.example.test"]


# --- strategies


async def test_p2c_avoids_the_busy(fleet: Fleet) -> None:
    """Of two servers the one that is stuck with a request gets no other while the other is free."""
    release = asyncio.Event()
    client = await fleet.serve(balancer("s@file", await fleet.app("a"), await fleet.app("b"), strategy="p2c"))
    for app in fleet.apps.values():
        app.head_handler = _waits_on_slow(release)
    stuck = await fleet.client()
    await stuck.send(get(b"/slow"))
    await eventually(lambda: any(app.open for app in fleet.apps.values()))
    await asyncio.sleep(0.05)

    others = set(await names(client, 10))
    release.set()
    first = (await stuck.answer()).body.decode()

    assert len(others) == 1
    assert first not in others
    assert not any(server.in_flight for server in fleet.workshop.factory._balancers["s@file"]._servers)


def _waits_on_slow(release: asyncio.Event) -> Handler:
    async def handler(request: Recorded, conversation: Conversation) -> bytes | None:
        if request.target == b"/slow":
            await release.wait()
        return None

    return handler


async def test_hrw_keeps_a_client_with_its_server(fleet: Fleet) -> None:
    """By address: one client meets one server, and after the loss of another still the same."""
    servers = [await fleet.app(name) for name in "abcd"]
    service = balancer("s@file", *servers, strategy="hrw", health_check=CHECK)
    client = await fleet.serve(service)
    mine = (await names(client, 8))[0]

    assert await names(client, 8) == mine * 8
    other = next(server for server, name in zip(servers, "abcd", strict=True) if name != mine)
    fleet.hear("s@file", other.url, up=False)
    assert await names(client, 4) == mine * 4


def test_rendezvous_moves_only_whom_it_must() -> None:
    """When a member leaves, its clients spread over the others and nobody else moves; weights are kept."""
    members = [(name, name, weight) for name, weight in (("a", 1), ("b", 1), ("c", 2))]
    clients = [f"10.0.{n // 250}.{n % 250}" for n in range(4000)]
    before = {client: highest(members, client) for client in clients}
    after = {client: highest(members[1:], client) for client in clients}

    assert all(after[client] == before[client] for client in clients if before[client] != "a")
    shares = Counter(before.values())
    assert 800 < shares["a"] < 1200
    assert 1800 < shares["c"] < 2200


async def test_leasttime_prefers_the_quick(fleet: Fleet) -> None:
    """Once both are known the quick one gets nearly everything."""

    async def slowly(request: Recorded, conversation: Conversation) -> bytes | None:
        await asyncio.sleep(0.03)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ns"

    client = await fleet.serve(
        balancer("s@file", await fleet.app("s", slowly), await fleet.app("q"), strategy="leasttime")
    )

    assert (await names(client, 20)).count("s") <= 1


def test_a_bad_name_is_forgotten() -> None:
    """A server that was slow is tried again some time."""
    latency = Latency()
    latency.note(1.0, 0.0)
    latency.note(2.0, 1.0)

    assert latency.seconds(1.0) == pytest.approx(1.1)
    assert latency.seconds(11.0) == pytest.approx(0.55)
    assert latency.seconds(601.0) < 1e-15


# --- stickiness

COOKIE = StickyCookie("lb")


async def test_the_cookie_is_the_originals(fleet: Fleet) -> None:
    """Name, value and attributes as Traefik writes them, byte for byte."""
    server = await fleet.app("a")
    sticky = StickyCookie("_fb0b0", True, True, "Lax", 60, "/", "ex.test")
    client = await fleet.serve(balancer("app@file", server, sticky=sticky))

    answer = await client.ask(get())

    assert answer.values(b"set-cookie") == [
        b"_fb0b0=%b; Path=/; Domain=ex.test; Max-Age=60; HttpOnly; Secure; SameSite=Lax" % sticky_value(server.url)
    ]
    assert sticky_value("http://127.0.0.1:28732/b") == b"5210390b24e8f40e"


async def test_a_client_stays(fleet: Fleet) -> None:
    """Whoever shows the cookie meets the same server and is not given it again; others go on in turn."""
    servers = [await fleet.app(name) for name in "abc"]
    client = await fleet.serve(balancer("s@file", *servers, sticky=COOKIE))
    first = await client.ask(get())
    cookie = cookie_of(first)

    assert await names(client, 5, cookie) == first.body.decode() * 5
    assert (await client.ask(get(b"/", cookie))).values(b"set-cookie") == []
    assert set(await names(client, 3)) == {"a", "b", "c"}
    fields = [value for app in fleet.apps.values() for request in app.requests for value in request.values(b"cookie")]
    assert cookie.removeprefix(b"Cookie: ") in fields


async def test_a_cookie_for_a_server_that_is_down_is_rewritten(fleet: Fleet) -> None:
    """The client gets another server and its cookie; an unknown value is nobody's."""
    servers = [await fleet.app(name) for name in "ab"]
    client = await fleet.serve(balancer("s@file", *servers, sticky=COOKIE, health_check=CHECK))
    fleet.hear("s@file", servers[0].url, up=False)

    for value in (sticky_value(servers[0].url), b"nonsense", b""):
        answer = await client.ask(get(b"/", b"Cookie: lb=" + value))
        assert answer.body == b"b"
        assert answer.values(b"set-cookie") == [b"lb=" + sticky_value(servers[1].url) + b"; Path=/"]


async def test_a_server_that_refuses_hands_its_clients_on(fleet: Fleet) -> None:
    """The cookie is that of the server that answered."""
    server = await fleet.app("b")
    client = await fleet.serve(balancer("s@file", Server(NOBODY), server, sticky=COOKIE))

    answer = await client.ask(get(b"/", b"Cookie: lb=" + sticky_value(NOBODY)))

    assert answer.body == b"b"
    assert answer.values(b"set-cookie") == [b"lb=" + sticky_value(server.url) + b"; Path=/"]


async def test_an_older_cookie_is_still_good(fleet: Fleet) -> None:
    """What version 2 of the original wrote (FNV-1) keeps its server and is replaced."""
    servers = [await fleet.app(name) for name in "ab"]
    client = await fleet.serve(balancer("s@file", *servers, sticky=COOKIE))
    value = 0xCBF29CE484222325
    for byte in servers[1].url.encode():
        value = (value * 0x100000001B3) % 2**64 ^ byte

    for _ in range(3):
        answer = await client.ask(get(b"/", b"Cookie: lb=%x" % value))
        assert answer.body == b"b"
        assert answer.values(b"set-cookie") == [b"lb=" + sticky_value(servers[1].url) + b"; Path=/"]


async def test_a_websocket_gets_the_cookie_too(fleet: Fleet) -> None:
    """With the 101, beside the handshake's own fields."""
    await fleet.app("a", echo_server)
    client = await fleet.serve(balancer("s@file", Server(fleet.apps["a"].url), sticky=COOKIE))

    answer = await client.ask(get(b"/ws", *HANDSHAKE))

    assert answer.status == 101
    assert len(answer.values(b"set-cookie")) == 1


# --- what passive health is told


async def test_failures_are_reported(fleet: Fleet) -> None:
    """Not reached, dead without an answer, 500 and more; not what the client spoils, and each once."""
    passive = {"passive_health_check": PASSIVE}
    dead, broken = await fleet.app("d", dies), await fleet.app("e", says("x", 503))
    nobody = Server(NOBODY)
    client = await fleet.serve(balancer("nobody@file", nobody, **passive))

    assert (await client.ask(get())).status == 502
    assert (await (await fleet.serve(balancer("dead@file", dead, **passive))).ask(post(b"x"))).status == 502
    assert (await (await fleet.serve(balancer("broken@file", broken, **passive))).ask(get())).status == 503
    fine = await fleet.serve(balancer("fine@file", await fleet.app("f", says("x", 404)), **passive))
    assert (await fine.ask(get())).status == 404

    assert [(failure.service, failure.url) for failure in fleet.failures] == [
        ("nobody@file", NOBODY),
        ("dead@file", dead.url),
        ("broken@file", broken.url),
    ]


async def test_a_client_that_leaves_is_no_failure(fleet: Fleet) -> None:
    """The server is not to blame."""
    service = balancer("s@file", await fleet.app("a", hangs), passive_health_check=PASSIVE)
    client = await fleet.serve(service)
    await client.send(get())
    await eventually(lambda: fleet.apps["a"].requests)

    client.cut()
    await eventually(lambda: fleet.apps["a"].open == 0)

    assert fleet.failures == []
    assert not any(server.in_flight for server in fleet.workshop.factory._balancers["s@file"]._servers)


async def test_a_server_rests_and_comes_back_by_itself(fleet: Fleet) -> None:
    """For the stated time, even if nobody says anything any more; while it rests it is not reported again."""
    servers = [await fleet.app("a"), await fleet.app("b")]
    client = await fleet.serve(balancer("s@file", *servers, passive_health_check=PASSIVE))

    fleet.rest("s@file", servers[0].url, 0.2)
    assert await names(client, 4) == "bbbb"
    fleet.board.failed("s@file", servers[0].url)
    assert fleet.failures == []
    await asyncio.sleep(0.25)
    assert set(await names(client, 4)) == {"a", "b"}
